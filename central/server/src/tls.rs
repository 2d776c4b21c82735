use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::caller::Caller;
use crate::config;

/// Certificates or keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A PEM file.
    #[error("{file}")]
    Pem {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The clients' authority.
    #[error("the clients' authority")]
    Verifier(#[from] VerifierBuilderError),
    /// Certificate and key.
    #[error("certificate and key")]
    Rustls(#[from] rustls::Error),
}

/// TLS that lets in who has a certificate of the network's authority, and nobody else.
pub(crate) fn server_config(config: &config::ServerConfig) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    for ca in certificates(&config.client_ca)? {
        roots.add(ca)?;
    }
    let roots = Arc::new(roots);
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
    let chain = certificates(&config.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&config.key);
    let key = key.map_err(|source| pem_error(&config.key, source))?;
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|source| pem_error(file, source))
}

fn pem_error(file: &Path, source: pem::Error) -> TlsError {
    let file = file.to_owned();
    TlsError::Pem { file, source }
}

/// Connections after their handshake. Handshakes run beside each other, so that a slow one keeps
/// nobody waiting.
pub(crate) struct TlsListener {
    ready: mpsc::Receiver<Peer>,
    address: SocketAddr,
}

/// A connection and who is at its other end.
struct Peer {
    stream: TlsStream<TcpStream>,
    caller: Caller,
    place: OwnedSemaphorePermit,
}

/// Longer is an attack or a dead line.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Handshakes and connections at once; a network has fewer kiosks per server.
const CONNECTIONS_MAX: usize = 4_096;

impl TlsListener {
    /// Accepts until it is dropped.
    pub(crate) fn spawn(tcp: TcpListener, tls: ServerConfig, tenant: String) -> io::Result<Self> {
        let address = tcp.local_addr()?;
        let (accepted, ready) = mpsc::channel(64);
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        tokio::spawn(accept_all(tcp, acceptor, tenant, accepted));
        Ok(Self { ready, address })
    }
}

async fn accept_all(
    mut tcp: TcpListener,
    acceptor: TlsAcceptor,
    tenant: String,
    accepted: mpsc::Sender<Peer>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let tenant: Arc<str> = tenant.into();
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let place = place.expect("nobody closes this semaphore");
        let stream = tokio::select! {
            // The trait's own accept logs errors, waits, and goes on.
            (stream, _) = Listener::accept(&mut tcp) => stream,
            () = accepted.closed() => return,
        };
        let (acceptor, tenant) = (acceptor.clone(), Arc::clone(&tenant));
        let accepted = accepted.clone();
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_MAX, greet(stream, acceptor, &tenant)).await {
                Ok(Ok((stream, caller))) => {
                    // Closed = the service is stopping: the connection just ends.
                    let peer = Peer { stream, caller, place };
                    drop(accepted.send(peer).await);
                }
                Ok(Err(error)) => tracing::warn!(%error, "a client was not let in"),
                Err(_) => tracing::warn!("a handshake took too long"),
            }
        });
    }
}

async fn greet(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    tenant: &str,
) -> io::Result<(TlsStream<TcpStream>, Caller)> {
    // Answers are small and awaited.
    stream.set_nodelay(true)?;
    let stream = acceptor.accept(stream).await?;
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates().and_then(<[_]>::first);
    let certificate = certificate.ok_or_else(|| io::Error::other("no certificate"))?;
    let caller = Caller::from_certificate(certificate, tenant).map_err(io::Error::other)?;
    Ok((stream, caller))
}

/// A connection's bytes; gives its place back when it ends.
pub(crate) struct PeerStream {
    stream: TlsStream<TcpStream>,
    _place: OwnedSemaphorePermit,
}

impl AsyncRead for PeerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What the listener tells of a connection.
#[derive(Clone, Debug)]
pub(crate) struct PeerAddress(Option<Caller>);

impl Listener for TlsListener {
    type Io = PeerStream;
    type Addr = PeerAddress;

    async fn accept(&mut self) -> (PeerStream, PeerAddress) {
        match self.ready.recv().await {
            Some(peer) => {
                let stream = PeerStream { stream: peer.stream, _place: peer.place };
                (stream, PeerAddress(Some(peer.caller)))
            }
            // The accepting task never ends before us; if it did, there is nobody to let in.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<PeerAddress> {
        Ok(PeerAddress(None))
    }
}

impl TlsListener {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Caller {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        let PeerAddress(caller) = stream.remote_addr();
        caller.clone().expect("only callers come out of accept")
    }
}
