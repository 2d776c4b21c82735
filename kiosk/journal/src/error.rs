use std::borrow::Cow;
use std::io;

use kiosk_records::{SealError, Seq};

/// The journal could not be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is none at this path (only when it is not to be created).
    #[error("there is no journal")]
    Missing,
    /// There was one, and it is gone. A new one would use its sequence numbers again.
    #[error("the journal is lost: there was one at this path")]
    Lost,
    /// Another process writes it.
    #[error("the journal is in use by another process")]
    InUse,
    /// It belongs to another kiosk.
    #[error("the journal belongs to kiosk {found}")]
    OtherKiosk {
        /// Whose it is.
        found: String,
    },
    /// A later version of the software wrote it.
    #[error("the journal has layout {found}, we know up to {known}")]
    Layout {
        /// In the file.
        found: i64,
        /// The latest we can read.
        known: i64,
    },
    /// The file is damaged: a technician decides, not the software.
    #[error("the journal's file is damaged: {what}")]
    Damaged {
        /// What was found.
        what: String,
    },
    /// The records are not a chain.
    #[error("the journal cannot be read")]
    Read(#[source] ReadError),
    /// The files beside it: lock, reserve.
    #[error("the journal's directory")]
    Io(#[source] io::Error),
    /// Anything else from SQLite.
    #[error("sqlite")]
    Sqlite(#[source] sqlx::Error),
}

/// A batch was not committed: none of it is in the journal. All but [`CommitError::DiskFull`] are
/// bugs or broken hardware; the process ends and recovers from what is on disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Even with the reserve released.
    #[error("disk full: {free_bytes} bytes left")]
    DiskFull {
        /// As the file system says.
        free_bytes: u64,
    },
    /// Someone else wrote, or an earlier call was dropped half-way.
    #[error("record {seq} does not continue the chain")]
    BrokenChain {
        /// The first of the batch.
        seq: Seq,
    },
    /// A second final outcome, an outcome without intent, an unbalanced posting, a cursor that
    /// goes back: the journal's own rules (`schema.sql`) do not allow it.
    #[error("refused: {reason}")]
    Refused {
        /// In the words of the rule.
        reason: String,
    },
    /// More records at once than any step has ([`crate::BATCH_MAX`]).
    #[error("a batch of {records} records")]
    BatchTooLong {
        /// How many.
        records: usize,
    },
    /// An earlier commit failed in a way that leaves the file in doubt.
    #[error("an earlier commit failed: open the journal again")]
    Failed,
    /// Anything else from SQLite, I/O errors among it.
    #[error("sqlite")]
    Sqlite(#[source] sqlx::Error),
}

/// The journal could not be read, or is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A record is missing, or does not continue the one before.
    #[error("record {seq} does not continue the chain")]
    BrokenChain {
        /// Where.
        seq: Seq,
    },
    /// A record was changed, or is in words we do not know.
    #[error(transparent)]
    Seal(SealError),
    /// The columns beside a record's body do not say what the body says.
    #[error("the columns of record {seq} contradict its body")]
    Columns {
        /// Where.
        seq: Seq,
    },
    /// M3: an outcome for an intent that is closed, or never was.
    #[error("record {seq} closes intent {intent}, which is not open")]
    Outcome {
        /// The outcome.
        seq: Seq,
        /// The intent it names.
        intent: Seq,
    },
    /// The cursor or the checkpoint is beyond the last record, or names another.
    #[error("the {what} does not fit the records")]
    Position {
        /// `cursor` or `checkpoint`.
        what: &'static str,
    },
    /// The file is damaged.
    #[error("the file is damaged: {what}")]
    Damaged {
        /// SQLite's words.
        what: String,
    },
    /// Anything else from SQLite.
    #[error("sqlite")]
    Sqlite(#[source] sqlx::Error),
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        match damage(&error) {
            Some(what) => Self::Damaged { what },
            None => Self::Sqlite(error),
        }
    }
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        match damage(&error) {
            Some(what) => Self::Damaged { what },
            None => Self::Sqlite(error),
        }
    }
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged { what } => Self::Damaged { what },
            ReadError::Sqlite(error) => Self::Sqlite(error),
            error @ (ReadError::BrokenChain { .. }
            | ReadError::Seal(_)
            | ReadError::Columns { .. }
            | ReadError::Outcome { .. }
            | ReadError::Position { .. }) => Self::Read(error),
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// SQLite's extended result code, where there is one.
pub(crate) fn code(error: &sqlx::Error) -> Option<u32> {
    let code: Cow<'_, str> = error.as_database_error()?.code()?;
    code.parse().ok()
}

/// SQLITE_CORRUPT and SQLITE_NOTADB, with their variants; a value of the wrong shape in a column.
fn damage(error: &sqlx::Error) -> Option<String> {
    const CORRUPT: u32 = 11;
    const NOT_A_DATABASE: u32 = 26;
    let misshapen = matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_));
    let broken = code(error).is_some_and(|code| matches!(code & 0xFF, CORRUPT | NOT_A_DATABASE));
    (misshapen || broken).then(|| error.to_string())
}
