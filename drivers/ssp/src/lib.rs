//! ITL SSP and eSSP note validators (NV9 .. NV200), sans-IO. Pure.
//!
//! [`Ssp`] is a [`driver_api::Protocol`]: commands, bytes and ticks in; frames and events out. From
//! the line upwards: `frame` (packets), `crypt` (the encryption layer), `exchange` (one command and
//! its reply, retransmission), `event` and `dataset` (what replies say), `path` (where the note
//! is), and the driver itself: `driver`, `set_up`, `service`.
//!
//! What is peculiar to SSP and hidden here:
//! - With a note in escrow, **the next poll accepts it**. So polling stops there and HOLD is sent
//!   instead, until the core decides; and after every gap of which we do not know what happened in
//!   it, the first command that concerns notes is REJECT, not a poll.
//! - Packets are numbered, so sending one again is safe; a *new* accepting poll would not be. What
//!   is not answered for all tries is reported as [`Event::LinkLost`](driver_api::acceptor::Event).
//! - Events that carry money repeat until acknowledged, where the unit can do that (it needs
//!   encryption). They are reported to the core once.
//!
//! Sections cited are those of ITL's manuals GA138 (protocol) and GA973 (implementation guide).

#![warn(missing_docs)]

mod config;
mod crypt;
mod dataset;
mod driver;
mod event;
mod exchange;
mod frame;
mod path;
mod request;
mod service;
mod set_up;

pub use config::{Config, Encryption, FACTORY_KEY, Timing};
pub use driver::{Ssp, Statistics};
