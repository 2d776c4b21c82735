//! A demo town with room for a flood: made by `central demo-town`, its limits lifted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use central_api::{Client, ClientConfig};
use domain::{CardNumber, CardRef, CardRefKey, Uid};
use kiosk_records::KioskId;
use serde::Deserialize;

use crate::programs;

pub(crate) struct Town {
    pub(crate) directory: PathBuf,
    pub(crate) kiosk: KioskId,
    cards: Vec<Card>,
    settings: toml::Table,
}

#[derive(Deserialize)]
struct File {
    kiosk: KioskId,
    cards: Vec<Card>,
}

#[derive(Deserialize)]
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) pin: String,
    number: CardNumber,
    status: String,
    /// Block 0 begins with the UID.
    image: String,
}

impl Town {
    pub(crate) fn make(directory: PathBuf) -> Result<Self> {
        let mut command = Command::new(programs("central")?);
        command.arg("demo-town").arg("--dir").arg(&directory).stdout(Stdio::null());
        ensure!(command.status()?.success(), "central demo-town failed");
        let settings = make_room(&directory.join("central.toml"))?;
        let town = fs::read(directory.join("town.json"))?;
        let File { kiosk, cards } = serde_json::from_slice(&town)?;
        Ok(Self { directory, kiosk, cards, settings })
    }

    /// A card that may be used.
    pub(crate) fn card(&self) -> Result<&Card> {
        self.active().next().context("the town has no active card")
    }

    pub(crate) fn card_refs(&self) -> Result<Vec<CardRef>> {
        let mut key = [0; 32];
        let hex_key = fs::read_to_string(self.directory.join("card_ref.key"))?;
        hex::decode_to_slice(hex_key.trim(), &mut key).context("card_ref.key")?;
        let refs = self.active().map(|card| {
            let mut uid = [0; 4];
            let first = card.image.get(..8).context("an image has a UID")?;
            hex::decode_to_slice(first, &mut uid)?;
            Ok(CardRef::new(&CardRefKey(key), card.number, Uid(uid)))
        });
        refs.collect()
    }

    /// A kiosk's link to its central.
    pub(crate) fn client(&self) -> Result<Client> {
        let read = |name: &str| fs::read(self.directory.join(name)).context(name.to_owned());
        let kiosk = &self.kiosk;
        let config = ClientConfig {
            url: format!("https://{}", self.address("listen")?),
            ca_pem: read("ca.pem")?,
            certificate_pem: read(&format!("{kiosk}.pem"))?,
            key_pem: read(&format!("{kiosk}.key"))?,
            connect_timeout: ClientConfig::CONNECT_TIMEOUT,
            timeout: Duration::from_secs(30),
        };
        Ok(Client::new(&config)?)
    }

    /// One of central's addresses.
    pub(crate) fn address(&self, key: &str) -> Result<&str> {
        let server = self.settings.get("server").and_then(|server| server.get(key));
        let address = server.and_then(toml::Value::as_str);
        address.with_context(|| format!("central.toml has no server.{key}"))
    }

    fn active(&self) -> impl Iterator<Item = &Card> {
        self.cards.iter().filter(|card| card.status == "active")
    }
}

/// Lifts what a town limits, and returns all its settings.
fn make_room(path: &Path) -> Result<toml::Table> {
    const ROOM: i64 = 1_000_000;
    const WALLET_MAX_CENTS: i64 = 1_000_000_000;
    let mut settings: toml::Table = fs::read_to_string(path)?.parse()?;
    for (table, key, value) in [
        ("limits", "requests_per_s", ROOM),
        ("limits", "burst", ROOM),
        ("limits", "pins_per_min", ROOM),
        ("recharge", "wallet_max", WALLET_MAX_CENTS),
    ] {
        let table = settings.get_mut(table).and_then(toml::Value::as_table_mut);
        let table = table.with_context(|| format!("central.toml has nowhere for {key}"))?;
        ensure!(table.insert(key.to_owned(), value.into()).is_some(), "{key} means nothing");
    }
    fs::write(path, settings.to_string())?;
    Ok(settings)
}
