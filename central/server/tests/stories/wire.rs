//! Through real TLS, with the client kioskd uses.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use central_api::{Client, ClientConfig, ClientError, Delivery, Fetched, ProblemKind};
use central_server::{demo, serve};
use domain::{Amount, Tender, Wall};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::rig;

/// A central that listens, in this process.
struct Served {
    dir: TempDir,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), central_server::StartError>>,
}

impl Served {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        demo::make_town(&rig::options(dir.path())).await.unwrap();
        let mut config = rig::config(dir.path());
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.server.ops_listen = "127.0.0.1:0".parse().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let announce = dir.path().join("central.addr");
        let announced = announce.clone();
        let task =
            tokio::spawn(
                async move { serve(&config, &announced, async { drop(stopped.await) }).await },
            );
        let address = address(&announce).await;
        Self { dir, address, stop, task }
    }

    fn client(&self, name: &str) -> Client {
        client(self.dir.path(), self.dir.path(), name, self.address)
    }
}

/// Waits until the file is there: it is written whole.
async fn address(announce: &Path) -> SocketAddr {
    loop {
        if let Ok(text) = std::fs::read(announce) {
            let addresses: serde_json::Value = serde_json::from_slice(&text).unwrap();
            return addresses["listen"].as_str().unwrap().parse().unwrap();
        }
        tokio::task::yield_now().await;
    }
}

/// As `name`, with its certificate from `dir`; trusts the authority in `ca_dir`.
fn client(dir: &Path, ca_dir: &Path, name: &str, address: SocketAddr) -> Client {
    let read = |dir: &Path, file: String| std::fs::read(dir.join(file)).unwrap();
    Client::new(&ClientConfig {
        url: format!("https://{address}"),
        ca_pem: read(ca_dir, "ca.pem".to_owned()),
        certificate_pem: read(dir, format!("{name}.pem")),
        key_pem: read(dir, format!("{name}.key")),
        connect_timeout: ClientConfig::CONNECT_TIMEOUT,
        timeout: ClientConfig::TIMEOUT,
    })
    .unwrap()
}

#[tokio::test]
async fn a_kiosk_and_an_operator_go_through_the_whole_story() {
    let central = Served::new().await;
    let (kiosk, operator) = (central.client("K0001"), central.client("operator"));
    let Fetched::New { value: config, etag } = kiosk.kiosk_config(None).await.unwrap() else {
        panic!("the first fetch brings something");
    };
    assert_eq!(config.rules.wallet_max, Amount::euro(150));
    assert_eq!(kiosk.kiosk_config(etag.as_deref()).await.unwrap(), Fetched::Unchanged);

    let cards = rig::cards(central.dir.path());
    let ana = cards.iter().find(|card| card.id == "ana").unwrap();
    let request = serde_json::json!({
        "number": ana.number, "uid": ana.uid, "pin": ana.pin, "at": Wall::default(),
    });
    let request = serde_json::from_value(request).unwrap();
    let session = kiosk.open_card_session(&request).await.unwrap();
    assert_eq!(session.balance, Amount::from_cents(1_240).unwrap());

    let top_up = central_api::TopUpRequest {
        card_ref: session.card_ref,
        amount: Amount::euro(30),
        tender: Tender::Cash,
        offline: false,
        ordered_at: Wall::default(),
    };
    let intent = "K0001-7".parse().unwrap();
    let answer = kiosk.top_up(&intent, &top_up).await.unwrap();
    assert_eq!(kiosk.top_up(&intent, &top_up).await.unwrap(), answer);
    let books = operator.books(&intent.kiosk).await.unwrap();
    assert_eq!(books.wallet_credits, Amount::euro(30));

    operator.set_card_status(request.number, central_api::CardStatus::Blocked).await.unwrap();
    operator.reset_pin_lock(request.number).await.unwrap();
    let blocked = kiosk.open_card_session(&request).await.unwrap_err();
    assert!(matches!(blocked, ClientError::Refused(p) if p.kind == ProblemKind::CardBlocked));
}

#[tokio::test]
async fn a_kiosk_cannot_speak_for_another() {
    let central = Served::new().await;
    let top_up = central_api::TopUpRequest {
        card_ref: domain::CardRef([0; 16]),
        amount: Amount::euro(30),
        tender: Tender::Cash,
        offline: false,
        ordered_at: Wall::default(),
    };
    let intent = "K0001-7".parse().unwrap();
    let refused = central.client("K0002").top_up(&intent, &top_up).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(p) if p.kind == ProblemKind::KeyForeign));
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_not_let_in() {
    let central = Served::new().await;
    let elsewhere = tempfile::tempdir().unwrap();
    demo::make_town(&rig::options(elsewhere.path())).await.unwrap();
    let stranger = client(elsewhere.path(), central.dir.path(), "K0001", central.address);
    let error = stranger.hotlist(None).await.unwrap_err();
    assert!(matches!(error, ClientError::Away { .. }), "{error:?}");
    // And the town's own does not believe another central.
    let deceived = client(central.dir.path(), elsewhere.path(), "K0001", central.address);
    let error = deceived.hotlist(None).await.unwrap_err();
    let surely_not = Delivery::Never;
    assert!(matches!(error, ClientError::Away { delivery, .. } if delivery == surely_not));
}

#[tokio::test]
async fn nobody_there_means_surely_not_received() {
    let dir = tempfile::tempdir().unwrap();
    demo::make_town(&rig::options(dir.path())).await.unwrap();
    let held = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = held.local_addr().unwrap();
    drop(held);
    let error = client(dir.path(), dir.path(), "K0001", address).hotlist(None).await.unwrap_err();
    let surely_not = Delivery::Never;
    assert!(matches!(error, ClientError::Away { delivery, .. } if delivery == surely_not));
}

#[tokio::test]
async fn a_line_that_breaks_after_the_request_means_not_known() {
    let dir = tempfile::tempdir().unwrap();
    demo::make_town(&rig::options(dir.path())).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = deaf_server(dir.path());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        // Hears the request, says nothing, hangs up.
        drop(stream.read(&mut [0; 1_024]).await);
    });
    let error = client(dir.path(), dir.path(), "K0001", address).hotlist(None).await.unwrap_err();
    let unknown = Delivery::Unknown;
    assert!(
        matches!(error, ClientError::Away { delivery, .. } if delivery == unknown),
        "{error:?}"
    );
}

/// With central's certificate, for any client.
fn deaf_server(dir: &Path) -> TlsAcceptor {
    let chain = CertificateDer::from_pem_file(dir.join("central.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(dir.join("central.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_closes_the_books() {
    let central = Served::new().await;
    let kiosk = central.client("K0001");
    kiosk.hotlist(None).await.unwrap();
    central.stop.send(()).unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(30), central.task).await;
    stopped.unwrap().unwrap().unwrap();
    assert!(!central.dir.path().join("central.addr").exists());
    assert!(!central.dir.path().join("central.db-wal").exists(), "the log is in the file");
    let error = kiosk.hotlist(None).await.unwrap_err();
    assert!(matches!(error, ClientError::Away { .. }));
}
