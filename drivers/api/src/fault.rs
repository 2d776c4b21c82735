use serde::{Deserialize, Serialize};

/// Something a device cannot go on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What broke, in words all makers share.
    pub kind: FaultKind,
    /// Who can mend it.
    pub remedy: Remedy,
    /// Is the place of some money unknown now?
    pub money: MoneyRisk,
    /// The maker's own code, for the log.
    pub vendor: VendorCode,
}

impl Fault {
    /// A fault without a maker's code and with no money in doubt.
    pub const fn new(kind: FaultKind, remedy: Remedy) -> Self {
        Self { kind, remedy, money: MoneyRisk::None, vendor: VendorCode(0) }
    }
}

/// What broke, in words all makers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// No answer, or the line is gone.
    LinkLost,
    /// It answers, but not in its protocol.
    Garbled,
    /// Something is stuck where the customer cannot reach it.
    Jam,
    /// Someone tried to cheat it.
    Fraud,
    /// The cash unit is full.
    UnitFull,
    /// The cash unit is not in place.
    UnitRemoved,
    /// No paper.
    PaperEnd,
    /// A cover is open.
    CoverOpen,
    /// The paper cutter is stuck.
    Cutter,
    /// Keys or pairing do not match: a technician must set the unit up.
    NotPaired,
    /// The device itself says it is defective.
    Defective,
}

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Nobody: it may pass by itself.
    Retry,
    /// The customer.
    Customer,
    /// Who empties the cash and fills the paper.
    Attendant,
    /// Who repairs.
    Technician,
}

/// Is the place of some money unknown?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyRisk {
    /// No.
    None,
    /// Yes.
    InDoubt,
}

/// The maker's own code; meaningful only with the driver's page in `docs/devices/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VendorCode(pub u32);
