//! After a power cut: the books say what was open, the devices say what became of it.

use domain::Amount;
use kiosk_records::{Disposition, DoubtReason, HandBackReason, Seq};
use ui_proto::DoneKind;

use super::{Done, Flow, Input, idle, stray_note};
use crate::context::Context;
use crate::{OpenIntent, Timer, queue, till};

/// The journal is folded. Waits for the acceptor only if a note was on its way, for the terminal
/// only if somebody was paying.
pub(super) fn begin(cx: &mut Context) -> Flow {
    cx.arm(Timer::Unheard);
    if !cx.books.queued().is_zero() {
        cx.arm(Timer::AskQueued);
    }
    till::begin(cx);
    if !is_open(cx) {
        return finish(cx);
    }
    cx.arm(Timer::RecoveryUnanswered);
    Flow::Recovering
}

/// Are devices to tell about money of the visit that was cut off?
fn is_open(cx: &Context) -> bool {
    let awaits =
        |(intent, open): (Seq, &OpenIntent)| open.is_at_terminal() && cx.books.is_awaited(intent);
    cx.books.note_in_flight().is_some() || cx.books.at_terminal().is_some_and(awaits)
}

pub(super) fn step(input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Timer(Timer::RecoveryUnanswered) => {
            if let Some((intent, _)) = cx.books.note_in_flight() {
                cx.note_in_doubt(intent, DoubtReason::DeviceSilent);
            }
            finish(cx)
        }
        Input::Settled(_) | Input::Till(..) if !is_open(cx) => finish(cx),
        Input::Acceptor(event) => {
            stray_note(&event, HandBackReason::NoVisit, cx);
            // `settle` may have written down that the note is in doubt.
            if is_open(cx) { Flow::Recovering } else { finish(cx) }
        }
        Input::Stop => idle::enter(cx),
        Input::Event(_)
        | Input::Action(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Settled(_)
        | Input::Terminal(_)
        | Input::Till(..)
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
            let number = number(seq, cx);
            let at_terminal = cx.books.intent(seq).is_some_and(OpenIntent::is_at_terminal);
            let kind = if at_terminal {
                DoneKind::PaymentInDoubt { amount, number }
            } else {
                DoneKind::InDoubt { amount, credited, number }
            };
            (seq, kind)
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
