//! The story of a recharge in cash, and each way in which it may end differently.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod rig;

use std::time::Duration;

use domain::{Amount, RechargeRefusal};
use driver_api::acceptor::{self, Command};
use driver_api::card_reader::{self, CardProblem};
use driver_api::{Fault, FaultKind, Remedy, printer};
use kiosk_core::{CentralLink, CentralReply, Denied, Event, SessionReply, TopUpReply};
use kiosk_records::{Account, Disposition, Record, TopUpRefusal};
use rig::{Rig, card, hotlist, note};
use ui_proto::{
    Action, CardRefusal, DoneKind, NoteNews, OutReason, PinError, ReceiptState, RechargeOff, Screen,
};

#[test]
fn thirty_euro_go_from_the_hand_to_the_wallet() {
    let mut rig = Rig::new();
    assert_eq!(rig.name(), "attract");
    rig.act(Action::Language(domain::Lang::Ca));
    assert_eq!(rig.name(), "present_card");
    rig.tap();
    assert_eq!(rig.name(), "pin");
    rig.type_pin();
    assert_eq!(rig.name(), "checking_pin");
    rig.session(SessionReply::Opened(rig::account(Amount::euro(12))));
    let Screen::Home(home) = rig.screen() else { panic!("home") };
    assert_eq!((home.holder.as_str(), home.balance), ("Ana G.", Amount::euro(12)));

    rig.act(Action::Recharge);
    rig.escrow(20);
    assert!(rig.has_stack());
    rig.stacked(20);
    assert!(rig.has_command(&Command::Acknowledge));
    rig.insert(10);
    let Screen::Inserting(inserting) = rig.screen() else { panic!("inserting") };
    assert_eq!(inserting.inserted, Amount::euro(30));
    assert_eq!(inserting.news, Some(NoteNews::Counted { value: Amount::euro(10) }));

    rig.act(Action::Finish);
    let Screen::Review(review) = rig.screen() else { panic!("review") };
    assert_eq!(review.balance_after, Some(Amount::euro(42)));
    rig.act(Action::Confirm);
    assert_eq!(rig.name(), "crediting");
    assert!(rig.asks_top_up());
    rig.accept(42);
    let done = DoneKind::Credited { amount: Amount::euro(30), balance: Amount::euro(42) };
    assert!(matches!(rig.screen(), Screen::Done { done: d, .. } if *d == done));

    rig.act(Action::Print);
    rig.printed();
    assert!(matches!(rig.screen(), Screen::Done { receipt: ReceiptState::Take, .. }));
    rig.wait(Duration::from_secs(13));
    assert_eq!(rig.name(), "goodbye");
    rig.wait(Duration::from_secs(6));
    assert_eq!(rig.name(), "attract");

    assert_eq!(rig.balance(Account::Cashbox), 3_000);
    assert_eq!(rig.balance(Account::WalletPayable), -3_000);
    assert_eq!(rig.balance(Account::CustomerCredit), 0);
}

#[test]
fn a_wrong_pin_may_be_typed_again() {
    let mut rig = Rig::new();
    rig.tap().type_pin().session(SessionReply::Wrong { tries_left: 3 });
    let error = Some(PinError::Wrong { tries_left: 3 });
    assert!(matches!(rig.screen(), Screen::Pin { digits: 0, error: e, .. } if *e == error));
    rig.type_pin().session(SessionReply::Locked { retry_min: Some(15) });
    let locked = CardRefusal::PinLocked { retry_min: Some(15) };
    assert!(matches!(rig.screen(), Screen::CardRefused { reason } if *reason == locked));
    assert!(!rig.kinds().contains(&"session_started"));
}

#[test]
fn a_short_pin_is_not_sent() {
    let mut rig = Rig::new();
    rig.tap().act(Action::Digit(1)).act(Action::Confirm);
    assert_eq!(rig.name(), "pin");
}

#[test]
fn each_card_that_cannot_be_served_has_its_reason() {
    for (problem, reason) in [
        (CardProblem::Foreign, CardRefusal::Foreign),
        (CardProblem::NotGenuine, CardRefusal::NotGenuine),
        (CardProblem::Torn, CardRefusal::Torn),
        (CardProblem::Several, CardRefusal::Several),
    ] {
        let mut rig = Rig::new();
        rig.event(Event::Reader(card_reader::Event::Unreadable(problem)));
        assert!(matches!(rig.screen(), Screen::CardRefused { reason: r } if *r == reason));
    }
    let mut rig = Rig::new();
    let expired = card_reader::Card { expires_day: 100, ..card() };
    rig.event(Event::Reader(card_reader::Event::Presented(expired)));
    let reason = CardRefusal::Expired;
    assert!(matches!(rig.screen(), Screen::CardRefused { reason: r } if *r == reason));
}

#[test]
fn a_card_on_the_hotlist_is_refused_before_the_pin() {
    let mut rig = Rig::new();
    let mut list = hotlist();
    list.version = 2;
    list.cards.insert(card().card_ref, Denied::Blocked);
    rig.event(Event::Hotlist(list));
    rig.tap();
    let reason = CardRefusal::Blocked;
    assert!(matches!(rig.screen(), Screen::CardRefused { reason: r } if *r == reason));
}

#[test]
fn a_note_over_the_maximum_comes_back_with_the_reason() {
    let mut rig = Rig::inserting(140);
    rig.escrow(20);
    assert!(rig.has_command(&Command::Return));
    assert!(!rig.has_stack());
    rig.acceptor(acceptor::Event::Returned(note(20)));
    let Screen::Inserting(inserting) = rig.screen() else { panic!("inserting") };
    let why = RechargeRefusal::OverWalletMax;
    assert_eq!(inserting.news, Some(NoteNews::Returned { value: Amount::euro(20), why }));
    assert_eq!(inserting.notes, [5, 10].map(Amount::euro));
    rig.insert(10);
    assert_eq!(rig.kiosk.books().customer_credit(), Amount::euro(10));
}

#[test]
fn a_full_wallet_is_told_so_at_home() {
    let mut rig = Rig::at_home(148);
    let Screen::Home(home) = rig.screen() else { panic!("home") };
    assert_eq!(home.recharge_off, Some(RechargeOff::WalletFull));
    rig.act(Action::Recharge);
    assert_eq!(rig.name(), "home");
}

#[test]
fn cancelling_while_a_note_is_read_gives_it_back() {
    let mut rig = Rig::inserting(10);
    rig.acceptor(acceptor::Event::Reading).act(Action::Cancel);
    assert!(rig.has_command(&Command::Disable));
    rig.acceptor(acceptor::Event::Escrowed(note(20)));
    assert!(rig.has_command(&Command::Return));
    rig.acceptor(acceptor::Event::Returned(note(20)));
    let returned = Some(Amount::euro(20));
    assert!(matches!(rig.screen(), Screen::Goodbye { returned: r, .. } if *r == returned));
    assert_eq!(rig.balance(Account::Cashbox), 0);
}

#[test]
fn cancelling_with_stacked_notes_credits_them_after_a_word() {
    let mut rig = Rig::inserting(10);
    rig.insert(20).act(Action::Cancel);
    assert_eq!(rig.name(), "confirm_cancel");
    rig.act(Action::Back);
    assert_eq!(rig.name(), "inserting");
    rig.act(Action::Cancel).act(Action::Confirm).accept(30);
    assert_eq!(rig.name(), "done");
    assert_eq!(rig.balance(Account::WalletPayable), -2_000);
}

#[test]
fn finishing_while_a_note_is_read_counts_it_first() {
    let mut rig = Rig::inserting(10);
    rig.insert(20).acceptor(acceptor::Event::Reading).act(Action::Finish);
    assert_eq!(rig.name(), "inserting");
    rig.acceptor(acceptor::Event::Escrowed(note(10))).stacked(10);
    let Screen::Review(review) = rig.screen() else { panic!("review") };
    assert_eq!(review.amount, Amount::euro(30));
}

#[test]
fn whoever_walks_off_is_warned_and_then_credited() {
    let mut rig = Rig::inserting(10);
    rig.insert(20).wait(Duration::from_secs(61));
    assert!(rig.view.as_ref().unwrap().ends_in_s.is_some_and(|s| s >= 20));
    rig.wait(Duration::from_secs(31));
    assert_eq!(rig.name(), "crediting");
    rig.accept(30).wait(Duration::from_secs(95));
    let ended = rig.journal.iter().find_map(|(_, record)| match record {
        Record::SessionEnded { disposition, credited, .. } => Some((*disposition, *credited)),
        _ => None,
    });
    assert_eq!(ended, Some((Disposition::TimedOut, Amount::euro(20))));
    rig.wait(Duration::from_secs(6));
    assert_eq!(rig.name(), "attract");
}

#[test]
fn more_time_can_be_had_ten_times_and_more() {
    let mut rig = Rig::at_home(10);
    for _ in 0..12 {
        rig.wait(Duration::from_secs(70));
        assert!(rig.view.as_ref().unwrap().ends_in_s.is_some());
        rig.act(Action::MoreTime);
        assert!(rig.view.as_ref().unwrap().ends_in_s.is_none());
    }
    assert_eq!(rig.name(), "home");
}

#[test]
fn central_away_while_crediting_leaves_a_pending_receipt_and_posts_once() {
    let mut rig = Rig::inserting(10);
    rig.insert(20).act(Action::Finish).act(Action::Confirm);
    rig.top_up_reply(TopUpReply::Away).wait(Duration::from_secs(13));
    let Screen::Done { done: DoneKind::Pending { amount, number }, receipt } = rig.screen() else {
        panic!("pending, not {}", rig.name())
    };
    assert_eq!((*amount, number.as_str()), (Amount::euro(20), "K0001-6"));
    assert_eq!(*receipt, ReceiptState::Printing);
    assert_eq!(rig.kiosk.books().queued(), Amount::euro(20));

    rig.event(Event::CentralLink(CentralLink::There));
    assert!(rig.asks_top_up());
    rig.accept(30);
    assert_eq!(rig.kiosk.books().queued(), Amount::ZERO);
    assert_eq!(rig.balance(Account::WalletPayable), -2_000);
    // The same answer once more, from a question asked twice: nothing happens.
    let before = rig.journal.len();
    rig.accept(30);
    assert_eq!(rig.journal.len(), before);
}

#[test]
fn a_refused_top_up_becomes_a_claim_on_paper() {
    let mut rig = Rig::inserting(10);
    rig.insert(20).act(Action::Finish).act(Action::Confirm);
    rig.top_up_reply(TopUpReply::Refused(TopUpRefusal::CardNotActive));
    let claim = matches!(
        rig.screen(),
        Screen::Done { done: DoneKind::Claim { .. }, receipt: ReceiptState::Printing }
    );
    assert!(claim);
    assert_eq!(rig.balance(Account::ClaimsPayable), -2_000);
    rig.printed().wait(Duration::from_secs(13));
    assert!(rig.kinds().contains(&"session_ended"));
}

#[test]
fn a_receipt_that_does_not_print_is_on_the_screen() {
    let mut rig = Rig::inserting(10);
    rig.insert(20).act(Action::Finish).act(Action::Confirm).accept(30).act(Action::Print);
    let fault = Fault::new(FaultKind::PaperEnd, Remedy::Attendant);
    rig.event(Event::Printer(printer::Event::NotPrinted(printer::JobId(1), fault)));
    let Screen::Done { receipt: ReceiptState::NotPrinted { text }, .. } = rig.screen() else {
        panic!("not printed")
    };
    assert!(text.contains("K0001-6 OK 20.00 EUR"), "{text}");
}

#[test]
fn without_central_a_genuine_card_may_be_recharged_within_the_limit() {
    let mut rig = Rig::new();
    rig.event(Event::CentralLink(CentralLink::Away));
    assert!(matches!(rig.screen(), Screen::Attract { limited: true }));
    rig.tap();
    assert_eq!(rig.name(), "offline_home");
    rig.act(Action::Recharge).insert(50).escrow(20);
    assert!(rig.has_command(&Command::Return));
    rig.acceptor(acceptor::Event::Returned(note(20)));
    let Screen::Inserting(inserting) = rig.screen() else { panic!("inserting") };
    let why = RechargeRefusal::OverOfflineMax;
    assert_eq!(inserting.news, Some(NoteNews::Returned { value: Amount::euro(20), why }));
    rig.act(Action::Finish).act(Action::Confirm).top_up_reply(TopUpReply::Away);
    assert!(matches!(rig.screen(), Screen::Done { done: DoneKind::Pending { .. }, .. }));
}

#[test]
fn without_central_and_with_an_old_hotlist_nothing_is_offered() {
    let mut rig = Rig::new();
    rig.wait(Duration::from_secs(49 * 3_600));
    rig.event(Event::CentralLink(CentralLink::Away));
    let reason = OutReason::Central;
    assert!(matches!(rig.screen(), Screen::OutOfService { reason: r } if *r == reason));
}

#[test]
fn the_queue_bounds_what_may_wait_for_central() {
    let mut rig = Rig::new();
    rig.event(Event::CentralLink(CentralLink::Away));
    for _ in 0..4 {
        rig.tap().act(Action::Recharge).insert(50).act(Action::Finish).act(Action::Confirm);
        rig.top_up_reply(TopUpReply::Away).printed();
        rig.event(Event::Reader(card_reader::Event::Removed));
        rig.wait(Duration::from_secs(30));
    }
    assert_eq!(rig.kiosk.books().queued(), Amount::euro(200));
    assert!(matches!(rig.screen(), Screen::OutOfService { reason: OutReason::Central }));
}

#[test]
fn a_jam_after_the_order_leaves_a_claim_and_credits_the_rest() {
    let mut rig = Rig::inserting(10);
    rig.insert(10).escrow(20);
    let jam = Fault {
        money: driver_api::MoneyRisk::InDoubt,
        ..Fault::new(FaultKind::Jam, Remedy::Attendant)
    };
    rig.acceptor(acceptor::Event::Fault(jam)).accept(20);
    let Screen::Done { done: DoneKind::InDoubt { amount, credited, .. }, .. } = rig.screen() else {
        panic!("in doubt")
    };
    assert_eq!((*amount, *credited), (Amount::euro(20), Amount::euro(10)));
    rig.printed().wait(Duration::from_secs(20));
    assert_eq!(rig.kiosk.books().visit(), None);

    // The attendant clears it, and the note turns out to be inside: the office owes it.
    rig.acceptor(acceptor::Event::Cleared(FaultKind::Jam));
    rig.acceptor(acceptor::Event::Recovered { place: acceptor::NotePlace::CashUnit, note: None });
    assert_eq!(rig.balance(Account::ClaimsPayable), -2_000);
    assert_eq!(rig.balance(Account::Cashbox), 3_000);
}

#[test]
fn a_note_in_doubt_that_turns_up_while_crediting_is_credited_too() {
    let mut rig = Rig::inserting(10);
    rig.insert(10).escrow(20).acceptor(acceptor::Event::UnitRemoved);
    assert_eq!(rig.name(), "crediting");
    rig.stacked(20).accept(20);
    assert_eq!(rig.name(), "crediting");
    rig.accept(40);
    assert_eq!(rig.balance(Account::WalletPayable), -3_000);
    assert!(matches!(rig.screen(), Screen::Done { done: DoneKind::Credited { .. }, .. }));
}

#[test]
fn a_validator_that_vanishes_while_stacking_tells_when_it_is_back() {
    let mut rig = Rig::inserting(10);
    rig.escrow(20).acceptor(acceptor::Event::LinkLost);
    assert_eq!(rig.name(), "checking_note");
    rig.stacked(20);
    assert_eq!(rig.name(), "crediting");
    rig.accept(30);
    assert_eq!(rig.balance(Account::WalletPayable), -2_000);
}

#[test]
fn pulling_the_cash_box_mid_stack_is_in_doubt_and_empties_the_books() {
    let mut rig = Rig::inserting(10);
    rig.insert(20).escrow(10).acceptor(acceptor::Event::UnitRemoved);
    assert_eq!(rig.balance(Account::Cashbox), 0);
    assert_eq!(rig.balance(Account::Collected), 2_000);
    rig.accept(30).printed().wait(Duration::from_secs(20));
    assert!(matches!(rig.screen(), Screen::OutOfService { reason: OutReason::Attendant }));
    rig.acceptor(acceptor::Event::UnitInserted);
    assert_eq!(rig.name(), "attract");
}

#[test]
fn a_reader_that_is_ready_again_has_no_fault_left() {
    let mut rig = Rig::new();
    let garbled = Fault::new(FaultKind::Garbled, Remedy::Technician);
    rig.event(Event::Reader(card_reader::Event::Fault(garbled)));
    assert_eq!(rig.name(), "out_of_service");
    rig.event(Event::Reader(card_reader::Event::Ready));
    assert_eq!(rig.name(), "attract");
}

#[test]
fn a_card_left_lying_does_not_begin_visit_after_visit() {
    let mut rig = Rig::at_home(10);
    rig.act(Action::Cancel).wait(Duration::from_secs(6));
    assert_eq!(rig.name(), "attract");
    let arm = |rig: &Rig| {
        rig.effects
            .iter()
            .any(|effect| matches!(effect, kiosk_core::Effect::Reader(card_reader::Command::Arm)))
    };
    assert!(!arm(&rig));
    rig.event(Event::Reader(card_reader::Event::Removed));
    assert!(arm(&rig));
}

#[test]
fn stopping_brings_the_credit_to_safety_first() {
    let mut rig = Rig::inserting(10);
    rig.insert(20).event(Event::Stop);
    assert_eq!(rig.name(), "crediting");
    rig.top_up_reply(TopUpReply::Away);
    let stopped = rig.effects.iter().any(|effect| matches!(effect, kiosk_core::Effect::Stopped));
    assert!(stopped);
    assert_eq!(rig.kiosk.books().visit(), None);
    assert_eq!(rig.kiosk.books().queued(), Amount::euro(20));
}

#[test]
fn the_first_customer_is_served_once_all_have_spoken() {
    let mut rig = Rig::cold();
    rig.acceptor_ready();
    rig.event(Event::Reader(card_reader::Event::Ready));
    assert_eq!(rig.name(), "starting", "central may still be there");
    rig.event(Event::CentralLink(CentralLink::There));
    assert_eq!(rig.name(), "starting", "the terminal has not said how it is");
    rig.terminal_ready();
    assert_eq!(rig.screen(), &Screen::Attract { limited: false });
}

#[test]
fn who_never_speaks_is_not_waited_for() {
    let mut rig = Rig::cold();
    rig.event(Event::Hotlist(hotlist()));
    rig.event(Event::Reader(card_reader::Event::Ready));
    rig.acceptor_ready();
    rig.wait(Duration::from_secs(31));
    assert_eq!(rig.screen(), &Screen::Attract { limited: true });
}

#[test]
fn an_answer_about_a_pin_that_comes_late_opens_nobody_elses_visit() {
    let mut rig = Rig::new();
    rig.tap().type_pin();
    let late = rig.attempt;
    rig.act(Action::Cancel);
    rig.event(Event::Reader(card_reader::Event::Presented(rig::card_number(2)))).type_pin();
    let reply = SessionReply::Opened(rig::account(Amount::euro(12)));
    rig.event(Event::Central(CentralReply::Session { attempt: late, reply }));
    assert_eq!(rig.name(), "checking_pin");
    assert_eq!(rig.kiosk.books().visit(), None);
}

#[test]
fn a_second_note_in_the_path_puts_the_first_in_doubt() {
    let mut rig = Rig::inserting(10);
    rig.escrow(20).acceptor(acceptor::Event::Escrowed(note(10)));
    assert!(rig.has_command(&acceptor::Command::Return));
    rig.acceptor(acceptor::Event::Returned(note(10)));
    assert!(matches!(rig.screen(), Screen::Done { done: DoneKind::InDoubt { .. }, .. }));
    assert_eq!(rig.kiosk.books().intents().count(), 1);
}
