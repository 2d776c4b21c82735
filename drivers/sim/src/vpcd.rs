//! The same reader and card behind Debian's vpcd, a reader driver that is not ours: tests must not
//! trust our own IFD handler alone.
//!
//! vpcd has one connection per inserted card, frames of a big-endian length and as many bytes, no
//! way to say "no answer", and asks for presence every 400 ms.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::net::sockopt::set_tcp_quickack;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use tracing::debug;

use crate::reader::{Reader, Reply, Request};

/// Calls vpcd whenever a card is on the reader, until this is dropped.
#[derive(Debug)]
pub struct VpcdCaller {
    task: AbortHandle,
}

impl VpcdCaller {
    /// vpcd listens at [`PORT`] of all addresses: for test machines alone. Must run in a tokio
    /// context.
    pub fn start(reader: Reader, vpcd: SocketAddr) -> Self {
        let task = tokio::spawn(async move {
            let mut changes = reader.listen();
            while let Some(occupied) = changes.recv().await {
                if occupied && let Err(error) = insert(&reader, vpcd, &mut changes).await {
                    debug!(%error, "vpcd");
                }
            }
        });
        Self { task: task.abort_handle() }
    }
}

impl Drop for VpcdCaller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where Debian's package configures its first reader.
pub const PORT: u16 = 35963;

/// Plays one card until it leaves.
async fn insert(
    reader: &Reader,
    vpcd: SocketAddr,
    changes: &mut mpsc::Receiver<bool>,
) -> io::Result<()> {
    let conversation = async {
        let mut stream = connect(vpcd).await;
        stream.set_nodelay(true)?;
        converse(reader, &mut stream).await
    };
    tokio::select! {
        ended = conversation => ended,
        // The only news of a field with a card is that it is empty.
        _ = changes.recv() => Ok(()),
    }
}

async fn connect(vpcd: SocketAddr) -> TcpStream {
    loop {
        match TcpStream::connect(vpcd).await {
            Ok(stream) => return stream,
            Err(_) => sleep(RETRY_PAUSE).await,
        }
    }
}

/// pcscd may start after us.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

async fn converse(reader: &Reader, stream: &mut TcpStream) -> io::Result<()> {
    loop {
        // vpcd 3.3 sends length and payload apart, and waits 40 ms for an acknowledgement between
        // them. Linux forgets this setting, so it is made anew each time.
        set_tcp_quickack(&*stream, true)?;
        let mut payload = vec![0; usize::from(stream.read_u16().await?)];
        set_tcp_quickack(&*stream, true)?;
        stream.read_exact(&mut payload).await?;
        let reply = match payload[..] {
            // Power off, power on, reset: not answered.
            [0x00] => {
                reader.ask(Request::PowerDown).await;
                continue;
            }
            [0x01 | 0x02] => {
                reader.ask(Request::PowerUp).await;
                continue;
            }
            // The ATR.
            [0x04] => reader.ask(Request::PowerUp).await,
            _ => reader.ask(Request::Transmit(&payload)).await,
        };
        match reply {
            Reply::Answer(answer) => send(stream, &answer).await?,
            // It has no word for that: hang up.
            Reply::NoCard | Reply::NotSupported => return Ok(()),
        }
    }
}

async fn send(stream: &mut TcpStream, answer: &[u8]) -> io::Result<()> {
    let len = u16::try_from(answer.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let frame = [&len.to_be_bytes(), answer].concat();
    stream.write_all(&frame).await
}
