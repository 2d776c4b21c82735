use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::time::Duration;

use domain::Mono;
use driver_api::{Link, Protocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, trace, warn};

use crate::backoff::Backoff;
use crate::line::Line;
use crate::tap::{NoTap, Tap};

/// Runs `protocol` over `line` until the receiver of `events` is gone, or the sender of `commands`
/// is gone and all that it sent was taken and written.
///
/// A command that the protocol refuses with `Busy` is kept and offered again after each further
/// input; later commands wait behind it, in `commands`, in their order. A slow receiver of events
/// slows down reading, and loses none.
pub async fn drive<P, L>(
    protocol: P,
    line: L,
    commands: mpsc::Receiver<P::Command>,
    events: mpsc::Sender<P::Event>,
) where
    P: Protocol,
    P::Command: Clone,
    L: Line,
{
    Driver::new(protocol, line, commands, NoTap).run(events).await;
}

/// As [`drive`], and `tap` sees all that passes.
#[cfg(feature = "recording")]
pub async fn drive_recorded<P, L, T>(
    protocol: P,
    line: L,
    commands: mpsc::Receiver<P::Command>,
    events: mpsc::Sender<P::Event>,
    tap: T,
) where
    P: Protocol,
    P::Command: Clone,
    L: Line,
    T: Tap,
{
    Driver::new(protocol, line, commands, tap).run(events).await;
}

struct Driver<P: Protocol, L: Line, T> {
    protocol: P,
    line: L,
    port: Port<L::Stream>,
    backoff: Backoff,
    commands: mpsc::Receiver<P::Command>,
    /// Refused as busy; goes before everything in `commands`.
    held: Option<P::Command>,
    /// No more commands will come.
    closing: bool,
    /// Reported by the protocol, not yet taken by the core.
    outbox: VecDeque<P::Event>,
    /// Not before this the protocol is given another tick: it may ask for the past, and must not
    /// spin then.
    tick_from: Instant,
    started: Instant,
    tap: T,
}

/// What woke the loop.
enum Input<C, S> {
    Opened(io::Result<S>),
    Read(io::Result<Vec<u8>>),
    Wrote(io::Result<usize>),
    Command(Option<C>),
    Tick,
    Delivered,
    NobodyListens,
}

impl<P, L, T> Driver<P, L, T>
where
    P: Protocol,
    P::Command: Clone,
    L: Line,
    T: Tap,
{
    fn new(protocol: P, line: L, commands: mpsc::Receiver<P::Command>, tap: T) -> Self {
        let now = Instant::now();
        Self {
            protocol,
            line,
            port: Port::closed(),
            backoff: Backoff::new(now),
            commands,
            held: None,
            closing: false,
            outbox: VecDeque::new(),
            tick_from: now,
            started: now,
            tap,
        }
    }

    async fn run(mut self, events: mpsc::Sender<P::Event>) {
        loop {
            if self.closing && self.held.is_none() && self.port.unsent.is_empty() {
                return;
            }
            let input = self.next_input(&events).await;
            if matches!(input, Input::NobodyListens) {
                return;
            }
            self.take(input);
            self.offer_held();
            self.drain();
        }
    }

    async fn next_input(
        &mut self,
        events: &mpsc::Sender<P::Event>,
    ) -> Input<P::Command, L::Stream> {
        let tick = self
            .protocol
            .poll_timeout()
            .map(|(at, _)| (self.started + Duration::from_millis(at.0)).max(self.tick_from));
        let may_read = self.outbox.len() < OUTBOX_MAX;
        let may_command = self.held.is_none() && !self.closing && may_read;
        let is_closed = self.port.is_closed();
        let has_event = !self.outbox.is_empty();
        let Port { reader, writer, unsent, buffer } = &mut self.port;
        select! {
            // In this order, so that a Stack waits for nobody and a babbling device cannot keep us
            // from writing and from our deadlines.
            biased;
            permit = events.reserve(), if has_event => match (permit, self.outbox.pop_front()) {
                (Ok(permit), Some(event)) => {
                    permit.send(event);
                    Input::Delivered
                }
                (Err(_), _) | (Ok(_), None) => Input::NobodyListens,
            },
            () = events.closed() => Input::NobodyListens,
            command = self.commands.recv(), if may_command => Input::Command(command),
            wrote = write_some(writer, unsent), if !unsent.is_empty() => Input::Wrote(wrote),
            () = sleep_until_some(tick) => Input::Tick,
            read = read_some(reader, buffer), if may_read => Input::Read(read),
            opened = open_at(&mut self.line, self.backoff.next()), if is_closed => {
                Input::Opened(opened)
            }
        }
    }

    fn take(&mut self, input: Input<P::Command, L::Stream>) {
        let now = self.now();
        match input {
            Input::Opened(Ok(stream)) => {
                info!(line = self.line.name(), "line open");
                self.port = Port::open(stream);
                self.tap.link(now, Link::Up);
                self.protocol.handle_link(now, Link::Up);
            }
            Input::Opened(Err(error)) => {
                debug!(line = self.line.name(), %error, "line does not open");
                self.backoff.failed(Instant::now());
            }
            Input::Read(Ok(bytes)) if !bytes.is_empty() => {
                self.backoff.succeeded();
                self.tap.received(now, &bytes);
                self.protocol.handle_bytes(now, &bytes);
            }
            // The end of a tty, and of a pty whose other side is gone, reads as 0 bytes for ever.
            Input::Read(Ok(_)) => self.lose_line(now, &"end of line"),
            Input::Read(Err(error)) | Input::Wrote(Err(error)) => self.lose_line(now, &error),
            Input::Wrote(Ok(0)) => self.lose_line(now, &"takes no bytes"),
            Input::Wrote(Ok(count)) => drop(self.port.unsent.drain(..count)),
            Input::Command(Some(command)) => self.held = Some(command),
            Input::Command(None) => self.closing = true,
            Input::Tick => {
                self.tick_from = Instant::now() + TICK_MIN;
                self.protocol.handle_timeout(now);
            }
            Input::Delivered | Input::NobodyListens => {}
        }
    }

    fn offer_held(&mut self) {
        let now = self.now();
        if let Some(command) = &self.held
            && self.protocol.handle_command(now, command.clone()).is_ok()
        {
            self.held = None;
        }
    }

    fn drain(&mut self) {
        while let Some(event) = self.protocol.poll_event() {
            self.outbox.push_back(event);
        }
        let now = self.now();
        while self.port.unsent.len() < UNSENT_MAX
            && let Some(frame) = self.protocol.poll_write()
        {
            if self.port.is_closed() {
                // Written for a line that went down meanwhile. The protocol hears of that and
                // decides what to say on the next one.
                continue;
            }
            trace!(line = self.line.name(), ?frame, "send");
            self.tap.sent(now, &frame);
            self.port.unsent.extend(&frame.bytes);
        }
    }

    fn lose_line(&mut self, now: Mono, why: &(dyn std::fmt::Display + Sync)) {
        warn!(line = self.line.name(), %why, "line lost");
        self.port = Port::closed();
        self.backoff.failed(Instant::now());
        self.tap.link(now, Link::Down);
        self.protocol.handle_link(now, Link::Down);
    }

    fn now(&self) -> Mono {
        Mono(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

/// Events that may wait for a slow core before reading and commands pause. A protocol adds only
/// a handful per input.
const OUTBOX_MAX: usize = 64;

/// Bytes that may wait for a slow line before the protocol is asked for no more.
const UNSENT_MAX: usize = 64 * 1024;

const TICK_MIN: Duration = Duration::from_millis(1);

/// The open line, its two directions apart so that a device that takes no bytes can still be heard.
struct Port<S> {
    reader: Option<ReadHalf<S>>,
    writer: Option<WriteHalf<S>>,
    unsent: VecDeque<u8>,
    buffer: Vec<u8>,
}

impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite> Port<S> {
    fn closed() -> Self {
        Self { reader: None, writer: None, unsent: VecDeque::new(), buffer: vec![0; READ_MAX] }
    }

    fn open(stream: S) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { reader: Some(reader), writer: Some(writer), ..Self::closed() }
    }

    fn is_closed(&self) -> bool {
        self.reader.is_none()
    }
}

const READ_MAX: usize = 1024;

/// Cancel-safe, as `read` is.
async fn read_some<S: tokio::io::AsyncRead>(
    reader: &mut Option<ReadHalf<S>>,
    buffer: &mut [u8],
) -> io::Result<Vec<u8>> {
    match reader {
        Some(reader) => {
            let count = reader.read(buffer).await?;
            Ok(buffer[..count].to_vec())
        }
        None => pending().await,
    }
}

/// Cancel-safe, as `write` is: what it wrote, it says.
async fn write_some<S: tokio::io::AsyncWrite>(
    writer: &mut Option<WriteHalf<S>>,
    unsent: &VecDeque<u8>,
) -> io::Result<usize> {
    match writer {
        Some(writer) => writer.write(unsent.as_slices().0).await,
        None => pending().await,
    }
}

/// Cancel-safe: a cancelled wait or attempt starts again at the same instant.
async fn open_at<L: Line>(line: &mut L, at: Instant) -> io::Result<L::Stream> {
    sleep_until(at).await;
    line.open().await
}

async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
