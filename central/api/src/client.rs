use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use domain::CardNumber;
use kiosk_records::{IntentId, KioskId, Sealed};
use reqwest::header::{ETAG, IF_NONE_MATCH};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{
    CardSession, CardSessionRequest, CardStatus, CardStatusChange, Hotlist, IDEMPOTENCY_KEY,
    JournalAck, JournalBatch, KioskBooks, KioskConfig, Problem, TopUpAnswer, TopUpRequest,
};

/// How to reach central, and as whom.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// `https://host:port`.
    pub url: String,
    /// PEM of the authority that signed central's certificate.
    pub ca_pem: Vec<u8>,
    /// PEM of our certificate.
    pub certificate_pem: Vec<u8>,
    /// PEM of its key.
    pub key_pem: Vec<u8>,
    /// Until a connection must stand.
    pub connect_timeout: Duration,
    /// Until an answer must be complete; connecting counts.
    pub timeout: Duration,
}

impl ClientConfig {
    /// Long enough for a mobile line, short enough for someone who is waiting.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
    /// PIN hashing at a busy central is the longest wait.
    pub const TIMEOUT: Duration = Duration::from_secs(8);
}

/// The configuration makes no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not `https://host[:port]`.
    #[error("central's url must be https://host[:port]")]
    Url,
    /// A PEM text holds not what it should.
    #[error("{which} is not the PEM it should be")]
    Pem {
        /// Which one.
        which: &'static str,
        /// The parser's word.
        #[source]
        source: pem::Error,
    },
    /// Certificate and key do not fit each other, or no authority is given.
    #[error("certificate, key or authority cannot be used for TLS")]
    Tls(#[source] rustls::Error),
    /// The HTTP client cannot be built.
    #[error("http client")]
    Http(#[source] reqwest::Error),
}

/// No answer that could be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Central did not answer, or said that it failed (5xx).
    #[error("central is away ({delivery:?})")]
    Away {
        /// Whether central may have had the request.
        delivery: Delivery,
        /// The network's word; central's own when it failed.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// Central understood and said no.
    #[error("central refused: {0}")]
    Refused(Problem),
    /// The answer cannot be read. Whether the request was carried out is not known.
    #[error("central's answer cannot be read (status {status})")]
    Garbled {
        /// Its HTTP status.
        status: u16,
    },
}

/// Whether central may have had a request that brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// No connection ever stood: surely nothing was done.
    Never,
    /// It may have been carried out: ask again with the same key, or take it as not known.
    Unknown,
}

/// What a conditional fetch brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched<T> {
    /// As the entity tag said.
    Unchanged,
    /// A newer one.
    New {
        /// It.
        value: T,
        /// For the next time.
        etag: Option<String>,
    },
}

/// A connection to central that is kept open (HTTP/2) and made anew when it breaks. Cheap to clone.
/// It never repeats a request by itself.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    /// Checks the configuration; connects with the first request.
    pub fn new(config: &ClientConfig) -> Result<Self, ConfigError> {
        let base = Url::parse(&config.url).map_err(|_| ConfigError::Url)?;
        if base.scheme() != "https" || base.path() != "/" || base.query().is_some() {
            return Err(ConfigError::Url);
        }
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(config)?)
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            // A dead line is noticed before a customer stands there.
            .http2_keep_alive_interval(Duration::from_secs(10))
            .http2_keep_alive_timeout(Duration::from_secs(5))
            .http2_keep_alive_while_idle(true)
            .build()
            .map_err(ConfigError::Http)?;
        Ok(Self { http, base })
    }

    /// Checks PIN and card. Every call counts as a try, so do not repeat it on your own.
    pub async fn open_card_session(
        &self,
        request: &CardSessionRequest,
    ) -> Result<CardSession, ClientError> {
        self.post("v1/card-sessions", request).await
    }

    /// Credits a wallet. On any error the order stays open: ask again with the same key and body.
    pub async fn top_up(
        &self,
        intent: &IntentId,
        request: &TopUpRequest,
    ) -> Result<TopUpAnswer, ClientError> {
        let http = self.http.post(self.url("v1/topups")).json(request);
        send(http.header(IDEMPOTENCY_KEY, intent.to_string())).await
    }

    /// Hands over consecutive journal lines, at most [`JournalBatch::LEN_MAX`].
    pub async fn send_journal(&self, records: Vec<Sealed>) -> Result<JournalAck, ClientError> {
        self.post("v1/journal-batches", &JournalBatch { records }).await
    }

    /// What this kiosk goes by, if it is not the one with `etag`.
    pub async fn kiosk_config(
        &self,
        etag: Option<&str>,
    ) -> Result<Fetched<KioskConfig>, ClientError> {
        self.fetch("v1/kiosk-config", etag).await
    }

    /// Cards not to be served, if it is not the list with `etag`.
    pub async fn hotlist(&self, etag: Option<&str>) -> Result<Fetched<Hotlist>, ClientError> {
        self.fetch("v1/hotlist", etag).await
    }

    /// A kiosk's books, audited (operator).
    pub async fn books(&self, kiosk: &KioskId) -> Result<KioskBooks, ClientError> {
        let path = format!("v1/kiosks/{kiosk}/books");
        send(self.http.get(self.url(&path))).await
    }

    /// Blocks, suspends or frees a card (operator).
    pub async fn set_card_status(
        &self,
        number: CardNumber,
        status: CardStatus,
    ) -> Result<(), ClientError> {
        let path = format!("v1/cards/{number}/status");
        let http = self.http.post(self.url(&path));
        send_for(http.json(&CardStatusChange { status })).await.map(drop)
    }

    /// Lets the PIN be tried again (operator).
    pub async fn reset_pin_lock(&self, number: CardNumber) -> Result<(), ClientError> {
        let path = format!("v1/cards/{number}/pin-lock/reset");
        send_for(self.http.post(self.url(&path))).await.map(drop)
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        send(self.http.post(self.url(path)).json(body)).await
    }

    async fn fetch<T: DeserializeOwned>(
        &self,
        path: &str,
        etag: Option<&str>,
    ) -> Result<Fetched<T>, ClientError> {
        let mut http = self.http.get(self.url(path));
        if let Some(etag) = etag {
            http = http.header(IF_NONE_MATCH, etag);
        }
        let answer = send_for(http).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::Unchanged);
        }
        let etag = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
        let etag = etag.map(str::to_owned);
        let value = read(answer).await?;
        Ok(Fetched::New { value, etag })
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }
}

/// TLS to central alone: its own authority, our certificate, no trust in the system's.
fn tls(config: &ClientConfig) -> Result<rustls::ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    for ca in certificates("authority", &config.ca_pem)? {
        roots.add(ca).map_err(ConfigError::Tls)?;
    }
    let chain = certificates("certificate", &config.certificate_pem)?;
    let key = PrivateKeyDer::from_pem_slice(&config.key_pem)
        .map_err(|source| ConfigError::Pem { which: "key", source })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ConfigError::Tls)?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(ConfigError::Tls)
        .map(|mut tls| {
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            tls
        })
}

fn certificates(
    which: &'static str,
    text: &[u8],
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let found = CertificateDer::pem_slice_iter(text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| ConfigError::Pem { which, source })?;
    if found.is_empty() {
        let source = pem::Error::NoItemsFound;
        return Err(ConfigError::Pem { which, source });
    }
    Ok(found)
}

async fn send<T: DeserializeOwned>(http: RequestBuilder) -> Result<T, ClientError> {
    read(send_for(http).await?).await
}

/// Any answer that is no error.
async fn send_for(http: RequestBuilder) -> Result<Response, ClientError> {
    let answer = http.send().await.map_err(|error| away(error.without_url()))?;
    let status = answer.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(answer);
    }
    let problem = read::<Problem>(answer).await;
    match problem {
        // What failed in the middle may be done or not; what was shed at the door is not.
        Ok(problem) if status.is_server_error() => Err(ClientError::Away {
            delivery: match problem.kind.nothing_begun() {
                true => Delivery::Never,
                false => Delivery::Unknown,
            },
            source: Some(problem.to_string().into()),
        }),
        Ok(problem) => Err(ClientError::Refused(problem)),
        Err(ClientError::Garbled { .. }) if status.is_server_error() => Err(ClientError::Away {
            delivery: Delivery::Unknown,
            source: Some(format!("status {}", status.as_u16()).into()),
        }),
        Err(error) => Err(error),
    }
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, ClientError> {
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await.map_err(|error| away(error.without_url()))?;
    serde_json::from_slice(&bytes).map_err(|_| ClientError::Garbled { status })
}

fn away(error: reqwest::Error) -> ClientError {
    let delivery =
        if error.is_connect() || refused_us(&error) { Delivery::Never } else { Delivery::Unknown };
    ClientError::Away { delivery, source: Some(Box::new(error)) }
}

/// TLS 1.3 tells a client that its certificate is not welcome only after the client has begun to
/// speak [RFC 8446 §4.4.2.4]; central reads nothing before that.
fn refused_us(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(rustls::Error::AlertReceived(_)) = inner.and_then(|e| e.downcast_ref()) {
            return true;
        }
        source = cause.source();
    }
    false
}
