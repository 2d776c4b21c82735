//! The terminal on a port of its own: TCP, or a pty.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::select;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::{Cardholder, Charge, Fault, Firmware, Options};
use crate::pty::Pty;

/// A terminal to be operated like the real thing. Clones operate the same one; it goes with the
/// last of them.
#[derive(Clone)]
pub struct Terminal {
    shared: Arc<Shared>,
    _task: Arc<AbortOnDrop>,
}

struct Shared {
    firmware: Mutex<Firmware>,
    /// Somebody operated it.
    changed: Notify,
    started: Instant,
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Terminal {
    /// Puts it into the network, at a free port of this machine.
    ///
    /// # Errors
    /// There is none.
    pub async fn listen(options: Options) -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options));
        let task = tokio::spawn(serve_network(Arc::clone(&shared), listener));
        Ok((Self::running(shared, task.abort_handle()), address))
    }

    /// Plugs it in at `link`, as a serial device.
    ///
    /// # Errors
    /// No pty is to be had, or the link cannot be made.
    pub fn plug(link: impl Into<PathBuf>, options: Options) -> io::Result<Self> {
        let link = link.into();
        let port = Pty::plug(&link)?;
        let shared = Arc::new(Shared::new(options));
        let task = tokio::spawn(serve_serial(Arc::clone(&shared), link, port));
        Ok(Self::running(shared, task.abort_handle()))
    }

    fn running(shared: Arc<Shared>, task: AbortHandle) -> Self {
        Self { shared, _task: Arc::new(AbortOnDrop(task)) }
    }

    /// Who stands before it from now on.
    pub fn set_cardholder(&self, cardholder: Cardholder) {
        self.operate(|firmware, _| firmware.set_cardholder(cardholder));
    }

    /// Breaks or mends it.
    pub fn set_fault(&self, fault: Fault, on: bool) {
        self.operate(|firmware, now| firmware.set_fault(now, fault, on));
    }

    /// After it has said this many more bytes, the line is cut.
    pub fn cut_after(&self, bytes: usize) {
        self.operate(|firmware, _| firmware.cut_after(bytes));
    }

    /// What its bank has booked, oldest first.
    pub fn charges(&self) -> Vec<Charge> {
        self.operate(|firmware, now| {
            firmware.advance(now);
            firmware.charges().to_vec()
        })
    }

    fn operate<T>(&self, operation: impl FnOnce(&mut Firmware, Duration) -> T) -> T {
        let now = self.shared.now();
        let result = operation(&mut self.shared.lock(), now);
        self.shared.changed.notify_one();
        result
    }
}

impl Shared {
    fn new(options: Options) -> Self {
        Self {
            firmware: Mutex::new(Firmware::new(options)),
            changed: Notify::new(),
            started: Instant::now(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Firmware> {
        // No operation leaves it half done.
        self.firmware.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Until somebody operates it, or its own time comes.
    async fn wait(&self) {
        let deadline = self.lock().deadline().map(|at| self.started + at);
        select! {
            () = self.changed.notified() => {}
            () = sleep_until_some(deadline) => {
                let now = self.now();
                self.lock().advance(now);
            }
        }
    }
}

async fn serve_network(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        select! {
            accepted = listener.accept() => {
                // Out of reach, it hangs up at once.
                if let Ok((stream, _)) = accepted
                    && shared.lock().is_reachable()
                {
                    serve(&shared, stream).await;
                }
            }
            () = shared.wait() => {}
        }
    }
}

async fn serve_serial(shared: Arc<Shared>, link: PathBuf, port: Pty) {
    let mut port = Some(port);
    loop {
        if let Some(port) = port.take() {
            serve(&shared, port).await;
        }
        while !shared.lock().is_reachable() {
            shared.wait().await;
        }
        match Pty::plug(&link) {
            Ok(new) => port = Some(new),
            Err(error) => {
                tracing::error!(link = %link.display(), %error, "the terminal has no port");
                return;
            }
        }
    }
}

/// One till, until it hangs up or the line is cut.
async fn serve(shared: &Shared, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buffer = [0; 512];
    shared.lock().connect(shared.now(), true);
    loop {
        let (output, is_over) = {
            let mut firmware = shared.lock();
            (firmware.take_output(), firmware.take_cut() || !firmware.is_reachable())
        };
        if stream.write_all(&output.concat()).await.is_err() || is_over {
            break;
        }
        select! {
            read = stream.read(&mut buffer) => match read {
                Ok(count @ 1..) => shared.lock().receive(shared.now(), &buffer[..count]),
                Ok(0) | Err(_) => break,
            },
            () = shared.wait() => {}
        }
    }
    shared.lock().connect(shared.now(), false);
}

async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
