use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use driver_api::exchange::{BODY_MAX, NoAnswer, Reply, Request};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, redirect, retry};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::select;
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use crate::line::{CONNECT_TIME_MAX, Line};
use crate::trust::{Trust, TrustError};

/// A device that answers POSTed JSON over TLS, as a line of [`driver_api::exchange`]s. Each
/// request goes out once, on a connection of its own; as many at a time as there are.
#[derive(Clone, Debug)]
pub struct HttpsLine {
    address: String,
    url: String,
    client: Client,
    /// The last request had no answer, and the log says so.
    is_silent: Arc<AtomicBool>,
}

impl HttpsLine {
    /// At `address` (host and port), under `path` (with its slash).
    ///
    /// # Errors
    /// Nothing can be trusted that way: see [`TrustError`].
    pub fn new(address: impl Into<String>, path: &str, trust: &Trust) -> Result<Self, TrustError> {
        let address = address.into();
        let url = format!("https://{}{path}", trust.name());
        let client = Client::builder()
            .tls_backend_preconfigured(trust.tls()?)
            .dns_resolver(Arc::new(At(address.clone())))
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_TIME_MAX)
            .tcp_user_timeout(UNDELIVERED_MAX)
            // Nothing may go out twice, or on a connection that was closed meanwhile.
            .pool_max_idle_per_host(0)
            .retry(retry::never())
            .redirect(redirect::Policy::none())
            .build()
            .map_err(TrustError::Client)?;
        Ok(Self { address, url, client, is_silent: Arc::default() })
    }

    async fn post(self, request: Request) -> Reply {
        let Request { exchange, patience, body } = request;
        let post = self.client.post(&self.url).header(CONTENT_TYPE, "application/json");
        let outcome = match post.timeout(patience).body(body).send().await {
            Ok(response) => self.read(response).await,
            Err(error) => {
                self.complain(&error);
                Err(if error.is_connect() { NoAnswer::NotSent } else { NoAnswer::Lost })
            }
        };
        Reply { exchange, outcome }
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, NoAnswer> {
        let status = response.status();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= BODY_MAX => body.extend(chunk),
                Ok(None) if status.is_success() => {
                    if self.is_silent.swap(false, Ordering::Relaxed) {
                        info!(line = self.address, "answers again");
                    }
                    return Ok(body);
                }
                Ok(_) => {
                    warn!(line = self.address, %status, "no answer, or one without an end");
                    return Err(NoAnswer::Lost);
                }
                Err(error) => {
                    self.complain(&error);
                    return Err(NoAnswer::Lost);
                }
            }
        }
    }

    /// With what lies below: "error sending request" alone helps nobody. Once, until it answers
    /// again: a device that is switched off is asked every few seconds.
    fn complain(&self, error: &reqwest::Error) {
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        let cause = causes.last().map(ToString::to_string).unwrap_or_default();
        if self.is_silent.swap(true, Ordering::Relaxed) {
            debug!(line = self.address, %error, cause, "request without an answer");
        } else {
            warn!(line = self.address, %error, cause, "request without an answer");
        }
    }
}

impl Line for HttpsLine {
    type Stream = DuplexStream;

    /// Always succeeds: whether the device is there shows with each request.
    async fn open(&mut self) -> io::Result<DuplexStream> {
        let (line, ours) = duplex(PIPE);
        tokio::spawn(serve(self.clone(), ours));
        Ok(line)
    }

    fn name(&self) -> String {
        self.address.clone()
    }
}

/// Until the line is dropped; requests under way end with it.
async fn serve(line: HttpsLine, mut pipe: DuplexStream) {
    let mut received = Vec::new();
    let mut posts = JoinSet::new();
    let mut buffer = vec![0; PIPE];
    loop {
        select! {
            read = pipe.read(&mut buffer) => match read {
                Ok(count @ 1..) => {
                    received.extend(&buffer[..count]);
                    while let Some(request) = Request::decode(&mut received) {
                        posts.spawn(line.clone().post(request));
                    }
                }
                Ok(0) | Err(_) => return,
            },
            Some(Ok(reply)) = posts.join_next() => {
                if pipe.write_all(&reply.encode()).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The device is where it is, whatever name it must prove.
struct At(String);

impl Resolve for At {
    fn resolve(&self, _: Name) -> Resolving {
        let address = self.0.clone();
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host(address).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Sent bytes that the device has not acknowledged are given up by the system after that, even if
/// this process is dead: what was ordered cannot arrive later.
const UNDELIVERED_MAX: Duration = Duration::from_secs(10);

const PIPE: usize = 16 * 1024;
