//! Whatever the devices, the customer, central and the power do, in whatever order: no panic, the
//! books balance, and folding the journal gives the live books (M10).

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod rig;

use std::time::Duration;

use domain::{Amount, Lang};
use driver_api::acceptor::{self, NotePlace, RejectReason};
use driver_api::card_reader::{self, CardProblem};
use driver_api::printer::JobId;
use driver_api::{Fault, FaultKind, MoneyRisk, Remedy, printer};
use kiosk_core::{Books, CentralLink, CentralReply, Event, SessionReply, TopUpReply, fold};
use kiosk_records::{Account, Seq, TopUpRefusal};
use proptest::prelude::*;
use rig::{Rig, account, card, note};
use ui_proto::Action;

#[derive(Clone, Debug)]
enum Happening {
    Event(Event),
    TopUpReply(u64, TopUpReply),
    Wait(u64),
    PowerCut,
    /// A customer in a hurry: card, PIN, right answer, recharge.
    Arrive(u16),
    /// A note that goes all the way, if the slot is open.
    Insert(acceptor::Note),
    Leave,
}

fn actions() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => Just(Action::Language(Lang::Ca)),
        1 => (0u8..12).prop_map(Action::Digit),
        1 => Just(Action::Erase),
        4 => Just(Action::Confirm),
        2 => Just(Action::Recharge),
        2 => Just(Action::Finish),
        1 => Just(Action::Back),
        1 => Just(Action::Cancel),
        1 => Just(Action::Print),
        1 => Just(Action::ShowReceipt),
        1 => Just(Action::MoreTime),
    ]
    .prop_map(Event::Action)
}

fn notes() -> impl Strategy<Value = acceptor::Note> {
    prop_oneof![Just(5), Just(10), Just(20), Just(50), Just(100)].prop_map(note)
}

fn fault() -> impl Strategy<Value = Fault> {
    let kind = prop_oneof![
        Just(FaultKind::Jam),
        Just(FaultKind::Fraud),
        Just(FaultKind::UnitFull),
        Just(FaultKind::PaperEnd),
    ];
    (kind, any::<bool>()).prop_map(|(kind, doubt)| Fault {
        money: if doubt { MoneyRisk::InDoubt } else { MoneyRisk::None },
        ..Fault::new(kind, Remedy::Attendant)
    })
}

fn acceptor_events() -> impl Strategy<Value = Event> {
    let place = prop_oneof![Just(NotePlace::CashUnit), Just(NotePlace::Customer)];
    prop_oneof![
        2 => proptest::option::of(0u32..4).prop_map(|stacked_total| {
            acceptor::Event::Ready(acceptor::Capabilities { stacked_total, ..Default::default() })
        }),
        2 => Just(acceptor::Event::Reading),
        6 => notes().prop_map(acceptor::Event::Escrowed),
        1 => Just(acceptor::Event::Rejected(RejectReason::Inhibited)),
        6 => notes().prop_map(acceptor::Event::Stacked),
        2 => notes().prop_map(acceptor::Event::Returned),
        1 => (place, proptest::option::of(notes()))
            .prop_map(|(place, note)| acceptor::Event::Recovered { place, note }),
        1 => Just(acceptor::Event::UnitRemoved),
        1 => Just(acceptor::Event::UnitInserted),
        1 => fault().prop_map(acceptor::Event::Fault),
        1 => Just(acceptor::Event::Cleared(FaultKind::Jam)),
        1 => Just(acceptor::Event::LinkLost),
    ]
    .prop_map(Event::Acceptor)
}

fn other_events() -> impl Strategy<Value = Event> {
    let reader = prop_oneof![
        4 => Just(card_reader::Event::Presented(card())),
        1 => Just(card_reader::Event::Unreadable(CardProblem::Torn)),
        1 => Just(card_reader::Event::Removed),
        2 => Just(card_reader::Event::Ready),
        1 => Just(card_reader::Event::LinkLost),
    ];
    let printer = prop_oneof![
        Just(printer::Event::Ready),
        (0u64..4).prop_map(|job| printer::Event::Printed(JobId(job))),
        (0u64..4, fault()).prop_map(|(job, fault)| printer::Event::NotPrinted(JobId(job), fault)),
        Just(printer::Event::LinkLost),
    ];
    let session = prop_oneof![
        4 => (0u16..150).prop_map(|b| SessionReply::Opened(account(Amount::euro(b)))),
        1 => Just(SessionReply::Wrong { tries_left: 1 }),
        1 => Just(SessionReply::Blocked),
        1 => Just(SessionReply::Away),
    ];
    prop_oneof![
        3 => reader.prop_map(Event::Reader),
        1 => printer.prop_map(Event::Printer),
        3 => (0u64..4, session).prop_map(|(attempt, reply)| {
            Event::Central(CentralReply::Session { attempt, reply })
        }),
        1 => Just(Event::CentralLink(CentralLink::There)),
        1 => Just(Event::CentralLink(CentralLink::Away)),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let reply = prop_oneof![
        3 => Just(TopUpReply::Accepted { ledger_ref: "T".into(), balance: Amount::euro(9) }),
        1 => Just(TopUpReply::Refused(TopUpRefusal::CardNotActive)),
        1 => Just(TopUpReply::Away),
    ];
    prop_oneof![
        8 => actions().prop_map(Happening::Event),
        10 => acceptor_events().prop_map(Happening::Event),
        6 => other_events().prop_map(Happening::Event),
        4 => (0u64..3, reply).prop_map(|(back, reply)| Happening::TopUpReply(back, reply)),
        3 => (0u64..100).prop_map(Happening::Wait),
        1 => Just(Happening::PowerCut),
        4 => (0u16..150).prop_map(Happening::Arrive),
        4 => notes().prop_map(Happening::Insert),
        2 => Just(Happening::Leave),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn the_books_hold(world in proptest::collection::vec(happening(), 1..120)) {
        let mut rig = Rig::new();
        for happening in world {
            rig = apply(rig, happening);
            check(&rig);
        }
    }
}

fn apply(mut rig: Rig, happening: Happening) -> Rig {
    match happening {
        Happening::Event(event) => {
            rig.event(event);
        }
        Happening::TopUpReply(back, reply) => {
            // To an order that was made, newest first, or to one that never was.
            let orders: Vec<Seq> = rig
                .journal
                .iter()
                .rev()
                .filter(|(_, record)| record.kind() == "top_up_ordered")
                .map(|(seq, _)| *seq)
                .collect();
            let at = usize::try_from(back).unwrap();
            let intent = orders.get(at).copied().unwrap_or(Seq(9_999));
            rig.event(Event::Central(CentralReply::TopUp { intent, reply }));
        }
        Happening::Wait(s) => {
            rig.wait(Duration::from_secs(s));
        }
        Happening::PowerCut => return rig.power_cut(),
        Happening::Arrive(balance) => {
            rig.tap().type_pin();
            rig.session(SessionReply::Opened(account(Amount::euro(balance))));
            rig.act(Action::Recharge);
        }
        Happening::Insert(note) => {
            rig.acceptor(acceptor::Event::Escrowed(note));
            if rig.has_stack() {
                rig.acceptor(acceptor::Event::Stacked(note));
            }
        }
        Happening::Leave => {
            rig.act(Action::Finish).act(Action::Confirm);
        }
    }
    rig
}

fn check(rig: &Rig) {
    let books = rig.kiosk.books();
    let folded = fold(Books::default(), rig.journal.iter().map(|(seq, r)| (*seq, r))).unwrap();
    assert_eq!(&folded, books);
    let saved: Books = serde_json::from_slice(&serde_json::to_vec(books).unwrap()).unwrap();
    assert_eq!(&saved, books);
    let cashbox = books.ledger().balance(Account::Cashbox);
    assert_eq!(cashbox, books.cashbox().value().cents());
    if books.visit().is_none() {
        assert!(books.customer_credit().is_zero(), "credit without a visit");
    }
}
