use std::fmt;

use domain::Uid;
use ed25519_dalek::SigningKey;

use crate::access::{AccessBits, KeySide};
use crate::diversify::{SectorKey, SectorKeys};
use crate::identity::{CardData, Identity};
use crate::mad::{self, Aid, Directory};

/// Reads the directory of any MIFARE card [AN10787 §3.1]. Public.
pub const MAD_READ_KEY: [u8; 6] = [0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5];
/// Key A of our sectors 1 and 2. Public on purpose: what they hold is signed, not secret.
pub const READ_KEY: [u8; 6] = *b"PAUSE+";
/// Both keys of a card as the maker ships it.
pub const TRANSPORT_KEY: [u8; 6] = [0xFF; 6];

/// Who the card says it is.
pub const IDENTITY_BLOCK: u8 = 4;
/// The signature, 16 bytes in each, in this order.
pub const SIGNATURE_BLOCKS: [u8; 4] = [5, 6, 8, 9];

/// The 64 blocks of a card as they are in its memory: what the chip would show to no reader (keys)
/// included.
#[derive(Clone, PartialEq, Eq)]
pub struct CardImage(pub [u8; 1024]);

impl fmt::Debug for CardImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardImage(***)")
    }
}

impl CardImage {
    /// A card as the maker ships it, empty and open.
    pub fn blank(uid: Uid) -> Self {
        let mut image = Self([0; 1024]);
        image.set_block(0, &manufacturer_block(uid));
        let open = SectorKey(TRANSPORT_KEY);
        for sector in 0..16 {
            image.set_trailer(sector, &open, AccessBits::TRANSPORT, 0x69, &open);
        }
        image
    }

    /// The chip's identifier, from block 0.
    pub fn uid(&self) -> Uid {
        Uid([self.0[0], self.0[1], self.0[2], self.0[3]])
    }

    /// One block of 16 bytes, 0..=63.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn block(&self, number: u8) -> &[u8; 16] {
        let (blocks, _) = self.0.as_chunks::<16>();
        &blocks[usize::from(number)]
    }

    /// Replaces one block, 0..=63.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn set_block(&mut self, number: u8, block: &[u8; 16]) {
        let (blocks, _) = self.0.as_chunks_mut::<16>();
        blocks[usize::from(number)] = *block;
    }

    /// What a kiosk would read of it.
    pub fn card_data(&self) -> CardData {
        let mut signature = [0; 64];
        let (quarters, _) = signature.as_chunks_mut::<16>();
        for (quarter, number) in quarters.iter_mut().zip(SIGNATURE_BLOCKS) {
            *quarter = *self.block(number);
        }
        CardData { identity: *self.block(IDENTITY_BLOCK), signature }
    }

    fn set_trailer(
        &mut self,
        sector: u8,
        a: &SectorKey,
        access: AccessBits,
        general_purpose: u8,
        b: &SectorKey,
    ) {
        let mut trailer = [0; 16];
        trailer[..6].copy_from_slice(&a.0);
        trailer[6..9].copy_from_slice(&access.encode());
        trailer[9] = general_purpose;
        trailer[10..].copy_from_slice(&b.0);
        self.set_block(sector * 4 + 3, &trailer);
    }
}

/// A whole citizen card: directory, signed identity, and keys that leave nothing open. Central
/// alone makes one.
pub fn personalise(
    uid: Uid,
    identity: &Identity,
    signing: &SigningKey,
    keys: &SectorKeys,
) -> CardImage {
    let mut image = CardImage::blank(uid);
    let [first, second] = directory().encode();
    image.set_block(1, &first);
    image.set_block(2, &second);

    let data = identity.sign(uid, signing);
    image.set_block(IDENTITY_BLOCK, &data.identity);
    let (quarters, _) = data.signature.as_chunks::<16>();
    for (quarter, number) in quarters.iter().zip(SIGNATURE_BLOCKS) {
        image.set_block(number, quarter);
    }

    for sector in 0u8..16 {
        let key = |side| keys.key(usize::from(sector), side).clone();
        let (a, general_purpose) = match sector {
            0 => (SectorKey(MAD_READ_KEY), mad::GENERAL_PURPOSE),
            1 | 2 => (SectorKey(READ_KEY), 0),
            _ => (key(KeySide::A), 0),
        };
        let access = AccessBits::WRITTEN_BY_B;
        image.set_trailer(sector, &a, access, general_purpose, &key(KeySide::B));
    }
    image
}

fn directory() -> Directory {
    let mut applications = [Aid::FREE; 15];
    applications[0] = Aid::IDENTITY;
    applications[1] = Aid::SIGNATURE;
    Directory { publisher: 1, applications }
}

/// UID, its check byte, SAK and ATQA of a 1K card, and eight bytes of the maker's own.
fn manufacturer_block(uid: Uid) -> [u8; 16] {
    let [a, b, c, d] = uid.0;
    let mut block = [0; 16];
    block[..8].copy_from_slice(&[a, b, c, d, a ^ b ^ c ^ d, 0x08, 0x04, 0x00]);
    block[8..].copy_from_slice(b"virtual\0");
    block
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::CardNumber;

    use super::*;
    use crate::{CardKeys, CardMasterKey, NetworkCode};

    const UID: Uid = Uid([0xDE, 0xAD, 0xBE, 0xEF]);

    fn card() -> (CardImage, CardKeys, Identity) {
        let network = NetworkCode(7);
        let signing = SigningKey::from_bytes(&[1; 32]);
        let keys = SectorKeys::of_card(&CardMasterKey([9; 16]), network, UID);
        let identity = Identity {
            network,
            key_version: 1,
            number: CardNumber::from_serial(42).unwrap(),
            issue: 1,
            issued_day: 20_000,
            expires_day: 23_650,
        };
        let image = personalise(UID, &identity, &signing, &keys);
        let card_keys = CardKeys::new(network, BTreeMap::from([(1, signing.verifying_key())]));
        (image, card_keys, identity)
    }

    #[test]
    fn a_personalised_card_verifies_on_its_own_chip() {
        let (image, keys, identity) = card();
        assert_eq!(keys.verify(image.uid(), &image.card_data()), Ok(identity));
    }

    #[test]
    fn no_sector_is_left_open() {
        let (image, _, _) = card();
        for sector in 0u8..16 {
            let trailer = image.block(sector * 4 + 3);
            assert!(trailer[..6] != TRANSPORT_KEY && trailer[10..] != TRANSPORT_KEY);
            let access = AccessBits::decode([trailer[6], trailer[7], trailer[8]]).unwrap();
            assert_eq!(access, AccessBits::WRITTEN_BY_B);
        }
    }

    #[test]
    fn the_directory_names_our_sectors() {
        let (image, _, _) = card();
        let directory = Directory::decode([*image.block(1), *image.block(2)]).unwrap();
        assert_eq!(directory.application(1), Aid::IDENTITY);
        assert_eq!(directory.application(2), Aid::SIGNATURE);
        assert_eq!(directory.application(3), Aid::FREE);
    }

    #[test]
    fn a_blank_card_is_foreign() {
        let (_, keys, _) = card();
        let blank = CardImage::blank(UID);
        assert!(keys.verify(UID, &blank.card_data()).is_err());
    }
}
