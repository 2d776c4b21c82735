//! How many top-ups central puts on disk per second, over HTTPS, beside bare SQLite commits.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use central_api::{TopUpAnswer, TopUpRequest};
use domain::{Amount, CardRef, Tender, Wall};
use kiosk_records::{IntentId, Seq};
use tokio::task::JoinSet;

use crate::bare::SqliteCommit;
use crate::measure::{Samples, Span};
use crate::process::Running;
use crate::programs;
use crate::report::Section;
use crate::town::Town;

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
        let http = central.town.client()?;
        // The TLS handshake is not what is measured.
        http.kiosk_config(None).await?;
        let card_ref = central.cards[client % central.cards.len()];
        let (kiosk, next) = (central.town.kiosk.clone(), Arc::clone(next));
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
        tender: Tender::Cash,
        amount: Amount::euro(5),
        offline: false,
        ordered_at: Wall { utc_ms: 1_795_240_920_000, offset_min: 60 },
    }
}

struct Central {
    town: Town,
    cards: Vec<CardRef>,
    _process: Running,
}

impl Central {
    async fn start(directory: &Path) -> Result<Self> {
        let town = Town::make(directory.join("town"))?;
        let log = fs::File::create(directory.join("central.log"))?;
        let process = Running::start(
            Command::new(programs("central")?)
                .args(["serve", "--config"])
                .arg(town.directory.join("central.toml"))
                .stdout(log.try_clone()?)
                .stderr(log),
        )?;
        let central = Self { cards: town.card_refs()?, town, _process: process };
        central.until_it_answers().await?;
        Ok(central)
    }

    async fn until_it_answers(&self) -> Result<()> {
        let client = self.town.client()?;
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
}
