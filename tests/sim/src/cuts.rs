//! When kioskd dies at a commit: at random, or after a counted record.

use std::collections::VecDeque;

use crate::rng::Rng;
use crate::stage::Stage;

/// Where between a decision and the world the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The records are lost: as if the event had never come.
    BeforeCommit,
    /// They are on disk, and nothing was done.
    BeforeEffects,
    /// Half of it was done.
    AmidEffects,
    /// All was done.
    AfterEffects,
}

impl Cut {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::BeforeCommit, Self::BeforeEffects, Self::AmidEffects, Self::AfterEffects];
}

/// A cut at the so many-th record since the start, or since the cut before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Counted from 1.
    pub record: usize,
    /// Where.
    pub cut: Cut,
}

/// What decides.
pub struct Cuts {
    rng: Rng,
    planned: VecDeque<Planned>,
    /// Since the start of the world, or the last cut.
    records: usize,
    started_ms: u64,
}

/// Within it a cut counts as one in recovery.
const RECOVERY_MS: u64 = 60_000;

impl Cuts {
    /// At random, as the world's faults say; planned ones come first.
    pub fn new(rng: Rng, planned: impl IntoIterator<Item = Planned>) -> Self {
        Self { rng, planned: planned.into_iter().collect(), records: 0, started_ms: 0 }
    }

    /// kioskd starts.
    pub fn started(&mut self, now_ms: u64) {
        self.started_ms = now_ms;
    }

    /// Is the commit of so many records its last?
    pub fn at_commit(&mut self, records: usize, stage: &Stage) -> Option<Cut> {
        self.records += records;
        if let Some(next) = self.planned.front().filter(|next| next.record <= self.records) {
            let cut = next.cut;
            self.planned.pop_front();
            self.records = 0;
            return Some(cut);
        }
        let is_recovering = self.started_ms > 0 && stage.now_ms < self.started_ms + RECOVERY_MS;
        let rate = match is_recovering {
            true => stage.faults.cut_at_commit.max(stage.faults.cut_in_recovery),
            false => stage.faults.cut_at_commit,
        };
        self.rng.chance(rate).then(|| self.rng.pick(&Cut::ALL))
    }
}
