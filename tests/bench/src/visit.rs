//! What a visit waits for us: neither for the card's APDUs nor for argon2.

use std::path::Path;

use anyhow::Result;

use crate::measure::{Samples, Span};
use crate::process::{IDLE, megabytes, percent};
use crate::report::Section;
use crate::table::Table;
use crate::whole::{WHOLE_VISITS, Whole};

const VISITS: usize = 200;

pub(crate) async fn run(directory: &Path) -> Result<Section> {
    let mut table = Table::new(directory).await?;
    let (mut taps, mut pins) = (Samples::default(), Samples::default());
    for _ in 0..VISITS {
        taps.push(table.tap().await?);
        pins.push(table.type_pin().await?);
        table.leave().await?;
    }
    let whole = Whole::of(directory).await?;
    let mut section = Section::new("What we add to a visit");
    section.say(&format!(
        "Under 20 ms is the aim. {VISITS} visits to kioskd's core loop on a table, seen from a \
         screen's end of the socket: from the reader's \"a card was read\" to the PIN screen, and \
         from the last key to the home screen with a central that answers at once \
         (`SessionStarted` is synced to disk in between). Then {WHOLE_VISITS} visits to the whole \
         kiosk on the workbench, real central and real pcscd: from the last key to the home \
         screen, less the time that central's metrics say argon2 took; and for comparison from \
         the tap to the PIN screen, with pcscd and a simulated card that answers at once."
    ));
    let row = |name: &str, samples: &Samples| {
        let p99 = Span(samples.percentile(99)).to_string();
        [name.to_owned(), Span(samples.median()).to_string(), p99]
    };
    section.table(
        ["", "median", "p99"],
        [
            row("card read → PIN screen", &taps),
            row("PIN → home screen, central at once", &pins),
            row("PIN → home screen, less argon2", &whole.pins),
            row("argon2 alone", &whole.argon2),
            row("tap → PIN screen, pcscd and APDUs included", &whole.taps),
        ],
    );
    section.say(&format!(
        "At rest on the attract screen, {} s: kioskd {:.1} MB PSS and {:.2} % CPU, kiosk-ui \
         (headless) {:.1} MB and {:.2} %: together {:.1} MB, under 60 MB is the aim.",
        IDLE.as_secs(),
        megabytes(&whole.kioskd),
        percent(&whole.kioskd),
        megabytes(&whole.kiosk_ui),
        percent(&whole.kiosk_ui),
        megabytes(&whole.kioskd) + megabytes(&whole.kiosk_ui),
    ));
    Ok(section)
}
