//! Bank cards in a kiosk's journal beside central's own books, by SQL alone.

use central_api::{CardBooks, CardDay, Difference, Doubt, Doubted, KioskBooks};
use kiosk_records::{IntentId, KioskId};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::db::journal::seq_from;
use crate::db::ledger::{cents, unreadable};

/// What came in by bank card at a kiosk, and where it is.
pub(crate) async fn card_books(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<CardBooks, sqlx::Error> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(CASE WHEN kind = 'card_top_up' THEN cents ELSE 0 END), 0)
                     AS BIGINT) AS credited,
                CAST(COALESCE(SUM(CASE WHEN kind = 'claim' THEN cents ELSE 0 END), 0)
                     AS BIGINT) AS refused,
                CAST(COALESCE(SUM(CASE WHEN kind = 'reversal' THEN cents ELSE 0 END), 0)
                     AS BIGINT) AS given_back,
                CAST(COALESCE(SUM(CASE WHEN kind <> 'settlement' THEN 0
                                       WHEN credit = 'card_terminal:' || $2 THEN cents
                                       ELSE -cents END), 0) AS BIGINT) AS settled,
                (SELECT COUNT(*) FROM journal_lines l
                 WHERE l.tenant = $1 AND l.kiosk = $2 AND l.kind = 'card_day_not_closed'
                       AND NOT EXISTS (SELECT 1 FROM card_days d
                                       WHERE d.tenant = l.tenant AND d.kiosk = l.kiosk
                                             AND d.seq > l.seq)) AS not_closed
         FROM transfers
         WHERE tenant = $1
               AND (debit = 'card_terminal:' || $2 OR credit = 'card_terminal:' || $2)",
    )
    .bind(tenant)
    .bind(kiosk.as_str())
    .fetch_one(&mut *db)
    .await?;
    let sum = |column: &str| row.try_get::<i64, _>(column);
    let (credited, refused) = (sum("credited")?, sum("refused")?);
    let (given_back, settled) = (sum("given_back")?, sum("settled")?);
    Ok(CardBooks {
        credited: cents(credited)?,
        claims: cents(refused - given_back)?,
        given_back: cents(given_back)?,
        undelivered_cents: undelivered(db, tenant, kiosk).await?,
        open_cents: credited + refused - given_back - settled,
        settled_cents: settled,
        not_closed: row.try_get("not_closed")?,
        days: days(db, tenant, kiosk).await?,
    })
}

/// Payments of the journal that no top-up at central delivers yet.
async fn undelivered(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(p.cents), 0) AS BIGINT)
         FROM journal_intents i JOIN journal_postings p
              ON p.tenant = i.tenant AND p.kiosk = i.kiosk AND p.seq = i.closed_seq
         WHERE i.tenant = $1 AND i.kiosk = $2 AND i.kind = 'payment_ordered'
               AND p.account = 'card_terminal'
               AND NOT EXISTS (
                   SELECT 1 FROM journal_intents t JOIN top_ups u
                        ON u.tenant = t.tenant AND u.kiosk = t.kiosk AND u.seq = t.seq
                   WHERE t.tenant = i.tenant AND t.kiosk = i.kiosk AND t.payment = i.seq
                         AND t.kind = 'top_up_ordered' AND u.tender = 'card')",
    )
    .bind(tenant)
    .bind(kiosk.as_str())
    .fetch_one(db)
    .await
}

async fn days(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<Vec<CardDay>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT d.seq, l.business_date, d.terminal_cents, d.terminal_count, d.counted_cents,
                d.payments, d.reversals, d.posted_cents, d.agrees
         FROM card_days d JOIN journal_lines l
              ON l.tenant = d.tenant AND l.kiosk = d.kiosk AND l.seq = d.seq
         WHERE d.tenant = $1 AND d.kiosk = $2
         ORDER BY d.seq DESC LIMIT $3",
    )
    .bind(tenant)
    .bind(kiosk.as_str())
    .bind(CardBooks::DAYS_MAX)
    .fetch_all(db)
    .await?;
    rows.iter().map(day).collect()
}

fn day(row: &SqliteRow) -> Result<CardDay, sqlx::Error> {
    Ok(CardDay {
        seq: seq_from(row.try_get("seq")?)?,
        date: row.try_get("business_date")?,
        terminal: cents(row.try_get("terminal_cents")?)?,
        terminal_count: row.try_get("terminal_count")?,
        counted_cents: row.try_get("counted_cents")?,
        payments: row.try_get("payments")?,
        reversals: row.try_get("reversals")?,
        posted_cents: row.try_get("posted_cents")?,
        agrees: row.try_get::<i64, _>("agrees")? == 1,
    })
}

/// Notes, payments and reversals of which the kiosk does not know where they are.
pub(crate) async fn doubts(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<Vec<Doubt>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT seq, kind, cents, claim_seq IS NOT NULL AS claimed FROM journal_intents
         WHERE tenant = $1 AND kiosk = $2 AND doubt_seq IS NOT NULL AND closed_seq IS NULL
         ORDER BY seq LIMIT $3",
    )
    .bind(tenant)
    .bind(kiosk.as_str())
    .bind(KioskBooks::DOUBTS_MAX)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Doubt {
                intent: intent(kiosk, row, "seq")?,
                what: match row.try_get::<&str, _>("kind")? {
                    "stack_ordered" => Doubted::Note,
                    "payment_ordered" => Doubted::Payment,
                    "reversal_ordered" => Doubted::Reversal,
                    _ => return Err(unreadable("journal_intents.kind")),
                },
                cents: row.try_get("cents")?,
                claimed: row.try_get("claimed")?,
            })
        })
        .collect()
}

fn intent(kiosk: &KioskId, row: &SqliteRow, column: &str) -> Result<IntentId, sqlx::Error> {
    Ok(IntentId { kiosk: kiosk.clone(), seq: seq_from(row.try_get(column)?)? })
}

/// Where journal and central do not say the same of bank cards.
pub(crate) async fn card_differences(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<Vec<Difference>, sqlx::Error> {
    let mut found = deliveries(db, tenant, kiosk).await?;
    found.extend(reversals(db, tenant, kiosk).await?);
    found.extend(sums(db, tenant, kiosk).await?);
    Ok(found)
}

/// Top-ups that name a payment which was not approved, took another sum, or pays for others too.
async fn deliveries(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<Vec<Difference>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT t.seq, t.payment, t.cents, CAST(COALESCE(SUM(p.cents), 0) AS BIGINT) AS paid
         FROM journal_intents t
              LEFT JOIN journal_intents i
                   ON i.tenant = t.tenant AND i.kiosk = t.kiosk AND i.seq = t.payment
                      AND i.kind = 'payment_ordered' AND i.closed_seq < t.seq
              LEFT JOIN journal_postings p
                   ON p.tenant = i.tenant AND p.kiosk = i.kiosk AND p.seq = i.closed_seq
                      AND p.account = 'card_terminal'
         WHERE t.tenant = $1 AND t.kiosk = $2 AND t.kind = 'top_up_ordered'
               AND t.payment IS NOT NULL
         GROUP BY t.seq, t.payment, t.cents
         HAVING COALESCE(SUM(p.cents), 0) <> t.cents
                OR EXISTS (SELECT 1 FROM journal_intents o
                           WHERE o.tenant = $1 AND o.kiosk = $2 AND o.kind = 'top_up_ordered'
                                 AND o.payment = t.payment AND o.seq < t.seq)
         ORDER BY t.seq",
    )
    .bind(tenant)
    .bind(kiosk.as_str())
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Difference::Payment {
                intent: intent(kiosk, row, "seq")?,
                payment: intent(kiosk, row, "payment")?,
                ordered_cents: row.try_get("cents")?,
                paid_cents: row.try_get("paid")?,
            })
        })
        .collect()
}

/// Payments that the journal gave back, and central did not.
async fn reversals(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<Vec<Difference>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT r.seq, CAST(-COALESCE(SUM(p.cents), 0) AS BIGINT) AS journal,
                CASE WHEN EXISTS (SELECT 1 FROM journal_intents o
                                  WHERE o.tenant = $1 AND o.kiosk = $2 AND o.payment = r.payment
                                        AND o.outcome = 'reversed' AND o.seq < r.seq) THEN 0
                     ELSE COALESCE(MAX(x.cents), 0) END AS central
         FROM journal_intents r
              LEFT JOIN journal_postings p
                   ON p.tenant = r.tenant AND p.kiosk = r.kiosk AND p.seq = r.closed_seq
                      AND p.account = 'card_terminal'
              LEFT JOIN transfers x
                   ON x.tenant = r.tenant AND x.kind = 'reversal'
                      AND x.id = 'RV-' || r.kiosk || '-' || r.payment
         WHERE r.tenant = $1 AND r.kiosk = $2 AND r.kind = 'reversal_ordered'
               AND r.outcome = 'reversed'
         GROUP BY r.seq, r.payment
         ORDER BY r.seq",
    )
    .bind(tenant)
    .bind(kiosk.as_str())
    .fetch_all(db)
    .await?;
    let mut found = Vec::new();
    for row in &rows {
        let (journal_cents, central_cents) = (row.try_get("journal")?, row.try_get("central")?);
        if journal_cents != central_cents {
            let intent = intent(kiosk, row, "seq")?;
            found.push(Difference::Reversal { intent, journal_cents, central_cents });
        }
    }
    Ok(found)
}

/// The journal's accounts of bank cards beside central's, with what only one of them can know yet.
async fn sums(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<Vec<Difference>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT (SELECT CAST(COALESCE(SUM(cents), 0) AS BIGINT) FROM journal_postings
                 WHERE tenant = $1 AND kiosk = $2 AND account = 'card_terminal') AS terminal,
                (SELECT CAST(COALESCE(SUM(cents), 0) AS BIGINT) FROM journal_postings
                 WHERE tenant = $1 AND kiosk = $2 AND account = 'card_settled') AS settled,
                (SELECT COALESCE(MAX(debits - credits), 0) FROM accounts
                 WHERE tenant = $1 AND account = 'card_terminal:' || $2) AS own_terminal,
                (SELECT COALESCE(MAX(debits - credits), 0) FROM accounts
                 WHERE tenant = $1 AND account = 'card_settled:' || $2) AS own_settled,
                (SELECT CAST(COALESCE(SUM(u.cents), 0) AS BIGINT) FROM top_ups u
                 WHERE u.tenant = $1 AND u.kiosk = $2 AND u.tender = 'card'
                       AND u.seq > COALESCE((SELECT h.last_seq FROM journal_heads h
                                             WHERE h.tenant = $1 AND h.kiosk = $2), 0)) AS ahead",
    )
    .bind(tenant)
    .bind(kiosk.as_str())
    .fetch_one(&mut *db)
    .await?;
    let sum = |column: &str| row.try_get::<i64, _>(column);
    let behind = undelivered(db, tenant, kiosk).await?;
    let (journal_cents, central_cents) =
        (sum("terminal")?, sum("own_terminal")? + behind - sum("ahead")?);
    let terminal = (journal_cents != central_cents)
        .then_some(Difference::CardTerminal { journal_cents, central_cents });
    let (journal_cents, central_cents) = (sum("settled")?, sum("own_settled")?);
    let settled = (journal_cents != central_cents)
        .then_some(Difference::CardSettled { journal_cents, central_cents });
    Ok(terminal.into_iter().chain(settled).collect())
}
