//! Access conditions of a sector [MF1S50yyX data sheet §8.7].

/// Bits C1 C2 C3 of the sector's four blocks, as `0b_c1_c2_c3`: three data blocks, then the
/// trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessBits([u8; 4]);

/// Which of a sector's two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeySide {
    /// Key A.
    A,
    /// Key B.
    B,
}

/// What one may want to do with a data block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataAccess {
    /// Read 16 bytes.
    Read,
    /// Write 16 bytes.
    Write,
    /// Add to a value.
    Increment,
    /// Subtract from a value, copy it, store the result.
    Decrement,
}

/// The parts of a trailer that are written together or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailerPart {
    /// Key A (never readable).
    KeyA,
    /// The access bits and the general purpose byte.
    AccessBits,
    /// Key B.
    KeyB,
}

impl AccessBits {
    /// As shipped by the maker: all open, keys changed with key A. Key B is readable, hence no key.
    pub const TRANSPORT: Self = Self([0b000, 0b000, 0b000, 0b001]);
    /// Both keys read, key B alone writes, keys and access bits included.
    pub const WRITTEN_BY_B: Self = Self([0b100, 0b100, 0b100, 0b011]);

    /// From C1 C2 C3 of each block, or nothing if one has more than three bits.
    pub fn new(conditions: [u8; 4]) -> Option<Self> {
        conditions
            .iter()
            .all(|bits| *bits < 8)
            .then_some(Self(conditions))
    }

    /// Bytes 6 to 8 of the trailer: each bit is stored straight and inverted.
    pub fn encode(self) -> [u8; 3] {
        let [c1, c2, c3] = [2, 1, 0].map(|bit| self.column(bit));
        let inverted = |nibble: u8| !nibble & 0x0F;
        [
            inverted(c2) << 4 | inverted(c1),
            c1 << 4 | inverted(c3),
            c3 << 4 | c2,
        ]
    }

    /// Bytes 6 to 8 of a trailer. Nothing if straight and inverted bits disagree: such a sector is
    /// blocked for ever.
    pub fn decode(bytes: [u8; 3]) -> Option<Self> {
        let (c1, c2, c3) = (bytes[1] >> 4, bytes[2] & 0x0F, bytes[2] >> 4);
        let conditions = [0, 1, 2, 3].map(|block| {
            let bit = |column: u8| column >> block & 1;
            bit(c1) << 2 | bit(c2) << 1 | bit(c3)
        });
        let access = Self(conditions);
        (access.encode() == bytes).then_some(access)
    }

    /// May who authenticated with `key` do this to data block `block` (0..=2) of the sector?
    pub fn allows_data(self, block: usize, key: KeySide, access: DataAccess) -> bool {
        let Some(condition) = self.0[..3].get(block) else {
            return false;
        };
        let is_b = key == KeySide::B;
        if is_b && self.key_b_is_readable() {
            return false;
        }
        match access {
            DataAccess::Read => match condition {
                0b000 | 0b001 | 0b010 | 0b100 | 0b110 => true,
                0b011 | 0b101 => is_b,
                _ => false,
            },
            DataAccess::Write => match condition {
                0b000 => true,
                0b011 | 0b100 | 0b110 => is_b,
                _ => false,
            },
            DataAccess::Increment => match condition {
                0b000 => true,
                0b110 => is_b,
                _ => false,
            },
            DataAccess::Decrement => matches!(condition, 0b000 | 0b001 | 0b110),
        }
    }

    /// May who authenticated with `key` write this part of the trailer?
    pub fn allows_trailer_write(self, key: KeySide, part: TrailerPart) -> bool {
        let is_a = key == KeySide::A;
        if !is_a && self.key_b_is_readable() {
            return false;
        }
        match (part, self.0[3]) {
            (TrailerPart::KeyA | TrailerPart::KeyB, 0b000 | 0b001) => is_a,
            (TrailerPart::KeyA | TrailerPart::KeyB, 0b100 | 0b011) => !is_a,
            (TrailerPart::AccessBits, 0b001) => is_a,
            (TrailerPart::AccessBits, 0b011 | 0b101) => !is_a,
            (TrailerPart::KeyA | TrailerPart::KeyB | TrailerPart::AccessBits, _) => false,
        }
    }

    /// May who authenticated with `key` read the access bits?
    pub fn allows_trailer_read(self, key: KeySide) -> bool {
        key == KeySide::A || !self.key_b_is_readable()
    }

    /// A key B that can be read is data, and the chip refuses it as a key [data sheet §8.7.2].
    pub fn key_b_is_readable(self) -> bool {
        self.0[3] <= 0b010
    }

    fn column(self, bit: u8) -> u8 {
        (0..4).fold(0, |nibble, block| {
            nibble | (self.0[block] >> bit & 1) << block
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_encodings_of_the_data_sheet() {
        assert_eq!(AccessBits::TRANSPORT.encode(), [0xFF, 0x07, 0x80]);
        assert_eq!(AccessBits::WRITTEN_BY_B.encode(), [0x78, 0x77, 0x88]);
        let purse = AccessBits::new([0b110, 0b110, 0b100, 0b011]).unwrap();
        assert_eq!(purse.encode(), [0x48, 0x77, 0x8B]);
        let values = AccessBits::new([0b110, 0b110, 0b110, 0b011]).unwrap();
        assert_eq!(values.encode(), [0x08, 0x77, 0x8F]);
    }

    #[test]
    fn only_key_b_writes_a_citizen_card() {
        let access = AccessBits::WRITTEN_BY_B;
        for block in 0..3 {
            assert!(access.allows_data(block, KeySide::A, DataAccess::Read));
            assert!(!access.allows_data(block, KeySide::A, DataAccess::Write));
            assert!(access.allows_data(block, KeySide::B, DataAccess::Write));
        }
        for part in [
            TrailerPart::KeyA,
            TrailerPart::AccessBits,
            TrailerPart::KeyB,
        ] {
            assert!(!access.allows_trailer_write(KeySide::A, part));
            assert!(access.allows_trailer_write(KeySide::B, part));
        }
    }

    #[test]
    fn a_readable_key_b_is_no_key() {
        assert!(!AccessBits::TRANSPORT.allows_data(0, KeySide::B, DataAccess::Read));
        assert!(AccessBits::TRANSPORT.allows_data(0, KeySide::A, DataAccess::Write));
    }

    proptest! {
        #[test]
        fn conditions_read_back(conditions in proptest::array::uniform4(0u8..8)) {
            let access = AccessBits::new(conditions).unwrap();
            prop_assert_eq!(AccessBits::decode(access.encode()), Some(access));
        }

        #[test]
        fn a_flipped_bit_is_noticed(conditions in proptest::array::uniform4(0u8..8), bit in 0usize..24) {
            let mut bytes = AccessBits::new(conditions).unwrap().encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(AccessBits::decode(bytes), None);
        }
    }
}
