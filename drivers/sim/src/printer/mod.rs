//! An ESC/POS receipt printer on a pty: 80 mm, 576 dots, partial cutter, paper sensors.
//!
//! It is a model of what Epson's public command reference says of the TM series, made without our
//! driver: real-time commands are obeyed on arrival, all others in order and only while it is
//! online, so that a job stopped by an open cover goes on when the cover is closed.

mod codes;
mod command;
mod firmware;
mod font;
mod paper;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::select;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use crate::pty::Pty;
pub use firmware::Firmware;
pub use paper::Paper;

/// Handle of a running printer; clones operate the same one. It stops with its last handle.
#[derive(Clone)]
pub struct Printer {
    shared: Arc<Shared>,
    _task: Arc<Running>,
}

/// How it is built.
#[derive(Clone, Debug)]
pub struct Options {
    /// Dots across the print area: 576 or 512 (80 mm), 384 (58 mm).
    pub width_dots: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { width_dots: 576 }
    }
}

/// What a hand, a tool or bad luck can do to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The roll is used up.
    PaperEnd,
    /// The roll is nearly used up.
    PaperLow,
    /// The cover is open.
    CoverOpen,
    /// The cutter gets stuck at the next cut.
    CutterJam,
    /// It is offline and does not say why.
    Offline,
    /// The cable is pulled; the printer keeps its power and its memory.
    Unplugged,
    /// The power is gone, and with it the port and the memory.
    Power,
    /// It takes bytes and does nothing.
    Silent,
    /// The paper ends three lines into the next job.
    PaperEndMidJob,
    /// It says that all is well and prints nothing.
    LiesOk,
}

impl Fault {
    /// All of them, in the order a person would look for them.
    pub const ALL: [Self; 10] = [
        Self::PaperEnd,
        Self::PaperLow,
        Self::CoverOpen,
        Self::CutterJam,
        Self::Offline,
        Self::Unplugged,
        Self::Power,
        Self::Silent,
        Self::PaperEndMidJob,
        Self::LiesOk,
    ];

    /// As `/api/fault` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaperEnd => "paper_end",
            Self::PaperLow => "paper_low",
            Self::CoverOpen => "cover_open",
            Self::CutterJam => "cutter_jam",
            Self::Offline => "offline",
            Self::Unplugged => "unplugged",
            Self::Power => "power",
            Self::Silent => "silent",
            Self::PaperEndMidJob => "paper_end_mid_job",
            Self::LiesOk => "lies_ok",
        }
    }
}

/// There is no such fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault(pub String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a printer has no fault {:?}", self.0)
    }
}

impl std::error::Error for UnknownFault {}

/// How it stands, for the workbench.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Is there a port to open?
    pub plugged: bool,
    /// Does it print?
    pub online: bool,
    /// How much paper there is.
    pub paper: PaperLevel,
    /// The faults that are on.
    pub faults: Vec<Fault>,
    /// Receipts cut since it was started.
    pub receipts: u64,
    /// Receipts nobody has torn off yet.
    pub hanging: u64,
    /// Text on the paper that is not cut off yet.
    pub uncut: String,
    /// Bytes received that wait to be worked through; more than a part of a command only while it
    /// is offline.
    pub buffered: usize,
    /// Commands it did not know.
    pub unknown_commands: u64,
}

/// What the paper sensors see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaperLevel {
    /// Enough.
    Ok,
    /// Near its end.
    Low,
    /// None.
    End,
}

/// A piece of paper that was cut off.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Line by line, indented as on the paper; symbols as `[QR: …]` and `[CODE128: …]`.
    pub text: String,
    /// A picture of it, one pixel per dot.
    pub png: Arc<[u8]>,
}

impl Receipt {
    fn of(paper: &Paper) -> Self {
        let png = paper.png().unwrap_or_else(|error| {
            tracing::error!(%error, "a receipt could not be drawn");
            Vec::new()
        });
        Self { text: paper.text().trim_end().to_owned(), png: png.into() }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("text", &self.text).finish_non_exhaustive()
    }
}

impl Printer {
    /// Plugs a printer in: `link` becomes a link to its port. Must run in a tokio context.
    ///
    /// # Errors
    /// The port cannot be made.
    pub fn spawn(link: impl Into<PathBuf>, options: Options) -> io::Result<Self> {
        let link = link.into();
        let inside = Inside {
            firmware: Firmware::new(options.width_dots),
            receipts: VecDeque::new(),
            cut: 0,
            hanging: 0,
        };
        let port = Pty::plug(&link)?;
        let shared = Arc::new(Shared {
            changed: watch::Sender::new(inside.state()),
            inside: Mutex::new(inside),
            touched: Notify::new(),
        });
        let task = tokio::spawn(run(Arc::clone(&shared), link, port));
        Ok(Self { shared, _task: Arc::new(Running(task.abort_handle())) })
    }

    /// Makes or mends a fault, by the name of [`Fault::name`].
    ///
    /// # Errors
    /// No fault has that name.
    pub fn set_fault(&self, name: &str, on: bool) -> Result<(), UnknownFault> {
        let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
        let fault = fault.ok_or_else(|| UnknownFault(name.to_owned()))?;
        self.shared.touch(|inside| inside.firmware.set_fault(fault, on));
        self.shared.touched.notify_one();
        Ok(())
    }

    /// How it stands.
    pub fn state(&self) -> State {
        self.shared.lock().state()
    }

    /// Tells of every change of [`Printer::state`].
    pub fn watch(&self) -> watch::Receiver<State> {
        self.shared.changed.subscribe()
    }

    /// The receipts that were cut, oldest first; of very many the latest.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.shared.lock().receipts.iter().cloned().collect()
    }

    /// The last receipt that was cut, torn off or not.
    pub fn last(&self) -> Option<Receipt> {
        self.shared.lock().receipts.back().cloned()
    }

    /// The customer tears off what hangs out of it; the last one of it is told.
    pub fn take(&self) -> Option<Receipt> {
        let mut taken = None;
        self.shared.touch(|inside| {
            if inside.hanging > 0 {
                taken = inside.receipts.back().cloned();
            }
            inside.hanging = 0;
        });
        taken
    }
}

/// Receipts that are kept to be looked at.
const RECEIPTS_MAX: usize = 100;

struct Shared {
    inside: Mutex<Inside>,
    changed: watch::Sender<State>,
    /// Someone operated it from outside.
    touched: Notify,
}

struct Inside {
    firmware: Firmware,
    receipts: VecDeque<Receipt>,
    cut: u64,
    hanging: u64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to it, and tells who watches. What is to be sent then is left for the task.
    fn touch(&self, action: impl FnOnce(&mut Inside)) {
        let mut inside = self.lock();
        action(&mut inside);
        inside.collect_receipts();
        let state = inside.state();
        // Still under the lock, so that nobody hears of two changes in the wrong order.
        self.changed.send_if_modified(|old| {
            let is_new = *old != state;
            *old = state;
            is_new
        });
    }
}

impl Inside {
    fn collect_receipts(&mut self) {
        for piece in self.firmware.take_pieces() {
            self.cut += 1;
            self.hanging += 1;
            if self.receipts.len() == RECEIPTS_MAX {
                self.receipts.pop_front();
            }
            self.receipts.push_back(Receipt::of(&piece));
        }
    }

    fn is_plugged(&self) -> bool {
        let faults = self.firmware.faults();
        !faults.contains(&Fault::Unplugged) && !faults.contains(&Fault::Power)
    }

    fn state(&self) -> State {
        State {
            plugged: self.is_plugged(),
            online: !self.firmware.is_offline(),
            paper: if self.firmware.is_paper_end() {
                PaperLevel::End
            } else if self.firmware.is_paper_low() {
                PaperLevel::Low
            } else {
                PaperLevel::Ok
            },
            faults: self.firmware.faults().iter().copied().collect(),
            receipts: self.cut,
            hanging: self.hanging,
            uncut: self.firmware.hanging_text().to_owned(),
            buffered: self.firmware.buffered(),
            unknown_commands: self.firmware.unknown,
        }
    }
}

/// Stops the task when the last handle is gone.
struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The cable: plugged, used by one host after another, pulled, plugged again.
async fn run(shared: Arc<Shared>, link: PathBuf, port: Pty) {
    let mut port = Some(port);
    loop {
        if let Some(port) = port.take() {
            serve(&shared, port).await;
        }
        while !shared.lock().is_plugged() {
            shared.touched.notified().await;
        }
        match Pty::plug(&link) {
            Ok(new) => port = Some(new),
            Err(error) => {
                tracing::error!(link = %link.display(), %error, "the printer has no port");
                return;
            }
        }
    }
}

/// One host, until it hangs up or the cable is pulled.
async fn serve(shared: &Shared, port: Pty) {
    let (mut from_host, mut to_host) = split(port);
    let mut received = [0; 1024];
    let mut pending = Vec::new();
    // What the last host did not wait for is not for this one.
    drop(shared.lock().firmware.take_answers());
    loop {
        {
            let mut inside = shared.lock();
            if !inside.is_plugged() {
                return;
            }
            pending.append(&mut inside.firmware.take_answers());
        }
        select! {
            read = from_host.read(&mut received) => match read {
                Ok(count @ 1..) => {
                    shared.touch(|inside| inside.firmware.receive(&received[..count]));
                }
                Ok(0) | Err(_) => return,
            },
            written = to_host.write(&pending), if !pending.is_empty() => match written {
                Ok(count) => drop(pending.drain(..count)),
                Err(_) => return,
            },
            () = shared.touched.notified() => {}
        }
    }
}
