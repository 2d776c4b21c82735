//! `central`: the server, and the tools of whoever runs it.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use central_server::config::Config;
use central_server::{Central, Clock, demo, openapi_json, serve};
use clap::{Parser, Subcommand};
use domain::CardNumber;
use jiff::tz::TimeZone;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// PAUSE+ central: cards, PINs, wallets and journals of a municipality's kiosks.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve kiosks and operators until SIGINT or SIGTERM.
    Serve {
        /// `central.toml`; `central.addr` is written beside it once it listens.
        #[arg(long)]
        config: PathBuf,
        /// Instead of `server.listen`; port 0 = any free one.
        #[arg(long)]
        listen: Option<SocketAddr>,
        /// Instead of `server.ops_listen`.
        #[arg(long)]
        ops_listen: Option<SocketAddr>,
    },
    /// Make a town of invented people, with cards, keys and certificates, to try it all in.
    DemoTown(demo::Options),
    /// Print the API's OpenAPI document.
    Openapi,
    /// The office has seen the holder: let the PIN be tried again.
    UnlockPin {
        /// `central.toml`.
        #[arg(long)]
        config: PathBuf,
        /// As printed on the card.
        number: String,
    },
    /// Check all of central's books against each other; fails when they are not sound.
    Audit {
        /// `central.toml`.
        #[arg(long)]
        config: PathBuf,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match Arguments::parse().command {
        Command::Serve { config, listen, ops_listen } => run(&config, listen, ops_listen).await,
        Command::DemoTown(options) => demo::make_town(&options).await,
        Command::Openapi => say(&openapi_json()),
        Command::UnlockPin { config, number } => unlock_pin(&config, &number).await,
        Command::Audit { config } => audit(&config).await,
    }
}

async fn run(
    file: &Path,
    listen: Option<SocketAddr>,
    ops_listen: Option<SocketAddr>,
) -> Result<()> {
    let mut config = Config::load(file)?;
    config.server.listen = listen.unwrap_or(config.server.listen);
    config.server.ops_listen = ops_listen.unwrap_or(config.server.ops_listen);
    if !config.server.ops_listen.ip().is_loopback() {
        bail!("--ops-listen: loopback only");
    }
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    serve(&config, &file.with_file_name("central.addr"), stop).await?;
    Ok(())
}

async fn unlock_pin(file: &Path, number: &str) -> Result<()> {
    let number: CardNumber = number.parse()?;
    let config = Config::load(file)?;
    // Beside a running server: SQLite lets both in.
    let (central, _writer) = Central::open(&config, Clock::system(TimeZone::UTC)).await?;
    if !central.unlock_pin_of(number).await? {
        bail!("no such card");
    }
    say("unlocked\n")
}

async fn audit(file: &Path) -> Result<()> {
    let config = Config::load(file)?;
    let faults = central_server::audit(&config.server.database).await?;
    if faults.is_empty() {
        return say("the books are sound\n");
    }
    bail!("the books are not sound:\n{}", faults.join("\n"))
}

fn say(text: &str) -> Result<()> {
    use std::io::Write;
    std::io::stdout().write_all(text.as_bytes()).context("standard output")
}
