//! A bank-card terminal with PIN pad, as it answers a till over ZVT; its customer; and its bank.
//! [`nexo`] is one that speaks nexo Retailer, with the same customers and the same bank.
//!
//! Written from PA00P015 and PA00P016; what they leave open is an [`Options`] field. The money is
//! real here: each charge is booked at the bank or given back, whatever the till was told.

mod bank;
mod fault;
mod firmware;
pub mod nexo;
mod port;
mod visit;
mod wire;
mod work;

use std::time::Duration;

pub use bank::Charge;
pub use fault::{Fault, UnknownFault};
pub use firmware::Firmware;
pub use port::Terminal;

/// How a terminal is built and set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// How it is connected.
    pub transport: Transport,
    /// What it does when its till is gone.
    pub orphan: Orphan,
    /// Speed of people and banks.
    pub pace: Pace,
}

impl Default for Options {
    fn default() -> Self {
        Self { transport: Transport::Tcp, orphan: Orphan::Finishes, pace: Pace::REAL }
    }
}

/// How a terminal is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In the network.
    Tcp,
    /// By a serial line.
    Serial,
}

/// What becomes of a payment whose till hangs up, or does not answer the status information. Makers
/// do either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphan {
    /// It goes on, and the customer pays.
    Finishes,
    /// It stops; what the bank had approved is reversed.
    Undoes,
}

/// Speed of people and banks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// To present a card; to type a PIN.
    pub customer: Duration,
    /// For the bank to answer.
    pub host: Duration,
    /// For the terminal to give up waiting for a card.
    pub patience: Duration,
}

impl Pace {
    /// As in a town hall.
    pub const REAL: Self = Self {
        customer: Duration::from_secs(3),
        host: Duration::from_millis(1500),
        patience: Duration::from_secs(60),
    };
    /// For tests in real time.
    pub const FAST: Self = Self {
        customer: Duration::from_millis(5),
        host: Duration::from_millis(5),
        patience: Duration::from_millis(50),
    };
}

/// Who stands before a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardholder {
    /// Holds the card to the reader; above 50 € types the PIN.
    Contactless,
    /// Inserts it and types the PIN.
    ChipAndPin,
    /// The bank says no.
    Declined,
    /// Three times the wrong PIN.
    WrongPin,
    /// Pulls the card out before the bank is asked.
    RemovesCard,
    /// Presents none.
    WalksOff,
}
