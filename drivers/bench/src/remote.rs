//! The finger and the eye on a headless kiosk-ui (`ui_proto::RemoteRequest`): one connection per
//! request, so that a long wait for a picture holds up no touch.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;
use ui_proto::{Element, LINE_MAX, RemoteReply, RemoteRequest};

/// Where kiosk-ui's remote socket is.
#[derive(Clone, Debug)]
pub struct Remote {
    socket: PathBuf,
}

/// The picture of the panel.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Counts repaints since kiosk-ui started.
    pub frame: u64,
    /// A PNG.
    pub png: Vec<u8>,
}

/// Why kiosk-ui did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// It does not run, or not yet, or broke off.
    #[error("kiosk-ui does not answer: {0}")]
    Away(#[from] std::io::Error),
    /// It said no.
    #[error("{reason}")]
    Refused {
        /// For people.
        reason: String,
    },
    /// What it answered is no answer to this.
    #[error("kiosk-ui answers out of protocol")]
    Garbled,
}

impl Remote {
    /// Nothing is connected yet.
    pub fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Does `request` (a touch, a press or a key).
    pub async fn act(&self, request: &RemoteRequest) -> Result<(), RemoteError> {
        match self.ask(request).await?.0 {
            RemoteReply::Ok => Ok(()),
            RemoteReply::Png { .. } | RemoteReply::Elements { .. } => Err(RemoteError::Garbled),
            RemoteReply::Refused { reason } => Err(RemoteError::Refused { reason }),
        }
    }

    /// The picture now; with `after`, waits up to 10 s for one newer than that.
    pub async fn picture(&self, after: Option<u64>) -> Result<Picture, RemoteError> {
        let (reply, mut rest) = self.ask(&RemoteRequest::Png { after }).await?;
        let (frame, png_bytes) = match reply {
            RemoteReply::Png { frame, png_bytes } if png_bytes <= PNG_BYTES_MAX => {
                (frame, png_bytes)
            }
            RemoteReply::Png { .. } | RemoteReply::Ok | RemoteReply::Elements { .. } => {
                return Err(RemoteError::Garbled);
            }
            RemoteReply::Refused { reason } => return Err(RemoteError::Refused { reason }),
        };
        let mut png = vec![0; png_bytes];
        rest.read_exact(&mut png).await?;
        Ok(Picture { frame, png })
    }

    /// Everything a finger or a screen reader can reach, in reading order.
    pub async fn elements(&self) -> Result<Vec<Element>, RemoteError> {
        match self.ask(&RemoteRequest::Elements).await?.0 {
            RemoteReply::Elements { elements } => Ok(elements),
            RemoteReply::Png { .. } | RemoteReply::Ok => Err(RemoteError::Garbled),
            RemoteReply::Refused { reason } => Err(RemoteError::Refused { reason }),
        }
    }

    async fn ask(
        &self,
        request: &RemoteRequest,
    ) -> Result<(RemoteReply, BufReader<UnixStream>), RemoteError> {
        timeout(ANSWER_MAX, self.ask_unhurried(request))
            .await
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?
    }

    async fn ask_unhurried(
        &self,
        request: &RemoteRequest,
    ) -> Result<(RemoteReply, BufReader<UnixStream>), RemoteError> {
        let mut stream = BufReader::new(UnixStream::connect(&self.socket).await?);
        stream.write_all(&ui_proto::encode(request)).await?;
        let mut line = Vec::new();
        let line_max = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
        (&mut stream).take(line_max).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        let reply = ui_proto::decode(&line).map_err(|_| RemoteError::Garbled)?;
        Ok((reply, stream))
    }
}

/// Longer than the longest wait for a picture.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// A 4K panel without compression stays below it.
const PNG_BYTES_MAX: usize = 40 * 1024 * 1024;
