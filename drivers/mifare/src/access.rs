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

impl AccessBits {
    /// As shipped by the maker: all open, keys changed with key A. Key B is readable, hence no key.
    pub const TRANSPORT: Self = Self([0b000, 0b000, 0b000, 0b001]);
    /// Both keys read, key B alone writes, keys and access bits included.
    pub const WRITTEN_BY_B: Self = Self([0b100, 0b100, 0b100, 0b011]);

    /// From C1 C2 C3 of each block, or nothing if one has more than three bits.
    pub fn new(conditions: [u8; 4]) -> Option<Self> {
        conditions.iter().all(|bits| *bits < 8).then_some(Self(conditions))
    }

    /// Bytes 6 to 8 of the trailer: each bit is stored straight and inverted.
    pub fn encode(self) -> [u8; 3] {
        let [c1, c2, c3] = [2, 1, 0].map(|bit| self.column(bit));
        let inverted = |nibble: u8| !nibble & 0x0F;
        [inverted(c2) << 4 | inverted(c1), c1 << 4 | inverted(c3), c3 << 4 | c2]
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

    fn column(self, bit: u8) -> u8 {
        (0..4).fold(0, |nibble, block| nibble | (self.0[block] >> bit & 1) << block)
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
    fn a_condition_has_three_bits() {
        assert_eq!(AccessBits::new([0, 0, 0, 8]), None);
    }

    proptest! {
        #[test]
        fn conditions_read_back(conditions in proptest::array::uniform4(0u8..8)) {
            let access = AccessBits::new(conditions).unwrap();
            prop_assert_eq!(AccessBits::decode(access.encode()), Some(access));
        }

        #[test]
        fn a_flipped_bit_is_noticed(
            conditions in proptest::array::uniform4(0u8..8),
            bit in 0usize..24,
        ) {
            let mut bytes = AccessBits::new(conditions).unwrap().encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(AccessBits::decode(bytes), None);
        }
    }
}
