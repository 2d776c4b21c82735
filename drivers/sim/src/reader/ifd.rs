//! The reader's end of the socket to our IFD handler; `docs/devices/contactless-readers.md` has the
//! frames.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinSet};
use tracing::debug;

use super::{Fault, Reader, Reply, Request};

/// A reader that IFD handlers can reach, until this is dropped.
#[derive(Debug)]
pub struct IfdServer {
    task: AbortHandle,
    socket: PathBuf,
}

impl Reader {
    /// Listens on a Unix socket that only this user may open, replacing what is there. Must run in
    /// a tokio context.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn serve_ifd(&self, socket: impl Into<PathBuf>) -> io::Result<IfdServer> {
        let socket = socket.into();
        let listener = bind(&socket)?;
        let task = tokio::spawn(serve(self.clone(), socket.clone(), listener)).abort_handle();
        Ok(IfdServer { task, socket })
    }
}

impl Drop for IfdServer {
    fn drop(&mut self) {
        self.task.abort();
        unbind(&self.socket);
    }
}

async fn serve(reader: Reader, socket: PathBuf, listener: UnixListener) {
    let mut faults = reader.watch_faults();
    let mut plugged = Some(listener);
    // Dropped, and with it every connection, when the cable is pulled.
    let mut connections = JoinSet::new();
    loop {
        if faults.borrow_and_update().contains(&Fault::Unplugged) {
            connections = JoinSet::new();
            plugged = None;
            unbind(&socket);
        } else if plugged.is_none() {
            plugged = bind(&socket)
                .inspect_err(|error| debug!(%error, "reader cannot be plugged in again"))
                .ok();
        }
        tokio::select! {
            changed = faults.changed() => if changed.is_err() { return },
            stream = accept(plugged.as_ref()) => {
                connections.spawn(converse(reader.clone(), stream));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&UnixListener>) -> UnixStream {
    match listener {
        Some(listener) => loop {
            if let Ok((stream, _)) = listener.accept().await {
                return stream;
            }
        },
        None => std::future::pending().await,
    }
}

async fn converse(reader: Reader, mut stream: UnixStream) {
    let ended = match stream.read_u8().await {
        Ok(b'C') => commands(&reader, &mut stream).await,
        Ok(b'E') => events(&reader, &mut stream).await,
        Ok(_) | Err(_) => return,
    };
    if let Err(error) = ended {
        debug!(%error, "IFD handler hung up");
    }
}

async fn commands(reader: &Reader, stream: &mut UnixStream) -> io::Result<()> {
    loop {
        let kind = stream.read_u8().await?;
        let mut payload = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut payload).await?;
        let reply = match kind {
            1 | 3 => reader.ask(Request::PowerUp).await,
            2 => reader.ask(Request::PowerDown).await,
            4 => reader.ask(Request::Transmit(&payload)).await,
            // The control code, which all makers but one let alone.
            5 => reader.ask(Request::Escape(payload.get(4..).unwrap_or(&[]))).await,
            _ => Reply::NotSupported,
        };
        let (status, answer) = match reply {
            Reply::Answer(answer) => (0, answer),
            Reply::NoCard => (1, Vec::new()),
            Reply::NotSupported => (2, Vec::new()),
        };
        let len = u16::try_from(answer.len()).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut frame = vec![status];
        frame.extend(len.to_be_bytes());
        frame.extend(answer);
        stream.write_all(&frame).await?;
    }
}

async fn events(reader: &Reader, stream: &mut UnixStream) -> io::Result<()> {
    let mut changes = reader.listen();
    let mut nothing = [0];
    loop {
        tokio::select! {
            occupied = changes.recv() => match occupied {
                Some(occupied) => stream.write_u8(u8::from(occupied)).await?,
                None => return Ok(()),
            },
            // The handler says nothing here, so that whatever comes is the end.
            end = stream.read(&mut nothing) => return end.map(|_| ()),
        }
    }
}

fn bind(socket: &Path) -> io::Result<UnixListener> {
    unbind(socket);
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn unbind(socket: &Path) {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            debug!(socket = %socket.display(), %error, "old socket stays");
        }
        Ok(()) | Err(_) => {}
    }
}
