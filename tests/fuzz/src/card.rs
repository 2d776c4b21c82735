//! A card that answers what it likes. The one card that was ever signed is known, so whatever is
//! taken for genuine must be that one.

use std::collections::BTreeMap;

use domain::{CardNumber, CardRefKey, Uid};
use driver_mifare::{
    CardImage, CardKeys, CardMasterKey, Identity, NetworkCode, Next, ReaderDialect, Reading,
    SectorKeys, Verifier, personalise,
};
use ed25519_dalek::SigningKey;

use crate::pieces::Pieces;

const READERS: [&str; 4] = ["ACS ACR1252U", "ACS ACR1281", "OMNIKEY 5022", "uTrust 3700"];
const NETWORK: NetworkCode = NetworkCode(7);
const VERSION: u8 = 1;

/// The first piece chooses the reader; each is one response of the card. Was it genuine?
pub fn run(input: &[u8]) -> bool {
    let Some((reader, _)) = Pieces(input).next() else { return false };
    let dialect = ReaderDialect::of(READERS[usize::from(reader) % READERS.len()]);
    let mut reading = Reading::begin(dialect, reader >= 128);
    for (_, response) in Pieces(input).skip(1) {
        assert!(!reading.question().is_empty());
        match reading.answer(response) {
            Next::Ask(next) => reading = next,
            Next::Done(Ok(raw)) => {
                let Ok(card) = verifier().judge(&raw) else { return false };
                assert_eq!(*card.number.reveal(), identity().number, "a forgery passed");
                assert_eq!(*card.uid.reveal(), uid(), "a signature passed on another chip");
                return true;
            }
            Next::Done(Err(_)) => return false,
        }
    }
    false
}

/// The answers of the signed card to everything that is asked, as an input of [`run`].
pub fn genuine() -> Vec<u8> {
    let image = image();
    let mut input = vec![0, 0];
    let mut reading = Reading::begin(ReaderDialect::of(READERS[0]), false);
    loop {
        let question = reading.question();
        let mut response = match question[1] {
            0xCA => uid().0.to_vec(),
            0xB0 => image.block(question[3]).to_vec(),
            _ => Vec::new(),
        };
        response.extend([0x90, 0x00]);
        input.push(0);
        input.extend(u8::try_from(response.len()));
        input.extend(&response);
        match reading.answer(&response) {
            Next::Ask(next) => reading = next,
            Next::Done(_) => return input,
        }
    }
}

fn image() -> CardImage {
    let keys = SectorKeys::of_card(&CardMasterKey([3; 16]), NETWORK, uid());
    personalise(uid(), &identity(), &signing_key(), &keys)
}

fn verifier() -> Verifier {
    let keys = BTreeMap::from([(VERSION, signing_key().verifying_key())]);
    Verifier { keys: CardKeys::new(NETWORK, keys), card_ref_key: CardRefKey([5; 32]) }
}

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn uid() -> Uid {
    Uid([4, 3, 2, 1])
}

fn identity() -> Identity {
    Identity {
        network: NETWORK,
        key_version: VERSION,
        number: CardNumber::from_serial(42).expect("a serial number in range"),
        issue: 1,
        issued_day: 20_000,
        expires_day: 30_000,
    }
}
