use std::collections::BTreeMap;

use domain::Amount;
use kiosk_records::{Account, IntentId, KioskId, Seq};
use serde::{Deserialize, Serialize};

/// `GET /v1/kiosks/{id}/books` (operator): a kiosk's books as central audits them from its journal,
/// beside central's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KioskBooks {
    /// Whose.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::kiosk_id))]
    pub kiosk: KioskId,
    /// The last journal line central has; 0 = none.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::seq))]
    pub last_seq: Seq,
    /// The journal's postings summed by account, debit positive, in cents. An account that was
    /// never posted to is missing.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, i64>))]
    pub accounts: BTreeMap<Account, i64>,
    /// Central's own: wallets credited for this kiosk's cash.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
    pub wallet_credits: Amount,
    /// Central's own: refused top-ups, owed by the office.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
    pub claims: Amount,
    /// Of both: answered by central, the answer not yet in the journal that central has.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
    pub in_transit: Amount,
    /// Where the two do not agree. Empty = they agree.
    pub differences: Vec<Difference>,
}

/// A disagreement between a kiosk's journal and central. Each is for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Difference {
    /// The journal says central accepted or refused this top-up; central did not, or not so.
    TopUp {
        /// Which.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::intent_id))]
        intent: IntentId,
        /// What the journal says, in cents.
        journal_cents: i64,
        /// What central says, in cents; 0 = nothing.
        central_cents: i64,
    },
    /// An account's running total is not the sum of its postings.
    RunningTotal {
        /// Which.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        account: Account,
        /// The running total, in cents.
        running_cents: i64,
        /// The sum of the postings, in cents.
        postings_cents: i64,
    },
    /// Wallets credited, by journal and by central, are not the same sum.
    WalletCredits {
        /// What the journal says, in cents.
        journal_cents: i64,
        /// What central says, less what is in transit, in cents.
        central_cents: i64,
    },
    /// The postings of all accounts do not sum to zero.
    Unbalanced {
        /// Debits less credits, in cents.
        off_cents: i64,
    },
}
