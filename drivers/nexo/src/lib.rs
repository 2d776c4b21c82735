//! Bank-card terminals that speak nexo Retailer 3.0 in JSON, in the form of Adyen's Terminal API
//! with local communications; sans-IO. Pure.
//!
//! [`Nexo`] is a [`driver_api::Protocol`] whose frames are whole requests and replies
//! ([`driver_api::exchange`]): each request is POSTed once, on a connection of its own, so that an
//! abort can pass the payment that waits. From the wire upwards: `seal` (encryption), `message` and
//! `decimal` (JSON), `words` and `answer` (what a response says), `code` (its conditions), and the
//! driver itself: `driver`, `look`.
//!
//! What is peculiar to nexo and hidden here:
//! - **The till names its orders.** An order's ServiceID is its [`Operation`]: the terminal finds
//!   it again, or says that it never came. Its mark is the POIID: no other terminal is asked.
//! - A request that was lost may still be on its way: "never came" counts only once nothing of it
//!   can arrive any more (`Timing::settle`), and from an idle terminal.
//! - A terminal cannot hold an approval: what was not issued is reversed.
//!
//! Names cited are those of Adyen's Terminal API reference.
//!
//! [`Operation`]: driver_api::payment_terminal::Operation

#![warn(missing_docs)]

mod answer;
mod code;
mod config;
mod decimal;
mod driver;
mod look;
mod message;
mod seal;
#[cfg(test)]
mod tests;
mod words;

pub use config::{Config, Timing};
pub use driver::Nexo;
pub use seal::Key;
