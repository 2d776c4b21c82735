//! kioskd: owns the devices, the core, the journal and the link to central.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kiosk_daemon::{config::Config, report, settle, wiring};
use kiosk_records::Seq;
use tracing::error;
use tracing_subscriber::EnvFilter;

/// The daemon of a PAUSE+ kiosk.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve customers until told to stop.
    Run(WithConfig),
    /// Read the configuration and all it names, and say what is wrong with it.
    CheckConfig(WithConfig),
    /// Print the books as JSON. Changes nothing; works whether kioskd runs or not.
    Books(WithConfig),
    /// Verify the whole journal and print its totals. Fails unless everything holds.
    Audit(WithConfig),
    /// Write down what the acquirer says about a card payment in doubt that the terminal cannot
    /// settle any more. kioskd must be stopped.
    Settle {
        #[command(flatten)]
        at: WithConfig,
        /// The order: the number of the claim without the kiosk's (`K0001-17`: 17).
        order: u64,
        /// What the acquirer says became of it.
        #[arg(value_enum)]
        fate: Fate,
        /// The bank's authorisation code, as the acquirer reports it.
        #[arg(long, required_if_eq("fate", "carried-out"), value_parser = code)]
        code: Option<String>,
    },
}

/// What became of an order to the terminal.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Fate {
    /// The card was charged; of a reversal: the money is back.
    CarriedOut,
    /// It was not, and will not be.
    NotCarriedOut,
}

/// As banks give them: a few letters and digits.
fn code(text: &str) -> Result<String, String> {
    let is_code = (1..=16).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric());
    if is_code { Ok(text.to_owned()) } else { Err("up to 16 letters and digits".to_owned()) }
}

#[derive(clap::Args)]
struct WithConfig {
    /// The configuration file.
    #[arg(long, default_value = "/etc/pauseplus/kioskd.toml")]
    config: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "these are what the commands are for")]
async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Run(at) => wiring::run(Config::load(&at.config)?).await,
        Command::CheckConfig(at) => {
            let config = Config::load(&at.config)?;
            config.check_files()?;
            println!("{}: kiosk {} is configured", at.config.display(), config.kiosk.id);
            Ok(())
        }
        Command::Books(at) => {
            println!("{}", report::books(&Config::load(&at.config)?).await?);
            Ok(())
        }
        Command::Audit(at) => {
            println!("{}", report::audit(&Config::load(&at.config)?).await?);
            Ok(())
        }
        Command::Settle { at, order, fate, code } => {
            let code = code.filter(|_| fate == Fate::CarriedOut);
            let config = Config::load(&at.config)?;
            settle::settle(&config, Seq(order), code).await?;
            println!("{}-{order} is settled; start kioskd", config.kiosk.id);
            Ok(())
        }
    }
}
