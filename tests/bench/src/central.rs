//! How many top-ups central puts on disk per second, over HTTPS, beside bare SQLite commits.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use central_api::{Client, ClientConfig, TopUpAnswer, TopUpRequest};
use domain::{Amount, CardNumber, CardRef, CardRefKey, Uid, Wall};
use kiosk_records::{IntentId, KioskId, Seq};
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::bare::SqliteCommit;
use crate::measure::{Samples, Span};
use crate::process::Running;
use crate::programs;
use crate::report::Section;

const CLIENTS: [usize; 3] = [1, 8, 64];
const SPAN: Duration = Duration::from_secs(5);
const BARE_SPAN: Duration = Duration::from_secs(2);
const START_MAX: Duration = Duration::from_secs(30);

pub(crate) async fn run(directory: &Path) -> Result<Section> {
    let central = Central::start(directory).await?;
    let mut bare = SqliteCommit::new(directory).await?;
    let next = Arc::new(AtomicU64::new(1));
    let mut rows = Vec::new();
    for clients in CLIENTS {
        let bare_rate = bare_commits(&mut bare).await?;
        let (rate, samples) = top_ups(&central, clients, &next).await?;
        rows.push([
            clients.to_string(),
            format!("{rate:.0}"),
            Span(samples.median()).to_string(),
            Span(samples.percentile(99)).to_string(),
            format!("{bare_rate:.0}"),
            format!("{:.2} ×", rate / bare_rate),
        ]);
    }
    bare.close().await?;
    let mut section = Section::new("central: durable top-ups");
    section.say(&format!(
        "`central serve` on SQLite, HTTPS with client certificates on loopback, each client on a \
         connection of its own and one top-up at a time, {} s each. A top-up is a transfer in \
         double entry, its idempotency key and its answer, on disk before it is answered; those \
         that wait together share one sync. Beside it, just before: bare commits of one row by \
         one writer.",
        SPAN.as_secs()
    ));
    section.table(
        ["clients", "top-ups / s", "median", "p99", "bare commits / s", "top-ups / bare"],
        rows,
    );
    Ok(section)
}

async fn bare_commits(bare: &mut SqliteCommit) -> Result<f64> {
    let start = Instant::now();
    let mut commits = 0u32;
    while start.elapsed() < BARE_SPAN {
        bare.measure().await?;
        commits += 1;
    }
    Ok(f64::from(commits) / start.elapsed().as_secs_f64())
}

async fn top_ups(
    central: &Central,
    clients: usize,
    next: &Arc<AtomicU64>,
) -> Result<(f64, Samples)> {
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let http = central.client()?;
        // The TLS handshake is not what is measured.
        http.kiosk_config(None).await?;
        let card_ref = central.cards[client % central.cards.len()];
        let (kiosk, next) = (central.kiosk.clone(), Arc::clone(next));
        tasks.spawn(async move {
            let mut samples = Vec::new();
            let start = Instant::now();
            while start.elapsed() < SPAN {
                let seq = Seq(next.fetch_add(1, Ordering::Relaxed));
                let kiosk = kiosk.clone();
                let asked = Instant::now();
                let answer = http.top_up(&IntentId { kiosk, seq }, &request(card_ref)).await?;
                samples.push(asked.elapsed());
                let accepted = matches!(answer, TopUpAnswer::Accepted { .. });
                ensure!(accepted, "central refused a top-up: {answer:?}");
            }
            Ok(samples)
        });
    }
    let start = Instant::now();
    let mut all = Samples::default();
    while let Some(samples) = tasks.join_next().await {
        all.extend(samples??);
    }
    let rate = all.len() as f64 / start.elapsed().as_secs_f64();
    Ok((rate, all))
}

fn request(card_ref: CardRef) -> TopUpRequest {
    TopUpRequest {
        card_ref,
        amount: Amount::euro(5),
        offline: false,
        ordered_at: Wall { utc_ms: 1_795_240_920_000, offset_min: 60 },
    }
}

/// A demo town's central with room for a flood.
pub(crate) struct Central {
    directory: PathBuf,
    url: String,
    kiosk: KioskId,
    cards: Vec<CardRef>,
    _process: Running,
}

#[derive(Deserialize)]
struct Town {
    kiosk: KioskId,
    cards: Vec<Card>,
}

#[derive(Deserialize)]
struct Card {
    number: CardNumber,
    status: String,
    /// Block 0 begins with the UID.
    image: String,
}

impl Central {
    async fn start(directory: &Path) -> Result<Self> {
        let directory = directory.join("town");
        let program = programs("central")?;
        let made = Command::new(&program)
            .arg("demo-town")
            .arg("--dir")
            .arg(&directory)
            .stdout(Stdio::null())
            .status()?;
        ensure!(made.success(), "central demo-town failed");
        let url = make_room(&directory.join("central.toml"))?;
        let log = fs::File::create(directory.join("central.log"))?;
        let process = Running::start(
            Command::new(program)
                .args(["serve", "--config"])
                .arg(directory.join("central.toml"))
                .stdout(log.try_clone()?)
                .stderr(log),
        )?;
        let town: Town = serde_json::from_slice(&fs::read(directory.join("town.json"))?)?;
        let central = Self {
            cards: card_refs(&directory, &town)?,
            url,
            kiosk: town.kiosk,
            directory,
            _process: process,
        };
        central.until_it_answers().await?;
        Ok(central)
    }

    async fn until_it_answers(&self) -> Result<()> {
        let client = self.client()?;
        let start = Instant::now();
        loop {
            match client.kiosk_config(None).await {
                Ok(_) => return Ok(()),
                Err(error) if start.elapsed() > START_MAX => {
                    return Err(error).context("central does not answer");
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn client(&self) -> Result<Client> {
        let read = |name: &str| fs::read(self.directory.join(name)).context(name.to_owned());
        let kiosk = &self.kiosk;
        let config = ClientConfig {
            url: self.url.clone(),
            ca_pem: read("ca.pem")?,
            certificate_pem: read(&format!("{kiosk}.pem"))?,
            key_pem: read(&format!("{kiosk}.key"))?,
            connect_timeout: ClientConfig::CONNECT_TIMEOUT,
            timeout: Duration::from_secs(30),
        };
        Ok(Client::new(&config)?)
    }
}

/// Lifts what a town limits, and moves it to a free port. Returns its address.
fn make_room(path: &Path) -> Result<String> {
    const ROOM: i64 = 1_000_000;
    const WALLET_MAX_CENTS: i64 = 1_000_000_000;
    let mut config: toml::Table = fs::read_to_string(path)?.parse()?;
    let mut set = |table: &str, key: &str, value: toml::Value| {
        let table = config.get_mut(table).and_then(toml::Value::as_table_mut);
        let table = table.with_context(|| format!("central.toml has no [{key}]"))?;
        table.insert(key.to_owned(), value);
        anyhow::Ok(())
    };
    let free = || anyhow::Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string());
    let (listen, ops) = (free()?, free()?);
    set("limits", "requests_per_s", ROOM.into())?;
    set("limits", "burst", ROOM.into())?;
    set("recharge", "wallet_max", WALLET_MAX_CENTS.into())?;
    set("server", "listen", listen.clone().into())?;
    set("server", "ops_listen", ops.into())?;
    fs::write(path, config.to_string())?;
    Ok(format!("https://{listen}"))
}

fn card_refs(directory: &Path, town: &Town) -> Result<Vec<CardRef>> {
    let mut key = [0; 32];
    let hex_key = fs::read_to_string(directory.join("card_ref.key"))?;
    hex::decode_to_slice(hex_key.trim(), &mut key).context("card_ref.key")?;
    let active = town.cards.iter().filter(|card| card.status == "active");
    let refs = active.map(|card| {
        let mut uid = [0; 4];
        let first = card.image.get(..8).context("an image has a UID")?;
        hex::decode_to_slice(first, &mut uid)?;
        Ok(CardRef::new(&CardRefKey(key), card.number, Uid(uid)))
    });
    let refs = refs.collect::<Result<Vec<_>>>()?;
    ensure!(!refs.is_empty(), "the town has no active card");
    Ok(refs)
}
