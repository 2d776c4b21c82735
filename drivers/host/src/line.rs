use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_serial::{DataBits, SerialStream};
pub use tokio_serial::{Parity, StopBits};

/// Something that can be opened, lost, and opened again.
pub trait Line: Send {
    /// An open line. Reading 0 bytes means that it is gone.
    type Stream: AsyncRead + AsyncWrite + Send;

    /// One attempt. Called again, after a pause, whenever the line was lost.
    fn open(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// For the log.
    fn name(&self) -> String;
}

/// A serial port, eight data bits. USB adapters and ptys are serial ports too.
#[derive(Clone, Debug)]
pub struct SerialLine {
    /// A device, or better a link to it that survives replugging (`/dev/serial/by-id/…`).
    pub path: PathBuf,
    /// Bits per second.
    pub baud: u32,
    /// Parity bit.
    pub parity: Parity,
    /// Stop bits.
    pub stop_bits: StopBits,
}

impl SerialLine {
    /// 8N1.
    pub fn new(path: impl Into<PathBuf>, baud: u32) -> Self {
        Self { path: path.into(), baud, parity: Parity::None, stop_bits: StopBits::One }
    }

    /// With two stop bits, as ITL's SSP wants it.
    pub fn two_stop_bits(self) -> Self {
        Self { stop_bits: StopBits::Two, ..self }
    }
}

impl Line for SerialLine {
    type Stream = SerialStream;

    async fn open(&mut self) -> io::Result<SerialStream> {
        let path = self.path.to_string_lossy();
        let builder = tokio_serial::new(path, self.baud)
            .data_bits(DataBits::Eight)
            .parity(self.parity)
            .stop_bits(self.stop_bits);
        SerialStream::open(&builder).map_err(io::Error::from)
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// A device in the network.
#[derive(Clone, Debug)]
pub struct TcpLine {
    /// Host and port.
    pub address: String,
}

impl TcpLine {
    /// `10.0.0.7:20007`.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into() }
    }
}

impl Line for TcpLine {
    type Stream = TcpStream;

    async fn open(&mut self) -> io::Result<TcpStream> {
        let stream = timeout(CONNECT_TIME_MAX, TcpStream::connect(&self.address)).await??;
        stream.set_nodelay(true)?;
        // What a lost line still held must not arrive after the device was asked on the next one:
        // closed, it drops it.
        stream.set_zero_linger()?;
        Ok(stream)
    }

    fn name(&self) -> String {
        self.address.clone()
    }
}

/// In a network of one cabinet, whoever is there answers at once.
pub(crate) const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
