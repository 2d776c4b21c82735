//! The open slot: notes in, and each decided, stacked or given back.

use domain::{Amount, NoteSet, RechargeRefusal};
use driver_api::acceptor::{self, Command, Note, RejectReason};
use driver_api::{FaultKind, MoneyRisk};
use kiosk_records::{Disposition, DoubtReason, HandBackReason, Seq};
use ui_proto::{Action, NoteNews, RechargeOff};

use super::top_up::{Stage, Wish, stay};
use super::{Flow, Input, Visit, unwind};
use crate::Timer;
use crate::canary::{Canary, planted};
use crate::context::Context;
use crate::settle::Settled;

/// Why no recharge can begin.
pub(crate) fn recharge_off(visit: &Visit, cx: &Context) -> Option<RechargeOff> {
    if !cx.devices.acceptor.works() {
        return Some(RechargeOff::Acceptor);
    }
    fitting(visit, cx).0.is_empty().then_some(RechargeOff::WalletFull)
}

/// The notes that still fit.
pub(crate) fn fitting(visit: &Visit, cx: &Context) -> NoteSet {
    NoteSet::of(cx.rules.notes.0.iter().copied().filter(|note| check(visit, *note, cx).is_ok()))
}

fn check(visit: &Visit, note: Amount, cx: &Context) -> Result<(), RechargeRefusal> {
    let inserted = cx.books.customer_credit();
    cx.rules.check_note(note, inserted, visit.balance())?;
    if visit.balance().is_none() && cx.offline_room().saturating_sub(inserted) < note {
        return Err(RechargeRefusal::OverOfflineMax);
    }
    Ok(())
}

pub(super) fn begin(visit: Visit, cx: &mut Context) -> Flow {
    open_slot(visit, None, cx)
}

/// Opens the slot if any note fits. All the municipality's notes are enabled, also those too
/// large now: from escrow they come back with the reason on the screen.
pub(super) fn open_slot(visit: Visit, news: Option<NoteNews>, cx: &mut Context) -> Flow {
    if fitting(&visit, cx).0.is_empty() {
        cx.acceptor(Command::Disable);
    } else {
        cx.acceptor(Command::Enable(cx.rules.notes.clone()));
    }
    stay(visit, Stage::Inserting { news, wish: None })
}
/// May the customer go back and insert more?
pub(crate) fn can_add(visit: &Visit, cx: &Context) -> bool {
    recharge_off(visit, cx).is_none()
}
pub(super) fn inserting(
    visit: Visit,
    news: Option<NoteNews>,
    wish: Option<Wish>,
    input: Input,
    cx: &mut Context,
) -> Flow {
    match input {
        Input::Action(Action::Finish | Action::Confirm) => {
            if cx.books.customer_credit() < cx.rules.min {
                return stay(visit, Stage::Inserting { news, wish });
            }
            if news == Some(NoteNews::Reading) {
                // Someone who feeds a note and presses at once means that note, too.
                return stay(visit, Stage::Inserting { news, wish: Some(Wish::Finish) });
            }
            fulfil(visit, Wish::Finish, None, cx)
        }
        Input::Action(Action::Back) if is_empty(news, cx) => {
            cx.acceptor(Command::Disable);
            Flow::Home(visit)
        }
        Input::Action(Action::Back | Action::Cancel) => close_slot(visit, news, Wish::Cancel, cx),
        Input::Expired => close_slot(visit, news, Wish::Leave(Disposition::TimedOut), cx),
        Input::Stop => close_slot(visit, news, Wish::Leave(Disposition::Stopped), cx),
        Input::Acceptor(event) => inserting_event(visit, news, wish, event, cx),
        Input::Event(_)
        | Input::Action(_)
        | Input::Settled(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_) => stay(visit, Stage::Inserting { news, wish }),
    }
}

fn inserting_event(
    visit: Visit,
    news: Option<NoteNews>,
    wish: Option<Wish>,
    event: acceptor::Event,
    cx: &mut Context,
) -> Flow {
    let news = match event {
        acceptor::Event::Reading => Some(NoteNews::Reading),
        acceptor::Event::Escrowed(note) => return escrowed(visit, note, wish, cx),
        acceptor::Event::Rejected(reason) => Some(rejected_news(reason)),
        acceptor::Event::Returned(note) => {
            cx.handed_back(note.value, HandBackReason::Device);
            Some(NoteNews::GivenBack { value: note.value })
        }
        acceptor::Event::Fault(_) | acceptor::Event::LinkLost | acceptor::Event::UnitRemoved => {
            return broke_off(visit, cx);
        }
        // Back after a short loss that was not noticed here: open the slot again.
        acceptor::Event::Ready(_) | acceptor::Event::UnitInserted => {
            return open_slot(visit, news, cx);
        }
        acceptor::Event::Stacked(_)
        | acceptor::Event::Recovered { .. }
        | acceptor::Event::Cleared(_) => news,
    };
    match wish {
        Some(wish) if news != Some(NoteNews::Reading) => fulfil(visit, wish, None, cx),
        Some(_) | None => stay(visit, Stage::Inserting { news, wish }),
    }
}

fn rejected_news(reason: RejectReason) -> NoteNews {
    match reason {
        RejectReason::Inhibited => NoteNews::NotTaken,
        RejectReason::NotRecognised | RejectReason::Mishandled | RejectReason::Other => {
            NoteNews::NotRecognised
        }
    }
}

/// The decision: in escrow, and now in or out?
fn escrowed(visit: Visit, note: Note, wish: Option<Wish>, cx: &mut Context) -> Flow {
    let value = note.value;
    if planted(Canary::StackWithoutIntent) {
        cx.acceptor(Command::Stack);
        return stay(visit, Stage::Inserting { news: None, wish });
    }
    match check(&visit, value, cx) {
        Ok(()) => {
            let intent = cx.order_stack(value);
            stay(visit, Stage::Stacking { intent, value, wish })
        }
        Err(why) => {
            cx.acceptor(Command::Return);
            cx.arm(Timer::PathNotEmpty);
            stay(visit, Stage::Returning { value, why, wish })
        }
    }
}

pub(super) fn returning(
    visit: Visit,
    value: Amount,
    why: RechargeRefusal,
    wish: Option<Wish>,
    input: Input,
    cx: &mut Context,
) -> Flow {
    let reason = match why {
        RechargeRefusal::NoteNotTaken => HandBackReason::NoteNotTaken,
        RechargeRefusal::OverMax => HandBackReason::OverMax,
        RechargeRefusal::OverWalletMax => HandBackReason::OverWalletMax,
        RechargeRefusal::OverOfflineMax => HandBackReason::OverOfflineMax,
        RechargeRefusal::UnderMin => HandBackReason::Cancelled,
    };
    let news = Some(NoteNews::Returned { value, why });
    match input {
        Input::Acceptor(acceptor::Event::Returned(note)) => {
            cx.timers.disarm(Timer::PathNotEmpty);
            cx.handed_back(note.value, reason);
            match wish {
                Some(wish) => fulfil(visit, wish, Some(note.value), cx),
                None => stay(visit, Stage::Inserting { news, wish: None }),
            }
        }
        Input::Acceptor(
            acceptor::Event::Fault(_) | acceptor::Event::LinkLost | acceptor::Event::UnitRemoved,
        ) => broke_off(visit, cx),
        Input::Timer(Timer::PathNotEmpty) => broke_off(visit, cx),
        Input::Action(action) => {
            let wish = wish_of(action).or(wish);
            stay(visit, Stage::Returning { value, why, wish })
        }
        Input::Stop => {
            let wish = Some(Wish::Leave(Disposition::Stopped));
            stay(visit, Stage::Returning { value, why, wish })
        }
        Input::Event(_)
        | Input::Acceptor(_)
        | Input::Settled(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_)
        | Input::Expired => stay(visit, Stage::Returning { value, why, wish }),
    }
}

pub(super) fn stacking(
    visit: Visit,
    (intent, value): (Seq, Amount),
    wish: Option<Wish>,
    input: Input,
    cx: &mut Context,
) -> Flow {
    match input {
        Input::Settled(settled) => {
            cx.timers.disarm(Timer::AcceptorSilent);
            cx.touched();
            let news = match settled {
                Settled::Stacked(value) => NoteNews::Counted { value },
                Settled::Returned(value) => NoteNews::GivenBack { value },
            };
            match wish {
                Some(wish) => fulfil(visit, wish, None, cx),
                None => open_slot(visit, Some(news), cx),
            }
        }
        Input::Acceptor(_) if is_in_doubt(intent, cx) => given_up(visit, intent, value, cx),
        Input::Timer(Timer::AcceptorSilent) => {
            doubt(visit, intent, value, DoubtReason::DeviceSilent, cx)
        }
        Input::Acceptor(acceptor::Event::LinkLost) => check_note(visit, intent, value, cx),
        // There is room for another note, and the unit did not say what became of ours.
        Input::Acceptor(acceptor::Event::Reading) => {
            doubt(visit, intent, value, DoubtReason::NoTrace, cx)
        }
        Input::Acceptor(acceptor::Event::Escrowed(_)) => {
            cx.acceptor(Command::Return);
            doubt(visit, intent, value, DoubtReason::NoTrace, cx)
        }
        Input::Acceptor(acceptor::Event::Fault(fault)) if fault.money == MoneyRisk::InDoubt => {
            let fraud = fault.kind == FaultKind::Fraud;
            let reason = if fraud { DoubtReason::Fraud } else { DoubtReason::Jam };
            doubt(visit, intent, value, reason, cx)
        }
        Input::Action(action) => {
            let wish = wish_of(action).or(wish);
            stay(visit, Stage::Stacking { intent, value, wish })
        }
        Input::Stop => {
            let wish = Some(Wish::Leave(Disposition::Stopped));
            stay(visit, Stage::Stacking { intent, value, wish })
        }
        Input::Event(_)
        | Input::Acceptor(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_)
        | Input::Expired => stay(visit, Stage::Stacking { intent, value, wish }),
    }
}

fn wish_of(action: Action) -> Option<Wish> {
    match action {
        Action::Finish | Action::Confirm => Some(Wish::Finish),
        Action::Cancel | Action::Back => Some(Wish::Cancel),
        Action::Language(_)
        | Action::Prefs(_)
        | Action::Digit(_)
        | Action::Erase
        | Action::Recharge
        | Action::PayByCard
        | Action::Amount(_)
        | Action::Print
        | Action::ShowReceipt
        | Action::MoreTime => None,
    }
}

/// The line broke while the note moved: its device will tell when it is back.
fn check_note(visit: Visit, intent: Seq, value: Amount, cx: &mut Context) -> Flow {
    cx.timers.disarm(Timer::AcceptorSilent);
    cx.arm(Timer::RecoveryUnanswered);
    stay(visit, Stage::CheckingNote { intent, value })
}

pub(super) fn checking_note(
    visit: Visit,
    intent: Seq,
    value: Amount,
    input: Input,
    cx: &mut Context,
) -> Flow {
    match input {
        Input::Settled(_) => {
            cx.timers.disarm(Timer::RecoveryUnanswered);
            unwind(visit, Disposition::Faulted, cx)
        }
        Input::Acceptor(_) if is_in_doubt(intent, cx) => given_up(visit, intent, value, cx),
        Input::Timer(Timer::RecoveryUnanswered) => {
            doubt(visit, intent, value, DoubtReason::LinkLost, cx)
        }
        Input::Event(_)
        | Input::Action(_)
        | Input::Acceptor(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_)
        | Input::Expired
        | Input::Stop => stay(visit, Stage::CheckingNote { intent, value }),
    }
}

/// Did `settle` write down that the note's place is not known (the box was pulled, or the device is
/// back and knows nothing)?
fn is_in_doubt(intent: Seq, cx: &Context) -> bool {
    cx.books.note_in_flight().is_none() && cx.books.intent(intent).is_some()
}

/// Writes down that the note's place is not known, and brings the rest to safety.
fn doubt(visit: Visit, intent: Seq, value: Amount, why: DoubtReason, cx: &mut Context) -> Flow {
    cx.note_in_doubt(intent, why);
    given_up(visit, intent, value, cx)
}

fn given_up(mut visit: Visit, intent: Seq, value: Amount, cx: &mut Context) -> Flow {
    cx.timers.disarm(Timer::AcceptorSilent);
    cx.timers.disarm(Timer::RecoveryUnanswered);
    visit.doubt = Some((intent, value));
    unwind(visit, Disposition::Faulted, cx)
}

/// The acceptor failed with nothing of ours on its way: credit what was counted, or go back.
fn broke_off(visit: Visit, cx: &mut Context) -> Flow {
    cx.timers.disarm(Timer::PathNotEmpty);
    cx.acceptor(Command::Disable);
    if cx.books.customer_credit().is_zero() {
        cx.touched();
        return Flow::Home(visit);
    }
    stay(visit, Stage::Review)
}

/// Nothing was put in, and nothing is coming.
fn is_empty(news: Option<NoteNews>, cx: &Context) -> bool {
    news != Some(NoteNews::Reading) && cx.books.customer_credit().is_zero()
}

/// Closes the slot; a note that is on its way in comes back first.
fn close_slot(visit: Visit, news: Option<NoteNews>, wish: Wish, cx: &mut Context) -> Flow {
    if news == Some(NoteNews::Reading) {
        cx.acceptor(Command::Disable);
        cx.arm(Timer::PathNotEmpty);
        return stay(visit, Stage::Emptying { wish, returned: None });
    }
    fulfil(visit, wish, None, cx)
}

pub(super) fn emptying(
    visit: Visit,
    wish: Wish,
    returned: Option<Amount>,
    input: Input,
    cx: &mut Context,
) -> Flow {
    match input {
        Input::Acceptor(acceptor::Event::Escrowed(note)) => {
            cx.acceptor(Command::Return);
            cx.arm(Timer::PathNotEmpty);
            stay(visit, Stage::Emptying { wish, returned: Some(note.value) })
        }
        Input::Acceptor(acceptor::Event::Returned(note)) => {
            cx.handed_back(note.value, HandBackReason::Cancelled);
            fulfil(visit, wish, Some(note.value), cx)
        }
        Input::Acceptor(
            acceptor::Event::Rejected(_)
            | acceptor::Event::Fault(_)
            | acceptor::Event::LinkLost
            | acceptor::Event::UnitRemoved,
        )
        | Input::Timer(Timer::PathNotEmpty) => fulfil(visit, wish, returned, cx),
        Input::Stop => {
            stay(visit, Stage::Emptying { wish: Wish::Leave(Disposition::Stopped), returned })
        }
        Input::Event(_)
        | Input::Action(_)
        | Input::Acceptor(_)
        | Input::Settled(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_)
        | Input::Expired => stay(visit, Stage::Emptying { wish, returned }),
    }
}

/// Nothing moves any more: do what the customer asked for.
fn fulfil(visit: Visit, wish: Wish, returned: Option<Amount>, cx: &mut Context) -> Flow {
    cx.timers.disarm(Timer::PathNotEmpty);
    cx.acceptor(Command::Disable);
    cx.touched();
    let has_credit = !cx.books.customer_credit().is_zero() && !planted(Canary::LeaveWithCredit);
    match wish {
        Wish::Finish if has_credit => stay(visit, Stage::Review),
        Wish::Cancel if has_credit => stay(visit, Stage::ConfirmCancel),
        Wish::Leave(disposition) if has_credit => unwind(visit, disposition, cx),
        Wish::Finish | Wish::Cancel => super::done::leave(Disposition::Cancelled, returned, cx),
        Wish::Leave(disposition) => super::done::leave(disposition, returned, cx),
    }
}
