//! What `kioskd books` and `kioskd audit` print.

use anyhow::ensure;
use kiosk_core::{Act, Books};
use kiosk_journal::open_read_only;
use serde::Serialize;

use crate::config::Config;
use crate::fold;

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
    account: kiosk_records::Account,
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
    queued: bool,
}

/// The books, from the last checkpoint on.
pub async fn books(config: &Config) -> anyhow::Result<String> {
    let reader = open_read_only(&config.journal_path()).await?;
    let checkpoint = reader.checkpoint().await?;
    let first = checkpoint.as_ref().map_or(kiosk_records::Seq(1), |(seq, _)| seq.next());
    let mut since = Vec::new();
    let mut pages = reader.all(first);
    while let Some(page) = pages.next().await? {
        for sealed in page {
            since.push((sealed.seq, sealed.open()?));
        }
    }
    let books = fold::from_checkpoint(checkpoint.as_ref(), &since)?;
    render(config, &books, reader.synced().await?.0)
}

/// Verifies chain, fold, checkpoint and invariants, then prints the books.
pub async fn audit(config: &Config) -> anyhow::Result<String> {
    let reader = open_read_only(&config.journal_path()).await?;
    let audit = reader.verify().await?;
    let books = fold::from_all(&reader).await?;
    ensure!(books.seq() >= audit.tail, "the fold ends before the journal does");
    ensure!(books.ledger().total() == 0, "the ledger is off balance (M1)");
    let cashbox = books.ledger().balance(kiosk_records::Account::Cashbox);
    ensure!(cashbox == books.cashbox().value().cents(), "ledger and note count differ (M6)");
    if let Some((seq, state)) = reader.checkpoint().await? {
        let mut pages = reader.all(kiosk_records::Seq(1));
        let mut full = Books::default();
        while let Some(page) = pages.next().await? {
            for sealed in page.into_iter().filter(|sealed| sealed.seq <= seq) {
                full.apply(sealed.seq, &sealed.open()?.record)?;
            }
        }
        let saved: Books = serde_json::from_slice(&state)?;
        ensure!(saved == full, "the checkpoint at {seq} is not what the journal says (M10)");
    }
    render(config, &books, audit.synced.0)
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
        open_intents: books.intents().map(|(seq, open)| intent(config, seq, open)).collect(),
        queued_cents: books.queued().cents(),
    };
    Ok(serde_json::to_string_pretty(&report)?)
}

fn intent(config: &Config, seq: kiosk_records::Seq, open: &kiosk_core::OpenIntent) -> Intent {
    let number = format!("{}-{seq}", config.kiosk.id);
    match &open.act {
        Act::Stack { note, doubt, .. } => Intent {
            number,
            act: "stack",
            cents: note.cents(),
            in_doubt: doubt.is_some(),
            queued: false,
        },
        Act::TopUp { amount, queued, .. } => Intent {
            number,
            act: "top_up",
            cents: amount.cents(),
            in_doubt: false,
            queued: *queued,
        },
    }
}
