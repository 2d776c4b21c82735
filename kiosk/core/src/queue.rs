//! Top-ups of visits that are over: asked for, one at a time, until central answers each.

use kiosk_records::Seq;

use crate::context::{Context, FinalReply};
use crate::{Act, CentralLink, Timer, TopUpReply, till};

/// Which of the queued top-ups is being asked about.
#[derive(Default)]
pub(crate) struct Queue {
    asking: Option<Seq>,
}

/// Asks about the oldest, unless one is being asked about.
pub(crate) fn ask_next(cx: &mut Context) {
    let oldest = cx.books.intents().find_map(|(seq, open)| match open.act {
        Act::TopUp { queued: true, .. } => Some(seq),
        Act::TopUp { .. } | Act::Stack { .. } | Act::Payment { .. } | Act::Reversal { .. } => None,
    });
    let Some(intent) = oldest.filter(|_| cx.queue.asking.is_none()) else {
        return;
    };
    cx.queue.asking = Some(intent);
    cx.ask_top_up(intent);
}

/// The time to ask again has come, whatever became of the last question.
pub(crate) fn ask_again(cx: &mut Context) {
    cx.queue.asking = None;
    ask_next(cx);
    if !cx.books.queued().is_zero() {
        cx.arm(Timer::AskQueued);
    }
}

/// Takes the answer if it is about a queued one; says whether it was.
pub(crate) fn answered(cx: &mut Context, intent: Seq, reply: &TopUpReply) -> bool {
    let Some(open) = cx.books.intent(intent) else {
        // A late second answer to a question that is settled: the key made it harmless.
        return true;
    };
    let Act::TopUp { amount, queued: true, .. } = open.act else {
        return false;
    };
    if cx.queue.asking == Some(intent) {
        cx.queue.asking = None;
    }
    match reply {
        TopUpReply::Accepted { ledger_ref, .. } => {
            let ledger_ref = ledger_ref.clone();
            cx.top_up_answered(intent, amount, FinalReply::Accepted { ledger_ref });
        }
        TopUpReply::Refused(reason) => {
            cx.top_up_answered(intent, amount, FinalReply::Refused(*reason));
            till::give_back_next(cx);
        }
        TopUpReply::Away => {
            cx.central = Some(CentralLink::Away);
            return true;
        }
    }
    ask_next(cx);
    true
}
