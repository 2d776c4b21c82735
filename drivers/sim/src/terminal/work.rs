//! What the terminal does for one command, step by step.

use std::collections::VecDeque;
use std::time::Duration;

use super::bank::Transaction;
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

/// Without a PIN up to this, in cents [RTS 2018/389 art. 11].
const CONTACTLESS_MAX: u64 = 5000;

/// The way of a payment.
pub(super) fn payment(who: Cardholder, cents: u64, pace: Pace, host: Duration) -> Vec<Step> {
    let mut steps = vec![Step::Hint(0x0A), Step::Pause(pace.customer)];
    let pin = [Step::Hint(0x01), Step::Pause(pace.customer)];
    let bank = [Step::Hint(0x04), Step::Pause(host)];
    let approve = |technology, proof| Step::Approve { cents, original: None, technology, proof };
    let done = [Step::Tell, Step::Say([0x06, 0x0F], Vec::new())];
    match who {
        Cardholder::Contactless if cents <= CONTACTLESS_MAX => {
            steps.extend(bank);
            steps.push(approve(2, 0));
            steps.extend(done);
        }
        Cardholder::Contactless | Cardholder::ChipAndPin => {
            steps.extend(pin);
            steps.extend(bank);
            steps.push(approve(if who == Cardholder::Contactless { 2 } else { 1 }, 2));
            if who == Cardholder::ChipAndPin {
                steps.push(Step::Hint(0x0B));
            }
            steps.extend(done);
        }
        Cardholder::Declined => {
            steps.extend(bank);
            steps.extend(refusal(5));
        }
        Cardholder::WrongPin => {
            for _ in 0..3 {
                steps.extend(pin.clone());
                steps.push(Step::Hint(0x15));
            }
            // ISO 8583: PIN tries exceeded.
            steps.extend(refusal(75));
        }
        Cardholder::RemovesCard => {
            steps.extend(pin);
            steps.extend(refusal(0x72));
        }
        Cardholder::WalksOff => {
            steps.push(Step::Pause(pace.patience));
            steps.extend(refusal(0x6C));
        }
    }
    steps
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
