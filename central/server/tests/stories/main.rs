//! Central as kiosks and operators meet it: on a demo town of its own for each story.

#![allow(clippy::unwrap_used, reason = "in tests")]

mod card_days;
mod card_model;
mod card_payments;
mod cards;
mod config;
mod crash;
mod document;
mod input;
mod journal;
mod kiosk;
mod ledger;
mod operator;
mod rig;
mod topups;
mod wire;
