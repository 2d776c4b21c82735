use std::collections::BTreeMap;

use domain::Amount;
use kiosk_records::{Account, Hash, KioskId, Record, Sealed, Seq};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::db::incidents::{Incident, report};
use crate::db::ledger::unreadable;
use crate::domain::audit::{
    Close, Finding, Head, IntentKind, NewLine, Step, balanced, check_batch, step,
};

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
    pub(crate) now_ms: i64,
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
        taken.incidents.extend(follow_intent(db, source, line).await?);
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

/// Opens or closes the intent that the line names. Returns what does not agree with what was
/// ordered or with central's own books: the line is kept all the same, it is what the kiosk says.
async fn follow_intent(
    db: &mut SqliteConnection,
    source: Source<'_>,
    line: &NewLine<'_>,
) -> Result<Vec<Incident>, IngestError> {
    let mut incidents = Vec::new();
    let Some(step) = step(&line.body.record) else {
        return Ok(incidents);
    };
    let (intent, close) = match step {
        Step::Opens { kind, amount } => {
            open(db, source, line, kind, amount).await?;
            return Ok(incidents);
        }
        Step::Closes { intent, close } => (intent, close),
    };
    let ordered = closed(db, source, line, intent, close).await?;
    let ordered = ordered
        .ok_or_else(|| invalid(line, "it closes an intent that is not open, or not of its kind"))?;
    if close.outcome.moves_value() && close.cents != ordered {
        let detail = format!("ordered {ordered} cents, moved {}", close.cents);
        incident(db, source, Incident::OutcomeMismatch, intent, &detail).await?;
        incidents.push(Incident::OutcomeMismatch);
    }
    let is_top_up = close.outcome.kind() == IntentKind::TopUp;
    if is_top_up && !agrees_with_own(db, source, line, intent, close).await? {
        let detail = format!("journal: {}, {} cents", close.outcome.as_str(), close.cents);
        incident(db, source, Incident::TopUpMismatch, intent, &detail).await?;
        incidents.push(Incident::TopUpMismatch);
    }
    Ok(incidents)
}

async fn open(
    db: &mut SqliteConnection,
    source: Source<'_>,
    line: &NewLine<'_>,
    kind: IntentKind,
    amount: Amount,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO journal_intents (tenant, kiosk, seq, kind, cents)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(line.sealed.seq))
    .bind(kind.as_str())
    .bind(amount.cents())
    .execute(db)
    .await
    .map(drop)
}

/// Closes an intent. Returns the amount ordered; `None` when no such intent is open.
async fn closed(
    db: &mut SqliteConnection,
    source: Source<'_>,
    line: &NewLine<'_>,
    intent: Seq,
    close: Close,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "UPDATE journal_intents SET closed_seq = $5, outcome = $6, closed_cents = $7
         WHERE tenant = $1 AND kiosk = $2 AND seq = $3 AND kind = $4 AND closed_seq IS NULL
         RETURNING cents",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(intent))
    .bind(close.outcome.kind().as_str())
    .bind(seq_to(line.sealed.seq))
    .bind(close.outcome.as_str())
    .bind(close.cents)
    .fetch_optional(db)
    .await
}

/// Does the journal say of a top-up what central's own books say?
async fn agrees_with_own(
    db: &mut SqliteConnection,
    source: Source<'_>,
    line: &NewLine<'_>,
    intent: Seq,
    close: Close,
) -> Result<bool, sqlx::Error> {
    let own = sqlx::query(
        "SELECT outcome, cents, transfer FROM top_ups
         WHERE tenant = $1 AND kiosk = $2 AND seq = $3",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(intent))
    .fetch_optional(db)
    .await?;
    let Some(own) = own else {
        return Ok(false);
    };
    let transfer: &str = own.try_get("transfer")?;
    let same_transfer = if let Record::TopUpAccepted { ledger_ref, .. } = &line.body.record {
        ledger_ref == transfer
    } else {
        true
    };
    Ok(same_transfer
        && own.try_get::<&str, _>("outcome")? == close.outcome.as_str()
        && own.try_get::<i64, _>("cents")? == close.cents)
}

async fn incident(
    db: &mut SqliteConnection,
    source: Source<'_>,
    incident: Incident,
    intent: Seq,
    detail: &str,
) -> Result<(), sqlx::Error> {
    let subject = format!("{}-{intent}", source.kiosk);
    let (kiosk, now_ms) = (source.kiosk.as_str(), source.now_ms);
    report(db, source.tenant, incident, kiosk, &subject, detail, now_ms).await
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

fn invalid(line: &NewLine<'_>, fault: &'static str) -> IngestError {
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
