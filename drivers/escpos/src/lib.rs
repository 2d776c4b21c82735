//! ESC/POS receipt printers: bytes, status, proof of print. Pure.
//!
//! [`Printer`] keeps the contract of a wire protocol. It prints a job at most once, and calls it
//! printed only when the printer said so after the last byte. Section names in comments are those
//! of Epson's public ESC/POS command reference; what differs between makers is in
//! `docs/devices/escpos-printers.md`.

#![warn(missing_docs)]

mod charset;
mod config;
mod layout;
mod printer;
mod receipt;
mod status;

pub use charset::CodePage;
pub use config::{Config, Cut, Proof};
pub use printer::Printer;
pub use status::{Answer, Parser, Query, Status};
