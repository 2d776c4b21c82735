//! What kiosk and central say to each other: JSON over HTTP, under `/v1`, by mutual TLS. Errors
//! are RFC 9457 problems ([`Problem`]) whose `type` is stable ([`ProblemKind`]).
//!
//! The types are here; the client ([`Client`], feature `client`) is the one kioskd uses; central
//! checks its OpenAPI document (feature `openapi`) against its own code.

#![warn(missing_docs)]

mod books;
mod cards;
#[cfg(feature = "client")]
mod client;
mod config;
mod journal;
mod problem;
#[cfg(feature = "openapi")]
mod schema;
mod topups;

pub use books::{CardBooks, CardDay, Difference, Doubt, Doubted, KioskBooks};
pub use cards::{CardSession, CardSessionRequest, CardStatus, CardStatusChange};
#[cfg(feature = "client")]
pub use client::{Client, ClientConfig, ClientError, ConfigError, Delivery, Fetched};
pub use config::{Hotlist, HotlistEntry, KioskConfig, Municipality};
pub use journal::{JournalAck, JournalBatch};
pub use problem::{Problem, ProblemKind};
pub use topups::{TopUpAnswer, TopUpRequest};

/// The header that carries the idempotency key of a top-up: an `IntentId` as text.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
