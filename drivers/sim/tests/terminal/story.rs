use domain::Amount;
use driver_api::payment_terminal::{
    Capture, Command, DayEnd, DeclineReason, Entry, Event, Hint, Outcome, Payment, Totals,
    Verification,
};
use driver_sim::terminal::{Cardholder, Options, Transport};

use crate::rig::{rig, rig_with};
use crate::till::reason;

fn approval(outcome: Option<Outcome>) -> driver_api::payment_terminal::Approval {
    match outcome {
        Some(Outcome::Approved(approval)) => *approval,
        other => panic!("{other:?}"),
    }
}

#[test]
fn contactless_pays_and_the_receipt_has_all_it_needs() {
    for transport in [Transport::Tcp, Transport::Serial] {
        let mut rig = rig(Options { transport, ..Options::default() });
        let (_, outcome) = rig.pay(20);
        let it = approval(outcome);
        assert_eq!(it.amount, Amount::euro(20));
        assert_eq!(it.pan.expect("told").reveal(), "************4711");
        assert_eq!(it.aid.as_deref(), Some("A0000000031010"));
        assert_eq!(it.authorisation_code.as_deref(), Some("611804"));
        assert_eq!(it.terminal.as_deref(), Some("28004869"));
        assert_eq!(it.merchant.as_deref(), Some("100461763"));
        assert_eq!(it.card_name.as_deref(), Some("Visa"));
        assert_eq!((it.entry, it.verification), (Entry::Contactless, Verification::None));
        assert_eq!(rig.line.terminal.charges().len(), 1);
    }
}

#[test]
fn above_fifty_euro_contactless_asks_for_the_pin() {
    let mut rig = rig_with(Cardholder::Contactless);
    let (_, outcome) = rig.pay(51);
    let it = approval(outcome);
    assert_eq!((it.entry, it.verification), (Entry::Contactless, Verification::Pin));
    assert!(rig.events.contains(&Event::Hint(Hint::UsePinPad)));
}

#[test]
fn chip_and_pin_pays() {
    let mut rig = rig_with(Cardholder::ChipAndPin);
    let (_, outcome) = rig.pay(20);
    let it = approval(outcome);
    assert_eq!((it.entry, it.verification), (Entry::Chip, Verification::Pin));
    assert!(rig.events.contains(&Event::Hint(Hint::RemoveCard)));
}

#[test]
fn who_does_not_pay_is_told_why_and_the_next_one_pays() {
    let customers = [
        (Cardholder::Declined, DeclineReason::Bank),
        (Cardholder::WrongPin, DeclineReason::Pin),
        (Cardholder::RemovesCard, DeclineReason::Unreadable),
        (Cardholder::WalksOff, DeclineReason::Cancelled),
    ];
    for (cardholder, why) in customers {
        let mut rig = rig_with(cardholder);
        let (_, outcome) = rig.pay(20);
        assert_eq!(reason(&outcome.expect("answered")), Some(why), "{cardholder:?}");
        assert_eq!(rig.line.terminal.charges(), []);
        rig.idle();
        rig.line.terminal.set_cardholder(Cardholder::Contactless);
        approval(rig.pay(20).1);
    }
}

#[test]
fn a_customer_who_changes_their_mind_is_let_go() {
    let mut rig = rig_with(Cardholder::WalksOff);
    let question = rig.order_payment(20);
    rig.until("asked for a card", |rig| rig.events.contains(&Event::Hint(Hint::PresentCard)));
    rig.command(Command::Abort);
    let outcome = rig.outcome(&question).expect("answered");
    assert_eq!(reason(&outcome), Some(DeclineReason::Cancelled));
}

#[test]
fn a_payment_is_reversed_once() {
    let mut rig = rig_with(Cardholder::Contactless);
    let (question, outcome) = rig.pay(20);
    let reference = approval(outcome).reference;
    let payment = Payment { operation: question.operation, amount: Amount::euro(20), reference };
    let (_, outcome) = rig.reverse(payment.clone());
    approval(outcome);
    assert!(rig.line.terminal.charges()[0].is_reversed);
    let (_, outcome) = rig.reverse(payment);
    assert_eq!(reason(&outcome.expect("answered")), Some(DeclineReason::Reversed));
}

#[test]
fn goods_decide_over_a_held_payment() {
    let fates = [
        (Some(true), None),
        (Some(false), Some(DeclineReason::NotIssued)),
        // The core says nothing: the money goes back.
        (None, Some(DeclineReason::NotIssued)),
    ];
    for (are_issued, why) in fates {
        let mut rig = rig_with(Cardholder::Contactless);
        rig.are_issued = are_issued;
        let (question, outcome) = rig.pay_with(20, Capture::WhenIssued);
        let outcome = outcome.expect("answered");
        assert_eq!(reason(&outcome), why);
        rig.assert_true(&outcome);
        let told = rig.ask(&question);
        rig.assert_true(&told);
        assert_ne!(told, Outcome::Unknown, "{are_issued:?}");
    }
}

#[test]
fn the_day_ends_with_payments_less_reversals() {
    let mut rig = rig_with(Cardholder::Contactless);
    for euro in [20, 30, 50] {
        rig.idle();
        approval(rig.pay(euro).1);
    }
    rig.idle();
    rig.command(Command::EndOfDay);
    let ended = |event: &Event| matches!(event, Event::DayEnded(_));
    rig.until("closed", |rig| rig.events.iter().any(ended));
    let totals = Totals { amount: Amount::euro(100), count: Some(3) };
    assert!(rig.events.contains(&Event::DayEnded(DayEnd::Closed(totals))), "{:?}", rig.events);
}

#[test]
fn a_day_begins_where_the_last_one_ended() {
    let mut rig = rig_with(Cardholder::Contactless);
    for euro in [20, 30] {
        rig.idle();
        approval(rig.pay(euro).1);
        rig.idle();
        rig.events.clear();
        rig.command(Command::EndOfDay);
        let closed = DayEnd::Closed(Totals { amount: Amount::euro(euro), count: Some(1) });
        let closed = Event::DayEnded(closed);
        rig.until("closed", |rig| rig.events.contains(&closed));
    }
    assert_eq!(rig.line.terminal.closed(), 5000);
}
