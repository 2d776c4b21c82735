use central_api::{TopUpAnswer, TopUpRequest};
use domain::{Amount, MovementKind, RechargeRules, Tender, Wall};
use kiosk_records::{IntentId, TopUpRefusal};
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::db::cards::{self, CardRow};
use crate::db::ledger::{self, LedgerAccount, Transfer, TransferKind, unreadable};
use crate::domain::card::Day;
use crate::domain::top_up::{WalletFacts, decide, tender_word};

/// A top-up was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TopUpError {
    /// The key came with another body before.
    #[error("the key was used with another body")]
    KeyReused,
    #[error("database")]
    Sqlite(#[from] sqlx::Error),
}

/// An order of a kiosk as central has received it.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) intent: IntentId,
    pub(crate) request: TopUpRequest,
    pub(crate) now: Wall,
}

/// Answers an order: as before if it was answered before, else by deciding, moving the money and
/// keeping the answer, all in the caller's transaction.
pub(crate) async fn answer(
    db: &mut SqliteConnection,
    tenant: &str,
    rules: &RechargeRules,
    order: &Order,
) -> Result<TopUpAnswer, TopUpError> {
    let body_hash = body_hash(&order.request);
    if let Some(stored) = find(db, tenant, &order.intent).await? {
        return match stored.body_hash == body_hash {
            true => Ok(stored.answer),
            false => Err(TopUpError::KeyReused),
        };
    }
    let card = cards::find(&mut *db, tenant, order.request.card_ref).await?;
    let decision = match card {
        Some(card) => {
            decide(rules, &order.request, facts(&card)?, Day::of(order.now)).map(|()| card.wallet)
        }
        None => Err(TopUpRefusal::UnknownCard),
    };
    let (transfer, answer) = match decision {
        Ok(wallet) => credit(db, tenant, order, &wallet).await?,
        Err(reason) => {
            let transfer = owe(db, tenant, order).await?;
            (transfer, TopUpAnswer::Refused { reason })
        }
    };
    store(db, tenant, order, &body_hash, &transfer, &answer).await?;
    Ok(answer)
}

fn facts(card: &CardRow) -> Result<WalletFacts, sqlx::Error> {
    Ok(WalletFacts {
        status: card.status,
        expires: card.expires,
        balance: Amount::from_cents(card.balance).map_err(|_| unreadable("accounts.credits"))?,
    })
}

/// Where the money for an order is.
fn taken(order: &Order) -> LedgerAccount<'_> {
    let kiosk = order.intent.kiosk.as_str();
    match order.request.tender {
        Tender::Cash => LedgerAccount::KioskCash(kiosk),
        Tender::Card => LedgerAccount::CardTerminal(kiosk),
    }
}

/// The wallet is credited; the money for it is in the kiosk, or at its terminal.
async fn credit(
    db: &mut SqliteConnection,
    tenant: &str,
    order: &Order,
    wallet: &str,
) -> Result<(String, TopUpAnswer), sqlx::Error> {
    let taken = taken(order);
    ledger::open_account(db, tenant, &taken, None).await?;
    let id = format!("TU-{}", order.intent);
    let kind = match order.request.tender {
        Tender::Cash => MovementKind::CashTopUp,
        Tender::Card => MovementKind::CardTopUp,
    };
    let transfer = Transfer {
        id: &id,
        debit: taken,
        credit: LedgerAccount::Wallet(wallet),
        amount: order.request.amount,
        kind: TransferKind::Movement(kind),
        at: order.now,
    };
    let balance = ledger::transfer(db, tenant, &transfer).await?;
    let balance = Amount::from_cents(balance).map_err(|_| unreadable("accounts.credits"))?;
    let ledger_ref = id.clone();
    Ok((id, TopUpAnswer::Accepted { ledger_ref, balance }))
}

/// The money was taken and no wallet has it: the office owes it.
async fn owe(
    db: &mut SqliteConnection,
    tenant: &str,
    order: &Order,
) -> Result<String, sqlx::Error> {
    let (taken, claims) = (taken(order), LedgerAccount::Claims(order.intent.kiosk.as_str()));
    ledger::open_account(db, tenant, &taken, None).await?;
    ledger::open_account(db, tenant, &claims, None).await?;
    let id = format!("CL-{}", order.intent);
    let transfer = Transfer {
        id: &id,
        debit: taken,
        credit: claims,
        amount: order.request.amount,
        kind: TransferKind::Claim,
        at: order.now,
    };
    ledger::transfer(db, tenant, &transfer).await?;
    Ok(id)
}

struct Stored {
    body_hash: String,
    answer: TopUpAnswer,
}

async fn find(
    db: &mut SqliteConnection,
    tenant: &str,
    intent: &IntentId,
) -> Result<Option<Stored>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT body_hash, answer FROM top_ups WHERE tenant = $1 AND kiosk = $2 AND seq = $3",
    )
    .bind(tenant)
    .bind(intent.kiosk.as_str())
    .bind(seq(intent))
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let answer: String = row.try_get("answer")?;
        Ok(Stored {
            body_hash: row.try_get("body_hash")?,
            answer: serde_json::from_str(&answer).map_err(|_| unreadable("top_ups.answer"))?,
        })
    })
    .transpose()
}

async fn store(
    db: &mut SqliteConnection,
    tenant: &str,
    order: &Order,
    body_hash: &str,
    transfer: &str,
    answer: &TopUpAnswer,
) -> Result<(), sqlx::Error> {
    let outcome = match answer {
        TopUpAnswer::Accepted { .. } => "accepted",
        TopUpAnswer::Refused { .. } => "refused",
    };
    let answer = serde_json::to_string(answer).expect("an answer has string keys only");
    sqlx::query(
        "INSERT INTO top_ups (tenant, kiosk, seq, body_hash, card_ref, cents, offline, tender,
                              outcome, transfer, answer, at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(tenant)
    .bind(order.intent.kiosk.as_str())
    .bind(seq(&order.intent))
    .bind(body_hash)
    .bind(order.request.card_ref.to_string())
    .bind(order.request.amount.cents())
    .bind(i64::from(order.request.offline))
    .bind(tender_word(order.request.tender))
    .bind(outcome)
    .bind(transfer)
    .bind(answer)
    .bind(order.now.utc_ms)
    .execute(db)
    .await
    .map(drop)
}

/// Of the request as we understood it: spaces and the order of fields do not make another body.
fn body_hash(request: &TopUpRequest) -> String {
    let json = serde_json::to_vec(request).expect("a request has string keys only");
    hex::encode(Sha256::digest(json))
}

/// An intent's number, which was checked to fit when the key was read.
fn seq(intent: &IntentId) -> i64 {
    i64::try_from(intent.seq.0).unwrap_or(i64::MAX)
}
