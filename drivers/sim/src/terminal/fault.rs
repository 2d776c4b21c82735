use std::fmt;
use std::str::FromStr;

/// What can be wrong with a terminal. A fault that its protocol has no room for changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It does what it is told and says nothing.
    Silent,
    /// It says everything twice.
    Duplicate,
    /// It takes no commands: "please wait".
    Busy,
    /// No power; off = it starts again. What it was doing is lost, and what its bank had approved
    /// without an entry in its log is given back when it starts.
    Power,
    /// ZVT: its log tells of a transaction with numbers that do not follow.
    WrongTrace,
    /// The bank answers after two and a half minutes.
    SlowHost,
    /// The cable is pulled: nobody can connect.
    Unplugged,
    /// nexo: it encrypts with another passphrase.
    WrongKey,
    /// nexo: asked for any order, it is still at work on it.
    InProgress,
    /// nexo: orders do not reach it, while everything else does. It knows nothing of them.
    Deaf,
}

impl Fault {
    /// In the order of their declaration.
    pub const ALL: [Self; 10] = [
        Self::Silent,
        Self::Duplicate,
        Self::Busy,
        Self::Power,
        Self::WrongTrace,
        Self::SlowHost,
        Self::Unplugged,
        Self::WrongKey,
        Self::InProgress,
        Self::Deaf,
    ];

    /// As scripts call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Duplicate => "duplicate",
            Self::Busy => "busy",
            Self::Power => "power",
            Self::WrongTrace => "wrong_trace",
            Self::SlowHost => "slow_host",
            Self::Unplugged => "unplugged",
            Self::WrongKey => "wrong_key",
            Self::InProgress => "in_progress",
            Self::Deaf => "deaf",
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

/// A terminal has no fault of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a terminal has no fault {0:?}")]
pub struct UnknownFault(pub String);
