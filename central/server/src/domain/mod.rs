//! Central's decisions, pure: no database, no clock, no network.

pub(crate) mod audit;
pub(crate) mod card;
pub(crate) mod card_day;
pub(crate) mod pin_guard;
pub(crate) mod top_up;
