//! The citizen card on MIFARE Classic 1K: what is where on it, who may read and write it, how a
//! kiosk tells a genuine card without a secret of its own. Pure.
//!
//! - central makes a card: [`SectorKeys::of_card`] and [`personalise`];
//! - a kiosk reads one: [`Field`] says when, [`Reading`] asks the APDUs of its reader
//!   ([`ReaderDialect`]), [`Verifier`] judges what came, [`Attempts`] whether to believe it.
//!
//! The chip's cipher is broken and the whole card can be copied: see `docs/devices/citizen-card.md`
//! for what the signature proves and what it does not.

#![warn(missing_docs)]

pub mod access;
mod attempts;
mod dialect;
mod dialogue;
mod diversify;
mod field;
mod identity;
mod layout;
pub mod mad;

pub use attempts::Attempts;
pub use dialect::{KeyMemory, KeySlot, ReaderDialect};
pub use dialogue::{Failure, Next, RawCard, Reading, Verifier};
pub use diversify::{CardMasterKey, SectorKey, SectorKeys};
pub use field::{Duty, Field, Orders, Seen};
pub use identity::{CardData, CardKeys, CardKeysError, Identity, NetworkCode};
pub use layout::{
    CardImage, IDENTITY_BLOCK, MAD_READ_KEY, READ_KEY, SIGNATURE_BLOCKS, TRANSPORT_KEY, personalise,
};
