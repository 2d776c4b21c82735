use std::collections::BTreeMap;

use domain::{CardRef, Lang, RechargeRules};
use driver_mifare::CardKeys;
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
    /// Whose signature makes a card genuine. Also the content of a kiosk's `card_keys.json`.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::CardKeys))]
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
