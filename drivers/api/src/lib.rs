//! What the kiosk and its devices say to each other, one module per device class, and the
//! contract every wire protocol keeps ([`Protocol`]). Messages, not methods: the core, the
//! simulator and the shells share them. Pure.
//!
//! For driver authors: a driver never repeats a command that moves value; it reports what it knows
//! and says [`MoneyRisk::InDoubt`] for what it does not. Retries are decisions of the core.

#![warn(missing_docs)]

pub mod acceptor;
pub mod card_reader;
pub mod exchange;
mod fault;
pub mod payment_terminal;
pub mod printer;
mod protocol;
pub mod reports;

pub use fault::{Fault, FaultKind, MoneyRisk, Remedy, VendorCode};
pub use protocol::{Busy, Frame, Link, Protocol};
