//! The slave's side of SSP's packets and of its encryption layer, written from GA138 alone.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

const STX: u8 = 0x7F;
const STEX: u8 = 0x7E;

/// A command as it came: sequence flag and data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) flag: bool,
    pub(super) data: Vec<u8>,
}

/// Collects the bytes of commands to one address.
#[derive(Debug)]
pub(super) struct Receiver {
    address: u8,
    /// Everything since the last lone start byte, stuffing removed; empty before the first.
    packet: Vec<u8>,
    last_was_stx: bool,
}

impl Receiver {
    pub(super) fn new(address: u8) -> Self {
        Self { address, packet: Vec::new(), last_was_stx: false }
    }

    /// A whole and undamaged command to us, with its last byte. The slave says nothing to others.
    pub(super) fn byte(&mut self, byte: u8) -> Option<Command> {
        match (self.last_was_stx, byte) {
            (false, STX) => {
                self.last_was_stx = true;
                return None;
            }
            (true, STX) => self.last_was_stx = false,
            // A lone start byte: whatever was received so far is discarded.
            (true, _) => {
                self.last_was_stx = false;
                self.packet = vec![STX];
            }
            (false, _) => {}
        }
        if self.packet.is_empty() {
            return None;
        }
        self.packet.push(byte);
        let [_, head, length, ..] = self.packet[..] else {
            return None;
        };
        let end = 3 + usize::from(length);
        if self.packet.len() < end + 2 {
            return None;
        }
        let packet = std::mem::take(&mut self.packet);
        let sum = [packet[end], packet[end + 1]];
        let is_ours = head & 0x7F == self.address && checksum(&packet[1..end]) == sum;
        is_ours.then(|| Command { flag: head & 0x80 != 0, data: packet[3..end].to_vec() })
    }
}

/// The bytes of a reply.
pub(super) fn reply(address: u8, flag: bool, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len()).expect("the firmware's replies fit a packet");
    let mut body = vec![if flag { address | 0x80 } else { address }, length];
    body.extend_from_slice(data);
    let sum = checksum(&body);
    body.extend(sum);
    let stuffed = body
        .into_iter()
        .flat_map(|byte| std::iter::repeat_n(byte, if byte == STX { 2 } else { 1 }));
    std::iter::once(STX).chain(stuffed).collect()
}

/// CRC low byte, high byte: x^16 + x^15 + x^2 + 1, forward, seed 0xFFFF.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut crc = 0xFFFF_u16;
    for byte in bytes {
        for bit in (0..8).rev() {
            let feedback = (crc >> 15) ^ u16::from(byte >> bit & 1);
            crc <<= 1;
            if feedback == 1 {
                crc ^= 0x8005;
            }
        }
    }
    crc.to_le_bytes()
}

/// What became of an encrypted command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// Understood.
    Data(Vec<u8>),
    /// Right key, wrong count: dropped without a reply.
    Discarded,
    /// Not under this key.
    WrongKey,
}

/// The slave's key and its count of encrypted packets.
pub(super) struct Cipher {
    aes: Aes128,
    count: u32,
    packing: u8,
}

impl Cipher {
    pub(super) fn new(fixed: u64, negotiated: u64) -> Self {
        let key = u128::from(negotiated) << 64 | u128::from(fixed);
        Self { aes: Aes128::new(&key.to_le_bytes().into()), count: 0, packing: 0 }
    }

    pub(super) fn open(&mut self, sealed: &[u8]) -> Opened {
        let mut plain = sealed.to_vec();
        for block in plain.chunks_mut(16) {
            match block.try_into() {
                Ok(block) => self.aes.decrypt_block(block),
                Err(_) => return Opened::WrongKey,
            }
        }
        let [length, c0, c1, c2, c3, ref rest @ ..] = plain[..] else {
            return Opened::WrongKey;
        };
        let end = plain.len() - 2;
        let data = rest.get(..usize::from(length));
        let (true, Some(data)) = (checksum(&plain[..end]) == plain[end..], data) else {
            return Opened::WrongKey;
        };
        if u32::from_le_bytes([c0, c1, c2, c3]) != self.count {
            return Opened::Discarded;
        }
        self.count = self.count.wrapping_add(1);
        Opened::Data(data.to_vec())
    }

    /// The reply carries the count after its command, and does not count itself: so does ITL's
    /// own host code expect it.
    pub(super) fn seal(&mut self, data: &[u8]) -> Vec<u8> {
        let mut plain = vec![u8::try_from(data.len()).expect("the firmware's replies are short")];
        plain.extend(self.count.to_le_bytes());
        plain.extend(data);
        while plain.len() % 16 != 14 {
            self.packing = self.packing.wrapping_mul(73).wrapping_add(41);
            plain.push(self.packing);
        }
        let sum = checksum(&plain);
        plain.extend(sum);
        for block in plain.chunks_mut(16) {
            let block = block.try_into().expect("packed to whole blocks just now");
            self.aes.encrypt_block(block);
        }
        plain.insert(0, STEX);
        plain
    }

    pub(super) fn is_sealed(data: &[u8]) -> bool {
        data.first() == Some(&STEX)
    }
}

/// `base ^ exponent mod modulus`.
pub(super) fn power(base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let (mut base, modulus) = (u128::from(base) % u128::from(modulus), u128::from(modulus));
    let mut product = 1 % modulus;
    while exponent > 0 {
        if exponent & 1 == 1 {
            product = product * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    u64::try_from(product).expect("below the modulus")
}

/// Miller and Rabin with the bases that decide every 64-bit number.
pub(super) fn is_prime(number: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if number < 2 || BASES.iter().any(|base| number != *base && number.is_multiple_of(*base)) {
        return false;
    }
    let twos = (number - 1).trailing_zeros();
    let odd = (number - 1) >> twos;
    BASES.iter().filter(|base| **base != number).all(|base| {
        let mut power = power(*base, odd, number);
        if power == 1 || power == number - 1 {
            return true;
        }
        (1..twos).any(|_| {
            power = self::power(power, 2, number);
            power == number - 1
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_the_manual() {
        let mut receiver = Receiver::new(0);
        let sync = [0x7F, 0x80, 0x01, 0x11, 0x65, 0x82];
        let heard: Vec<Command> = sync.iter().filter_map(|it| receiver.byte(*it)).collect();
        assert_eq!(heard, [Command { flag: true, data: vec![0x11] }]);
        assert_eq!(reply(0, true, &[0xF0]), [0x7F, 0x80, 0x01, 0xF0, 0x23, 0x80]);
        assert_eq!(reply(0, true, &[0xF8]), [0x7F, 0x80, 0x01, 0xF8, 0x10, 0x00]);
    }

    #[test]
    fn a_packet_for_a_hopper_or_a_damaged_one_gets_no_answer() {
        let mut receiver = Receiver::new(0);
        let hopper = reply(0x10, true, &[0x11]);
        let mut damaged = reply(0, true, &[0x11]);
        damaged[3] ^= 1;
        assert!(hopper.iter().chain(&damaged).all(|it| receiver.byte(*it).is_none()));
    }

    #[test]
    fn primes() {
        let found: Vec<u64> = (0..40).filter(|number| is_prime(*number)).collect();
        assert_eq!(found, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]);
        assert!(is_prime(982_451_653) && is_prime(1_287_821) && !is_prime(561));
        assert!(is_prime(u64::MAX - 58) && !is_prime(u64::MAX));
    }
}
