//! After a power cut: the books say what was open, the devices say what became of it.

use domain::Amount;
use kiosk_records::{Disposition, DoubtReason, HandBackReason, Seq};
use ui_proto::DoneKind;

use super::{Done, Flow, Input, idle, stray_note};
use crate::context::Context;
use crate::{Timer, queue};

/// The journal is folded. Waits for the acceptor only if a note was on its way.
pub(super) fn begin(cx: &mut Context) -> Flow {
    cx.arm(Timer::Unheard);
    if !cx.books.queued().is_zero() {
        cx.arm(Timer::AskQueued);
    }
    if cx.books.note_in_flight().is_none() {
        return finish(cx);
    }
    cx.arm(Timer::RecoveryUnanswered);
    Flow::Recovering
}

pub(super) fn step(input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Timer(Timer::RecoveryUnanswered) => {
            if let Some((intent, _)) = cx.books.note_in_flight() {
                cx.note_in_doubt(intent, DoubtReason::DeviceSilent);
            }
            finish(cx)
        }
        Input::Settled(_) => finish(cx),
        Input::Acceptor(event) => {
            stray_note(&event, HandBackReason::NoVisit, cx);
            // `settle` may have written down that the note is in doubt.
            if cx.books.note_in_flight().is_none() { finish(cx) } else { Flow::Recovering }
        }
        Input::Stop => idle::enter(cx),
        Input::Event(_)
        | Input::Action(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_)
        | Input::Expired => Flow::Recovering,
    }
}

/// No note is on its way any more: the customer's credit goes to the wallet, the visit ends, and
/// whoever still stands there can have it on paper.
fn finish(cx: &mut Context) -> Flow {
    cx.timers.disarm(Timer::RecoveryUnanswered);
    let Some(visit) = cx.books.visit() else {
        return idle::enter(cx);
    };
    cx.lang = visit.lang;
    let credited = queue_credit(cx);
    let doubt = claim_doubt(cx);
    cx.end_visit(Disposition::Recovered);
    queue::ask_next(cx);
    let number = |seq: Seq, cx: &Context| cx.intent_id(seq).to_string();
    let (intent, kind) = match (doubt, credited) {
        (Some((seq, amount)), credited) => {
            let credited = credited.map(|(_, amount)| amount).unwrap_or_default();
            (seq, DoneKind::InDoubt { amount, credited, number: number(seq, cx) })
        }
        (None, Some((seq, amount))) => (seq, DoneKind::Pending { amount, number: number(seq, cx) }),
        (None, None) => return idle::enter(cx),
    };
    Done::enter(None, kind, intent, Disposition::Recovered, cx)
}

/// Queues the top-up that was ordered, and one for what was stacked after that.
fn queue_credit(cx: &mut Context) -> Option<(Seq, Amount)> {
    let credit = cx.books.customer_credit();
    let mut last = None;
    if let Some((intent, amount)) = cx.books.top_up_in_flight() {
        cx.queue_top_up(intent, amount);
        last = Some(intent);
    }
    let rest = cx.books.customer_credit();
    if !rest.is_zero() {
        let intent = cx.order_top_up();
        cx.queue_top_up(intent, rest);
        last = Some(intent);
    }
    last.map(|intent| (intent, credit))
}

fn claim_doubt(cx: &mut Context) -> Option<(Seq, Amount)> {
    let visit = cx.books.visit()?.id;
    let (intent, note) = cx.books.unclaimed_doubt(visit)?;
    cx.claim_in_doubt(intent, note);
    Some((intent, note))
}
