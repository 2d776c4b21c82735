use std::path::Path;

use kiosk_records::{Hash, Sealed, Seq};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{FromRow, Row};

use crate::ReadError;

/// Reads the journal, also while it is written: a cheap clone, with connections of its own that
/// cannot write and never hold up the writer.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(crate) pool: SqlitePool,
}

impl Reader {
    /// Connects when first used. Needs a tokio runtime.
    pub(crate) fn new(path: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let pool =
            SqlitePoolOptions::new().max_connections(CONNECTIONS_MAX).connect_lazy_with(options);
        Self { pool }
    }

    /// Up to `limit` lines from `first` on; fewer at the end, none beyond it. Each is checked
    /// against its hash and the line before.
    pub async fn from(&self, first: Seq, limit: u32) -> Result<Vec<Sealed>, ReadError> {
        let rows = self.rows(first, limit).await?;
        let mut chain = Chain::after(self.line_before(first).await?);
        rows.into_iter().map(|row| chain.link(row.sealed)).collect()
    }

    /// The whole journal from `first` on, page by page: each page is a short read of its own.
    pub fn all(&self, first: Seq) -> Pages {
        Pages { reader: self.clone(), next: first }
    }

    /// The last line's place and hash; `Seq(0)` and [`Hash::GENESIS`] when there is none.
    pub async fn tail(&self) -> Result<(Seq, Hash), ReadError> {
        let sql = "SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1";
        let row = sqlx::query(sql).fetch_optional(&self.pool).await?;
        match row {
            Some(row) => Ok((seq(&row, "seq")?, hash(&row, "hash")?)),
            None => Ok((Seq(0), Hash::GENESIS)),
        }
    }

    /// Everything up to here is at central; `Seq(0)` = nothing yet.
    pub async fn synced(&self) -> Result<Seq, ReadError> {
        let row = sqlx::query("SELECT synced FROM cursor").fetch_one(&self.pool).await?;
        seq(&row, "synced")
    }

    /// Whose journal it is.
    pub async fn kiosk(&self) -> Result<String, ReadError> {
        let row = sqlx::query("SELECT kiosk FROM meta").fetch_one(&self.pool).await?;
        Ok(row.try_get("kiosk")?)
    }

    /// The last checkpoint, if there is one and it is whole: the state that
    /// [`crate::Journal::save_checkpoint`] was given, after the record at its place. It is derived
    /// from the records, so that a damaged one is no loss but time.
    pub async fn checkpoint(&self) -> Result<Option<(Seq, Vec<u8>)>, ReadError> {
        let sql = "SELECT checkpoint.seq, checkpoint.hash, state, digest, record.hash AS of_record
            FROM checkpoint LEFT JOIN record ON record.seq = checkpoint.seq";
        let Some(row) = sqlx::query(sql).fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        let (at, hash_then) = (seq(&row, "seq")?, hash(&row, "hash")?);
        let state: Vec<u8> = row.try_get("state")?;
        let whole = hash(&row, "digest")? == checkpoint_digest(at, &state)
            && hash(&row, "of_record")? == hash_then;
        if !whole {
            tracing::warn!(seq = %at, "the checkpoint is damaged: folding the whole journal");
        }
        Ok(whole.then_some((at, state)))
    }

    /// With the columns beside the body, unchecked.
    pub(crate) async fn rows(&self, first: Seq, limit: u32) -> Result<Vec<Line>, ReadError> {
        let sql = "SELECT seq, prev_hash, hash, kind, opens, closes, body
            FROM record WHERE seq >= ? ORDER BY seq LIMIT ?";
        let rows =
            sqlx::query(sql).bind(first.0.cast_signed()).bind(limit).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(Line::from_row(row)?)).collect()
    }

    /// Place and hash of what `first` must chain to.
    pub(crate) async fn line_before(&self, first: Seq) -> Result<(Seq, Hash), ReadError> {
        let before = Seq(first.0.saturating_sub(1));
        if before == Seq(0) {
            return Ok((before, Hash::GENESIS));
        }
        let row = sqlx::query("SELECT hash FROM record WHERE seq = ?")
            .bind(before.0.cast_signed())
            .fetch_optional(&self.pool)
            .await?;
        match row {
            Some(row) => Ok((before, hash(&row, "hash")?)),
            // Beyond the end there is nothing to chain.
            None => Ok((before, Hash::GENESIS)),
        }
    }
}

/// The journal in pages of `PAGE_LEN` checked lines.
#[derive(Debug)]
pub struct Pages {
    reader: Reader,
    next: Seq,
}

impl Pages {
    /// The next page, never empty; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<Sealed>>, ReadError> {
        let page = self.reader.from(self.next, PAGE_LEN).await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        self.next = last.seq.next();
        Ok(Some(page))
    }
}

/// Checks that each line is whole and continues the one before.
pub(crate) struct Chain {
    last: (Seq, Hash),
}

impl Chain {
    pub(crate) fn after(last: (Seq, Hash)) -> Self {
        Self { last }
    }

    pub(crate) fn last(&self) -> (Seq, Hash) {
        self.last
    }

    pub(crate) fn link(&mut self, line: Sealed) -> Result<Sealed, ReadError> {
        let (seq, hash) = self.last;
        if line.seq != seq.next() || line.prev_hash != hash {
            return Err(ReadError::BrokenChain { seq: seq.next() });
        }
        line.verify().map_err(ReadError::Seal)?;
        self.last = (line.seq, line.hash);
        Ok(line)
    }
}

/// A row of `record`.
pub(crate) struct Line {
    pub(crate) sealed: Sealed,
    pub(crate) kind: String,
    pub(crate) opens: bool,
    pub(crate) closes: Option<Seq>,
}

impl FromRow<'_, SqliteRow> for Line {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            sealed: Sealed {
                seq: seq_of(row.try_get("seq")?)?,
                prev_hash: hash_of(row.try_get("prev_hash")?)?,
                hash: hash_of(row.try_get("hash")?)?,
                body: row.try_get("body")?,
            },
            kind: row.try_get("kind")?,
            opens: row.try_get("opens")?,
            closes: row.try_get::<Option<i64>, _>("closes")?.map(seq_of).transpose()?,
        })
    }
}

/// What guards a checkpoint's bytes.
pub(crate) fn checkpoint_digest(at: Seq, state: &[u8]) -> Hash {
    let digest = Sha256::new().chain_update(at.0.to_be_bytes()).chain_update(state).finalize();
    Hash(digest.into())
}

fn seq(row: &SqliteRow, column: &str) -> Result<Seq, ReadError> {
    Ok(seq_of(row.try_get(column)?)?)
}

fn hash(row: &SqliteRow, column: &str) -> Result<Hash, ReadError> {
    Ok(hash_of(row.try_get(column)?)?)
}

fn seq_of(value: i64) -> Result<Seq, sqlx::Error> {
    let seq = u64::try_from(value).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Seq(seq))
}

fn hash_of(value: &[u8]) -> Result<Hash, sqlx::Error> {
    let hash = value.try_into().map_err(|_| sqlx::Error::Decode("a hash is 32 bytes".into()))?;
    Ok(Hash(hash))
}

/// The sync task and whoever looks at the books.
const CONNECTIONS_MAX: u32 = 2;
/// Lines in a page: some 400 kB.
pub(crate) const PAGE_LEN: u32 = 1_000;
