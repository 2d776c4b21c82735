//! The bench as its HTTP API sees it: one cabinet with its devices, the processes around it, and
//! three sets of books.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};
use ui_proto::{RemoteRequest, Role};

use crate::accounts::Accounts;
use crate::books::Books;
use crate::cabinet::{Cabinet, Device, DeviceError, DeviceFaults, Ports, Receipt};
use crate::changes::Changes;
use crate::log::{LogLine, Logs};
use crate::process::{Status, Supervised};
use crate::remote::{Remote, RemoteError};
use crate::screen::{Screens, Shown};
use crate::terminal::TerminalState;
use crate::town::{Card, KIOSK_UI, KIOSKD, Town, TownCard};
use crate::uplink::{UPLINK, Uplink};

/// Everything on the bench.
pub struct Bench {
    /// The demo town.
    pub town: Town,
    /// The simulated devices.
    pub cabinet: Cabinet,
    /// The line between kioskd and central.
    pub uplink: Uplink,
    /// The real processes, in the order in which they start.
    pub processes: Vec<Supervised>,
    /// Who reads the kiosk's and central's books.
    pub accounts: Accounts,
    /// What kioskd shows.
    pub screens: Screens,
    /// The finger on kiosk-ui.
    pub remote: Remote,
    /// What the processes say.
    pub logs: Logs,
    /// Something changed.
    pub changes: Changes,
}

/// Why the bench did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// No such card.
    #[error("no card {id:?}; GET /api/cards lists them")]
    Card {
        /// What was asked for.
        id: String,
    },
    /// No such process.
    #[error("no process {name:?}; there are: {known}")]
    Process {
        /// What was asked for.
        name: String,
        /// Which there are.
        known: String,
    },
    /// A device did not.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// kiosk-ui did not.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

/// Something whose power can be cut.
#[derive(Clone, Debug, Serialize)]
pub struct PowerSwitch {
    /// Its name in the API.
    pub process: &'static str,
    /// For people.
    pub title: &'static str,
    /// Is the power on?
    pub on: bool,
    /// What the process does; `None` for a device.
    pub status: Option<Status>,
}

/// Everything the page shows, but for the picture and the books.
#[derive(Clone, Debug, Serialize)]
pub struct BenchState {
    town: String,
    kiosk: String,
    screen: Option<Shown>,
    card: Option<String>,
    ports: Ports,
    returned: Vec<u32>,
    terminal: TerminalState,
    faults: Vec<DeviceFaults>,
    powers: Vec<PowerSwitch>,
    receipts: usize,
    log: Vec<LogLine>,
}

impl Bench {
    /// Everything at once.
    pub fn state(&self) -> BenchState {
        BenchState {
            town: self.town.name.clone(),
            kiosk: self.town.kiosk.to_string(),
            screen: self.screens.current(),
            card: self.cabinet.card(),
            ports: self.cabinet.ports(),
            returned: self.cabinet.returned(),
            terminal: self.cabinet.terminal(),
            faults: self.faults(),
            powers: self.powers(),
            receipts: self.cabinet.receipts().len(),
            log: self.logs.tail(LOG_LINES),
        }
    }

    /// The town's cards.
    pub fn cards(&self) -> Vec<Card> {
        let cards = self.town.cards.iter();
        cards.map(|card| card.shown.clone()).collect()
    }

    /// Puts a card on the reader, with another one if it is said `with` which; what is there is
    /// taken away first.
    pub fn tap(&self, id: &str, with: Option<&str>) -> Result<(), BenchError> {
        let card = self.card(id)?;
        let other = with.map(|id| self.card(id)).transpose()?;
        let chips = std::iter::once(card).chain(other).map(|card| card.chip.clone());
        self.cabinet.tap(&card.shown, chips);
        self.changes.touch();
        Ok(())
    }

    fn card(&self, id: &str) -> Result<&TownCard, BenchError> {
        self.town.card(id).ok_or_else(|| BenchError::Card { id: id.to_owned() })
    }

    /// Takes the card away, if there is one.
    pub fn remove_card(&self) {
        self.cabinet.remove_card();
        self.changes.touch();
    }

    /// Pushes a note into the acceptor's slot, and a while longer if it is not drawn in at once:
    /// the acceptor may not have followed the screen yet, or still be busy with the note before.
    pub async fn insert(&self, cents: i64) -> Result<(), BenchError> {
        let patience = Instant::now() + INSERT_MAX;
        while let Err(error) = self.cabinet.insert(cents) {
            if !error.may_pass() || Instant::now() > patience {
                return Err(error.into());
            }
            sleep(INSERT_PAUSE).await;
        }
        self.changes.touch();
        Ok(())
    }

    /// The customer takes the notes that were given back: their values in cents.
    pub fn take_returned(&self) -> Vec<u32> {
        let taken = self.cabinet.take_returned();
        self.changes.touch();
        taken
    }

    /// Puts somebody else before the card terminal.
    pub fn set_cardholder(&self, name: &str) -> Result<(), BenchError> {
        self.cabinet.set_cardholder(name)?;
        self.changes.touch();
        Ok(())
    }

    /// What can go wrong with each device and the line to central, and what does.
    pub fn faults(&self) -> Vec<DeviceFaults> {
        let devices = self.cabinet.faults().into_iter();
        devices.chain([self.uplink.faults()]).collect()
    }

    /// Makes a fault, or mends it.
    pub fn fault(&self, device: &str, fault: &str, on: bool) -> Result<(), BenchError> {
        if device == UPLINK {
            self.uplink.set_fault(fault, on)?;
        } else {
            self.cabinet.set_fault(device, fault, on)?;
        }
        self.changes.touch();
        Ok(())
    }

    /// Everything whose power can be cut.
    pub fn powers(&self) -> Vec<PowerSwitch> {
        let devices = Device::ALL.map(|device| PowerSwitch {
            process: device.name(),
            title: device.title(),
            on: self.cabinet.is_on(device),
            status: None,
        });
        let processes = self.processes.iter().map(|process| PowerSwitch {
            process: process.name(),
            title: process.name(),
            on: process.is_on(),
            status: Some(process.status()),
        });
        let parts: Vec<_> = processes.chain(devices).collect();
        let cabinet = PowerSwitch {
            process: CABINET,
            title: "the whole cabinet",
            on: parts.iter().all(|part| part.on || !is_in_cabinet(part.process)),
            status: None,
        };
        std::iter::once(cabinet).chain(parts).collect()
    }

    /// Cuts the power of a part (SIGKILL for a process), or gives it back.
    pub async fn power(&self, name: &str, on: bool) -> Result<(), BenchError> {
        let known: Vec<_> = self.powers().iter().map(|part| part.process).collect();
        if !known.contains(&name) {
            let (name, known) = (name.to_owned(), known.join(", "));
            return Err(BenchError::Process { name, known });
        }
        let is_meant = |part: &str| part == name || (name == CABINET && is_in_cabinet(part));
        // A power cut hits all parts at once; with the power back the devices are awake before the
        // slow computer asks them.
        for device in Device::ALL {
            if is_meant(device.name()) {
                self.cabinet.power(device, on);
            }
        }
        let processes = self.processes.iter();
        let meant = processes.filter(|process| is_meant(process.name()));
        futures_util::future::join_all(meant.map(|process| process.power(on))).await;
        if !on && is_meant(KIOSKD) {
            self.screens.lost();
        }
        self.changes.touch();
        Ok(())
    }

    /// A finger or a key.
    pub async fn press(&self, request: RemoteRequest) -> Result<(), BenchError> {
        // The panel may be a moment behind what kioskd has told us and we have told the caller.
        if let Some(shown) = self.screens.current() {
            let view = Box::new(shown.view.into());
            self.remote.act(&RemoteRequest::Shown { view }).await?;
        }
        let refused = match self.remote.act(&request).await {
            Err(RemoteError::Refused { reason }) => reason,
            done => return Ok(done?),
        };
        let reason = match request {
            RemoteRequest::Press { .. } => format!("{refused}; {}", self.buttons().await?),
            RemoteRequest::Touch { .. }
            | RemoteRequest::Key { .. }
            | RemoteRequest::Shown { .. }
            | RemoteRequest::Png { .. }
            | RemoteRequest::Elements => refused,
        };
        Err(RemoteError::Refused { reason }.into())
    }

    /// What can be pressed, for whoever looked for something else.
    async fn buttons(&self) -> Result<String, RemoteError> {
        let elements = self.remote.elements().await?;
        let buttons = elements.iter().filter(|element| element.enabled);
        let buttons = buttons.filter(|element| element.role == Role::Button);
        let labels: Vec<_> = buttons.map(|element| element.label.as_str()).collect();
        Ok(format!("there are: {}", labels.join(" · ")))
    }

    /// All three sets of books, read now.
    pub async fn books(&self) -> Books {
        // In this order a note that moves meanwhile is seen by the later ones: central never
        // seems to know more than the kiosk.
        let central = self.accounts.central().await;
        let kiosk = self.accounts.kiosk().await;
        Books::compare(kiosk, central, self.cabinet.physical())
    }

    /// What the printer has printed since the workbench started, oldest first.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.cabinet.receipts()
    }

    /// The last lines of all logs.
    pub fn log_tail(&self, lines: usize) -> Vec<LogLine> {
        self.logs.tail(lines)
    }
}

/// What loses its power with the cabinet; central and the PC/SC service of the test machine do not.
fn is_in_cabinet(part: &str) -> bool {
    part == KIOSKD || part == KIOSK_UI || Device::ALL.iter().any(|device| device.name() == part)
}

/// Everything in the kiosk's cabinet at once.
const CABINET: &str = "kiosk";

/// How many lines of the logs the page gets.
const LOG_LINES: usize = 60;

/// How long a customer pushes.
const INSERT_MAX: Duration = Duration::from_secs(2);
const INSERT_PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
pub(crate) mod fixtures {
    use std::path::Path;

    use central_api::{Client, ClientConfig};

    use super::*;
    use crate::cabinet::Line;
    use crate::options::TerminalKind;

    const LINE: Line = Line { encrypted: true, speed: 100, terminal: TerminalKind::Zvt };

    /// A bench with real devices and nothing around them. Must run in a tokio context.
    pub(crate) async fn without_processes(dir: &Path) -> Bench {
        let changes = Changes::default();
        let town = Town::without_citizens(dir);
        let nowhere = dir.join("nowhere");
        Bench {
            cabinet: Cabinet::start(&town.device_dir(), LINE, &changes).await.unwrap(),
            processes: Vec::new(),
            accounts: Accounts::new(
                nowhere.clone(),
                town.kioskd_toml(),
                town.kiosk.clone(),
                operator_of_nobody(),
            ),
            screens: Screens::new(changes.clone()),
            remote: Remote::new(nowhere),
            logs: Logs::new(&town.log_dir()).unwrap(),
            uplink: Uplink::start(&town.central).unwrap(),
            town,
            changes,
        }
    }

    /// Its certificate is sound, but nobody listens where it calls.
    fn operator_of_nobody() -> Client {
        let certified = rcgen::generate_simple_self_signed(["operator".to_owned()]).unwrap();
        let pem = certified.cert.pem().into_bytes();
        let config = ClientConfig {
            url: "https://127.0.0.1:1".to_owned(),
            ca_pem: pem.clone(),
            certificate_pem: pem,
            key_pem: certified.signing_key.serialize_pem().into_bytes(),
            connect_timeout: ClientConfig::CONNECT_TIMEOUT,
            timeout: ClientConfig::TIMEOUT,
        };
        Client::new(&config).unwrap()
    }
}
