use domain::{Amount, CardRef, Wall};
use driver_api::payment_terminal::{Mark, Operation, Payment, Question};
use kiosk_records::{DoubtReason, Seq};
use serde::{Deserialize, Serialize};

use super::require;

/// An ordered act whose outcome is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIntent {
    /// For which visit; `None` = for one that was over when it was ordered.
    pub visit: Option<Seq>,
    /// What.
    pub act: Act,
}

/// What was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Stack the escrowed note.
    Stack {
        /// Its face value.
        note: Amount,
        /// The unit's life counter before, where it has one.
        stacked_total: Option<u32>,
        /// Why its place is not known, once that was written down.
        doubt: Option<DoubtReason>,
        /// The customer holds a claim for it.
        claimed: bool,
    },
    /// Credit a wallet.
    TopUp {
        /// Whose.
        card_ref: CardRef,
        /// How much.
        amount: Amount,
        /// PIN not checked, balance not known.
        offline: bool,
        /// When it was ordered.
        at: Wall,
        /// The bank-card payment it is for; `None` = cash.
        payment: Option<Seq>,
        /// The visit is over; it is asked for until central answers.
        queued: bool,
    },
    /// Charge a bank card.
    Payment {
        /// Whose wallet it is for.
        card_ref: CardRef,
        /// How much.
        amount: Amount,
        /// Where the terminal's log stood.
        mark: Option<Mark>,
        /// When it was ordered.
        at: Wall,
        /// That its outcome is not known was written down.
        in_doubt: bool,
        /// The customer holds a claim for it.
        claimed: bool,
    },
    /// Give a payment back to the bank card.
    Reversal {
        /// Which.
        payment: Payment,
        /// Where the terminal's log stood.
        mark: Option<Mark>,
        /// When it was ordered.
        at: Wall,
        /// That its outcome is not known was written down.
        in_doubt: bool,
    },
}

impl OpenIntent {
    /// Does the customer hold a claim for it?
    pub const fn is_claimed(&self) -> bool {
        matches!(self.act, Act::Stack { claimed: true, .. } | Act::Payment { claimed: true, .. })
    }

    /// Is it the terminal that knows the outcome?
    pub const fn is_at_terminal(&self) -> bool {
        matches!(self.act, Act::Payment { .. } | Act::Reversal { .. })
    }

    /// Is it the terminal that knows, and nobody has written down that we do not?
    pub(crate) const fn is_new_at_terminal(&self) -> bool {
        matches!(
            self.act,
            Act::Payment { in_doubt: false, .. } | Act::Reversal { in_doubt: false, .. }
        )
    }

    /// What a top-up is about.
    pub const fn top_up_amount(&self) -> Option<Amount> {
        match self.act {
            Act::TopUp { amount, .. } => Some(amount),
            Act::Stack { .. } | Act::Payment { .. } | Act::Reversal { .. } => None,
        }
    }

    /// The bank-card payment that a top-up delivers.
    pub(crate) const fn delivers(&self) -> Option<Seq> {
        match self.act {
            Act::TopUp { payment, .. } => payment,
            Act::Stack { .. } | Act::Payment { .. } | Act::Reversal { .. } => None,
        }
    }

    /// How to ask the terminal about this order, which was `intent`.
    pub fn question(&self, intent: Seq) -> Option<Question> {
        let operation = operation(intent);
        match &self.act {
            Act::Payment { amount, mark, .. } => {
                let (amount, mark) = (*amount, mark.clone());
                Some(Question { operation, amount, mark, reversal_of: None })
            }
            Act::Reversal { payment, mark, .. } => {
                let (amount, mark) = (payment.amount, mark.clone());
                Some(Question { operation, amount, mark, reversal_of: Some(payment.clone()) })
            }
            Act::Stack { .. } | Act::TopUp { .. } => None,
        }
    }

    /// In doubt, and the customer holds nothing for it yet.
    pub(super) const fn unclaimed_doubt(&self) -> Option<Amount> {
        match self.act {
            Act::Stack { note: amount, doubt: Some(_), claimed: false, .. }
            | Act::Payment { amount, in_doubt: true, claimed: false, .. } => Some(amount),
            Act::Stack { .. } | Act::Payment { .. } | Act::TopUp { .. } | Act::Reversal { .. } => {
                None
            }
        }
    }

    pub(super) const fn is_note_in_flight(&self) -> bool {
        matches!(self.act, Act::Stack { doubt: None, .. })
    }

    pub(super) fn set_note_in_doubt(&mut self, reason: DoubtReason) -> Result<(), &'static str> {
        match &mut self.act {
            Act::Stack { doubt: doubt @ None, .. } => {
                *doubt = Some(reason);
                Ok(())
            }
            Act::Stack { .. } => Err("in doubt already"),
            Act::TopUp { .. } | Act::Payment { .. } | Act::Reversal { .. } => {
                Err("not a stack order")
            }
        }
    }

    pub(super) fn set_payment_in_doubt(&mut self) -> Result<(), &'static str> {
        match &mut self.act {
            Act::Payment { in_doubt: in_doubt @ false, .. }
            | Act::Reversal { in_doubt: in_doubt @ false, .. } => {
                *in_doubt = true;
                Ok(())
            }
            Act::Payment { .. } | Act::Reversal { .. } => Err("in doubt already"),
            Act::Stack { .. } | Act::TopUp { .. } => Err("not an order to the terminal"),
        }
    }

    pub(super) fn set_claimed(&mut self, value: Amount) -> Result<(), &'static str> {
        match &mut self.act {
            Act::Stack { note: amount, doubt: Some(_), claimed: claimed @ false, .. }
            | Act::Payment { amount, in_doubt: true, claimed: claimed @ false, .. } => {
                *claimed = true;
                require(*amount == value, "not its value")
            }
            Act::Stack { .. } | Act::Payment { .. } => Err("not in doubt, or claimed already"),
            Act::TopUp { .. } | Act::Reversal { .. } => Err("nothing to claim for"),
        }
    }

    pub(super) fn set_queued(&mut self) -> Result<Amount, &'static str> {
        match &mut self.act {
            Act::TopUp { amount, queued: queued @ false, .. } => {
                *queued = true;
                Ok(*amount)
            }
            Act::TopUp { .. } => Err("queued already"),
            Act::Stack { .. } | Act::Payment { .. } | Act::Reversal { .. } => Err("not a top-up"),
        }
    }
}

/// The terminal's number of the order that `intent` is.
///
/// # Panics
/// After four thousand million records: more than a kiosk writes in its life.
pub(crate) fn operation(intent: Seq) -> Operation {
    Operation(u32::try_from(intent.0).expect("a journal has fewer lines than that"))
}
