//! The whole kiosk on the workbench: real central, pcscd, kioskd and kiosk-ui, simulated devices.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use ui_proto::{Action, Screen};

use crate::measure::Samples;
use crate::process::{Rest, Running};
use crate::programs;
use crate::table::Screens;
use crate::town::{Card, Town};

pub(crate) const WHOLE_VISITS: usize = 200;

/// What the whole kiosk takes.
pub(crate) struct Whole {
    pub(crate) taps: Samples,
    /// Less argon2.
    pub(crate) pins: Samples,
    pub(crate) argon2: Samples,
    pub(crate) kioskd: Rest,
    pub(crate) kiosk_ui: Rest,
}

impl Whole {
    pub(crate) async fn of(directory: &Path) -> Result<Self> {
        let town = Town::make(directory.join("town"))?;
        let (workbench, page) = start(&town).await?;
        let mut bench = Bench {
            http: reqwest::Client::builder()
                .tls_backend_preconfigured(no_tls()?)
                .no_proxy()
                .build()?,
            page,
            metrics: format!("http://{}/metrics", town.address("ops_listen")?),
            screen: Screens::connect(&town.directory.join("ui.sock")).await?,
        };
        bench.screen.until(|screen| matches!(screen, Screen::Attract { .. })).await?;
        let [mut taps, mut pins, mut argon2] = std::array::from_fn(|_| Samples::default());
        for _ in 0..WHOLE_VISITS {
            let visit = bench.visit(town.card()?).await?;
            taps.push(visit.tap);
            pins.push(visit.pin.saturating_sub(visit.argon2));
            argon2.push(visit.argon2);
        }
        let tree = workbench.tree();
        let [kioskd, kiosk_ui] = ["kioskd", "kiosk-ui"].map(|name| tree.named(name));
        let rests = std::thread::scope(|scope| {
            let [kioskd, kiosk_ui] =
                [kioskd, kiosk_ui].map(|tree| scope.spawn(move || tree.at_rest()));
            [kioskd.join(), kiosk_ui.join()]
        });
        let [kioskd, kiosk_ui] =
            rests.map(|rest| rest.map_err(|_| anyhow::anyhow!("a watcher panicked")));
        Ok(Self { taps, pins, argon2, kioskd: kioskd?, kiosk_ui: kiosk_ui? })
    }
}

/// The page is on loopback without TLS; the client wants to know how it would do it all the same.
fn no_tls() -> Result<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(config)
}

async fn start(town: &Town) -> Result<(Running, String)> {
    let log = std::fs::File::create(town.directory.join("workbench.log"))?;
    let mut workbench = Running::start(
        Command::new(programs("workbench")?)
            .arg("--dir")
            .arg(&town.directory)
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .stderr(log),
    )?;
    let stdout = workbench.child().stdout.take().context("the workbench's stdout")?;
    let first = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map(|_| line)
    });
    let line = first.await??;
    let page = line.trim().strip_prefix("workbench: ").context("the workbench does not start")?;
    Ok((workbench, page.to_owned()))
}

struct Bench {
    http: reqwest::Client,
    page: String,
    metrics: String,
    screen: Screens,
}

struct Visit {
    tap: Duration,
    pin: Duration,
    argon2: Duration,
}

impl Bench {
    async fn visit(&mut self, card: &Card) -> Result<Visit> {
        let argon2_before = self.argon2().await?;
        let start = Instant::now();
        self.post("api/card/tap", &json!({ "card": card.id })).await?;
        self.screen.until(|screen| matches!(screen, Screen::Pin { .. })).await?;
        let tap = start.elapsed();
        self.post("api/card/remove", &json!({})).await?;

        let digits = card.pin.bytes().map(|digit| digit - b'0');
        let len = u8::try_from(card.pin.len())?;
        for digit in digits {
            self.screen.act(Action::Digit(digit)).await?;
        }
        let all = |screen: &Screen| matches!(screen, Screen::Pin { digits, .. } if *digits == len);
        self.screen.until(all).await?;
        let start = Instant::now();
        self.screen.act(Action::Confirm).await?;
        self.screen.until(|screen| matches!(screen, Screen::Home(_))).await?;
        let pin = start.elapsed();

        self.screen.act(Action::Cancel).await?;
        self.screen.until(|screen| matches!(screen, Screen::Goodbye { .. })).await?;
        self.screen.act(Action::Confirm).await?;
        self.screen.until(|screen| matches!(screen, Screen::Attract { .. })).await?;
        let argon2 = self.argon2().await?.saturating_sub(argon2_before);
        Ok(Visit { tap, pin, argon2 })
    }

    async fn post(&self, path: &str, body: &serde_json::Value) -> Result<()> {
        let answer = self.http.post(format!("{}{path}", self.page)).json(body).send().await?;
        answer.error_for_status()?;
        Ok(())
    }

    /// What central has spent on argon2 since it started.
    async fn argon2(&self) -> Result<Duration> {
        let text = self.http.get(&self.metrics).send().await?.text().await?;
        let seconds =
            text.lines().find_map(|line| line.strip_prefix("central_pin_check_seconds_sum "));
        let seconds = seconds.context("central's metrics do not tell argon2's time")?;
        Ok(Duration::from_secs_f64(seconds.trim().parse()?))
    }
}
