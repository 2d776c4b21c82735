use std::collections::BTreeMap;

use domain::Amount;
use serde::{Deserialize, Serialize};

/// The cash unit notes are stacked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashUnit {
    /// Is it in place?
    pub present: bool,
    /// How far to trust the counts.
    pub accuracy: Accuracy,
    /// Notes by face value.
    #[serde(with = "counts_by_cents")]
    pub counts: BTreeMap<Amount, u32>,
}

/// How far to trust a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accuracy {
    /// Every note was seen going in.
    Accurate,
    /// A jam, a note in doubt, or a note without a value since the last count.
    Inaccurate,
}

impl Default for CashUnit {
    fn default() -> Self {
        Self { present: true, accuracy: Accuracy::Accurate, counts: BTreeMap::new() }
    }
}

impl CashUnit {
    /// More than any box holds; a count above it is a bug.
    pub const CAPACITY: u32 = 10_000;

    pub(super) fn add(&mut self, note: Amount) -> Result<(), &'static str> {
        if self.notes() >= Self::CAPACITY {
            return Err("more notes than a cash box holds (M6)");
        }
        *self.counts.entry(note).or_default() += 1;
        Ok(())
    }

    /// How many notes are in it.
    pub fn notes(&self) -> u32 {
        self.counts.values().sum()
    }

    /// What they are worth.
    pub fn value(&self) -> Amount {
        self.counts
            .iter()
            .flat_map(|(note, count)| std::iter::repeat_n(*note, *count as usize))
            .sum()
    }
}

/// JSON keys are text: the face value in cents.
mod counts_by_cents {
    use std::collections::BTreeMap;

    use domain::Amount;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        counts: &BTreeMap<Amount, u32>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let by_cents: BTreeMap<String, u32> =
            counts.iter().map(|(note, count)| (note.cents().to_string(), *count)).collect();
        by_cents.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Amount, u32>, D::Error> {
        BTreeMap::<String, u32>::deserialize(from)?
            .into_iter()
            .map(|(cents, count)| {
                let cents = cents.parse().map_err(D::Error::custom)?;
                Ok((Amount::from_cents(cents).map_err(D::Error::custom)?, count))
            })
            .collect()
    }
}
