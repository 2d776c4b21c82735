//! Vocabulary shared by kiosk and central. Pure: no I/O, no clock, no randomness.

#![warn(missing_docs)]

mod amount;
mod card;
mod lang;
mod pii;
mod rules;
mod time;

pub use amount::{Amount, AmountError};
pub use card::{CardNumber, CardNumberError, CardRef, CardRefKey, Uid};
pub use lang::Lang;
pub use pii::{Pii, Pin, PinError};
pub use rules::{
    CardRules, MovementKind, NoteSet, OfflinePolicy, RechargeRefusal, RechargeRules, Tender,
    WalletMovement,
};
pub use time::{BusinessDate, Mono, Wall};
