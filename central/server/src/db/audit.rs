//! A kiosk's books beside central's own, by SQL alone: nothing here shares a line with the code
//! that wrote them.

use std::collections::BTreeMap;

use central_api::{Difference, KioskBooks};
use kiosk_records::{Account, IntentId, KioskId, Seq};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::db::audit_card::{card_books, card_differences, doubts};
use crate::db::journal::seq_from;
use crate::db::ledger::{cents, unreadable};

/// A kiosk's books; `None` for a kiosk central never heard of. Call within one read transaction, or
/// the parts may be of different moments.
pub(crate) async fn kiosk_books(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<Option<KioskBooks>, sqlx::Error> {
    let last: Option<i64> =
        sqlx::query_scalar("SELECT last_seq FROM journal_heads WHERE tenant = $1 AND kiosk = $2")
            .bind(tenant)
            .bind(kiosk.as_str())
            .fetch_optional(&mut *db)
            .await?;
    let own = own_sums(db, tenant, kiosk).await?;
    if last.is_none() && own == OwnSums::default() {
        return Ok(None);
    }
    let totals = totals(db, tenant, kiosk).await?;
    let (card, refused) = (card_books(db, tenant, kiosk).await?, cents(own.refused)?);
    let mut differences = top_up_differences(db, tenant, kiosk).await?;
    differences.extend(total_differences(&totals));
    differences.extend(credit_difference(&totals, &own));
    differences.extend(card_differences(db, tenant, kiosk).await?);
    Ok(Some(KioskBooks {
        kiosk: kiosk.clone(),
        last_seq: last.map_or(Ok(Seq(0)), seq_from)?,
        accounts: totals.iter().map(|(account, total)| (*account, total.running)).collect(),
        wallet_credits: cents(own.accepted)?,
        claims: refused.saturating_sub(card.given_back),
        in_transit: cents(own.in_transit)?,
        card,
        in_doubt: doubts(db, tenant, kiosk).await?,
        differences,
    }))
}

/// Central's own top-ups of a kiosk, in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct OwnSums {
    accepted: i64,
    refused: i64,
    /// Of both, the kiosk's journal does not tell the outcome yet.
    in_transit: i64,
    /// Of the accepted.
    accepted_in_transit: i64,
}

async fn own_sums(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<OwnSums, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT t.outcome,
                CAST(SUM(t.cents) AS BIGINT) AS cents,
                CAST(SUM(CASE WHEN i.closed_seq IS NULL THEN t.cents ELSE 0 END) AS BIGINT)
                    AS open_cents
         FROM top_ups t LEFT JOIN journal_intents i
              ON i.tenant = t.tenant AND i.kiosk = t.kiosk AND i.seq = t.seq
         WHERE t.tenant = $1 AND t.kiosk = $2
         GROUP BY t.outcome",
    )
    .bind(tenant)
    .bind(kiosk.as_str())
    .fetch_all(db)
    .await?;
    let mut sums = OwnSums::default();
    for row in rows {
        let (cents, open): (i64, i64) = (row.try_get("cents")?, row.try_get("open_cents")?);
        sums.in_transit += open;
        match row.try_get::<&str, _>("outcome")? {
            "accepted" => (sums.accepted, sums.accepted_in_transit) = (cents, open),
            _ => sums.refused = cents,
        }
    }
    Ok(sums)
}

/// An account of the journal, counted in two ways.
struct Total {
    running: i64,
    postings: i64,
}

async fn totals(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<BTreeMap<Account, Total>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT p.account, CAST(SUM(p.cents) AS BIGINT) AS postings,
                COALESCE(MAX(t.cents), 0) AS running
         FROM journal_postings p LEFT JOIN journal_totals t
              ON t.tenant = p.tenant AND t.kiosk = p.kiosk AND t.account = p.account
         WHERE p.tenant = $1 AND p.kiosk = $2
         GROUP BY p.account",
    )
    .bind(tenant)
    .bind(kiosk.as_str())
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let word: String = row.try_get("account")?;
            let account = serde_json::from_value(serde_json::Value::String(word));
            let account = account.map_err(|_| unreadable("journal_postings.account"))?;
            let total =
                Total { running: row.try_get("running")?, postings: row.try_get("postings")? };
            Ok((account, total))
        })
        .collect()
}

fn total_differences(totals: &BTreeMap<Account, Total>) -> Vec<Difference> {
    let drifted = totals.iter().filter(|(_, total)| total.running != total.postings);
    let mut found: Vec<_> = drifted
        .map(|(account, total)| Difference::RunningTotal {
            account: *account,
            running_cents: total.running,
            postings_cents: total.postings,
        })
        .collect();
    let off_cents = totals.values().map(|total| total.postings).sum();
    if off_cents != 0 {
        found.push(Difference::Unbalanced { off_cents });
    }
    found
}

fn credit_difference(totals: &BTreeMap<Account, Total>, own: &OwnSums) -> Option<Difference> {
    let payable = totals.get(&Account::WalletPayable);
    let journal_cents = payable.map_or(0, |total| -total.postings);
    let central_cents = own.accepted - own.accepted_in_transit;
    (journal_cents != central_cents)
        .then_some(Difference::WalletCredits { journal_cents, central_cents })
}

/// Outcomes in the journal that central's own top-ups do not confirm.
async fn top_up_differences(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &KioskId,
) -> Result<Vec<Difference>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT i.seq, i.closed_cents,
                CASE WHEN t.outcome = i.outcome
                          AND (t.tender = 'card') = (i.payment IS NOT NULL)
                     THEN t.cents ELSE 0 END AS own_cents
         FROM journal_intents i LEFT JOIN top_ups t
              ON t.tenant = i.tenant AND t.kiosk = i.kiosk AND t.seq = i.seq
         WHERE i.tenant = $1 AND i.kiosk = $2 AND i.kind = 'top_up_ordered'
               AND i.closed_seq IS NOT NULL
               AND (t.outcome IS NULL OR t.outcome <> i.outcome OR t.cents <> i.closed_cents
                    OR (t.tender = 'card') <> (i.payment IS NOT NULL))
         ORDER BY i.seq",
    )
    .bind(tenant)
    .bind(kiosk.as_str())
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Difference::TopUp {
                intent: IntentId { kiosk: kiosk.clone(), seq: seq_from(row.try_get("seq")?)? },
                journal_cents: row.try_get("closed_cents")?,
                central_cents: row.try_get("own_cents")?,
            })
        })
        .collect()
}
