use domain::CardRef;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::domain::pin_guard::PinGuard;

/// The guard of a claimed card; a fresh one for a card never claimed before.
pub(crate) async fn load(
    db: &mut SqliteConnection,
    tenant: &str,
    card_ref: CardRef,
) -> Result<PinGuard, sqlx::Error> {
    let row = sqlx::query(
        "SELECT failures, locked_until_ms FROM pin_guards WHERE tenant = $1 AND card_ref = $2",
    )
    .bind(tenant)
    .bind(card_ref.to_string())
    .fetch_optional(db)
    .await?;
    row.map_or(Ok(PinGuard::default()), |row| {
        Ok(PinGuard {
            failures: row.try_get("failures")?,
            locked_until_ms: row.try_get("locked_until_ms")?,
        })
    })
}

pub(crate) async fn store(
    db: &mut SqliteConnection,
    tenant: &str,
    card_ref: CardRef,
    guard: PinGuard,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO pin_guards (tenant, card_ref, failures, locked_until_ms, last_ms)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant, card_ref) DO UPDATE SET
             failures = excluded.failures,
             locked_until_ms = excluded.locked_until_ms,
             last_ms = excluded.last_ms",
    )
    .bind(tenant)
    .bind(card_ref.to_string())
    .bind(guard.failures)
    .bind(guard.locked_until_ms)
    .bind(now_ms)
    .execute(db)
    .await
    .map(drop)
}

/// Forgets guards of cards that do not exist, untouched since `before_ms`: they are made by whoever
/// tries, so there must be an end to them.
pub(crate) async fn forget_unknown(
    db: &mut SqliteConnection,
    tenant: &str,
    before_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM pin_guards WHERE tenant = $1 AND last_ms < $2 AND NOT EXISTS (
             SELECT 1 FROM cards c
             WHERE c.tenant = pin_guards.tenant AND c.card_ref = pin_guards.card_ref)",
    )
    .bind(tenant)
    .bind(before_ms)
    .execute(db)
    .await
    .map(drop)
}
