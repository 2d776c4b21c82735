//! Schemas of the words that `domain` and `kiosk-records` lend us: those crates know nothing of
//! OpenAPI, so their JSON is described here, and a test holds the two together.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::schema::{KnownFormat, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Object, ObjectBuilder};

/// Hex text of exactly this many bytes.
fn hex(bytes: usize, description: &str) -> Object {
    text(&format!("^[0-9a-fA-F]{{{}}}$", bytes * 2), description)
}

fn text(pattern: &str, description: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .pattern(Some(pattern))
        .description(Some(description))
        .build()
}

fn integer(min: i64, max: i64, description: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Integer))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(min))
        .maximum(Some(max))
        .description(Some(description))
        .build()
}

pub(crate) fn amount() -> Object {
    integer(0, domain::Amount::MAX.cents(), "Euro cents.")
}

pub(crate) fn amount_positive() -> Object {
    integer(1, domain::Amount::MAX.cents(), "Euro cents, not zero.")
}

pub(crate) fn seq() -> Object {
    integer(0, i64::MAX, "Position in a journal.")
}

pub(crate) fn card_number() -> Object {
    text("^[0-9]{10}$", "Ten digits, the last a Luhn check digit.")
}

pub(crate) fn uid() -> Object {
    hex(4, "The chip's identifier.")
}

pub(crate) fn pin() -> Object {
    text("^[0-9]{4,8}$", "4 to 8 digits.")
}

pub(crate) fn card_ref() -> Object {
    hex(16, "A card's pseudonym.")
}

pub(crate) fn kiosk_id() -> Object {
    text("^[A-Z0-9]{1,16}$", "A kiosk of the network.")
}

pub(crate) fn intent_id() -> Object {
    text("^[A-Z0-9]{1,16}-[1-9][0-9]{0,18}$", "An intent of a kiosk.")
}

fn hash() -> Object {
    hex(32, "SHA-256.")
}

fn body() -> Object {
    text("", "JSON of a record, as it was written.")
}

/// A wall clock reading.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes domain::Wall")]
pub(crate) struct Wall {
    /// Milliseconds since 1970-01-01 UTC.
    utc_ms: i64,
    /// Minutes east of UTC.
    #[schema(minimum = -32768, maximum = 32767)]
    offset_min: i16,
}

/// One line of a wallet's statement.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes domain::WalletMovement")]
pub(crate) struct WalletMovement {
    /// When.
    at: Wall,
    /// What.
    kind: MovementKind,
    /// In cents; negative = out of the wallet.
    cents: i64,
}

/// What moved a wallet.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes domain::MovementKind")]
pub(crate) enum MovementKind {
    CashTopUp,
    CardTopUp,
    OtherTopUp,
    Purchase,
    Refund,
}

/// How a recharge is paid.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes domain::Tender")]
pub(crate) enum Tender {
    Cash,
    Card,
}

/// Limits of a recharge.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes domain::RechargeRules")]
pub(crate) struct RechargeRules {
    /// Smallest recharge in cash.
    #[schema(schema_with = amount)]
    min: i64,
    /// Largest recharge in cash.
    #[schema(schema_with = amount)]
    max: i64,
    /// A wallet never holds more.
    #[schema(schema_with = amount)]
    wallet_max: i64,
    /// Notes a kiosk may take, in cents.
    notes: Vec<i64>,
    /// Recharging by bank card.
    card: CardRules,
    /// While central is away.
    offline: OfflinePolicy,
}

/// Limits of a recharge by bank card.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes domain::CardRules")]
pub(crate) struct CardRules {
    /// Smallest.
    #[schema(schema_with = amount)]
    min: i64,
    /// Largest.
    #[schema(schema_with = amount)]
    max: i64,
    /// What the customer can choose from, in cents, ascending.
    amounts: Vec<i64>,
}

/// What a kiosk may do while central is away.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes domain::OfflinePolicy")]
pub(crate) struct OfflinePolicy {
    /// Most cash of a visit.
    #[schema(schema_with = amount)]
    max_per_visit: i64,
    /// Most cash waiting at one kiosk.
    #[schema(schema_with = amount)]
    max_queued: i64,
    /// The oldest hotlist that may be used, in hours.
    hotlist_age_max_h: u32,
}

/// Why a wallet was not credited.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes kiosk_records::TopUpRefusal")]
pub(crate) enum TopUpRefusal {
    UnknownCard,
    CardNotActive,
    OverWalletMax,
    UnderMin,
}

/// The public keys of the network's cards.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes driver_mifare::CardKeys")]
pub(crate) struct CardKeys {
    /// Which network's.
    network: u16,
    /// Ed25519, 64 hex digits, by key version.
    keys: BTreeMap<String, String>,
}

/// One line of a journal.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes kiosk_records::Sealed")]
pub(crate) struct Sealed {
    /// Place.
    #[schema(schema_with = seq)]
    seq: i64,
    /// Hash of the line before; zeros for the first.
    #[schema(schema_with = hash)]
    prev_hash: String,
    /// SHA-256 over `prev_hash`, `seq` (8 bytes, big-endian) and `body`.
    #[schema(schema_with = hash)]
    hash: String,
    #[schema(schema_with = body)]
    body: String,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::Amount;
    use kiosk_records::{Hash, Seq};
    use serde::Serialize;
    use utoipa::PartialSchema;

    use super::*;

    /// Names of properties: as the schema has them, as serde writes them.
    fn assert_same_properties<S: PartialSchema>(value: &impl Serialize) {
        let schema = serde_json::to_value(S::schema()).unwrap();
        let described: BTreeSet<_> =
            schema["properties"].as_object().unwrap().keys().cloned().collect();
        let json = serde_json::to_value(value).unwrap();
        let written: BTreeSet<_> = json.as_object().unwrap().keys().cloned().collect();
        assert_eq!(described, written);
    }

    /// The words of an enum: as the schema has them, as serde writes them.
    fn assert_same_words<S: PartialSchema>(values: &[impl Serialize]) {
        let schema = serde_json::to_value(S::schema()).unwrap();
        assert_eq!(schema["enum"], serde_json::to_value(values).unwrap());
    }

    #[test]
    fn borrowed_words_are_described_as_they_are_written() {
        use domain::MovementKind::{CardTopUp, CashTopUp, OtherTopUp, Purchase, Refund};
        use domain::Tender::{Card, Cash};
        use kiosk_records::TopUpRefusal::{CardNotActive, OverWalletMax, UnderMin, UnknownCard};

        let at = domain::Wall::default();
        let offline = domain::OfflinePolicy {
            max_per_visit: Amount::euro(50),
            max_queued: Amount::euro(1_000),
            hotlist_age_max_h: 48,
        };
        assert_same_properties::<Wall>(&at);
        assert_same_properties::<OfflinePolicy>(&offline);
        let card = domain::CardRules {
            min: Amount::euro(10),
            max: Amount::euro(150),
            amounts: BTreeSet::from([Amount::euro(10)]),
        };
        assert_same_properties::<CardRules>(&card);
        assert_same_properties::<RechargeRules>(&domain::RechargeRules {
            min: Amount::euro(5),
            max: Amount::euro(150),
            wallet_max: Amount::euro(150),
            notes: domain::NoteSet::default(),
            card,
            offline,
        });
        assert_same_properties::<WalletMovement>(&domain::WalletMovement {
            at,
            kind: CashTopUp,
            cents: 1,
        });
        assert_same_properties::<CardKeys>(&driver_mifare::CardKeys::new(
            driver_mifare::NetworkCode(1),
            BTreeMap::new(),
        ));
        assert_same_properties::<Sealed>(&kiosk_records::Sealed {
            seq: Seq(1),
            prev_hash: Hash::GENESIS,
            hash: Hash::GENESIS,
            body: "{}".into(),
        });
        let kinds = [CashTopUp, CardTopUp, OtherTopUp, Purchase, Refund];
        assert_same_words::<MovementKind>(&kinds);
        assert_same_words::<Tender>(&[Cash, Card]);
        assert_same_words::<TopUpRefusal>(&[UnknownCard, CardNotActive, OverWalletMax, UnderMin]);
    }
}
