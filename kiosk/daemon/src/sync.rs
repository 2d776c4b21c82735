//! Keeps kiosk and central of one mind: settings and hotlist down, the journal up.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use central_api::{Client, ClientError, Fetched, JournalBatch, ProblemKind};
use kiosk_core::{CentralLink, Event};
use kiosk_journal::Reader;
use kiosk_records::Seq;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tracing::{error, info, warn};

use crate::cache::Cache;
use crate::clock;
use crate::core_loop::Input;

/// How often central is asked for news, and so how soon a lost line is noticed.
const EVERY: Duration = Duration::from_secs(5);

/// How often it is looked for while it is away.
const EVERY_AWAY: Duration = Duration::from_secs(1);

/// How often central confirms that the hotlist is still the newest.
const HOTLIST_EVERY_MS: i64 = 60_000;

pub(crate) struct Sync {
    pub(crate) client: Client,
    pub(crate) journal: Reader,
    pub(crate) synced: Seq,
    pub(crate) committed: Arc<Notify>,
    pub(crate) inputs: mpsc::Sender<Input>,
    pub(crate) cache: Cache,
    pub(crate) cache_path: PathBuf,
}

impl Sync {
    /// Until the core is gone.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        self.tell_settings().await?;
        self.tell_hotlist().await?;
        let mut link = None;
        loop {
            let news = self.round().await;
            let now = match &news {
                Ok(()) => CentralLink::There,
                Err(Stop::Away(error)) => {
                    if link != Some(CentralLink::Away) {
                        warn!("central is away: {error}");
                    }
                    CentralLink::Away
                }
                Err(Stop::Ending(error)) => anyhow::bail!("sync: {error:#}"),
            };
            if link.replace(now) != Some(now) && now == CentralLink::There {
                info!("central is there");
            }
            self.tell(Event::CentralLink(now)).await?;
            // Either it is time, or there is something to ship; while central is away only time.
            match now {
                CentralLink::There => {
                    let _ = timeout(EVERY, self.committed.notified()).await;
                }
                CentralLink::Away => tokio::time::sleep(EVERY_AWAY).await,
            }
        }
    }

    async fn round(&mut self) -> Result<(), Stop> {
        self.fetch_config().await?;
        self.fetch_hotlist().await?;
        self.ship().await
    }

    async fn fetch_config(&mut self) -> Result<(), Stop> {
        let fetched = self.client.kiosk_config(self.cache.config_etag.as_deref()).await?;
        if let Fetched::New { value, etag } = fetched {
            self.cache.config = Some(value);
            self.cache.config_etag = etag;
            self.save();
            self.tell_settings().await?;
        }
        Ok(())
    }

    async fn fetch_hotlist(&mut self) -> Result<(), Stop> {
        let wanted = self.cache.config.as_ref().map(|config| config.hotlist_version);
        let held = self.cache.hotlist.as_ref().map(|hotlist| hotlist.version);
        let age_ms = clock::wall().utc_ms - self.cache.hotlist_confirmed_ms;
        if held == wanted && (0..HOTLIST_EVERY_MS).contains(&age_ms) {
            return Ok(());
        }
        let fetched = self.client.hotlist(self.cache.hotlist_etag.as_deref()).await?;
        if let Fetched::New { value, etag } = fetched {
            self.cache.hotlist = Some(value);
            self.cache.hotlist_etag = etag;
        }
        self.cache.hotlist_confirmed_ms = clock::wall().utc_ms;
        self.save();
        self.tell_hotlist().await?;
        Ok(())
    }

    /// Ships what central does not have yet, batch by batch.
    async fn ship(&mut self) -> Result<(), Stop> {
        loop {
            let limit = u32::try_from(JournalBatch::LEN_MAX).expect("500 fits");
            let first = self.synced.next();
            let records = self.journal.from(first, limit).await.map_err(anyhow::Error::from)?;
            let Some(last) = records.last().map(|line| line.seq) else { return Ok(()) };
            match self.client.send_journal(records).await {
                Ok(ack) if ack.acked >= first => {
                    // It may hold more than this batch, when an earlier answer was lost.
                    self.synced = ack.acked.min(last);
                    self.send(Input::Synced(self.synced)).await?;
                }
                Ok(ack) => {
                    error!(acked = ack.acked.0, "central acknowledges less than it was sent");
                    return Ok(());
                }
                Err(ClientError::Refused(problem)) => {
                    error!(
                        problem = problem.kind.slug(),
                        "central does not take the journal from record {first} on: {problem}"
                    );
                    if problem.kind == ProblemKind::JournalGap {
                        self.synced = problem.acked.unwrap_or_default();
                    }
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn tell_settings(&self) -> anyhow::Result<()> {
        match self.cache.settings() {
            Some(settings) => self.tell(Event::Settings(settings)).await,
            None => Ok(()),
        }
    }

    async fn tell_hotlist(&self) -> anyhow::Result<()> {
        match self.cache.hotlist() {
            Some(hotlist) => self.tell(Event::Hotlist(hotlist)).await,
            None => Ok(()),
        }
    }

    async fn tell(&self, event: Event) -> anyhow::Result<()> {
        self.send(Input::Event(event)).await
    }

    async fn send(&self, input: Input) -> anyhow::Result<()> {
        self.inputs.send(input).await.map_err(|_| anyhow::anyhow!("the core is gone"))
    }

    /// Without it the next start asks central again: worth a word, no more.
    fn save(&self) {
        if let Err(error) = self.cache.save(&self.cache_path) {
            warn!(%error, "what central told cannot be kept");
        }
    }
}

/// Why a round ended early.
enum Stop {
    /// Central did not answer.
    Away(ClientError),
    /// The journal cannot be read, or the core is gone.
    Ending(anyhow::Error),
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        Self::Away(error)
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Ending(error)
    }
}
