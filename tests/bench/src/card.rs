//! From the terminal's yes to the customer's screen: two records on disk lie between.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};
use driver_sim::terminal::{self, Pace, nexo};
use kiosk_daemon::config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::bare::{Place, SyncedWrite};
use crate::measure::{Ratio, Samples, Span};
use crate::report::Section;
use crate::table::Table;

const PAYMENTS: usize = 300;

pub(crate) async fn run(directory: &Path) -> Result<Section> {
    let mut append = SyncedWrite::new(directory, Place::Appended)?;
    let mut appended = Samples::default();
    let table = Table::new(&made(directory, "table")?).await?;
    let core = at_the_core(table, &mut append, &mut appended).await?;

    let (model, address) = terminal::Terminal::listen(options()).await?;
    let relay = Relay::start(address).await?;
    let config = zvt(relay.address);
    let table = driven(&made(directory, "zvt")?, config).await?;
    let zvt = at_the_terminal(table, &relay, &mut append, &mut appended).await?;
    drop(model);

    let options = nexo::Options { pace: Pace::FAST, ..nexo::Options::default() };
    let (model, address) = nexo::Terminal::listen(options.clone()).await?;
    let relay = Relay::start(address).await?;
    let files = made(directory, "nexo")?;
    let config = nexo_terminal(&options, &model, relay.address, &files)?;
    let table = driven(&files, config).await?;
    let nexo = at_the_terminal(table, &relay, &mut append, &mut appended).await?;

    let mut section = Section::new("Bank card: the terminal's yes → the customer's screen");
    section.say(&format!(
        "kioskd's core loop with its journal, seen from a screen's end of the socket: from the \
         driver's `Finished(Approved)` to the screen that says so; `PaymentApproved` and \
         `TopUpOrdered` are synced to disk in between. Then with kioskd's own drivers at the \
         simulated terminals, over TCP: from the last bytes of the terminal's answer to that \
         screen. {PAYMENTS} payments each, in turns with bare writes of 4 KiB appended and synced."
    ));
    let row = |name: &str, samples: &Samples| {
        [
            name.to_owned(),
            Span(samples.median()).to_string(),
            Span(samples.percentile(99)).to_string(),
            Ratio(samples.percentile(99), appended.percentile(99)).to_string(),
        ]
    };
    section.table(
        ["", "median", "p99", "p99 / appended"],
        [
            row("bare write, appended + fdatasync", &appended),
            row("driver's yes → screen", &core),
            row("ZVT terminal's yes → screen", &zvt),
            row("nexo terminal's yes (TLS) → screen", &nexo),
        ],
    );
    Ok(section)
}

async fn at_the_core(
    mut table: Table,
    append: &mut SyncedWrite,
    appended: &mut Samples,
) -> Result<Samples> {
    let mut payments = Samples::default();
    for _ in 0..PAYMENTS {
        table.tap().await?;
        table.type_pin().await?;
        payments.push(table.pay().await?);
        appended.push(append.measure()?);
    }
    Ok(payments)
}

async fn at_the_terminal(
    mut table: Table,
    relay: &Relay,
    append: &mut SyncedWrite,
    appended: &mut Samples,
) -> Result<Samples> {
    let mut payments = Samples::default();
    for _ in 0..PAYMENTS {
        table.tap().await?;
        table.type_pin().await?;
        let (shown, said) = table.pay_at_terminal(|| relay.last()).await?;
        payments.push(shown.duration_since(said.context("the terminal said nothing")?));
        appended.push(append.measure()?);
    }
    Ok(payments)
}

async fn driven(directory: &Path, config: config::Terminal) -> Result<Table> {
    let mut table = Table::new(directory).await?;
    table.drive_terminal(config).await?;
    Ok(table)
}

fn made(directory: &Path, name: &str) -> Result<std::path::PathBuf> {
    let made = directory.join(name);
    std::fs::create_dir(&made)?;
    Ok(made)
}

fn options() -> terminal::Options {
    terminal::Options { pace: Pace::FAST, ..terminal::Options::default() }
}

fn zvt(address: SocketAddr) -> config::Terminal {
    let zvt = config::Zvt { address: Some(address.to_string()), port: None, password: 0 };
    config::Terminal {
        protocol: config::TerminalProtocol::Zvt,
        acquirer: None,
        zvt: Some(zvt),
        nexo: None,
    }
}

fn nexo_terminal(
    options: &nexo::Options,
    model: &nexo::Terminal,
    address: SocketAddr,
    directory: &Path,
) -> Result<config::Terminal> {
    let [roots, passphrase] = ["roots.pem", "passphrase"].map(|name| directory.join(name));
    std::fs::write(&roots, model.root_pem())?;
    std::fs::write(&passphrase, &options.passphrase)?;
    let nexo = config::Nexo {
        address: address.to_string(),
        poi_id: options.poi_id.clone(),
        roots: Some(roots),
        name: options.name(),
        certificate: None,
        key_id: options.key_identifier.clone(),
        key_version: options.key_version,
        passphrase,
    };
    Ok(config::Terminal {
        protocol: config::TerminalProtocol::Nexo,
        acquirer: None,
        zvt: None,
        nexo: Some(nexo),
    })
}

/// Stands between till and terminal, and knows when the terminal last said something.
struct Relay {
    address: SocketAddr,
    last: Arc<Mutex<Option<Instant>>>,
}

impl Relay {
    async fn start(terminal: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let last = Arc::new(Mutex::new(None));
        let stamp = Arc::clone(&last);
        tokio::spawn(async move {
            while let Ok((till, _)) = listener.accept().await {
                let Ok(terminal) = TcpStream::connect(terminal).await else { return };
                let (till_reads, till_writes) = till.into_split();
                let (terminal_reads, terminal_writes) = terminal.into_split();
                tokio::spawn(carry(till_reads, terminal_writes, None));
                tokio::spawn(carry(terminal_reads, till_writes, Some(Arc::clone(&stamp))));
            }
        });
        Ok(Self { address, last })
    }

    fn last(&self) -> Option<Instant> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until one side hangs up; then the other one is hung up on.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    stamp: Option<Arc<Mutex<Option<Instant>>>>,
) {
    let mut bytes = [0; 4096];
    while let Ok(len @ 1..) = from.read(&mut bytes).await {
        if let Some(stamp) = &stamp {
            *stamp.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        if to.write_all(&bytes[..len]).await.is_err() {
            return;
        }
    }
}
