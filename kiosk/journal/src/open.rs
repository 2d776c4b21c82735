//! Opening: look first, read-only, and touch nothing unless all is well.

use std::path::Path;

use kiosk_records::{Body, Hash, KioskId, Seq};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

use crate::beside::{Lock, Reserve, beside};
use crate::reader::{Chain, PAGE_LEN};
use crate::{Journal, OpenError, ReadError, Reader, wal};

/// The layout of `schema.sql`.
const LAYOUT: i64 = 1;
const PAGE_BYTES: u32 = 4096;
/// A file up to this size (16 MiB) is checked whole by SQLite at every start.
const QUICK_CHECK_PAGES_MAX: i64 = 4096;
/// Pages in the log after which SQLite folds it by itself; the rule is [`Journal::idle`].
const LOG_PAGES_MAX: &str = "4096";

/// A journal, and what the start needs of it.
#[derive(Debug)]
pub struct Opened {
    /// The writer.
    pub journal: Journal,
    /// The number of this start: one more than the last record says.
    pub boot: u32,
    /// The last checkpoint and the record it stands after; `None` if there is none, or a damaged
    /// one, and then `since` is everything.
    pub checkpoint: Option<(Seq, Vec<u8>)>,
    /// What was recorded after the checkpoint.
    pub since: Vec<(Seq, Body)>,
    /// Everything up to here is at central.
    pub synced: Seq,
}

impl Journal {
    /// Opens the journal of `kiosk`, or creates it. Verifies the chain since the checkpoint (all
    /// of it if there is none). On an error nothing was changed.
    pub async fn open(path: &Path, kiosk: &KioskId) -> Result<Opened, OpenError> {
        let mut lock = Lock::take(path)?;
        let reader = Reader::new(path);
        let found = look(path, &reader, Some(kiosk)).await?;
        let contents = match found {
            Found::Journal => read(&reader).await?,
            Found::Nothing if lock.remembers_a_journal()? => return Err(OpenError::Lost),
            Found::Nothing => Contents::default(),
        };
        let mut connection = writing(path).connect().await?;
        if found == Found::Nothing {
            create(&mut connection, kiosk).await?;
            lock.remember_the_journal()?;
        }
        let reserve = Reserve::take(path)?;
        let last_boot = contents.last_boot;
        Ok(Opened {
            journal: Self::new(connection, reader, reserve, contents.tail, lock),
            boot: last_boot.saturating_add(1),
            checkpoint: contents.checkpoint,
            since: contents.since,
            synced: contents.synced,
        })
    }
}

/// Opens a journal only to read, while kioskd runs or after it died.
pub async fn open_read_only(path: &Path) -> Result<Reader, OpenError> {
    let reader = Reader::new(path);
    match look(path, &reader, None).await? {
        Found::Journal => Ok(reader),
        Found::Nothing => Err(OpenError::Missing),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Journal,
    Nothing,
}

/// Is there a journal, is it whole as far as a start can tell, and is it `kiosk`'s?
async fn look(path: &Path, reader: &Reader, kiosk: Option<&KioskId>) -> Result<Found, OpenError> {
    if tokio::fs::metadata(path).await.map_or(0, |meta| meta.len()) == 0 {
        return Ok(Found::Nothing);
    }
    check_log(path).await?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&reader.pool).await?;
    // The power went while it was created, before its first commit.
    if tables == 0 {
        return Ok(Found::Nothing);
    }
    let meta = sqlx::query("SELECT schema, kiosk FROM meta").fetch_one(&reader.pool).await?;
    let (layout, owner): (i64, String) = (meta.try_get("schema")?, meta.try_get("kiosk")?);
    if layout != LAYOUT {
        return Err(OpenError::Layout { found: layout, known: LAYOUT });
    }
    if kiosk.is_some_and(|kiosk| kiosk.as_str() != owner) {
        return Err(OpenError::OtherKiosk { found: owner });
    }
    quick_check(reader).await?;
    Ok(Found::Journal)
}

async fn check_log(path: &Path) -> Result<(), OpenError> {
    let log = match tokio::fs::read(beside(path, "-wal")).await {
        Ok(log) => log,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let page_len = usize::try_from(PAGE_BYTES).expect("4096 fits");
    match wal::damaged_frame(&log, page_len) {
        Some(frame) => Err(OpenError::Damaged { what: format!("frame {frame} of the log") }),
        None => Ok(()),
    }
}

/// SQLite's own check where it takes milliseconds. A long journal has its chain, and the audit.
async fn quick_check(reader: &Reader) -> Result<(), OpenError> {
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&reader.pool).await?;
    if pages > QUICK_CHECK_PAGES_MAX {
        return Ok(());
    }
    let verdict: String =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&reader.pool).await?;
    if verdict == "ok" { Ok(()) } else { Err(OpenError::Damaged { what: verdict }) }
}

#[derive(Default)]
struct Contents {
    checkpoint: Option<(Seq, Vec<u8>)>,
    since: Vec<(Seq, Body)>,
    tail: (Seq, Hash),
    last_boot: u32,
    synced: Seq,
}

async fn read(reader: &Reader) -> Result<Contents, ReadError> {
    let checkpoint = reader.checkpoint().await?;
    let at = checkpoint.as_ref().map_or(Seq(0), |(seq, _)| *seq);
    let mut chain = Chain::after(reader.line_before(at.next()).await?);
    let mut since = Vec::new();
    loop {
        let page = reader.rows(chain.last().0.next(), PAGE_LEN).await?;
        if page.is_empty() {
            break;
        }
        for line in page {
            let line = chain.link(line.sealed)?;
            since.push((line.seq, line.open().map_err(ReadError::Seal)?));
        }
    }
    let tail = chain.last();
    let synced = reader.synced().await?;
    if synced > tail.0 {
        return Err(ReadError::Position { what: "cursor" });
    }
    let last = reader.from(tail.0, 1).await?;
    let last_boot = match last.first() {
        Some(line) => line.open().map_err(ReadError::Seal)?.boot,
        None => 0,
    };
    Ok(Contents { checkpoint, since, tail, last_boot, synced })
}

/// ADR 0008 has the reasons.
fn writing(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .page_size(PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("wal_autocheckpoint", LOG_PAGES_MAX)
        .pragma("trusted_schema", "OFF")
}

async fn create(connection: &mut SqliteConnection, kiosk: &KioskId) -> Result<(), OpenError> {
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(include_str!("schema.sql")).execute(&mut *transaction).await?;
    sqlx::query("INSERT INTO meta (one, schema, kiosk) VALUES (1, ?, ?)")
        .bind(LAYOUT)
        .bind(kiosk.as_str().to_owned())
        .execute(&mut *transaction)
        .await?;
    sqlx::query("INSERT INTO cursor (one, synced, folds) VALUES (1, 0, 0)")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}
