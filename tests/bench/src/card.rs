//! From the terminal's yes to the customer's screen: two records on disk lie between.

use std::path::Path;

use anyhow::Result;

use crate::bare::{Place, SyncedWrite};
use crate::measure::{Ratio, Samples, Span};
use crate::report::Section;
use crate::table::Table;

const PAYMENTS: usize = 300;

pub(crate) async fn run(directory: &Path) -> Result<Section> {
    let mut append = SyncedWrite::new(directory, Place::Appended)?;
    let mut table = Table::new(directory).await?;
    let (mut payments, mut appended) = (Samples::default(), Samples::default());
    for _ in 0..PAYMENTS {
        table.tap().await?;
        table.type_pin().await?;
        payments.push(table.pay().await?);
        appended.push(append.measure()?);
    }
    let mut section = Section::new("Bank card: the terminal's yes → the customer's screen");
    section.say(&format!(
        "kioskd's core loop with its journal, seen from a screen's end of the socket: from the \
         driver's `Finished(Approved)` to the screen that says so; `PaymentApproved` and \
         `TopUpOrdered` are synced to disk in between. {PAYMENTS} payments, in turns with bare \
         writes of 4 KiB appended and synced."
    ));
    let row = |name: &str, samples: &Samples| {
        [
            name.to_owned(),
            Span(samples.median()).to_string(),
            Span(samples.percentile(99)).to_string(),
            Ratio(samples.percentile(99), appended.percentile(99)).to_string(),
        ]
    };
    section.table(
        ["", "median", "p99", "p99 / appended"],
        [row("bare write, appended + fdatasync", &appended), row("yes → screen", &payments)],
    );
    Ok(section)
}
