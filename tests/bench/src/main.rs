//! `./dev bench`: measures what we promise, each thing beside something in the same run, and prints
//! Markdown. No test fails on time; a person reads the ratios.

#![allow(clippy::print_stdout, reason = "the report is the output")]

mod bare;
mod central;
mod display;
mod journal;
mod measure;
mod note;
mod process;
mod report;
mod table;
mod ui;
mod visit;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

/// Measures what we promise; prints Markdown.
#[derive(Parser)]
struct Args {
    /// What to measure; all if none is named.
    sections: Vec<Name>,
    /// Where to write what must be on a real disk.
    #[arg(long, default_value = "target")]
    disk: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// What a record costs.
    Journal,
    /// From a note in escrow to the command to stack it.
    Note,
    /// What kioskd adds to a visit.
    Visit,
    /// Durable top-ups per second.
    Central,
    /// kiosk-ui beside a browser.
    Ui,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> Result<()> {
    let args = Args::parse();
    let names =
        if args.sections.is_empty() { Name::value_variants().to_vec() } else { args.sections };
    println!("{}\n", report::machine());
    for name in names {
        let directory = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(&args.disk)
            .with_context(|| format!("no directory in {}", args.disk.display()))?;
        let section = match name {
            Name::Journal => journal::run(directory.path()).await?,
            Name::Note => note::run(directory.path()).await?,
            Name::Visit => visit::run(directory.path()).await?,
            Name::Central => central::run(directory.path()).await?,
            Name::Ui => ui::run(directory.path())?,
        };
        println!("{}", section.markdown());
    }
    Ok(())
}

/// A program of ours, built beside this one.
fn programs(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    anyhow::ensure!(path.exists(), "{} is not built", path.display());
    Ok(path)
}

/// Where the sources are.
fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
