//! The whole kiosk, put together in one function to be read from top to bottom.

use std::sync::Arc;

use anyhow::Context as _;
use central_api::Client;
use kiosk_core::Kiosk;
use kiosk_journal::Opened;
use kiosk_records::Seq;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::cache::Cache;
use crate::clock::Clock;
use crate::config::Config;
use crate::core_loop::{CoreLoop, INPUTS_MAX};
use crate::devices;
use crate::executor::{COMMANDS_MAX, Executor};
use crate::sync::Sync;
use crate::{central_link, ui_link, unkept};

/// Serves customers until SIGTERM or SIGINT, or until something is broken for good: then systemd
/// starts it anew, and the journal says where it was.
pub async fn run(config: Config) -> anyhow::Result<()> {
    // What this kiosk is. Everything that can be wrong is found before anything is touched.
    let client = Client::new(&config.client()?).context("the link to central")?;
    let cards = devices::Cards::of(&config)?;

    // What it had done: journal → books. Nothing moves before that.
    let (opened, books) = unkept::open(&config).await?;
    let Opened { journal, boot, checkpoint, synced, .. } = opened;
    info!(kiosk = %config.kiosk.id, boot, seq = books.seq().0, "the books are open");

    // The threads between the parts: bounded, each with one receiver.
    let (inputs, inputs_from) = mpsc::channel(INPUTS_MAX);
    let (acceptor, acceptor_commands) = mpsc::channel(COMMANDS_MAX);
    let (printer, printer_commands) = mpsc::channel(COMMANDS_MAX);
    let (reader, reader_commands) = mpsc::channel(COMMANDS_MAX);
    let (terminal, terminal_commands) = mpsc::channel(COMMANDS_MAX);
    let (central, central_requests) = mpsc::channel(COMMANDS_MAX);
    let (screen, views) = watch::channel(None);
    let committed = Arc::new(Notify::new());
    let journal_reader = journal.reader();

    let clock = Clock::start();

    // The core decides what was left open, before any device speaks.
    let mut core = CoreLoop {
        kiosk: Kiosk::new(config.core(), books),
        journal,
        executor: Executor { acceptor, printer, reader, terminal, central, screen },
        clock,
        boot,
        committed: committed.clone(),
        checkpoint: checkpoint.map_or(Seq::default(), |(seq, _)| seq),
        synced,
    };
    core.boot().await?;

    // The world. Any of these ending ends the process: systemd knows how to start it whole.
    let mut tasks = JoinSet::new();
    let listener = ui_link::bind(&config.ui.socket).context("the screen's socket")?;
    tasks.spawn(ui_link::serve(listener, views, inputs.clone()));
    tasks.spawn(devices::acceptor(config.acceptor, acceptor_commands, inputs.clone()));
    tasks.spawn(devices::printer(config.printer, printer_commands, inputs.clone()));
    tasks.spawn(devices::reader(config.reader, cards, reader_commands, inputs.clone()));
    if let Some(terminal) = config.terminal {
        let sale_id = config.kiosk.id.to_string();
        let inputs = inputs.clone();
        tasks.spawn(devices::terminal(terminal, sale_id, clock, terminal_commands, inputs));
    }
    let link = central_link::run(client.clone(), central_requests, inputs.clone());
    tasks.spawn(async move {
        link.await;
        Ok(())
    });
    let cache_path = Cache::path(&config.kiosk.data_dir);
    let cache = Cache::load(&cache_path);
    let journal = journal_reader;
    let sync = Sync { client, journal, synced, committed, inputs, cache, cache_path };
    tasks.spawn(sync.run());

    let (stop, stopped) = oneshot::channel();
    tasks.spawn(stop_on_signal(stop));
    notify(&[sd_notify::NotifyState::Ready]);
    // A task like the drivers': what they tell it need not wake the main thread.
    let core = tokio::spawn(core.run(inputs_from, stopped));
    tokio::select! {
        end = core => {
            notify(&[sd_notify::NotifyState::Stopping]);
            end?
        }
        ended = tasks.join_next() => {
            ended.context("no task was started")??.context("a part of kioskd ended")?;
            anyhow::bail!("a part of kioskd ended")
        }
    }
}

/// Sends once, then waits for ever: the core decides when all is safe.
async fn stop_on_signal(stop: oneshot::Sender<()>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    info!("stopping");
    // The core loop ended already if nobody listens.
    let _ = stop.send(());
    std::future::pending().await
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "systemd does not hear");
    }
}
