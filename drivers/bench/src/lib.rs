//! The workbench: simulated devices, a page to operate them, the live screen.
//!
//! One process makes a demo town, runs the simulated devices, keeps the real programs (central,
//! pcscd, kioskd, kiosk-ui) alive around them, and serves a page and an HTTP API on loopback.

#![warn(missing_docs)]

pub mod accounts;
pub mod alone;
mod assemble;
pub mod bench;
pub mod books;
pub mod cabinet;
pub mod changes;
pub mod http;
pub mod log;
pub mod options;
pub mod process;
pub mod remote;
pub mod run;
pub mod screen;
pub mod terminal;
pub mod town;
pub mod uplink;
