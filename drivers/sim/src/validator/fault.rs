use std::fmt;
use std::str::FromStr;

/// What can be wrong with a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The next note that is stacked jams past the customer's reach; off = someone freed it.
    JamSafe,
    /// The next note that is stacked jams within the customer's reach; off = someone freed it.
    JamUnsafe,
    /// The next note jams while it is being read; off = someone freed it.
    JamEntering,
    /// The next note that is given back jams on its way out; off = someone freed it.
    JamReturning,
    /// What is in its path when the power comes back jams there; off = someone freed it.
    JamPowerUp,
    /// The next note that is stacked is given back instead: the mechanism was too slow.
    Refuses,
    /// A note on its way into the cash box stands still, out of reach and not reported yet; off =
    /// the motor goes on.
    Stalled,
    /// What was in its path at a power cut is told without a value.
    ForgetsValue,
    /// The next note that is stacked looks manipulated.
    Fraud,
    /// The cash box is full.
    StackerFull,
    /// The cash box is out; off = an empty one is put in.
    CashboxRemoved,
    /// The cable is pulled: the port is gone.
    Unplugged,
    /// No power. The port of its adapter stays.
    Power,
    /// Every note is refused as not recognised.
    RejectNotes,
    /// Does what it is told and never answers.
    Silent,
    /// Noise on the line: half of the answers are damaged, and there are bytes between them.
    Garbage,
    /// Answers just before the host gives up waiting.
    Slow,
}

impl Fault {
    /// In the order of their names' declaration.
    pub const ALL: [Self; 17] = [
        Self::JamSafe,
        Self::JamUnsafe,
        Self::JamEntering,
        Self::JamReturning,
        Self::JamPowerUp,
        Self::Refuses,
        Self::Stalled,
        Self::ForgetsValue,
        Self::Fraud,
        Self::StackerFull,
        Self::CashboxRemoved,
        Self::Unplugged,
        Self::Power,
        Self::RejectNotes,
        Self::Silent,
        Self::Garbage,
        Self::Slow,
    ];

    /// What holds a note fast until someone frees it.
    pub(super) const JAMS: [Self; 5] =
        [Self::JamSafe, Self::JamUnsafe, Self::JamEntering, Self::JamReturning, Self::JamPowerUp];

    /// As scripts call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JamSafe => "jam_safe",
            Self::JamUnsafe => "jam_unsafe",
            Self::JamEntering => "jam_entering",
            Self::JamReturning => "jam_returning",
            Self::JamPowerUp => "jam_power_up",
            Self::Refuses => "refuses",
            Self::Stalled => "stalled",
            Self::ForgetsValue => "forgets_value",
            Self::Fraud => "fraud",
            Self::StackerFull => "stacker_full",
            Self::CashboxRemoved => "cashbox_removed",
            Self::Unplugged => "unplugged",
            Self::Power => "power",
            Self::RejectNotes => "reject_notes",
            Self::Silent => "silent",
            Self::Garbage => "garbage",
            Self::Slow => "slow",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        let found = Self::ALL.into_iter().find(|fault| fault.name() == name);
        found.ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

/// A validator has no fault of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a validator has no fault {0:?}")]
pub struct UnknownFault(pub String);
