//! A recharge by bank card: how much, then everything at the terminal.

use domain::Amount;
use driver_api::payment_terminal::{Approval, DeclineReason, Event, Hint};
use kiosk_records::{Disposition, HandBackReason, Seq};
use ui_proto::{Action, ByCard, ByCardOff, DoneKind};

use super::{Done, Flow, Input, Visit, credit, insert, stray_note, unwind};
use crate::Timer;
use crate::context::Context;
use crate::till::{self, Settled};

/// Paying by bank card: who, and how far.
pub(crate) struct Pay {
    pub(crate) visit: Visit,
    pub(crate) stage: Stage,
}

/// How far the payment is.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// The customer is to say how much.
    Choosing,
    /// The terminal has the order.
    Paying { intent: Seq, amount: Amount, hint: Hint, called_off: bool },
    /// Nothing was charged.
    Declined { amount: Amount, reason: DeclineReason },
    /// Whether it was charged is not known; the terminal is asked.
    Checking { intent: Seq, amount: Amount },
    /// Central will not credit it: the terminal gives it back.
    GivingBack { payment: Seq, top_up: Seq, amount: Amount },
}

impl Stage {
    const fn name(&self) -> &'static str {
        match self {
            Self::Choosing => "choosing_amount",
            Self::Paying { .. } => "paying",
            Self::Declined { .. } => "payment_declined",
            Self::Checking { .. } => "checking_payment",
            Self::GivingBack { .. } => "giving_back",
        }
    }
}

/// Can this visit pay by bank card now?
pub(crate) fn by_card(visit: &Visit, cx: &Context) -> ByCard {
    let Some(balance) = visit.balance().filter(|_| cx.config.has_terminal) else {
        return ByCard::NotHere;
    };
    let terminal = &cx.devices.terminal;
    if cx.books.at_terminal().is_some() || cx.books.to_give_back().is_some() {
        ByCard::Off(ByCardOff::Checking)
    } else if !terminal.works() {
        ByCard::Off(ByCardOff::Terminal)
    } else if cx.central_away() {
        ByCard::Off(ByCardOff::Central)
    } else if cx.rules.card_amounts(balance).is_empty() {
        ByCard::Off(ByCardOff::WalletFull)
    } else if !terminal.is_idle() {
        ByCard::Off(ByCardOff::Busy)
    } else {
        ByCard::Open
    }
}

/// What can be chosen.
pub(crate) fn amounts(visit: &Visit, cx: &Context) -> Vec<Amount> {
    visit.balance().map(|balance| cx.rules.card_amounts(balance)).unwrap_or_default()
}

/// May another try with a card help?
pub(crate) fn can_retry(visit: &Visit, cx: &Context) -> bool {
    by_card(visit, cx) == ByCard::Open
}

pub(super) fn begin(visit: Visit, cx: &mut Context) -> Flow {
    match by_card(&visit, cx) {
        ByCard::Open => stay(visit, Stage::Choosing),
        ByCard::NotHere | ByCard::Off(_) => Flow::Home(visit),
    }
}

impl Pay {
    pub(super) const fn name(&self) -> &'static str {
        self.stage.name()
    }

    pub(super) const fn waits_for_customer(&self) -> bool {
        match self.stage {
            Stage::Choosing | Stage::Declined { .. } => true,
            // The terminal has a clock of its own for the customer.
            Stage::Paying { .. } | Stage::Checking { .. } | Stage::GivingBack { .. } => false,
        }
    }

    pub(super) fn step(self, input: Input, cx: &mut Context) -> Flow {
        let Self { visit, stage } = self;
        if let Input::Acceptor(event) = &input {
            stray_note(event, HandBackReason::Cancelled, cx);
        }
        match stage {
            Stage::Choosing => choosing(visit, input, cx),
            Stage::Paying { intent, amount, hint, called_off } => {
                paying(visit, (intent, amount), hint, called_off, input, cx)
            }
            Stage::Declined { amount, reason } => declined(visit, amount, reason, input, cx),
            Stage::Checking { intent, amount } => checking(visit, intent, amount, input, cx),
            Stage::GivingBack { payment, top_up, amount } => {
                giving_back(visit, payment, (top_up, amount), input, cx)
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest changes nothing")]
fn choosing(visit: Visit, input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Action(Action::Amount(amount)) if amounts(&visit, cx).contains(&amount) => {
            order(visit, amount, cx)
        }
        Input::Action(Action::Back) => Flow::Home(visit),
        Input::Action(Action::Cancel) => unwind(visit, Disposition::Cancelled, cx),
        Input::Expired => unwind(visit, Disposition::TimedOut, cx),
        Input::Stop => unwind(visit, Disposition::Stopped, cx),
        _ => stay(visit, Stage::Choosing),
    }
}

/// Gives the order, unless the terminal has become unable to take it: Home says why.
fn order(visit: Visit, amount: Amount, cx: &mut Context) -> Flow {
    if by_card(&visit, cx) != ByCard::Open {
        return Flow::Home(visit);
    }
    let intent = till::order_payment(cx, amount);
    stay(visit, Stage::Paying { intent, amount, hint: Hint::Wait, called_off: false })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest changes nothing")]
fn paying(
    visit: Visit,
    (intent, amount): (Seq, Amount),
    hint: Hint,
    called_off: bool,
    input: Input,
    cx: &mut Context,
) -> Flow {
    match input {
        Input::Till(settled, news) if settled == intent => outcome(visit, intent, amount, news, cx),
        Input::Terminal(Event::Hint(hint)) => {
            stay(visit, Stage::Paying { intent, amount, hint, called_off })
        }
        Input::Action(Action::Cancel | Action::Back) | Input::Stop if !called_off => {
            till::call_off(cx);
            stay(visit, Stage::Paying { intent, amount, hint, called_off: true })
        }
        _ => stay(visit, Stage::Paying { intent, amount, hint, called_off }),
    }
}

fn outcome(visit: Visit, intent: Seq, amount: Amount, news: Settled, cx: &mut Context) -> Flow {
    match news {
        Settled::Paid(approval) => paid(visit, approval, cx),
        Settled::Declined(_) if cx.stopping => unwind(visit, Disposition::Stopped, cx),
        Settled::Declined(reason) => {
            cx.timers.disarm(Timer::PaymentUnresolved);
            cx.touched();
            stay(visit, Stage::Declined { amount, reason })
        }
        // Only a payment is ordered here.
        Settled::InDoubt | Settled::GivenBack(_) | Settled::NotGivenBack(_) => {
            cx.arm(Timer::PaymentUnresolved);
            stay(visit, Stage::Checking { intent, amount })
        }
    }
}

fn paid(mut visit: Visit, approval: Box<Approval>, cx: &mut Context) -> Flow {
    cx.timers.disarm(Timer::PaymentUnresolved);
    visit.approval = Some(approval);
    credit::credit(visit, Disposition::Completed, cx)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest changes nothing")]
fn declined(
    visit: Visit,
    amount: Amount,
    reason: DeclineReason,
    input: Input,
    cx: &mut Context,
) -> Flow {
    match input {
        Input::Action(Action::Confirm) if can_retry(&visit, cx) => order(visit, amount, cx),
        Input::Action(Action::Recharge) if insert::recharge_off(&visit, cx).is_none() => {
            insert::begin(visit, cx)
        }
        Input::Action(Action::Back) => Flow::Home(visit),
        Input::Action(Action::Cancel) => unwind(visit, Disposition::Cancelled, cx),
        Input::Expired => unwind(visit, Disposition::TimedOut, cx),
        Input::Stop => unwind(visit, Disposition::Stopped, cx),
        _ => stay(visit, Stage::Declined { amount, reason }),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest changes nothing")]
fn checking(visit: Visit, intent: Seq, amount: Amount, input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Till(settled, news) if settled == intent => outcome(visit, intent, amount, news, cx),
        Input::Timer(Timer::PaymentUnresolved) | Input::Stop => {
            cx.claim_in_doubt(intent, amount);
            let number = cx.intent_id(intent).to_string();
            let kind = DoneKind::PaymentInDoubt { amount, number };
            Done::enter(Some(&visit), kind, intent, Disposition::Faulted, cx)
        }
        _ => stay(visit, Stage::Checking { intent, amount }),
    }
}

/// Central refused to credit what was paid. The claim is in the books already; the money goes back
/// to the card if the terminal can.
pub(super) fn give_back(
    visit: Visit,
    payment: Seq,
    top_up: Seq,
    amount: Amount,
    cx: &mut Context,
) -> Flow {
    cx.arm(Timer::PaymentUnresolved);
    till::give_back_next(cx);
    stay(visit, Stage::GivingBack { payment, top_up, amount })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest changes nothing")]
fn giving_back(
    visit: Visit,
    payment: Seq,
    (top_up, amount): (Seq, Amount),
    input: Input,
    cx: &mut Context,
) -> Flow {
    let number = cx.intent_id(top_up).to_string();
    let kind = match input {
        // The terminal may have given back somebody else's first.
        Input::Till(_, Settled::GivenBack(back)) if back == payment => {
            DoneKind::GivenBack { amount, number }
        }
        Input::Till(_, Settled::NotGivenBack(kept)) if kept == payment => {
            DoneKind::Claim { amount, number }
        }
        Input::Timer(Timer::PaymentUnresolved) | Input::Stop => DoneKind::Claim { amount, number },
        _ => return stay(visit, Stage::GivingBack { payment, top_up, amount }),
    };
    cx.timers.disarm(Timer::PaymentUnresolved);
    Done::enter(Some(&visit), kind, top_up, Disposition::Completed, cx)
}

fn stay(visit: Visit, stage: Stage) -> Flow {
    Flow::Pay(Pay { visit, stage })
}
