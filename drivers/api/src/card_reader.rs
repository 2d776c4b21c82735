//! Contactless card readers. The driver reads and verifies the whole card; the core sees only
//! what it needs to know.

use domain::{CardNumber, CardRef, Pii, Uid};

use crate::Fault;

/// What the core may ask of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Read the next card that is presented (also the one on the reader now).
    Arm,
    /// Report no card: nobody can be served.
    Disarm,
}

/// What a reader reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A reader is there and works.
    Ready,
    /// A genuine card of this network: its signature verified under a known key.
    Presented(Card),
    /// Something was presented that is not, or not wholly, such a card.
    Unreadable(CardProblem),
    /// The field is empty again.
    Removed,
    /// It cannot go on.
    Fault(Fault),
    /// No reader.
    LinkLost,
}

/// A genuine card. It says who is claimed, not that the holder is here: that is the PIN's part,
/// and a copy of a card passes too, which central looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Printed number.
    pub number: Pii<CardNumber>,
    /// Chip.
    pub uid: Pii<Uid>,
    /// Its pseudonym.
    pub card_ref: CardRef,
    /// Last day of validity, as days since 1970-01-01.
    pub expires_day: u16,
}

/// Why a card was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CardProblem {
    /// Left the field too early, or answered garbage: try again.
    Torn,
    /// A card, but none of this network.
    Foreign,
    /// Says it is ours, but its signature does not verify.
    NotGenuine,
    /// Two cards in the field.
    Several,
}
