//! The journal's vocabulary: what the kiosk wrote down before it acted and after it saw. Central
//! reads the same words and judges them by itself. No logic beyond what makes a wrong record
//! impossible.

#![warn(missing_docs)]

mod envelope;
mod posting;
mod record;

pub use envelope::{Body, ClockTrust, Hash, SealError, Sealed};
pub use posting::{Account, Line, Posting, PostingError};
pub use record::{
    ClaimBasis, Disposition, DoubtReason, Evidence, HandBackReason, IntentId, KioskId,
    KioskIdError, Record, Seq, TopUpRefusal,
};
