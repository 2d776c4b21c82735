//! Starts the town, keeps it, and stops it. Read top to bottom.

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

use crate::bench::Bench;
use crate::http;
use crate::options::BenchOptions;
use crate::town::CENTRAL;

/// Runs the town until SIGINT or SIGTERM. `in_service` is called with the page's address once
/// everything is.
///
/// # Errors
/// What is missing or broken, and where to look; nothing is left running.
pub async fn run(options: &BenchOptions, in_service: impl FnOnce(&str)) -> anyhow::Result<()> {
    let mut stop = StopSignal::take()?;
    let dir = town_dir(&options.dir)?;
    let _lock = lock(&dir)?;
    let listener = listen(options.port).await?;
    let address = format!("http://{}/", listener.local_addr()?);

    let bench = tokio::select! {
        bench = Bench::assemble(&dir, options) => Arc::new(bench?),
        () = stop.received() => return Ok(()),
    };
    let router = http::router(bench.clone());
    let server = tokio::spawn(async { axum::serve(listener, router).await });
    let screens = tokio::spawn(bench.screens.clone().follow(bench.town.ui_socket()));
    let ended = tokio::select! {
        ended = serve(&bench, in_service, &address) => ended,
        () = stop.received() => Ok(()),
    };
    server.abort();
    screens.abort();
    bench.stop().await;
    ended
}

/// Starts everything and keeps it up; ends only with an error.
async fn serve(bench: &Bench, in_service: impl FnOnce(&str), address: &str) -> anyhow::Result<()> {
    for process in &bench.processes {
        process.power(true).await;
        // A kioskd that finds central at once offers everything from its first screen on.
        if process.name() == CENTRAL {
            timeout(CENTRAL_START_MAX, until_central_answers(bench)).await.ok();
        }
    }
    match timeout(START_MAX, until_in_service(bench)).await {
        Ok(()) => {}
        // A town whose cash box was left full or whose printer was left open is still a town.
        Err(_) if bench.screens.current().is_some() => tracing::warn!(
            screen = bench.screens.current().map(|shown| shown.name()),
            "the kiosk is not in service; see the page"
        ),
        Err(_) => bail!(
            "the kiosk did not start within {} s; see {}",
            START_MAX.as_secs(),
            bench.town.log_dir().display()
        ),
    }
    in_service(address);
    std::future::pending().await
}

async fn until_central_answers(bench: &Bench) {
    while !bench.accounts.is_central_up().await {
        sleep(LOOK_PAUSE).await;
    }
}

/// Customers can come: the kiosk waits for one, and its picture can be seen.
async fn until_in_service(bench: &Bench) {
    bench.screens.wait(Some(0), |shown| shown.name() == "attract").await;
    while bench.remote.picture(None).await.is_err() {
        sleep(LOOK_PAUSE).await;
    }
}

/// SIGINT and SIGTERM.
pub(crate) struct StopSignal(Signal, Signal);

impl StopSignal {
    /// From here on they do not end the process by themselves.
    pub(crate) fn take() -> std::io::Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self(signal(interrupt)?, signal(terminate)?))
    }

    /// One of them came.
    pub(crate) async fn received(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

/// The town's folder, made if missing, as an absolute path.
fn town_dir(dir: &Path) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let dir = dir.canonicalize().with_context(|| format!("cannot use {}", dir.display()))?;
    let len = dir.as_os_str().len();
    if len > DIR_BYTES_MAX {
        bail!("{} is too long a name: sockets in it allow {DIR_BYTES_MAX} bytes", dir.display());
    }
    Ok(dir)
}

/// One workbench per town. The lock ends with the process, however it ends.
fn lock(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join("workbench.lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .with_context(|| format!("another workbench runs in {}", dir.display()))?;
    Ok(file)
}

async fn listen(port: Option<u16>) -> anyhow::Result<TcpListener> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    match port {
        Some(port) => bind(port)
            .await
            .with_context(|| format!("port {port} is not free; choose another with --port, or 0")),
        None => match bind(PORT).await {
            Ok(listener) => Ok(listener),
            Err(_) => Ok(bind(0).await?),
        },
    }
}

/// Without `--port`, if it is free.
const PORT: u16 = 8080;

/// Until the kiosk waits for its first customer: a slow machine makes its keys in this time too.
const START_MAX: Duration = Duration::from_secs(60);

/// The kiosk gets on without central, so that a broken one does not keep the page away.
const CENTRAL_START_MAX: Duration = Duration::from_secs(20);

/// How often somebody who starts is asked whether it is there.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// A Unix socket's name has at most 107 bytes; ours are up to 27 below the folder.
const DIR_BYTES_MAX: usize = 80;
