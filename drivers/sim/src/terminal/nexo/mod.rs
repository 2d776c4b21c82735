//! A bank-card terminal that speaks nexo Retailer in JSON over HTTPS, in the form of Adyen's
//! Terminal API with local communications.
//!
//! Written from Adyen's public documentation of the Terminal API; what it leaves open is an
//! [`Options`] field. Customers, bank and faults are those of the terminal beside it.

mod firmware;
mod http;
mod message;
mod port;
mod seal;

pub use firmware::Firmware;
pub use port::{PATH, Terminal};

use super::{Orphan, Pace};

/// How a terminal is built and set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Model and serial number.
    pub poi_id: String,
    /// Name of the key it shares with its tills.
    pub key_identifier: String,
    /// Version of that key.
    pub key_version: u32,
    /// What that key is made from.
    pub passphrase: String,
    /// What it does when its till hangs up before the answer.
    pub orphan: Orphan,
    /// Speed of people and banks.
    pub pace: Pace,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            poi_id: "V400m-123456789".to_owned(),
            key_identifier: "pause-plus".to_owned(),
            key_version: 1,
            passphrase: "a passphrase for simulated terminals".to_owned(),
            orphan: Orphan::Finishes,
            pace: Pace::REAL,
        }
    }
}

impl Options {
    /// The name in its certificate.
    pub fn name(&self) -> String {
        format!("{}.test.terminal.adyen.com", self.poi_id)
    }
}
