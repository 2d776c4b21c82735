//! `workbench`: a whole town on one machine, or one of its devices.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Parser as _;
use driver_sim::namespace::{self, Isolation};
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;
use workbench::alone;
use workbench::options::{BenchOptions, Cli, Command};

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing more can be said when standard error is gone too.
            writeln!(std::io::stderr(), "workbench: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    match (&cli.command, &cli.bench) {
        (Some(Command::Device { kind, at }), _) => {
            let runtime = runtime()?;
            let ended = runtime.block_on(alone::run(*kind, at));
            // A thread may still wait for a line on standard input; nobody waits for it.
            runtime.shutdown_background();
            ended
        }
        (None, Some(options)) => run_town(options),
        (None, None) => bail!("give --dir or a command; --help shows them"),
    }
}

fn run_town(options: &BenchOptions) -> anyhow::Result<()> {
    // Before any thread: the namespace is made by running this program anew inside it.
    if let Isolation::Shared = namespace::enter_private().context("a private /run/pcscd")? {
        tracing::info!("no namespaces for us here: pcscd serves on a socket in the town's folder");
    }
    runtime()?.block_on(workbench::run::run(options, |address| {
        // Who reads it may be gone; the page is there all the same.
        writeln!(std::io::stdout(), "workbench: {address}").ok();
    }))
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
