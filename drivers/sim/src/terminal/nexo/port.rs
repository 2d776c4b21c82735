//! The terminal in the network: HTTPS, several connections at a time.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_rustls::TlsAcceptor;

use super::super::{Cardholder, Charge, Fault};
use super::http::{BAD_REQUEST, ok, read_post};
use super::{Firmware, Options};

/// Where tills POST to.
pub const PATH: &str = "/nexo";

/// A terminal to be operated like the real thing. Clones operate the same one; it goes with the
/// last of them.
#[derive(Clone)]
pub struct Terminal {
    shared: Arc<Shared>,
    root_pem: Arc<str>,
    _task: Arc<AbortOnDrop>,
}

struct Shared {
    firmware: Mutex<Firmware>,
    /// The next answers are cut after so many bytes.
    cut_after: Mutex<Option<usize>>,
    /// Somebody operated it, or its time came.
    changed: watch::Sender<()>,
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
        let (acceptor, root_pem) = certify(&options.name()).map_err(io::Error::other)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            firmware: Mutex::new(Firmware::new(options)),
            cut_after: Mutex::new(None),
            changed: watch::Sender::new(()),
            started: Instant::now(),
        });
        let task = tokio::spawn(serve(Arc::clone(&shared), listener, acceptor));
        let _task = Arc::new(AbortOnDrop(task.abort_handle()));
        Ok((Self { shared, root_pem: root_pem.into(), _task }, address))
    }

    /// The certificate of its maker, which signed its own, in PEM.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// Who stands before it from now on.
    pub fn set_cardholder(&self, cardholder: Cardholder) {
        self.operate(|firmware, _| firmware.set_cardholder(cardholder));
    }

    /// Breaks or mends it.
    pub fn set_fault(&self, fault: Fault, on: bool) {
        self.operate(|firmware, now| firmware.set_fault(now, fault, on));
    }

    /// The connection of each answer is cut after so many bytes; `None` = of none any more.
    pub fn cut_after(&self, bytes: Option<usize>) {
        *self.shared.cut_after.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }

    /// Is it at work?
    pub fn is_working(&self) -> bool {
        self.operate(|firmware, now| {
            firmware.advance(now);
            firmware.is_working()
        })
    }

    /// What its bank has booked, oldest first.
    pub fn charges(&self) -> Vec<Charge> {
        self.operate(|firmware, now| {
            firmware.advance(now);
            firmware.charges().to_vec()
        })
    }

    fn operate<T>(&self, operation: impl FnOnce(&mut Firmware, Duration) -> T) -> T {
        self.shared.operate(operation)
    }
}

impl Shared {
    fn operate<T>(&self, operation: impl FnOnce(&mut Firmware, Duration) -> T) -> T {
        let now = self.started.elapsed();
        let result = operation(&mut self.lock(), now);
        self.changed.send_replace(());
        result
    }

    fn lock(&self) -> MutexGuard<'_, Firmware> {
        // No operation leaves it half done.
        self.firmware.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut_after(&self) -> usize {
        let bytes = *self.cut_after.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.unwrap_or(usize::MAX)
    }

    /// Lets its time pass, for ever.
    async fn tick(&self) {
        let mut changed = self.changed.subscribe();
        loop {
            let deadline = self.lock().deadline().map(|at| self.started + at);
            select! {
                _ = changed.changed() => {}
                () = sleep_until_some(deadline) => self.operate(Firmware::advance),
            }
        }
    }
}

async fn serve(shared: Arc<Shared>, listener: TcpListener, acceptor: TlsAcceptor) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        select! {
            accepted = listener.accept() => {
                // Out of reach, it hangs up at once.
                if let Ok((stream, _)) = accepted
                    && shared.lock().is_reachable()
                {
                    number += 1;
                    connections.spawn(talk(Arc::clone(&shared), number, stream, acceptor.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
            () = shared.tick() => {}
        }
    }
}

/// One connection, until the answer is out or either side hangs up.
async fn talk(shared: Arc<Shared>, number: u64, stream: TcpStream, acceptor: TlsAcceptor) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    match read_post(&mut stream, PATH).await {
        Ok(Some(body)) => {
            shared.operate(|firmware, now| firmware.request(now, number, &body));
            answer(&shared, number, &mut stream).await;
            shared.operate(|firmware, now| firmware.hang_up(now, number));
        }
        Ok(None) => _ = stream.write_all(BAD_REQUEST).await,
        Err(_) => {}
    }
}

async fn answer(shared: &Shared, number: u64, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut changed = shared.changed.subscribe();
    let mut more = [0; 64];
    loop {
        if !shared.lock().is_reachable() {
            return;
        }
        let said = shared.lock().take_answer(number);
        if let Some(body) = said {
            let mut bytes = ok(&body);
            if shared.lock().is_repeating() {
                bytes.extend(ok(&body));
            }
            bytes.truncate(shared.cut_after());
            if stream.write_all(&bytes).await.is_ok() {
                // A till that has hung up does not wait for the end either.
                stream.shutdown().await.ok();
            }
            return;
        }
        select! {
            _ = changed.changed() => {}
            read = stream.read(&mut more) => if !matches!(read, Ok(1..)) {
                return;
            },
        }
    }
}

/// A certificate as terminals bear it, with a common name and no other, and its maker's in PEM.
fn certify(name: &str) -> Result<(TlsAcceptor, String), Box<dyn std::error::Error + Send + Sync>> {
    let mut maker = CertificateParams::default();
    maker.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    maker.distinguished_name.push(DnType::CommonName, "Maker of simulated terminals");
    let maker = CertifiedIssuer::self_signed(maker, KeyPair::generate()?)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &maker)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    Ok((TlsAcceptor::from(Arc::new(config)), maker.pem()))
}

async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
