//! The serial line's blocks: `DLE STX` APDU `DLE ETX` CRC, DLE doubled within; each answered by one
//! byte, ACK or NAK [PA00P016 §"RS-232"].

use crate::apdu::{Apdu, DATA_MAX};

const DLE: u8 = 0x10;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
/// The block came whole.
pub(crate) const ACK: u8 = 0x06;
/// It came damaged: nobody acts on it.
pub(crate) const NAK: u8 = 0x15;

/// A whole APDU with its long head.
const BODY_MAX: usize = DATA_MAX + 5;

/// What came over the line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Block(Apdu),
    /// A block that is damaged, or holds no APDU.
    Damaged,
    Ack,
    Nak,
}

/// As it goes over the line.
pub(crate) fn encode(apdu: &Apdu) -> Vec<u8> {
    let body = apdu.encode();
    let mut line = vec![DLE, STX];
    for byte in &body {
        line.push(*byte);
        line.extend((*byte == DLE).then_some(DLE));
    }
    line.extend([DLE, ETX]);
    line.extend(crc(&body).to_le_bytes());
    line
}

/// Finds blocks in a stream of bytes.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    state: State,
    body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Outside,
    /// A DLE outside of a block.
    Opening,
    Inside,
    /// A DLE inside of a block.
    Escaped,
    Sum,
    SumSecond(u8),
}

impl Decoder {
    /// One byte in; what it completes out.
    pub(crate) fn push(&mut self, byte: u8) -> Option<Sign> {
        let state = self.state;
        self.state = match (state, byte) {
            (State::Outside, ACK) => return Some(Sign::Ack),
            (State::Outside, NAK) => return Some(Sign::Nak),
            (State::Outside | State::Opening, DLE) => State::Opening,
            (State::Opening | State::Escaped, STX) => {
                // In the middle of a block: the rest of that one will not come.
                self.body.clear();
                State::Inside
            }
            (State::Outside | State::Opening, _) => State::Outside,
            (State::Inside, DLE) => State::Escaped,
            (State::Inside, _) | (State::Escaped, DLE) => {
                if self.body.len() >= BODY_MAX {
                    return self.damaged();
                }
                self.body.push(byte);
                State::Inside
            }
            (State::Escaped, ETX) => State::Sum,
            (State::Escaped, _) => return self.damaged(),
            (State::Sum, low) => State::SumSecond(low),
            (State::SumSecond(low), high) => {
                let body = std::mem::take(&mut self.body);
                self.state = State::Outside;
                let is_whole = crc(&body) == u16::from_le_bytes([low, high]);
                let apdu = Apdu::decode(&body).filter(|(_, length)| *length == body.len());
                return Some(match apdu {
                    Some((apdu, _)) if is_whole => Sign::Block(apdu),
                    Some(_) | None => Sign::Damaged,
                });
            }
        };
        None
    }

    fn damaged(&mut self) -> Option<Sign> {
        self.body.clear();
        self.state = State::Outside;
        Some(Sign::Damaged)
    }
}

/// CRC-16/KERMIT over the APDU and the ETX, low byte first on the line.
fn crc(body: &[u8]) -> u16 {
    body.iter().chain([&ETX]).fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 0 { crc >> 1 } else { (crc >> 1) ^ 0x8408 }
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(decoder: &mut Decoder, line: &[u8]) -> Vec<Sign> {
        line.iter().filter_map(|byte| decoder.push(*byte)).collect()
    }

    /// The check value of CRC-16/KERMIT for "123456789" is 2189; here an ETX follows.
    #[test]
    fn the_sum_is_kermit_with_the_etx() {
        let plain = b"12345678".iter().chain(b"9").fold(0u16, |crc, byte| {
            (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
                if crc & 1 == 0 { crc >> 1 } else { (crc >> 1) ^ 0x8408 }
            })
        });
        assert_eq!(plain, 0x2189);
        assert_ne!(crc(b"123456789"), plain);
    }

    #[test]
    fn an_acknowledgement_inside_a_block_is_data() {
        let line = encode(&Apdu::new(6, 0x0F, vec![ACK, NAK, DLE, STX, ETX]));
        let heard = decode(&mut Decoder::default(), &line);
        assert_eq!(heard, [Sign::Block(Apdu::new(6, 0x0F, vec![ACK, NAK, DLE, STX, ETX]))]);
        assert_eq!(decode(&mut Decoder::default(), &[ACK, NAK]), [Sign::Ack, Sign::Nak]);
    }

    #[test]
    fn one_flipped_bit_never_gives_another_block() {
        let line = encode(&Apdu::new(6, 1, vec![4, 0, 0, 0, 0, 0x20, 0]));
        for bit in 0..line.len() * 8 {
            let mut line = line.clone();
            line[bit / 8] ^= 1 << (bit % 8);
            let heard = decode(&mut Decoder::default(), &line);
            assert!(!heard.iter().any(|sign| matches!(sign, Sign::Block(_))), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_after_any_garbage(
            garbage in prop::collection::vec(any::<u8>(), 0..300),
            data in prop::collection::vec(prop_oneof![Just(DLE), any::<u8>()], 0..400),
        ) {
            let apdu = Apdu::new(4, 0x0F, data);
            let mut decoder = Decoder::default();
            decode(&mut decoder, &garbage);
            decode(&mut decoder, &encode(&apdu));
            let heard = decode(&mut decoder, &encode(&apdu));
            prop_assert_eq!(heard.last(), Some(&Sign::Block(apdu)));
        }
    }
}
