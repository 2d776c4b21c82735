//! The screen of the kiosk. It paints the last [`ui_proto::View`] and hands out the customer's
//! [`ui_proto::Action`]s; it decides nothing and may restart at any moment.

pub mod backend;
mod config;
pub mod fixtures;
pub mod fonts;
pub mod items;
mod keys;
pub mod link;
pub mod remote;
mod screens;
mod ui;

pub use config::{Config, ConfigError, Help, Panel, contrast};
pub use ui::{Sheet, ThemeValues, Ui};

/// What the Slint compiler makes of `ui/`.
#[allow(unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used)]
#[allow(clippy::wildcard_enum_match_arm, clippy::dbg_macro, clippy::todo, missing_docs)]
mod generated {
    slint::include_modules!();
}
