//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A whole town on one machine: central, a kiosk with simulated devices, and a web page to operate
/// them.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Cli {
    /// One device instead of the whole town.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The whole town.
    #[command(flatten)]
    pub bench: Option<BenchOptions>,
}

/// How the whole town is to be.
#[derive(Clone, Debug, Args)]
pub struct BenchOptions {
    /// Where the town lives: its books, keys, sockets and logs. Made when it is empty.
    #[arg(long, value_name = "DIR", required = true)]
    pub dir: PathBuf,
    /// Port of the page on 127.0.0.1; 0 = any free one. Without it: 8080 if free, else any.
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// The kiosk's panel in pixels.
    #[arg(long, value_name = "WxH", default_value = "1080x1920")]
    pub panel: Panel,
    /// The devices move this many times faster than real ones.
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub speed: u32,
    /// Opens the kiosk as a window too.
    #[arg(long)]
    pub window: bool,
    /// Does the line to the note acceptor speak eSSP (encrypted) or plain SSP?
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub encrypted: bool,
    /// Which bank-card terminal stands in the kiosk.
    #[arg(long, value_enum, default_value_t = TerminalKind::Zvt)]
    pub terminal: TerminalKind,
    /// Another deadline of kioskd, by its name under `[timing]`, in seconds; may be repeated.
    #[arg(long, value_name = "NAME=SECONDS")]
    pub timing: Vec<Timing>,
    /// A variable in the environment of kioskd alone; may be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    pub kioskd_env: Vec<Variable>,
}

/// The bank-card terminals there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TerminalKind {
    /// ZVT over TCP.
    Zvt,
    /// ZVT over a serial line.
    ZvtSerial,
    /// nexo Retailer, over HTTPS.
    Nexo,
}

/// One line under `[timing]` in kioskd.toml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// As kioskd names it; kioskd itself refuses what it does not know.
    pub name: String,
    /// How long.
    pub seconds: u16,
}

impl FromStr for Timing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "NAME=SECONDS is wanted, for instance customer_idle=20".to_owned();
        let (name, seconds) = text.split_once('=').ok_or_else(wanted)?;
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let seconds = seconds.parse().ok().filter(|_| is_name).ok_or_else(wanted)?;
        Ok(Self { name: name.to_owned(), seconds })
    }
}

/// One environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it says; may be empty.
    pub value: String,
}

impl FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) = parts.ok_or("NAME=VALUE is wanted")?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

/// Other things the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs one simulated device alone, for other people's programs to talk to. It is operated
    /// with lines on standard input; `help` lists them.
    Device {
        /// Which.
        kind: DeviceKind,
        /// Name of the pty or socket to be made; for a card terminal, the folder of its port and
        /// files.
        #[arg(long, value_name = "PATH")]
        at: PathBuf,
    },
}

/// A device that can run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeviceKind {
    /// Note validator, SSP and eSSP, on a pty.
    Validator,
    /// Receipt printer, ESC/POS, on a pty.
    Printer,
    /// Contactless reader and card, on the socket of our IFD handler.
    Reader,
    /// Contactless reader and card as an NXP PN532, on a pty.
    Pn532,
    /// Bank-card terminal, ZVT over TCP.
    Zvt,
    /// Bank-card terminal, ZVT on a pty.
    ZvtSerial,
    /// Bank-card terminal, nexo Retailer over HTTPS.
    Nexo,
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panel {
    /// In pixels, 320..=7680.
    pub width: u32,
    /// In pixels, 320..=7680.
    pub height: u32,
}

impl FromStr for Panel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str| text.parse().ok().filter(|px| (320..=7680).contains(px));
        let sides = text.split_once('x');
        sides
            .and_then(|(width, height)| Some(Self { width: side(width)?, height: side(height)? }))
            .ok_or_else(|| "a panel is WIDTHxHEIGHT, each 320 to 7680: 1080x1920".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
        let cli = Cli::parse_from(["workbench", "--dir", "x", "--encrypted", "false"]);
        let bench = cli.bench.unwrap();
        assert!(!bench.encrypted);
        assert_eq!(bench.port, None);
        let device = Cli::parse_from(["workbench", "device", "printer", "--at", "/tmp/p"]);
        assert!(device.command.is_some() && device.bench.is_none());
        assert!(Cli::try_parse_from(["workbench"]).is_err(), "a town needs its --dir");
    }

    #[test]
    fn a_variable_has_a_name_and_says_what_it_likes() {
        let variable = |name: &str, value: &str| {
            Ok(Variable { name: name.to_owned(), value: value.to_owned() })
        };
        assert_eq!("TZ=Europe/Madrid".parse(), variable("TZ", "Europe/Madrid"));
        assert_eq!("A=b=c".parse(), variable("A", "b=c"));
        assert_eq!("A=".parse(), variable("A", ""));
        assert!("A".parse::<Variable>().is_err() && "=b".parse::<Variable>().is_err());
    }

    #[test]
    fn a_panel_has_two_sensible_sides() {
        assert_eq!("1920x1080".parse(), Ok(Panel { width: 1920, height: 1080 }));
        for bad in ["", "1080", "1080x", "x1920", "1080x-1", "10x10", "9999x9999"] {
            assert!(bad.parse::<Panel>().is_err(), "{bad}");
        }
    }
}
