//! What the customer is doing. A state machine in one enum; a state owns what it needs and is
//! consumed by the step that leaves it. A crash loses it: what matters is in the books.

mod credit;
mod done;
mod identify;
mod idle;
pub(crate) mod insert;
pub(crate) mod pay;
mod recover;
mod top_up;

use driver_api::{acceptor, card_reader, payment_terminal, printer};
use kiosk_records::{Disposition, HandBackReason, Record, Seq};
use ui_proto::{Action, CardRefusal};

use crate::canary::{Canary, planted};
use crate::context::Context;
use crate::settle::Settled;
use crate::{
    CentralLink, CentralReply, Event, SessionReply, Settings, Timer, TopUpReply, queue, settle,
    till,
};

pub(crate) use self::done::{Done, Receipt};
pub(crate) use self::identify::{PinEntry, Visit};
pub(crate) use self::idle::{is_starting, out_of_service};
pub(crate) use self::pay::Pay;
pub(crate) use self::top_up::{Stage, TopUp};

/// What the kiosk is doing for whom.
pub(crate) enum Flow {
    /// Before [`Event::Booted`].
    Starting,
    /// The devices are to tell what happened before the power cut.
    Recovering,
    /// Nobody is here.
    Idle,
    /// Waiting for a card.
    PresentCard,
    /// This card cannot be served.
    Refused(CardRefusal),
    /// Waiting for the PIN.
    Pin(PinEntry),
    /// Waiting for central's word on it.
    CheckingPin(card_reader::Card),
    /// Identified; waiting for a choice.
    Home(Visit),
    /// Recharging in cash.
    TopUp(TopUp),
    /// Recharging by bank card.
    Pay(Pay),
    /// The money is where it belongs; waiting for the receipt to be dealt with.
    Done(Done),
    /// The visit is over.
    Goodbye { returned: Option<domain::Amount>, timed_out: bool },
}

/// What a state is told.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// As it came; split by [`step`] into the others.
    Event(Event),
    Action(Action),
    /// What no stack order is settled by.
    Acceptor(acceptor::Event),
    /// A stack order got its outcome.
    Settled(Settled),
    Reader(card_reader::Event),
    Printer(printer::Event),
    /// What no order to the terminal is settled by.
    Terminal(payment_terminal::Event),
    /// An order to the terminal got its outcome.
    Till(Seq, till::Settled),
    Session(SessionReply),
    TopUp(Seq, TopUpReply),
    Timer(Timer),
    /// The warning ran out: nobody is here any more.
    Expired,
    Stop,
}

/// One step of whatever state, with what is the same in all of them around it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is passed on whole")]
pub(crate) fn step(flow: Flow, input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Event(event) => step_event(flow, event, cx),
        Input::Timer(Timer::CustomerIdle) => {
            if flow.waits_for_customer() {
                let warning_s = cx.config.timing.warning.as_secs();
                cx.ends_in_s = Some(u16::try_from(warning_s).unwrap_or(u16::MAX));
                cx.arm(Timer::WarningTick);
            } else {
                cx.touched();
            }
            flow
        }
        Input::Timer(Timer::WarningTick) => warning_tick(flow, cx),
        Input::Timer(Timer::AskQueued) => {
            queue::ask_again(cx);
            flow
        }
        Input::Timer(Timer::TerminalSilent) => {
            let settled = till::silent(cx);
            flow.settled_at_till(settled, cx)
        }
        Input::Timer(Timer::AskTerminal) => {
            till::ask(cx);
            flow
        }
        Input::Timer(Timer::GiveBack) => {
            till::give_back_next(cx);
            flow
        }
        Input::Timer(Timer::CardDay) => {
            cx.arm(Timer::CardDay);
            if matches!(flow, Flow::Idle) {
                till::close_day(cx);
            }
            flow
        }
        other => flow.step(other, cx),
    }
}

fn step_event(flow: Flow, event: Event, cx: &mut Context) -> Flow {
    for record in cx.devices.observe(&event) {
        cx.record(record);
    }
    match event {
        Event::Booted { version } => {
            cx.record(Record::Booted { version });
            recover::begin(cx)
        }
        Event::Action(action) => step_action(flow, action, cx),
        Event::Acceptor(event) => {
            let settled = settle::observe(cx, &event);
            if flow.waits_for_customer() && shows_a_hand(&event) {
                cx.touched();
            }
            match settled {
                Some(settled) => flow.step(Input::Settled(settled), cx),
                None => flow.step(Input::Acceptor(event), cx),
            }
        }
        Event::Reader(event) => flow.step(Input::Reader(event), cx),
        Event::Printer(event) => flow.step(Input::Printer(event), cx),
        Event::Terminal(event) => match till::observe(cx, &event) {
            Some((intent, settled)) => flow.step(Input::Till(intent, settled), cx),
            None => flow.step(Input::Terminal(event), cx),
        },
        Event::Attested { intent, outcome } => {
            let settled = till::attested(cx, intent, &outcome);
            flow.settled_at_till(settled, cx)
        }
        Event::Central(CentralReply::Session { attempt, reply }) => {
            link(cx, matches!(reply, SessionReply::Away));
            // Late: who asked has gone, and somebody else may be asking now.
            let is_awaited = attempt == cx.attempt || planted(Canary::LateAnswerOpens);
            if is_awaited { flow.step(Input::Session(reply), cx) } else { flow }
        }
        Event::Central(CentralReply::TopUp { intent, reply }) => {
            link(cx, matches!(reply, TopUpReply::Away));
            if queue::answered(cx, intent, &reply) {
                flow
            } else {
                flow.step(Input::TopUp(intent, reply), cx)
            }
        }
        Event::CentralLink(link) => {
            let was_away = cx.central_away();
            cx.central = Some(link);
            if was_away && !cx.central_away() {
                queue::ask_next(cx);
            }
            flow
        }
        Event::Settings(settings) => {
            apply(settings, cx);
            flow
        }
        Event::Hotlist(hotlist) => {
            if hotlist.version != cx.books.hotlist_version() {
                cx.record(Record::HotlistApplied { version: hotlist.version });
            }
            cx.hotlist = Some(hotlist);
            flow
        }
        Event::Timeout => flow,
        Event::Stop => {
            cx.stopping = true;
            flow.step(Input::Stop, cx)
        }
    }
}

fn apply(settings: Settings, cx: &mut Context) {
    if cx.rules != settings.rules {
        cx.rules = settings.rules;
        let digest = format!("{:016x}", fnv(&format!("{:?}", cx.rules)));
        cx.record(Record::RulesApplied { digest });
    }
    cx.municipality = settings.municipality;
}

fn step_action(flow: Flow, action: Action, cx: &mut Context) -> Flow {
    if flow.waits_for_customer() {
        cx.touched();
    }
    match action {
        Action::Prefs(prefs) => {
            cx.prefs = prefs;
            flow
        }
        Action::MoreTime => flow,
        Action::Language(lang) => {
            cx.lang = lang;
            flow.step(Input::Action(action), cx)
        }
        Action::Digit(_)
        | Action::Erase
        | Action::Confirm
        | Action::Recharge
        | Action::PayByCard
        | Action::Amount(_)
        | Action::Finish
        | Action::Back
        | Action::Cancel
        | Action::Print
        | Action::ShowReceipt => flow.step(Input::Action(action), cx),
    }
}

fn warning_tick(flow: Flow, cx: &mut Context) -> Flow {
    match cx.ends_in_s {
        Some(left) if left > 1 => {
            cx.ends_in_s = Some(left - 1);
            cx.arm(Timer::WarningTick);
            flow
        }
        Some(_) => {
            cx.ends_in_s = None;
            flow.step(Input::Expired, cx)
        }
        None => flow,
    }
}

fn link(cx: &mut Context, away: bool) {
    cx.central = Some(if away { CentralLink::Away } else { CentralLink::There });
}

/// Only a hand can have caused it: the customer is still here.
fn shows_a_hand(event: &acceptor::Event) -> bool {
    matches!(
        event,
        acceptor::Event::Reading | acceptor::Event::Escrowed(_) | acceptor::Event::Rejected(_)
    )
}

/// Tells two sets of rules apart in the journal; no secret depends on it.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl Flow {
    fn step(self, input: Input, cx: &mut Context) -> Self {
        match self {
            Self::Starting => self,
            Self::Recovering => recover::step(input, cx),
            Self::Idle => idle::step(input, cx),
            Self::PresentCard => identify::present_card(input, cx),
            Self::Refused(reason) => identify::refused(reason, input, cx),
            Self::Pin(entry) => identify::pin(entry, input, cx),
            Self::CheckingPin(card) => identify::checking_pin(card, input, cx),
            Self::Home(visit) => identify::home(visit, input, cx),
            Self::TopUp(top_up) => top_up.step(input, cx),
            Self::Pay(pay) => pay.step(input, cx),
            Self::Done(done) => done.step(input, cx),
            Self::Goodbye { returned, timed_out } => done::goodbye(returned, timed_out, input, cx),
        }
    }

    fn settled_at_till(self, settled: Option<(Seq, till::Settled)>, cx: &mut Context) -> Self {
        match settled {
            Some((intent, settled)) => self.step(Input::Till(intent, settled), cx),
            None => self,
        }
    }

    /// Is the next move the customer's? Then the idle clock runs.
    fn waits_for_customer(&self) -> bool {
        match self {
            Self::PresentCard | Self::Pin(_) | Self::Home(_) => true,
            Self::TopUp(top_up) => top_up.waits_for_customer(),
            Self::Pay(pay) => pay.waits_for_customer(),
            Self::Done(done) => done.waits_for_customer(),
            Self::Starting
            | Self::Recovering
            | Self::Idle
            | Self::Refused(_)
            | Self::CheckingPin(_)
            | Self::Goodbye { .. } => false,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Recovering => "recovering",
            Self::Idle => "idle",
            Self::PresentCard => "present_card",
            Self::Refused(_) => "refused",
            Self::Pin(_) => "pin",
            Self::CheckingPin(_) => "checking_pin",
            Self::Home(_) => "home",
            Self::TopUp(top_up) => top_up.stage.name(),
            Self::Pay(pay) => pay.name(),
            Self::Done(_) => "done",
            Self::Goodbye { .. } => "goodbye",
        }
    }
}

/// What a state without a note of its own does with the acceptor: nothing may come in, and what is
/// in escrow goes back.
fn stray_note(event: &acceptor::Event, reason: HandBackReason, cx: &mut Context) {
    match event {
        acceptor::Event::Escrowed(_) => cx.acceptor(acceptor::Command::Return),
        acceptor::Event::Returned(note) => cx.handed_back(note.value, reason),
        acceptor::Event::Ready(_)
        | acceptor::Event::Reading
        | acceptor::Event::Rejected(_)
        | acceptor::Event::Stacked(_)
        | acceptor::Event::Recovered { .. }
        | acceptor::Event::UnitRemoved
        | acceptor::Event::UnitInserted
        | acceptor::Event::Fault(_)
        | acceptor::Event::Cleared(_)
        | acceptor::Event::LinkLost => {}
    }
}

/// The one way out of a visit: nothing more comes in, credit goes to the wallet, and only then
/// good-bye.
fn unwind(visit: Visit, disposition: Disposition, cx: &mut Context) -> Flow {
    cx.acceptor(acceptor::Command::Disable);
    if cx.books.customer_credit().is_zero() && visit.doubt.is_none() {
        return done::leave(disposition, None, cx);
    }
    credit::credit(visit, disposition, cx)
}
