//! The core loop on a table: journal and screen are real, whoever holds the [`Ends`] plays devices
//! and central. For benches; what kioskd itself puts around the loop is in [`crate::wiring`].

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use driver_api::{acceptor, card_reader, payment_terminal, printer};
use kiosk_core::{CentralRequest, Config, Event, Kiosk};
use kiosk_journal::{Journal, Opened};
use kiosk_records::{KioskId, Seq};
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::core_loop::{CoreLoop, INPUTS_MAX, Input};
use crate::executor::{COMMANDS_MAX, Executor};
use crate::{config, devices, fold, ui_link};

/// The other ends of the loop's channels.
#[derive(Debug)]
pub struct Ends {
    inputs: mpsc::Sender<Input>,
    kiosk: KioskId,
    clock: Clock,
    /// What the note acceptor is told.
    pub acceptor: mpsc::Receiver<acceptor::Command>,
    /// What the receipt printer is told.
    pub printer: mpsc::Receiver<printer::Command>,
    /// What the card reader is told.
    pub reader: mpsc::Receiver<card_reader::Command>,
    /// What the card terminal is told.
    pub terminal: mpsc::Receiver<payment_terminal::Command>,
    /// What central is asked.
    pub central: mpsc::Receiver<CentralRequest>,
    _stop: oneshot::Sender<()>,
}

impl Ends {
    /// As a device, central or the sync task would report it.
    ///
    /// # Errors
    /// The loop has ended.
    pub async fn event(&self, event: Event) -> anyhow::Result<()> {
        let sent = self.inputs.send(Input::Event(event)).await;
        sent.ok().context("the core loop has ended")
    }

    /// Puts kioskd's own driver in the card terminal's place; `config` says where the terminal is.
    pub fn drive_terminal(&mut self, config: config::Terminal) {
        let (_, nobody) = mpsc::channel(1);
        let commands = std::mem::replace(&mut self.terminal, nobody);
        let (kiosk, inputs) = (self.kiosk.to_string(), self.inputs.clone());
        let driver = devices::terminal(config, kiosk, self.clock, commands, inputs);
        tokio::spawn(async {
            if let Err(error) = driver.await {
                tracing::error!("{error:#}");
            }
        });
    }
}

/// Starts the loop of the kiosk `config` on a journal, which is made if there is none, and on the
/// socket of a screen.
///
/// # Errors
/// The journal or the socket cannot be opened.
pub async fn start(config: Config, journal: &Path, socket: &Path) -> anyhow::Result<Ends> {
    let opened = Journal::open(journal, &config.kiosk).await?;
    let Opened { journal, boot, checkpoint, since, synced } = opened;
    let books = fold::books(&journal.reader(), checkpoint.as_ref(), &since).await?;
    let (inputs, inputs_from) = mpsc::channel(INPUTS_MAX);
    let (acceptor, acceptor_commands) = mpsc::channel(COMMANDS_MAX);
    let (printer, printer_commands) = mpsc::channel(COMMANDS_MAX);
    let (reader, reader_commands) = mpsc::channel(COMMANDS_MAX);
    let (terminal, terminal_commands) = mpsc::channel(COMMANDS_MAX);
    let (central, central_requests) = mpsc::channel(COMMANDS_MAX);
    let (screen, views) = watch::channel(None);
    let (kiosk, clock) = (config.kiosk.clone(), Clock::start());
    let mut core = CoreLoop {
        kiosk: Kiosk::new(config, books),
        journal,
        executor: Executor { acceptor, printer, reader, terminal, central, screen },
        clock,
        boot,
        committed: Arc::new(Notify::new()),
        checkpoint: checkpoint.map_or(Seq::default(), |(seq, _)| seq),
        synced,
    };
    core.boot().await?;
    tokio::spawn(ui_link::serve(ui_link::bind(socket)?, views, inputs.clone()));
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async move {
        if let Err(error) = core.run(inputs_from, stopped).await {
            tracing::error!("{error:#}");
        }
    });
    Ok(Ends {
        inputs,
        kiosk,
        clock,
        acceptor: acceptor_commands,
        printer: printer_commands,
        reader: reader_commands,
        terminal: terminal_commands,
        central: central_requests,
        _stop: stop,
    })
}
