//! Books that cannot be kept: the kiosk serves nobody, says so on its screen and to whoever looks
//! after it, and tries again until that person has mended it. Meanwhile no device is spoken to,
//! so that none reports what could not be written down, and not a byte of the journal is changed.

use std::time::Duration;

use anyhow::Context as _;
use kiosk_core::Books;
use kiosk_journal::{Journal, OpenError, Opened, RESERVE_BYTES};
use sd_notify::NotifyState;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tracing::{error, info, warn};
use ui_proto::{OutReason, Prefs, Screen, ToUi, View};

use crate::config::Config;
use crate::{fold, ui_link};

/// Why the books cannot be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unkept {
    /// The journal is damaged, lost, another kiosk's, or its disk does not let us write.
    #[error("the journal cannot be opened")]
    Journal(#[source] OpenError),
    /// Every record is whole, but they do not follow from each other.
    #[error("the records do not make books")]
    Records(#[source] anyhow::Error),
    /// There is no room to write a visit to its end.
    #[error("the disk is nearly full")]
    DiskLow,
}

impl Unkept {
    /// What it is, and who must do what; docs/ops/damaged-journal.md has the steps.
    pub fn in_words(self) -> String {
        let remedy = self.remedy();
        format!("{:#}; {remedy}", anyhow::Error::new(self))
    }

    fn remedy(&self) -> String {
        match self {
            Self::Journal(OpenError::Io(_) | OpenError::Sqlite(_)) => {
                "technician: look at the disk: is it full, mounted read-only, broken, \
                 and does the data directory belong to kioskd?"
                    .to_owned()
            }
            Self::Journal(OpenError::OtherKiosk { .. } | OpenError::Layout { .. }) => {
                "technician: this journal is not for this kiosk's configuration and version; \
                 change those, never the journal"
                    .to_owned()
            }
            Self::Journal(OpenError::InUse) => {
                "technician: another kioskd runs on this journal; stop one of them".to_owned()
            }
            Self::DiskLow => format!(
                "technician: make room on the disk, at least {} MiB",
                2 * RESERVE_BYTES / (1 << 20)
            ),
            Self::Journal(_) | Self::Records(_) => {
                "technician: copy the whole data directory, change nothing in it, run \
                 `kioskd audit`, and follow docs/ops/damaged-journal.md"
                    .to_owned()
            }
        }
    }
}

/// The journal and its books, however long that takes.
///
/// # Errors
/// Another kioskd has them, or the screen cannot be reached either.
pub(crate) async fn open(config: &Config) -> anyhow::Result<(Opened, Books)> {
    let why = match try_open(config).await {
        Ok(opened) => return Ok(opened),
        // Its screen is in the hands of the other one, too.
        Err(why @ Unkept::Journal(OpenError::InUse)) => return Err(why.into()),
        Err(why) => why,
    };
    let (screen, views) = watch::channel(Some(out_of_service(config)));
    let (inputs, _nobody_acts_on_it) = mpsc::channel(1);
    let listener = ui_link::bind(&config.ui.socket).context("the screen's socket")?;
    let opened = tokio::select! {
        ended = ui_link::serve(listener, views, inputs) => {
            ended?;
            anyhow::bail!("nobody serves the screen");
        }
        opened = keep_trying(config, why) => opened,
    };
    drop(screen);
    info!("the books can be kept again");
    Ok(opened)
}

async fn keep_trying(config: &Config, mut why: Unkept) -> (Opened, Books) {
    let mut told = String::new();
    loop {
        let status = format!("out of service: {}", why.in_words());
        if status != told {
            error!("{status}");
            told.clone_from(&status);
        }
        // Ready, or systemd would end the one who keeps the message on the screen.
        notify(&[NotifyState::Ready, NotifyState::Watchdog, NotifyState::Status(&status)]);
        sleep(TRY_AGAIN).await;
        match try_open(config).await {
            Ok(opened) => {
                notify(&[NotifyState::Status("")]);
                return opened;
            }
            Err(still) => why = still,
        }
    }
}

async fn try_open(config: &Config) -> Result<(Opened, Books), Unkept> {
    let made = std::fs::create_dir_all(&config.kiosk.data_dir);
    made.map_err(|error| Unkept::Journal(OpenError::Io(error)))?;
    let opened = Journal::open(&config.journal_path(), &config.kiosk.id).await;
    let opened = opened.map_err(Unkept::Journal)?;
    let reader = opened.journal.reader();
    let books = match fold::books(&reader, opened.checkpoint.as_ref(), &opened.since).await {
        Ok(_) if opened.journal.is_disk_low() => Err(Unkept::DiskLow),
        books => books.map_err(Unkept::Records),
    };
    match books {
        Ok(books) => Ok((opened, books)),
        Err(why) => {
            // Closed before the next try, which would find its lock taken.
            if let Err(error) = opened.journal.close().await {
                warn!(%error, "the journal does not close in order");
            }
            Err(why)
        }
    }
}

fn out_of_service(config: &Config) -> ToUi {
    let view = View {
        lang: config.kiosk.language,
        prefs: Prefs::default(),
        ends_in_s: None,
        screen: Screen::OutOfService { reason: OutReason::Books },
    };
    ToUi { seq: 0, view }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "systemd does not hear");
    }
}

/// Often enough for the watchdog of the unit (20 s), and for whoever has just mended it.
const TRY_AGAIN: Duration = Duration::from_secs(5);
