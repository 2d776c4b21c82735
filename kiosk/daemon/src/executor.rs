//! Runs effects: each to the one who can do it. Runs nothing that moves value before its record is
//! on disk.

use anyhow::Context as _;
use driver_api::{acceptor, card_reader, payment_terminal, printer};
use kiosk_core::{CentralRequest, Effect};
use kiosk_records::Seq;
use tokio::sync::{mpsc, watch};
use ui_proto::ToUi;

/// Bounded: a driver so far behind does not work any more.
pub(crate) const COMMANDS_MAX: usize = 64;

pub(crate) struct Executor {
    pub(crate) acceptor: mpsc::Sender<acceptor::Command>,
    pub(crate) printer: mpsc::Sender<printer::Command>,
    pub(crate) reader: mpsc::Sender<card_reader::Command>,
    /// Nobody listens where there is no terminal, and nobody is sent anything.
    pub(crate) terminal: mpsc::Sender<payment_terminal::Command>,
    pub(crate) central: mpsc::Sender<CentralRequest>,
    pub(crate) screen: watch::Sender<Option<ToUi>>,
}

impl Executor {
    /// In order. Says whether the core has come to rest for good.
    pub(crate) fn run(&self, effects: Vec<Effect>, committed: Seq) -> anyhow::Result<bool> {
        let mut stopped = false;
        for effect in effects {
            // M2, pair of the core's own assertion.
            let allowed = effect.intent().is_none_or(|intent| intent <= committed);
            assert!(allowed, "an effect without its record on disk");
            match effect {
                Effect::Acceptor(command) => send(&self.acceptor, command, "acceptor")?,
                Effect::Stack(_) => send(&self.acceptor, acceptor::Command::Stack, "acceptor")?,
                Effect::Reader(command) => send(&self.reader, command, "card reader")?,
                Effect::Printer(command) => send(&self.printer, command, "printer")?,
                Effect::Terminal(command) => send(&self.terminal, command, "card terminal")?,
                Effect::Central(request) => send(&self.central, request, "central")?,
                Effect::Show { view, new } => self.screen.send_modify(|shown| {
                    let seq = shown.as_ref().map_or(0, |before| before.seq) + u64::from(new);
                    *shown = Some(ToUi { seq, view });
                }),
                Effect::Stopped => stopped = true,
            }
        }
        Ok(stopped)
    }
}

fn send<T>(to: &mpsc::Sender<T>, command: T, whom: &'static str) -> anyhow::Result<()> {
    to.try_send(command).ok().with_context(|| format!("the driver of the {whom} takes no commands"))
}
