//! What a visit waits for kioskd itself: neither the card's APDUs nor central.

use std::path::Path;

use anyhow::Result;

use crate::measure::{Samples, Span};
use crate::report::Section;
use crate::table::Table;

const VISITS: usize = 200;

pub(crate) async fn run(directory: &Path) -> Result<Section> {
    let mut table = Table::new(directory).await?;
    let (mut taps, mut pins) = (Samples::default(), Samples::default());
    for _ in 0..VISITS {
        taps.push(table.tap().await?);
        pins.push(table.type_pin().await?);
        table.leave().await?;
    }
    let mut section = Section::new("What kioskd adds to a visit");
    section.say(&format!(
        "{VISITS} visits, seen from a screen's end of the socket, under 20 ms is the aim: from the \
         reader's \"a card was read\" to the PIN screen (`SessionStarted` synced to disk in \
         between), and from the last key to the home screen with a central that answers at once."
    ));
    let row = |name: &str, samples: &Samples| {
        let p99 = Span(samples.percentile(99)).to_string();
        [name.to_owned(), Span(samples.median()).to_string(), p99]
    };
    section.table(
        ["", "median", "p99"],
        [row("card read → PIN screen", &taps), row("PIN → home screen", &pins)],
    );
    Ok(section)
}
