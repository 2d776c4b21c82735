use std::fmt;
use std::str::FromStr;

use domain::{Amount, CardRef, Lang, Wall};
use driver_api::FaultKind;
use driver_api::acceptor::NotePlace;
use driver_api::payment_terminal::{DeclineReason, Entry, Mark, Reference};
use serde::{Deserialize, Serialize};

use crate::Posting;

/// Position in a kiosk's journal: 1, 2, 3, … without gaps.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The one after.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A kiosk of the network: 1 to 16 of `A-Z 0-9`, for instance `K0001`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KioskId(String);

/// Not a kiosk's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a kiosk id is 1 to 16 of A-Z and 0-9")]
pub struct KioskIdError;

impl KioskId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KioskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KioskId {
    type Err = KioskIdError;

    fn from_str(text: &str) -> Result<Self, KioskIdError> {
        let fits = (1..=16).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if fits { Ok(Self(text.to_owned())) } else { Err(KioskIdError) }
    }
}

impl TryFrom<String> for KioskId {
    type Error = KioskIdError;

    fn try_from(text: String) -> Result<Self, KioskIdError> {
        text.parse()
    }
}

impl From<KioskId> for String {
    fn from(id: KioskId) -> Self {
        id.0
    }
}

/// One intent of one kiosk, for ever: the kiosk and the sequence number of the record that opened
/// it. As text (`K0001-123`) it is the idempotency key towards central and the operation number on
/// the receipt. No randomness is needed to make it unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IntentId {
    /// Whose.
    pub kiosk: KioskId,
    /// Which.
    pub seq: Seq,
}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kiosk, self.seq)
    }
}

impl FromStr for IntentId {
    type Err = KioskIdError;

    fn from_str(text: &str) -> Result<Self, KioskIdError> {
        let (kiosk, seq) = text.split_once('-').ok_or(KioskIdError)?;
        let canonical = seq.bytes().all(|b| b.is_ascii_digit()) && !seq.starts_with('0');
        let seq = seq.parse().ok().filter(|_| canonical).ok_or(KioskIdError)?;
        Ok(Self { kiosk: kiosk.parse()?, seq: Seq(seq) })
    }
}

impl TryFrom<String> for IntentId {
    type Error = KioskIdError;

    fn try_from(text: String) -> Result<Self, KioskIdError> {
        text.parse()
    }
}

impl From<IntentId> for String {
    fn from(id: IntentId) -> Self {
        id.to_string()
    }
}

/// What is written down. `…Ordered` opens an intent (named by its own sequence number); an outcome
/// names the intent it closes. Never: number, UID, name, PIN, keys, raw bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// The process started. Everything volatile before it is gone.
    Booted {
        /// Of kioskd.
        version: String,
    },
    /// A visit began; its id is this record's sequence number.
    SessionStarted {
        /// Whose card.
        card_ref: CardRef,
        /// Central was away: the PIN was not checked.
        offline: bool,
        /// In which language, for what is printed after a power cut.
        lang: Lang,
    },
    /// **Intent**: the escrowed note is to be stacked.
    StackOrdered {
        /// Its face value.
        note: Amount,
        /// Notes the unit had stacked in its life before, where it counts them.
        stacked_total: Option<u32>,
    },
    /// The note is in the cash unit: Dr cashbox, Cr customer credit (Cr claims when the visit is
    /// over).
    Stacked {
        /// Which order.
        intent: Seq,
        /// How we know.
        evidence: Evidence,
        /// Balanced.
        posting: Posting,
    },
    /// The note of a stack order went back to the customer after all.
    NoteReturned {
        /// Which order.
        intent: Seq,
        /// How we know.
        evidence: Evidence,
    },
    /// Where the note of a stack order is, is not known. The order stays open.
    StackInDoubt {
        /// Which order.
        intent: Seq,
        /// Why not.
        reason: DoubtReason,
    },
    /// A note was given back from escrow; no order existed.
    NoteHandedBack {
        /// Its face value.
        note: Amount,
        /// Why.
        reason: HandBackReason,
    },
    /// The device found a note that no order explains: Dr cashbox, Cr suspense.
    UnexplainedNote {
        /// Its value, where the device could say; no posting without it.
        note: Option<Amount>,
        /// Where it is.
        place: NotePlace,
        /// Balanced.
        posting: Option<Posting>,
    },
    /// The device repeated a note that is in the books already (it had not seen our
    /// acknowledgement).
    RepeatedNote {
        /// The order it belongs to.
        intent: Seq,
    },
    /// **Intent**: central is to credit the wallet, under the key of this record.
    TopUpOrdered {
        /// Whose wallet.
        card_ref: CardRef,
        /// How much.
        amount: Amount,
        /// The PIN was not checked and the balance not known.
        offline: bool,
        /// When: a part of the request, so that every repetition is the same.
        at: Wall,
        /// The bank-card payment it is for; `None` = cash.
        payment: Option<Seq>,
    },
    /// Central did: Dr customer credit (or top-ups queued), Cr wallet payable.
    TopUpAccepted {
        /// Which order.
        intent: Seq,
        /// Central's transfer.
        ledger_ref: String,
        /// Balanced.
        posting: Posting,
    },
    /// Central will not, and has written the amount down as owed by the office: Dr customer
    /// credit (or top-ups queued), Cr claims payable. What was paid by bank card is then given
    /// back to it.
    TopUpRefused {
        /// Which order.
        intent: Seq,
        /// Why.
        reason: TopUpRefusal,
        /// Balanced.
        posting: Posting,
    },
    /// No answer yet; the order stays open and is asked again until there is one. The customer
    /// holds a receipt for it: Dr customer credit, Cr top-ups queued.
    TopUpQueued {
        /// Which order.
        intent: Seq,
        /// Balanced.
        posting: Posting,
    },
    /// **Intent**: the terminal is to take this from the customer's bank card. Its sequence number
    /// is the terminal's operation number.
    PaymentOrdered {
        /// How much.
        amount: Amount,
        /// Where the terminal's log stood, where its orders have no numbers.
        mark: Option<Mark>,
        /// When: the terminal's day it belongs to.
        at: Wall,
    },
    /// The bank card was charged: Dr card terminal, Cr customer credit (Cr top-ups queued when the
    /// customer went away without knowing).
    PaymentApproved {
        /// Which order.
        intent: Seq,
        /// The terminal's name for it, to reverse it.
        reference: Reference,
        /// The bank's code, for the treasurer.
        authorisation_code: Option<String>,
        /// The terminal's id at the acquirer.
        terminal: Option<String>,
        /// How the card was read.
        entry: Entry,
        /// Balanced.
        posting: Posting,
    },
    /// It was not charged, and will not be.
    PaymentDeclined {
        /// Which order.
        intent: Seq,
        /// Why not.
        reason: DeclineReason,
        /// The terminal's own code.
        vendor: u32,
    },
    /// What became of a payment or a reversal is not known. The order stays open and is asked about
    /// until there is an answer; nobody pays by bank card meanwhile.
    PaymentInDoubt {
        /// Which order.
        intent: Seq,
    },
    /// **Intent**: the terminal is to give a payment back that central did not credit.
    ReversalOrdered {
        /// The order that paid.
        payment: Seq,
        /// As in [`Record::PaymentOrdered`].
        mark: Option<Mark>,
        /// When: the terminal's day it belongs to.
        at: Wall,
    },
    /// It did: Dr claims payable, Cr card terminal.
    PaymentReversed {
        /// Which order.
        intent: Seq,
        /// Balanced.
        posting: Posting,
    },
    /// It did not: the office still owes it.
    ReversalRefused {
        /// Which order.
        intent: Seq,
        /// Why not.
        reason: DeclineReason,
        /// The terminal's own code.
        vendor: u32,
    },
    /// The terminal closed its day: Dr card settled, Cr card terminal, all of it.
    CardDayClosed {
        /// What the terminal says it took, less what it gave back.
        total: Amount,
        /// In how many transactions, where it tells.
        count: Option<u32>,
        /// Balanced, by what the books say; none if that is nothing.
        posting: Option<Posting>,
    },
    /// The terminal did not close its day; it is told to again.
    CardDayNotClosed {
        /// Its own code; `None` = it is not known whether it did.
        vendor: Option<u32>,
    },
    /// The customer holds a claim against the office.
    ClaimIssued {
        /// How much.
        amount: Amount,
        /// For what.
        basis: ClaimBasis,
        /// Dr customer credit, Cr claims payable; none while the value itself is in doubt.
        posting: Option<Posting>,
    },
    /// A receipt came out.
    ReceiptPrinted,
    /// It did not, or not wholly.
    ReceiptNotPrinted {
        /// Why.
        fault: FaultKind,
    },
    /// The visit ended: customer credit is zero, or a claim, or a queued order (M4).
    SessionEnded {
        /// How.
        disposition: Disposition,
        /// Notes stacked and bank cards charged in this visit.
        tendered: Amount,
        /// Of these, on the wallet.
        credited: Amount,
        /// Of these, certain to be asked for until central answers.
        queued: Amount,
        /// Of these, owed by the office.
        claimed: Amount,
        /// Of these, back on the bank card.
        given_back: Amount,
    },
    /// The cash unit was taken out: Dr collected, Cr cashbox, all of it.
    CashUnitRemoved {
        /// What the books say was in it.
        notes: u32,
        /// Balanced.
        posting: Posting,
    },
    /// A cash unit was put in; it counts from zero.
    CashUnitInserted,
    /// A device cannot go on.
    FaultRaised {
        /// Which.
        device: String,
        /// What.
        fault: FaultKind,
        /// The maker's own code.
        vendor: u32,
    },
    /// It can again.
    FaultCleared {
        /// Which.
        device: String,
        /// What.
        fault: FaultKind,
    },
    /// A new hotlist is in force.
    HotlistApplied {
        /// Its version.
        version: u64,
    },
    /// New municipal rules are in force.
    RulesApplied {
        /// SHA-256 of them, hex, the first 16 characters.
        digest: String,
    },
    /// The wall clock jumped by more than a minute against the monotonic one.
    ClockStepped {
        /// Forward positive.
        by_ms: i64,
    },
}

impl Record {
    /// The name under `kind` in the JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Booted { .. } => "booted",
            Self::SessionStarted { .. } => "session_started",
            Self::StackOrdered { .. } => "stack_ordered",
            Self::Stacked { .. } => "stacked",
            Self::NoteReturned { .. } => "note_returned",
            Self::StackInDoubt { .. } => "stack_in_doubt",
            Self::NoteHandedBack { .. } => "note_handed_back",
            Self::UnexplainedNote { .. } => "unexplained_note",
            Self::RepeatedNote { .. } => "repeated_note",
            Self::TopUpOrdered { .. } => "top_up_ordered",
            Self::TopUpAccepted { .. } => "top_up_accepted",
            Self::TopUpRefused { .. } => "top_up_refused",
            Self::TopUpQueued { .. } => "top_up_queued",
            Self::PaymentOrdered { .. } => "payment_ordered",
            Self::PaymentApproved { .. } => "payment_approved",
            Self::PaymentDeclined { .. } => "payment_declined",
            Self::PaymentInDoubt { .. } => "payment_in_doubt",
            Self::ReversalOrdered { .. } => "reversal_ordered",
            Self::PaymentReversed { .. } => "payment_reversed",
            Self::ReversalRefused { .. } => "reversal_refused",
            Self::CardDayClosed { .. } => "card_day_closed",
            Self::CardDayNotClosed { .. } => "card_day_not_closed",
            Self::ClaimIssued { .. } => "claim_issued",
            Self::ReceiptPrinted => "receipt_printed",
            Self::ReceiptNotPrinted { .. } => "receipt_not_printed",
            Self::SessionEnded { .. } => "session_ended",
            Self::CashUnitRemoved { .. } => "cash_unit_removed",
            Self::CashUnitInserted => "cash_unit_inserted",
            Self::FaultRaised { .. } => "fault_raised",
            Self::FaultCleared { .. } => "fault_cleared",
            Self::HotlistApplied { .. } => "hotlist_applied",
            Self::RulesApplied { .. } => "rules_applied",
            Self::ClockStepped { .. } => "clock_stepped",
        }
    }

    /// Its posting, where it moves value.
    pub fn posting(&self) -> Option<&Posting> {
        match self {
            Self::Stacked { posting, .. }
            | Self::TopUpAccepted { posting, .. }
            | Self::TopUpRefused { posting, .. }
            | Self::TopUpQueued { posting, .. }
            | Self::PaymentApproved { posting, .. }
            | Self::PaymentReversed { posting, .. }
            | Self::CashUnitRemoved { posting, .. } => Some(posting),
            Self::UnexplainedNote { posting, .. }
            | Self::ClaimIssued { posting, .. }
            | Self::CardDayClosed { posting, .. } => posting.as_ref(),
            Self::Booted { .. }
            | Self::SessionStarted { .. }
            | Self::StackOrdered { .. }
            | Self::NoteReturned { .. }
            | Self::StackInDoubt { .. }
            | Self::NoteHandedBack { .. }
            | Self::RepeatedNote { .. }
            | Self::TopUpOrdered { .. }
            | Self::PaymentOrdered { .. }
            | Self::PaymentDeclined { .. }
            | Self::PaymentInDoubt { .. }
            | Self::ReversalOrdered { .. }
            | Self::ReversalRefused { .. }
            | Self::CardDayNotClosed { .. }
            | Self::ReceiptPrinted
            | Self::ReceiptNotPrinted { .. }
            | Self::SessionEnded { .. }
            | Self::CashUnitInserted
            | Self::FaultRaised { .. }
            | Self::FaultCleared { .. }
            | Self::HotlistApplied { .. }
            | Self::RulesApplied { .. }
            | Self::ClockStepped { .. } => None,
        }
    }

    /// Does it open an intent?
    pub const fn opens_intent(&self) -> bool {
        matches!(
            self,
            Self::StackOrdered { .. }
                | Self::TopUpOrdered { .. }
                | Self::PaymentOrdered { .. }
                | Self::ReversalOrdered { .. }
        )
    }

    /// The intent it closes for good (M3: at most one record does so for each).
    pub const fn closes_intent(&self) -> Option<Seq> {
        match self {
            Self::Stacked { intent, .. }
            | Self::NoteReturned { intent, .. }
            | Self::TopUpAccepted { intent, .. }
            | Self::TopUpRefused { intent, .. }
            | Self::PaymentApproved { intent, .. }
            | Self::PaymentDeclined { intent, .. }
            | Self::PaymentReversed { intent, .. }
            | Self::ReversalRefused { intent, .. } => Some(*intent),
            Self::Booted { .. }
            | Self::SessionStarted { .. }
            | Self::StackOrdered { .. }
            | Self::StackInDoubt { .. }
            | Self::NoteHandedBack { .. }
            | Self::UnexplainedNote { .. }
            | Self::RepeatedNote { .. }
            | Self::TopUpOrdered { .. }
            | Self::TopUpQueued { .. }
            | Self::PaymentOrdered { .. }
            | Self::PaymentInDoubt { .. }
            | Self::ReversalOrdered { .. }
            | Self::CardDayClosed { .. }
            | Self::CardDayNotClosed { .. }
            | Self::ClaimIssued { .. }
            | Self::ReceiptPrinted
            | Self::ReceiptNotPrinted { .. }
            | Self::SessionEnded { .. }
            | Self::CashUnitRemoved { .. }
            | Self::CashUnitInserted
            | Self::FaultRaised { .. }
            | Self::FaultCleared { .. }
            | Self::HotlistApplied { .. }
            | Self::RulesApplied { .. }
            | Self::ClockStepped { .. } => None,
        }
    }
}

/// How the kiosk knows where a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The device reported this note.
    Reported,
    /// After its power-up the device reported a note without a value; only one was on its way.
    ReportedWithoutValue,
    /// Its life counter of stacked notes settled it.
    Counter,
    /// An attendant looked.
    Attendant,
}

/// Why a note's place is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtReason {
    /// The device did not answer in time.
    DeviceSilent,
    /// The line broke.
    LinkLost,
    /// It is stuck.
    Jam,
    /// Someone tried to cheat.
    Fraud,
    /// The cash unit was pulled while it moved.
    UnitRemoved,
    /// The device is back and knows nothing of it.
    NoTrace,
}

/// Why a note was given back from escrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandBackReason {
    /// Not in the municipality's set.
    NoteNotTaken,
    /// Over what may be recharged in cash at once.
    OverMax,
    /// The wallet would pass its maximum.
    OverWalletMax,
    /// Over what is allowed without central.
    OverOfflineMax,
    /// The customer cancelled.
    Cancelled,
    /// Nobody was there to take it, or the visit ended.
    NoVisit,
    /// The device gave it back by itself.
    Device,
}

/// Why central did not credit a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopUpRefusal {
    /// No card of this network has this pseudonym.
    UnknownCard,
    /// Blocked, suspended or out of date.
    CardNotActive,
    /// The wallet would hold more than its maximum.
    OverWalletMax,
    /// Less than the smallest recharge.
    UnderMin,
}

/// For what a claim was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimBasis {
    /// Customer credit that could not go to a wallet.
    Credit,
    /// A note or a bank-card payment in doubt: this order.
    InDoubt(Seq),
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// By the customer, at the end.
    Completed,
    /// By the customer, before the end.
    Cancelled,
    /// Nobody touched it any more.
    TimedOut,
    /// A device failed.
    Faulted,
    /// kioskd was asked to stop.
    Stopped,
    /// The power went; finished at the next start.
    Recovered,
}
