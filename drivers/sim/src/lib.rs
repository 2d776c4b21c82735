//! Firmware models of the devices that speak their byte protocols, with faults.
//!
//! Each model is written from the maker's documents and shares no logic with our driver of the same
//! device, so that a wrong reading of a document shows.

#![warn(missing_docs)]

pub mod card;
pub mod namespace;
pub mod pcscd;
pub mod pn532;
pub mod printer;
pub mod pty;
pub mod reader;
pub mod terminal;
pub mod validator;
pub mod vpcd;
