//! Contactless cards: a MIFARE Classic 1K as its data sheet (MF1S50yyX) has it, at the level of
//! keys and access conditions (no CRYPTO1), and a processor card such as a bank's.

mod access;
mod classic;

use std::fmt;

pub use classic::{Classic, Nak, Side, ValueOperation};

/// Something to hold against a reader.
#[derive(Clone, PartialEq, Eq)]
pub enum Card {
    /// A MIFARE Classic 1K.
    Classic(Classic),
    /// A card with a processor [ISO 14443-4], of somebody else.
    Processor(Processor),
}

/// A card that speaks APDUs itself and knows none of ours: a bank's, an identity document.
#[derive(Clone, PartialEq, Eq)]
pub struct Processor {
    uid: [u8; 4],
}

impl Card {
    /// A MIFARE Classic 1K with this memory: 64 blocks of 16 bytes, keys included.
    pub fn classic(image: [u8; 1024]) -> Self {
        Self::Classic(Classic::new(image))
    }

    /// A MIFARE Classic 1K as the maker ships it: every key `FFFFFFFFFFFF`.
    pub fn blank(uid: [u8; 4]) -> Self {
        Self::Classic(Classic::blank(uid))
    }

    /// A bank's card. Such cards make up a new UID at every tap; this is the one of this tap.
    pub fn bank(random: [u8; 3]) -> Self {
        let [a, b, c] = random;
        // 08 = the UID is random [ISO 14443-3 §6.5.4].
        Self::Processor(Processor { uid: [0x08, a, b, c] })
    }

    /// Identifier as anticollision finds it.
    pub fn uid(&self) -> [u8; 4] {
        match self {
            Self::Classic(card) => card.uid(),
            Self::Processor(card) => card.uid,
        }
    }

    /// SAK: 08 = Classic 1K, 20 = speaks ISO 14443-4.
    pub fn sak(&self) -> u8 {
        match self {
            Self::Classic(_) => 0x08,
            Self::Processor(_) => 0x20,
        }
    }

    /// ATQA, high byte first.
    pub fn atqa(&self) -> [u8; 2] {
        [0x00, 0x04]
    }

    /// Wakes it, as entering the field or a new selection does: nobody is authenticated.
    pub fn activate(&mut self) {
        match self {
            Self::Classic(card) => card.activate(),
            Self::Processor(_) => {}
        }
    }
}

impl Processor {
    /// Historical bytes of its answer to select.
    pub const HISTORICAL: [u8; 9] = *b"\x80\x31\x80\x65\xB0\x01\x02\x03\x04";

    /// Answers an APDU the way a card without our application does [ISO 7816-4 §5.6].
    pub fn apdu(&self, apdu: &[u8]) -> [u8; 2] {
        match apdu {
            [0x00, 0xA4, ..] => [0x6A, 0x82],
            [0x00 | 0x80, ..] => [0x6D, 0x00],
            _ => [0x6E, 0x00],
        }
    }
}

impl fmt::Debug for Card {
    /// Neither memory nor UID: they lead to a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classic(_) => "Card(MIFARE Classic 1K)",
            Self::Processor(_) => "Card(ISO 14443-4)",
        })
    }
}
