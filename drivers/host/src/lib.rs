//! The one tokio loop that runs any wire protocol over a serial line.
//!
//! [`drive`] owns the protocol and its line: it opens the line (again and again, with a growing
//! pause), feeds bytes, ticks and commands to the protocol, and carries its frames and events away.
//! It decides nothing about devices.

#![warn(missing_docs)]

mod backoff;
mod drive;
mod line;
#[cfg_attr(not(feature = "recording"), allow(dead_code, unreachable_pub))]
mod tap;

pub use drive::drive;
#[cfg(feature = "recording")]
pub use drive::drive_recorded;
pub use line::{Line, Parity, SerialLine, StopBits};
#[cfg(feature = "recording")]
pub use tap::{JsonLines, Tap};
