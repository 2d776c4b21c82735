//! The intents of a kiosk's journal, followed line by line: what was ordered, what became of it,
//! and whether central's own books say the same.

use domain::Tender;
use kiosk_records::{Record, Seq};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::db::incidents::Incident;
use crate::db::journal::{IngestError, Source, invalid, seq_to};
use crate::db::ledger::{self, LedgerAccount, Transfer, TransferKind, unreadable};
use crate::domain::audit::{Close, IntentKind, NewLine, Opening, Outcome, Step, step};
use crate::domain::top_up::tender_word;

/// Follows what a line does to an intent. Returns what does not agree with what was ordered or with
/// central's own books: the line is kept all the same, it is what the kiosk says.
pub(crate) async fn follow(
    db: &mut SqliteConnection,
    source: Source<'_>,
    line: &NewLine<'_>,
) -> Result<Vec<Incident>, IngestError> {
    let seq = line.sealed.seq;
    match step(&line.body.record) {
        None => Ok(Vec::new()),
        Some(Step::Opens(opening)) => {
            open(db, source, seq, opening).await?;
            let mut incidents = Vec::new();
            incidents.extend(check_delivery(db, source, seq, opening).await?);
            incidents.extend(check_turn(db, source, seq, opening).await?);
            Ok(incidents)
        }
        Some(Step::Doubts { intent }) => {
            let is_new = doubt(db, source, seq, intent).await?;
            let known = is_new.then(Vec::new);
            known.ok_or_else(|| invalid(line, "it doubts an intent that is not open"))
        }
        Some(Step::Claims { intent }) => {
            let is_new = claim(db, source, seq, intent).await?;
            let known = is_new.then(Vec::new);
            known.ok_or_else(|| invalid(line, "it claims for an intent that is not in doubt"))
        }
        Some(Step::Closes { intent, close }) => settle(db, source, line, intent, close).await,
    }
}

async fn open(
    db: &mut SqliteConnection,
    source: Source<'_>,
    seq: Seq,
    opening: Opening,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO journal_intents (tenant, kiosk, seq, kind, payment, cents)
         VALUES ($1, $2, $3, $4, $5, COALESCE($6, (
             SELECT p.closed_cents FROM journal_intents p
             WHERE p.tenant = $1 AND p.kiosk = $2 AND p.seq = $5 AND p.outcome = 'approved'), 0))",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(seq))
    .bind(opening.kind.as_str())
    .bind(opening.payment.map(seq_to))
    .bind(opening.amount.map(domain::Amount::cents))
    .execute(db)
    .await
    .map(drop)
}

/// A top-up by bank card delivers an approved payment, all of it, and alone.
async fn check_delivery(
    db: &mut SqliteConnection,
    source: Source<'_>,
    seq: Seq,
    opening: Opening,
) -> Result<Option<Incident>, sqlx::Error> {
    let Opening { kind: IntentKind::TopUp, payment: Some(payment), amount } = opening else {
        return Ok(None);
    };
    let paid = sqlx::query(
        "SELECT p.closed_cents, (SELECT COUNT(*) FROM journal_intents t
                                 WHERE t.tenant = p.tenant AND t.kiosk = p.kiosk
                                       AND t.payment = p.seq AND t.kind = 'top_up_ordered') AS times
         FROM journal_intents p
         WHERE p.tenant = $1 AND p.kiosk = $2 AND p.seq = $3
               AND p.kind = 'payment_ordered' AND p.outcome = 'approved'",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(payment))
    .fetch_optional(&mut *db)
    .await?;
    let name = format!("{}-{payment}", source.kiosk);
    let fault = match paid {
        None => format!("no payment {name} was approved"),
        Some(paid) => {
            let (cents, times): (i64, i64) =
                (paid.try_get("closed_cents")?, paid.try_get("times")?);
            if times > 1 {
                format!("payment {name} is for another top-up")
            } else if Some(cents) != amount.map(domain::Amount::cents) {
                format!("payment {name} took {cents} cents")
            } else {
                return Ok(None);
            }
        }
    };
    source.report(db, Incident::PaymentMismatch, seq, &fault).await.map(Some)
}

/// Nobody pays by bank card, and nothing is given back, before the order before it has an outcome:
/// or someone is charged twice.
async fn check_turn(
    db: &mut SqliteConnection,
    source: Source<'_>,
    seq: Seq,
    opening: Opening,
) -> Result<Option<Incident>, sqlx::Error> {
    if !matches!(opening.kind, IntentKind::Payment | IntentKind::Reversal) {
        return Ok(None);
    }
    let open: Option<i64> = sqlx::query_scalar(
        "SELECT MIN(seq) FROM journal_intents
         WHERE tenant = $1 AND kiosk = $2 AND closed_seq IS NULL AND seq <> $3
               AND kind IN ('payment_ordered', 'reversal_ordered')",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(seq))
    .fetch_one(&mut *db)
    .await?;
    let Some(open) = open else {
        return Ok(None);
    };
    let fault = format!("{}-{open} was still open at the terminal", source.kiosk);
    source.report(db, Incident::PaymentMismatch, seq, &fault).await.map(Some)
}

async fn doubt(
    db: &mut SqliteConnection,
    source: Source<'_>,
    seq: Seq,
    intent: Seq,
) -> Result<bool, sqlx::Error> {
    let written = sqlx::query(
        "UPDATE journal_intents SET doubt_seq = $4
         WHERE tenant = $1 AND kiosk = $2 AND seq = $3 AND kind <> 'top_up_ordered'
               AND closed_seq IS NULL AND doubt_seq IS NULL",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(intent))
    .bind(seq_to(seq))
    .execute(db)
    .await?;
    Ok(written.rows_affected() > 0)
}

async fn claim(
    db: &mut SqliteConnection,
    source: Source<'_>,
    seq: Seq,
    intent: Seq,
) -> Result<bool, sqlx::Error> {
    let written = sqlx::query(
        "UPDATE journal_intents SET claim_seq = $4
         WHERE tenant = $1 AND kiosk = $2 AND seq = $3
               AND closed_seq IS NULL AND doubt_seq IS NOT NULL AND claim_seq IS NULL",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(intent))
    .bind(seq_to(seq))
    .execute(db)
    .await?;
    Ok(written.rows_affected() > 0)
}

/// The final outcome of an intent.
async fn settle(
    db: &mut SqliteConnection,
    source: Source<'_>,
    line: &NewLine<'_>,
    intent: Seq,
    close: Close,
) -> Result<Vec<Incident>, IngestError> {
    let order = closed(db, source, line, intent, close).await?;
    let order = order
        .ok_or_else(|| invalid(line, "it closes an intent that is not open, or not of its kind"))?;
    let mut incidents = Vec::new();
    if close.outcome.moves_value() && close.cents != order.cents {
        let detail = format!("ordered {} cents, moved {}", order.cents, close.cents);
        incidents.push(source.report(db, Incident::OutcomeMismatch, intent, &detail).await?);
    }
    match close.outcome {
        Outcome::Accepted | Outcome::Refused => {
            if !agrees_with_own(db, source, line, intent, close, order.tender()).await? {
                let (outcome, cents) = (close.outcome.as_str(), close.cents);
                let detail = format!("journal: {outcome}, {cents} cents");
                incidents.push(source.report(db, Incident::TopUpMismatch, intent, &detail).await?);
            }
        }
        Outcome::Reversed => incidents.extend(reverse(db, source, intent, order, close).await?),
        Outcome::Stacked
        | Outcome::Returned
        | Outcome::Approved
        | Outcome::Declined
        | Outcome::ReversalRefused => {}
    }
    Ok(incidents)
}

/// What had been ordered.
#[derive(Clone, Copy, Debug)]
struct Ordered {
    cents: i64,
    payment: Option<i64>,
}

impl Ordered {
    const fn tender(self) -> Tender {
        match self.payment {
            Some(_) => Tender::Card,
            None => Tender::Cash,
        }
    }
}

/// Closes an intent. Returns what was ordered; `None` when no such intent is open.
async fn closed(
    db: &mut SqliteConnection,
    source: Source<'_>,
    line: &NewLine<'_>,
    intent: Seq,
    close: Close,
) -> Result<Option<Ordered>, sqlx::Error> {
    let row = sqlx::query(
        "UPDATE journal_intents
         SET closed_seq = $5, outcome = $6, closed_cents = $7, is_late = $8
         WHERE tenant = $1 AND kiosk = $2 AND seq = $3 AND kind = $4 AND closed_seq IS NULL
         RETURNING cents, payment",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(seq_to(intent))
    .bind(close.outcome.kind().as_str())
    .bind(seq_to(line.sealed.seq))
    .bind(close.outcome.as_str())
    .bind(close.cents)
    .bind(i64::from(close.is_late))
    .fetch_optional(db)
    .await?;
    row.map(|row| Ok(Ordered { cents: row.try_get("cents")?, payment: row.try_get("payment")? }))
        .transpose()
}

/// Does the journal say of a top-up what central's own books say?
async fn agrees_with_own(
    db: &mut SqliteConnection,
    source: Source<'_>,
    line: &NewLine<'_>,
    intent: Seq,
    close: Close,
    tender: Tender,
) -> Result<bool, sqlx::Error> {
    let own = sqlx::query(
        "SELECT outcome, cents, tender, transfer FROM top_ups
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
        && own.try_get::<&str, _>("tender")? == tender_word(tender)
        && own.try_get::<i64, _>("cents")? == close.cents)
}

/// A payment is back on its bank card: what central owed for it is owed no longer.
async fn reverse(
    db: &mut SqliteConnection,
    source: Source<'_>,
    intent: Seq,
    order: Ordered,
    close: Close,
) -> Result<Option<Incident>, sqlx::Error> {
    let payment = order.payment.ok_or_else(|| unreadable("journal_intents.payment"))?;
    let name = format!("{}-{payment}", source.kiosk);
    // One for each payment: what is owed once is not given back twice.
    let id = format!("RV-{name}");
    let owed = owed(db, source, payment, &id).await?;
    let fault = match owed {
        Owed::Nothing => format!("central refused no top-up of payment {name}"),
        Owed::OnWallet => format!("payment {name} is on a wallet"),
        Owed::Returned => format!("payment {name} was given back before"),
        Owed::Cents(cents) if cents == close.cents && cents == order.cents => {
            give_back(db, source, &id, cents).await?;
            return Ok(None);
        }
        Owed::Cents(cents) => format!("central owed {cents} cents, {} went back", close.cents),
    };
    source.report(db, Incident::ReversalMismatch, intent, &fault).await.map(Some)
}

/// What central owes for a bank-card payment.
#[derive(Clone, Copy, Debug)]
enum Owed {
    /// It knows of none.
    Nothing,
    /// It credited it.
    OnWallet,
    /// No longer: it went back.
    Returned,
    /// This much.
    Cents(i64),
}

async fn owed(
    db: &mut SqliteConnection,
    source: Source<'_>,
    payment: i64,
    reversal: &str,
) -> Result<Owed, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT u.outcome, u.cents, (SELECT COUNT(*) FROM transfers r
                                     WHERE r.tenant = u.tenant AND r.id = $4) AS times
         FROM journal_intents t JOIN top_ups u
              ON u.tenant = t.tenant AND u.kiosk = t.kiosk AND u.seq = t.seq
         WHERE t.tenant = $1 AND t.kiosk = $2 AND t.payment = $3
               AND t.kind = 'top_up_ordered' AND u.tender = 'card'
         ORDER BY u.seq",
    )
    .bind(source.tenant)
    .bind(source.kiosk.as_str())
    .bind(payment)
    .bind(reversal)
    .fetch_all(db)
    .await?;
    let mut owed = Owed::Nothing;
    for row in rows {
        if row.try_get::<i64, _>("times")? > 0 {
            return Ok(Owed::Returned);
        }
        match row.try_get::<&str, _>("outcome")? {
            "refused" => owed = Owed::Cents(row.try_get("cents")?),
            _ => return Ok(Owed::OnWallet),
        }
    }
    Ok(owed)
}

async fn give_back(
    db: &mut SqliteConnection,
    source: Source<'_>,
    id: &str,
    cents: i64,
) -> Result<(), sqlx::Error> {
    let kiosk = source.kiosk.as_str();
    let transfer = Transfer {
        id,
        debit: LedgerAccount::Claims(kiosk),
        credit: LedgerAccount::CardTerminal(kiosk),
        amount: ledger::cents(cents)?,
        kind: TransferKind::Reversal,
        at: source.now,
    };
    ledger::transfer(db, source.tenant, &transfer).await.map(drop)
}
