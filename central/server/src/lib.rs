//! central, the PAUSE+ server: cards, PINs, accounts in double entry, journals of the fleet. It is
//! the independent auditor of the kiosks: it shares their words, never their code.
//!
//! - `http/`: the API, one file per resource;
//! - `domain/`: decisions, pure;
//! - `db/`: SQLite, one writer that shares its commits;
//! - [`demo`]: a town to try it all in.

mod caller;
mod clock;
pub mod config;
mod db;
pub mod demo;
mod domain;
mod http;
mod keys;
mod metrics;
mod pins;
mod serve;
mod tls;

use std::path::Path;
use std::sync::Arc;

use ::domain::{CardNumber, CardRef, CardRefKey, RechargeRules};
pub use caller::{Caller, CallerError};
use central_api::Municipality;
pub use clock::Clock;
use config::{Config, PinPolicy};
pub use db::OpenError;
use driver_mifare::CardKeys;
use kiosk_records::KioskId;
use tokio::task::JoinHandle;

use crate::db::Db;
use crate::db::incidents::{Incident, report};
use crate::domain::pin_guard::PinGuard;
use crate::http::Fail;
use crate::http::limit::Limiter;
use crate::http::topups::InFlight;
use crate::metrics::Metrics;
use crate::pins::Pins;

/// The service: everything a request needs.
pub struct Central {
    tenant: String,
    municipality: Municipality,
    rules: Arc<RechargeRules>,
    card_ref_key: CardRefKey,
    card_keys: CardKeys,
    pin_policy: PinPolicy,
    pins: Pins,
    db: Db,
    clock: Clock,
    limiter: Limiter,
    in_flight: InFlight,
    metrics: Metrics,
}

/// Central cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A key file.
    #[error("keys")]
    Keys(#[from] keys::KeyError),
    /// PIN hashing.
    #[error("PIN hashing")]
    Pins(#[from] pins::PinsError),
    /// The database.
    #[error("database")]
    Database(#[from] OpenError),
    /// The first statements.
    #[error("database")]
    Sqlite(#[from] sqlx::Error),
    /// Certificates.
    #[error("TLS")]
    Tls(#[from] tls::TlsError),
    /// The time zone.
    #[error("time_zone")]
    TimeZone(#[source] jiff::Error),
    /// A socket.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A running part ended that must not.
    #[error("{0} ended")]
    Ended(&'static str),
    /// Serving failed.
    #[error("serving")]
    Serve(#[source] std::io::Error),
}

impl Central {
    /// Opens keys and database. The second value ends when the writer does: that is the end of the
    /// service.
    pub async fn open(
        config: &Config,
        clock: Clock,
    ) -> Result<(Arc<Self>, JoinHandle<()>), StartError> {
        let keys = config.keys.serving()?;
        let (db, writer) = Db::open(&config.server.database).await?;
        let central = Arc::new(Self {
            tenant: config.municipality.id.clone(),
            municipality: config.municipality.clone(),
            rules: Arc::new(config.recharge.clone()),
            card_ref_key: keys.card_ref,
            card_keys: keys.card_keys,
            pin_policy: config.pin.policy,
            pins: Pins::new(keys.pepper, config.pin.hash)?,
            db,
            clock,
            limiter: Limiter::new(&config.limits),
            in_flight: InFlight::default(),
            metrics: Metrics::new(),
        });
        central.settle_in().await?;
        Ok((central, writer))
    }

    /// The API for kiosks and operators, without TLS. Whoever calls it must come with a
    /// `ConnectInfo<Caller>`.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        http::router(Arc::clone(self))
    }

    /// Health and metrics.
    pub fn ops_router(self: &Arc<Self>) -> axum::Router {
        http::ops_router(Arc::clone(self))
    }

    /// The office has seen the holder: the PIN may be tried again. `false` = there is no such card.
    pub async fn unlock_pin_of(&self, number: CardNumber) -> Result<bool, sqlx::Error> {
        match db::cards::by_number(&self.db.readers, &self.tenant, number).await? {
            None => Ok(false),
            Some(card_ref) => self.unlock_pin(card_ref).await.map(|()| true),
        }
    }

    pub(crate) async fn unlock_pin(&self, card_ref: CardRef) -> Result<(), sqlx::Error> {
        let (tenant, now_ms) = (self.tenant.clone(), self.clock.now().utc_ms);
        let stored = self.db.writer.write(move |db| {
            Box::pin(async move {
                let fresh = PinGuard::default();
                db::pin_guards::store(db, &tenant, card_ref, fresh, now_ms).await
            })
        });
        stored.await
    }

    /// Writes an incident down, in a transaction of its own, and says so.
    pub(crate) async fn report(
        &self,
        kiosk: &KioskId,
        incident: Incident,
        subject: String,
        detail: String,
    ) -> Result<(), Fail> {
        let (tenant, now_ms) = (self.tenant.clone(), self.clock.now().utc_ms);
        tracing::error!(%kiosk, kind = incident.as_str(), subject, detail, "incident");
        self.metrics.incident(incident);
        let kiosk = kiosk.to_string();
        let written = self.db.writer.write(move |db| {
            Box::pin(async move {
                report(db, &tenant, incident, &kiosk, &subject, &detail, now_ms).await
            })
        });
        written.await.map_err(|error: sqlx::Error| error.into())
    }

    /// What a start brings up to date.
    async fn settle_in(&self) -> Result<(), sqlx::Error> {
        let (tenant, max) = (self.tenant.clone(), self.rules.wallet_max);
        let forget_before_ms = self.clock.now().utc_ms.saturating_sub(GUARD_KEPT_MS);
        let settled = self.db.writer.write(move |db| {
            Box::pin(async move {
                db::ledger::set_wallet_max(db, &tenant, max).await?;
                db::pin_guards::forget_unknown(db, &tenant, forget_before_ms).await
            })
        });
        settled.await
    }
}

/// Guards of cards that do not exist are kept for 30 days.
const GUARD_KEPT_MS: i64 = 30 * 86_400_000;

/// Everything in the books that may not be, each as a sentence. Empty = they are sound. Only reads,
/// also beside a running server.
pub async fn audit(database: &Path) -> Result<Vec<String>, sqlx::Error> {
    let mut read = db::connect_to_read(database).await?;
    db::faults::find(&mut read).await
}

/// The OpenAPI document of the API, as checked in.
pub fn openapi_json() -> String {
    let document = http::document().to_pretty_json();
    let document = document.expect("an OpenAPI document has string keys only");
    format!("{document}\n")
}

pub use serve::serve;
