//! MIFARE application directory, version 1 (AN10787): whose data is in which sector.

/// Application of one sector, as registered with NXP. Stored low byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aid(pub u16);

impl Aid {
    /// Nobody's sector.
    pub const FREE: Self = Self(0x0000);
    /// Our identity block. A placeholder: the number has to be registered with NXP.
    pub const IDENTITY: Self = Self(0x5015);
    /// The second half of our signature. A placeholder likewise.
    pub const SIGNATURE: Self = Self(0x5016);
}

/// General purpose byte of sector 0: MAD present, several applications, version 1.
pub const GENERAL_PURPOSE: u8 = 0xC1;

/// Applications of sectors 1 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Sector of the card's publisher, 0 for none.
    pub publisher: u8,
    /// Sector 1 first.
    pub applications: [Aid; 15],
}

impl Directory {
    /// Blocks 1 and 2.
    pub fn encode(&self) -> [[u8; 16]; 2] {
        let mut bytes = [0; 32];
        bytes[1] = self.publisher;
        for (slot, aid) in bytes[2..].chunks_exact_mut(2).zip(self.applications) {
            slot.copy_from_slice(&aid.0.to_le_bytes());
        }
        bytes[0] = crc8(&bytes[1..]);
        let (first, second) = bytes.split_at(16);
        [first, second].map(|half| half.try_into().expect("half of 32 bytes is 16"))
    }

    /// Blocks 1 and 2, or nothing if the check byte is wrong.
    pub fn decode(blocks: [[u8; 16]; 2]) -> Option<Self> {
        let bytes = blocks.concat();
        if crc8(&bytes[1..]) != bytes[0] {
            return None;
        }
        let mut applications = [Aid::FREE; 15];
        for (aid, slot) in applications.iter_mut().zip(bytes[2..].chunks_exact(2)) {
            *aid = Aid(u16::from_le_bytes([slot[0], slot[1]]));
        }
        Some(Self { publisher: bytes[1] & 0x3F, applications })
    }

    /// Whose is this sector (1..=15)?
    pub fn application(&self, sector: usize) -> Aid {
        sector
            .checked_sub(1)
            .and_then(|index| self.applications.get(index))
            .copied()
            .unwrap_or(Aid::FREE)
    }
}

/// x^8 + x^4 + x^3 + x^2 + 1, preset as AN10787 §3.7 has it.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0xC7, |crc, byte| {
        (0..8).fold(
            crc ^ byte,
            |crc: u8, _| {
                if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 0x1D }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of AN10787.
    #[test]
    fn the_sample_of_nxp() {
        let mut applications = [Aid::FREE; 15];
        applications[..3].fill(Aid(0x0801));
        applications[6] = Aid(0x0004);
        applications[7] = Aid(0x1003);
        applications[8] = Aid(0x1003);
        applications[9] = Aid(0x1002);
        applications[10] = Aid(0x1002);
        applications[14] = Aid(0x3011);
        let directory = Directory { publisher: 1, applications };
        assert_eq!(directory.encode()[0][0], 0x89);
        assert_eq!(Directory::decode(directory.encode()), Some(directory));
    }

    #[test]
    fn a_card_full_of_ndef() {
        let directory = Directory { publisher: 1, applications: [Aid(0xE103); 15] };
        assert_eq!(directory.encode()[0][0], 0x14);
    }

    #[test]
    fn a_wrong_check_byte_is_no_directory() {
        let mut blocks = Directory { publisher: 1, applications: [Aid::IDENTITY; 15] }.encode();
        blocks[1][15] ^= 1;
        assert_eq!(Directory::decode(blocks), None);
    }
}
