//! Bank-card terminals that speak ZVT over TCP or a serial line, sans-IO. Pure.
//!
//! [`Zvt`] is a [`driver_api::Protocol`]: commands, bytes and ticks in; frames and events out. From
//! the line upwards: `serial` and `apdu` (framing), `line` (either transport), `bmp` (fields and
//! TLV objects), `answer` and `code` (what they say), `log` (what the terminal's log says of an
//! order), `order` (one order that moves value), and the driver itself: `driver`, `look`.
//!
//! What is peculiar to ZVT and hidden here:
//! - **The till cannot name its orders.** So the last transaction in the terminal's log is read
//!   before and after each of them (`06 20`); its number is the [`Mark`] that the core commits with
//!   an order.
//! - A payment is approved by a status information (`04 0F`) *and* a completion (`06 0F`). One
//!   without the other is unknown, and asked.
//! - The answer to the status information says whether the goods could be issued: `84 9C` holds the
//!   payment, `84 66` makes the terminal reverse it.
//!
//! Sections cited are those of PA00P015 (commands) and PA00P016 (transports).
//!
//! [`Mark`]: driver_api::payment_terminal::Mark

#![warn(missing_docs)]

mod answer;
mod apdu;
mod bmp;
mod code;
mod config;
mod driver;
mod line;
mod log;
mod look;
mod order;
mod serial;

pub use config::{Config, Timing, Transport};
pub use driver::Zvt;
