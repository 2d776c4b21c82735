//! Packets on the line: start byte, flag and address, length, data, CRC, stuffing [GA138
//! "Transport Layer", GA973 §3.1].

/// First byte of a packet; doubled wherever else it occurs.
const STX: u8 = 0x7F;

/// Data bytes in a packet: the length is one byte.
pub(crate) const DATA_MAX: usize = 255;

/// The sequence flag in the byte it shares with the address.
const SEQUENCE_FLAG: u8 = 0x80;

/// One packet without its wrapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Alternates with each new command; a reply repeats its command's.
    pub(crate) flag: bool,
    /// `0..=0x7D`.
    pub(crate) address: u8,
    /// At most [`DATA_MAX`] bytes.
    pub(crate) data: Vec<u8>,
}

impl Packet {
    /// As it goes over the line.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let length = u8::try_from(self.data.len()).expect("data is at most DATA_MAX bytes");
        let head = self.address | if self.flag { SEQUENCE_FLAG } else { 0 };
        let mut body = vec![head, length];
        body.extend(&self.data);
        body.extend(crc(&body).to_le_bytes());
        let mut line = vec![STX];
        for byte in body {
            line.push(byte);
            if byte == STX {
                line.push(STX);
            }
        }
        line
    }
}

/// Finds packets in a stream of bytes; resynchronises at the next start byte after any garbage.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// Unstuffed bytes after the start byte; `None` = waiting for one.
    body: Option<Vec<u8>>,
    /// The last byte was [`STX`] and may be the first of a pair.
    after_stx: bool,
    /// Packets whose CRC was wrong.
    pub(crate) crc_errors: u32,
}

impl Decoder {
    /// Forgets a packet begun.
    pub(crate) fn reset(&mut self) {
        self.body = None;
        self.after_stx = false;
    }

    /// One byte in; a whole packet out, where this was its last.
    pub(crate) fn push(&mut self, byte: u8) -> Option<Packet> {
        if self.after_stx {
            self.after_stx = false;
            if byte == STX {
                return self.take(STX);
            }
            // A lone start byte begins a new packet, whatever came before it.
            self.body = Some(Vec::new());
            return self.take(byte);
        }
        if byte == STX {
            self.after_stx = true;
            return None;
        }
        self.take(byte)
    }

    fn take(&mut self, byte: u8) -> Option<Packet> {
        let body = self.body.as_mut()?;
        body.push(byte);
        let length = usize::from(*body.get(1)?);
        if body.len() < length + 4 {
            return None;
        }
        let body = self.body.take()?;
        let (content, sum) = body.split_at(length + 2);
        if crc(content).to_le_bytes() != sum {
            self.crc_errors = self.crc_errors.saturating_add(1);
            return None;
        }
        Some(Packet {
            flag: content[0] & SEQUENCE_FLAG != 0,
            address: content[0] & !SEQUENCE_FLAG,
            data: content[2..].to_vec(),
        })
    }
}

/// CRC-16, polynomial 0x8005, seed 0xFFFF, not reflected.
pub(crate) fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x8005 }
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(flag: bool, data: &[u8]) -> Packet {
        Packet { flag, address: 0, data: data.to_vec() }
    }

    fn decode(decoder: &mut Decoder, line: &[u8]) -> Vec<Packet> {
        line.iter().filter_map(|byte| decoder.push(*byte)).collect()
    }

    /// Worked packets of GA138: Sync, Poll, a reply with events, Set Generator, Setup Request.
    #[test]
    fn packets_of_the_manual() {
        let vectors: [(&[u8], Packet); 6] = [
            (&[0x7F, 0x80, 1, 0x11, 0x65, 0x82], packet(true, &[0x11])),
            (&[0x7F, 0x00, 1, 0x07, 0x11, 0x88], packet(false, &[0x07])),
            (&[0x7F, 0x80, 1, 0x07, 0x12, 0x02], packet(true, &[0x07])),
            (
                &[0x7F, 0x80, 4, 0xF0, 0xEE, 0x01, 0xEB, 0xB9, 0x48],
                packet(true, &[0xF0, 0xEE, 0x01, 0xEB]),
            ),
            (
                &[0x7F, 0x80, 9, 0x4A, 0xC5, 0x05, 0x8F, 0x3A, 0, 0, 0, 0, 0xB2, 0x73],
                packet(true, &[0x4A, 0xC5, 0x05, 0x8F, 0x3A, 0, 0, 0, 0]),
            ),
            (
                &[0x7F, 0x80, 5, 0xF0, 0, 0x1C, 0x96, 0x2C, 0xD4, 0x97],
                packet(true, &[0xF0, 0, 0x1C, 0x96, 0x2C]),
            ),
        ];
        for (line, packet) in vectors {
            assert_eq!(packet.encode(), line);
            assert_eq!(decode(&mut Decoder::default(), line), [packet]);
        }
    }

    #[test]
    fn a_packet_cut_short_is_dropped_at_the_next_start() {
        let mut decoder = Decoder::default();
        let whole = packet(true, &[0xF0]).encode();
        let mut line = whole[..4].to_vec();
        line.extend(&whole);
        assert_eq!(decode(&mut decoder, &line), [packet(true, &[0xF0])]);
    }

    #[test]
    fn one_flipped_bit_is_noticed() {
        let line = packet(true, &[0xF0, 0xEE, 0x01]).encode();
        for bit in 8..line.len() * 8 {
            let mut line = line.clone();
            line[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&mut Decoder::default(), &line), [], "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_after_any_garbage(
            garbage in prop::collection::vec(any::<u8>(), 0..600),
            flag: bool,
            address in 0u8..=0x7D,
            data in prop::collection::vec(
                prop_oneof![Just(STX), any::<u8>()], 0..=DATA_MAX),
        ) {
            let sent = Packet { flag, address, data };
            let mut decoder = Decoder::default();
            decode(&mut decoder, &garbage);
            // A garbage start byte at the very end pairs with ours: the price of stuffing, paid
            // by the retransmission.
            decode(&mut decoder, &sent.encode());
            let heard = decode(&mut decoder, &sent.encode());
            prop_assert_eq!(heard.last(), Some(&sent));
        }
    }
}
