//! Reads the books: the kiosk's by `kioskd books`, which works whether kioskd runs or not, and
//! central's by its API, as an operator.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use central_api::{Client, ClientError, KioskBooks};
use kiosk_records::KioskId;
use tokio::process::Command;
use tokio::time::timeout;

use crate::books::KioskSide;
use crate::process::die_with_parent;

/// Where the books are.
#[derive(Debug)]
pub struct Accounts {
    kioskd: PathBuf,
    kioskd_toml: PathBuf,
    kiosk: KioskId,
    client: Client,
}

impl Accounts {
    /// `kioskd` is the executable; `client` comes in to central as an operator.
    pub fn new(kioskd: PathBuf, kioskd_toml: PathBuf, kiosk: KioskId, client: Client) -> Self {
        Self { kioskd, kioskd_toml, kiosk, client }
    }

    /// The kiosk's; an error says why they cannot be read.
    pub async fn kiosk(&self) -> Result<KioskSide, String> {
        let mut command = Command::new(&self.kioskd);
        command
            .args(["books", "--config"])
            .arg(&self.kioskd_toml)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        die_with_parent(&mut command);
        let output = match timeout(KIOSKD_MAX, command.output()).await {
            Ok(output) => output.map_err(|error| error.to_string())?,
            Err(_) => return Err("kioskd books does not end".to_owned()),
        };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("kioskd books: {}", said.trim()));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| format!("kioskd books: {error}"))
    }

    /// Does central answer, whatever it says?
    pub async fn is_central_up(&self) -> bool {
        let asked = self.client.books(&self.kiosk).await;
        !matches!(asked, Err(ClientError::Away { .. }))
    }

    /// Central's; an error says why they cannot be read.
    pub async fn central(&self) -> Result<KioskBooks, String> {
        let books = self.client.books(&self.kiosk).await;
        books.map_err(|error| error.to_string())
    }
}

/// Longer than any journal of a demo town takes to read.
const KIOSKD_MAX: Duration = Duration::from_secs(10);
