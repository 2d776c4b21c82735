//! A note validator of the NV200 class, as its firmware answers over SSP and eSSP.
//!
//! Written from ITL's manuals GA138 and GA973; what they leave open is an [`Options`] field. The
//! notes are real here: each is at one place, whatever the firmware says or the power does.

mod commands;
mod fault;
mod firmware;
mod mechanics;
mod wire;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::select;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

pub use fault::{Fault, UnknownFault};
pub use firmware::{Firmware, Output};
pub use mechanics::{Contents, Notes, Pace, Seen, Snapshot};

use crate::pty::Pty;

/// How a unit is built and set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// On the bus, `0..=0x7D`.
    pub address: u8,
    /// Does it encrypt?
    pub encryption: Encryption,
    /// The fixed half of its key.
    pub fixed_key: u64,
    /// Can it repeat events until they are acknowledged (needs encryption)?
    pub polls_with_ack: bool,
    /// Does it know Get Counters? (GA138 lists it for NV9USB and SMART Payout.)
    pub counts: bool,
    /// Highest protocol level, `4..=8`.
    pub level_max: u8,
    /// Does a credit that nobody acknowledged survive a power cut? The manuals do not say.
    pub remembers_credit: bool,
    /// Serial number.
    pub serial: u32,
    /// Values of channels 1.. in cents, whole euro; at most 16.
    pub channels: Vec<u32>,
    /// Speed of the mechanics.
    pub pace: Pace,
    /// From the last byte of a command to the first of its reply.
    pub reply_delay: Duration,
    /// What is in it from an earlier run.
    pub contents: Contents,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: 0,
            encryption: Encryption::Optional,
            fixed_key: 0x0123_4567_0123_4567,
            polls_with_ack: true,
            counts: true,
            level_max: 8,
            remembers_credit: true,
            serial: 1_873_452,
            channels: [5, 10, 20, 50, 100, 200].map(|euro| euro * 100).to_vec(),
            pace: Pace::REAL,
            reply_delay: Duration::from_millis(8),
            contents: Contents::default(),
        }
    }
}

/// Does a unit encrypt?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// It cannot.
    None,
    /// If the host does.
    Optional,
    /// It obeys nobody without.
    Mandatory,
}

/// Why a note does not go in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsertRefused {
    /// No power, or still starting.
    #[error("the validator has no power")]
    NoPower,
    /// Disabled, or something keeps it from taking notes: the bezel is dark.
    #[error("the validator does not take notes now")]
    NotEnabled,
    /// Another note is in it, or not yet acknowledged.
    #[error("the validator is busy with another note")]
    Busy,
}

/// A validator on a port of its own, to be operated like the real thing. Clones operate the same
/// one; it goes with the last of them.
#[derive(Clone)]
pub struct Validator {
    shared: Arc<Shared>,
    _task: Arc<AbortOnDrop>,
}

struct Shared {
    firmware: Mutex<Firmware>,
    /// Somebody operated it: its deadlines or its plug may have changed.
    changed: Notify,
    started: Instant,
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Validator {
    /// Plugs it in at `link` and switches it on.
    ///
    /// # Errors
    /// No pty is to be had, or the link cannot be made.
    pub fn spawn(link: impl Into<PathBuf>, options: Options) -> io::Result<Self> {
        let link = link.into();
        let pty = Pty::plug(&link)?;
        let shared = Arc::new(Shared {
            firmware: Mutex::new(Firmware::new(options)),
            changed: Notify::new(),
            started: Instant::now(),
        });
        let task = tokio::spawn(run(shared.clone(), link, pty));
        Ok(Self { shared, _task: Arc::new(AbortOnDrop(task.abort_handle())) })
    }

    /// A customer puts a note of this value into the bezel.
    ///
    /// # Errors
    /// It is not drawn in.
    pub fn insert(&self, cents: u32) -> Result<(), InsertRefused> {
        self.operate(|firmware, now| firmware.insert(now, cents))
    }

    /// Breaks or mends it.
    pub fn set_fault(&self, fault: Fault, on: bool) {
        self.operate(|firmware, now| firmware.set_fault(now, fault, on));
    }

    /// Where everything is.
    pub fn state(&self) -> Snapshot {
        self.operate(Firmware::snapshot)
    }

    /// The customer takes what was given back: values in cents, oldest first.
    pub fn take_returned(&self) -> Vec<u32> {
        self.operate(Firmware::take_returned)
    }

    fn operate<T>(&self, operation: impl FnOnce(&mut Firmware, Duration) -> T) -> T {
        let now = self.shared.started.elapsed();
        let result = operation(&mut self.shared.lock(), now);
        self.shared.changed.notify_one();
        result
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Firmware> {
        // No operation leaves it half done.
        self.firmware.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn run(shared: Arc<Shared>, link: PathBuf, pty: Pty) {
    let mut device = pty.device().to_owned();
    let mut pty = Some(pty);
    let mut was_unplugged = false;
    loop {
        let is_unplugged = shared.lock().faults.contains(&Fault::Unplugged);
        if is_unplugged {
            pty = None;
            was_unplugged = true;
            wait(&shared).await;
            continue;
        }
        let plugged = match pty.take() {
            Some(pty) => Ok(pty),
            None if std::mem::take(&mut was_unplugged) => Pty::plug_elsewhere(&link, &device),
            None => Pty::plug(&link),
        };
        let port = match plugged {
            Ok(port) => port,
            Err(error) => {
                tracing::error!(link = %link.display(), %error, "validator has no port");
                return;
            }
        };
        device = port.device().to_owned();
        // One host after the other, each on a pty of its own.
        serve(&shared, port).await;
    }
}

/// Until somebody operates it, or its own time comes.
async fn wait(shared: &Shared) {
    let deadline = shared.lock().deadline().map(|at| shared.started + at);
    select! {
        () = shared.changed.notified() => {}
        () = sleep_until_some(deadline) => {
            let now = shared.started.elapsed();
            shared.lock().advance(now);
        }
    }
}

/// Until the host hangs up or the cable is pulled.
async fn serve(shared: &Shared, mut port: Pty) {
    let mut outputs: VecDeque<Output> = VecDeque::new();
    let mut buffer = [0; 512];
    loop {
        if shared.lock().faults.contains(&Fault::Unplugged) {
            return;
        }
        let send_at = outputs.front().map(|output| shared.started + output.at);
        select! {
            read = port.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    let now = shared.started.elapsed();
                    outputs.extend(shared.lock().receive(now, &buffer[..count]));
                }
            },
            () = sleep_until_some(send_at) => {
                if let Some(output) = outputs.pop_front()
                    && port.write_all(&output.bytes).await.is_err()
                {
                    return;
                }
            }
            () = wait(shared) => {}
        }
    }
}

async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
