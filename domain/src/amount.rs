use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Serialize};

/// An amount of euro in whole cents, never negative. There is one currency per network, so an
/// amount does not carry it; ADR 0007 says why.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Amount(i64);

/// A number of cents that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{cents} cents is outside 0..={max}", max = Amount::MAX.0)]
pub struct AmountError {
    /// What was offered.
    pub cents: i64,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One hundred million euro: far above any till, far below overflow of a sum.
    pub const MAX: Self = Self(10_000_000_000);

    /// `cents` must be in `0..=MAX`.
    pub const fn from_cents(cents: i64) -> Result<Self, AmountError> {
        if cents < 0 || cents > Self::MAX.0 {
            return Err(AmountError { cents });
        }
        Ok(Self(cents))
    }

    /// Whole euro, for constants and tests; every `u16` fits.
    pub const fn euro(euro: u16) -> Self {
        Self(euro as i64 * 100)
    }

    /// In cents, `0..=MAX`.
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// Is it nothing?
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `None` above [`Amount::MAX`].
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::from_cents(self.0 + other.0).ok()
    }

    /// `None` when `other` is larger.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::from_cents(self.0 - other.0).ok()
    }

    /// The difference, or nothing when `other` is larger.
    pub fn saturating_sub(self, other: Self) -> Self {
        self.checked_sub(other).unwrap_or(Self::ZERO)
    }
}

impl TryFrom<i64> for Amount {
    type Error = AmountError;

    fn try_from(cents: i64) -> Result<Self, AmountError> {
        Self::from_cents(cents)
    }
}

impl From<Amount> for i64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl Sum for Amount {
    /// # Panics
    /// Above [`Amount::MAX`]: a till that holds it does not exist.
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, |sum, amount| {
            sum.checked_add(amount).expect("a sum of amounts stays below Amount::MAX")
        })
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} EUR", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_added_can_be_taken_away(a in 0..=Amount::MAX.0, b in 0..=Amount::MAX.0) {
            let (a, b) = (Amount(a), Amount(b));
            if let Some(sum) = a.checked_add(b) {
                prop_assert_eq!(sum.checked_sub(b), Some(a));
                prop_assert!(sum <= Amount::MAX);
            }
            prop_assert_eq!(a.checked_sub(b).is_some(), a >= b);
        }

        #[test]
        fn json_takes_only_amounts(cents: i64) {
            let read = serde_json::from_str::<Amount>(&cents.to_string()).ok();
            prop_assert_eq!(read, Amount::from_cents(cents).ok());
        }
    }
}
