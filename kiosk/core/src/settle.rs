//! Settling a stack order from what the acceptor says afterwards: live, after a lost line, and
//! after a power cut alike.

use domain::Amount;
use driver_api::acceptor::{Capabilities, Command, Event, Note, NotePlace};
use kiosk_records::{Account, DoubtReason, Evidence, Posting, Record, Seq};

use crate::Act;
use crate::canary::{Canary, planted};
use crate::context::Context;

/// What became of a stack order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// In the cash unit.
    Stacked(Amount),
    /// With the customer.
    Returned(Amount),
}

/// Reads a report of the device and books what it settles. To be called for every acceptor event
/// in every state: a note may be reported at any time.
pub(crate) fn observe(cx: &mut Context, event: &Event) -> Option<Settled> {
    match event {
        Event::Stacked(note) => reported(cx, Some(*note)),
        Event::Recovered { place: NotePlace::CashUnit, note } => reported(cx, *note),
        Event::Recovered { place: NotePlace::Customer, note } => {
            found_at_front(cx, *note);
            None
        }
        Event::Returned(note) => match in_flight(cx).filter(|(_, value)| *value == note.value) {
            Some((intent, value)) if planted(Canary::GiveBackAndCredit) => {
                cx.note_stacked(intent, value, Evidence::Reported);
                Some(Settled::Stacked(value))
            }
            Some((intent, value)) => {
                cx.note_returned(intent, Evidence::Reported);
                Some(Settled::Returned(value))
            }
            None => None,
        },
        Event::Ready(unit) => by_counter(cx, unit),
        Event::UnitRemoved => {
            unit_removed(cx);
            None
        }
        Event::UnitInserted => {
            if !cx.books.cashbox().present {
                cx.record(Record::CashUnitInserted);
            }
            None
        }
        Event::Reading
        | Event::Escrowed(_)
        | Event::Rejected(_)
        | Event::Fault(_)
        | Event::Cleared(_)
        | Event::LinkLost => None,
    }
}

/// A note is in the cash unit. The acknowledgement follows the record: the device repeats its
/// report until it has it, so a crash in between loses nothing.
fn reported(cx: &mut Context, note: Option<Note>) -> Option<Settled> {
    cx.acceptor(Command::Acknowledge);
    let value = note.map(|note| note.value);
    // No order is younger than the note stacked last: it is repeated because the device had not
    // seen our acknowledgement, or because it lost its power while that note was still moving.
    if let Some(last) = cx.books.last_stacked()
        && value.is_none_or(|value| value == last.note)
    {
        cx.record(Record::RepeatedNote { intent: last.intent });
        return None;
    }
    match unsettled(cx) {
        // With no value told, the one note on its way is meant.
        Some((intent, ordered)) if value.is_none_or(|value| value == ordered) => {
            let evidence = match value {
                Some(_) => Evidence::Reported,
                None => Evidence::ReportedWithoutValue,
            };
            cx.devices.acceptor.count_stacked();
            cx.note_stacked(intent, ordered, evidence);
            Some(Settled::Stacked(ordered))
        }
        Some(_) | None => {
            unexplained(cx, value, NotePlace::CashUnit);
            None
        }
    }
}

/// A note was found at the front when the unit started. It settles no order: the note ordered may
/// be in the cash unit, its report lost with line and power, and this be the next one. The count
/// that the unit tells when it is ready knows; where there is none, it is for people.
fn found_at_front(cx: &mut Context, note: Option<Note>) {
    cx.acceptor(Command::Acknowledge);
    let is_counted = in_flight(cx).is_some_and(|(intent, _)| counter_will_tell(cx, intent));
    if !is_counted {
        unexplained(cx, note.map(|note| note.value), NotePlace::Customer);
    }
}

fn counter_will_tell(cx: &Context, intent: Seq) -> bool {
    let act = cx.books.intent(intent).map(|open| &open.act);
    let was_counted = matches!(act, Some(Act::Stack { stacked_total: Some(_), .. }));
    was_counted && !cx.devices.acceptor.is_ready()
}

/// The unit is set up and has told all it knew. If an order is still open, its life counter may
/// settle it; otherwise it is in doubt.
fn by_counter(cx: &mut Context, unit: &Capabilities) -> Option<Settled> {
    let (intent, note) = cx.books.note_in_flight()?;
    let Some(Act::Stack { stacked_total, .. }) = cx.books.intent(intent).map(|open| &open.act)
    else {
        return None;
    };
    let gained = match (stacked_total, unit.stacked_total) {
        (Some(before), Some(after)) => Some(after.wrapping_sub(*before)),
        (Some(_), None) | (None, _) => None,
    };
    match gained {
        // Not in the cash unit, but not out either.
        Some(0) if cx.devices.acceptor.is_jammed() && !planted(Canary::JamIsGivenBack) => {
            cx.note_in_doubt(intent, DoubtReason::Jam);
            None
        }
        Some(0) => {
            cx.note_returned(intent, Evidence::Counter);
            Some(Settled::Returned(note))
        }
        // The count the unit has just told includes this note.
        Some(1) => {
            if planted(Canary::CounterCountsTwice) {
                cx.devices.acceptor.count_stacked();
            }
            cx.note_stacked(intent, note, Evidence::Counter);
            Some(Settled::Stacked(note))
        }
        Some(_) | None => {
            cx.note_in_doubt(intent, DoubtReason::NoTrace);
            None
        }
    }
}

fn unit_removed(cx: &mut Context) {
    if let Some((intent, _)) = cx.books.note_in_flight() {
        cx.note_in_doubt(intent, DoubtReason::UnitRemoved);
    }
    if cx.books.cashbox().present {
        let posting =
            Posting::transfer(Account::Collected, Account::Cashbox, cx.books.cashbox().value());
        let notes = cx.books.cashbox().notes();
        cx.record(Record::CashUnitRemoved { notes, posting });
    }
}

fn unexplained(cx: &mut Context, note: Option<Amount>, place: NotePlace) {
    let posting = match (note, place) {
        (Some(note), NotePlace::CashUnit) => {
            Some(Posting::transfer(Account::Cashbox, Account::Suspense, note))
        }
        (None, NotePlace::CashUnit) | (_, NotePlace::Customer) => None,
    };
    cx.record(Record::UnexplainedNote { note, place, posting });
}

/// What a note that comes out may settle: an order nobody has given up yet. One in doubt stays in
/// doubt, because what comes out may be another note, and then who holds the claim would lose it.
fn in_flight(cx: &Context) -> Option<(Seq, Amount)> {
    if planted(Canary::ClaimEndsWithAnyNote) {
        return unsettled(cx);
    }
    cx.books.note_in_flight()
}

/// What a note in the cash unit may settle.
fn unsettled(cx: &Context) -> Option<(Seq, Amount)> {
    cx.books.unsettled_stack()
}
