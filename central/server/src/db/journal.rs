use std::collections::BTreeMap;

use domain::Wall;
use kiosk_records::{Account, Hash, KioskId, Sealed, Seq};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::db::incidents::{Incident, report};
use crate::db::ledger::unreadable;
use crate::db::{card_days, intents};
use crate::domain::audit::{Finding, Head, NewLine, balanced, check_batch};

/// A batch was not taken; nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IngestError {
    #[error(transparent)]
    Audit(#[from] Finding),
    #[error("database")]
    Sqlite(#[from] sqlx::Error),
}

/// Whose journal, and when it arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) kiosk: &'a KioskId,
    pub(crate) now: Wall,
}

impl Source<'_> {
    /// Writes an incident about an intent down; gives it back, to be counted.
    pub(crate) async fn report(
        self,
        db: &mut SqliteConnection,
        incident: Incident,
        intent: Seq,
        detail: &str,
    ) -> Result<Incident, sqlx::Error> {
        let subject = format!("{}-{intent}", self.kiosk);
        let (kiosk, now_ms) = (self.kiosk.as_str(), self.now.utc_ms);
        report(db, self.tenant, incident, kiosk, &subject, detail, now_ms).await?;
        Ok(incident)
    }
}

/// What became of a batch.
#[derive(Debug)]
pub(crate) struct Taken {
    /// How far the journal is now.
    pub(crate) head: Seq,
    /// Lines that were taken, but need a look; they are written down already.
    pub(crate) incidents: Vec<Incident>,
}

/// Audits a batch and stores what is new of it.
pub(crate) async fn ingest(
    db: &mut SqliteConnection,
    source: Source<'_>,
    batch: &[Sealed],
) -> Result<Taken, IngestError> {
    let head = head(db, source).await?;
    let held = held(db, source, batch).await?;
    let fresh = check_batch(batch, head, &held)?;
    let mut taken = Taken { head: head.seq, incidents: Vec::new() };
    for line in &fresh {
        store_line(db, source, line).await?;
        store_posting(db, source, line).await?;
        taken.incidents.extend(intents::follow(db, source, line).await?);
        taken.incidents.extend(card_days::follow(db, source, line).await?);
    }
    if let Some(last) = fresh.last() {
        store_head(db, source, last.sealed).await?;
        taken.head = last.sealed.seq;
    }
    Ok(taken)
}

async fn head(db: &mut SqliteConnection, source: Source<'_>) -> Result<Head, sqlx::Error> {
    let row = sqlx::query(
        "SELECT last_seq, last_hash FROM journal_heads WHERE tenant = $1 AND kiosk = $2",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .fetch_optional(db)
    .await?;
    row.map_or(Ok(Head::NONE), |row| {
        Ok(Head {
            seq: seq_from(row.try_get("last_seq")?)?,
            hash: hash_from(row.try_get("last_hash")?)?,
        })
    })
}

/// The hashes central holds of the batch's range.
async fn held(
    db: &mut SqliteConnection,
    source: Source<'_>,
    batch: &[Sealed],
) -> Result<BTreeMap<Seq, Hash>, sqlx::Error> {
    let (Some(first), Some(last)) = (batch.first(), batch.last()) else {
        return Ok(BTreeMap::new());
    };
    let rows = sqlx::query(
        "SELECT seq, hash FROM journal_lines
         WHERE tenant = $1 AND kiosk = $2 AND seq BETWEEN $3 AND $4",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(first.seq))
    .bind(seq_to(last.seq))
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| Ok((seq_from(row.try_get("seq")?)?, hash_from(row.try_get("hash")?)?)))
        .collect()
}

async fn store_line(
    db: &mut SqliteConnection,
    source: Source<'_>,
    line: &NewLine<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO journal_lines (tenant, kiosk, seq, prev_hash, hash, kind, wall_ms,
                                    business_date, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(line.sealed.seq))
    .bind(line.sealed.prev_hash.to_string())
    .bind(line.sealed.hash.to_string())
    .bind(line.body.record.kind())
    .bind(line.body.wall_ms)
    .bind(line.body.business_date.to_string())
    .bind(&line.sealed.body)
    .execute(db)
    .await
    .map(drop)
}

async fn store_posting(
    db: &mut SqliteConnection,
    source: Source<'_>,
    line: &NewLine<'_>,
) -> Result<(), IngestError> {
    let Some(posting) = line.body.record.posting() else {
        return Ok(());
    };
    if !balanced(posting) {
        return Err(invalid(line, "the posting does not balance"));
    }
    for (place, entry) in (0i64..).zip(posting.lines()) {
        let account = account_word(entry.account);
        sqlx::query(
            "INSERT INTO journal_postings (tenant, kiosk, seq, line, account, cents)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(source.tenant)
        .bind(source.kiosk.as_str())
        .bind(seq_to(line.sealed.seq))
        .bind(place)
        .bind(&account)
        .bind(entry.cents)
        .execute(&mut *db)
        .await?;
        sqlx::query(
            "INSERT INTO journal_totals (tenant, kiosk, account, cents) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant, kiosk, account) DO UPDATE SET
                 cents = journal_totals.cents + excluded.cents",
        )
        .bind(source.tenant)
        .bind(source.kiosk.as_str())
        .bind(&account)
        .bind(entry.cents)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

async fn store_head(
    db: &mut SqliteConnection,
    source: Source<'_>,
    last: &Sealed,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO journal_heads (tenant, kiosk, last_seq, last_hash) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, kiosk) DO UPDATE SET
             last_seq = excluded.last_seq, last_hash = excluded.last_hash",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(last.seq))
    .bind(last.hash.to_string())
    .execute(db)
    .await
    .map(drop)
}

/// A line that no sound journal has.
pub(crate) fn invalid(line: &NewLine<'_>, fault: &'static str) -> IngestError {
    let seq = line.sealed.seq;
    Finding::Invalid { seq, fault }.into()
}

/// An account's word in JSON and in the database.
pub(crate) fn account_word(account: Account) -> String {
    match serde_json::to_value(account) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => unreachable!("an account is written as its name"),
    }
}

/// Sequence numbers in the database: a journal as long as `i64::MAX` does not exist.
pub(crate) fn seq_to(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

pub(crate) fn seq_from(value: i64) -> Result<Seq, sqlx::Error> {
    u64::try_from(value).map(Seq).map_err(|_| unreadable("seq"))
}

fn hash_from(text: String) -> Result<Hash, sqlx::Error> {
    Hash::try_from(text).map_err(|_| unreadable("hash"))
}
