//! What a record costs, in a new journal and in one of a million records.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use domain::{Amount, Wall};
use kiosk_journal::{BATCH_MAX, Journal};
use kiosk_records::{Account, Body, ClockTrust, Evidence, KioskId, Posting, Record, Seq};

use crate::bare::{Place, SqliteCommit, SyncedWrite};
use crate::measure::{Ratio, Samples, Span};
use crate::report::Section;

const ROUNDS: usize = 1_000;
const OPENS: usize = 15;
const RECORDS: u64 = 1_000_000;
/// The size of the books' state is some kilobytes; a checkpoint of this size is on the safe side.
const STATE_LEN: usize = 64 << 10;

pub(crate) async fn run(directory: &Path) -> Result<Section> {
    let million_path = directory.join("million.db");
    let filled_in = fill(&million_path).await?;
    let mut section = Section::new("Journal");
    appends(directory, &million_path, &mut section).await?;
    opens(directory, &million_path, &mut section).await?;
    section.say(&format!(
        "The million was written in {} ({BATCH_MAX} records per commit) and is {} MB long.",
        Span(filled_in),
        std::fs::metadata(&million_path)?.len() / 1_000_000,
    ));
    Ok(section)
}

/// They take turns, so that a slow moment of the disk meets them all.
async fn appends(directory: &Path, million_path: &Path, section: &mut Section) -> Result<()> {
    let mut write = SyncedWrite::new(directory, Place::InPlace)?;
    let mut append = SyncedWrite::new(directory, Place::Appended)?;
    let mut commit = SqliteCommit::new(directory).await?;
    let mut million = open(million_path).await?;
    let mut new = open(&directory.join("new.db")).await?;
    let [mut writes, mut appended, mut commits, mut new_appends, mut million_appends] =
        std::array::from_fn(|_| Samples::default());
    for round in 0..ROUNDS {
        writes.push(write.measure()?);
        appended.push(append.measure()?);
        commits.push(commit.measure().await?);
        new_appends.extend(note(&mut new).await?);
        million_appends.extend(note(&mut million).await?);
        // A customer has gone.
        if round % 20 == 19 {
            commit.fold().await?;
            new.idle().await?;
            million.idle().await?;
        }
    }
    commit.close().await?;
    new.close().await?;
    million.close().await?;

    section.say(&format!(
        "A note is two commits: `StackOrdered`, then `Stacked` with its posting. {ROUNDS} rounds, \
         all taking turns."
    ));
    let row = |name: &str, samples: &Samples| {
        [
            name.to_owned(),
            Span(samples.median()).to_string(),
            Span(samples.percentile(99)).to_string(),
            Ratio(samples.median(), writes.median()).to_string(),
            Ratio(samples.percentile(99), writes.percentile(99)).to_string(),
            Ratio(samples.percentile(99), appended.percentile(99)).to_string(),
        ]
    };
    section.table(
        ["", "median", "p99", "median / in place", "p99 / in place", "p99 / appended"],
        [
            row("bare write, 4 KiB in place + fdatasync", &writes),
            row("bare write, 4 KiB appended + fdatasync", &appended),
            row("bare SQLite commit, one row", &commits),
            row("append, new journal", &new_appends),
            row("append, 1,000,000 records before it", &million_appends),
        ],
    );
    section.say(&format!(
        "A million records before it: {} the cost of a new journal (at most 1.1 × is the aim).",
        Ratio(million_appends.median(), new_appends.median())
    ));
    Ok(())
}

/// Orders a note and books it: how long each commit took.
async fn note(journal: &mut Journal) -> Result<[Duration; 2]> {
    let order = journal.tail().0.next();
    let start = Instant::now();
    journal.append(vec![body(stack_ordered())]).await?;
    let ordered = start.elapsed();
    let start = Instant::now();
    journal.append(vec![body(stacked(order))]).await?;
    Ok([ordered, start.elapsed()])
}

async fn opens(directory: &Path, million_path: &Path, section: &mut Section) -> Result<()> {
    let mut million = open(million_path).await?;
    let at = Seq(million.tail().0.0 - 100);
    million.save_checkpoint(at, vec![0x5A; STATE_LEN]).await?;
    million.close().await?;
    let new_path = directory.join("opened.db");
    open(&new_path).await?.close().await?;

    let (mut new_opens, mut million_opens) = (Samples::default(), Samples::default());
    for _ in 0..OPENS {
        new_opens.push(time_open(&new_path).await?);
        million_opens.push(time_open(million_path).await?);
    }
    let million = open(million_path).await?;
    let start = Instant::now();
    let audit = million.reader().verify().await?;
    let audited = start.elapsed();
    million.close().await?;

    section.say(&format!(
        "Opening, {OPENS} times each, in turns (warm page cache); with a million records and a \
         checkpoint 100 records before the end under 1 s is the aim."
    ));
    let row = |name: &str, samples: &Samples| {
        [
            name.to_owned(),
            Span(samples.median()).to_string(),
            Span(samples.percentile(100)).to_string(),
        ]
    };
    section.table(
        ["", "median", "slowest"],
        [
            row("open, empty journal", &new_opens),
            row("open, 1,000,000 records, checkpoint", &million_opens),
        ],
    );
    section.say(&format!(
        "The full audit (structure, every hash, every body) of {} records takes {}.",
        audit.tail,
        Span(audited)
    ));
    Ok(())
}

async fn time_open(path: &Path) -> Result<Duration> {
    let start = Instant::now();
    let journal = open(path).await?;
    let took = start.elapsed();
    journal.close().await?;
    Ok(took)
}

async fn open(path: &Path) -> Result<Journal> {
    let kiosk: KioskId = "K0001".parse()?;
    let opened = Journal::open(path, &kiosk).await;
    Ok(opened.context("the journal opens")?.journal)
}

async fn fill(path: &Path) -> Result<Duration> {
    let start = Instant::now();
    let mut journal = open(path).await?;
    while journal.tail().0.0 < RECORDS {
        let first = journal.tail().0.next().0;
        let pairs = (0..BATCH_MAX as u64 / 2).map(|pair| Seq(first + 2 * pair));
        let notes = pairs.flat_map(|order| [body(stack_ordered()), body(stacked(order))]);
        journal.append(notes.collect()).await?;
    }
    // So that the first measurement does not fold what was written here.
    journal.idle().await?;
    journal.close().await?;
    Ok(start.elapsed())
}

fn stack_ordered() -> Record {
    Record::StackOrdered { note: Amount::euro(20), stacked_total: Some(1) }
}

fn stacked(intent: Seq) -> Record {
    Record::Stacked {
        intent,
        evidence: Evidence::Reported,
        posting: Posting::transfer(Account::Cashbox, Account::CustomerCredit, Amount::euro(20)),
    }
}

fn body(record: Record) -> Body {
    Body {
        schema: Body::SCHEMA,
        boot: 1,
        mono_ms: 123_456_789,
        wall_ms: 1_795_240_920_000,
        clock_trust: ClockTrust::Synchronised,
        business_date: Wall::default().business_date(),
        session: Some(Seq(1)),
        record,
    }
}
