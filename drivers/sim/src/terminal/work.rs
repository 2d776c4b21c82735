//! What the terminal does for one command, step by step.

use std::collections::VecDeque;
use std::time::Duration;

use super::bank::Transaction;
use super::visit::{Act, Prompt, Refusal, visit};
use super::{Cardholder, Pace};

/// A command at work.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) steps: VecDeque<Step>,
    /// The next step is not done before.
    pub(super) at: Duration,
    /// A message waits for the till's answer until then.
    pub(super) unanswered: Option<(Step, Duration)>,
    /// Until the bank says yes, a payment can be stopped.
    pub(super) is_payment: bool,
    /// The bank's yes.
    pub(super) approved: Option<Transaction>,
    /// How often the till may still say "wait" to a status information.
    pub(super) waits: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Pause(Duration),
    /// `04 FF`.
    Hint(u8),
    /// The bank is asked and says yes.
    Approve {
        cents: u64,
        original: Option<u32>,
        technology: u8,
        proof: u8,
    },
    /// `04 0F` about what was approved: the till's answer decides.
    Tell,
    /// The bank takes the day's turnover.
    CloseDay,
    /// Any other message.
    Say([u8; 2], Vec<u8>),
}

impl Work {
    pub(super) fn new(now: Duration, steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = steps.into_iter().collect();
        Self { steps, at: now, unanswered: None, is_payment: false, approved: None, waits: 0 }
    }

    pub(super) fn deadline(&self) -> Duration {
        self.unanswered.as_ref().map_or(self.at, |(_, until)| *until)
    }
}

/// The way of a payment.
pub(super) fn payment(who: Cardholder, cents: u64, pace: Pace, host: Duration) -> Vec<Step> {
    let mut steps = Vec::new();
    for act in visit(who, cents, pace, host) {
        match act {
            Act::Pause(pause) => steps.push(Step::Pause(pause)),
            Act::Show(prompt) => steps.push(Step::Hint(state(prompt))),
            Act::Approve { is_contactless, is_pin } => {
                let technology = if is_contactless { 2 } else { 1 };
                let proof = if is_pin { 2 } else { 0 };
                steps.push(Step::Approve { cents, original: None, technology, proof });
            }
            Act::Refuse(refused) => {
                steps.extend(refusal(code(refused)));
                return steps;
            }
        }
    }
    steps.extend([Step::Tell, Step::Say([0x06, 0x0F], Vec::new())]);
    steps
}

/// Intermediate states.
const fn state(prompt: Prompt) -> u8 {
    match prompt {
        Prompt::PresentCard => 0x0A,
        Prompt::Pin => 0x01,
        Prompt::WrongPin => 0x15,
        Prompt::AskingBank => 0x04,
        Prompt::RemoveCard => 0x0B,
    }
}

/// Result codes.
const fn code(refused: Refusal) -> u8 {
    match refused {
        Refusal::Bank => 5,
        // ISO 8583: PIN tries exceeded.
        Refusal::WrongPin => 75,
        Refusal::Removed => 0x72,
        Refusal::NobodyCame | Refusal::Stopped => 0x6C,
    }
}

/// A status information without a place in the log, and the end.
pub(super) fn refusal(code: u8) -> [Step; 2] {
    [Step::Say([0x04, 0x0F], vec![0x27, code]), Step::Say([0x06, 0x1E], vec![code])]
}

/// The way of a reversal.
pub(super) fn reversal(of: &Transaction, host: Duration) -> Vec<Step> {
    let (cents, original) = (of.cents, Some(of.trace));
    vec![
        Step::Hint(0x04),
        Step::Pause(host),
        Step::Approve { cents, original, technology: of.technology, proof: 0 },
        Step::Tell,
        Step::Say([0x06, 0x0F], Vec::new()),
    ]
}
