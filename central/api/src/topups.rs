use domain::{Amount, CardRef, Tender, Wall};
use kiosk_records::TopUpRefusal;
use serde::{Deserialize, Serialize};

/// `POST /v1/topups`: the cash is in the kiosk, or the bank card charged; credit the wallet. The
/// header [`IDEMPOTENCY_KEY`](crate::IDEMPOTENCY_KEY) carries the intent: the same key and body
/// bring the same answer for ever, so an order without an answer is asked again with the same key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopUpRequest {
    /// Whose wallet.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::card_ref))]
    pub card_ref: CardRef,
    /// How much.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount_positive))]
    pub amount: Amount,
    /// How it was paid.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Tender))]
    pub tender: Tender,
    /// Central was away when the customer was there: the PIN was not checked.
    pub offline: bool,
    /// When the kiosk ordered it.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Wall))]
    pub ordered_at: Wall,
}

/// What became of it, for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TopUpAnswer {
    /// It is on the wallet (201).
    Accepted {
        /// Central's transfer.
        ledger_ref: String,
        /// On the wallet right after it.
        #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
        balance: Amount,
    },
    /// It is not; the office owes the amount and has written that down (200).
    Refused {
        /// Why.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::TopUpRefusal))]
        reason: TopUpRefusal,
    },
}
