//! What central checks of a kiosk's journal, by itself: it shares the words with the kiosk
//! (`kiosk-records`), not the code that folds them.

use std::collections::BTreeMap;

use domain::Amount;
use kiosk_records::{Account, Body, ClaimBasis, Hash, Posting, Record, Sealed, Seq};

/// How far a journal has come at central.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: Seq,
    pub(crate) hash: Hash,
}

impl Head {
    /// Before the first line.
    pub(crate) const NONE: Self = Self { seq: Seq(0), hash: Hash::GENESIS };
}

/// Why a batch is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Finding {
    /// It begins too late.
    #[error("the batch begins at {begins}, central has the journal up to {has}")]
    Gap { begins: Seq, has: Seq },
    /// It says something else than before.
    #[error("line {seq} is not the one central holds, or does not follow it")]
    Diverged { seq: Seq },
    /// It is no journal.
    #[error("line {seq}: {fault}")]
    Invalid { seq: Seq, fault: &'static str },
}

/// A line that is new to central, and what it says in the words of the audit.
#[derive(Clone, Debug)]
pub(crate) struct NewLine<'a> {
    pub(crate) sealed: &'a Sealed,
    pub(crate) body: Body,
}

/// The lines of `batch` that central does not have yet. `held` are the hashes central holds of the
/// batch's range.
pub(crate) fn check_batch<'a>(
    batch: &'a [Sealed],
    head: Head,
    held: &BTreeMap<Seq, Hash>,
) -> Result<Vec<NewLine<'a>>, Finding> {
    let mut last = head;
    let mut fresh = Vec::new();
    let mut expected = batch.first().map(|first| first.seq);
    for sealed in batch {
        let seq = sealed.seq;
        let invalid = |fault| Finding::Invalid { seq, fault };
        if Some(seq) != expected || seq == Seq(0) {
            return Err(invalid("the lines are not consecutive"));
        }
        expected = seq.0.checked_add(1).map(Seq);
        sealed.verify().map_err(|_| invalid("the hash is wrong"))?;
        if seq <= head.seq {
            if held.get(&seq) != Some(&sealed.hash) {
                return Err(Finding::Diverged { seq });
            }
            continue;
        }
        if Some(seq.0) != last.seq.0.checked_add(1) {
            let (begins, has) = (seq, head.seq);
            return Err(Finding::Gap { begins, has });
        }
        if sealed.prev_hash != last.hash {
            return Err(Finding::Diverged { seq });
        }
        let body = sealed.open();
        let body = body.map_err(|_| invalid("the body is not in words central knows"))?;
        if !adds_up(&body.record) {
            return Err(invalid("what the visit tendered is not all accounted for"));
        }
        last = Head { seq, hash: sealed.hash };
        fresh.push(NewLine { sealed, body });
    }
    Ok(fresh)
}

/// What a line does to an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Opens one, named by its own place.
    Opens(Opening),
    /// Says that what became of it is not known.
    Doubts { intent: Seq },
    /// Gives the customer a claim for one in doubt.
    Claims { intent: Seq },
    /// Closes one for good.
    Closes { intent: Seq, close: Close },
}

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) kind: IntentKind,
    /// `None` = what the payment took.
    pub(crate) amount: Option<Amount>,
    /// The bank-card payment that it delivers or gives back.
    pub(crate) payment: Option<Seq>,
}

/// A final outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) outcome: Outcome,
    /// What the posting moved, in cents: to compare with what was ordered.
    pub(crate) cents: i64,
    /// The customer had gone when a payment turned out to be made.
    pub(crate) is_late: bool,
}

/// What was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntentKind {
    Stack,
    TopUp,
    Payment,
    Reversal,
}

impl IntentKind {
    /// The word in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stack => "stack_ordered",
            Self::TopUp => "top_up_ordered",
            Self::Payment => "payment_ordered",
            Self::Reversal => "reversal_ordered",
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Stacked,
    Returned,
    Accepted,
    Refused,
    Approved,
    Declined,
    Reversed,
    ReversalRefused,
}

impl Outcome {
    /// The word in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stacked => "stacked",
            Self::Returned => "returned",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Reversed => "reversed",
            Self::ReversalRefused => "reversal_refused",
        }
    }

    pub(crate) const fn kind(self) -> IntentKind {
        match self {
            Self::Stacked | Self::Returned => IntentKind::Stack,
            Self::Accepted | Self::Refused => IntentKind::TopUp,
            Self::Approved | Self::Declined => IntentKind::Payment,
            Self::Reversed | Self::ReversalRefused => IntentKind::Reversal,
        }
    }

    pub(crate) const fn moves_value(self) -> bool {
        match self {
            Self::Stacked | Self::Accepted | Self::Refused | Self::Approved | Self::Reversed => {
                true
            }
            Self::Returned | Self::Declined | Self::ReversalRefused => false,
        }
    }
}

/// What `record` does to an intent, if anything.
pub(crate) fn step(record: &Record) -> Option<Step> {
    let opens = |kind, amount: &Amount, payment: Option<Seq>| {
        Some(Step::Opens(Opening { kind, amount: Some(*amount), payment }))
    };
    match record {
        Record::StackOrdered { note, .. } => opens(IntentKind::Stack, note, None),
        Record::TopUpOrdered { amount, payment, .. } => opens(IntentKind::TopUp, amount, *payment),
        Record::PaymentOrdered { amount, .. } => opens(IntentKind::Payment, amount, None),
        Record::ReversalOrdered { payment, .. } => {
            let (kind, payment) = (IntentKind::Reversal, Some(*payment));
            Some(Step::Opens(Opening { kind, amount: None, payment }))
        }
        Record::StackInDoubt { intent, .. } | Record::PaymentInDoubt { intent } => {
            Some(Step::Doubts { intent: *intent })
        }
        Record::ClaimIssued { basis: ClaimBasis::InDoubt(intent), .. } => {
            Some(Step::Claims { intent: *intent })
        }
        Record::Stacked { intent, .. }
        | Record::NoteReturned { intent, .. }
        | Record::TopUpAccepted { intent, .. }
        | Record::TopUpRefused { intent, .. }
        | Record::PaymentApproved { intent, .. }
        | Record::PaymentDeclined { intent, .. }
        | Record::PaymentReversed { intent, .. }
        | Record::ReversalRefused { intent, .. } => {
            close(record).map(|close| Step::Closes { intent: *intent, close })
        }
        Record::Booted { .. }
        | Record::SessionStarted { .. }
        | Record::NoteHandedBack { .. }
        | Record::UnexplainedNote { .. }
        | Record::RepeatedNote { .. }
        | Record::TopUpQueued { .. }
        | Record::CardDayClosed { .. }
        | Record::CardDayNotClosed { .. }
        | Record::ClaimIssued { basis: ClaimBasis::Credit, .. }
        | Record::ReceiptPrinted
        | Record::ReceiptNotPrinted { .. }
        | Record::SessionEnded { .. }
        | Record::CashUnitRemoved { .. }
        | Record::CashUnitInserted
        | Record::FaultRaised { .. }
        | Record::FaultCleared { .. }
        | Record::HotlistApplied { .. }
        | Record::RulesApplied { .. }
        | Record::ClockStepped { .. } => None,
    }
}

/// How a record closes the intent that it names.
#[expect(clippy::wildcard_enum_match_arm, reason = "one family of records")]
fn close(record: &Record) -> Option<Close> {
    let (outcome, cents) = match record {
        Record::Stacked { posting, .. } => (Outcome::Stacked, effect(posting, Account::Cashbox)),
        Record::NoteReturned { .. } => (Outcome::Returned, 0),
        Record::TopUpAccepted { posting, .. } => {
            (Outcome::Accepted, effect(posting, Account::WalletPayable).saturating_neg())
        }
        Record::TopUpRefused { posting, .. } => {
            (Outcome::Refused, effect(posting, Account::ClaimsPayable).saturating_neg())
        }
        Record::PaymentApproved { posting, .. } => {
            (Outcome::Approved, effect(posting, Account::CardTerminal))
        }
        Record::PaymentDeclined { .. } => (Outcome::Declined, 0),
        Record::PaymentReversed { posting, .. } => {
            (Outcome::Reversed, effect(posting, Account::CardTerminal).saturating_neg())
        }
        Record::ReversalRefused { .. } => (Outcome::ReversalRefused, 0),
        _ => return None,
    };
    let owed_late = |posting: &Posting| effect(posting, Account::TopUpsQueued) != 0;
    let is_late = outcome == Outcome::Approved && record.posting().is_some_and(owed_late);
    Some(Close { outcome, cents, is_late })
}

/// Like [`Posting::effect_on`], for lines that a stranger wrote: saturates.
pub(crate) fn effect(posting: &Posting, account: Account) -> i64 {
    let lines = posting.lines().iter().filter(|line| line.account == account);
    lines.fold(0, |sum, line| line.cents.saturating_add(sum))
}

/// M5: at the end of a visit all that was tendered is on the wallet, queued, owed or given back.
fn adds_up(record: &Record) -> bool {
    let Record::SessionEnded { tendered, credited, queued, claimed, given_back, .. } = record
    else {
        return true;
    };
    let mut parts = [credited, queued, claimed, given_back].into_iter();
    parts.try_fold(Amount::ZERO, |sum, part| sum.checked_add(*part)) == Some(*tendered)
}

/// A posting as central counts it: within what amounts can be, and zero in sum, added up here once
/// more and without wrapping.
pub(crate) fn balanced(posting: &Posting) -> bool {
    let mut sum = 0i64;
    posting.lines().iter().all(|line| {
        sum = sum.saturating_add(line.cents);
        line.cents.unsigned_abs() <= Amount::MAX.cents().unsigned_abs()
    }) && sum == 0
}
