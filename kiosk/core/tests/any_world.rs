//! Whatever the devices, the customer, central and the power do, in whatever order: no panic, the
//! books balance, and folding the journal gives the live books (M10).

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod rig;

use std::time::Duration;

use domain::{Amount, Lang};
use driver_api::acceptor::{self, NotePlace, RejectReason};
use driver_api::card_reader::{self, CardProblem};
use driver_api::payment_terminal::{self, DayEnd, DeclineReason, Hint, Operation, Outcome, Totals};
use driver_api::printer::JobId;
use driver_api::{Fault, FaultKind, MoneyRisk, Remedy, printer};
use kiosk_core::{Books, CentralLink, CentralReply, Event, SessionReply, TopUpReply, fold};
use kiosk_records::{Account, Seq, TopUpRefusal};
use proptest::prelude::*;
use rig::{Rig, account, approved, card, note, refused};
use ui_proto::Action;

#[derive(Clone, Debug)]
enum Happening {
    Event(Event),
    TopUpReply(u64, TopUpReply),
    /// To an order of the terminal, newest first.
    Outcome(u64, Says, Outcome),
    Wait(u64),
    PowerCut,
    /// A customer in a hurry: card, PIN, right answer, recharge.
    Arrive(u16),
    /// A note that goes all the way, if the slot is open.
    Insert(acceptor::Note),
    Leave,
    /// A customer who pays so much by card.
    Pay(u16),
}

#[derive(Clone, Copy, Debug)]
enum Says {
    /// The terminal, as the answer to the order.
    Order,
    /// The terminal, as the answer to a question.
    Question,
    /// A person, who asked the acquirer.
    Person,
}

fn actions() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => Just(Action::Language(Lang::Ca)),
        1 => (0u8..12).prop_map(Action::Digit),
        1 => Just(Action::Erase),
        4 => Just(Action::Confirm),
        2 => Just(Action::Recharge),
        1 => Just(Action::PayByCard),
        1 => Just(Action::Amount(Amount::euro(20))),
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

fn terminal_events() -> impl Strategy<Value = Event> {
    let totals = Totals { amount: Amount::euro(20), count: None };
    prop_oneof![
        4 => Just(payment_terminal::Event::Ready(Default::default())),
        6 => Just(payment_terminal::Event::Idle { mark: None }),
        1 => Just(payment_terminal::Event::Hint(Hint::UsePinPad)),
        1 => Just(payment_terminal::Event::DayEnded(DayEnd::Closed(totals))),
        1 => Just(payment_terminal::Event::DayEnded(DayEnd::Unknown)),
        1 => fault().prop_map(payment_terminal::Event::Fault),
        1 => Just(payment_terminal::Event::Cleared(FaultKind::Jam)),
        2 => Just(payment_terminal::Event::LinkLost),
        1 => Just(payment_terminal::Event::Held {
            operation: Operation(4),
            approval: match approved(20) {
                Outcome::Approved(approval) => *approval,
                _ => unreachable!("it is approved"),
            },
        }),
    ]
    .prop_map(Event::Terminal)
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(approved(20)),
        1 => Just(approved(0)),
        1 => Just(approved(50)),
        2 => Just(refused(DeclineReason::NoHost)),
        1 => Just(refused(DeclineReason::Reversed)),
        3 => Just(Outcome::Unknown),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let reply = prop_oneof![
        3 => Just(TopUpReply::Accepted { ledger_ref: "T".into(), balance: Amount::euro(9) }),
        1 => Just(TopUpReply::Refused(TopUpRefusal::CardNotActive)),
        1 => Just(TopUpReply::Away),
    ];
    let says = prop_oneof![
        2 => Just(Says::Order),
        2 => Just(Says::Question),
        1 => Just(Says::Person),
    ];
    prop_oneof![
        8 => actions().prop_map(Happening::Event),
        10 => acceptor_events().prop_map(Happening::Event),
        6 => other_events().prop_map(Happening::Event),
        4 => (0u64..3, reply).prop_map(|(back, reply)| Happening::TopUpReply(back, reply)),
        6 => (0u64..3, says, outcomes())
            .prop_map(|(back, says, outcome)| Happening::Outcome(back, says, outcome)),
        4 => terminal_events().prop_map(Happening::Event),
        4 => prop_oneof![Just(10), Just(20), Just(50)].prop_map(Happening::Pay),
        1 => (0u64..200_000).prop_map(Happening::Wait),
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
            let intent = order(&rig, back, &["top_up_ordered"]);
            rig.event(Event::Central(CentralReply::TopUp { intent, reply }));
        }
        Happening::Outcome(back, says, outcome) => {
            let intent = order(&rig, back, &["payment_ordered", "reversal_ordered"]);
            let operation = Operation(u32::try_from(intent.0).unwrap());
            match says {
                Says::Order => {
                    rig.terminal(payment_terminal::Event::Finished { operation, outcome })
                }
                Says::Question => {
                    rig.terminal(payment_terminal::Event::Status { operation, outcome })
                }
                Says::Person => rig.event(Event::Attested { intent, outcome }),
            };
        }
        Happening::Pay(euro) => {
            rig.tap().type_pin();
            rig.session(SessionReply::Opened(account(Amount::euro(10))));
            rig.act(Action::PayByCard).act(Action::Amount(Amount::euro(euro)));
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

/// An order that was made, newest first, or one that never was.
fn order(rig: &Rig, back: u64, kinds: &[&str]) -> Seq {
    let newest = rig.journal.iter().rev().filter(|(_, record)| kinds.contains(&record.kind()));
    newest.map(|(seq, _)| *seq).nth(usize::try_from(back).unwrap()).unwrap_or(Seq(9_999))
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
