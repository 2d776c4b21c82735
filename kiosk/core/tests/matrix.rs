//! Every state against every event, as a table under review: `state × event → state [records]
//! (effects)`. `·` = nothing happens.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod rig;

use std::fmt::Write as _;
use std::time::Duration;

use domain::{Amount, Lang};
use driver_api::acceptor::{self, NotePlace, RejectReason};
use driver_api::card_reader::{self, CardProblem};
use driver_api::payment_terminal::{self, DayEnd, DeclineReason, Hint, Operation, Outcome, Totals};
use driver_api::printer::JobId;
use driver_api::{Fault, FaultKind, MoneyRisk, Remedy, printer};
use kiosk_core::{CentralLink, CentralReply, Effect, Event, SessionReply, TopUpReply};
use kiosk_records::{Seq, TopUpRefusal};
use rig::{Rig, account, approved, card, note, refused};
use ui_proto::Action;

fn states() -> Vec<(&'static str, Rig)> {
    let then = |mut rig: Rig, go: &dyn Fn(&mut Rig)| {
        go(&mut rig);
        rig
    };
    let inserted = || then(Rig::inserting(10), &|rig| _ = rig.insert(20));
    let reviewing = || then(inserted(), &|rig| _ = rig.act(Action::Finish));
    let crediting = || then(reviewing(), &|rig| _ = rig.act(Action::Confirm));
    let done = || then(crediting(), &|rig| _ = rig.accept(30));
    let paying = || Rig::paying(10, 20).0;
    let answered =
        |outcome: Outcome| then(paying(), &|rig| _ = rig.finished(PAID, outcome.clone()));
    let giving_back = || {
        then(answered(approved(20)), &|rig| {
            rig.terminal_idle().top_up_reply(TopUpReply::Refused(TopUpRefusal::CardNotActive));
        })
    };
    vec![
        ("recovering", then(Rig::inserting(10), &|rig| _ = rig.escrow(20)).power_cut()),
        ("out_of_service", Rig::cold()),
        ("attract", Rig::new()),
        ("present_card", then(Rig::new(), &|rig| _ = rig.act(Action::Language(Lang::De)))),
        ("pin", then(Rig::new(), &|rig| _ = rig.tap())),
        ("checking_pin", then(Rig::new(), &|rig| _ = rig.tap().type_pin())),
        (
            "refused",
            then(Rig::new(), &|rig| {
                rig.event(Event::Reader(card_reader::Event::Unreadable(CardProblem::Foreign)));
            }),
        ),
        ("home", Rig::at_home(10)),
        ("inserting", Rig::inserting(10)),
        (
            "inserting, reading",
            then(Rig::inserting(10), &|rig| _ = rig.acceptor(acceptor::Event::Reading)),
        ),
        ("inserting, 20 counted", inserted()),
        ("returning", then(Rig::inserting(140), &|rig| _ = rig.escrow(20))),
        ("stacking", then(Rig::inserting(10), &|rig| _ = rig.escrow(20))),
        (
            "emptying",
            then(Rig::inserting(10), &|rig| {
                rig.acceptor(acceptor::Event::Reading).act(Action::Cancel);
            }),
        ),
        ("confirm_cancel", then(inserted(), &|rig| _ = rig.act(Action::Cancel))),
        ("review", reviewing()),
        ("crediting", crediting()),
        (
            "checking_note",
            then(Rig::inserting(10), &|rig| {
                rig.escrow(20).acceptor(acceptor::Event::LinkLost);
            }),
        ),
        ("choosing_amount", then(Rig::at_home(10), &|rig| _ = rig.act(Action::PayByCard))),
        ("paying", paying()),
        ("paying, called off", then(paying(), &|rig| _ = rig.act(Action::Cancel))),
        ("payment_declined", answered(refused(DeclineReason::Funds))),
        ("checking_payment", answered(Outcome::Unknown)),
        ("recovering, payment", paying().power_cut()),
        ("crediting, paid by card", answered(approved(20))),
        ("giving_back", giving_back()),
        ("done, offered", done()),
        ("done, printing", then(done(), &|rig| _ = rig.act(Action::Print))),
        ("done, in slot", then(done(), &|rig| _ = rig.act(Action::Print).printed())),
        ("goodbye", then(Rig::at_home(10), &|rig| _ = rig.act(Action::Cancel))),
    ]
}

fn events() -> Vec<(&'static str, Event)> {
    let jam = Fault { money: MoneyRisk::InDoubt, ..Fault::new(FaultKind::Jam, Remedy::Attendant) };
    let paper = Fault::new(FaultKind::PaperEnd, Remedy::Attendant);
    let recovered = |place, note| Event::Acceptor(acceptor::Event::Recovered { place, note });
    let acceptor = Event::Acceptor;
    let reader = Event::Reader;
    let terminal = Event::Terminal;
    let finished =
        |outcome| terminal(payment_terminal::Event::Finished { operation: PAID, outcome });
    let totals = Totals { amount: Amount::ZERO, count: None };
    let session = |reply| Event::Central(CentralReply::Session { attempt: 1, reply });
    let accepted = TopUpReply::Accepted { ledger_ref: "T1".into(), balance: Amount::euro(30) };
    vec![
        ("Language", Event::Action(Action::Language(Lang::Fr))),
        ("Digit", Event::Action(Action::Digit(1))),
        ("Confirm", Event::Action(Action::Confirm)),
        ("Recharge", Event::Action(Action::Recharge)),
        ("PayByCard", Event::Action(Action::PayByCard)),
        ("Amount 20", Event::Action(Action::Amount(Amount::euro(20)))),
        ("Finish", Event::Action(Action::Finish)),
        ("Back", Event::Action(Action::Back)),
        ("Cancel", Event::Action(Action::Cancel)),
        ("Print", Event::Action(Action::Print)),
        ("ShowReceipt", Event::Action(Action::ShowReceipt)),
        ("Reading", acceptor(acceptor::Event::Reading)),
        ("Escrowed 10", acceptor(acceptor::Event::Escrowed(note(10)))),
        ("Escrowed 100", acceptor(acceptor::Event::Escrowed(note(100)))),
        ("Rejected", acceptor(acceptor::Event::Rejected(RejectReason::NotRecognised))),
        ("Stacked 20", acceptor(acceptor::Event::Stacked(note(20)))),
        ("Returned 20", acceptor(acceptor::Event::Returned(note(20)))),
        ("Recovered in", recovered(NotePlace::CashUnit, None)),
        ("Recovered out", recovered(NotePlace::Customer, Some(note(20)))),
        ("UnitRemoved", acceptor(acceptor::Event::UnitRemoved)),
        ("Acceptor ready", acceptor(acceptor::Event::Ready(acceptor::Capabilities::default()))),
        ("Acceptor jam", acceptor(acceptor::Event::Fault(jam))),
        ("Acceptor lost", acceptor(acceptor::Event::LinkLost)),
        ("Presented", reader(card_reader::Event::Presented(card()))),
        ("Unreadable", reader(card_reader::Event::Unreadable(CardProblem::Torn))),
        ("Card removed", reader(card_reader::Event::Removed)),
        ("Reader lost", reader(card_reader::Event::LinkLost)),
        ("Terminal ready", terminal(payment_terminal::Event::Ready(Default::default()))),
        ("Terminal idle", terminal(payment_terminal::Event::Idle { mark: None })),
        ("Terminal hint", terminal(payment_terminal::Event::Hint(Hint::PresentCard))),
        ("Paid", finished(approved(20))),
        ("Not paid", finished(refused(DeclineReason::Cancelled))),
        ("Unknown if paid", finished(Outcome::Unknown)),
        (
            "Was paid",
            terminal(payment_terminal::Event::Status { operation: PAID, outcome: approved(20) }),
        ),
        ("Attested paid", Event::Attested { intent: PAID_BY, outcome: approved(20) }),
        ("Terminal day", terminal(payment_terminal::Event::DayEnded(DayEnd::Closed(totals)))),
        ("Terminal lost", terminal(payment_terminal::Event::LinkLost)),
        ("Printed", Event::Printer(printer::Event::Printed(JobId(1)))),
        ("NotPrinted", Event::Printer(printer::Event::NotPrinted(JobId(1), paper))),
        ("Printer lost", Event::Printer(printer::Event::LinkLost)),
        ("PIN right", session(SessionReply::Opened(account(Amount::euro(10))))),
        ("PIN wrong", session(SessionReply::Wrong { tries_left: 2 })),
        ("PIN unanswered", session(SessionReply::Away)),
        ("Top-up accepted", top_up(accepted)),
        ("Top-up refused", top_up(TopUpReply::Refused(TopUpRefusal::OverWalletMax))),
        ("Top-up unanswered", top_up(TopUpReply::Away)),
        ("Central away", Event::CentralLink(CentralLink::Away)),
        ("Stop", Event::Stop),
    ]
}

/// The order to the terminal is the fourth record in every script above that has one.
const PAID: Operation = Operation(4);
const PAID_BY: Seq = Seq(4);

/// The order of this visit is the sixth record in every script above.
fn top_up(reply: TopUpReply) -> Event {
    let intent = Seq(6);
    Event::Central(CentralReply::TopUp { intent, reply })
}

#[test]
fn every_state_against_every_event() {
    let mut table = String::new();
    for (name, rig) in states() {
        writeln!(table, "{name}").unwrap();
        for (event_name, event) in events() {
            let mut rig = states().into_iter().find(|(n, _)| *n == name).unwrap().1;
            writeln!(table, "  {event_name:<18} {}", outcome(&mut rig, event)).unwrap();
        }
        let mut idle = rig;
        let before = idle.journal.len();
        idle.wait(Duration::from_secs(600));
        let kinds = idle.kinds()[before..].join(" ");
        writeln!(table, "  {:<18} → {} [{kinds}]", "nothing for 10 min", idle.kiosk.state())
            .unwrap();
    }
    insta::assert_snapshot!(table);
}

fn outcome(rig: &mut Rig, event: Event) -> String {
    let (state, seen) = (rig.kiosk.state(), rig.journal.len());
    rig.event(event);
    let kinds = rig.kinds()[seen..].join(" ");
    let effects: Vec<String> = rig.effects.iter().filter_map(effect_name).collect();
    let state_after = rig.kiosk.state();
    if state == state_after && kinds.is_empty() && effects.is_empty() {
        return "·".to_owned();
    }
    let to = if state == state_after { "=".to_owned() } else { format!("→ {state_after}") };
    format!("{to} [{kinds}] ({})", effects.join(" "))
}

fn effect_name(effect: &Effect) -> Option<String> {
    let text = match effect {
        Effect::Show { .. } => return None,
        Effect::Acceptor(command) => format!("{command:?}"),
        Effect::Stack(_) => "STACK".to_owned(),
        Effect::Reader(command) => format!("{command:?}"),
        Effect::Printer(_) => "print".to_owned(),
        Effect::Terminal(command) => format!("{command:?}").to_uppercase(),
        Effect::Central(request) => format!("{request:?}"),
        Effect::Stopped => "STOPPED".to_owned(),
    };
    Some(text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned())
}
