//! What the disk can do with nothing of ours in between. Everything durable is measured beside it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

const PAGE: usize = 4096;
const PAGES: u64 = 256;

/// One page written, then `fdatasync`.
pub(crate) struct SyncedWrite {
    file: File,
    place: Place,
    next: u64,
}

/// Where a bare write goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Over pages that have their space already: the least that anything durable can cost.
    InPlace,
    /// To the end of a file that grows, as a log without a database would.
    Appended,
}

impl SyncedWrite {
    pub(crate) fn new(directory: &Path, place: Place) -> Result<Self> {
        let name = match place {
            Place::InPlace => "bare-in-place",
            Place::Appended => "bare-appended",
        };
        let file = File::create(directory.join(name))?;
        if place == Place::InPlace {
            for page in 0..PAGES {
                file.write_all_at(&[0xA5; PAGE], page * PAGE as u64)?;
            }
        }
        file.sync_all()?;
        Ok(Self { file, place, next: 0 })
    }

    pub(crate) fn measure(&mut self) -> Result<Duration> {
        let start = Instant::now();
        let page = match self.place {
            Place::InPlace => self.next % PAGES,
            Place::Appended => self.next,
        };
        self.file.write_all_at(&[self.next.to_le_bytes()[0]; PAGE], page * PAGE as u64)?;
        self.file.sync_data()?;
        self.next += 1;
        Ok(start.elapsed())
    }
}

/// One row into a table without index, trigger or constraint, with the journal's settings.
pub(crate) struct SqliteCommit {
    connection: SqliteConnection,
}

impl SqliteCommit {
    pub(crate) async fn new(directory: &Path) -> Result<Self> {
        let mut connection = SqliteConnectOptions::new()
            .filename(directory.join("bare.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "4096")
            .connect()
            .await?;
        sqlx::raw_sql("CREATE TABLE line (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
            .execute(&mut connection)
            .await?;
        Ok(Self { connection })
    }

    pub(crate) async fn measure(&mut self) -> Result<Duration> {
        let body = "x".repeat(BODY_LEN);
        let start = Instant::now();
        sqlx::query("INSERT INTO line (body) VALUES (?)")
            .bind(body)
            .execute(&mut self.connection)
            .await?;
        Ok(start.elapsed())
    }

    /// What [`kiosk_journal::Journal::idle`] does: the log's space is used again from here on.
    pub(crate) async fn fold(&mut self) -> Result<()> {
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut self.connection).await?;
        self.measure().await?;
        Ok(())
    }

    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.connection.close().await?)
    }
}

/// As long as a record.
const BODY_LEN: usize = 250;
