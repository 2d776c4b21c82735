use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Personal data, or what leads to a person. `Debug` and `Display` print `***`, so that it cannot
/// reach a log by accident; [`Pii::reveal`] is the one way to it and easy to search for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Wraps.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself: for the citizen's own screen, for central, for a check. Never for a log.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The PIN of a card account: 4 to 8 digits. Wiped from memory when dropped, never printed.
/// It is checked by central alone.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Pin(String);

/// The text is no PIN. Says nothing about the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a PIN is 4 to 8 digits")]
pub struct PinError;

impl Pin {
    /// Fewest digits.
    pub const LEN_MIN: usize = 4;
    /// Most digits.
    pub const LEN_MAX: usize = 8;

    /// The digits, for central alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Pin {
    type Error = PinError;

    fn try_from(mut digits: String) -> Result<Self, PinError> {
        let long_enough = (Self::LEN_MIN..=Self::LEN_MAX).contains(&digits.len());
        if long_enough && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(digits));
        }
        digits.zeroize();
        Err(PinError)
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_not_printed() {
        assert_eq!(format!("{:?} {}", Pii::new("Ana"), Pii::new(7)), "*** ***");
        let pin = Pin::try_from("271828".to_owned()).unwrap();
        assert_eq!(format!("{pin:?}"), "***");
    }

    #[test]
    fn a_pin_is_four_to_eight_digits() {
        for bad in ["", "123", "123456789", "12a4", "１２３４"] {
            assert_eq!(Pin::try_from(bad.to_owned()), Err(PinError), "{bad}");
        }
    }
}
