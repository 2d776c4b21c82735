//! The physical truth: where each note is. It outlives the firmware's power.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long the mechanics take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From the bezel to escrow.
    pub read: Duration,
    /// From escrow past the point of no return.
    pub credit: Duration,
    /// From there into the cash box.
    pub stack: Duration,
    /// Back to the bezel.
    pub reject: Duration,
    /// From power to the first answer.
    pub boot: Duration,
}

impl Pace {
    /// As an NV200 does it.
    pub const REAL: Self = Self {
        read: Duration::from_millis(1200),
        credit: Duration::from_millis(600),
        stack: Duration::from_millis(700),
        reject: Duration::from_millis(800),
        boot: Duration::from_secs(3),
    };

    /// As fast as a driver can still see every stage, for tests in real time.
    pub const FAST: Self = Self {
        read: Duration::from_millis(20),
        credit: Duration::from_millis(20),
        stack: Duration::from_millis(20),
        reject: Duration::from_millis(20),
        boot: Duration::from_millis(50),
    };
}

/// What an onlooker with X-ray eyes sees of the note path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// No note.
    Clear,
    /// A note on this side of the point of no return: in, held, or on its way in or out.
    InReach,
    /// A note past it.
    Past,
    /// Stuck on this side.
    JammedInReach,
    /// Stuck past it.
    JammedPast,
}

/// Where the one note in the machine is. Times are of the simulation's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Clear,
    Entering {
        cents: u32,
        until: Duration,
    },
    Escrow {
        cents: u32,
    },
    /// Between escrow and the point of no return.
    Leaving {
        cents: u32,
        since: Duration,
        until: Duration,
    },
    /// Past it: the customer cannot pull it back.
    Stacking {
        cents: u32,
        until: Duration,
    },
    Rejecting {
        cents: u32,
        until: Duration,
    },
    Jammed {
        cents: u32,
        /// Past the customer's reach.
        is_safe: bool,
        /// Its value was read before.
        is_read: bool,
    },
}

impl Place {
    pub(super) fn cents(self) -> Option<u32> {
        match self {
            Self::Clear => None,
            Self::Entering { cents, .. }
            | Self::Escrow { cents }
            | Self::Leaving { cents, .. }
            | Self::Stacking { cents, .. }
            | Self::Rejecting { cents, .. }
            | Self::Jammed { cents, .. } => Some(cents),
        }
    }

    pub(super) fn seen(self) -> Seen {
        match self {
            Self::Clear => Seen::Clear,
            Self::Entering { .. }
            | Self::Escrow { .. }
            | Self::Leaving { .. }
            | Self::Rejecting { .. } => Seen::InReach,
            Self::Stacking { .. } => Seen::Past,
            Self::Jammed { is_safe: false, .. } => Seen::JammedInReach,
            Self::Jammed { is_safe: true, .. } => Seen::JammedPast,
        }
    }

    /// For the snapshot.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Entering { .. } => "entering",
            Self::Escrow { .. } => "escrow",
            Self::Leaving { .. } | Self::Stacking { .. } => "stacking",
            Self::Rejecting { .. } => "rejecting",
            Self::Jammed { .. } => "jammed",
        }
    }

    /// When the motors bring it to the next place.
    pub(super) fn until(self) -> Option<Duration> {
        match self {
            Self::Entering { until, .. }
            | Self::Leaving { until, .. }
            | Self::Stacking { until, .. }
            | Self::Rejecting { until, .. } => Some(until),
            Self::Clear | Self::Escrow { .. } | Self::Jammed { .. } => None,
        }
    }
}

/// Notes by value in cents, and how many of each.
pub type Notes = BTreeMap<u32, u32>;

/// What stays in a unit while nobody runs it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contents {
    /// Notes in the cash box, by value in cents.
    pub cash_box: Notes,
    /// Notes in boxes that were taken out, by value in cents.
    pub collected: Notes,
    /// Notes the unit says it ever stacked.
    pub stacked_total: u32,
}

/// Where all notes are.
#[derive(Debug)]
pub(super) struct Mechanics {
    pub(super) place: Place,
    pub(super) is_box_in: bool,
    /// In the cash box that is, or was last, in the unit.
    pub(super) cash_box: Notes,
    /// In boxes that were taken out.
    pub(super) collected: Notes,
    /// In the customer's hand again.
    pub(super) returned: Vec<u32>,
}

impl Mechanics {
    pub(super) fn new(contents: &Contents) -> Self {
        Self {
            place: Place::Clear,
            is_box_in: true,
            cash_box: contents.cash_box.clone(),
            collected: contents.collected.clone(),
            returned: Vec::new(),
        }
    }

    pub(super) fn drop_into_box(&mut self, cents: u32) {
        *self.cash_box.entry(cents).or_default() += 1;
        self.place = Place::Clear;
    }

    pub(super) fn hand_back(&mut self, cents: u32) {
        self.returned.push(cents);
        self.place = Place::Clear;
    }

    /// The attendant takes the box with what is in it; an empty one comes in its place.
    pub(super) fn take_box(&mut self) {
        self.is_box_in = false;
        for (cents, count) in std::mem::take(&mut self.cash_box) {
            *self.collected.entry(cents).or_default() += count;
        }
    }
}

impl Snapshot {
    /// What is to be handed to the next run ([`super::Options::contents`]).
    pub fn contents(&self) -> Contents {
        Contents {
            cash_box: self.cash_box.clone(),
            collected: self.collected.clone(),
            stacked_total: self.stacked_total,
        }
    }
}

/// What an onlooker with X-ray eyes sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Notes in the cash box, by value in cents.
    pub cash_box: Notes,
    /// Notes in boxes that were taken out, by value in cents.
    pub collected: Notes,
    /// `clear`, `entering`, `escrow`, `stacking`, `rejecting`, `jammed`.
    pub path: &'static str,
    /// The note in the path, in cents.
    pub note: Option<u32>,
    /// Notes given back, in cents, until somebody takes them from the snapshot.
    pub returned: Vec<u32>,
    /// Notes the unit says it ever stacked.
    pub stacked_total: u32,
    /// Would it take a note now?
    pub is_enabled: bool,
    /// Faults that are on, by name.
    pub faults: Vec<&'static str>,
}
