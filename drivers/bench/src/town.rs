//! The demo town in its folder: made by `central demo-town` when there is none, read, and
//! configured for the programs that live in it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use central_api::ClientConfig;
use driver_sim::card;
use kiosk_records::KioskId;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::cabinet::{PRINTER_PORT, READER_MODEL, VALIDATOR_PORT};
use crate::options::{BenchOptions, Timing};
use crate::process::{Program, die_with_parent};

/// A town that was made.
#[derive(Debug)]
pub struct Town {
    dir: PathBuf,
    /// For people.
    pub name: String,
    /// Its only kiosk.
    pub kiosk: KioskId,
    /// Where central listens: address and port.
    pub central: String,
    /// The citizens' cards, and some that are none.
    pub cards: Vec<TownCard>,
}

/// A card and what is in it.
#[derive(Clone, Debug)]
pub struct TownCard {
    /// As the API shows it.
    pub shown: Card,
    /// What the reader meets.
    pub chip: card::Card,
}

/// A card as the API shows it. The holders are invented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Its name in the API.
    pub id: String,
    /// Who is said to hold it.
    pub holder: String,
    /// The number printed on it; empty = it has none of ours.
    pub number: String,
    /// Its PIN.
    pub pin: String,
    /// What central says of it.
    pub status: String,
    /// What it is there to show.
    pub story: String,
}

/// `town.json`, as `central demo-town` writes it.
#[derive(Deserialize)]
struct TownFile {
    name: String,
    kiosk: KioskId,
    cards: Vec<CardFile>,
}

#[derive(Deserialize)]
struct CardFile {
    id: String,
    holder: String,
    number: String,
    pin: String,
    status: String,
    story: String,
    /// 64 blocks of 16 bytes, in hex.
    image: String,
}

impl Town {
    /// The town in `dir`, made first if there is none.
    ///
    /// # Errors
    /// It cannot be made, or what is there is no town.
    pub async fn open(dir: &Path, programs: &Programs) -> anyhow::Result<Self> {
        // The last file that is made: where it is, the town is whole.
        if !dir.join(CENTRAL_TOML).exists() {
            make(dir, &programs.path(CENTRAL)).await?;
        }
        let mut town = Self::read(dir)?;
        town.find_port_for_central()?;
        Ok(town)
    }

    /// Writes the kiosk's configuration; it calls central at `uplink`, and has this section on its
    /// card terminal.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn configure(
        &self,
        options: &BenchOptions,
        uplink: SocketAddr,
        terminal: &str,
    ) -> anyhow::Result<()> {
        self.write_kioskd_toml(options, uplink, terminal)?;
        self.write_ui_toml(options)
    }

    fn read(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join("town.json");
        let text =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let file: TownFile = serde_json::from_slice(&text).with_context(|| {
            let path = path.display();
            format!("{path} is of another version; ./dev clean-demo makes a new town")
        })?;
        let cards = file.cards.into_iter().map(TownCard::try_from);
        let cards = cards.chain(strangers().map(Ok));
        Ok(Self {
            dir: dir.to_owned(),
            name: file.name,
            kiosk: file.kiosk,
            central: String::new(),
            cards: cards.collect::<anyhow::Result<_>>()?,
        })
    }

    /// The card with this id.
    pub fn card(&self, id: &str) -> Option<&TownCard> {
        self.cards.iter().find(|card| card.shown.id == id)
    }

    /// Where kioskd and kiosk-ui meet.
    pub fn ui_socket(&self) -> PathBuf {
        self.dir.join("ui.sock")
    }

    /// Where kiosk-ui takes our touches.
    pub fn remote_socket(&self) -> PathBuf {
        self.dir.join("remote.sock")
    }

    /// Ports of the devices.
    pub fn device_dir(&self) -> PathBuf {
        self.dir.join("dev")
    }

    /// What the processes say.
    pub fn log_dir(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// kioskd's configuration.
    pub fn kioskd_toml(&self) -> PathBuf {
        self.dir.join("kioskd.toml")
    }

    fn ui_toml(&self) -> PathBuf {
        self.dir.join("ui.toml")
    }

    /// How an operator comes in to central.
    pub fn operator(&self) -> anyhow::Result<ClientConfig> {
        let pem = |name: &str| {
            let path = self.dir.join(name);
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        Ok(ClientConfig {
            url: format!("https://{}", self.central),
            ca_pem: pem("ca.pem")?,
            certificate_pem: pem("operator.pem")?,
            key_pem: pem("operator.key")?,
            connect_timeout: ClientConfig::CONNECT_TIMEOUT,
            timeout: ClientConfig::TIMEOUT,
        })
    }

    /// The real programs, in the order in which they start.
    pub fn programs(&self, options: &BenchOptions, programs: &Programs) -> Vec<Program> {
        let ui = |name, backend| {
            Program::new(name, programs.path(KIOSK_UI), &self.dir)
                .path_arg("--config", &self.ui_toml())
                .path_arg("--socket", &self.ui_socket())
                .args(["--backend", backend])
        };
        let central = Program::new(CENTRAL, programs.path(CENTRAL), &self.dir)
            .args(["serve"])
            .path_arg("--config", &self.dir.join(CENTRAL_TOML));
        let mut kioskd = Program::new(KIOSKD, programs.path(KIOSKD), &self.dir)
            .args(["run"])
            .path_arg("--config", &self.kioskd_toml());
        let env = options.kioskd_env.iter();
        kioskd.env = env.map(|each| (each.name.clone(), each.value.clone())).collect();
        let headless = ui(KIOSK_UI, "headless").path_arg("--remote", &self.remote_socket());
        let window = options.window.then(|| ui("kiosk-window", "window"));
        [central, kioskd, headless].into_iter().chain(window).collect()
    }

    /// Central keeps the port it was given when the town was made, unless another program has
    /// taken it since.
    fn find_port_for_central(&mut self) -> anyhow::Result<()> {
        let path = self.dir.join(CENTRAL_TOML);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let table: toml::Table =
            text.parse().with_context(|| format!("{} is no TOML", path.display()))?;
        let listen = table.get("server").and_then(|server| server.get("listen"));
        let listen = listen.and_then(toml::Value::as_str);
        let listen = listen.with_context(|| format!("{}: no server.listen", path.display()))?;
        let mut now = listen.to_owned();
        if TcpListener::bind(listen).is_err() {
            now = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.to_string();
            let quoted = |address: &str| format!("listen = \"{address}\"");
            write(&path, &text.replacen(&quoted(listen), &quoted(&now), 1))?;
        }
        self.central = now;
        Ok(())
    }

    fn write_kioskd_toml(
        &self,
        options: &BenchOptions,
        uplink: SocketAddr,
        terminal: &str,
    ) -> anyhow::Result<()> {
        let (kiosk, encrypted) = (&self.kiosk, options.encrypted);
        let timing: String = options
            .timing
            .iter()
            .map(|Timing { name, seconds }| format!("{name} = {seconds}\n"))
            .collect();
        let reader = READER_MODEL.pcsc_name();
        // JSON's quotes are TOML's too.
        let name = serde_json::to_string(&self.name)?;
        let text = format!(
            r#"# Written by the workbench at every start.
[kiosk]
id = "{kiosk}"
data_dir = "kiosk"
language = "es"
municipality = {name}
office = "{OFFICE_PLACE}, tel. {OFFICE_PHONE}"

[central]
url = "https://{uplink}"
ca = "ca.pem"
certificate = "{kiosk}.pem"
key = "{kiosk}.key"
card_ref_key = "card_ref.key"
card_keys = "card_keys.json"

[acceptor]
protocol = "ssp"
port = "dev/{VALIDATOR_PORT}"
encrypted = {encrypted}

[printer]
port = "dev/{PRINTER_PORT}"

[reader]
name = "{reader}"

{terminal}
[ui]
socket = "ui.sock"

[timing]
{timing}"#
        );
        write(&self.kioskd_toml(), &text)
    }

    fn write_ui_toml(&self, options: &BenchOptions) -> anyhow::Result<()> {
        let (width, height) = (options.panel.width, options.panel.height);
        // JSON's quotes are TOML's too.
        let (name, kiosk) = (serde_json::to_string(&self.name)?, &self.kiosk);
        let text = format!(
            r#"# Written by the workbench at every start.
[panel]
width_px = {width}
height_px = {height}

[municipality]
name = {name}

[help]
place = "{OFFICE_PLACE}"
hours = "{OFFICE_HOURS}"
phone = "{OFFICE_PHONE}"
kiosk = "{kiosk}"
"#
        );
        write(&self.ui_toml(), &text)
    }
}

#[cfg(test)]
impl Town {
    /// With nobody in it but strangers.
    pub(crate) fn without_citizens(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            name: "Villaclara".to_owned(),
            kiosk: KioskId::try_from("K0001".to_owned()).unwrap(),
            central: "127.0.0.1:1".to_owned(),
            cards: strangers().collect(),
        }
    }
}

impl TryFrom<CardFile> for TownCard {
    type Error = anyhow::Error;

    fn try_from(file: CardFile) -> anyhow::Result<Self> {
        let mut image = [0; 1024];
        hex::decode_to_slice(&file.image, &mut image)
            .with_context(|| format!("the image of card {} in town.json", file.id))?;
        Ok(Self {
            shown: Card {
                id: file.id,
                holder: file.holder,
                number: file.number,
                pin: file.pin,
                status: file.status,
                story: file.story,
            },
            chip: card::Card::classic(image),
        })
    }
}

/// Cards that people hold out by mistake.
fn strangers() -> impl Iterator<Item = TownCard> {
    let stranger = |id: &str, holder: &str, story: &str, chip| TownCard {
        shown: Card {
            id: id.to_owned(),
            holder: holder.to_owned(),
            number: String::new(),
            pin: String::new(),
            status: "foreign".to_owned(),
            story: story.to_owned(),
        },
        chip,
    };
    let bank = card::Card::bank([0x31, 0x41, 0x59]);
    let blank = card::Card::blank([0x27, 0x18, 0x28, 0x18]);
    [
        stranger("bank", "Bank card", "Not a citizen card: refused, kindly.", bank),
        stranger("blank", "Blank card", "A MIFARE card nobody has issued.", blank),
    ]
    .into_iter()
}

async fn make(dir: &Path, central: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(central);
    command.arg("demo-town").arg("--dir").arg(dir).stdin(Stdio::null()).kill_on_drop(true);
    die_with_parent(&mut command);
    let output = command.output().await.context("central demo-town")?;
    if !output.status.success() {
        bail!("central demo-town: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Our executables, all in one folder.
#[derive(Clone, Debug)]
pub struct Programs {
    dir: PathBuf,
}

impl Programs {
    /// Those beside the running one.
    ///
    /// # Errors
    /// One is missing.
    pub fn beside_us() -> anyhow::Result<Self> {
        let us = std::env::current_exe()?;
        let dir = us.parent().context("an executable lies in a folder")?;
        let programs = Self { dir: dir.to_owned() };
        for name in [CENTRAL, KIOSKD, KIOSK_UI] {
            let path = programs.path(name);
            if !path.exists() {
                bail!("{} is missing; build all: cargo build --workspace", path.display());
            }
        }
        Ok(programs)
    }

    /// Where the executable `name` is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Where the demo town helps its citizens; in words that need no translation.
const OFFICE_PLACE: &str = "OAC, Plaça Major 1";
const OFFICE_HOURS: &str = "8:30–14:30";
const OFFICE_PHONE: &str = "010";

const CENTRAL_TOML: &str = "central.toml";

/// Names of the processes in the API.
pub const CENTRAL: &str = "central";
/// The PC/SC service.
pub const PCSCD: &str = "pcscd";
/// Owns the devices.
pub const KIOSKD: &str = "kioskd";
/// Owns the display.
pub const KIOSK_UI: &str = "kiosk-ui";
