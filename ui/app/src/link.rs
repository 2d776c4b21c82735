//! The line to kioskd: views in, actions out, over its Unix socket. It comes back by itself.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use ui_proto::{Action, FromUi, LINE_MAX, ToUi};

/// What the line brings.
#[derive(Debug)]
pub enum News {
    /// Show this.
    View(ToUi),
    /// kioskd is away.
    Lost,
}

/// Where actions go in.
pub struct Link {
    line: Line,
    shown: Cell<u64>,
}

impl Link {
    /// Keeps a connection to `socket` for as long as the process runs, on a thread of its own.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn open(socket: PathBuf) -> io::Result<(Self, Receiver<News>)> {
        let (news, heard) = async_channel::bounded(NEWS_MAX);
        let line = Line::default();
        let kept = line.clone();
        thread::Builder::new().name("link".into()).spawn(move || kept.keep(&socket, &news))?;
        let shown = Cell::new(0);
        Ok((Self { line, shown }, heard))
    }

    /// The customer sees the view of this [`ToUi::seq`] from now on.
    pub fn shown(&self, seq: u64) {
        self.shown.set(seq);
    }

    /// Sends what the customer did on the view shown last. What cannot be sent at once is lost:
    /// a late action would be made on another screen.
    pub fn send(&self, action: Action) {
        let seq = self.shown.get();
        let message = ui_proto::encode(&FromUi { seq, action });
        let mut stream = self.line.stream();
        let Some(line) = stream.as_mut() else {
            tracing::debug!(?action, "kioskd is away");
            return;
        };
        if let Err(error) = line.write_all(&message) {
            tracing::warn!(%error, ?action, "not sent");
            // Half a line would spoil the next one.
            line.shutdown(std::net::Shutdown::Both).ok();
        }
    }
}

/// The connection, while there is one.
#[derive(Clone, Default)]
struct Line(Arc<Mutex<Option<UnixStream>>>);

impl Line {
    fn keep(&self, socket: &Path, news: &Sender<News>) {
        let mut pause = PAUSE_MIN;
        while !news.is_closed() {
            match self.follow(socket, news) {
                Ok(views) if views > 0 => pause = PAUSE_MIN,
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "kioskd does not answer"),
            }
            if self.stream().take().is_some() && news.send_blocking(News::Lost).is_err() {
                return;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// One connection, to its end. How many views came?
    fn follow(&self, socket: &Path, news: &Sender<News>) -> io::Result<u64> {
        let stream = UnixStream::connect(socket)?;
        stream.set_write_timeout(Some(WRITE_MAX))?;
        *self.stream() = Some(stream.try_clone()?);
        let mut lines = BufReader::new(stream);
        let mut views = 0;
        let mut line = Vec::new();
        loop {
            line.clear();
            let limit = LINE_MAX as u64 + 1;
            if lines.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
                return Ok(views);
            }
            let view = ui_proto::decode(&line).map_err(io::Error::other)?;
            views += 1;
            if news.send_blocking(News::View(view)).is_err() {
                return Ok(views);
            }
        }
    }

    fn stream(&self) -> MutexGuard<'_, Option<UnixStream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A local socket takes an action at once, or kioskd hangs.
const WRITE_MAX: Duration = Duration::from_millis(200);
/// Views that may wait to be painted before kioskd is made to wait.
const NEWS_MAX: usize = 16;
