//! The slot is closed: from the last look to central's word.

use domain::Amount;
use kiosk_records::{Disposition, HandBackReason, Seq};
use ui_proto::{Action, DoneKind};

use super::insert::{can_add, open_slot};
use super::top_up::{Stage, TopUp, stay};
use super::{Done, Flow, Input, Visit, pay, stray_note, unwind};
use crate::context::{Context, FinalReply};
use crate::{CentralLink, Timer, TopUpReply};

/// Orders what the customer is owed onto the wallet.
pub(super) fn credit(visit: Visit, disposition: Disposition, cx: &mut Context) -> Flow {
    if cx.books.customer_credit().is_zero() {
        return in_doubt_only(visit, disposition, cx);
    }
    let intent = cx.order_top_up();
    cx.ask_top_up(intent);
    cx.arm(Timer::TopUpUnanswered);
    Flow::TopUp(TopUp { visit, stage: Stage::Crediting { intent, disposition } })
}

fn in_doubt_only(visit: Visit, disposition: Disposition, cx: &mut Context) -> Flow {
    let (intent, value) = visit.doubt.expect("without credit only a doubt leads here");
    let kind = doubt_kind(intent, value, Amount::ZERO, cx);
    Done::enter(Some(&visit), kind, intent, disposition, cx)
}

fn doubt_kind(intent: Seq, value: Amount, credited: Amount, cx: &mut Context) -> DoneKind {
    cx.claim_in_doubt(intent, value);
    let number = cx.intent_id(intent).to_string();
    DoneKind::InDoubt { amount: value, credited, number }
}
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is passed on whole")]
pub(super) fn confirm_cancel(visit: Visit, input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Action(Action::Confirm | Action::Cancel) => {
            unwind(visit, Disposition::Cancelled, cx)
        }
        Input::Action(Action::Back) => open_slot(visit, None, cx),
        input => closed_slot(visit, Stage::ConfirmCancel, input, cx),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is passed on whole")]
pub(super) fn review(visit: Visit, input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Action(Action::Confirm | Action::Finish) => {
            unwind(visit, Disposition::Completed, cx)
        }
        Input::Action(Action::Back) if can_add(&visit, cx) => open_slot(visit, None, cx),
        Input::Action(Action::Cancel) => stay(visit, Stage::ConfirmCancel),
        input => closed_slot(visit, Stage::Review, input, cx),
    }
}

/// What the screens do alike on which the slot is closed and credit waits for a word.
fn closed_slot(visit: Visit, stage: Stage, input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Expired => unwind(visit, Disposition::TimedOut, cx),
        Input::Stop => unwind(visit, Disposition::Stopped, cx),
        Input::Acceptor(event) => {
            stray_note(&event, HandBackReason::Cancelled, cx);
            stay(visit, stage)
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
        | Input::Timer(_) => stay(visit, stage),
    }
}

pub(super) fn crediting(
    visit: Visit,
    intent: Seq,
    disposition: Disposition,
    input: Input,
    cx: &mut Context,
) -> Flow {
    match input {
        Input::TopUp(answered, reply) if answered == intent => {
            credit_reply(visit, intent, disposition, reply, cx)
        }
        Input::Timer(Timer::TopUpAskAgain) => {
            cx.ask_top_up(intent);
            stay(visit, Stage::Crediting { intent, disposition })
        }
        Input::Timer(Timer::TopUpUnanswered) => queue(visit, intent, disposition, cx),
        Input::Acceptor(event) => {
            stray_note(&event, HandBackReason::Cancelled, cx);
            stay(visit, Stage::Crediting { intent, disposition })
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
        | Input::Timer(_)
        | Input::Expired
        | Input::Stop => stay(visit, Stage::Crediting { intent, disposition }),
    }
}

fn credit_reply(
    mut visit: Visit,
    intent: Seq,
    disposition: Disposition,
    reply: TopUpReply,
    cx: &mut Context,
) -> Flow {
    let amount = ordered(intent, cx);
    let is_refused = matches!(reply, TopUpReply::Refused(_));
    let payment = cx.books.intent(intent).and_then(|open| open.delivers());
    let (final_reply, kind) = match reply {
        TopUpReply::Accepted { ledger_ref, balance } => {
            if let Some(account) = &mut visit.account {
                account.balance = balance;
            }
            (FinalReply::Accepted { ledger_ref }, DoneKind::Credited { amount, balance })
        }
        TopUpReply::Refused(reason) => {
            let number = cx.intent_id(intent).to_string();
            (FinalReply::Refused(reason), DoneKind::Claim { amount, number })
        }
        TopUpReply::Away => {
            // Without a PIN there was no central before either: do not keep the customer waiting.
            if visit.account.is_none() || cx.stopping {
                return queue(visit, intent, disposition, cx);
            }
            cx.arm(Timer::TopUpAskAgain);
            return stay(visit, Stage::Crediting { intent, disposition });
        }
    };
    cx.top_up_answered(intent, amount, final_reply);
    if let Some(payment) = payment.filter(|_| is_refused) {
        cx.timers.disarm(Timer::TopUpUnanswered);
        cx.timers.disarm(Timer::TopUpAskAgain);
        return pay::give_back(visit, payment, intent, amount, cx);
    }
    finish(visit, kind, (intent, amount), disposition, cx)
}

/// What the open top-up is about.
fn ordered(intent: Seq, cx: &Context) -> Amount {
    let open = cx.books.intent(intent).expect("it is being credited");
    open.top_up_amount().expect("it is a top-up")
}

fn queue(visit: Visit, intent: Seq, disposition: Disposition, cx: &mut Context) -> Flow {
    let amount = ordered(intent, cx);
    cx.central = Some(CentralLink::Away);
    cx.queue_top_up(intent, amount);
    let number = cx.intent_id(intent).to_string();
    finish(visit, DoneKind::Pending { amount, number }, (intent, amount), disposition, cx)
}

fn finish(
    visit: Visit,
    kind: DoneKind,
    (intent, credited): (Seq, Amount),
    disposition: Disposition,
    cx: &mut Context,
) -> Flow {
    cx.timers.disarm(Timer::TopUpUnanswered);
    cx.timers.disarm(Timer::TopUpAskAgain);
    if !cx.books.customer_credit().is_zero() {
        // A note that was in doubt turned up in the cash unit meanwhile.
        return credit(visit, disposition, cx);
    }
    let still_in_doubt = visit.doubt.filter(|(doubted, _)| cx.books.intent(*doubted).is_some());
    let (intent, kind) = match still_in_doubt {
        Some((doubted, value)) => (doubted, doubt_kind(doubted, value, credited, cx)),
        None => (intent, kind),
    };
    Done::enter(Some(&visit), kind, intent, disposition, cx)
}
