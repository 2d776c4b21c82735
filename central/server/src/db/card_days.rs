//! Ends of day of the kiosks' card terminals: what the terminal says it took, held against what the
//! journal has of it.

use kiosk_records::{Account, IntentId, Record, Seq};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::db::incidents::Incident;
use crate::db::journal::{IngestError, Source, invalid, seq_from, seq_to};
use crate::db::ledger::{self, LedgerAccount, Transfer, TransferKind, unreadable};
use crate::domain::audit::{NewLine, effect};
use crate::domain::card_day::{CardDay, Counted, Operation};

/// A difference is told with so many operations, the likeliest first.
const OPERATIONS_MAX: u32 = 30;

/// Books the end of day that a line closes, and says when it does not agree with the journal.
pub(crate) async fn follow(
    db: &mut SqliteConnection,
    source: Source<'_>,
    line: &NewLine<'_>,
) -> Result<Option<Incident>, IngestError> {
    let Record::CardDayClosed { total, count, posting } = &line.body.record else {
        return Ok(None);
    };
    let seq = line.sealed.seq;
    let before = last_close(db, source).await?;
    let counted = count_day(db, source, before).await?;
    let posted = posting.as_ref().map_or(0, |posting| effect(posting, Account::CardTerminal));
    let day = CardDay {
        terminal_cents: total.cents(),
        terminal_count: *count,
        counted,
        posted_cents: posted.saturating_neg(),
    };
    let is_money = ledger::cents(counted.cents.saturating_abs()).is_ok();
    if !is_money {
        return Err(invalid(line, "more money than there is"));
    }
    store(db, source, seq, &day).await?;
    settle(db, source, seq, counted.cents).await?;
    if day.agrees() {
        return Ok(None);
    }
    let detail = format!("{day}; {}", operations(db, source, before).await?);
    let incident = source.report(db, Incident::CardDayMismatch, seq, &detail).await?;
    Ok(Some(incident))
}

/// The line of the end of day before; 0 = none.
async fn last_close(db: &mut SqliteConnection, source: Source<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT COALESCE(MAX(seq), 0) FROM card_days WHERE tenant = $1 AND kiosk = $2",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .fetch_one(db)
    .await
}

/// What the journal has since the line `before`.
async fn count_day(
    db: &mut SqliteConnection,
    source: Source<'_>,
    before: i64,
) -> Result<Counted, sqlx::Error> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(CASE WHEN outcome = 'approved' THEN closed_cents
                                       ELSE -closed_cents END), 0) AS BIGINT) AS cents,
                COALESCE(SUM(CASE WHEN outcome = 'approved' THEN 1 ELSE 0 END), 0) AS payments,
                COALESCE(SUM(CASE WHEN outcome = 'reversed' THEN 1 ELSE 0 END), 0) AS reversals,
                (SELECT COUNT(*) FROM journal_lines l
                 WHERE l.tenant = $1 AND l.kiosk = $2 AND l.seq > $3
                       AND l.kind = 'card_day_not_closed') AS not_closed
         FROM journal_intents
         WHERE tenant = $1 AND kiosk = $2 AND closed_seq > $3
               AND outcome IN ('approved', 'reversed')",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(before)
    .fetch_one(db)
    .await?;
    Ok(Counted {
        cents: row.try_get("cents")?,
        payments: row.try_get("payments")?,
        reversals: row.try_get("reversals")?,
        not_closed: row.try_get("not_closed")?,
    })
}

async fn store(
    db: &mut SqliteConnection,
    source: Source<'_>,
    seq: Seq,
    day: &CardDay,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO card_days (tenant, kiosk, seq, terminal_cents, terminal_count, counted_cents,
                                payments, reversals, posted_cents, agrees)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(seq))
    .bind(day.terminal_cents)
    .bind(day.terminal_count)
    .bind(day.counted.cents)
    .bind(day.counted.payments)
    .bind(day.counted.reversals)
    .bind(day.posted_cents)
    .bind(i64::from(day.agrees()))
    .execute(db)
    .await
    .map(drop)
}

/// What central counted is with the acquirer now, whatever the terminal says: a difference is for a
/// person, and does not stand in the way of the next day's.
async fn settle(
    db: &mut SqliteConnection,
    source: Source<'_>,
    seq: Seq,
    cents: i64,
) -> Result<(), sqlx::Error> {
    let kiosk = source.kiosk.as_str();
    let (settled, terminal) =
        (LedgerAccount::CardSettled(kiosk), LedgerAccount::CardTerminal(kiosk));
    ledger::open_account(db, source.tenant, &settled, None).await?;
    ledger::open_account(db, source.tenant, &terminal, None).await?;
    let (debit, credit) = match cents.signum() {
        1 => (settled, terminal),
        // More went back than was taken: the acquirer gets it from the town.
        -1 => (terminal, settled),
        _ => return Ok(()),
    };
    let id = format!("CD-{kiosk}-{seq}");
    let transfer = Transfer {
        id: &id,
        debit,
        credit,
        amount: ledger::cents(cents.saturating_abs())?,
        kind: TransferKind::Settlement,
        at: source.now,
    };
    ledger::transfer(db, source.tenant, &transfer).await.map(drop)
}

/// What was at the terminal since the line `before`: first what was in doubt, claimed or late, or
/// still is, then what moved money, then the rest.
async fn operations(
    db: &mut SqliteConnection,
    source: Source<'_>,
    before: i64,
) -> Result<String, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT seq, kind, cents, closed_cents, outcome, doubt_seq, claim_seq, is_late
         FROM journal_intents
         WHERE tenant = $1 AND kiosk = $2 AND kind IN ('payment_ordered', 'reversal_ordered')
               AND (closed_seq IS NULL OR closed_seq > $3)
         ORDER BY CASE WHEN closed_seq IS NULL OR doubt_seq IS NOT NULL OR is_late = 1 THEN 0
                       WHEN outcome IN ('approved', 'reversed') THEN 1
                       ELSE 2 END, seq
         LIMIT $4",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(before)
    .bind(OPERATIONS_MAX + 1)
    .fetch_all(db)
    .await?;
    let max = usize::try_from(OPERATIONS_MAX).unwrap_or(usize::MAX);
    let named: Result<Vec<_>, sqlx::Error> = rows
        .iter()
        .take(max)
        .map(|row| operation(source, row).map(|operation| operation.to_string()))
        .collect();
    let more = if rows.len() > max { "; and more" } else { "" };
    Ok(format!("operations: {}{more}", named?.join("; ")))
}

fn operation(source: Source<'_>, row: &SqliteRow) -> Result<Operation, sqlx::Error> {
    let outcome: Option<String> = row.try_get("outcome")?;
    let is_done = outcome.as_deref().is_some_and(|word| matches!(word, "approved" | "reversed"));
    let moved = row.try_get::<Option<i64>, _>("closed_cents")?.filter(|_| is_done);
    let kiosk = source.kiosk.clone();
    Ok(Operation {
        id: IntentId { kiosk, seq: seq_from(row.try_get("seq")?)? },
        is_reversal: match row.try_get::<&str, _>("kind")? {
            "payment_ordered" => false,
            "reversal_ordered" => true,
            _ => return Err(unreadable("journal_intents.kind")),
        },
        cents: moved.map_or_else(|| row.try_get("cents"), Ok)?,
        outcome,
        in_doubt: row.try_get::<Option<i64>, _>("doubt_seq")?.is_some(),
        claimed: row.try_get::<Option<i64>, _>("claim_seq")?.is_some(),
        is_late: row.try_get::<i64, _>("is_late")? == 1,
    })
}
