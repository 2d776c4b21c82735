//! What a municipality lets a kiosk do with a wallet. Every number is its configuration.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Amount, Wall};

/// Notes by their value, in euro cents.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoteSet(pub BTreeSet<Amount>);

impl NoteSet {
    /// Of these values.
    pub fn of(values: impl IntoIterator<Item = Amount>) -> Self {
        Self(values.into_iter().collect())
    }

    /// Is a note of this value in it?
    pub fn contains(&self, value: Amount) -> bool {
        self.0.contains(&value)
    }
}

/// How a recharge is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tender {
    /// In notes.
    Cash,
    /// By bank card, at the kiosk's terminal.
    Card,
}

/// Limits of a recharge at a kiosk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RechargeRules {
    /// Smallest recharge in cash.
    pub min: Amount,
    /// Largest recharge in cash.
    pub max: Amount,
    /// A wallet never holds more.
    pub wallet_max: Amount,
    /// Notes a kiosk may take.
    pub notes: NoteSet,
    /// Recharging by bank card.
    pub card: CardRules,
    /// What a kiosk may do while central is away.
    pub offline: OfflinePolicy,
}

/// Limits of a recharge by bank card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardRules {
    /// Smallest.
    pub min: Amount,
    /// Largest.
    pub max: Amount,
    /// What the customer can choose from.
    pub amounts: BTreeSet<Amount>,
}

/// What a kiosk may do while central is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfflinePolicy {
    /// Most cash a visit may recharge unseen by central; zero = nothing.
    pub max_per_visit: Amount,
    /// Most cash that may wait for central at one kiosk.
    pub max_queued: Amount,
    /// The hotlist must not be older than this, in hours.
    pub hotlist_age_max_h: u32,
}

/// Why a note or a recharge cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RechargeRefusal {
    /// A note of this value is not taken here.
    NoteNotTaken,
    /// More than may be recharged in cash at once.
    OverMax,
    /// The wallet would hold more than its maximum.
    OverWalletMax,
    /// More than may be recharged while central is away.
    OverOfflineMax,
    /// Less than the smallest recharge.
    UnderMin,
}

impl RechargeRules {
    /// May a note of `value` join what this visit has `inserted`, on a wallet of `balance`
    /// (`None` = central is away, the balance is not known)?
    pub fn check_note(
        &self,
        value: Amount,
        inserted: Amount,
        balance: Option<Amount>,
    ) -> Result<(), RechargeRefusal> {
        if !self.notes.contains(value) {
            return Err(RechargeRefusal::NoteNotTaken);
        }
        let (limit, refusal) = match balance {
            Some(balance) => {
                (self.wallet_max.saturating_sub(balance), RechargeRefusal::OverWalletMax)
            }
            None => (self.offline.max_per_visit, RechargeRefusal::OverOfflineMax),
        };
        match inserted.checked_add(value) {
            Some(sum) if sum > limit => Err(refusal),
            Some(sum) if sum <= self.max => Ok(()),
            Some(_) | None => Err(RechargeRefusal::OverMax),
        }
    }

    /// The notes that still fit.
    pub fn fitting(&self, inserted: Amount, balance: Option<Amount>) -> NoteSet {
        let fits = |note: &Amount| self.check_note(*note, inserted, balance).is_ok();
        NoteSet(self.notes.0.iter().copied().filter(fits).collect())
    }

    /// The amounts that can be recharged by bank card on a wallet of `balance`, ascending.
    pub fn card_amounts(&self, balance: Amount) -> Vec<Amount> {
        let room = self.wallet_max.saturating_sub(balance).min(self.card.max);
        let fits = |amount: &Amount| (self.card.min..=room).contains(amount);
        self.card.amounts.iter().copied().filter(fits).collect()
    }

    /// Smallest recharge by this way of paying.
    pub const fn min_by(&self, tender: Tender) -> Amount {
        match tender {
            Tender::Cash => self.min,
            Tender::Card => self.card.min,
        }
    }
}

/// One line of a wallet's statement, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletMovement {
    /// When.
    pub at: Wall,
    /// What.
    pub kind: MovementKind,
    /// In cents; negative = out of the wallet.
    pub cents: i64,
}

/// What moved a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Recharged at a kiosk with cash.
    CashTopUp,
    /// Recharged at a kiosk by bank card.
    CardTopUp,
    /// Recharged elsewhere: web, office, shop.
    OtherTopUp,
    /// Paid for a municipal service.
    Purchase,
    /// Given back.
    Refund,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules() -> RechargeRules {
        RechargeRules {
            min: Amount::euro(5),
            max: Amount::euro(100),
            wallet_max: Amount::euro(150),
            notes: NoteSet::of([5, 10, 20, 50].map(Amount::euro)),
            card: CardRules {
                min: Amount::euro(10),
                max: Amount::euro(100),
                amounts: [5, 10, 20, 50, 100, 150].map(Amount::euro).into(),
            },
            offline: OfflinePolicy {
                max_per_visit: Amount::euro(50),
                max_queued: Amount::euro(1_000),
                hotlist_age_max_h: 48,
            },
        }
    }

    proptest! {
        #[test]
        fn no_accepted_note_passes_the_maximum(
            value in 0u16..200, inserted in 0u16..200, balance in proptest::option::of(0u16..200),
        ) {
            let (value, inserted) = (Amount::euro(value), Amount::euro(inserted));
            let balance = balance.map(Amount::euro);
            let rules = rules();
            let fits = rules.check_note(value, inserted, balance).is_ok();
            prop_assert_eq!(fits, rules.fitting(inserted, balance).contains(value));
            if fits {
                let after = value.cents() + inserted.cents() + balance.map_or(0, Amount::cents);
                let max = match balance {
                    Some(_) => rules.wallet_max,
                    None => rules.offline.max_per_visit,
                };
                prop_assert!(after <= max.cents());
                prop_assert!(value.cents() + inserted.cents() <= rules.max.cents());
            }
        }

        #[test]
        fn a_card_amount_is_within_its_limits_and_the_wallets(balance in 0u16..200) {
            let rules = rules();
            for amount in rules.card_amounts(Amount::euro(balance)) {
                prop_assert!((rules.card.min..=rules.card.max).contains(&amount));
                let after = amount.checked_add(Amount::euro(balance)).unwrap();
                prop_assert!(after <= rules.wallet_max);
            }
        }
    }
}
