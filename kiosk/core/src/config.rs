use domain::{Lang, RechargeRules};
use kiosk_records::KioskId;

use crate::Timing;

/// What this kiosk is and how long it waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its name: part of every idempotency key.
    pub kiosk: KioskId,
    /// On receipts.
    pub municipality: String,
    /// Where people go with a claim; one line on receipts.
    pub office: String,
    /// Of the attract screen.
    pub lang: Lang,
    /// Whoever the terminal's money comes through; on receipts.
    pub acquirer: Option<String>,
    /// Is there a bank-card terminal?
    pub has_terminal: bool,
    /// Deadlines.
    pub timing: Timing,
    /// Until central gives others ([`crate::Event::Settings`]).
    pub rules: RechargeRules,
}
