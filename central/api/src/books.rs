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
    /// Central's own: wallets credited for what this kiosk took, in cash or by bank card.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
    pub wallet_credits: Amount,
    /// Central's own: refused top-ups, owed by the office; less what is back on bank cards.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
    pub claims: Amount,
    /// Top-ups answered by central, the answer not yet in the journal that central has.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
    pub in_transit: Amount,
    /// What came in by bank card.
    pub card: CardBooks,
    /// Of what the kiosk does not know where it is, oldest first; at most
    /// [`DOUBTS_MAX`](Self::DOUBTS_MAX).
    pub in_doubt: Vec<Doubt>,
    /// Where the two do not agree. Empty = they agree.
    pub differences: Vec<Difference>,
}

impl KioskBooks {
    /// Most doubts that are listed.
    pub const DOUBTS_MAX: u32 = 100;
}

/// Bank cards at a kiosk's terminal, in central's own books.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardBooks {
    /// On wallets.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
    pub credited: Amount,
    /// Not on wallets and not yet back on the bank card: owed by the office.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
    pub claims: Amount,
    /// Back on the bank card.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
    pub given_back: Amount,
    /// Charged, says the journal, and central was asked for no top-up yet: it is on its way, or the
    /// customer holds a claim. In cents.
    pub undelivered_cents: i64,
    /// The clearing account: taken, less given back, and not closed by an end of day. Below zero
    /// when more went back, or when a payment was closed before its top-up was asked for.
    pub open_cents: i64,
    /// Closed by ends of day: with the acquirer, on its way to the town's bank.
    pub settled_cents: i64,
    /// How often the terminal was told to close since it last did.
    pub not_closed: u32,
    /// Ends of day, newest first; at most [`DAYS_MAX`](Self::DAYS_MAX).
    pub days: Vec<CardDay>,
}

impl CardBooks {
    /// Most ends of day that are listed: a month.
    pub const DAYS_MAX: u32 = 31;
}

/// An end of day of a kiosk's terminal: since the one before, payments less reversals, as three say
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardDay {
    /// The journal's line.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::seq))]
    pub seq: Seq,
    /// The kiosk's date when it was closed, `2026-11-21`.
    pub date: String,
    /// What the terminal says.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
    pub terminal: Amount,
    /// The terminal's transactions, where it tells them.
    pub terminal_count: Option<u32>,
    /// What central counts in the journal, in cents.
    pub counted_cents: i64,
    /// Payments it counted.
    pub payments: u32,
    /// Reversals it counted.
    pub reversals: u32,
    /// What the kiosk posted, in cents.
    pub posted_cents: i64,
    /// All say the same. If not, the incident `card_day_mismatch` names the operations.
    pub agrees: bool,
}

/// An order of a kiosk of which nobody knows yet what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Doubt {
    /// Which.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::intent_id))]
    pub intent: IntentId,
    /// What was ordered.
    pub what: Doubted,
    /// About how much, in cents.
    pub cents: i64,
    /// The customer holds a claim for it.
    pub claimed: bool,
}

/// What can be in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Doubted {
    /// A note on its way into the cash box.
    Note,
    /// A payment by bank card.
    Payment,
    /// A payment on its way back to the bank card.
    Reversal,
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
    /// The journal delivers a bank-card payment that does not fit the top-up, or not it alone.
    Payment {
        /// The top-up.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::intent_id))]
        intent: IntentId,
        /// The payment it names.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::intent_id))]
        payment: IntentId,
        /// What it ordered, in cents.
        ordered_cents: i64,
        /// What the payment took, in cents; 0 = it was not approved.
        paid_cents: i64,
    },
    /// The journal gave a payment back that central did not owe, or not so.
    Reversal {
        /// Which.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::intent_id))]
        intent: IntentId,
        /// What the journal says, in cents.
        journal_cents: i64,
        /// What central booked for it, in cents; 0 = nothing.
        central_cents: i64,
    },
    /// What the terminal took and did not close, by journal and by central, is not the same sum.
    CardTerminal {
        /// What the journal says, in cents.
        journal_cents: i64,
        /// What central says, with what is in transit, in cents.
        central_cents: i64,
    },
    /// What ends of day closed, by journal and by central, is not the same sum.
    CardSettled {
        /// What the journal says, in cents.
        journal_cents: i64,
        /// What central says, in cents.
        central_cents: i64,
    },
    /// The postings of all accounts do not sum to zero.
    Unbalanced {
        /// Debits less credits, in cents.
        off_cents: i64,
    },
}
