//! From a note in escrow to the command to stack it: one record on disk lies between.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::bare::{Place, SqliteCommit, SyncedWrite};
use crate::measure::{Ratio, Samples, Span};
use crate::report::Section;
use crate::table::Table;

const NOTES: usize = 500;
const ROUNDS: usize = 4;
/// Longer than the quiet after which kioskd folds its log: then its space is there, as it is on a
/// kiosk after its first visits.
const QUIET: Duration = Duration::from_secs(1);

pub(crate) async fn run(directory: &Path) -> Result<Section> {
    let mut write = SyncedWrite::new(directory, Place::InPlace)?;
    let mut append = SyncedWrite::new(directory, Place::Appended)?;
    let mut commit = SqliteCommit::new(directory).await?;
    let mut table = Table::new(directory).await?;
    table.tap().await?;
    table.type_pin().await?;
    table.recharge().await?;
    for _ in 0..NOTES {
        table.note().await?;
        commit.measure().await?;
    }

    let [mut writes, mut appended, mut commits, mut notes] =
        std::array::from_fn(|_| Samples::default());
    for _ in 0..ROUNDS {
        commit.fold().await?;
        tokio::time::sleep(QUIET).await;
        for _ in 0..NOTES {
            writes.push(write.measure()?);
            appended.push(append.measure()?);
            commits.push(commit.measure().await?);
            notes.push(table.note().await?);
        }
    }
    commit.close().await?;

    let mut section = Section::new("Note in escrow → stack command");
    section.say(&format!(
        "kioskd's core loop with its journal: from the driver's `Escrowed` to the command `Stack` \
         in the driver's queue, `StackOrdered` synced to disk in between. {ROUNDS} × {NOTES} \
         notes, in turns with bare ones, the log folded between the rounds as it is between \
         visits; at most 1.5 × one bare synced write at p99 is the aim."
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
            row("note in escrow → stack command", &notes),
        ],
    );
    section.say(&format!(
        "What kioskd adds to the bare write, at the median: {}.",
        Span(notes.median().saturating_sub(writes.median()))
    ));
    Ok(section)
}
