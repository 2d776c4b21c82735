use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use driver_api::card_reader::{Command, Event};
use tokio::sync::mpsc;
use tracing::{error, warn};

use crate::Config;
use crate::pulse::Pulse;
use crate::worker::Worker;

/// Passes orders on to the worker and looks whether it still moves, until nobody can give orders.
pub(crate) fn run(config: &Config, events: &mpsc::Sender<Event>, orders: &Receiver<Command>) {
    let mut watch = Watch {
        config,
        events,
        pulse: Arc::new(Pulse::default()),
        worker: None,
        abandoned: Vec::new(),
    };
    let mut pause = Duration::ZERO;
    loop {
        match orders.recv_timeout(pause) {
            Ok(command) => watch.pulse.order(&command),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return watch.end(),
        }
        if events.is_closed() {
            return watch.end();
        }
        watch.look();
        pause = if watch.pulse.wake() { WAKE_PAUSE } else { LOOK_PAUSE };
    }
}

const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// Between two attempts to wake a worker that has orders.
const WAKE_PAUSE: Duration = Duration::from_millis(5);

/// Hung threads that we keep. Each holds a connection to pcscd, which has few.
const ABANDONED_MAX: usize = 4;

struct Watch<'a> {
    config: &'a Config,
    events: &'a mpsc::Sender<Event>,
    pulse: Arc<Pulse>,
    worker: Option<JoinHandle<()>>,
    abandoned: Vec<JoinHandle<()>>,
}

impl Watch<'_> {
    fn look(&mut self) {
        if let Some(worker) =
            self.worker.take_if(|_| self.pulse.abandon_if_hung(self.config.call_time_max))
        {
            warn!("PC/SC does not come back: its thread is left behind");
            self.abandoned.push(worker);
            // The worker cannot speak any more, so that this is the last word about that reader.
            drop(self.events.blocking_send(Event::LinkLost));
            self.pulse = Arc::new(Pulse::with_orders(self.pulse.orders()));
        }
        self.abandoned.retain(|thread| !thread.is_finished());
        if self.worker.is_none() && self.abandoned.len() < ABANDONED_MAX {
            self.start();
        }
    }

    fn start(&mut self) {
        let worker = Worker::new(self.config.clone(), self.events.clone(), Arc::clone(&self.pulse));
        let thread = std::thread::Builder::new().name("pcsc".to_owned());
        match thread.spawn(move || worker.run()) {
            Ok(handle) => self.worker = Some(handle),
            Err(error) => error!(%error, "no thread for PC/SC; trying again"),
        }
    }

    fn end(self) {
        self.pulse.abandon();
        self.pulse.wake();
        if let Some(worker) = self.worker {
            worker.thread().unpark();
        }
    }
}
