//! From the card to the menu.

use std::fmt;

use domain::{Amount, CardRef, Pin};
use driver_api::card_reader::{self, Card, CardProblem};
use driver_api::payment_terminal::Approval;
use kiosk_records::{Disposition, HandBackReason, Record, Seq};
use ui_proto::{Action, CardRefusal, PinError};
use zeroize::Zeroizing;

use super::{Flow, Input, idle, insert, pay, stray_note, unwind};
use crate::context::Context;
use crate::{Account, CentralLink, CentralRequest, Denied, Effect, SessionReply, Timer};

/// A PIN being typed.
pub(crate) struct PinEntry {
    pub(crate) card: Card,
    digits: Zeroizing<String>,
    pub(crate) error: Option<PinError>,
}

/// Who is here.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) card: Card,
    /// What central told; `None` = it is away, nobody checked the PIN.
    pub(crate) account: Option<Account>,
    /// A note of this visit whose place is not known.
    pub(crate) doubt: Option<(Seq, Amount)>,
    /// What the bank said, for the receipt of what was paid by card.
    pub(crate) approval: Option<Box<Approval>>,
}

impl PinEntry {
    fn new(card: Card, error: Option<PinError>) -> Self {
        // Room for all digits from the start: growing would leave copies behind.
        let digits = Zeroizing::new(String::with_capacity(Pin::LEN_MAX));
        Self { card, digits, error }
    }

    pub(crate) fn typed(&self) -> u8 {
        u8::try_from(self.digits.len()).expect("at most Pin::LEN_MAX digits are kept")
    }
}

impl fmt::Debug for PinEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinEntry(***)")
    }
}

impl Visit {
    pub(crate) fn balance(&self) -> Option<Amount> {
        self.account.as_ref().map(|account| account.balance)
    }

    pub(crate) fn card_ref(&self) -> CardRef {
        self.card.card_ref
    }
}

pub(super) fn ask_card(cx: &mut Context) -> Flow {
    cx.reader(card_reader::Command::Arm);
    cx.touched();
    Flow::PresentCard
}

pub(super) fn present_card(input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Reader(card_reader::Event::Presented(card)) => presented(card, cx),
        Input::Reader(card_reader::Event::Unreadable(problem)) => unreadable(problem, cx),
        Input::Reader(card_reader::Event::Ready) => {
            cx.reader(card_reader::Command::Arm);
            Flow::PresentCard
        }
        Input::Reader(card_reader::Event::LinkLost | card_reader::Event::Fault(_))
        | Input::Action(Action::Back | Action::Cancel)
        | Input::Expired
        | Input::Stop => idle::enter(cx),
        Input::Acceptor(event) => {
            stray_note(&event, HandBackReason::NoVisit, cx);
            Flow::PresentCard
        }
        Input::Event(_)
        | Input::Action(_)
        | Input::Settled(_)
        | Input::Reader(card_reader::Event::Removed)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_) => Flow::PresentCard,
    }
}

/// A genuine card: is it one we may serve?
pub(super) fn presented(card: Card, cx: &mut Context) -> Flow {
    cx.touched();
    let today = cx.now.wall.date_day();
    if i64::from(card.expires_day) < today {
        return refuse(CardRefusal::Expired, cx);
    }
    let denied = cx.hotlist.as_ref().and_then(|hotlist| hotlist.cards.get(&card.card_ref));
    match denied {
        Some(Denied::Blocked) => refuse(CardRefusal::Blocked, cx),
        Some(Denied::Suspended) => refuse(CardRefusal::Suspended, cx),
        None if cx.central_away() => {
            begin_offline(card, cx).unwrap_or_else(|_| refuse(CardRefusal::CentralAway, cx))
        }
        None => Flow::Pin(PinEntry::new(card, None)),
    }
}

pub(super) fn unreadable(problem: CardProblem, cx: &mut Context) -> Flow {
    let reason = match problem {
        CardProblem::Torn => CardRefusal::Torn,
        CardProblem::Foreign => CardRefusal::Foreign,
        CardProblem::NotGenuine => CardRefusal::NotGenuine,
        CardProblem::Several => CardRefusal::Several,
    };
    refuse(reason, cx)
}

fn refuse(reason: CardRefusal, cx: &mut Context) -> Flow {
    cx.arm(Timer::Linger);
    Flow::Refused(reason)
}

pub(super) fn refused(reason: CardRefusal, input: Input, cx: &mut Context) -> Flow {
    match input {
        // What may pass by holding the card again may be tried at once.
        Input::Action(Action::Confirm) => ask_card(cx),
        Input::Reader(card_reader::Event::Removed) => {
            cx.reader(card_reader::Command::Arm);
            Flow::Refused(reason)
        }
        Input::Reader(card_reader::Event::Presented(card)) => presented(card, cx),
        Input::Reader(card_reader::Event::Unreadable(problem)) => unreadable(problem, cx),
        Input::Action(Action::Back | Action::Cancel)
        | Input::Timer(Timer::Linger)
        | Input::Expired
        | Input::Stop => idle::enter(cx),
        Input::Acceptor(event) => {
            stray_note(&event, HandBackReason::NoVisit, cx);
            Flow::Refused(reason)
        }
        Input::Event(_)
        | Input::Action(_)
        | Input::Settled(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_) => Flow::Refused(reason),
    }
}

pub(super) fn pin(mut entry: PinEntry, input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Action(Action::Digit(digit)) if digit <= 9 && entry.digits.len() < Pin::LEN_MAX => {
            entry.digits.push(char::from(b'0' + digit));
            entry.error = None;
            Flow::Pin(entry)
        }
        Input::Action(Action::Erase) => {
            entry.digits.pop();
            Flow::Pin(entry)
        }
        Input::Action(Action::Confirm) => check_pin(entry, cx),
        Input::Action(Action::Back | Action::Cancel) | Input::Expired | Input::Stop => {
            idle::enter(cx)
        }
        Input::Acceptor(event) => {
            stray_note(&event, HandBackReason::NoVisit, cx);
            Flow::Pin(entry)
        }
        Input::Event(_)
        | Input::Action(_)
        | Input::Settled(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_) => Flow::Pin(entry),
    }
}

fn check_pin(mut entry: PinEntry, cx: &mut Context) -> Flow {
    let Ok(pin) = Pin::try_from(std::mem::take(&mut *entry.digits)) else {
        let error = entry.error;
        return Flow::Pin(PinEntry::new(entry.card, error));
    };
    let card = entry.card;
    let (number, uid) = (card.number.clone(), card.uid.clone());
    cx.attempt += 1;
    let attempt = cx.attempt;
    cx.effect(Effect::Central(CentralRequest::OpenSession { attempt, number, uid, pin }));
    cx.arm(Timer::PinUnanswered);
    Flow::CheckingPin(card)
}

pub(super) fn checking_pin(card: Card, input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Session(reply) => {
            cx.timers.disarm(Timer::PinUnanswered);
            session_reply(card, reply, cx)
        }
        Input::Timer(Timer::PinUnanswered) => {
            cx.central = Some(CentralLink::Away);
            session_reply(card, SessionReply::Away, cx)
        }
        Input::Action(Action::Cancel | Action::Back) | Input::Stop => {
            cx.timers.disarm(Timer::PinUnanswered);
            idle::enter(cx)
        }
        Input::Acceptor(event) => {
            stray_note(&event, HandBackReason::NoVisit, cx);
            Flow::CheckingPin(card)
        }
        Input::Event(_)
        | Input::Action(_)
        | Input::Settled(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::TopUp(..)
        | Input::Timer(_)
        | Input::Expired => Flow::CheckingPin(card),
    }
}

fn session_reply(card: Card, reply: SessionReply, cx: &mut Context) -> Flow {
    cx.touched();
    match reply {
        SessionReply::Opened(account) => {
            let visit = begin(card, Some(account), cx);
            Flow::Home(visit)
        }
        SessionReply::Wrong { tries_left } => {
            Flow::Pin(PinEntry::new(card, Some(PinError::Wrong { tries_left })))
        }
        SessionReply::Locked { retry_min } => refuse(CardRefusal::PinLocked { retry_min }, cx),
        SessionReply::Blocked => refuse(CardRefusal::Blocked, cx),
        SessionReply::Suspended => refuse(CardRefusal::Suspended, cx),
        SessionReply::Expired => refuse(CardRefusal::Expired, cx),
        SessionReply::Away => begin_offline(card, cx)
            .unwrap_or_else(|card| Flow::Pin(PinEntry::new(card, Some(PinError::NoAnswer)))),
    }
}

fn begin(card: Card, account: Option<Account>, cx: &mut Context) -> Visit {
    let offline = account.is_none();
    let visit = Visit { card, account, doubt: None, approval: None };
    let (card_ref, lang) = (visit.card_ref(), cx.lang);
    cx.record(Record::SessionStarted { card_ref, offline, lang });
    visit
}

/// Central is away: a genuine card may still be recharged with a little cash; hands the card back
/// where policy does not allow it.
fn begin_offline(card: Card, cx: &mut Context) -> Result<Flow, Card> {
    let any_note_fits = cx.rules.notes.0.iter().any(|note| *note <= cx.offline_room());
    if !any_note_fits || !cx.devices.acceptor.works() {
        return Err(card);
    }
    Ok(Flow::Home(begin(card, None, cx)))
}

pub(super) fn home(visit: Visit, input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Action(Action::Recharge | Action::Confirm) => {
            if insert::recharge_off(&visit, cx).is_some() {
                return Flow::Home(visit);
            }
            insert::begin(visit, cx)
        }
        Input::Action(Action::PayByCard) => pay::begin(visit, cx),
        Input::Action(Action::Back | Action::Cancel) => unwind(visit, Disposition::Completed, cx),
        Input::Expired => unwind(visit, Disposition::TimedOut, cx),
        Input::Stop => unwind(visit, Disposition::Stopped, cx),
        Input::Acceptor(event) => {
            stray_note(&event, HandBackReason::Cancelled, cx);
            Flow::Home(visit)
        }
        Input::Event(_)
        | Input::Action(_)
        | Input::Settled(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_) => Flow::Home(visit),
    }
}
