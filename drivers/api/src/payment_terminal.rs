//! Bank-card terminals: ZVT, nexo Retailer, or an adapter in a process of its own (Redsys).
//!
//! The life of a payment: the core commits its order → [`Command::Authorise`] → [`Event::Hint`]s →
//! [`Event::Finished`] with an [`Outcome`]. Where the core asked for it and the terminal can do it,
//! [`Event::Held`] comes before: the bank has said yes, and the money is taken only when the goods
//! are out.
//!
//! Commands that move value ([`Command::Authorise`], [`Command::Reverse`]) are given once per
//! committed order, and sent **at most once**: a driver never repeats them and never keeps them for
//! later. Each is answered by exactly one [`Event::Finished`]. What the driver cannot know is
//! [`Outcome::Unknown`], and is resolved with [`Command::AskStatus`], never by paying again. Until
//! it is resolved nobody pays.
//!
//! No card number passes here: the terminal keeps it to itself and gives what may be printed.
//! `docs/devices/payment-terminals.md` explains the contract to who writes an adapter.

use std::fmt;

use domain::{Amount, Pii};
use serde::{Deserialize, Serialize};

use crate::{Fault, FaultKind, VendorCode};

/// What the core may ask of a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take `amount` from the customer's card. **Moves value.**
    Authorise {
        /// Of the committed order.
        operation: Operation,
        /// Euro; not zero.
        amount: Amount,
        /// The terminal's mark of the moment, as committed with the order.
        mark: Option<Mark>,
        /// When the money is final.
        capture: Capture,
    },
    /// The goods of a held payment are out: take the money.
    Issued(Operation),
    /// The goods of a held payment cannot be issued: let the money go. Towards the safe state.
    NotIssued(Operation),
    /// Give back the whole amount of an approved payment. **Moves value.**
    Reverse {
        /// Of the committed reversal: another one than the payment's.
        operation: Operation,
        /// What is to be undone.
        payment: Payment,
        /// As in [`Command::Authorise`].
        mark: Option<Mark>,
    },
    /// What became of this order? Moves nothing: may be asked as often as needed, also for orders
    /// of an earlier process.
    AskStatus(Question),
    /// Stop asking the customer for a card. The outcome tells whether it came in time.
    Abort,
    /// Close the terminal's day: it hands its turnover in, and tells the totals.
    EndOfDay,
}

/// Our number of one order, from the core and never used twice at one terminal. Ten digits at most,
/// as nexo's ServiceID has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Operation(pub u32);

/// When the money of an authorisation is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// At the bank's approval.
    AtOnce,
    /// At [`Command::Issued`], where the terminal can hold ([`Capabilities::holds`]); elsewhere as
    /// [`Capture::AtOnce`], and what was not issued is reversed.
    WhenIssued,
}

/// Which terminal it is that gets an order, so that no other one is ever asked for it; and the
/// state of its log, for a protocol in which the till cannot name its orders: what is there later
/// and was not there before is the order's doing. Opaque to the core, which commits it with the
/// order and hands it back. At most [`Mark::LEN_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(pub String);

impl Mark {
    /// Longest mark, in bytes.
    pub const LEN_MAX: usize = 64;
}

/// An approved payment, as its terminal finds it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The order that paid.
    pub operation: Operation,
    /// What was paid.
    pub amount: Amount,
    /// The terminal's name for it: ZVT receipt and trace number, nexo POI transaction.
    pub reference: Reference,
}

/// A terminal's own name for one of its transactions. Opaque to the core; at most
/// [`Reference::LEN_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(pub String);

impl Reference {
    /// Longest reference, in bytes.
    pub const LEN_MAX: usize = 128;
}

/// The order whose fate is asked, as it was committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Which one.
    pub operation: Operation,
    /// What it was about.
    pub amount: Amount,
    /// The mark it was given.
    pub mark: Option<Mark>,
    /// A reversal, of this payment; `None` = a payment.
    pub reversal_of: Option<Payment>,
}

/// What a terminal reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The line is up, and the terminal is registered and idle.
    Ready(Capabilities),
    /// The terminal is ready for the next order, which is committed with this mark. Comes some
    /// time after each [`Event::Finished`], [`Event::Status`] and [`Event::DayEnded`], unless the
    /// line or the terminal fails: then [`Event::Ready`] does. An order before it may be answered
    /// [`DeclineReason::NotSent`].
    Idle {
        /// As [`Capabilities::mark`].
        mark: Option<Mark>,
    },
    /// What the customer shall do, or wait for. For the screen alone.
    Hint(Hint),
    /// The bank approved a payment that was to be captured when issued. Not final: the answer is
    /// [`Command::Issued`] or [`Command::NotIssued`], within [`Capabilities::holds`]; without one
    /// the driver lets the money go.
    Held {
        /// Of the order.
        operation: Operation,
        /// What the receipt would say.
        approval: Approval,
    },
    /// The one answer to [`Command::Authorise`] and [`Command::Reverse`].
    Finished {
        /// Of the order.
        operation: Operation,
        /// What became of it.
        outcome: Outcome,
    },
    /// The one answer to [`Command::AskStatus`].
    Status {
        /// Of the question.
        operation: Operation,
        /// What became of it. [`Outcome::Unknown`]: the terminal cannot be asked, is busy with it,
        /// or tells what does not fit: to be asked again.
        outcome: Outcome,
    },
    /// The one answer to [`Command::EndOfDay`].
    DayEnded(DayEnd),
    /// It cannot go on.
    Fault(Fault),
    /// What broke works again.
    Cleared(FaultKind),
    /// No line to the terminal. What was under way has been reported *before* this event.
    /// A fault outlives the line, until [`Event::Cleared`].
    LinkLost,
}

/// What a terminal says about itself once it is ready.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Its id at the acquirer, where it tells it.
    pub terminal: Option<String>,
    /// Firmware version, for the log.
    pub firmware: String,
    /// Its mark, for the next order; `None` = it finds orders by their number, and is the only one.
    pub mark: Option<Mark>,
    /// For how many seconds it holds an approval for [`Command::Issued`]; `None` = it cannot.
    pub holds: Option<u16>,
}

/// What became of an order that moves value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done: the bank moved the money.
    Approved(Box<Approval>),
    /// Not done, and it will not be. The only outcome after which the customer may pay again.
    Declined(Decline),
    /// Not known: to be asked.
    Unknown,
}

/// What the receipt of a card payment or reversal says, in the terminal's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What the terminal took or gave back.
    pub amount: Amount,
    /// For a reversal, and to find it in the terminal's log.
    pub reference: Reference,
    /// The card's number as it may be printed.
    pub pan: Option<MaskedPan>,
    /// "VISA DEBIT" and the like.
    pub card_name: Option<String>,
    /// Application on the chip, upper-case hexadecimal.
    pub aid: Option<String>,
    /// The bank's code.
    pub authorisation_code: Option<String>,
    /// The terminal's id at the acquirer.
    pub terminal: Option<String>,
    /// The merchant's number at the acquirer.
    pub merchant: Option<String>,
    /// How the card was read.
    pub entry: Entry,
    /// How the customer proved to be its holder.
    pub verification: Verification,
}

/// How a card was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// Held to the reader: card, phone or watch.
    Contactless,
    /// Chip, inserted.
    Chip,
    /// Magnetic stripe.
    Stripe,
    /// The terminal does not say.
    Unsaid,
}

/// How the customer proved to be the card's holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// By PIN.
    Pin,
    /// By signature.
    Signature,
    /// Not asked to.
    None,
    /// The terminal does not say, or by the customer's own device.
    Unsaid,
}

/// Why money was not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// In words all makers share: the customer is told this.
    pub reason: DeclineReason,
    /// The terminal's own code, for the log; 0 = none.
    pub vendor: VendorCode,
}

impl Decline {
    /// Without a code of the terminal.
    pub const fn new(reason: DeclineReason) -> Self {
        Self { reason, vendor: VendorCode(0) }
    }
}

/// Why money was not moved, in words all makers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeclineReason {
    /// The bank said no, without a reason that is the customer's business alone to guess.
    Bank,
    /// Not enough money or limit.
    Funds,
    /// Wrong PIN, too often.
    Pin,
    /// The card expired, is not valid yet, or is blocked.
    Card,
    /// This kind of card is not taken here.
    NotAccepted,
    /// The card could not be read, or was pulled too early.
    Unreadable,
    /// The customer, we, or the terminal's clock stopped it.
    Cancelled,
    /// The terminal does not reach the bank.
    NoHost,
    /// The goods of a held payment were not issued.
    NotIssued,
    /// A payment that had been approved is already undone.
    Reversed,
    /// The order never left this process, or the terminal refused to begin: no line, busy, a stale
    /// mark.
    NotSent,
    /// The terminal's log has nothing of it.
    NotCarriedOut,
    /// A person asked the acquirer, who has nothing of it. No driver says this.
    Attested,
    /// The terminal itself is not able to.
    Terminal,
}

/// What the customer shall do, or wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hint {
    /// Hold the card to the reader, or insert it.
    PresentCard,
    /// Insert the card: contactless does not do here.
    InsertCard,
    /// The card was not read; once more.
    TryAgain,
    /// Look at the terminal: PIN, language or application.
    UsePinPad,
    /// The PIN was wrong; once more on the terminal.
    WrongPin,
    /// The bank is being asked.
    AskingBank,
    /// Take the card out.
    RemoveCard,
    /// Nothing to do for the moment.
    Wait,
}

/// What became of [`Command::EndOfDay`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayEnd {
    /// Closed.
    Closed(Totals),
    /// Not closed, with the terminal's code: to be ordered again later.
    Refused(VendorCode),
    /// Not known. To be ordered again; totals may then be missing here and are at the acquirer.
    Unknown,
}

/// A terminal's turnover since its last end of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Payments less reversals.
    pub amount: Amount,
    /// How many transactions, where it tells them.
    pub count: Option<u32>,
}

/// A card number as it may be printed: at most the first six and the last four digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MaskedPan(Pii<String>);

impl MaskedPan {
    /// From what the terminal gave. A digit that nobody but the bank may see (PCI DSS 3.4.1) is
    /// masked here, should a terminal not have done it. No digit and no star: `None`.
    pub fn new(given: &str) -> Option<Self> {
        let signs: Vec<char> = given.chars().filter(|sign| !sign.is_whitespace()).collect();
        if signs.is_empty() || signs.len() > Self::LEN_MAX {
            return None;
        }
        // Short numbers show their end alone.
        let head = if signs.len() >= 14 { 6 } else { 0 };
        let tail = signs.len().saturating_sub(4);
        let masked = signs.iter().enumerate().map(|(place, sign)| match sign {
            '0'..='9' if place < head || place >= tail => *sign,
            _ => '*',
        });
        Some(Self(Pii::new(masked.collect())))
    }

    /// Longest number, in digits (ISO/IEC 7812).
    pub const LEN_MAX: usize = 19;

    /// For the customer's receipt.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl fmt::Debug for MaskedPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_of_the_middle_survives_even_if_a_terminal_gives_it() {
        let shown = |given| MaskedPan::new(given).map(|pan| pan.reveal().to_owned());
        assert_eq!(shown("5598 8455 5554 8074"), Some("559884******8074".to_owned()));
        assert_eq!(shown("************4771"), Some("************4771".to_owned()));
        assert_eq!(shown("4111111111"), Some("******1111".to_owned()));
        assert_eq!(shown(""), None);
        assert_eq!(shown("12345678901234567890"), None, "longer than any card number");
    }

    #[test]
    fn a_card_number_is_not_printed_into_logs() {
        let pan = MaskedPan::new("************4771");
        assert_eq!(format!("{pan:?}"), "Some(***)");
    }
}
