//! Commands and answers as ZVT numbers them, and their framing on a TCP stream [PA00P015 §"APDU",
//! PA00P016].

use std::fmt;

/// One command or answer: class, instruction, data.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Apdu {
    pub(crate) class: u8,
    pub(crate) instr: u8,
    /// At most [`DATA_MAX`] bytes.
    pub(crate) data: Vec<u8>,
}

/// Data bytes in an APDU: the length is two bytes at most.
pub(crate) const DATA_MAX: usize = 0xFFFF;

impl Apdu {
    pub(crate) fn new(class: u8, instr: u8, data: Vec<u8>) -> Self {
        Self { class, instr, data }
    }

    /// `80 00`: taken.
    pub(crate) fn taken() -> Self {
        Self::new(0x80, 0x00, Vec::new())
    }

    /// `84 xx`: not taken, for this reason.
    pub(crate) fn refused(reason: u8) -> Self {
        Self::new(0x84, reason, Vec::new())
    }

    /// As both framings carry it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.class, self.instr];
        match u8::try_from(self.data.len()) {
            Ok(length @ 0..=0xFE) => bytes.push(length),
            Ok(0xFF) | Err(_) => {
                let length = u16::try_from(self.data.len()).expect("data is at most DATA_MAX");
                bytes.push(0xFF);
                bytes.extend(length.to_le_bytes());
            }
        }
        bytes.extend(&self.data);
        bytes
    }

    /// The APDU at the start of `bytes` and its length; `None` = not all of it is there.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let [class, instr, short, rest @ ..] = bytes else { return None };
        let (length, head) = match (short, rest) {
            (0xFF, [low, high, ..]) => (usize::from(u16::from_le_bytes([*low, *high])), 5),
            (0xFF, _) => return None,
            (short, _) => (usize::from(*short), 3),
        };
        let data = bytes.get(head..head + length)?;
        Some((Self::new(*class, *instr, data.to_vec()), head + length))
    }
}

/// Data may be about a card: `Debug` shows none.
impl fmt::Debug for Apdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Apdu({:02X} {:02X}, {} bytes)", self.class, self.instr, self.data.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_one_byte_up_to_254_and_three_above() {
        let head = |count| Apdu::new(6, 1, vec![0; count]).encode()[2..5.min(count + 3)].to_vec();
        assert_eq!(head(0), [0]);
        assert_eq!(head(0xFE)[0], 0xFE);
        assert_eq!(head(0xFF), [0xFF, 0xFF, 0x00]);
        assert_eq!(head(0x100), [0xFF, 0x00, 0x01]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_and_a_part_of_it_does_not(
            class: u8, instr: u8, data in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let apdu = Apdu::new(class, instr, data);
            let bytes = apdu.encode();
            for end in 0..bytes.len() {
                prop_assert_eq!(Apdu::decode(&bytes[..end]), None);
            }
            prop_assert_eq!(Apdu::decode(&bytes), Some((apdu, bytes.len())));
        }
    }
}
