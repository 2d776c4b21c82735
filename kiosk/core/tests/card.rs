//! Paying by bank card, told as stories: charged once and credited, or not charged, or claimed.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod rig;

use std::time::Duration;

use domain::{Amount, Tender};
use driver_api::payment_terminal::{
    Command, DayEnd, DeclineReason, Event as Terminal, Hint, Operation, Outcome, Totals,
};
use driver_api::{VendorCode, printer};
use kiosk_core::{CentralLink, CentralRequest, Effect, Event, TopUpReply};
use kiosk_records::{Account, Seq, TopUpRefusal};
use rig::{Rig, approved, refused};
use ui_proto::{
    Action, ByCard, ByCardOff, CardHint, DoneKind, PaymentRefusal, ReceiptState, Screen,
};

const REFUSED: TopUpReply = TopUpReply::Refused(TopUpRefusal::CardNotActive);

fn by_card(rig: &Rig) -> ByCard {
    match rig.screen() {
        Screen::Home(home) => home.by_card,
        other => panic!("{other:?}"),
    }
}

fn sends(rig: &Rig, wanted: &Command) -> bool {
    rig.effects.iter().any(|effect| matches!(effect, Effect::Terminal(sent) if sent == wanted))
}

/// What bank, wallet, claims and queue say, in euro.
fn money(rig: &Rig) -> [i64; 4] {
    use Account::{CardTerminal, ClaimsPayable, TopUpsQueued, WalletPayable};
    let balances = [CardTerminal, WalletPayable, ClaimsPayable, TopUpsQueued];
    balances.map(|account| rig.balance(account).abs() / 100)
}

#[test]
fn twenty_euro_by_contactless_arrive_in_the_wallet() {
    let mut rig = Rig::at_home(10);
    rig.act(Action::PayByCard);
    let Screen::ChooseAmount(choice) = rig.screen() else { panic!("{}", rig.name()) };
    assert_eq!(choice.amounts, [10, 20, 50, 100].map(Amount::euro));
    rig.act(Action::Amount(Amount::euro(20)));
    assert!(rig.kinds().ends_with(&["payment_ordered"]), "on record before the terminal has it");
    let paid = rig.order().expect("the terminal has the order");
    rig.terminal(Terminal::Hint(Hint::PresentCard));
    let amount = Amount::euro(20);
    let hint = CardHint::PresentCard;
    assert_eq!(*rig.screen(), Screen::PayAtTerminal { amount, hint, can_cancel: true });
    rig.finished(paid, approved(20));
    assert!(rig.kinds().ends_with(&["payment_approved", "top_up_ordered"]));
    let tender = rig.effects.iter().find_map(|effect| match effect {
        Effect::Central(CentralRequest::TopUp { tender, .. }) => Some(*tender),
        _ => None,
    });
    assert_eq!(tender, Some(Tender::Card));
    rig.accept(30);
    assert!(matches!(rig.screen(), Screen::Done { done: DoneKind::Credited { .. }, .. }));
    assert_eq!(money(&rig), [20, 20, 0, 0]);
    rig.act(Action::Print);
    let receipt = format!("{:?}", rig.effects);
    for word in ["PAGADO", "123456", "T0001", "************4771", "Banco de Vilanova"] {
        assert!(receipt.contains(word), "{word}: {receipt}");
    }
}

#[test]
fn only_what_fits_the_wallet_and_the_limits_can_be_chosen() {
    let mut rig = Rig::at_home(120);
    rig.act(Action::PayByCard).act(Action::Amount(Amount::euro(50)));
    assert_eq!(rig.order(), None, "over the wallet's maximum");
    rig.act(Action::Amount(Amount::euro(15)));
    assert_eq!(rig.order(), None, "not offered");
    assert_eq!(by_card(&Rig::at_home(145)), ByCard::Off(ByCardOff::WalletFull));
}

#[test]
fn a_decline_charges_nothing_says_why_and_lets_try_again() {
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.finished(paid, refused(DeclineReason::Funds));
    let Screen::PaymentDeclined { reason, can_retry, can_pay_cash, .. } = *rig.screen() else {
        panic!("{}", rig.name())
    };
    assert_eq!((reason, can_retry, can_pay_cash), (PaymentRefusal::Funds, false, true));
    rig.terminal_idle();
    assert!(matches!(rig.screen(), Screen::PaymentDeclined { can_retry: true, .. }));
    rig.act(Action::Confirm);
    let again = rig.order().expect("another order");
    assert_ne!(again, paid, "with a number of its own");
    rig.finished(again, approved(20)).accept(30);
    assert_eq!(money(&rig), [20, 20, 0, 0]);
}

#[test]
fn who_calls_off_learns_whether_it_came_in_time() {
    for (outcome, taken) in [(refused(DeclineReason::Cancelled), 0), (approved(20), 20)] {
        let (mut rig, paid) = Rig::paying(10, 20);
        rig.act(Action::Cancel);
        assert!(sends(&rig, &Command::Abort));
        assert!(matches!(rig.screen(), Screen::PayAtTerminal { can_cancel: false, .. }));
        rig.act(Action::Cancel);
        assert!(!sends(&rig, &Command::Abort), "once is enough");
        rig.finished(paid, outcome);
        if taken > 0 {
            rig.accept(30);
        }
        assert_eq!(money(&rig), [taken, taken, 0, 0]);
    }
}

#[test]
fn in_doubt_the_terminal_is_asked_until_it_knows_and_nobody_pays_meanwhile() {
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.finished(paid, Outcome::Unknown);
    assert!(rig.kinds().ends_with(&["payment_in_doubt"]));
    assert!(matches!(rig.screen(), Screen::CheckingPayment { .. }));
    rig.wait(Duration::from_secs(5));
    assert_eq!(rig.question(), Some(paid));
    rig.status(paid, Outcome::Unknown).wait(Duration::from_secs(5));
    assert_eq!(rig.question(), Some(paid), "asked again");
    rig.status(paid, approved(20)).accept(30);
    assert_eq!(money(&rig), [20, 20, 0, 0]);
    rig.status(paid, approved(20)).finished(paid, approved(20));
    assert_eq!(money(&rig), [20, 20, 0, 0], "an answer that comes again moves nothing");
}

#[test]
fn a_doubt_that_stays_is_claimed_and_what_was_charged_is_credited_later_by_itself() {
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.finished(paid, Outcome::Unknown).terminal(Terminal::LinkLost);
    rig.wait(Duration::from_secs(61));
    let Screen::Done { done: DoneKind::PaymentInDoubt { number, .. }, receipt } = rig.screen()
    else {
        panic!("{}", rig.name())
    };
    assert_eq!(*number, format!("K0001-{}", paid.0));
    assert_eq!(*receipt, ReceiptState::Printing, "asked for or not");
    rig.printed().wait(Duration::from_secs(60));

    // The next customer is told to wait with the card.
    rig.tap().type_pin();
    let account = rig::account(Amount::euro(5));
    rig.session(kiosk_core::SessionReply::Opened(account));
    assert_eq!(by_card(&rig), ByCard::Off(ByCardOff::Checking));
    rig.terminal_ready();
    assert_eq!(rig.question(), Some(paid));
    rig.status(paid, approved(20));
    assert_eq!(money(&rig), [20, 0, 0, 20], "for the first customer, not for who is here");
    assert!(rig.asks_top_up());
    rig.accept(30).terminal_idle();
    assert_eq!(money(&rig), [20, 20, 0, 0]);
    assert_eq!(by_card(&rig), ByCard::Open);
    rig.act(Action::Cancel);
    assert_eq!(rig.kiosk.books().intents().count(), 0);
}

#[test]
fn a_claim_for_what_was_not_charged_ends_by_itself() {
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.finished(paid, Outcome::Unknown).wait(Duration::from_secs(61));
    rig.status(paid, refused(DeclineReason::NotCarriedOut)).wait(Duration::from_secs(200));
    assert_eq!(money(&rig), [0, 0, 0, 0]);
    assert_eq!(rig.kiosk.books().intents().count(), 0);
    assert_eq!(rig.name(), "attract");
}

#[test]
fn what_central_refuses_goes_back_to_the_bank_card() {
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.finished(paid, approved(20)).terminal_idle().top_up_reply(REFUSED);
    assert!(matches!(rig.screen(), Screen::GivingBack { .. }));
    let reversal = rig.order().expect("the terminal is to give it back");
    assert_ne!(reversal, paid);
    assert_eq!(money(&rig), [20, 0, 20, 0], "owed until it is back");
    rig.finished(reversal, approved(20));
    assert!(matches!(rig.screen(), Screen::Done { done: DoneKind::GivenBack { .. }, .. }));
    assert_eq!(money(&rig), [0, 0, 0, 0]);
    rig.wait(Duration::from_secs(300));
    assert_eq!(rig.kiosk.books().paid().count(), 0);
}

#[test]
fn who_waits_for_the_money_is_not_told_that_somebody_elses_is_back() {
    let (mut rig, first) = Rig::paying(10, 20);
    rig.finished(first, approved(20)).terminal_idle().wait(Duration::from_secs(13));
    let late = rig.asked_top_up();
    rig.printed().wait(Duration::from_secs(60));
    rig.event(Event::CentralLink(CentralLink::There)).tap().type_pin();
    let account = rig::account(Amount::euro(10));
    rig.session(kiosk_core::SessionReply::Opened(account));
    rig.act(Action::PayByCard).act(Action::Amount(Amount::euro(50)));
    let second = rig.order().expect("the second customer pays");
    let refused = kiosk_core::CentralReply::TopUp { intent: late, reply: REFUSED };
    rig.event(Event::Central(refused));
    rig.finished(second, approved(50)).top_up_reply(REFUSED).terminal_idle();
    let of_the_first = rig.order().expect("the older one comes first");
    rig.finished(of_the_first, approved(20));
    assert_eq!(rig.name(), "giving_back", "it was the first customer's money");
    rig.terminal_idle();
    let of_the_second = rig.order().expect("now this one's");
    rig.finished(of_the_second, approved(50));
    assert!(matches!(rig.screen(), Screen::Done { done: DoneKind::GivenBack { .. }, .. }));
    assert_eq!(money(&rig), [0, 0, 0, 0]);
}

#[test]
fn a_reversal_waits_for_a_terminal_that_is_not_idle_yet() {
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.finished(paid, approved(20)).top_up_reply(REFUSED);
    assert_eq!(rig.order(), None);
    rig.terminal_idle();
    assert!(rig.order().is_some());
}

#[test]
fn a_reversal_in_doubt_is_claimed_and_asked_about_never_repeated() {
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.finished(paid, approved(20)).terminal_idle().top_up_reply(REFUSED);
    let reversal = rig.order().unwrap();
    rig.finished(reversal, Outcome::Unknown).terminal_idle();
    assert_eq!(rig.order(), None);
    rig.wait(Duration::from_secs(61));
    assert!(matches!(rig.screen(), Screen::Done { done: DoneKind::Claim { .. }, .. }));
    rig.wait(Duration::from_secs(200));
    assert_eq!(money(&rig), [20, 0, 20, 0]);
    rig.terminal_ready();
    assert_eq!(rig.question(), Some(reversal));
    rig.status(reversal, approved(20));
    assert_eq!(money(&rig), [0, 0, 0, 0]);
}

#[test]
fn a_reversal_the_terminal_refuses_is_tried_again_and_left_to_the_office_in_the_end() {
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.finished(paid, approved(20)).terminal_idle().top_up_reply(REFUSED);
    let mut tries = 0;
    while let Some((reversal, _)) = rig.kiosk.books().at_terminal() {
        tries += 1;
        let reversal = Operation(u32::try_from(reversal.0).unwrap());
        rig.finished(reversal, refused(DeclineReason::NoHost)).terminal_idle();
        assert_eq!(rig.order(), None, "not at once");
        rig.wait(Duration::from_secs(60));
    }
    assert_eq!(tries, 5);
    assert_eq!(money(&rig), [20, 0, 20, 0], "the office owes it");
    assert_eq!(rig.kiosk.books().paid().count(), 0);
}

#[test]
fn a_power_cut_at_the_terminal_is_a_question_to_it() {
    for (outcome, taken) in [(approved(20), 20), (refused(DeclineReason::NotCarriedOut), 0)] {
        let (rig, paid) = Rig::paying(10, 20);
        let mut rig = rig.power_cut().power_cut();
        assert_eq!(rig.name(), "starting");
        assert_eq!(rig.order(), None, "never ordered again");
        rig.connect();
        assert_eq!(rig.question(), Some(paid));
        rig.status(paid, outcome);
        assert_eq!(rig.kiosk.books().visit(), None);
        if taken > 0 {
            assert!(matches!(rig.screen(), Screen::Done { done: DoneKind::Pending { .. }, .. }));
            rig.accept(30);
        }
        assert_eq!(money(&rig), [taken, taken, 0, 0]);
    }
}

#[test]
fn a_terminal_that_stays_away_after_the_cut_leaves_the_customer_a_claim() {
    let (rig, paid) = Rig::paying(10, 20);
    let mut rig = rig.power_cut();
    rig.event(Event::Printer(printer::Event::Ready)).wait(Duration::from_secs(31));
    let Screen::Done { done: DoneKind::PaymentInDoubt { number, .. }, .. } = rig.screen() else {
        panic!("{}", rig.name())
    };
    assert_eq!(*number, format!("K0001-{}", paid.0));
    let mut rig = rig.power_cut();
    rig.connect();
    assert_eq!(rig.question(), Some(paid), "asked also after the next start");
}

#[test]
fn the_terminals_silence_is_a_doubt() {
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.wait(Duration::from_secs(300));
    assert!(rig.kinds().contains(&"payment_in_doubt"));
    assert_eq!(rig.question(), Some(paid));
}

#[test]
fn a_bank_that_took_another_amount_is_believed() {
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.finished(paid, approved(50)).accept(60);
    assert_eq!(money(&rig), [50, 50, 0, 0]);
}

#[test]
fn without_central_nobody_pays_by_card() {
    let mut rig = Rig::at_home(10);
    rig.event(Event::CentralLink(CentralLink::Away));
    assert_eq!(by_card(&rig), ByCard::Off(ByCardOff::Central));
    rig.event(Event::CentralLink(CentralLink::There)).terminal(Terminal::LinkLost);
    assert_eq!(by_card(&rig), ByCard::Off(ByCardOff::Terminal));
    rig.act(Action::PayByCard);
    assert_eq!(rig.name(), "home");
}

#[test]
fn the_day_is_closed_once_the_date_has_changed_and_nobody_is_here() {
    let mut rig = after_one_payment();
    rig.wait(Duration::from_secs(3_600));
    assert!(!sends(&rig, &Command::EndOfDay), "the same day");
    let asked = until_end_of_day(&mut rig);
    assert!(asked);
    rig.terminal(Terminal::DayEnded(DayEnd::Refused(VendorCode(7)))).terminal_idle();
    assert!(rig.kinds().ends_with(&["card_day_not_closed"]));
    assert!(until_end_of_day(&mut rig), "again later");
    let totals = Totals { amount: Amount::euro(20), count: Some(1) };
    rig.terminal(Terminal::DayEnded(DayEnd::Closed(totals))).terminal_idle();
    assert_eq!(rig.balance(Account::CardTerminal), 0);
    assert_eq!(rig.balance(Account::CardSettled), 2_000);
    rig.wait(Duration::from_secs(86_400));
    assert!(!sends(&rig, &Command::EndOfDay), "nothing was taken since");
}

fn after_one_payment() -> Rig {
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.finished(paid, approved(20)).terminal_idle().accept(30);
    rig.act(Action::Confirm).wait(Duration::from_secs(60));
    rig
}

fn until_end_of_day(rig: &mut Rig) -> bool {
    (0..24 * 4 + 1).any(|_| {
        rig.wait(Duration::from_secs(900));
        sends(rig, &Command::EndOfDay)
    })
}

#[test]
fn an_end_of_day_nobody_asked_for_does_no_harm() {
    let totals = Totals { amount: Amount::euro(20), count: None };
    let (mut rig, paid) = Rig::paying(10, 20);
    rig.terminal(Terminal::DayEnded(DayEnd::Closed(totals)));
    rig.finished(paid, approved(20)).accept(30);
    assert_eq!(money(&rig), [20, 20, 0, 0]);
    rig.terminal(Terminal::DayEnded(DayEnd::Unknown));
    assert_eq!(rig.balance(Account::CardTerminal), 2_000);
}

/// The story of a payment that central refuses, with the power cut after the n-th record, for every
/// n, and again in the recovery: the terminal's bank decides what is right.
#[test]
fn after_every_record_the_customer_is_charged_and_credited_or_not_charged() {
    for refuses in [false, true] {
        let reply = || match refuses {
            true => REFUSED,
            false => {
                let balance = Amount::euro(30);
                TopUpReply::Accepted { ledger_ref: "T1".into(), balance }
            }
        };
        let (mut story, paid) = Rig::paying(10, 20);
        story.finished(paid, approved(20)).terminal_idle().top_up_reply(reply());
        if let Some(reversal) = story.order() {
            story.finished(reversal, approved(20)).terminal_idle();
        }
        story.wait(Duration::from_secs(100));
        let journal = story.journal;
        for cut in 0..=journal.len() {
            for cuts in 1..4 {
                let mut rig = Rig::cold();
                rig.journal = journal[..cut].to_vec();
                for _ in 0..cuts {
                    rig = rig.power_cut();
                }
                rig.connect();
                finish(&mut rig, &reply);
                let was_ordered = journal[..cut].iter().any(|(seq, _)| *seq == Seq(paid.0.into()));
                let taken = if was_ordered && !refuses { 20 } else { 0 };
                assert_eq!(money(&rig), [taken, taken, 0, 0], "refuses {refuses}, cut after {cut}");
                assert_eq!(rig.kiosk.books().intents().count(), 0, "cut after {cut}");
                assert_eq!(rig.name(), "attract", "cut after {cut}");
            }
        }
    }
}

/// Terminal and central answer whatever is asked, until nothing is.
fn finish(rig: &mut Rig, reply: &dyn Fn() -> TopUpReply) {
    for _ in 0..60 {
        let open: Vec<_> =
            rig.kiosk.books().intents().map(|(seq, open)| (seq, open.is_at_terminal())).collect();
        for (intent, at_terminal) in open {
            if at_terminal {
                let operation = Operation(u32::try_from(intent.0).unwrap());
                rig.status(operation, approved(20)).terminal_idle();
            } else {
                let reply = kiosk_core::CentralReply::TopUp { intent, reply: reply() };
                rig.event(Event::Central(reply));
            }
        }
        rig.wait(Duration::from_secs(20));
    }
}

/// The terminal is broken for good, and the customer gone with a claim.
#[test]
fn what_the_acquirer_says_settles_a_doubt_that_the_terminal_does_not() {
    for (outcome, taken) in [(approved(20), 20), (refused(DeclineReason::Attested), 0)] {
        let (mut rig, paid) = Rig::paying(10, 20);
        let attested = Event::Attested { intent: Seq(paid.0.into()), outcome };
        let before = rig.kinds().len();
        rig.event(attested.clone());
        assert_eq!(rig.kinds().len(), before, "the terminal is about to tell");
        rig.finished(paid, Outcome::Unknown).wait(Duration::from_secs(200));
        assert!(rig.kinds().contains(&"claim_issued"));
        let mut rig = rig.power_cut();
        rig.event(attested.clone());
        assert_eq!(rig.kiosk.books().at_terminal(), None);
        assert_eq!(rig.kiosk.books().queued(), Amount::euro(taken), "onto the wallet, late");
        assert_eq!(money(&rig)[0], i64::from(taken));
        let after = rig.kinds().len();
        rig.event(attested);
        assert_eq!(rig.kinds().len(), after, "once");
    }
}
