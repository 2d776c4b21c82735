use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::{fs, io};

use central_api::Municipality;
use domain::{Amount, RechargeRules};
use serde::Deserialize;

pub use crate::domain::pin_guard::PinPolicy;
pub use crate::keys::KeyFiles;
pub use crate::pins::HashCost;

/// `central.toml`. Paths in it are relative to the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it listens.
    pub server: ServerConfig,
    /// Whose central it is.
    pub municipality: Municipality,
    /// IANA name of the town's time zone.
    pub time_zone: String,
    /// What kiosks may take.
    pub recharge: RechargeRules,
    /// How PINs are checked.
    pub pin: PinConfig,
    /// Of what one certificate may ask for.
    pub limits: Limits,
    /// The network's keys.
    pub keys: KeyFiles,
}

/// Where central listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// For kiosks and operators, TLS with client certificates. Port 0 = any free one.
    pub listen: SocketAddr,
    /// For health and metrics, plain; loopback only.
    pub ops_listen: SocketAddr,
    /// SQLite.
    pub database: PathBuf,
    /// PEM.
    pub certificate: PathBuf,
    /// PEM.
    pub key: PathBuf,
    /// PEM of the authority of the clients' certificates.
    pub client_ca: PathBuf,
}

/// How PINs are checked.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinConfig {
    /// How often they may be wrong.
    pub policy: PinPolicy,
    /// What a check costs.
    pub hash: HashCost,
}

/// What one certificate may ask for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests per second, on average.
    pub requests_per_s: NonZeroU32,
    /// Requests at once.
    pub burst: NonZeroU32,
    /// PINs per minute, on average and at once: no kiosk has so many customers.
    pub pins_per_min: NonZeroU32,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {file}")]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not TOML, or a name or value in it is wrong. The source names line and column.
    #[error("{file}")]
    Parse {
        /// Which.
        file: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A value is out of its range.
    #[error("{file}: {fault}")]
    Value {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        fault: &'static str,
    },
}

impl Config {
    /// Reads and checks the file.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(file)
            .map_err(|source| ConfigError::Read { file: file.to_owned(), source })?;
        let config: Self = toml::from_str(&text).map_err(|source| ConfigError::Parse {
            file: file.to_owned(),
            source: Box::new(source),
        })?;
        if let Some(fault) = config.fault() {
            let file = file.to_owned();
            return Err(ConfigError::Value { file, fault });
        }
        Ok(config.below(file.parent().unwrap_or(Path::new("."))))
    }

    fn fault(&self) -> Option<&'static str> {
        let id = &self.municipality.id;
        let word = |id: &str| id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let (policy, recharge) = (&self.pin.policy, &self.recharge);
        let card = &recharge.card;
        let is_offered = |amount: &Amount| (card.min..=card.max).contains(amount);
        let checks = [
            (id.is_empty() || id.len() > 32 || !word(id), "municipality.id: 1 to 32 of a-z 0-9"),
            (self.municipality.names.is_empty(), "municipality.names: at least one"),
            (recharge.min > recharge.max, "recharge.min is above recharge.max"),
            (recharge.max > recharge.wallet_max, "recharge.max is above wallet_max"),
            (card.min.is_zero(), "recharge.card.min: not zero"),
            (card.min > card.max, "recharge.card.min is above recharge.card.max"),
            (card.max > recharge.wallet_max, "recharge.card.max is above wallet_max"),
            (card.amounts.is_empty(), "recharge.card.amounts: at least one"),
            (!card.amounts.iter().all(is_offered), "recharge.card.amounts: within its min and max"),
            (policy.tries == 0, "pin.policy.tries: at least 1"),
            (policy.office_after < policy.tries, "pin.policy.office_after: at least tries"),
            (!self.server.ops_listen.ip().is_loopback(), "server.ops_listen: loopback only"),
        ];
        checks.into_iter().find_map(|(wrong, fault)| wrong.then_some(fault))
    }

    fn below(self, dir: &Path) -> Self {
        let server = ServerConfig {
            database: dir.join(self.server.database),
            certificate: dir.join(self.server.certificate),
            key: dir.join(self.server.key),
            client_ca: dir.join(self.server.client_ca),
            ..self.server
        };
        Self { server, keys: self.keys.below(dir), ..self }
    }
}
