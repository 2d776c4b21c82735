//! Orders to the bank-card terminal: given once, each settled from what the terminal says, live,
//! after a lost line and after a power cut alike. While one is open nobody else pays by card.

use domain::Amount;
use driver_api::payment_terminal::{
    Approval, Capture, Command, DayEnd, Decline, DeclineReason, Event, Outcome,
};
use kiosk_records::{Account, Posting, Record, Seq};

use crate::books::operation;
use crate::canary::{Canary, planted};
use crate::context::Context;
use crate::{Act, Effect, Timer, queue};

/// What became of an order to the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The bank card was charged, for the customer who is here.
    Paid(Box<Approval>),
    /// It was not, and will not be.
    Declined(DeclineReason),
    /// This payment is back on its card.
    GivenBack(Seq),
    /// It is not, and the terminal will not.
    NotGivenBack(Seq),
    /// Not known; the terminal is being asked.
    InDoubt,
}

/// Orders the terminal to charge a bank card.
pub(crate) fn order_payment(cx: &mut Context, amount: Amount) -> Seq {
    let mark = cx.devices.terminal.take_mark();
    let record = Record::PaymentOrdered { amount, mark: mark.clone(), at: cx.now.wall };
    let intent = cx.record(record);
    let (operation, capture) = (operation(intent), Capture::AtOnce);
    send(cx, Command::Authorise { operation, amount, mark, capture });
    cx.arm(Timer::TerminalSilent);
    intent
}

/// Reads a report of the terminal and books what it settles, for whom. To be called for every
/// event of the terminal in every state.
pub(crate) fn observe(cx: &mut Context, event: &Event) -> Option<(Seq, Settled)> {
    let settled = match event {
        Event::Finished { operation, outcome } | Event::Status { operation, outcome } => {
            settle(cx, Seq(operation.0.into()), outcome)
        }
        // The driver has answered before it says so. If it did not, it has forgotten the order.
        Event::LinkLost => forgotten(cx),
        Event::Ready(_) => {
            let forgotten = forgotten(cx);
            ask(cx);
            forgotten
        }
        Event::DayEnded(end) => {
            day_ended(cx, end);
            None
        }
        // We never ask a terminal to hold an approval: what is recharged cannot be taken back.
        Event::Held { operation, .. } => {
            send(cx, Command::NotIssued(*operation));
            None
        }
        Event::Idle { .. } | Event::Hint(_) | Event::Fault(_) | Event::Cleared(_) => None,
    };
    give_back_next(cx);
    settled
}

/// What the acquirer told a person about an order, for a terminal that does not settle it any more.
pub(crate) fn attested(cx: &mut Context, intent: Seq, outcome: &Outcome) -> Option<(Seq, Settled)> {
    // Not in doubt: the terminal is about to tell.
    cx.books.intent(intent).filter(|open| !open.is_new_at_terminal())?;
    let settled = settle(cx, intent, outcome);
    give_back_next(cx);
    settled
}

fn settle(cx: &mut Context, intent: Seq, outcome: &Outcome) -> Option<(Seq, Settled)> {
    // Settled already: an answer that came twice, or to a question asked twice.
    let open = cx.books.intent(intent).filter(|open| open.is_at_terminal())?;
    let is_payment = matches!(open.act, Act::Payment { .. });
    if *outcome == Outcome::Unknown {
        if planted(Canary::UnknownIsDeclined) {
            let no = Outcome::Declined(Decline::new(DeclineReason::NotCarriedOut));
            return settle(cx, intent, &no);
        }
        cx.arm(Timer::AskTerminal);
        return doubt(cx, intent);
    }
    cx.timers.disarm(Timer::TerminalSilent);
    cx.timers.disarm(Timer::AskTerminal);
    let settled = match outcome {
        Outcome::Unknown => return None,
        Outcome::Approved(approval) if is_payment => return approved(cx, intent, approval),
        Outcome::Approved(_) => reversed(cx, intent),
        Outcome::Declined(decline) if is_payment => {
            let Decline { reason, vendor } = *decline;
            cx.record(Record::PaymentDeclined { intent, reason, vendor: vendor.0 });
            Settled::Declined(reason)
        }
        Outcome::Declined(Decline { reason: DeclineReason::Reversed, .. }) => reversed(cx, intent),
        Outcome::Declined(decline) => {
            let (payment, _) = undone(cx, intent);
            let Decline { reason, vendor } = *decline;
            cx.record(Record::ReversalRefused { intent, reason, vendor: vendor.0 });
            cx.arm(Timer::GiveBack);
            Settled::NotGivenBack(payment)
        }
    };
    Some((intent, settled))
}

/// The bank card was charged. Who is still here gets it as credit; for who went away, or holds a
/// claim, it is ordered onto the wallet at once.
fn approved(cx: &mut Context, intent: Seq, approval: &Approval) -> Option<(Seq, Settled)> {
    let Approval { amount, .. } = *approval;
    if amount.is_zero() {
        let reason = DeclineReason::Terminal;
        cx.record(Record::PaymentDeclined { intent, reason, vendor: 0 });
        return Some((intent, Settled::Declined(reason)));
    }
    let is_here = cx.books.is_awaited(intent);
    let owed = if is_here { Account::CustomerCredit } else { Account::TopUpsQueued };
    cx.record(Record::PaymentApproved {
        intent,
        reference: approval.reference.clone(),
        authorisation_code: approval.authorisation_code.clone(),
        terminal: approval.terminal.clone(),
        entry: approval.entry,
        posting: Posting::transfer(Account::CardTerminal, owed, amount),
    });
    cx.arm_once(Timer::CardDay);
    if is_here {
        return Some((intent, Settled::Paid(Box::new(approval.clone()))));
    }
    if !planted(Canary::LateIsForgotten) {
        cx.order_late_top_up(intent);
        queue::ask_next(cx);
    }
    None
}

fn reversed(cx: &mut Context, intent: Seq) -> Settled {
    let (payment, amount) = undone(cx, intent);
    let posting = Posting::transfer(Account::ClaimsPayable, Account::CardTerminal, amount);
    cx.record(Record::PaymentReversed { intent, posting });
    cx.arm_once(Timer::CardDay);
    Settled::GivenBack(payment)
}

/// The payment that an open reversal undoes, and its amount.
fn undone(cx: &Context, intent: Seq) -> (Seq, Amount) {
    let question = cx.books.intent(intent).and_then(|open| open.question(intent));
    let payment = question.and_then(|question| question.reversal_of);
    let payment = payment.expect("the caller found an open reversal");
    (Seq(payment.operation.0.into()), payment.amount)
}

/// Writes down, once, that the outcome is not known.
fn doubt(cx: &mut Context, intent: Seq) -> Option<(Seq, Settled)> {
    if !cx.books.intent(intent)?.is_new_at_terminal() {
        return None;
    }
    cx.timers.disarm(Timer::TerminalSilent);
    cx.record(Record::PaymentInDoubt { intent });
    Some((intent, Settled::InDoubt))
}

fn forgotten(cx: &mut Context) -> Option<(Seq, Settled)> {
    let (intent, _) = cx.books.at_terminal()?;
    doubt(cx, intent)
}

/// The terminal has been silent for too long about the order it has.
pub(crate) fn silent(cx: &mut Context) -> Option<(Seq, Settled)> {
    let settled = forgotten(cx);
    ask(cx);
    settled
}

/// After a power cut: whatever the terminal had been ordered, its outcome is not known.
pub(crate) fn begin(cx: &mut Context) {
    // It is asked once it is ready.
    let _ = forgotten(cx);
    if cx.books.card_day().is_some() {
        cx.arm(Timer::CardDay);
    }
}

/// Asks what became of an order in doubt.
pub(crate) fn ask(cx: &mut Context) {
    let question = cx.books.at_terminal().and_then(|(intent, open)| open.question(intent));
    if let Some(question) = question.filter(|_| cx.devices.terminal.is_linked()) {
        send(cx, Command::AskStatus(question));
    }
}

/// Orders the oldest payment that is to be given back, as soon as the terminal takes orders.
pub(crate) fn give_back_next(cx: &mut Context) {
    let may_order = cx.devices.terminal.is_idle()
        && cx.books.at_terminal().is_none()
        && !cx.timers.is_armed(Timer::GiveBack)
        && !planted(Canary::NeverGivenBack);
    let Some((payment, paid)) = cx.books.to_give_back().filter(|_| may_order) else {
        return;
    };
    let undone = paid.payment(payment);
    let mark = cx.devices.terminal.take_mark();
    let at = cx.now.wall;
    let intent = cx.record(Record::ReversalOrdered { payment, mark: mark.clone(), at });
    send(cx, Command::Reverse { operation: operation(intent), payment: undone, mark });
    cx.arm(Timer::TerminalSilent);
}

/// Lets the terminal close its day once the date has changed. To be called while nobody is here.
pub(crate) fn close_day(cx: &mut Context) {
    let is_over = cx.books.card_day().is_some_and(|first| {
        first.business_date() < cx.now.wall.business_date() && cx.books.to_give_back().is_none()
    });
    if is_over && cx.devices.terminal.is_idle() && cx.books.at_terminal().is_none() {
        cx.devices.terminal.occupy();
        send(cx, Command::EndOfDay);
    }
}

fn day_ended(cx: &mut Context, end: &DayEnd) {
    let totals = match end {
        DayEnd::Closed(totals) if cx.books.at_terminal().is_none() => totals,
        DayEnd::Closed(_) | DayEnd::Unknown => {
            cx.record(Record::CardDayNotClosed { vendor: None });
            return;
        }
        DayEnd::Refused(vendor) => {
            cx.record(Record::CardDayNotClosed { vendor: Some(vendor.0) });
            return;
        }
    };
    let taken = cx.books.ledger().balance(Account::CardTerminal);
    let value = Amount::from_cents(taken.abs()).expect("the ledger keeps it within an amount");
    let posting = match taken.signum() {
        1 => Some(Posting::transfer(Account::CardSettled, Account::CardTerminal, value)),
        -1 => Some(Posting::transfer(Account::CardTerminal, Account::CardSettled, value)),
        _ => None,
    };
    cx.record(Record::CardDayClosed { total: totals.amount, count: totals.count, posting });
    cx.timers.disarm(Timer::CardDay);
}

fn send(cx: &mut Context, command: Command) {
    cx.effect(Effect::Terminal(command));
}

/// The customer wants to stop: the outcome tells whether it came in time.
pub(crate) fn call_off(cx: &mut Context) {
    send(cx, Command::Abort);
}
