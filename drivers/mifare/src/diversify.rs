use std::fmt;

use aes::Aes128;
use cmac::{Cmac, KeyInit, Mac};
use domain::Uid;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::access::KeySide;
use crate::identity::NetworkCode;

/// One 6-byte key of one sector.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SectorKey(pub [u8; 6]);

impl fmt::Debug for SectorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SectorKey(***)")
    }
}

/// The network's card master key. Central alone holds it; whoever has it can write every card.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct CardMasterKey(pub [u8; 16]);

impl fmt::Debug for CardMasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardMasterKey(***)")
    }
}

/// All keys of one card that nobody may know: a broken card gives away only its own.
#[derive(Clone, Debug)]
pub struct SectorKeys([[SectorKey; 2]; 16]);

impl SectorKeys {
    /// The keys of the card with this chip. Central alone computes them.
    pub fn of_card(master: &CardMasterKey, network: NetworkCode, uid: Uid) -> Self {
        Self(std::array::from_fn(|sector| {
            let sector = u8::try_from(sector).expect("a card has 16 sectors");
            [b'A', b'B'].map(|side| sector_key(master, network, uid, sector, side))
        }))
    }

    /// The key of a sector (0..=15).
    ///
    /// # Panics
    /// If there is no such sector.
    pub fn key(&self, sector: usize, side: KeySide) -> &SectorKey {
        let [a, b] = &self.0[sector];
        match side {
            KeySide::A => a,
            KeySide::B => b,
        }
    }
}

fn sector_key(
    master: &CardMasterKey,
    network: NetworkCode,
    uid: Uid,
    sector: u8,
    side: u8,
) -> SectorKey {
    let mut input = [0; DIVERSIFICATION_LEN];
    input[..4].copy_from_slice(&uid.0);
    input[4] = sector;
    input[5] = side;
    input[6..8].copy_from_slice(&network.0.to_le_bytes());
    input[8..].copy_from_slice(b"pauseplus");
    let mut full = diversify_aes128(master, &input);
    // A Classic key is the first six bytes of the diversified AES key, as usual in the field.
    let mut key = [0; 6];
    key.copy_from_slice(&full[..6]);
    full.zeroize();
    SectorKey(key)
}

/// Between 16 and 31 bytes, the scheme below is CMAC and nothing else; shorter inputs would be
/// padded to two blocks in NXP's own way [AN10922 §2.2].
const DIVERSIFICATION_LEN: usize = 17;

fn diversify_aes128(master: &CardMasterKey, input: &[u8; DIVERSIFICATION_LEN]) -> [u8; 16] {
    let mut mac = Cmac::<Aes128>::new(&master.0.into());
    mac.update(&[0x01]);
    mac.update(input);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AN10922 §2.2.1: UID 04782E21801D80, AID 3042F5, system id "NXP Abu".
    #[test]
    fn the_sample_of_nxp() {
        let master = CardMasterKey(hex_array("00112233445566778899AABBCCDDEEFF"));
        let input = hex_array("04782E21801D803042F54E585020416275");
        assert_eq!(
            diversify_aes128(&master, &input),
            hex_array("A8DD63A3B89D54B37CA802473FDA9175")
        );
    }

    #[test]
    fn every_key_of_every_card_is_another() {
        let master = CardMasterKey([7; 16]);
        let mut keys: Vec<[u8; 6]> = Vec::new();
        for (network, uid) in [(1, [1, 2, 3, 4]), (1, [1, 2, 3, 5]), (2, [1, 2, 3, 4])] {
            let card = SectorKeys::of_card(&master, NetworkCode(network), Uid(uid));
            for sector in 0..16 {
                keys.push(card.key(sector, KeySide::A).0);
                keys.push(card.key(sector, KeySide::B).0);
            }
        }
        let total = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), total);
        assert!(!keys.contains(&[0xFF; 6]));
    }

    fn hex_array<const N: usize>(text: &str) -> [u8; N] {
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes).unwrap();
        bytes
    }
}
