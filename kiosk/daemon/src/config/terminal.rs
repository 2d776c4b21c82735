use std::path::PathBuf;

use driver_api::payment_terminal::Mark;
use driver_host::Trust;
use driver_nexo::Key;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{ConfigError, read};

/// The bank-card terminal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terminal {
    /// Which wire protocol: the section of that name must be there.
    pub protocol: TerminalProtocol,
    /// Who the money comes through, as receipts are to say it.
    #[serde(default)]
    pub acquirer: Option<String>,
    /// A terminal that speaks ZVT.
    #[serde(default)]
    pub zvt: Option<Zvt>,
    /// A terminal that speaks nexo Retailer.
    #[serde(default)]
    pub nexo: Option<Nexo>,
}

/// The wire protocols there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TerminalProtocol {
    /// ZVT, over TCP or a serial line.
    Zvt,
    /// nexo Retailer in the Adyen local form, over HTTPS.
    Nexo,
}

/// A terminal that speaks ZVT.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zvt {
    /// Host and port in the network; else `port`.
    #[serde(default)]
    pub address: Option<String>,
    /// Serial port.
    #[serde(default)]
    pub port: Option<PathBuf>,
    /// The till's password, six digits, as set in the terminal.
    #[serde(default)]
    pub password: u32,
}

/// Where a ZVT terminal is.
#[derive(Clone, Debug)]
pub enum ZvtLine {
    /// Host and port in the network.
    Address(String),
    /// Serial port.
    Port(PathBuf),
}

/// A terminal that speaks nexo Retailer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nexo {
    /// Host and port.
    pub address: String,
    /// Model and serial number: `V400m-123456789`.
    pub poi_id: String,
    /// PEM of the authority that signed its certificate; without one, `certificate`.
    #[serde(default)]
    pub roots: Option<PathBuf>,
    /// The name in its certificate.
    #[serde(default)]
    pub name: String,
    /// PEM of its own certificate, where no authority is to be trusted.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Name of the shared key.
    pub key_id: String,
    /// Version of the shared key.
    pub key_version: u32,
    /// File with the passphrase of the shared key.
    pub passphrase: PathBuf,
}

impl Terminal {
    /// Paths that may be relative to the configuration.
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        let mut paths = Vec::new();
        if let Some(zvt) = &mut self.zvt {
            paths.extend(&mut zvt.port);
        }
        if let Some(nexo) = &mut self.nexo {
            paths.extend(&mut nexo.roots);
            paths.extend(&mut nexo.certificate);
            paths.push(&mut nexo.passphrase);
        }
        paths
    }

    /// Does the section of the protocol exist, and say where the terminal is?
    pub(super) fn check(&self) -> Result<(), String> {
        match self.protocol {
            TerminalProtocol::Zvt => {
                self.zvt.as_ref().ok_or_else(|| wanted("zvt"))?.line().map(drop)
            }
            TerminalProtocol::Nexo => {
                let nexo = self.nexo.as_ref().ok_or_else(|| wanted("nexo"))?;
                if (1..=Mark::LEN_MAX).contains(&nexo.poi_id.len()) {
                    Ok(())
                } else {
                    Err(format!("[terminal.nexo]: poi_id has 1 to {} signs", Mark::LEN_MAX))
                }
            }
        }
    }
}

fn wanted(section: &str) -> String {
    format!("[terminal] says protocol = \"{section}\": a section [terminal.{section}] is wanted")
}

impl Zvt {
    /// Where it is.
    ///
    /// # Errors
    /// Neither or both are named.
    pub fn line(&self) -> Result<ZvtLine, String> {
        match (&self.address, &self.port) {
            (Some(address), None) => Ok(ZvtLine::Address(address.clone())),
            (None, Some(port)) => Ok(ZvtLine::Port(port.clone())),
            (Some(_), Some(_)) | (None, None) => {
                Err("[terminal.zvt]: either address or port is wanted".to_owned())
            }
        }
    }
}

impl Nexo {
    /// Whom to take for the terminal.
    pub fn trust(&self) -> Result<Trust, ConfigError> {
        let pem = |path, what| read(path, what).map(String::into_bytes);
        match (&self.roots, &self.certificate) {
            (Some(roots), None) => Ok(Trust::Signed {
                roots_pem: pem(roots, "the authority of the card terminal")?,
                name: self.name.clone(),
            }),
            (None, Some(certificate)) => Ok(Trust::Pinned {
                certificate_pem: pem(certificate, "the certificate of the card terminal")?,
            }),
            (Some(path), Some(_)) => Err(ConfigError::Wrong {
                path: path.clone(),
                message: "[terminal.nexo]: either roots and name, or certificate".to_owned(),
            }),
            (None, None) => Err(ConfigError::Wrong {
                path: self.passphrase.clone(),
                message: "[terminal.nexo]: roots and name are wanted, or certificate".to_owned(),
            }),
        }
    }

    /// The key shared with the terminal.
    pub fn key(&self) -> Result<Key, ConfigError> {
        let passphrase = read(&self.passphrase, "the passphrase of the card terminal")?;
        let passphrase = Zeroizing::new(passphrase);
        Ok(Key::new(self.key_id.clone(), self.key_version, passphrase.trim_end()))
    }
}
