//! The simulated receipt printer alone, for other people's programs:
//! `cargo run -p driver-sim --example printer -- PORT DIR` makes PORT a link to its pty and writes
//! every receipt that is cut to DIR as `N.txt` and `N.png`, until it is interrupted.

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;

use driver_sim::printer::{Options, Printer};

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut args = env::args_os().skip(1).map(PathBuf::from);
    let (Some(port), Some(dir)) = (args.next(), args.next()) else {
        return Err(io::Error::other("usage: printer PORT DIR"));
    };
    fs::create_dir_all(&dir)?;
    let printer = Printer::spawn(port, Options::default())?;
    let mut states = printer.watch();
    let mut written = 0;
    // The printer lives as long as its handle: this never sees the end of the news.
    while states.changed().await.is_ok() {
        let cut = states.borrow_and_update().receipts;
        let receipts = printer.receipts();
        let new = usize::try_from(cut - written).unwrap_or(usize::MAX);
        for receipt in receipts.iter().skip(receipts.len().saturating_sub(new)) {
            written += 1;
            fs::write(dir.join(format!("{written}.txt")), &receipt.text)?;
            fs::write(dir.join(format!("{written}.png")), &receipt.png)?;
        }
    }
    Ok(())
}
