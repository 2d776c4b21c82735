//! The encryption layer of eSSP [GA138 "Encryption Layer", GA973 §4].
//!
//! 64-bit numbers and ECB: it keeps a bus tap from reading and replaying credits, and no more. The
//! cable counts as inside the safe.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

use crate::frame::{DATA_MAX, crc};

/// First data byte of an encrypted packet.
pub(crate) const STEX: u8 = 0x7E;

const BLOCK: usize = 16;

/// Length, count and CRC beside the data in the encrypted part.
const OVERHEAD: usize = 7;

/// Data bytes that fit into an encrypted packet.
const SEALED_DATA_MAX: usize = (DATA_MAX - 1) / BLOCK * BLOCK - OVERHEAD;

/// A negotiated key and the count of packets under it.
pub(crate) struct Session {
    cipher: Aes128,
    count: u32,
}

impl Session {
    /// The lower half of the key is fixed, the upper negotiated; both little-endian.
    pub(crate) fn new(fixed: u64, negotiated: u64) -> Self {
        let mut key = Zeroizing::new([0; BLOCK]);
        key[..8].copy_from_slice(&fixed.to_le_bytes());
        key[8..].copy_from_slice(&negotiated.to_le_bytes());
        Self { cipher: Aes128::new((&*key).into()), count: 0 }
    }

    /// Encrypts a command and counts it. The packing comes from `noise`.
    pub(crate) fn seal(&mut self, data: &[u8], noise: &mut Noise) -> Vec<u8> {
        assert!(data.len() <= SEALED_DATA_MAX, "commands are short");
        let mut plain = vec![u8::try_from(data.len()).expect("just compared")];
        plain.extend(self.count.to_le_bytes());
        plain.extend(data);
        while !(plain.len() + 2).is_multiple_of(BLOCK) {
            plain.push(noise.byte());
        }
        plain.extend(crc(&plain).to_le_bytes());
        for block in plain.chunks_exact_mut(BLOCK) {
            self.cipher.encrypt_block(block.try_into().expect("chunks are whole blocks"));
        }
        self.count = self.count.wrapping_add(1);
        plain.insert(0, STEX);
        plain
    }

    /// Decrypts the reply to the last command. `None`: not under our key, damaged, or of another
    /// exchange (the reply carries the count after its command).
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (&STEX, body) = sealed.split_first()? else {
            return None;
        };
        if body.is_empty() || !body.len().is_multiple_of(BLOCK) {
            return None;
        }
        let mut plain = body.to_vec();
        for block in plain.chunks_exact_mut(BLOCK) {
            self.cipher.decrypt_block(block.try_into().expect("chunks are whole blocks"));
        }
        let (content, sum) = plain.split_at(plain.len() - 2);
        if crc(content).to_le_bytes() != sum || content[1..5] != self.count.to_le_bytes() {
            return None;
        }
        let data = content.get(5..5 + usize::from(content[0]))?;
        Some(data.to_vec())
    }
}

/// The public numbers of the key exchange. ITL's own code computes in 63 bits, so real units may
/// take no larger ones; the generator must be the larger of the two [GA973 §4.2.1]. The modulus is
/// the largest safe prime below 2^31, the generator 2^31 - 1, which generates the large subgroup.
pub(crate) const GENERATOR: u64 = 0x7FFF_FFFF;
pub(crate) const MODULUS: u64 = 0x7FFF_FFBB;

/// Our half of one key exchange.
pub(crate) struct KeyExchange {
    secret: Zeroizing<u64>,
}

impl KeyExchange {
    pub(crate) fn new(noise: &mut Noise) -> Self {
        // 2..MODULUS-1: neither 0 nor 1, which would give the key away.
        Self { secret: Zeroizing::new(2 + noise.number() % (MODULUS - 3)) }
    }

    /// What the unit gets.
    pub(crate) fn host_half(&self) -> u64 {
        power(GENERATOR, *self.secret, MODULUS)
    }

    /// The key, from what the unit sent.
    pub(crate) fn key(&self, unit_half: u64) -> u64 {
        power(unit_half, *self.secret, MODULUS)
    }
}

/// `base ^ exponent mod modulus`; the modulus is not zero.
fn power(base: u64, exponent: u64, modulus: u64) -> u64 {
    let modulus = u128::from(modulus);
    let mut square = u128::from(base) % modulus;
    let mut result = 1 % modulus;
    for bit in 0..u64::BITS {
        if exponent >> bit & 1 == 1 {
            result = result * square % modulus;
        }
        square = square * square % modulus;
    }
    u64::try_from(result).expect("less than a u64 modulus")
}

/// Unpredictable numbers from a seed that the shell drew: AES in counter mode.
pub(crate) struct Noise {
    cipher: Aes128,
    counter: u128,
    rest: Vec<u8>,
}

impl Noise {
    pub(crate) fn new(seed: &[u8; BLOCK]) -> Self {
        Self { cipher: Aes128::new(seed.into()), counter: 0, rest: Vec::new() }
    }

    fn byte(&mut self) -> u8 {
        if let Some(byte) = self.rest.pop() {
            return byte;
        }
        let mut block = self.counter.to_le_bytes();
        self.counter = self.counter.wrapping_add(1);
        self.cipher.encrypt_block((&mut block).into());
        self.rest.extend(&block[1..]);
        block[0]
    }

    fn number(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIXED: u64 = 0x0123_4567_0123_4567;

    fn noise() -> Noise {
        Noise::new(&[7; 16])
    }

    /// The one-byte example of GA973 §4.2.1.
    #[test]
    fn key_exchange_of_the_guide() {
        assert_eq!(power(0x1D, 0x53, 0x35), 0x2B);
    }

    #[test]
    fn both_sides_find_the_same_key() {
        let mut noise = noise();
        let (host, unit) = (KeyExchange::new(&mut noise), KeyExchange::new(&mut noise));
        assert_ne!(host.host_half(), unit.host_half());
        assert_eq!(host.key(unit.host_half()), unit.key(host.host_half()));
    }

    proptest! {
        #[test]
        fn a_reply_opens_under_its_key_and_its_count_only(
            data in prop::collection::vec(any::<u8>(), 0..=SEALED_DATA_MAX),
            key: u64,
            other: u64,
        ) {
            let mut noise = noise();
            let mut host = Session::new(FIXED, key);
            let mut unit = Session::new(FIXED, key);
            // The unit's reply carries the count after the command.
            host.seal(&[0x07], &mut noise);
            unit.count = 1;
            let reply = unit.seal(&data, &mut noise);
            prop_assert_eq!(host.open(&reply), Some(data));
            host.seal(&[0x07], &mut noise);
            prop_assert_eq!(host.open(&reply), None, "a replay");
            if other != key {
                let mut stranger = Session::new(FIXED, other);
                stranger.count = 1;
                prop_assert_eq!(stranger.open(&reply), None);
            }
        }

        #[test]
        fn any_bytes_are_opened_or_refused(sealed in prop::collection::vec(any::<u8>(), 0..300)) {
            Session::new(FIXED, 1).open(&sealed);
            let mut sealed = sealed;
            sealed.insert(0, STEX);
            Session::new(FIXED, 1).open(&sealed);
        }
    }
}
