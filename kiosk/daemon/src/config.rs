//! The configuration file. An error names the file, the line and what is wanted there.

mod terminal;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use central_api::ClientConfig;
use domain::{Amount, CardRefKey, CardRules, Lang, NoteSet, OfflinePolicy, RechargeRules};
use driver_mifare::CardKeys;
use kiosk_core::Timing;
use kiosk_records::KioskId;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use self::terminal::{Nexo, Terminal, TerminalProtocol, Zvt, ZvtLine};

/// All of it. Relative paths are relative to the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What this kiosk is.
    pub kiosk: Kiosk,
    /// How central is reached.
    pub central: Central,
    /// The note acceptor.
    pub acceptor: Acceptor,
    /// The receipt printer.
    pub printer: Printer,
    /// The contactless reader.
    pub reader: Reader,
    /// The bank-card terminal, if there is one.
    #[serde(default)]
    pub terminal: Option<Terminal>,
    /// The screen.
    pub ui: Ui,
    /// Deadlines that differ from the usual.
    #[serde(default)]
    pub timing: TimingOverrides,
}

/// What this kiosk is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kiosk {
    /// Its name in the network.
    pub id: KioskId,
    /// Where the journal lives.
    pub data_dir: PathBuf,
    /// Of the attract screen.
    pub language: Lang,
    /// On receipts until central has told the municipality's name.
    #[serde(default)]
    pub municipality: String,
    /// Where people go with a claim: address and telephone, one line.
    #[serde(default)]
    pub office: String,
}

/// How central is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Central {
    /// `https://host:port`
    pub url: String,
    /// PEM of the network's certificate authority.
    pub ca: PathBuf,
    /// PEM of this kiosk's certificate.
    pub certificate: PathBuf,
    /// PEM of its private key.
    pub key: PathBuf,
    /// The pseudonym key, 64 hex digits.
    pub card_ref_key: PathBuf,
    /// Public keys of genuine cards, JSON.
    pub card_keys: PathBuf,
}

/// The note acceptor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptor {
    /// Which wire protocol.
    pub protocol: AcceptorProtocol,
    /// Serial port.
    pub port: PathBuf,
    /// Insist on encryption (eSSP).
    #[serde(default)]
    pub encrypted: bool,
    /// The fixed half of the eSSP key, 16 hex digits, when a technician has changed the maker's.
    #[serde(default)]
    pub fixed_key: Option<PathBuf>,
}

impl Acceptor {
    /// The fixed half of the eSSP key; the maker's unless the configuration names another.
    pub fn fixed_key(&self) -> Result<u64, ConfigError> {
        let Some(path) = &self.fixed_key else { return Ok(driver_ssp::FACTORY_KEY) };
        let text = read(path, "the acceptor's fixed key")?;
        u64::from_str_radix(text.trim(), 16).map_err(|_| ConfigError::Wrong {
            path: path.clone(),
            message: "16 hex digits are wanted".to_owned(),
        })
    }
}

/// The wire protocols there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AcceptorProtocol {
    /// ITL SSP / eSSP.
    Ssp,
}

/// The receipt printer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Printer {
    /// Serial port.
    pub port: PathBuf,
}

/// The contactless reader.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// Beginning of its PC/SC name; empty = the first there is.
    pub name: String,
}

/// The screen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ui {
    /// Unix socket on which kiosk-ui finds kioskd.
    pub socket: PathBuf,
}

/// Deadlines in whole seconds; what is not named stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimingOverrides {
    customer_idle: Option<u16>,
    warning: Option<WarningSeconds>,
    card_silent: Option<u16>,
    pin_unanswered: Option<u16>,
    acceptor_silent: Option<u16>,
    path_not_empty: Option<u16>,
    top_up_unanswered: Option<u16>,
    top_up_ask_again: Option<u16>,
    ask_queued: Option<u16>,
    terminal_silent: Option<u16>,
    ask_terminal: Option<u16>,
    payment_unresolved: Option<u16>,
    give_back: Option<u16>,
    card_day: Option<u16>,
    printer_silent: Option<u16>,
    linger: Option<u16>,
    goodbye: Option<u16>,
    recovery_unanswered: Option<u16>,
    unheard: Option<u16>,
}

/// Seconds of warning before a visit ends.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u16")]
struct WarningSeconds(u16);

impl TryFrom<u16> for WarningSeconds {
    type Error = String;

    fn try_from(seconds: u16) -> Result<Self, String> {
        let min = Timing::WARNING_MIN.as_secs();
        if u64::from(seconds) < min {
            return Err(format!("a warning lasts at least {min} s (EN 301 549, WCAG 2.2.1)"));
        }
        Ok(Self(seconds))
    }
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{}: {what} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What it is for.
        what: &'static str,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// Not what it should say; the text names the line.
    #[error("{}: {message}", path.display())]
    Wrong {
        /// Which.
        path: PathBuf,
        /// Line, column and what is wanted.
        message: String,
    },
}

impl Config {
    /// Reads the file; paths come out absolute.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path, "the configuration")?;
        let mut config: Self = toml::from_str(&text).map_err(|error| ConfigError::Wrong {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let dir = path.parent().unwrap_or(Path::new("."));
        if let Some(terminal) = &config.terminal {
            terminal
                .check()
                .map_err(|message| ConfigError::Wrong { path: path.to_owned(), message })?;
        }
        config.make_absolute(&std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()));
        Ok(config)
    }

    fn make_absolute(&mut self, dir: &Path) {
        let paths = [
            &mut self.kiosk.data_dir,
            &mut self.central.ca,
            &mut self.central.certificate,
            &mut self.central.key,
            &mut self.central.card_ref_key,
            &mut self.central.card_keys,
            &mut self.acceptor.port,
            &mut self.printer.port,
            &mut self.ui.socket,
        ]
        .into_iter()
        .chain(&mut self.acceptor.fixed_key)
        .chain(self.terminal.iter_mut().flat_map(Terminal::paths));
        for path in paths {
            *path = dir.join(&*path);
        }
    }

    /// Reads all that the configuration names, as `run` would.
    pub fn check_files(&self) -> Result<(), ConfigError> {
        let client = self.client()?;
        central_api::Client::new(&client).map_err(|error| ConfigError::Wrong {
            path: self.central.certificate.clone(),
            message: error.to_string(),
        })?;
        self.card_ref_key()?;
        self.card_keys()?;
        self.acceptor.fixed_key()?;
        if let Some(nexo) = self.terminal.as_ref().and_then(|terminal| terminal.nexo.as_ref()) {
            nexo.trust()?;
            nexo.key()?;
        }
        Ok(())
    }

    /// How to reach central.
    pub fn client(&self) -> Result<ClientConfig, ConfigError> {
        let pem = |path: &Path, what| read(path, what).map(String::into_bytes);
        Ok(ClientConfig {
            url: self.central.url.clone(),
            ca_pem: pem(&self.central.ca, "the certificate authority")?,
            certificate_pem: pem(&self.central.certificate, "the kiosk's certificate")?,
            key_pem: pem(&self.central.key, "the kiosk's private key")?,
            connect_timeout: ClientConfig::CONNECT_TIMEOUT,
            timeout: ClientConfig::TIMEOUT,
        })
    }

    /// The pseudonym key.
    pub fn card_ref_key(&self) -> Result<CardRefKey, ConfigError> {
        let path = &self.central.card_ref_key;
        let text = read(path, "the pseudonym key")?;
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| ConfigError::Wrong {
            path: path.clone(),
            message: "64 hex digits are wanted".to_owned(),
        })?;
        Ok(CardRefKey(key))
    }

    /// The keys that make a card genuine.
    pub fn card_keys(&self) -> Result<CardKeys, ConfigError> {
        read_json(&self.central.card_keys, "the card keys")
    }

    /// The journal.
    pub fn journal_path(&self) -> PathBuf {
        self.kiosk.data_dir.join("journal.db")
    }

    /// What the core goes by until central has spoken. Without central nothing may be taken yet.
    pub fn core(&self) -> kiosk_core::Config {
        kiosk_core::Config {
            kiosk: self.kiosk.id.clone(),
            municipality: self.kiosk.municipality.clone(),
            office: self.kiosk.office.clone(),
            lang: self.kiosk.language,
            acquirer: self.terminal.as_ref().and_then(|terminal| terminal.acquirer.clone()),
            has_terminal: self.terminal.is_some(),
            timing: self.timing.apply(Timing::default()),
            rules: RechargeRules {
                min: Amount::ZERO,
                max: Amount::ZERO,
                wallet_max: Amount::ZERO,
                notes: NoteSet::default(),
                card: CardRules { min: Amount::ZERO, max: Amount::ZERO, amounts: BTreeSet::new() },
                offline: OfflinePolicy {
                    max_per_visit: Amount::ZERO,
                    max_queued: Amount::ZERO,
                    hotlist_age_max_h: 0,
                },
            },
        }
    }
}

impl TimingOverrides {
    fn apply(&self, usual: Timing) -> Timing {
        let or = |seconds: Option<u16>, usual: Duration| {
            seconds.map_or(usual, |seconds| Duration::from_secs(seconds.into()))
        };
        Timing {
            customer_idle: or(self.customer_idle, usual.customer_idle),
            warning: or(self.warning.map(|seconds| seconds.0), usual.warning),
            card_silent: or(self.card_silent, usual.card_silent),
            pin_unanswered: or(self.pin_unanswered, usual.pin_unanswered),
            acceptor_silent: or(self.acceptor_silent, usual.acceptor_silent),
            path_not_empty: or(self.path_not_empty, usual.path_not_empty),
            top_up_unanswered: or(self.top_up_unanswered, usual.top_up_unanswered),
            top_up_ask_again: or(self.top_up_ask_again, usual.top_up_ask_again),
            ask_queued: or(self.ask_queued, usual.ask_queued),
            terminal_silent: or(self.terminal_silent, usual.terminal_silent),
            ask_terminal: or(self.ask_terminal, usual.ask_terminal),
            payment_unresolved: or(self.payment_unresolved, usual.payment_unresolved),
            give_back: or(self.give_back, usual.give_back),
            card_day: or(self.card_day, usual.card_day),
            printer_silent: or(self.printer_silent, usual.printer_silent),
            linger: or(self.linger, usual.linger),
            goodbye: or(self.goodbye, usual.goodbye),
            recovery_unanswered: or(self.recovery_unanswered, usual.recovery_unanswered),
            unheard: or(self.unheard, usual.unheard),
        }
    }
}

fn read(path: &Path, what: &'static str) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        what,
        source,
    })
}

fn read_json<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, ConfigError> {
    serde_json::from_str(&read(path, what)?)
        .map_err(|error| ConfigError::Wrong { path: path.to_owned(), message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[kiosk]
id = "K0001"
data_dir = "data"
language = "ca"
[central]
url = "https://127.0.0.1:8443"
ca = "ca.pem"
certificate = "K0001.pem"
key = "K0001.key"
card_ref_key = "card_ref.key"
card_keys = "card_keys.json"
[acceptor]
protocol = "ssp"
port = "dev/validator"
encrypted = true
[printer]
port = "dev/printer"
[reader]
name = ""
[terminal]
protocol = "zvt"
[terminal.zvt]
address = "10.0.0.7:20007"
[ui]
socket = "ui.sock"
[timing]
customer_idle = 90
"#;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kioskd.toml");
        fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let config = load(GOOD).unwrap();
        assert!(config.ui.socket.is_absolute());
        assert!(config.ui.socket.ends_with("ui.sock"));
        assert_eq!(config.core().timing.customer_idle, Duration::from_secs(90));
    }

    #[test]
    fn an_error_names_the_line() {
        let wrong = [
            ("id = \"K0001\"", "id = \"kiosk one\"", "line 3"),
            ("encrypted = true", "encryptd = true", "line 16"),
            ("address =", "adress =", "line 24"),
            ("protocol = \"zvt\"", "protocol = \"nexo\"", "[terminal.nexo]"),
            ("customer_idle = 90", "warning = 5", "line 28"),
        ];
        for (good, bad, line) in wrong {
            let error = load(&GOOD.replace(good, bad)).unwrap_err().to_string();
            assert!(error.contains(line), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::load(Path::new("/nonexistent/kioskd.toml")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/kioskd.toml"));
    }
}
