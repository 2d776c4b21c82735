use std::collections::BTreeMap;

use domain::Amount;
use kiosk_records::{Account, Posting};
use serde::{Deserialize, Serialize};

/// The accounts of the kiosk, debit positive, in cents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ledger(BTreeMap<Account, i64>);

impl Ledger {
    /// Posts, or says which rule the result would break; then the ledger must not be used.
    pub(super) fn post(&mut self, posting: &Posting) -> Result<(), &'static str> {
        for line in posting.lines() {
            let balance = self.0.entry(line.account).or_default();
            *balance = balance.checked_add(line.cents).ok_or("more money than there is")?;
        }
        let sound = self.0.iter().all(|(account, balance)| in_range(*account, *balance));
        if sound { Ok(()) } else { Err("an account on its wrong side") }
    }

    /// Debit positive, in cents.
    pub fn balance(&self, account: Account) -> i64 {
        self.0.get(&account).copied().unwrap_or_default()
    }

    /// All accounts that ever moved.
    pub fn balances(&self) -> impl Iterator<Item = (Account, i64)> {
        self.0.iter().map(|(account, cents)| (*account, *cents))
    }

    /// Zero, always (M1).
    pub fn total(&self) -> i64 {
        self.0.values().sum()
    }
}

/// Assets are not negative, liabilities not positive; over/short may be either, as may the
/// terminal, which gives back today what it took yesterday.
fn in_range(account: Account, cents: i64) -> bool {
    let limit = Amount::MAX.cents();
    match account {
        Account::Cashbox | Account::Collected => (0..=limit).contains(&cents),
        Account::CustomerCredit
        | Account::TopUpsQueued
        | Account::WalletPayable
        | Account::ClaimsPayable
        | Account::Suspense => (-limit..=0).contains(&cents),
        Account::OverShort | Account::CardTerminal | Account::CardSettled => {
            (-limit..=limit).contains(&cents)
        }
    }
}
