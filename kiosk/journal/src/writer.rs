use std::fmt::Write as _;
use std::sync::Arc;

use kiosk_records::{Body, Hash, Sealed, Seq};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection};

use crate::beside::{Lock, Reserve};
use crate::error::code;
use crate::reader::checkpoint_digest;
use crate::{CommitError, Reader};

/// More records than any step of the core has.
pub const BATCH_MAX: usize = 64;

/// The single writer.
///
/// Its calls are not cancel-safe: one that is dropped half-way may have been committed, and the
/// next one then fails with [`CommitError::BrokenChain`]. Fail-stop, never a fork.
#[derive(Debug)]
pub struct Journal {
    connection: SqliteConnection,
    reader: Reader,
    reserve: Reserve,
    tail: (Seq, Hash),
    /// Commits since the log was last folded into the database.
    unfolded: u32,
    state: State,
    // Last: released after the connection is gone.
    _lock: Lock,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Sound,
    /// A write failed in a way that leaves open what is on disk (fsync, I/O, a broken chain).
    Failed,
}

impl Journal {
    pub(crate) fn new(
        connection: SqliteConnection,
        reader: Reader,
        reserve: Reserve,
        tail: (Seq, Hash),
        lock: Lock,
    ) -> Self {
        Self { connection, reader, reserve, tail, unfolded: 1, state: State::Sound, _lock: lock }
    }

    /// Appends `bodies` in one transaction, synced to disk when it returns. Either all or none.
    /// Returns the sealed lines.
    pub async fn append(&mut self, bodies: Vec<Body>) -> Result<Vec<Sealed>, CommitError> {
        if bodies.is_empty() {
            return Ok(Vec::new());
        }
        if bodies.len() > BATCH_MAX {
            let records = bodies.len();
            return Err(CommitError::BatchTooLong { records });
        }
        let sealed = self.seal(&bodies);
        let sql: Arc<str> = insert_sql(bodies.len()).into();
        self.commit(|| {
            let insert = sqlx::query(AssertSqlSafe(Arc::clone(&sql)));
            bodies.iter().zip(&sealed).fold(insert, |insert, (body, line)| {
                insert
                    .bind(signed(line.seq))
                    .bind(line.prev_hash.0.to_vec())
                    .bind(line.hash.0.to_vec())
                    .bind(body.record.kind())
                    .bind(body.record.opens_intent())
                    .bind(body.record.closes_intent().map(signed))
                    .bind(line.body.clone())
            })
        })
        .await?;
        if let Some(last) = sealed.last() {
            self.tail = (last.seq, last.hash);
        }
        Ok(sealed)
    }

    /// The last line's place and hash; `Seq(0)` and [`Hash::GENESIS`] when there is none.
    pub fn tail(&self) -> (Seq, Hash) {
        self.tail
    }

    /// Keeps `state`, the books after record `at`, for the next start. Replaces the one before.
    pub async fn save_checkpoint(&mut self, at: Seq, state: Vec<u8>) -> Result<(), CommitError> {
        let digest = checkpoint_digest(at, &state);
        let written = self
            .commit(|| {
                sqlx::query(
                    "INSERT INTO checkpoint (one, seq, hash, state, digest)
                    SELECT 1, seq, hash, ?, ? FROM record WHERE seq = ?
                    ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash,
                    state = excluded.state, digest = excluded.digest",
                )
                .bind(state.clone())
                .bind(digest.0.to_vec())
                .bind(signed(at))
            })
            .await?;
        if written == 0 {
            let reason = format!("checkpoint: there is no record {at}");
            return Err(CommitError::Refused { reason });
        }
        Ok(())
    }

    /// For the sync task and everyone else: reads without holding up the writer.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Everything up to `to` is at central. Never beyond the tail, never back.
    pub async fn set_synced(&mut self, to: Seq) -> Result<(), CommitError> {
        self.commit(|| sqlx::query("UPDATE cursor SET synced = ?").bind(signed(to))).await?;
        Ok(())
    }

    /// Folds SQLite's log into the database. Call it when no customer is there: then no commit
    /// ever waits for it. (If it is never called, SQLite does it by itself after some thousand
    /// commits, in the middle of one.)
    pub async fn idle(&mut self) -> Result<(), CommitError> {
        if let Err(error) = self.reserve.retake() {
            tracing::warn!(%error, "the disk reserve cannot be taken");
        }
        if self.unfolded == 0 {
            return Ok(());
        }
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
            .execute(&mut self.connection)
            .await
            .map_err(|error| self.judge(error))?;
        // The first commit after a fold begins the log anew and syncs twice. Let it be this one,
        // not the one that a note in escrow waits for.
        self.commit(|| sqlx::query("UPDATE cursor SET folds = folds + 1")).await?;
        self.unfolded = 0;
        Ok(())
    }

    /// The disk has been full, or nearly so: the reserve is gone. Take no new customers.
    pub fn is_disk_low(&self) -> bool {
        !self.reserve.is_held()
    }

    /// Folds the log and closes the file. Dropping does the same, some time later.
    pub async fn close(self) -> Result<(), CommitError> {
        self.connection.close().await.map_err(CommitError::Sqlite)
    }

    fn seal(&self, bodies: &[Body]) -> Vec<Sealed> {
        let (mut seq, mut hash) = self.tail;
        bodies
            .iter()
            .map(|body| {
                let line = Sealed::seal(seq.next(), hash, body);
                (seq, hash) = (line.seq, line.hash);
                line
            })
            .collect()
    }

    /// Runs one statement, which is one transaction: SQLite's autocommit spares the round trips of
    /// BEGIN and COMMIT. Returns the number of rows written.
    async fn commit(&mut self, statement: impl Fn() -> Statement) -> Result<u64, CommitError> {
        if self.state == State::Failed {
            return Err(CommitError::Failed);
        }
        let mut written = self.execute(statement()).await;
        if matches!(written, Err(CommitError::DiskFull { .. })) && self.reserve.release() {
            tracing::error!("disk full: the reserve is released");
            written = self.execute(statement()).await;
        }
        written
    }

    async fn execute(&mut self, statement: Statement) -> Result<u64, CommitError> {
        match statement.execute(&mut self.connection).await {
            Ok(done) => {
                self.unfolded = self.unfolded.saturating_add(1);
                Ok(done.rows_affected())
            }
            Err(error) => Err(self.judge(error)),
        }
    }

    /// What an error means. The transaction is rolled back in every case.
    fn judge(&mut self, error: sqlx::Error) -> CommitError {
        let message = error.as_database_error().map(|error| error.message());
        match code(&error).unwrap_or(0) {
            SQLITE_FULL | SQLITE_IOERR_SHMSIZE => {
                CommitError::DiskFull { free_bytes: self.reserve.free_bytes() }
            }
            SQLITE_CONSTRAINT_TRIGGER if message.is_some_and(|m| m.starts_with("chain:")) => {
                self.state = State::Failed;
                let seq = self.tail.0.next();
                CommitError::BrokenChain { seq }
            }
            code if code & 0xFF == SQLITE_CONSTRAINT => {
                CommitError::Refused { reason: message.unwrap_or_default().to_owned() }
            }
            _ => {
                self.state = State::Failed;
                CommitError::Sqlite(error)
            }
        }
    }
}

type Statement = sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// One statement for the whole batch; SQLite keeps it prepared.
fn insert_sql(records: usize) -> String {
    let mut sql =
        "INSERT INTO record (seq, prev_hash, hash, kind, opens, closes, body) VALUES ".to_owned();
    for n in 0..records {
        let comma = if n == 0 { "" } else { ", " };
        write!(sql, "{comma}(?, ?, ?, ?, ?, ?, ?)").expect("a String takes everything");
    }
    sql
}

/// SQLite's integers are signed; no kiosk writes 2^63 records.
fn signed(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

const SQLITE_FULL: u32 = 13;
const SQLITE_CONSTRAINT: u32 = 19;
const SQLITE_CONSTRAINT_TRIGGER: u32 = 1811;
const SQLITE_IOERR_SHMSIZE: u32 = 4874;
