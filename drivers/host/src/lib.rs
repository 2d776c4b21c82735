//! The one tokio loop that runs any wire protocol over a serial line, TCP or HTTPS.
//!
//! [`drive`] owns the protocol and its line: it opens the line (again and again, with a growing
//! pause), feeds bytes, ticks and commands to the protocol, and carries its frames and events away.
//! It decides nothing about devices.

#![warn(missing_docs)]

mod backoff;
mod drive;
#[cfg(feature = "https")]
mod https;
mod line;
#[cfg_attr(not(feature = "recording"), allow(dead_code, unreachable_pub))]
mod tap;
#[cfg(feature = "https")]
mod trust;

pub use drive::drive;
#[cfg(feature = "recording")]
pub use drive::drive_recorded;
#[cfg(feature = "https")]
pub use https::HttpsLine;
pub use line::{Line, Parity, SerialLine, StopBits, TcpLine};
#[cfg(feature = "recording")]
pub use tap::{JsonLines, Tap};
#[cfg(feature = "https")]
pub use trust::{Trust, TrustError};
