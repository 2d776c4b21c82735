//! The line between kioskd and central. TLS passes through it, so that nothing on it can be read
//! or forged; like any line it can only lose what is sent.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::cabinet::{DeviceError, DeviceFaults, FaultSwitch};

/// A line that kioskd can call, until this is dropped.
#[derive(Debug)]
pub struct Uplink {
    address: SocketAddr,
    faults: watch::Sender<BTreeSet<Fault>>,
    task: AbortHandle,
}

/// What a line can do to those who speak over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// No connection stands, none comes about.
    Cut,
    /// Central hears every request, and none of its answers arrives.
    AnswersLost,
}

impl Fault {
    const ALL: [Self; 2] = [Self::Cut, Self::AnswersLost];

    const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::AnswersLost => "answers_lost",
        }
    }
}

impl Uplink {
    /// Lays a line to `central` (address and port). Must run in a tokio context.
    ///
    /// # Errors
    /// No port is to be had.
    pub fn start(central: &str) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let (faults, seen) = watch::channel(BTreeSet::new());
        let task = tokio::spawn(serve(listener, central.into(), seen)).abort_handle();
        Ok(Self { address, faults, task })
    }

    /// Where kioskd calls.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What can go wrong with it, and what does.
    pub fn faults(&self) -> DeviceFaults {
        let on = self.faults.borrow();
        let all = Fault::ALL.into_iter();
        let faults = all.map(|fault| FaultSwitch { fault: fault.name(), on: on.contains(&fault) });
        DeviceFaults { device: UPLINK, faults: faults.collect() }
    }

    /// Makes a fault, or mends it.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn set_fault(&self, name: &str, on: bool) -> Result<(), DeviceError> {
        let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
        let fault = fault.ok_or_else(|| DeviceError::Fault {
            device: UPLINK,
            fault: name.to_owned(),
            known: Fault::ALL.map(Fault::name).join(", "),
        })?;
        self.faults.send_if_modified(|faults| match on {
            true => faults.insert(fault),
            false => faults.remove(&fault),
        });
        Ok(())
    }
}

impl Drop for Uplink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, central: Arc<str>, faults: watch::Receiver<BTreeSet<Fault>>) {
    loop {
        if let Ok((kiosk, _)) = listener.accept().await {
            let (central, faults) = (central.clone(), faults.clone());
            tokio::spawn(async move {
                // However it ends, both sides see the end of the connection.
                if let Err(error) = carry(kiosk, &central, faults).await {
                    tracing::debug!(%error, "the line to central");
                }
            });
        }
    }
}

/// One connection, to its end.
async fn carry(
    mut kiosk: TcpStream,
    central: &str,
    mut faults: watch::Receiver<BTreeSet<Fault>>,
) -> io::Result<()> {
    if faults.borrow_and_update().contains(&Fault::Cut) {
        return Ok(());
    }
    let mut central = TcpStream::connect(central).await?;
    kiosk.set_nodelay(true)?;
    central.set_nodelay(true)?;
    let (mut up, mut down) = ([0; BUFFER], [0; BUFFER]);
    let mut turns = Turns::default();
    let mut is_broken = false;
    loop {
        tokio::select! {
            read = kiosk.read(&mut up) => match read? {
                0 => return Ok(()),
                count => {
                    turns.kiosk_speaks();
                    central.write_all(&up[..count]).await?;
                }
            },
            read = central.read(&mut down) => match read? {
                0 => return Ok(()),
                count => {
                    turns.central_speaks();
                    let loses = faults.borrow().contains(&Fault::AnswersLost);
                    if is_broken || loses && turns.are_beyond_the_handshake() {
                        is_broken = true;
                    } else {
                        kiosk.write_all(&down[..count]).await?;
                    }
                }
            },
            changed = faults.changed() => {
                let on = faults.borrow_and_update().clone();
                // TLS does not survive a hole: whoever lost bytes starts anew.
                let is_over = is_broken && !on.contains(&Fault::AnswersLost);
                if changed.is_err() || is_over || on.contains(&Fault::Cut) {
                    return Ok(());
                }
            }
        }
    }
}

/// How often kioskd has spoken after central had.
#[derive(Default)]
struct Turns {
    of_kiosk: u32,
    kiosk_is_speaking: bool,
}

impl Turns {
    fn kiosk_speaks(&mut self) {
        if !self.kiosk_is_speaking {
            self.of_kiosk = self.of_kiosk.saturating_add(1);
        }
        self.kiosk_is_speaking = true;
    }

    fn central_speaks(&mut self) {
        self.kiosk_is_speaking = false;
    }

    /// TLS 1.3: the hello, the server's one flight, and from the kiosk's second turn on requests
    /// and answers [RFC 8446 §2]. Without its handshake no request would reach central.
    fn are_beyond_the_handshake(&self) -> bool {
        self.of_kiosk >= 2
    }
}

/// Its name in the API.
pub const UPLINK: &str = "uplink";

const BUFFER: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// A central that answers each line with the same line, and the line to it.
    async fn line_to_an_echo() -> (Uplink, TcpListener) {
        let central = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let uplink = Uplink::start(&central.local_addr().unwrap().to_string()).unwrap();
        (uplink, central)
    }

    /// `kiosk` says it, `central` hears it and repeats it.
    async fn exchange(kiosk: &mut TcpStream, central: &mut TcpStream, word: &[u8; 5]) {
        kiosk.write_all(word).await.unwrap();
        let mut heard = [0; 5];
        central.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, word);
        central.write_all(&heard).await.unwrap();
    }

    #[tokio::test]
    async fn after_the_handshake_requests_arrive_and_answers_do_not() {
        let (uplink, listener) = line_to_an_echo().await;
        let mut kiosk = TcpStream::connect(uplink.address()).await.unwrap();
        let (mut central, _) = listener.accept().await.unwrap();
        uplink.set_fault("answers_lost", true).unwrap();
        exchange(&mut kiosk, &mut central, b"hello").await;
        let mut heard = [0; 5];
        kiosk.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello", "without a handshake nobody asks anything");

        exchange(&mut kiosk, &mut central, b"first").await;
        exchange(&mut kiosk, &mut central, b"again").await;
        // The connection with the hole ends with the fault; nothing of the answers came.
        uplink.set_fault("answers_lost", false).unwrap();
        assert_eq!(kiosk.read(&mut heard).await.unwrap_or(0), 0);
    }

    #[tokio::test]
    async fn a_cut_line_ends_what_stands_and_lets_nothing_new_come_about() {
        let (uplink, listener) = line_to_an_echo().await;
        let mut kiosk = TcpStream::connect(uplink.address()).await.unwrap();
        let (mut central, _) = listener.accept().await.unwrap();
        exchange(&mut kiosk, &mut central, b"hello").await;
        kiosk.read_exact(&mut [0; 5]).await.unwrap();
        uplink.set_fault("cut", true).unwrap();
        let mut nothing = [0; 5];
        assert_eq!(kiosk.read(&mut nothing).await.unwrap_or(0), 0);
        let mut next = TcpStream::connect(uplink.address()).await.unwrap();
        assert_eq!(next.read(&mut nothing).await.unwrap_or(0), 0);
        assert!(uplink.set_fault("eaten", true).is_err());
    }
}
