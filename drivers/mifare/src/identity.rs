use std::collections::BTreeMap;
use std::fmt;

use domain::{CardNumber, Uid};
use driver_api::card_reader::CardProblem;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// Which network of cards (a city, a metropolitan area) a card belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetworkCode(pub u16);

/// What a citizen card says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The network that issued it.
    pub network: NetworkCode,
    /// Which of the network's signing keys signed it.
    pub key_version: u8,
    /// The number printed on it.
    pub number: CardNumber,
    /// 1 for the first card of an account; a replacement counts up.
    pub issue: u8,
    /// Days since 1970-01-01.
    pub issued_day: u16,
    /// Last day of validity, as days since 1970-01-01.
    pub expires_day: u16,
}

/// What a kiosk reads of a card: the identity block and the signature over it.
#[derive(Clone, PartialEq, Eq)]
pub struct CardData {
    /// Block 4.
    pub identity: [u8; 16],
    /// Blocks 5, 6, 8 and 9: Ed25519 over tag, UID and block 4.
    pub signature: [u8; 64],
}

impl fmt::Debug for CardData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardData(***)")
    }
}

impl Identity {
    /// The identity block and its signature for the card with this chip. Central alone signs.
    pub fn sign(&self, uid: Uid, key: &SigningKey) -> CardData {
        let identity = self.encode();
        CardData { identity, signature: key.sign(&message(uid, &identity)).to_bytes() }
    }

    fn encode(&self) -> [u8; 16] {
        let mut block = [0; 16];
        block[0] = FORMAT;
        block[1] = self.key_version;
        block[2..4].copy_from_slice(&self.network.0.to_le_bytes());
        block[4..8].copy_from_slice(&self.number.serial().to_le_bytes());
        block[8] = self.issue;
        block[9..11].copy_from_slice(&self.issued_day.to_le_bytes());
        block[11..13].copy_from_slice(&self.expires_day.to_le_bytes());
        block
    }

    fn decode(block: &[u8; 16]) -> Option<Self> {
        let u16_at = |at: usize| u16::from_le_bytes([block[at], block[at + 1]]);
        let serial = u32::from_le_bytes([block[4], block[5], block[6], block[7]]);
        if block[0] != FORMAT {
            return None;
        }
        Some(Self {
            network: NetworkCode(u16_at(2)),
            key_version: block[1],
            number: CardNumber::from_serial(serial).ok()?,
            issue: block[8],
            issued_day: u16_at(9),
            expires_day: u16_at(11),
        })
    }
}

/// The public keys of one network, by key version: all a kiosk needs to tell a genuine card. As
/// JSON: `{"network": 7, "keys": {"1": "<64 hex digits>"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CardKeysFile", into = "CardKeysFile")]
pub struct CardKeys {
    network: NetworkCode,
    keys: BTreeMap<u8, VerifyingKey>,
}

/// The file of card keys holds something that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("card key version {version} is not an Ed25519 public key of 64 hex digits")]
pub struct CardKeysError {
    /// Of the first bad key.
    pub version: u8,
}

impl CardKeys {
    /// The keys of this network.
    pub fn new(network: NetworkCode, keys: BTreeMap<u8, VerifyingKey>) -> Self {
        Self { network, keys }
    }

    /// Whose keys these are.
    pub fn network(&self) -> NetworkCode {
        self.network
    }

    /// Is this a card of ours, on the chip it was made for?
    ///
    /// # Errors
    /// [`CardProblem::Foreign`] for another format or network: that town's cards are as good as
    /// ours, only not here. [`CardProblem::NotGenuine`] for a card that claims our network without
    /// a signature of ours: edited, moved to another chip, or signed by a key this kiosk has not
    /// been given.
    pub fn verify(&self, uid: Uid, data: &CardData) -> Result<Identity, CardProblem> {
        let identity = Identity::decode(&data.identity).ok_or(CardProblem::Foreign)?;
        if identity.network != self.network {
            return Err(CardProblem::Foreign);
        }
        let key = self.keys.get(&identity.key_version).ok_or(CardProblem::NotGenuine)?;
        let signature = Signature::from_bytes(&data.signature);
        key.verify_strict(&message(uid, &data.identity), &signature)
            .map_err(|_| CardProblem::NotGenuine)?;
        Ok(identity)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CardKeysFile {
    network: NetworkCode,
    keys: BTreeMap<u8, String>,
}

impl TryFrom<CardKeysFile> for CardKeys {
    type Error = CardKeysError;

    fn try_from(file: CardKeysFile) -> Result<Self, CardKeysError> {
        let keys = file
            .keys
            .into_iter()
            .map(|(version, text)| {
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| CardKeysError { version })?;
                let key =
                    VerifyingKey::from_bytes(&bytes).map_err(|_| CardKeysError { version })?;
                Ok((version, key))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self::new(file.network, keys))
    }
}

impl From<CardKeys> for CardKeysFile {
    fn from(keys: CardKeys) -> Self {
        Self {
            network: keys.network,
            keys: keys
                .keys
                .into_iter()
                .map(|(version, key)| (version, hex::encode(key.as_bytes())))
                .collect(),
        }
    }
}

/// Of the identity block.
const FORMAT: u8 = 1;

/// Keeps a signature over a card from being one over anything else that the same key signs.
const DOMAIN: &[u8; 18] = b"pauseplus card v1\0";

fn message(uid: Uid, identity: &[u8; 16]) -> [u8; 38] {
    let mut message = [0; 38];
    message[..18].copy_from_slice(DOMAIN);
    message[18..22].copy_from_slice(&uid.0);
    message[22..].copy_from_slice(identity);
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UID: Uid = Uid([0xDE, 0xAD, 0xBE, 0xEF]);

    fn town() -> (SigningKey, CardKeys) {
        let key = SigningKey::from_bytes(&[1; 32]);
        let keys = BTreeMap::from([(3, key.verifying_key())]);
        (key, CardKeys::new(NetworkCode(7), keys))
    }

    fn identity() -> Identity {
        Identity {
            network: NetworkCode(7),
            key_version: 3,
            number: CardNumber::from_serial(123_456_789).unwrap(),
            issue: 1,
            issued_day: 20_000,
            expires_day: 23_650,
        }
    }

    #[test]
    fn a_genuine_card_is_read() {
        let (key, keys) = town();
        let data = identity().sign(UID, &key);
        assert_eq!(keys.verify(UID, &data), Ok(identity()));
    }

    #[test]
    fn the_same_blocks_on_another_chip_are_not_genuine() {
        let (key, keys) = town();
        let data = identity().sign(UID, &key);
        let other = Uid([0xDE, 0xAD, 0xBE, 0xEE]);
        assert_eq!(keys.verify(other, &data), Err(CardProblem::NotGenuine));
    }

    #[test]
    fn another_town_is_foreign_and_our_town_under_its_key_a_forgery() {
        let (_, keys) = town();
        let other_key = SigningKey::from_bytes(&[2; 32]);
        let theirs = Identity { network: NetworkCode(8), ..identity() };
        assert_eq!(keys.verify(UID, &theirs.sign(UID, &other_key)), Err(CardProblem::Foreign));
        assert_eq!(
            keys.verify(UID, &identity().sign(UID, &other_key)),
            Err(CardProblem::NotGenuine)
        );
    }

    #[test]
    fn a_key_version_this_kiosk_lacks_is_not_genuine() {
        let (key, keys) = town();
        let newer = Identity { key_version: 4, ..identity() };
        assert_eq!(keys.verify(UID, &newer.sign(UID, &key)), Err(CardProblem::NotGenuine));
    }

    #[test]
    fn the_key_file_reads_back_and_a_bad_key_is_named() {
        let (_, keys) = town();
        let json = serde_json::to_string(&keys).unwrap();
        assert_eq!(serde_json::from_str::<CardKeys>(&json).unwrap(), keys);
        let error = serde_json::from_str::<CardKeys>(r#"{"network": 7, "keys": {"9": "00"}}"#)
            .unwrap_err()
            .to_string();
        assert!(error.contains("card key version 9"), "{error}");
    }

    proptest! {
        #[test]
        fn one_changed_bit_is_never_accepted(bit in 0usize..(80 * 8)) {
            let (key, keys) = town();
            let mut data = identity().sign(UID, &key);
            match bit / 8 {
                byte @ 0..16 => data.identity[byte] ^= 1 << (bit % 8),
                byte => data.signature[byte - 16] ^= 1 << (bit % 8),
            }
            prop_assert!(keys.verify(UID, &data).is_err());
        }

        #[test]
        fn garbage_is_refused(identity: [u8; 16], signature: [u8; 64], uid: [u8; 4]) {
            let (_, keys) = town();
            let verdict = keys.verify(Uid(uid), &CardData { identity, signature });
            prop_assert!(verdict.is_err());
        }
    }
}
