//! The loop around the core: one input, one decision, its records on disk, then its effects.
//! Nothing else touches the core or writes to the journal.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kiosk_core::{Entry, Event, Kiosk, Now, Step};
use kiosk_journal::Journal;
use kiosk_records::{Body, Seq};
use tokio::select;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, trace};

use crate::clock::{self, Clock};
use crate::executor::Executor;
use crate::fold;
use crate::unkept::Unkept;

/// What reaches the loop.
#[derive(Debug)]
pub(crate) enum Input {
    /// For the core.
    Event(Event),
    /// Central has the journal up to here.
    Synced(Seq),
}

/// Bounded: a flood from one side makes that side wait.
pub(crate) const INPUTS_MAX: usize = 256;

/// The housekeeping of the journal waits for this much quiet.
const QUIET: Duration = Duration::from_millis(500);

/// After so many records the next quiet moment writes a checkpoint.
const CHECKPOINT_RECORDS: u64 = 1_000;

pub(crate) struct CoreLoop {
    pub(crate) kiosk: Kiosk,
    pub(crate) journal: Journal,
    pub(crate) executor: Executor,
    pub(crate) clock: Clock,
    pub(crate) boot: u32,
    /// Told after each commit: there is something to ship to central.
    pub(crate) committed: Arc<Notify>,
    pub(crate) checkpoint: Seq,
    pub(crate) synced: Seq,
}

impl CoreLoop {
    /// The first decision, before any device is opened.
    pub(crate) async fn boot(&mut self) -> anyhow::Result<()> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.handle(Event::Booted { version }).await.map(drop)
    }

    /// Until it is told to stop and everything is safe, or something is broken for good.
    pub(crate) async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        stop: oneshot::Receiver<()>,
    ) -> anyhow::Result<()> {
        let mut stop = pin!(async move {
            if stop.await.is_err() {
                pending::<()>().await;
            }
        });
        let mut stopping = false;
        let mut quiet_since = Some(Instant::now());
        let mut watchdog = Watchdog::new();
        loop {
            let deadline = self.kiosk.poll_timeout();
            let stopped = select! {
                biased;
                () = &mut stop, if !stopping => {
                    stopping = true;
                    self.handle(Event::Stop).await?
                }
                input = inputs.recv() => {
                    quiet_since = Some(Instant::now());
                    self.input(input.context("every sender is gone")?).await?
                }
                () = until(deadline.map(|(at, _)| self.clock.instant(at))) => {
                    self.handle(Event::Timeout).await?
                }
                () = until(quiet_since.map(|since| since + QUIET)) => {
                    quiet_since = None;
                    self.keep_house().await?;
                    false
                }
                () = until(watchdog.next) => {
                    watchdog.pet();
                    false
                }
            };
            if stopped {
                return self.close().await;
            }
        }
    }

    async fn input(&mut self, input: Input) -> anyhow::Result<bool> {
        match input {
            Input::Event(event) => self.handle(event).await,
            Input::Synced(to) => {
                // Central may be sent again what it had once, after it lost some of it.
                if to > self.synced {
                    self.journal.set_synced(to).await?;
                    self.synced = to;
                }
                Ok(false)
            }
        }
    }

    /// One decision; says whether the core has come to rest for good.
    async fn handle(&mut self, event: Event) -> anyhow::Result<bool> {
        let now = self.clock.now();
        trace!(state = self.kiosk.state(), ?event, "input");
        let Step { records, effects } = self.kiosk.handle(now, event);
        if !records.is_empty() {
            let seqs: Vec<Seq> = records.iter().map(|entry| entry.seq).collect();
            for entry in &records {
                debug!(seq = entry.seq.0, kind = entry.record.kind(), "record");
            }
            let bodies = bodies(records, now, self.boot);
            let sealed = self.journal.append(bodies).await.context("the journal")?;
            assert!(
                sealed.iter().map(|line| line.seq).eq(seqs),
                "core and journal number differently"
            );
            self.committed.notify_one();
        }
        self.executor.run(effects, self.journal.tail().0)
    }

    async fn keep_house(&mut self) -> anyhow::Result<()> {
        if self.journal.tail().0.0 - self.checkpoint.0 >= CHECKPOINT_RECORDS {
            self.save_checkpoint().await?;
        }
        self.journal.idle().await?;
        // The reserve carried the visit to its end. The next one waits, with a message on the
        // screen, until there is room again.
        if self.journal.is_disk_low() && self.kiosk.books().visit().is_none() {
            return Err(Unkept::DiskLow.into());
        }
        Ok(())
    }

    async fn save_checkpoint(&mut self) -> anyhow::Result<()> {
        let at = self.kiosk.books().seq();
        if at > self.checkpoint {
            self.journal.save_checkpoint(at, fold::encode(self.kiosk.books())).await?;
            self.checkpoint = at;
        }
        Ok(())
    }

    async fn close(mut self) -> anyhow::Result<()> {
        self.save_checkpoint().await?;
        self.journal.close().await?;
        info!("everything is safe");
        Ok(())
    }
}

/// The records of one decision as the journal keeps them.
pub(crate) fn bodies(records: Vec<Entry>, now: Now, boot: u32) -> Vec<Body> {
    let body = |entry: Entry| Body {
        schema: Body::SCHEMA,
        boot,
        mono_ms: now.mono.0,
        wall_ms: now.wall.utc_ms,
        clock_trust: clock::trust(),
        business_date: now.wall.business_date(),
        session: entry.visit,
        record: entry.record,
    };
    records.into_iter().map(body).collect()
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// Tells systemd that core and journal still turn; silent when systemd did not ask.
struct Watchdog {
    every: Duration,
    next: Option<Instant>,
}

impl Watchdog {
    fn new() -> Self {
        // Twice as often as asked for, as sd_watchdog_enabled(3) advises.
        let every = sd_notify::watchdog_enabled().map(|asked| asked / 2);
        Self { every: every.unwrap_or_default(), next: every.map(|_| Instant::now()) }
    }

    fn pet(&mut self) {
        self.next = Some(Instant::now() + self.every);
        if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]) {
            debug!(%error, "systemd does not hear");
        }
    }
}
