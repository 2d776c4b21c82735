//! `./dev bench`: measures what we promise, each thing beside something in the same run, and prints
//! Markdown. No test fails on time; a person reads the ratios.

#![allow(clippy::print_stdout, reason = "the report is the output")]

mod bare;
mod card;
mod central;
mod display;
mod journal;
mod measure;
mod note;
mod process;
mod report;
mod table;
mod town;
mod ui;
mod visit;
mod whole;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use report::Section;

/// Measures what we promise; prints Markdown.
#[derive(Parser)]
struct Args {
    /// What to measure; all if none is named.
    sections: Vec<Name>,
    /// Where to write what must be on a real disk.
    #[arg(long, default_value = "target")]
    disk: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    /// What a record costs.
    Journal,
    /// From a note in escrow to the command to stack it.
    Note,
    /// From the terminal's yes to the customer's screen.
    Card,
    /// What we add to a visit, and what the whole kiosk needs.
    Visit,
    /// Durable top-ups per second.
    Central,
    /// kiosk-ui beside a browser.
    Ui,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let mut end = ExitCode::SUCCESS;
    let names = match args.sections.as_slice() {
        [] => Name::value_variants(),
        some => some,
    };
    println!("{}\n", report::machine());
    for name in names {
        let directory = tempfile::Builder::new().prefix("bench-").tempdir_in(&args.disk);
        let directory =
            directory.with_context(|| format!("no directory in {}", args.disk.display()))?;
        let path = directory.path().canonicalize()?;
        // On a task, as in kioskd: the main thread would have to be woken for each answer.
        match tokio::spawn(measure(*name, path)).await? {
            Ok(section) => println!("{}", section.markdown()),
            Err(error) => {
                println!("Not measured: {name:?}: {error:#}\n");
                end = ExitCode::FAILURE;
            }
        }
    }
    Ok(end)
}

async fn measure(name: Name, directory: PathBuf) -> Result<Section> {
    match name {
        Name::Journal => journal::run(&directory).await,
        Name::Note => note::run(&directory).await,
        Name::Card => card::run(&directory).await,
        Name::Visit => visit::run(&directory).await,
        Name::Central => central::run(&directory).await,
        Name::Ui => ui::run(&directory),
    }
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
