//! What `kioskd books` and `kioskd audit` print.

use std::collections::BTreeSet;

use anyhow::ensure;
use kiosk_core::{Act, Books};
use kiosk_journal::{Audit, OpenError, Reader, open_read_only};
use kiosk_records::{Account, Seq};
use serde::Serialize;

use crate::config::Config;
use crate::fold;
use crate::unkept::Unkept;

/// The kiosk's books as JSON. Amounts in cents; accounts debit positive.
#[derive(Serialize)]
struct Report {
    kiosk: String,
    seq: u64,
    synced: u64,
    accounts: Vec<AccountLine>,
    cash_unit: CashUnit,
    open_intents: Vec<Intent>,
    queued_cents: i64,
}

#[derive(Serialize)]
struct AccountLine {
    account: Account,
    cents: i64,
}

#[derive(Serialize)]
struct CashUnit {
    present: bool,
    accuracy: kiosk_core::Accuracy,
    notes: u32,
    cents: i64,
    counts: Vec<NoteCount>,
}

#[derive(Serialize)]
struct NoteCount {
    note_cents: i64,
    count: u32,
}

#[derive(Serialize)]
struct Intent {
    number: String,
    act: &'static str,
    cents: i64,
    in_doubt: bool,
    claimed: bool,
    queued: bool,
}

/// The books, from the last checkpoint on.
pub async fn books(config: &Config) -> anyhow::Result<String> {
    let reader = open_read_only(&config.journal_path()).await?;
    let checkpoint = reader.checkpoint().await?;
    let first = checkpoint.as_ref().map_or(Seq(1), |(seq, _)| seq.next());
    let mut since = Vec::new();
    let mut pages = reader.all(first);
    while let Some(page) = pages.next().await? {
        for sealed in page {
            since.push((sealed.seq, sealed.open()?));
        }
    }
    let books = fold::books(&reader, checkpoint.as_ref(), &since).await?;
    render(config, &books, reader.synced().await?.0)
}

/// Verifies chain, fold, checkpoint and invariants, then prints the books.
///
/// # Errors
/// The first thing that does not hold, and who must do what about it.
pub async fn audit(config: &Config) -> anyhow::Result<String> {
    let reader = match open_read_only(&config.journal_path()).await {
        Ok(reader) => reader,
        Err(error) => return Err(with_remedy(Unkept::Journal(error))),
    };
    let audit = match reader.verify().await {
        Ok(audit) => audit,
        Err(error) => return Err(with_remedy(Unkept::Journal(OpenError::from(error)))),
    };
    match follow(config, &reader, &audit).await {
        Ok(books) => render(config, &books, audit.synced.0),
        Err(error) => Err(with_remedy(Unkept::Records(error))),
    }
}

fn with_remedy(why: Unkept) -> anyhow::Error {
    anyhow::anyhow!("{}", why.in_words())
}

/// Folds the records that `audit` found whole, and checks what their chain cannot say.
async fn follow(config: &Config, reader: &Reader, audit: &Audit) -> anyhow::Result<Books> {
    let owner = reader.kiosk().await?;
    ensure!(owner == config.kiosk.id.as_str(), "it is the journal of kiosk {owner}");
    let books = fold_all(reader, audit.tail).await?;
    assert_invariants(&books)?;
    let open: BTreeSet<Seq> = books.intents().map(|(seq, _)| seq).collect();
    ensure!(open == audit.open_intents, "books and records differ in what is open (M3)");
    Ok(books)
}

/// The books from the very first record to `tail`; on the way they meet the checkpoint.
async fn fold_all(reader: &Reader, tail: Seq) -> anyhow::Result<Books> {
    let checkpoint = reader.checkpoint().await?;
    let saved = checkpoint.and_then(|(seq, state)| Some((seq, fold::decode(&state)?)));
    let books = fold::from_the_first(reader, tail, |books| {
        if let Some((seq, saved)) = saved.as_ref().filter(|(seq, _)| *seq == books.seq()) {
            ensure!(saved == books, "the checkpoint at {seq} is not the records' (M10)");
        }
        Ok(())
    });
    let books = books.await?;
    ensure!(books.seq() == tail, "the records end before the journal does (M8)");
    Ok(books)
}

fn assert_invariants(books: &Books) -> anyhow::Result<()> {
    let ledger = books.ledger();
    ensure!(ledger.total() == 0, "the ledger is off balance (M1)");
    let cashbox = ledger.balance(Account::Cashbox);
    ensure!(cashbox == books.cashbox().value().cents(), "ledger and note count differ (M6)");
    let is_owed = !books.customer_credit().is_zero();
    ensure!(books.visit().is_some() || !is_owed, "a customer who is gone is owed (M4)");
    let queued: i64 = books.intents().map(|(_, open)| queued_cents(&open.act)).sum();
    ensure!(queued == books.queued().cents(), "the queue is not what the ledger says (M5)");
    Ok(())
}

fn queued_cents(act: &Act) -> i64 {
    match act {
        Act::TopUp { amount, queued: true, .. } => amount.cents(),
        Act::TopUp { .. } | Act::Stack { .. } | Act::Payment { .. } | Act::Reversal { .. } => 0,
    }
}

fn render(config: &Config, books: &Books, synced: u64) -> anyhow::Result<String> {
    let cashbox = books.cashbox();
    let report = Report {
        kiosk: config.kiosk.id.to_string(),
        seq: books.seq().0,
        synced,
        accounts: books
            .ledger()
            .balances()
            .map(|(account, cents)| AccountLine { account, cents })
            .collect(),
        cash_unit: CashUnit {
            present: cashbox.present,
            accuracy: cashbox.accuracy,
            notes: cashbox.notes(),
            cents: cashbox.value().cents(),
            counts: cashbox
                .counts
                .iter()
                .map(|(note, count)| NoteCount { note_cents: note.cents(), count: *count })
                .collect(),
        },
        open_intents: books.intents().map(|(seq, open)| intent(config, seq, &open.act)).collect(),
        queued_cents: books.queued().cents(),
    };
    Ok(serde_json::to_string_pretty(&report)?)
}

fn intent(config: &Config, seq: Seq, act: &Act) -> Intent {
    let number = format!("{}-{seq}", config.kiosk.id);
    match act {
        Act::Stack { note, doubt, claimed, .. } => Intent {
            number,
            act: "stack",
            cents: note.cents(),
            in_doubt: doubt.is_some(),
            claimed: *claimed,
            queued: false,
        },
        Act::TopUp { amount, queued, .. } => Intent {
            number,
            act: "top_up",
            cents: amount.cents(),
            in_doubt: false,
            claimed: false,
            queued: *queued,
        },
        Act::Payment { amount, in_doubt, claimed, .. } => Intent {
            number,
            act: "payment",
            cents: amount.cents(),
            in_doubt: *in_doubt,
            claimed: *claimed,
            queued: false,
        },
        Act::Reversal { payment, in_doubt, .. } => Intent {
            number,
            act: "reversal",
            cents: payment.amount.cents(),
            in_doubt: *in_doubt,
            claimed: false,
            queued: false,
        },
    }
}
