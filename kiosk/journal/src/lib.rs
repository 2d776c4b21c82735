//! The kiosk's journal: append-only, hash-chained, one writer, in one SQLite file. When
//! [`Journal::append`] returns, the records are on disk; only then may their effects run.
//!
//! The files beside `journal.db`: SQLite's `-wal` and `-shm`, our `.lock` (one writer) and
//! `.reserve` (given up when the disk is full, so that a visit can still be written to its end).
//! ADR 0008 says why the settings are what they are.

#![warn(missing_docs)]

mod audit;
mod beside;
mod error;
mod open;
mod reader;
mod wal;
mod writer;

pub use audit::Audit;
pub use beside::RESERVE_BYTES;
pub use error::{CommitError, OpenError, ReadError};
pub use open::{Opened, open_read_only};
pub use reader::{Pages, Reader};
pub use writer::{BATCH_MAX, Journal};
