use domain::{Amount, CardNumber, CardRef, Pii, Pin, Uid, Wall, WalletMovement};
use serde::{Deserialize, Serialize};

/// `POST /v1/card-sessions`: a citizen has tapped the card and typed the PIN.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardSessionRequest {
    /// As the card says.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::card_number))]
    pub number: CardNumber,
    /// As the chip says.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::uid))]
    pub uid: Uid,
    /// As typed.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::pin))]
    pub pin: Pin,
    /// The kiosk's wall clock.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Wall))]
    pub at: Wall,
}

/// The PIN was right and the card may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardSession {
    /// The holder's name, shortened for a screen in public: `Ana G.`
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub holder: Pii<String>,
    /// The card number, all but four digits hidden.
    pub card_masked: String,
    /// The pseudonym under which records and top-ups name the card.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::card_ref))]
    pub card_ref: CardRef,
    /// Always [`CardStatus::Active`] for now: any other is refused with a problem of its own.
    pub status: CardStatus,
    /// On the wallet.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::amount))]
    pub balance: Amount,
    /// The last five movements, newest first.
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Vec<crate::schema::WalletMovement>)
    )]
    pub movements: Vec<WalletMovement>,
}

/// What the register says of a card. That it has expired is not said here: the date decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CardStatus {
    /// May be used until its date.
    Active,
    /// Lost, stolen or replaced: for good.
    Blocked,
    /// For now, by the municipality.
    Suspended,
}

impl CardStatus {
    /// The word in the register and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Blocked => "blocked",
            Self::Suspended => "suspended",
        }
    }

    /// By its word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Active, Self::Blocked, Self::Suspended]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// `POST /v1/cards/{number}/status` (operator).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardStatusChange {
    /// From now on.
    pub status: CardStatus,
}
