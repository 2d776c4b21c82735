//! The simulated bank-card terminal of the cabinet, with whichever protocol, the person who stands
//! before it, and the bank behind it.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_sim::terminal::{self, Cardholder, Charge, Fault, Pace, Transport, nexo};
use serde::Serialize;

use crate::options::TerminalKind;

/// What the customer's card does, by its name in the API.
pub const CARDHOLDERS: [(&str, Cardholder); 6] = [
    ("contactless", Cardholder::Contactless),
    ("chip_and_pin", Cardholder::ChipAndPin),
    ("declined", Cardholder::Declined),
    ("wrong_pin", Cardholder::WrongPin),
    ("removes_card", Cardholder::RemovesCard),
    ("walks_off", Cardholder::WalksOff),
];

/// The terminal, switched on.
pub struct CardTerminal {
    model: Model,
    /// How kioskd finds it: the section of its configuration.
    config: String,
    bank: BankFile,
    /// The bank's account before this start, in cents.
    before: i64,
    /// Who stands before it, and what is wrong with it.
    state: Mutex<(Cardholder, BTreeSet<Fault>)>,
}

enum Model {
    Zvt(terminal::Terminal),
    Nexo(nexo::Terminal),
}

impl CardTerminal {
    /// Switches it on; its files and its serial port are in `dir`. Must run in a tokio context.
    ///
    /// # Errors
    /// No port is to be had.
    pub async fn start(kind: TerminalKind, dir: &Path, speed: u32) -> io::Result<Self> {
        let bank = BankFile(dir.join("bank.json"));
        let before = bank.load()?;
        let pace = faster(speed);
        let (model, config) = match kind {
            TerminalKind::Zvt => {
                let options = terminal::Options { pace, ..terminal::Options::default() };
                let (model, address) = terminal::Terminal::listen(options).await?;
                (Model::Zvt(model), zvt_config(&format!("address = \"{address}\"")))
            }
            TerminalKind::ZvtSerial => {
                let transport = Transport::Serial;
                let options = terminal::Options { transport, pace, ..terminal::Options::default() };
                let model = terminal::Terminal::plug(dir.join(TERMINAL_PORT), options)?;
                (Model::Zvt(model), zvt_config(&format!("port = \"dev/{TERMINAL_PORT}\"")))
            }
            TerminalKind::Nexo => {
                let options = nexo::Options { pace, ..nexo::Options::default() };
                std::fs::write(dir.join(PASSPHRASE), &options.passphrase)?;
                let (model, address) = nexo::Terminal::listen(options.clone()).await?;
                std::fs::write(dir.join(ROOTS), model.root_pem())?;
                (Model::Nexo(model), nexo_config(&options, address))
            }
        };
        let state = Mutex::new((Cardholder::Contactless, BTreeSet::new()));
        Ok(Self { model, config, bank, before, state })
    }

    /// The section `[terminal]` of kioskd's configuration.
    pub fn config(&self) -> &str {
        &self.config
    }

    /// Who stands before it from now on.
    pub fn set_cardholder(&self, cardholder: Cardholder) {
        self.state().0 = cardholder;
        match &self.model {
            Model::Zvt(model) => model.set_cardholder(cardholder),
            Model::Nexo(model) => model.set_cardholder(cardholder),
        }
    }

    /// Breaks or mends it.
    pub fn set_fault(&self, fault: Fault, on: bool) {
        match on {
            true => self.state().1.insert(fault),
            false => self.state().1.remove(&fault),
        };
        match &self.model {
            Model::Zvt(model) => model.set_fault(fault, on),
            Model::Nexo(model) => model.set_fault(fault, on),
        }
    }

    /// What is wrong with it.
    pub fn faults(&self) -> BTreeSet<Fault> {
        self.state().1.clone()
    }

    /// Who stands before it, and who could.
    pub fn shown(&self) -> TerminalState {
        let now = self.state().0;
        let name = CARDHOLDERS.iter().find(|(_, cardholder)| *cardholder == now);
        TerminalState {
            cardholder: name.map_or("", |(name, _)| name),
            cardholders: CARDHOLDERS.map(|(name, _)| name).into(),
        }
    }

    fn state(&self) -> MutexGuard<'_, (Cardholder, BTreeSet<Fault>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The town's account at the bank: charged less given back, in cents.
    pub fn bank_cents(&self) -> i64 {
        self.before + self.charges().iter().map(booked).sum::<i64>()
    }

    /// What the bank has booked since this start, oldest first.
    pub fn charges(&self) -> Vec<Charge> {
        match &self.model {
            Model::Zvt(model) => model.charges(),
            Model::Nexo(model) => model.charges(),
        }
    }

    /// Keeps the bank's account for the next start.
    pub fn save(&self) -> io::Result<()> {
        self.bank.save(self.bank_cents())
    }
}

fn faster(speed: u32) -> Pace {
    let faster = |real: Duration, least: Duration| (real / speed.max(1)).max(least);
    Pace {
        customer: faster(Pace::REAL.customer, Pace::FAST.customer),
        host: faster(Pace::REAL.host, Pace::FAST.host),
        patience: faster(Pace::REAL.patience, Pace::FAST.patience),
    }
}

fn booked(charge: &Charge) -> i64 {
    if charge.is_reversed { 0 } else { i64::try_from(charge.cents).unwrap_or(i64::MAX) }
}

fn zvt_config(at: &str) -> String {
    format!("[terminal]\nprotocol = \"zvt\"\nacquirer = \"{ACQUIRER}\"\n\n[terminal.zvt]\n{at}\n")
}

fn nexo_config(options: &nexo::Options, address: SocketAddr) -> String {
    let (poi_id, name) = (&options.poi_id, options.name());
    let (key_id, version) = (&options.key_identifier, options.key_version);
    format!(
        r#"[terminal]
protocol = "nexo"
acquirer = "{ACQUIRER}"

[terminal.nexo]
address = "{address}"
poi_id = "{poi_id}"
roots = "dev/{ROOTS}"
name = "{name}"
key_id = "{key_id}"
key_version = {version}
passphrase = "dev/{PASSPHRASE}"
"#
    )
}

/// The bank's account while no workbench runs: the kiosk's books remember it, too.
struct BankFile(PathBuf);

impl BankFile {
    fn load(&self) -> io::Result<i64> {
        match std::fs::read(&self.0) {
            Ok(json) => Ok(serde_json::from_slice(&json)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn save(&self, cents: i64) -> io::Result<()> {
        let new = self.0.with_extension("new");
        std::fs::write(&new, serde_json::to_vec(&cents)?)?;
        std::fs::rename(new, &self.0)
    }
}

/// What the API tells of the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TerminalState {
    /// Who stands before it.
    pub cardholder: &'static str,
    /// Who could.
    pub cardholders: Vec<&'static str>,
}

/// As its receipts say.
const ACQUIRER: &str = "Banca de Vallserena";

/// Names of its files in the folder of the devices.
pub const TERMINAL_PORT: &str = "terminal";
const PASSPHRASE: &str = "terminal.passphrase";
const ROOTS: &str = "terminal-roots.pem";
