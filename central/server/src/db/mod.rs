//! SQLite: one file, one writer, readers beside it.

pub(crate) mod audit;
mod audit_card;
mod card_days;
pub(crate) mod cards;
pub(crate) mod faults;
pub(crate) mod incidents;
mod intents;
pub(crate) mod journal;
pub(crate) mod ledger;
pub(crate) mod pin_guards;
pub(crate) mod top_ups;
mod writer;

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};
pub(crate) use writer::{Writer, execute};

/// Central's database: the writer and the readers.
#[derive(Clone, Debug)]
pub(crate) struct Db {
    pub(crate) writer: Writer,
    pub(crate) readers: SqlitePool,
}

/// As many as there may be statements beside the writer's.
const READERS_MAX: u32 = 4;

impl Db {
    /// Opens the file, makes its tables if needed. The second value ends when the writer does.
    pub(crate) async fn open(
        path: &Path,
    ) -> Result<(Self, tokio::task::JoinHandle<()>), OpenError> {
        let connection = connect(path).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .connect_with(options(path).read_only(true))
            .await?;
        let (writer, task) = Writer::spawn(connection);
        Ok((Self { writer, readers }, task))
    }
}

/// The database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It cannot be made.
    #[error("database file")]
    File(#[from] std::io::Error),
    /// It cannot be opened.
    #[error("database")]
    Sqlite(#[from] sqlx::Error),
    /// Its tables are not ours, or newer.
    #[error("database tables")]
    Tables(#[from] MigrateError),
}

/// The one connection that writes, with all tables in place.
pub(crate) async fn connect(path: &Path) -> Result<SqliteConnection, OpenError> {
    make_private(path)?;
    let mut connection = options(path).connect().await?;
    // Not `run`: generic over connections, it would take `Send` from our callers' futures.
    sqlx::migrate!("./migrations").run_direct(None, &mut connection, false).await?;
    // Frees what a crash left in the write-ahead log before customers come.
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    Ok(connection)
}

/// A connection that cannot write, and leaves the tables as they are.
pub(crate) async fn connect_to_read(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    options(path).read_only(true).connect().await
}

/// Names and hashes: for the owner alone. SQLite gives its other files the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path).map(drop)
}

/// Everything that is SQLite's own is said here, at connect.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(std::time::Duration::from_secs(5))
        .disable_statement_logging()
}

/// Closes cleanly: the write-ahead log goes into the file.
pub(crate) async fn close(connection: SqliteConnection) -> Result<(), sqlx::Error> {
    connection.close().await
}
