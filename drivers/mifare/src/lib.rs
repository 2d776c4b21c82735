//! The citizen card on MIFARE Classic 1K: what is where on it, who may read and write it, how a
//! kiosk tells a genuine card without a secret of its own. Pure.
//!
//! - central makes a card: [`SectorKeys::of_card`] and [`personalise`];
//! - a kiosk reads one: [`Dialogue`] over the APDUs of its reader ([`ReaderDialect`]), which ends
//!   in [`CardKeys::verify`].
//!
//! The chip's cipher is broken and the whole card can be copied: see `docs/devices/citizen-card.md`
//! for what the signature proves and what it does not.

#![warn(missing_docs)]

pub mod access;
mod diversify;
mod identity;
mod layout;
pub mod mad;

pub use diversify::{CardMasterKey, SectorKey, SectorKeys};
pub use identity::{CardData, CardKeys, CardKeysError, Identity, NetworkCode};
pub use layout::{
    CardImage, IDENTITY_BLOCK, MAD_READ_KEY, READ_KEY, SIGNATURE_BLOCKS, TRANSPORT_KEY, personalise,
};
