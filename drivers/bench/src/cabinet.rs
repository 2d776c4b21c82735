//! The simulated devices of one kiosk, and what a hand can do to them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_sim::card;
pub use driver_sim::printer::Receipt;
use driver_sim::printer::{self, PaperLevel, Printer};
use driver_sim::reader::{self, IfdServer, Model, Reader};
use driver_sim::terminal;
use driver_sim::validator::{self, Contents, Encryption, InsertRefused, Pace, Validator};
use serde::Serialize;
use tokio::sync::watch;

use crate::books::Physical;
use crate::changes::Changes;
use crate::options::TerminalKind;
use crate::terminal::{CARDHOLDERS, CardTerminal, TerminalState};
use crate::town::Card;

/// All devices of the kiosk.
pub struct Cabinet {
    validator: Validator,
    printer: Printer,
    reader: Reader,
    terminal: Arc<CardTerminal>,
    _reader_line: IfdServer,
    /// Laid on the reader last; it may be gone.
    card: Mutex<Option<Card>>,
}

/// One of the devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// Note acceptor.
    Validator,
    /// Receipt printer.
    Printer,
    /// Contactless reader.
    Reader,
    /// Bank-card terminal.
    Terminal,
}

impl Device {
    /// All, in the order of the page.
    pub const ALL: [Self; 4] = [Self::Validator, Self::Printer, Self::Reader, Self::Terminal];

    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validator => "validator",
            Self::Printer => "printer",
            Self::Reader => "reader",
            Self::Terminal => "terminal",
        }
    }

    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Validator => "note acceptor",
            Self::Printer => "receipt printer",
            Self::Reader => "card reader",
            Self::Terminal => "bank-card terminal",
        }
    }

    fn by_name(name: &str) -> Result<Self, DeviceError> {
        let device = Self::ALL.into_iter().find(|device| device.name() == name);
        device.ok_or_else(|| DeviceError::Device { name: name.to_owned() })
    }
}

/// Why a device did not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No such device.
    #[error("no device {name:?}; there are validator, printer, reader, terminal and uplink")]
    Device {
        /// What was asked for.
        name: String,
    },
    /// No such fault.
    #[error("the {device} has no fault {fault:?}; it has: {known}")]
    Fault {
        /// Which device.
        device: &'static str,
        /// What was asked for.
        fault: String,
        /// Which there are.
        known: String,
    },
    /// No such cardholder.
    #[error("no cardholder {name:?}; there are: {known}")]
    Cardholder {
        /// Who was asked for.
        name: String,
        /// Who there are.
        known: String,
    },
    /// No such note.
    #[error("no note of {cents} cents; there are 500, 1000, 2000, 5000, 10000, 20000 and 50000")]
    Note {
        /// What was to be inserted.
        cents: i64,
    },
    /// The acceptor did not draw the note in.
    #[error("{0}; see GET /api/state")]
    NotDrawnIn(#[from] InsertRefused),
}

impl DeviceError {
    /// Would the same be worth another try in a moment?
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NotDrawnIn(InsertRefused::NotEnabled | InsertRefused::Busy) => true,
            Self::NotDrawnIn(InsertRefused::NoPower)
            | Self::Device { .. }
            | Self::Fault { .. }
            | Self::Cardholder { .. }
            | Self::Note { .. } => false,
        }
    }
}

/// The faults of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceFaults {
    /// Its name in the API.
    pub device: &'static str,
    /// All it can have.
    pub faults: Vec<FaultSwitch>,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultSwitch {
    /// Its name in the API.
    pub fault: &'static str,
    /// Is it there now?
    pub on: bool,
}

/// What the customer's side of the cabinet looks like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ports {
    card: Port,
    notes: Port,
    paper: Port,
    terminal: Port,
}

/// One opening of the cabinet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Port {
    lamp: Lamp,
    says: String,
}

impl Port {
    fn new(lamp: Lamp, says: impl Into<String>) -> Self {
        Self { lamp, says: says.into() }
    }
}

/// The light beside an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Lamp {
    Off,
    Ready,
    /// Something is in it.
    Busy,
    Fault,
}

impl Cabinet {
    /// Switches all devices on; their ports are in `dir`, which is made: the ptys `validator` and
    /// `printer`, and `reader`, the socket of the IFD handler. Must run in a tokio context.
    pub async fn start(dir: &Path, line: Line, changes: &Changes) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let notes = NotesFile(dir.join("notes.json"));
        let options = validator::Options { contents: notes.load()?, ..line.validator() };
        let validator = Validator::spawn(dir.join(VALIDATOR_PORT), options)?;
        tokio::spawn(watch_validator(validator.clone(), notes, changes.clone()));
        let printer = Printer::spawn(dir.join(PRINTER_PORT), printer::Options::default())?;
        tell(printer.watch(), changes);
        let reader = Reader::new(READER_MODEL);
        let reader_line = reader.serve_ifd(dir.join(READER_PORT))?;
        let terminal = Arc::new(CardTerminal::start(line.terminal, dir, line.speed).await?);
        tokio::spawn(watch_bank(terminal.clone(), changes.clone()));
        Ok(Self {
            validator,
            printer,
            reader,
            terminal,
            _reader_line: reader_line,
            card: Mutex::new(None),
        })
    }

    /// Pushes a note into the acceptor's slot.
    pub fn insert(&self, cents: i64) -> Result<(), DeviceError> {
        let note = NOTES.into_iter().find(|note| i64::from(*note) == cents);
        let note = note.ok_or(DeviceError::Note { cents })?;
        Ok(self.validator.insert(note)?)
    }

    /// Notes that were given back and nobody has taken yet: their values in cents.
    pub fn returned(&self) -> Vec<u32> {
        self.validator.state().returned
    }

    /// The customer takes the notes that were given back: their values in cents.
    pub fn take_returned(&self) -> Vec<u32> {
        self.validator.take_returned()
    }

    /// What a hand would count, and the bank.
    pub fn physical(&self) -> Physical {
        let state = self.validator.state();
        Physical::of(&state.cash_box, &state.collected, self.terminal.bank_cents())
    }

    /// How kioskd finds the terminal.
    pub fn terminal_config(&self) -> &str {
        self.terminal.config()
    }

    /// Who stands before the terminal, and who could.
    pub fn terminal(&self) -> TerminalState {
        self.terminal.shown()
    }

    /// Puts somebody else before the terminal.
    pub fn set_cardholder(&self, name: &str) -> Result<(), DeviceError> {
        let known = CARDHOLDERS.iter().find(|(known, _)| *known == name);
        let (_, cardholder) = known.ok_or_else(|| DeviceError::Cardholder {
            name: name.to_owned(),
            known: CARDHOLDERS.map(|(known, _)| known).join(", "),
        })?;
        self.terminal.set_cardholder(*cardholder);
        Ok(())
    }

    /// Puts `chips` on the reader, the first of them that of `card`; what is there is taken away
    /// first.
    pub fn tap(&self, card: &Card, chips: impl IntoIterator<Item = card::Card>) {
        *self.laid() = Some(card.clone());
        self.reader.remove();
        self.reader.tap_together(chips);
    }

    /// Takes the card away, if there is one.
    pub fn remove_card(&self) {
        self.reader.remove();
    }

    /// The id of the card on the reader. A card may leave by itself ([`reader::Fault::Torn`]).
    pub fn card(&self) -> Option<String> {
        let laid = self.laid();
        let laid = laid.as_ref().filter(|_| self.reader.is_occupied());
        laid.map(|card| card.id.clone())
    }

    /// What can go wrong, and what does. A device's power is a matter of [`Cabinet::power`].
    pub fn faults(&self) -> Vec<DeviceFaults> {
        Device::ALL
            .into_iter()
            .map(|device| DeviceFaults { device: device.name(), faults: self.faults_of(device) })
            .collect()
    }

    fn faults_of(&self, device: Device) -> Vec<FaultSwitch> {
        match device {
            Device::Validator => {
                let on = self.validator.state().faults;
                let all = validator::Fault::ALL.into_iter();
                all.filter(|fault| *fault != validator::Fault::Power)
                    .map(|fault| FaultSwitch {
                        fault: fault.name(),
                        on: on.contains(&fault.name()),
                    })
                    .collect()
            }
            Device::Printer => {
                let on = self.printer.state().faults;
                let all = printer::Fault::ALL.into_iter();
                all.filter(|fault| *fault != printer::Fault::Power)
                    .map(|fault| FaultSwitch { fault: fault.name(), on: on.contains(&fault) })
                    .collect()
            }
            Device::Reader => {
                let on = self.reader.faults();
                let all = reader::Fault::ALL.into_iter();
                all.map(|fault| FaultSwitch { fault: fault.name(), on: on.contains(&fault) })
                    .collect()
            }
            Device::Terminal => {
                let on = self.terminal.faults();
                let all = terminal::Fault::ALL.into_iter();
                all.filter(|fault| *fault != terminal::Fault::Power)
                    .map(|fault| FaultSwitch { fault: fault.name(), on: on.contains(&fault) })
                    .collect()
            }
        }
    }

    /// Makes a fault, or mends it.
    pub fn set_fault(&self, device: &str, fault: &str, on: bool) -> Result<(), DeviceError> {
        let device = Device::by_name(device)?;
        let known = self.faults_of(device);
        if !known.iter().any(|known| known.fault == fault) {
            let known: Vec<_> = known.iter().map(|known| known.fault).collect();
            return Err(DeviceError::Fault {
                device: device.name(),
                fault: fault.to_owned(),
                known: known.join(", "),
            });
        }
        self.switch(device, fault, on);
        Ok(())
    }

    /// `fault` is one the device has.
    fn switch(&self, device: Device, fault: &str, on: bool) {
        match device {
            Device::Validator => {
                let fault = fault.parse();
                let fault = fault.expect("a fault from the device's own list");
                self.validator.set_fault(fault, on);
            }
            Device::Printer => {
                let known = self.printer.set_fault(fault, on);
                known.expect("a fault from the device's own list");
            }
            Device::Reader => {
                let mut all = reader::Fault::ALL.into_iter();
                let fault = all.find(|known| known.name() == fault);
                let fault = fault.expect("a fault from the device's own list");
                self.reader.set_fault(fault, on);
            }
            Device::Terminal => {
                let fault = fault.parse();
                let fault = fault.expect("a fault from the device's own list");
                self.terminal.set_fault(fault, on);
            }
        }
    }

    /// Has the device power? A contactless reader has it from its cable.
    pub fn is_on(&self, device: Device) -> bool {
        match device {
            Device::Validator => {
                let power = validator::Fault::Power.name();
                !self.validator.state().faults.contains(&power)
            }
            Device::Printer => !self.printer.state().faults.contains(&printer::Fault::Power),
            Device::Reader => !self.reader.faults().contains(&reader::Fault::Unplugged),
            Device::Terminal => !self.terminal.faults().contains(&terminal::Fault::Power),
        }
    }

    /// Cuts a device's power, or gives it back.
    pub fn power(&self, device: Device, on: bool) {
        match device {
            Device::Validator => self.switch(device, validator::Fault::Power.name(), !on),
            Device::Printer => self.switch(device, printer::Fault::Power.name(), !on),
            Device::Reader => self.switch(device, reader::Fault::Unplugged.name(), !on),
            Device::Terminal => self.switch(device, terminal::Fault::Power.name(), !on),
        }
    }

    /// What the customer's side looks like.
    pub fn ports(&self) -> Ports {
        Ports {
            card: self.card_port(),
            notes: self.notes_port(),
            paper: self.paper_port(),
            terminal: self.terminal_port(),
        }
    }

    fn card_port(&self) -> Port {
        let laid = self.laid();
        let laid = laid.as_ref().filter(|_| self.reader.is_occupied());
        match laid {
            _ if !self.is_on(Device::Reader) => Port::new(Lamp::Off, "unplugged"),
            Some(card) => Port::new(Lamp::Busy, &card.holder),
            None if !self.reader.faults().is_empty() => Port::new(Lamp::Fault, "broken"),
            None => Port::new(Lamp::Ready, "tap a card"),
        }
    }

    fn notes_port(&self) -> Port {
        let state = self.validator.state();
        let euro = |cents: u32| format!("{} €", cents / 100);
        match (state.note, state.returned.last(), state.faults.first()) {
            (_, _, Some(&("power" | "unplugged"))) => Port::new(Lamp::Off, "no power"),
            (Some(cents), _, _) => {
                let lamp = if state.path == "jammed" { Lamp::Fault } else { Lamp::Busy };
                Port::new(lamp, format!("{} {}", euro(cents), state.path))
            }
            (None, _, Some(fault)) => Port::new(Lamp::Fault, fault.replace('_', " ")),
            (None, Some(&cents), None) => Port::new(Lamp::Busy, format!("take {}", euro(cents))),
            (None, None, None) if state.is_enabled => Port::new(Lamp::Ready, "takes notes"),
            (None, None, None) => Port::new(Lamp::Off, "closed"),
        }
    }

    fn paper_port(&self) -> Port {
        let state = self.printer.state();
        match (&state.paper, state.faults.first()) {
            _ if !state.plugged => Port::new(Lamp::Off, "unplugged"),
            (PaperLevel::End, _) => Port::new(Lamp::Fault, "no paper"),
            (PaperLevel::Low, _) if state.online => Port::new(Lamp::Ready, "little paper"),
            (_, Some(fault)) => Port::new(Lamp::Fault, fault.name().replace('_', " ")),
            (PaperLevel::Ok | PaperLevel::Low, None) => Port::new(Lamp::Ready, "ready"),
        }
    }

    fn terminal_port(&self) -> Port {
        let holder = self.terminal.shown().cardholder.replace('_', " ");
        match self.terminal.faults().first() {
            _ if !self.is_on(Device::Terminal) => Port::new(Lamp::Off, "no power"),
            Some(fault) => Port::new(Lamp::Fault, fault.name().replace('_', " ")),
            None => Port::new(Lamp::Ready, holder),
        }
    }

    /// What the printer has printed since it was started, oldest first; of very many the latest.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.printer.receipts()
    }

    fn laid(&self) -> MutexGuard<'_, Option<Card>> {
        self.card.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the devices are wired, and how fast they move.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// eSSP, or plain SSP?
    pub encrypted: bool,
    /// So many times faster than real ones.
    pub speed: u32,
    /// Which bank-card terminal.
    pub terminal: TerminalKind,
}

impl Line {
    /// The acceptor's options for it.
    pub fn validator(self) -> validator::Options {
        let faster = |real: Duration, least: Duration| (real / self.speed.max(1)).max(least);
        let encryption = if self.encrypted { Encryption::Optional } else { Encryption::None };
        validator::Options {
            encryption,
            polls_with_ack: self.encrypted,
            pace: Pace {
                read: faster(Pace::REAL.read, Pace::FAST.read),
                credit: faster(Pace::REAL.credit, Pace::FAST.credit),
                stack: faster(Pace::REAL.stack, Pace::FAST.stack),
                reject: faster(Pace::REAL.reject, Pace::FAST.reject),
                boot: faster(Pace::REAL.boot, Pace::FAST.boot),
            },
            ..validator::Options::default()
        }
    }
}

/// Announces what changes in the acceptor, which moves by itself, and keeps what is in it for the
/// next start, until the runtime ends.
async fn watch_validator(validator: Validator, notes: NotesFile, changes: Changes) {
    let mut seen = validator.state();
    loop {
        tokio::time::sleep(LOOK_PAUSE).await;
        let now = validator.state();
        if now.contents() != seen.contents()
            && let Err(error) = notes.save(&now.contents())
        {
            tracing::error!(%error, "the notes in the acceptor are forgotten at the next start");
        }
        if now != seen {
            seen = now;
            changes.touch();
        }
    }
}

/// Announces what the bank books, and keeps its account for the next start.
async fn watch_bank(terminal: Arc<CardTerminal>, changes: Changes) {
    let mut seen = terminal.charges();
    loop {
        tokio::time::sleep(LOOK_PAUSE).await;
        let now = terminal.charges();
        if now != seen {
            seen = now;
            if let Err(error) = terminal.save() {
                tracing::error!(%error, "the bank's account is forgotten at the next start");
            }
            changes.touch();
        }
    }
}

/// What is in the acceptor while no workbench runs: the kiosk's books remember it, too.
struct NotesFile(PathBuf);

impl NotesFile {
    fn load(&self) -> io::Result<Contents> {
        match std::fs::read(&self.0) {
            Ok(json) => Ok(serde_json::from_slice(&json)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Contents::default()),
            Err(error) => Err(error),
        }
    }

    /// All of it or nothing, whenever the workbench is killed.
    fn save(&self, contents: &Contents) -> io::Result<()> {
        let new = self.0.with_extension("new");
        std::fs::write(&new, serde_json::to_vec(contents)?)?;
        std::fs::rename(new, &self.0)
    }
}

/// Announces every change of a device, for as long as there is one.
fn tell<T: Send + Sync + 'static>(mut device: watch::Receiver<T>, changes: &Changes) {
    let changes = changes.clone();
    tokio::spawn(async move {
        while device.changed().await.is_ok() {
            changes.touch();
        }
    });
}

/// All there are, in cents.
const NOTES: [u32; 7] = [500, 1000, 2000, 5000, 10_000, 20_000, 50_000];

/// Quick enough for an eye.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// The common one.
pub const READER_MODEL: Model = Model::Acr1252u;

/// Names of the devices' ports in their folder.
pub const VALIDATOR_PORT: &str = "validator";
/// See [`VALIDATOR_PORT`].
pub const PRINTER_PORT: &str = "printer";
/// See [`VALIDATOR_PORT`].
pub const READER_PORT: &str = "reader";
