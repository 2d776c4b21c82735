//! The cards of this town's holders, as central makes them, and what people hold to a reader beside
//! them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::CardRefKey;
use driver_mifare::{
    CardKeys, CardMasterKey, Identity, NetworkCode, SectorKeys, Verifier, personalise,
};
use driver_sim::card::Card;
use ed25519_dalek::SigningKey;

use crate::peripherals::card;
use crate::world::HOLDERS;

/// Made once: signing takes longer than a visit.
static CARDS: LazyLock<[Card; HOLDERS]> =
    LazyLock::new(|| std::array::from_fn(|holder| signed_by(&town_key(), holder)));

static COUNTERFEIT: LazyLock<Card> =
    LazyLock::new(|| signed_by(&SigningKey::from_bytes(&[0x66; 32]), 0));

const NETWORK: NetworkCode = NetworkCode(7);

const KEY_VERSION: u8 = 1;

/// Of this holder.
pub fn genuine(holder: usize) -> Card {
    CARDS[holder].clone()
}

/// It says that it is ours, and somebody else signed it.
pub fn counterfeit() -> Card {
    COUNTERFEIT.clone()
}

/// What a kiosk knows of them.
pub fn verifier() -> Verifier {
    let keys = BTreeMap::from([(KEY_VERSION, town_key().verifying_key())]);
    Verifier { keys: CardKeys::new(NETWORK, keys), card_ref_key: CardRefKey([7; 32]) }
}

fn town_key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn signed_by(key: &SigningKey, holder: usize) -> Card {
    let card = card(holder);
    let uid = *card.uid.reveal();
    let identity = Identity {
        network: NETWORK,
        key_version: KEY_VERSION,
        number: *card.number.reveal(),
        issue: 1,
        issued_day: 20_000,
        expires_day: card.expires_day,
    };
    let keys = SectorKeys::of_card(&CardMasterKey([9; 16]), NETWORK, uid);
    let image = personalise(uid, &identity, key, &keys);
    let blocks: Vec<u8> = (0..64).flat_map(|block| *image.block(block)).collect();
    Card::classic(blocks.try_into().expect("64 blocks of 16 bytes"))
}
