//! The power goes at any moment; the books and the customer come out right.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod rig;

use std::time::Duration;

use domain::Amount;
use driver_api::acceptor::{self, NotePlace};
use driver_api::{Fault, FaultKind, MoneyRisk, Remedy};
use kiosk_core::{Act, Effect, TopUpReply};
use kiosk_records::{Account, Evidence, Record};
use rig::{Rig, note};
use ui_proto::{DoneKind, Screen};

fn with_note_ordered() -> Rig {
    let mut rig = Rig::inserting(10);
    rig.stacked_total = Some(7);
    rig.acceptor_ready();
    rig.escrow(20);
    assert!(rig.has_stack());
    rig
}

fn evidence(rig: &Rig) -> Option<Evidence> {
    rig.journal.iter().rev().find_map(|(_, record)| match record {
        Record::Stacked { evidence, .. } | Record::NoteReturned { evidence, .. } => Some(*evidence),
        _ => None,
    })
}

#[test]
fn a_note_reported_stacked_afterwards_is_credited_once() {
    let mut rig = with_note_ordered().power_cut();
    assert_eq!(rig.name(), "starting");
    rig.stacked(20);
    rig.stacked_total = Some(8);
    rig.connect();
    let Screen::Done { done: DoneKind::Pending { amount, .. }, receipt } = rig.screen() else {
        panic!("{}", rig.name())
    };
    assert_eq!(*amount, Amount::euro(20));
    // The printer came last; the receipt had waited for it.
    assert_eq!(*receipt, ui_proto::ReceiptState::Printing);
    rig.accept(30);
    assert_eq!(rig.balance(Account::WalletPayable), -2_000);
    assert_eq!(rig.balance(Account::Cashbox), 2_000);
}

#[test]
fn a_note_found_in_the_cash_box_without_a_value_is_the_one_that_was_on_its_way() {
    let mut rig = with_note_ordered().power_cut();
    rig.acceptor(acceptor::Event::Recovered { place: NotePlace::CashUnit, note: None });
    rig.connect();
    assert_eq!(evidence(&rig), Some(Evidence::ReportedWithoutValue));
    assert_eq!(rig.kiosk.books().queued(), Amount::euro(20));
}

#[test]
fn the_life_counter_settles_what_nobody_reported() {
    for (after, cashbox) in [(8, 2_000), (7, 0)] {
        let mut rig = with_note_ordered().power_cut();
        rig.stacked_total = Some(after);
        rig.connect();
        assert_eq!(evidence(&rig), Some(Evidence::Counter));
        assert_eq!(rig.balance(Account::Cashbox), cashbox);
        assert_eq!(rig.kiosk.books().visit(), None);
    }
}

#[test]
fn without_any_trace_the_note_is_in_doubt_and_claimed() {
    let mut rig = with_note_ordered().power_cut();
    rig.stacked_total = None;
    rig.connect();
    assert!(matches!(rig.screen(), Screen::Done { done: DoneKind::InDoubt { .. }, .. }));
    let open = rig.kiosk.books().intents().next().map(|(_, open)| open.act.clone());
    assert!(matches!(open, Some(Act::Stack { doubt: Some(_), claimed: true, .. })));
    assert_eq!(rig.balance(Account::Cashbox), 0);
}

#[test]
fn a_validator_that_stays_away_does_not_keep_the_kiosk_waiting() {
    let mut rig = with_note_ordered().power_cut();
    rig.wait(Duration::from_secs(31));
    assert_ne!(rig.name(), "starting");
    assert_eq!(rig.kiosk.books().visit(), None);
}

#[test]
fn a_note_that_is_repeated_is_not_paid_twice() {
    let mut rig = Rig::inserting(10);
    rig.insert(20);
    let mut rig = rig.power_cut();
    assert_eq!(rig.kiosk.books().queued(), Amount::euro(20));
    rig.stacked(20);
    assert!(rig.kinds().contains(&"repeated_note"));
    rig.acceptor(acceptor::Event::Recovered { place: NotePlace::CashUnit, note: None });
    rig.connect();
    assert_eq!(rig.balance(Account::Cashbox), 2_000);
}

#[test]
fn an_older_doubt_does_not_make_a_repeated_note_new() {
    for doubted in [20, 50] {
        let mut rig = with_note_in_doubt(doubted);
        rig.tap().type_pin();
        let account = rig::account(Amount::euro(10));
        rig.session(kiosk_core::SessionReply::Opened(account));
        rig.act(ui_proto::Action::Recharge).insert(20);
        let mut rig = rig.power_cut();
        rig.stacked(20);
        assert_eq!(rig.balance(Account::Cashbox), 2_000, "{doubted} in doubt");
        assert_eq!(rig.balance(Account::ClaimsPayable), 0, "{doubted} in doubt");
    }
}

fn with_note_in_doubt(euro: u16) -> Rig {
    let mut rig = Rig::inserting(10);
    rig.escrow(euro).acceptor(acceptor::Event::LinkLost).acceptor_ready();
    rig.printed().wait(Duration::from_secs(30));
    rig
}

#[test]
fn a_note_nobody_ordered_is_kept_apart() {
    let mut rig = Rig::new();
    rig.acceptor(acceptor::Event::Recovered { place: NotePlace::CashUnit, note: Some(note(50)) });
    assert_eq!(rig.balance(Account::Suspense), -5_000);
    assert_eq!(rig.balance(Account::Cashbox), 5_000);
}

/// The story, with the power cut after the n-th record, for every n; and again during recovery.
#[test]
fn after_every_record_of_the_story_the_customer_is_made_whole() {
    let story = full_story().journal;
    for cut in 0..=story.len() {
        for second_cut in 0..4 {
            let mut rig = Rig::cold();
            rig.journal = story[..cut].to_vec();
            let ordered = rig.journal.iter().rev().find_map(|(seq, r)| match r {
                Record::StackOrdered { note, .. } => Some((*seq, *note)),
                _ => None,
            });
            let settled = |seq| rig.journal.iter().any(|(_, r)| r.closes_intent() == Some(seq));
            // The validator had the order before the power went, and finished it.
            let open = ordered.filter(|(seq, _)| !settled(*seq));
            let tendered: i64 = rig
                .journal
                .iter()
                .filter_map(|(_, r)| match r {
                    Record::Stacked { posting, .. } => Some(posting.effect_on(Account::Cashbox)),
                    _ => None,
                })
                .sum::<i64>()
                + open.map_or(0, |(_, value)| value.cents());
            let mut rig = rig.power_cut();
            for _ in 0..second_cut {
                rig = rig.power_cut();
            }
            if let Some((_, value)) = open {
                rig.acceptor(acceptor::Event::Stacked(acceptor::Note { value }));
            }
            rig.connect();
            answer_all(&mut rig);
            rig.wait(Duration::from_secs(300));
            assert_eq!(rig.kiosk.books().visit(), None, "cut after {cut}");
            assert_eq!(rig.balance(Account::WalletPayable), -tendered, "cut after {cut}");
            assert_eq!(rig.balance(Account::Cashbox), tendered, "cut after {cut}");
            assert_eq!(rig.kiosk.books().intents().count(), 0, "cut after {cut}");
            assert_eq!(rig.name(), "attract", "cut after {cut}");
        }
    }
}

fn full_story() -> Rig {
    let mut rig = Rig::inserting(10);
    rig.insert(20).insert(10);
    rig.act(ui_proto::Action::Finish).act(ui_proto::Action::Confirm).accept(40);
    rig.act(ui_proto::Action::Print).printed().wait(Duration::from_secs(30));
    assert_eq!(rig.name(), "attract");
    rig
}

/// Central answers every order that is open.
fn answer_all(rig: &mut Rig) {
    let open: Vec<_> = rig.kiosk.books().intents().map(|(seq, _)| seq).collect();
    for intent in open {
        let reply = TopUpReply::Accepted { ledger_ref: "T".into(), balance: Amount::euro(40) };
        let reply = kiosk_core::CentralReply::TopUp { intent, reply };
        rig.event(kiosk_core::Event::Central(reply));
    }
}

#[test]
fn what_is_queued_is_asked_for_again_after_the_cut() {
    let mut rig = Rig::inserting(10);
    rig.insert(20);
    let mut rig = rig.power_cut();
    let key = |rig: &Rig| {
        rig.effects.iter().find_map(|effect| match effect {
            Effect::Central(kiosk_core::CentralRequest::TopUp { key, .. }) => Some(key.to_string()),
            _ => None,
        })
    };
    let first = key(&rig).expect("asked at once");
    rig.top_up_reply(TopUpReply::Away);
    let mut rig = rig.power_cut();
    rig.connect();
    rig.wait(Duration::from_secs(11));
    let asked = rig.asked_top_up();
    assert_eq!(first, format!("K0001-{asked}"));
    rig.accept(30);
    assert_eq!(rig.kiosk.books().queued(), Amount::ZERO);
}

#[test]
fn a_note_that_jams_in_the_dark_is_not_taken_for_one_given_back() {
    let mut rig = with_note_ordered().power_cut();
    let jam = Fault { money: MoneyRisk::InDoubt, ..Fault::new(FaultKind::Jam, Remedy::Attendant) };
    rig.acceptor(acceptor::Event::Fault(jam));
    // Not one note more in the box than before the order; but not out at the front either.
    rig.stacked_total = Some(7);
    rig.connect();
    assert!(matches!(rig.screen(), Screen::Done { done: DoneKind::InDoubt { .. }, .. }));
    assert_eq!(evidence(&rig), None);
}

#[test]
fn a_note_found_by_the_counter_is_counted_once() {
    let mut rig = with_note_ordered();
    rig.acceptor(acceptor::Event::LinkLost);
    rig.stacked_total = Some(8);
    rig.acceptor_ready();
    assert_eq!(evidence(&rig), Some(Evidence::Counter));
    rig.accept(30).act(ui_proto::Action::Confirm).wait(Duration::from_secs(6));
    let account = rig::account(Amount::euro(30));
    rig.tap().type_pin().session(kiosk_core::SessionReply::Opened(account));
    rig.act(ui_proto::Action::Recharge).escrow(20);
    // The next one, again without a report: the count of the unit has to be right.
    rig.acceptor(acceptor::Event::LinkLost);
    rig.stacked_total = Some(9);
    rig.acceptor_ready();
    assert_eq!(rig.balance(Account::Cashbox), 4_000);
}

#[test]
fn after_a_doubt_the_count_before_it_settles_nothing() {
    let mut rig = with_note_ordered();
    rig.wait(Duration::from_secs(16));
    rig.printed().wait(Duration::from_secs(30));
    let account = rig::account(Amount::euro(10));
    rig.tap().type_pin().session(kiosk_core::SessionReply::Opened(account));
    rig.act(ui_proto::Action::Recharge).escrow(50);
    // One more than when the first note was ordered: nobody knows which of the two it is.
    rig.acceptor(acceptor::Event::LinkLost);
    rig.stacked_total = Some(8);
    rig.acceptor_ready();
    assert_eq!(rig.balance(Account::Cashbox), 0);
    assert_eq!(rig.kiosk.books().intents().count(), 2);
}

#[test]
fn a_note_given_back_to_another_customer_does_not_end_a_claim() {
    let mut rig = with_note_in_doubt(20);
    let account = rig::account(Amount::euro(140));
    rig.tap().type_pin().session(kiosk_core::SessionReply::Opened(account));
    rig.act(ui_proto::Action::Recharge).escrow(20);
    rig.acceptor(acceptor::Event::Returned(note(20)));
    assert!(rig.kinds().ends_with(&["note_handed_back"]));
    let mut rig = rig.power_cut();
    rig.acceptor(acceptor::Event::Recovered { place: NotePlace::Customer, note: None });
    let claimed = rig.kiosk.books().intents().filter(|(_, open)| open.is_claimed()).count();
    assert_eq!(claimed, 1, "the first customer holds a claim still");
}

#[test]
fn a_note_found_at_the_front_need_not_be_the_one_ordered() {
    let mut rig = with_note_ordered().power_cut();
    // The report of the note ordered was lost, and the next one was in the path.
    rig.acceptor(acceptor::Event::Recovered { place: NotePlace::Customer, note: Some(note(20)) });
    assert_eq!(evidence(&rig), None);
    rig.stacked_total = Some(8);
    rig.connect();
    assert_eq!(evidence(&rig), Some(Evidence::Counter));
    assert_eq!(rig.balance(Account::Cashbox), 2_000);
}

#[test]
fn without_a_counter_a_note_found_at_the_front_leaves_the_customer_a_claim() {
    let mut rig = Rig::inserting(10);
    rig.escrow(20);
    let mut rig = rig.power_cut();
    rig.acceptor(acceptor::Event::Recovered { place: NotePlace::Customer, note: Some(note(20)) });
    rig.connect();
    assert_eq!(evidence(&rig), None);
    assert!(matches!(rig.screen(), Screen::Done { done: DoneKind::InDoubt { .. }, .. }));
    assert!(rig.kinds().contains(&"unexplained_note"), "what came out is on record");
}
