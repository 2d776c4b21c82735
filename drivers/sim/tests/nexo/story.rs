use domain::Amount;
use driver_api::VendorCode;
use driver_api::payment_terminal::{
    Approval, Command, DayEnd, DeclineReason, Entry, Event, Hint, Outcome, Payment, Totals,
    Verification,
};
use driver_sim::terminal::{Cardholder, Fault};

use crate::rig::rig_with;
use crate::till::reason;

fn approval(outcome: Option<Outcome>) -> Approval {
    match outcome {
        Some(Outcome::Approved(approval)) => *approval,
        other => panic!("{other:?}"),
    }
}

#[test]
fn contactless_pays_and_the_receipt_has_all_it_needs() {
    let mut rig = rig_with(Cardholder::Contactless);
    let (_, outcome) = rig.pay(20);
    let it = approval(outcome);
    assert_eq!(it.amount, Amount::euro(20));
    assert_eq!(it.pan.expect("told").reveal(), "476173****4711");
    assert_eq!(it.aid.as_deref(), Some("A0000000031010"));
    assert_eq!(it.authorisation_code.as_deref(), Some("611804"));
    assert_eq!(it.terminal.as_deref(), Some("28004869"));
    assert_eq!(it.merchant.as_deref(), Some("PausePlusTownHall"));
    assert_eq!(it.card_name.as_deref(), Some("VISA DEBIT"));
    assert_eq!((it.entry, it.verification), (Entry::Contactless, Verification::None));
    assert_eq!(rig.line.terminal.charges().len(), 1);
    assert_eq!(rig.line.terminal.charges()[0].cents, 2000);
    assert!(rig.events.contains(&Event::Hint(Hint::PresentCard)));
}

#[test]
fn above_fifty_euro_contactless_asks_for_the_pin() {
    let mut rig = rig_with(Cardholder::Contactless);
    let it = approval(rig.pay(51).1);
    assert_eq!((it.entry, it.verification), (Entry::Contactless, Verification::Pin));
}

#[test]
fn chip_and_pin_pays() {
    let mut rig = rig_with(Cardholder::ChipAndPin);
    let it = approval(rig.pay(20).1);
    assert_eq!((it.entry, it.verification), (Entry::Chip, Verification::Pin));
}

#[test]
fn who_does_not_pay_is_told_why_and_the_next_one_pays() {
    let customers = [
        (Cardholder::Declined, DeclineReason::Bank),
        (Cardholder::WrongPin, DeclineReason::Pin),
        (Cardholder::RemovesCard, DeclineReason::Cancelled),
        (Cardholder::WalksOff, DeclineReason::Cancelled),
    ];
    for (cardholder, why) in customers {
        let mut rig = rig_with(cardholder);
        let (question, outcome) = rig.pay(20);
        assert_eq!(reason(&outcome.expect("answered")), Some(why), "{cardholder:?}");
        assert_eq!(rig.line.terminal.charges(), []);
        rig.idle();
        assert_eq!(reason(&rig.ask(&question)), Some(why), "asked again: {cardholder:?}");
        rig.idle();
        rig.line.terminal.set_cardholder(Cardholder::Contactless);
        approval(rig.pay(20).1);
    }
}

#[test]
fn a_customer_who_changes_their_mind_is_let_go_while_the_payment_waits() {
    let mut rig = rig_with(Cardholder::WalksOff);
    let question = rig.order_payment(20);
    let asked_at = rig.now;
    rig.command(Command::Abort);
    let outcome = rig.outcome(&question).expect("answered");
    assert_eq!(reason(&outcome), Some(DeclineReason::Cancelled));
    assert_eq!(rig.now, asked_at, "at once");
}

#[test]
fn who_changes_their_mind_too_late_has_paid() {
    let mut rig = rig_with(Cardholder::ChipAndPin);
    let question = rig.order_payment(20);
    rig.until("charged", |rig| !rig.line.terminal.charges().is_empty());
    rig.command(Command::Abort);
    approval(rig.outcome(&question));
}

#[test]
fn a_payment_is_reversed_once() {
    let mut rig = rig_with(Cardholder::Contactless);
    let (question, outcome) = rig.pay(20);
    let reference = approval(outcome).reference;
    let payment = Payment { operation: question.operation, amount: Amount::euro(20), reference };
    let (reversal, outcome) = rig.reverse(payment.clone());
    assert_eq!(approval(outcome).amount, Amount::euro(20));
    assert!(rig.line.terminal.charges()[0].is_reversed);
    rig.idle();
    approval(Some(rig.ask(&reversal)));
    let (_, outcome) = rig.reverse(payment);
    assert_eq!(reason(&outcome.expect("answered")), Some(DeclineReason::Terminal));
}

#[test]
fn the_day_ends_with_payments_less_reversals() {
    let mut rig = rig_with(Cardholder::Contactless);
    let mut last = None;
    for euro in [20, 30, 50] {
        rig.idle();
        let (question, outcome) = rig.pay(euro);
        let reference = approval(outcome).reference;
        last = Some(Payment { operation: question.operation, amount: question.amount, reference });
    }
    rig.reverse(last.expect("paid three times"));
    rig.idle();
    rig.command(Command::EndOfDay);
    let ended = |event: &Event| matches!(event, Event::DayEnded(_));
    rig.until("closed", |rig| rig.events.iter().any(ended));
    let totals = Totals { amount: Amount::euro(50), count: Some(4) };
    assert!(rig.events.contains(&Event::DayEnded(DayEnd::Closed(totals))), "{:?}", rig.events);
}

/// Its login is gone with its power, and nobody noticed: the next time it does.
#[test]
fn the_day_of_a_terminal_that_restarted_is_refused_once() {
    let mut rig = rig_with(Cardholder::Contactless);
    approval(rig.pay(20).1);
    rig.idle();
    rig.line.terminal.set_fault(rig.now, Fault::Power, true);
    rig.line.terminal.set_fault(rig.now, Fault::Power, false);
    let mut ends = Vec::new();
    for _ in 0..2 {
        let heard = rig.events.len();
        rig.command(Command::EndOfDay);
        rig.until("ended", |rig| rig.events.len() > heard);
        rig.idle();
        ends.extend(rig.events[heard..].iter().filter_map(|event| {
            if let Event::DayEnded(end) = event { Some(end.clone()) } else { None }
        }));
    }
    let totals = Totals { amount: Amount::euro(20), count: Some(1) };
    assert_eq!(ends, [DayEnd::Refused(VendorCode(0)), DayEnd::Closed(totals)]);
}
