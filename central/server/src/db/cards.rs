use central_api::{CardStatus, HotlistEntry};
use domain::{CardNumber, CardRef, Uid};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteExecutor, SqliteRow};

use crate::db::ledger::unreadable;
use crate::domain::card::Day;

/// A card of the register.
#[derive(Clone)]
pub(crate) struct CardRow {
    pub(crate) holder: String,
    pub(crate) status: CardStatus,
    pub(crate) expires: Day,
    pub(crate) pin_hash: String,
    /// The wallet's name among wallets.
    pub(crate) wallet: String,
    /// In cents.
    pub(crate) balance: i64,
}

/// The card with this pseudonym, if it is in the register.
pub(crate) async fn find(
    db: impl SqliteExecutor<'_>,
    tenant: &str,
    card_ref: CardRef,
) -> Result<Option<CardRow>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT c.holder, c.status, c.expires_day, c.pin_hash, c.wallet,
                a.credits - a.debits AS balance
         FROM cards c JOIN accounts a ON a.tenant = c.tenant AND a.account = c.wallet
         WHERE c.tenant = $1 AND c.card_ref = $2",
    )
    .bind(tenant)
    .bind(card_ref.to_string())
    .fetch_optional(db)
    .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &SqliteRow) -> Result<CardRow, sqlx::Error> {
    let account: String = row.try_get("wallet")?;
    let wallet = account.strip_prefix("wallet:");
    Ok(CardRow {
        holder: row.try_get("holder")?,
        status: CardStatus::from_word(row.try_get("status")?)
            .ok_or_else(|| unreadable("cards.status"))?,
        expires: Day(row.try_get("expires_day")?),
        pin_hash: row.try_get("pin_hash")?,
        wallet: wallet.ok_or_else(|| unreadable("cards.wallet"))?.to_owned(),
        balance: row.try_get("balance")?,
    })
}

/// A card to be put into the register. The wallet's account exists.
pub(crate) struct NewCard<'a> {
    pub(crate) card_ref: CardRef,
    pub(crate) number: CardNumber,
    pub(crate) issue: u8,
    pub(crate) uid: Uid,
    pub(crate) holder: &'a str,
    pub(crate) status: CardStatus,
    pub(crate) expires: Day,
    pub(crate) pin_hash: &'a str,
    /// The account's name in full.
    pub(crate) wallet: &'a str,
}

pub(crate) async fn insert(
    db: &mut SqliteConnection,
    tenant: &str,
    card: &NewCard<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO cards (tenant, card_ref, number, issue, uid, holder, status, expires_day,
                            pin_hash, wallet)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(tenant)
    .bind(card.card_ref.to_string())
    .bind(card.number.to_string())
    .bind(i64::from(card.issue))
    .bind(String::from(card.uid))
    .bind(card.holder)
    .bind(card.status.as_str())
    .bind(card.expires.0)
    .bind(card.pin_hash)
    .bind(card.wallet)
    .execute(db)
    .await
    .map(drop)
}

/// The newest card with this number.
pub(crate) async fn by_number(
    db: impl SqliteExecutor<'_>,
    tenant: &str,
    number: CardNumber,
) -> Result<Option<CardRef>, sqlx::Error> {
    let found: Option<String> = sqlx::query_scalar(
        "SELECT card_ref FROM cards WHERE tenant = $1 AND number = $2 ORDER BY issue DESC LIMIT 1",
    )
    .bind(tenant)
    .bind(number.to_string())
    .fetch_optional(db)
    .await?;
    found.map(card_ref).transpose()
}

/// Sets a card's status; the hotlist grows by a version. Returns that version.
pub(crate) async fn set_status(
    db: &mut SqliteConnection,
    tenant: &str,
    card_ref: CardRef,
    status: CardStatus,
    operator: &str,
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let version = hotlist_version(&mut *db, tenant).await? + 1;
    sqlx::query("UPDATE cards SET status = $3 WHERE tenant = $1 AND card_ref = $2")
        .bind(tenant)
        .bind(card_ref.to_string())
        .bind(status.as_str())
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "INSERT INTO card_status_changes (tenant, version, card_ref, status, operator, at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(tenant)
    .bind(i64::try_from(version).unwrap_or(i64::MAX))
    .bind(card_ref.to_string())
    .bind(status.as_str())
    .bind(operator)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(version)
}

/// The number of status changes so far; they are never deleted, so it only grows.
pub(crate) async fn hotlist_version(
    db: impl SqliteExecutor<'_>,
    tenant: &str,
) -> Result<u64, sqlx::Error> {
    let version: Option<i64> =
        sqlx::query_scalar("SELECT MAX(version) FROM card_status_changes WHERE tenant = $1")
            .bind(tenant)
            .fetch_one(db)
            .await?;
    Ok(version.and_then(|v| u64::try_from(v).ok()).unwrap_or(0))
}

/// Every card that may not be used, by pseudonym.
pub(crate) async fn hotlist(
    db: impl SqliteExecutor<'_>,
    tenant: &str,
) -> Result<Vec<HotlistEntry>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT card_ref, status FROM cards WHERE tenant = $1 AND status <> 'active'
         ORDER BY card_ref",
    )
    .bind(tenant)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let status = CardStatus::from_word(row.try_get("status")?);
            Ok(HotlistEntry {
                card_ref: card_ref(row.try_get("card_ref")?)?,
                reason: status.ok_or_else(|| unreadable("cards.status"))?,
            })
        })
        .collect()
}

fn card_ref(text: String) -> Result<CardRef, sqlx::Error> {
    CardRef::try_from(text).map_err(|_| unreadable("card_ref"))
}
