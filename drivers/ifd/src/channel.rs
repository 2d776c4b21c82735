//! One reader behind its socket: two connections, one for commands and one on which the reader
//! tells of every change in its field.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

/// What pcscd is told of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Nobody listens on the socket: unplugged.
    NoReader,
    Empty,
    Card,
}

/// What the reader is asked; the first byte of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    PowerUp,
    PowerDown,
    Reset,
    Transmit,
    Control,
}

impl Request {
    const fn code(self) -> u8 {
        match self {
            Self::PowerUp => 1,
            Self::PowerDown => 2,
            Self::Reset => 3,
            Self::Transmit => 4,
            Self::Control => 5,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No card in the field, or it left, or it is not powered since it came.
    NoCard,
    NotSupported,
    /// [`ANSWER_TIME_MAX`] is over.
    Silence,
    NoReader,
}

#[derive(Debug)]
pub(crate) struct Channel {
    path: PathBuf,
    /// As last told to pcscd. Only the waiting thread moves it, one change at a time: pcscd must
    /// see the empty field between two cards, however fast they were swapped.
    presence: Mutex<Presence>,
    atr: Mutex<Vec<u8>>,
    commands: Mutex<Option<UnixStream>>,
    changes: Mutex<Option<UnixStream>>,
    /// A byte written into the first ends a wait on the second.
    stop: (UnixStream, UnixStream),
}

impl Channel {
    /// Does not connect yet: the reader may come later.
    pub(crate) fn new(path: PathBuf) -> io::Result<Self> {
        Ok(Self {
            path,
            presence: Mutex::new(Presence::Empty),
            atr: Mutex::new(Vec::new()),
            commands: Mutex::new(None),
            changes: Mutex::new(None),
            stop: UnixStream::pair()?,
        })
    }

    pub(crate) fn presence(&self) -> Presence {
        *lock(&self.presence)
    }

    /// Of the card that was powered last.
    pub(crate) fn atr(&self) -> Vec<u8> {
        lock(&self.atr).clone()
    }

    /// Asks the reader and waits for the answer, at most [`ANSWER_TIME_MAX`].
    pub(crate) fn call(&self, request: Request, payload: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut connection = lock(&self.commands);
        let mut stream = match connection.take() {
            Some(stream) => stream,
            None => self.connect(b'C').map_err(|_| Failure::NoReader)?,
        };
        match ask(&mut stream, request, payload) {
            Ok(answer) => {
                *connection = Some(stream);
                if matches!(request, Request::PowerUp | Request::Reset)
                    && let Ok(atr) = &answer
                {
                    lock(&self.atr).clone_from(atr);
                }
                answer
            }
            // The connection is dropped: a late answer must not meet the next question.
            Err(error) if is_timeout(&error) => Err(Failure::Silence),
            Err(_) => Err(Failure::NoReader),
        }
    }

    /// Sleeps until something changes in the field, or for `timeout`, or until
    /// [`Channel::stop_waiting`].
    pub(crate) fn wait_for_change(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let mut changes = lock(&self.changes);
        loop {
            let before = self.presence();
            let now = self.next_presence(&mut changes, deadline);
            let Some(now) = now else { return };
            *lock(&self.presence) = now;
            if now != before {
                return;
            }
        }
    }

    pub(crate) fn stop_waiting(&self) {
        // Full means that a byte is there already, which is all that is wanted.
        drop((&self.stop.0).write(&[0]));
    }

    /// The next thing the reader says, or nothing once it is time to go.
    fn next_presence(
        &self,
        changes: &mut Option<UnixStream>,
        deadline: Instant,
    ) -> Option<Presence> {
        let Some(stream) = changes else {
            return match self.connect(b'E') {
                Ok(stream) => {
                    *changes = Some(stream);
                    self.next_presence(changes, deadline)
                }
                Err(_) => self.pause_without_reader(deadline),
            };
        };
        if !self.wait(Some(&*stream), deadline)? {
            return None;
        }
        let mut change = [0];
        match stream.read(&mut change) {
            Ok(1) if change[0] == 0 => Some(Presence::Empty),
            Ok(1) => Some(Presence::Card),
            Ok(_) | Err(_) => {
                *changes = None;
                Some(Presence::NoReader)
            }
        }
    }

    fn pause_without_reader(&self, deadline: Instant) -> Option<Presence> {
        if self.presence() == Presence::NoReader {
            let retry = deadline.min(Instant::now() + RECONNECT_PAUSE);
            self.wait(None, retry)?;
            if Instant::now() >= deadline {
                return None;
            }
        }
        Some(Presence::NoReader)
    }

    /// True when `stream` has something to say, false at the deadline, nothing when told to stop.
    fn wait(&self, stream: Option<&UnixStream>, deadline: Instant) -> Option<bool> {
        let left = deadline.saturating_duration_since(Instant::now());
        // A deadline that does not fit a timespec is none.
        let timeout = left.try_into().ok();
        let mut fds = vec![PollFd::new(&self.stop.1, PollFlags::IN)];
        fds.extend(stream.map(|stream| PollFd::new(stream, PollFlags::IN)));
        // An interrupted wait is a wait that ends early, which the caller's caller repeats.
        if poll(&mut fds, timeout.as_ref()).is_err() {
            return Some(false);
        }
        let is_ready = |fd: Option<&PollFd<'_>>| fd.is_some_and(|fd| !fd.revents().is_empty());
        if is_ready(fds.first()) {
            // Taken, so that a new thread on this channel can wait again.
            drop((&self.stop.1).read(&mut [0]));
            return None;
        }
        Some(is_ready(fds.get(1)))
    }

    /// `kind`: `C` for commands, `E` for events.
    fn connect(&self, kind: u8) -> io::Result<UnixStream> {
        let mut stream = UnixStream::connect(&self.path)?;
        stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
        stream.set_write_timeout(Some(ANSWER_TIME_MAX))?;
        stream.write_all(&[kind])?;
        Ok(stream)
    }
}

/// As a CCID driver has it. PC/SC itself has no limit, and a client would wait for ever.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);

const RECONNECT_PAUSE: Duration = Duration::from_millis(50);

/// The outer error is the connection's, the inner one what the reader says.
fn ask(
    stream: &mut UnixStream,
    request: Request,
    payload: &[u8],
) -> io::Result<Result<Vec<u8>, Failure>> {
    let Ok(len) = u16::try_from(payload.len()) else {
        return Ok(Err(Failure::NotSupported));
    };
    let mut frame = vec![request.code()];
    frame.extend(len.to_be_bytes());
    frame.extend(payload);
    stream.write_all(&frame)?;

    let mut head = [0; 3];
    stream.read_exact(&mut head)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
    stream.read_exact(&mut answer)?;
    match head[0] {
        0 => Ok(Ok(answer)),
        1 => Ok(Err(Failure::NoCard)),
        2 => Ok(Err(Failure::NotSupported)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
