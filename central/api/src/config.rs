use std::collections::BTreeMap;

use domain::{CardRef, Lang, RechargeRules};
use serde::{Deserialize, Serialize};

/// `GET /v1/kiosk-config`: what a kiosk of this municipality goes by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KioskConfig {
    /// Whose kiosk.
    pub municipality: Municipality,
    /// What it may take.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::RechargeRules))]
    pub rules: RechargeRules,
    /// Whose signature makes a card genuine.
    pub card_keys: CardKeys,
    /// The newest hotlist; another one than the kiosk has = fetch it.
    pub hotlist_version: u64,
}

/// A town of the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Municipality {
    /// Short and stable: `vilanova`.
    pub id: String,
    /// Of the town hall, by language (`ca`: `Ajuntament de …`); a language without a name of its
    /// own uses the first.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, String>))]
    pub names: BTreeMap<Lang, String>,
}

impl Municipality {
    /// In this language, or in the first there is.
    pub fn name(&self, lang: Lang) -> &str {
        let name = self.names.get(&lang).or_else(|| self.names.values().next());
        name.map_or(self.id.as_str(), String::as_str)
    }
}

/// Public keys of the cards' signatures by the key version that a card names. Also the content of
/// a kiosk's `card_keys.json`.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, String>))]
pub struct CardKeys(pub BTreeMap<u8, PublicKey>);

/// An Ed25519 public key; 64 hex digits in JSON. Whether it is a point of the curve is for who
/// verifies with it to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(pub [u8; 32]);

impl TryFrom<String> for PublicKey {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key)?;
        Ok(Self(key))
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        hex::encode(key.0)
    }
}

/// `GET /v1/hotlist`: cards that no kiosk may serve while central is away.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hotlist {
    /// Grows with every change.
    pub version: u64,
    /// By pseudonym, ascending.
    pub cards: Vec<HotlistEntry>,
}

/// A card not to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HotlistEntry {
    /// Which.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::card_ref))]
    pub card_ref: CardRef,
    /// Blocked or suspended; a card's expiry stands on the card.
    pub reason: crate::CardStatus,
}
