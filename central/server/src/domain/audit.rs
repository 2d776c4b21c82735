//! What central checks of a kiosk's journal, by itself: it shares the words with the kiosk
//! (`kiosk-records`), not the code that folds them.

use std::collections::BTreeMap;

use domain::Amount;
use kiosk_records::{Account, Body, Hash, Posting, Record, Sealed, Seq};

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
        last = Head { seq, hash: sealed.hash };
        fresh.push(NewLine { sealed, body });
    }
    Ok(fresh)
}

/// What a line does to an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Opens one, named by its own place.
    Opens { kind: IntentKind, amount: Amount },
    /// Closes one for good.
    Closes { intent: Seq, close: Close },
}

/// A final outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) outcome: Outcome,
    /// What the posting moved, in cents: to compare with what was ordered.
    pub(crate) cents: i64,
}

/// What was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntentKind {
    Stack,
    TopUp,
}

impl IntentKind {
    /// The word in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stack => "stack_ordered",
            Self::TopUp => "top_up_ordered",
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
}

impl Outcome {
    /// The word in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stacked => "stacked",
            Self::Returned => "returned",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }

    pub(crate) const fn kind(self) -> IntentKind {
        match self {
            Self::Stacked | Self::Returned => IntentKind::Stack,
            Self::Accepted | Self::Refused => IntentKind::TopUp,
        }
    }

    pub(crate) const fn moves_value(self) -> bool {
        match self {
            Self::Stacked | Self::Accepted | Self::Refused => true,
            Self::Returned => false,
        }
    }
}

/// What `record` does to an intent, if anything.
pub(crate) fn step(record: &Record) -> Option<Step> {
    let closes = |intent: &Seq, outcome, cents| {
        Some(Step::Closes { intent: *intent, close: Close { outcome, cents } })
    };
    let opens = |kind, amount: &Amount| Some(Step::Opens { kind, amount: *amount });
    match record {
        Record::StackOrdered { note, .. } => opens(IntentKind::Stack, note),
        Record::TopUpOrdered { amount, .. } => opens(IntentKind::TopUp, amount),
        Record::Stacked { intent, posting, .. } => {
            closes(intent, Outcome::Stacked, effect(posting, Account::Cashbox))
        }
        Record::NoteReturned { intent, .. } => closes(intent, Outcome::Returned, 0),
        Record::TopUpAccepted { intent, posting, .. } => {
            let cents = effect(posting, Account::WalletPayable).saturating_neg();
            closes(intent, Outcome::Accepted, cents)
        }
        Record::TopUpRefused { intent, posting, .. } => {
            let cents = effect(posting, Account::ClaimsPayable).saturating_neg();
            closes(intent, Outcome::Refused, cents)
        }
        Record::Booted { .. }
        | Record::SessionStarted { .. }
        | Record::StackInDoubt { .. }
        | Record::NoteHandedBack { .. }
        | Record::UnexplainedNote { .. }
        | Record::RepeatedNote { .. }
        | Record::TopUpQueued { .. }
        | Record::ClaimIssued { .. }
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

/// Like [`Posting::effect_on`], for lines that a stranger wrote: saturates.
fn effect(posting: &Posting, account: Account) -> i64 {
    let lines = posting.lines().iter().filter(|line| line.account == account);
    lines.fold(0, |sum, line| line.cents.saturating_add(sum))
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
