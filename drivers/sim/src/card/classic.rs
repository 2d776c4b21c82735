use super::access::{Access, Right, TrailerRight};

/// The chip: its EEPROM, and what it forgets without a field.
#[derive(Clone, PartialEq, Eq)]
pub struct Classic {
    memory: Box<[u8; 1024]>,
    state: State,
    /// Result of the last value operation, until it is transferred.
    buffer: Option<[u8; 16]>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Selected, nobody authenticated.
    Active,
    Authenticated {
        sector: usize,
        side: Side,
    },
    /// After a refusal it is silent until it is selected again [data sheet §9].
    Halted,
}

/// Key A or key B.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Key A, command 60.
    A,
    /// Key B, command 61.
    B,
}

/// First half of a value operation; the result waits for [`Classic::transfer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueOperation {
    /// Command C0.
    Decrement(i32),
    /// Command C1.
    Increment(i32),
    /// Command C2.
    Restore,
}

/// It refused, and is halted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nak;

impl Classic {
    /// With this memory.
    pub fn new(memory: [u8; 1024]) -> Self {
        Self { memory: Box::new(memory), state: State::Active, buffer: None }
    }

    /// As the maker ships it.
    pub fn blank(uid: [u8; 4]) -> Self {
        let mut card = Self::new([0; 1024]);
        let [a, b, c, d] = uid;
        card.memory[..8].copy_from_slice(&[a, b, c, d, a ^ b ^ c ^ d, 0x08, 0x04, 0x00]);
        for sector in 0..16 {
            let trailer = &mut card.memory[sector * 64 + 48..][..16];
            trailer.fill(0xFF);
            trailer[6..10].copy_from_slice(&[0xFF, 0x07, 0x80, 0x69]);
        }
        card
    }

    /// All of the memory, as no reader sees it.
    pub fn image(&self) -> &[u8; 1024] {
        &self.memory
    }

    /// Bytes 0 to 3 of block 0.
    pub fn uid(&self) -> [u8; 4] {
        [0, 1, 2, 3].map(|at| self.memory[at])
    }

    /// Selected anew.
    pub fn activate(&mut self) {
        self.state = State::Active;
        self.buffer = None;
    }

    /// Opens the sector of `block`.
    ///
    /// # Errors
    /// Another key, no such block, or the card is halted.
    pub fn authenticate(&mut self, block: u8, side: Side, key: [u8; 6]) -> Result<(), Nak> {
        let halted = self.state == State::Halted;
        self.state = State::Halted;
        let block = usize::from(block);
        if halted || block >= 64 {
            return Err(Nak);
        }
        let trailer = self.block(block | 3);
        let stored = match side {
            Side::A => &trailer[..6],
            Side::B => &trailer[10..],
        };
        if stored != key {
            return Err(Nak);
        }
        let sector = block / 4;
        self.state = State::Authenticated { sector, side };
        Ok(())
    }

    /// Reads a block; keys that may not be read come as zeros.
    ///
    /// # Errors
    /// Not authenticated for it, or not allowed.
    pub fn read(&mut self, block: u8) -> Result<[u8; 16], Nak> {
        let (block, access, side) = self.opened(block)?;
        let mut data = *self.block(block);
        if block % 4 != 3 {
            self.require(access.allows(block % 4, side, Right::Read))?;
            return Ok(data);
        }
        self.require(access.allows_trailer(side, TrailerRight::ReadAccess))?;
        data[..6].fill(0);
        if !access.allows_trailer(side, TrailerRight::ReadKeyB) {
            data[10..].fill(0);
        }
        Ok(data)
    }

    /// Writes a block. Parts of a trailer that may not be written stay.
    ///
    /// # Errors
    /// Not authenticated for it, or not allowed; block 0 never is.
    pub fn write(&mut self, block: u8, data: &[u8; 16]) -> Result<(), Nak> {
        self.write_part(block, data, 16)
    }

    /// A write during which the field goes away: only the first `written` bytes (at most 16) make
    /// it into the EEPROM.
    ///
    /// # Errors
    /// As [`Classic::write`].
    pub fn write_torn(&mut self, block: u8, data: &[u8; 16], written: usize) -> Result<(), Nak> {
        self.write_part(block, data, written.min(16))
    }

    fn write_part(&mut self, block: u8, data: &[u8; 16], written: usize) -> Result<(), Nak> {
        let (block, access, side) = self.opened(block)?;
        let mut target = *self.block(block);
        if block % 4 != 3 {
            let allowed = block != 0 && access.allows(block % 4, side, Right::Write);
            self.require(allowed)?;
            target = *data;
        } else {
            let parts = [
                (TrailerRight::WriteKeyA, 0..6),
                (TrailerRight::WriteAccess, 6..10),
                (TrailerRight::WriteKeyB, 10..16),
            ];
            let mut any = false;
            for (right, part) in parts {
                if access.allows_trailer(side, right) {
                    target[part.clone()].copy_from_slice(&data[part]);
                    any = true;
                }
            }
            self.require(any)?;
        }
        self.memory[block * 16..][..written].copy_from_slice(&target[..written]);
        Ok(())
    }

    /// Computes into the buffer; the EEPROM stays as it is.
    ///
    /// # Errors
    /// Not allowed, the block holds no value, or the result does not fit.
    pub fn operate(&mut self, block: u8, operation: ValueOperation) -> Result<(), Nak> {
        let (block, access, side) = self.opened(block)?;
        let right = match operation {
            ValueOperation::Increment(_) => Right::Increment,
            ValueOperation::Decrement(_) | ValueOperation::Restore => Right::Decrement,
        };
        self.require(block % 4 != 3 && access.allows(block % 4, side, right))?;
        let result = parse_value(self.block(block)).and_then(|(value, address)| {
            let value = match operation {
                ValueOperation::Increment(amount) => value.checked_add(amount),
                ValueOperation::Decrement(amount) => value.checked_sub(amount),
                ValueOperation::Restore => Some(value),
            };
            Some(value_block(value?, address))
        });
        self.require(result.is_some())?;
        self.buffer = result;
        Ok(())
    }

    /// Writes the buffer.
    ///
    /// # Errors
    /// Not allowed, or nothing is in the buffer.
    pub fn transfer(&mut self, block: u8) -> Result<(), Nak> {
        let (block, access, side) = self.opened(block)?;
        let allowed = block % 4 != 3 && access.allows(block % 4, side, Right::Decrement);
        self.require(allowed && block != 0)?;
        match self.buffer.take() {
            Some(value) => {
                self.memory[block * 16..][..16].copy_from_slice(&value);
                Ok(())
            }
            None => self.refuse(),
        }
    }

    /// Of an authenticated sector whose access bits are sound.
    fn opened(&mut self, block: u8) -> Result<(usize, Access, Side), Nak> {
        let block = usize::from(block);
        if let State::Authenticated { sector, side } = self.state
            && block / 4 == sector
            && let Some(access) = Access::of_trailer(self.block(block | 3))
        {
            return Ok((block, access, side));
        }
        self.refuse()
    }

    fn require(&mut self, allowed: bool) -> Result<(), Nak> {
        if allowed { Ok(()) } else { self.refuse() }
    }

    fn refuse<T>(&mut self) -> Result<T, Nak> {
        self.state = State::Halted;
        Err(Nak)
    }

    fn block(&self, number: usize) -> &[u8; 16] {
        let (blocks, _) = self.memory.as_chunks::<16>();
        &blocks[number]
    }
}

/// Value and address of a value block [data sheet §8.6.2.1].
fn parse_value(block: &[u8; 16]) -> Option<(i32, u8)> {
    let value = i32::from_le_bytes([block[0], block[1], block[2], block[3]]);
    (*block == value_block(value, block[12])).then_some((value, block[12]))
}

fn value_block(value: i32, address: u8) -> [u8; 16] {
    let mut block = [0; 16];
    block[..4].copy_from_slice(&value.to_le_bytes());
    block[4..8].copy_from_slice(&(!value).to_le_bytes());
    block[8..12].copy_from_slice(&value.to_le_bytes());
    block[12..].copy_from_slice(&[address, !address, address, !address]);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: [u8; 4] = [0xDE, 0xAD, 0xBE, 0xEF];
    const FF: [u8; 6] = [0xFF; 6];

    /// Sector 1 with these access bits, key A `AAAAAAAAAAAA`, key B `BBBBBBBBBBBB`.
    fn card(access: [u8; 3]) -> Classic {
        let mut card = Classic::blank(UID);
        let mut trailer = [0xAA; 16];
        trailer[6..9].copy_from_slice(&access);
        trailer[10..].fill(0xBB);
        card.authenticate(7, Side::A, FF).unwrap();
        card.write(7, &trailer).unwrap();
        card
    }

    #[test]
    fn a_citizen_sector_is_read_by_a_and_written_by_b() {
        let mut card = card([0x78, 0x77, 0x88]);
        card.authenticate(4, Side::A, [0xAA; 6]).unwrap();
        assert_eq!(card.read(4), Ok([0; 16]));
        assert_eq!(card.write(4, &[1; 16]), Err(Nak));
        assert_eq!(card.read(4), Err(Nak), "halted");
        card.activate();
        card.authenticate(4, Side::B, [0xBB; 6]).unwrap();
        card.write(4, &[1; 16]).unwrap();
        assert_eq!(card.read(4), Ok([1; 16]));
        let trailer = card.read(7).unwrap();
        assert_eq!((trailer[..6].to_vec(), trailer[10..].to_vec()), (vec![0; 6], vec![0; 6]));
    }

    #[test]
    fn a_wrong_key_halts_until_the_next_selection() {
        let mut card = Classic::blank(UID);
        assert_eq!(card.authenticate(4, Side::A, [0; 6]), Err(Nak));
        assert_eq!(card.authenticate(4, Side::A, FF), Err(Nak));
        card.activate();
        assert_eq!(card.authenticate(4, Side::A, FF), Ok(()));
        assert_eq!(card.read(8), Err(Nak), "another sector");
    }

    #[test]
    fn a_readable_key_b_opens_nothing() {
        let mut card = Classic::blank(UID);
        card.authenticate(4, Side::B, FF).unwrap();
        assert_eq!(card.read(4), Err(Nak));
    }

    #[test]
    fn contradicting_access_bits_close_the_sector_for_ever() {
        let mut card = card([0x78, 0x77, 0x89]);
        card.authenticate(4, Side::A, [0xAA; 6]).unwrap();
        assert_eq!(card.read(4), Err(Nak));
    }

    #[test]
    fn the_uid_block_is_not_written() {
        let mut card = Classic::blank(UID);
        card.authenticate(0, Side::A, FF).unwrap();
        assert_eq!(card.write(0, &[0; 16]), Err(Nak));
    }

    /// The data sheet's own example: 1234567 at address 17.
    #[test]
    fn a_value_block_is_the_data_sheets() {
        assert_eq!(
            value_block(1_234_567, 17),
            [
                0x87, 0xD6, 0x12, 0x00, 0x78, 0x29, 0xED, 0xFF, 0x87, 0xD6, 0x12, 0x00, 0x11, 0xEE,
                0x11, 0xEE
            ]
        );
    }

    #[test]
    fn a_value_is_computed_in_the_buffer_and_stored_by_transfer() {
        let mut card = card([0x48, 0x77, 0x8B]);
        card.authenticate(4, Side::B, [0xBB; 6]).unwrap();
        card.write(4, &value_block(1000, 4)).unwrap();
        card.operate(4, ValueOperation::Increment(50)).unwrap();
        assert_eq!(card.read(4), Ok(value_block(1000, 4)));
        card.transfer(4).unwrap();
        assert_eq!(card.read(4), Ok(value_block(1050, 4)));
        card.operate(4, ValueOperation::Restore).unwrap();
        card.transfer(5).unwrap();
        assert_eq!(card.read(5), Ok(value_block(1050, 4)), "the address travels");
        assert_eq!(card.transfer(5), Err(Nak), "the buffer is used up");
    }

    #[test]
    fn key_a_takes_from_a_purse_and_never_adds() {
        let mut card = card([0x48, 0x77, 0x8B]);
        card.authenticate(4, Side::B, [0xBB; 6]).unwrap();
        card.write(4, &value_block(1000, 4)).unwrap();
        card.authenticate(4, Side::A, [0xAA; 6]).unwrap();
        card.operate(4, ValueOperation::Decrement(1)).unwrap();
        card.transfer(4).unwrap();
        assert_eq!(card.read(4), Ok(value_block(999, 4)));
        assert_eq!(card.operate(4, ValueOperation::Increment(1)), Err(Nak));
    }

    #[test]
    fn a_value_neither_overflows_nor_appears_from_data() {
        let mut card = card([0x48, 0x77, 0x8B]);
        card.authenticate(4, Side::B, [0xBB; 6]).unwrap();
        card.write(4, &value_block(i32::MAX, 4)).unwrap();
        assert_eq!(card.operate(4, ValueOperation::Increment(1)), Err(Nak));
        card.activate();
        card.authenticate(4, Side::B, [0xBB; 6]).unwrap();
        assert_eq!(card.operate(5, ValueOperation::Decrement(1)), Err(Nak));
    }

    #[test]
    fn a_torn_write_leaves_old_and_new_mixed() {
        let mut card = Classic::blank(UID);
        card.authenticate(4, Side::A, FF).unwrap();
        card.write(4, &[1; 16]).unwrap();
        card.write_torn(4, &[2; 16], 5).unwrap();
        assert_eq!(card.read(4).unwrap()[3..7], [2, 2, 1, 1]);
    }
}
