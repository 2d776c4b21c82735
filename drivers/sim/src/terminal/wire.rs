//! The terminal's side of both transports, written from PA00P015 and PA00P016 alone.

use super::Transport;
use super::bank::Transaction;

/// A message as it came: class and instruction, data.
pub(super) type Message = ([u8; 2], Vec<u8>);

/// Collects the bytes of messages.
#[derive(Debug)]
pub(super) struct Receiver {
    transport: Transport,
    bytes: Vec<u8>,
}

/// What came, and what the transport itself answers.
pub(super) struct Received {
    pub(super) messages: Vec<Message>,
    pub(super) answers: Vec<u8>,
}

impl Receiver {
    pub(super) fn new(transport: Transport) -> Self {
        Self { transport, bytes: Vec::new() }
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) -> Received {
        self.bytes.extend(bytes);
        let mut received = Received { messages: Vec::new(), answers: Vec::new() };
        match self.transport {
            Transport::Tcp => {
                while let Some((message, length)) = message(&self.bytes) {
                    received.messages.push(message);
                    self.bytes.drain(..length);
                }
            }
            Transport::Serial => while self.block(&mut received) {},
        }
        received
    }

    /// One block or byte of an answer; `false` = no more.
    fn block(&mut self, received: &mut Received) -> bool {
        // ACK, NAK and noise between blocks: it repeats nothing by itself.
        let start = self.bytes.windows(2).position(|pair| pair == [0x10, 0x02]);
        let Some(start) = start else {
            let keep = usize::from(self.bytes.last() == Some(&0x10));
            self.bytes.drain(..self.bytes.len() - keep);
            return false;
        };
        self.bytes.drain(..start);
        let mut body = Vec::new();
        let mut place = 2;
        loop {
            match self.bytes[place..] {
                [0x10, 0x10, ..] => {
                    body.push(0x10);
                    place += 2;
                }
                [0x10, 0x03, low, high, ..] => {
                    self.bytes.drain(..place + 4);
                    body.push(0x03);
                    let is_whole = checksum(&body) == [low, high];
                    body.pop();
                    match message(&body).filter(|_| is_whole) {
                        Some((message, _)) => {
                            received.answers.push(0x06);
                            received.messages.push(message);
                        }
                        None => received.answers.push(0x15),
                    }
                    return true;
                }
                [0x10] | [0x10, 0x03] | [0x10, 0x03, _] | [] => return false,
                [0x10, ..] => {
                    self.bytes.drain(..place + 1);
                    received.answers.push(0x15);
                    return true;
                }
                [byte, ..] => {
                    body.push(byte);
                    place += 1;
                }
            }
        }
    }
}

fn message(bytes: &[u8]) -> Option<(Message, usize)> {
    let code = [*bytes.first()?, *bytes.get(1)?];
    let (start, length) = match *bytes.get(2)? {
        0xFF => (5, usize::from(*bytes.get(3)?) + usize::from(*bytes.get(4)?) * 256),
        length => (3, usize::from(length)),
    };
    let data = bytes.get(start..start + length)?;
    Some(((code, data.to_vec()), start + length))
}

/// The bytes of a message of the terminal; the simulator's are all short.
pub(super) fn encode(transport: Transport, code: [u8; 2], data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len()).expect("the firmware's messages are short");
    assert!(length < 0xFF, "the firmware's messages are short");
    let body: Vec<u8> = code.into_iter().chain([length]).chain(data.iter().copied()).collect();
    match transport {
        Transport::Tcp => body,
        Transport::Serial => {
            let mut line = vec![0x10, 0x02];
            for byte in &body {
                line.extend(std::iter::repeat_n(*byte, if *byte == 0x10 { 2 } else { 1 }));
            }
            line.extend([0x10, 0x03]);
            let summed: Vec<u8> = body.into_iter().chain([0x03]).collect();
            line.extend(checksum(&summed));
            line
        }
    }
}

/// x^16 + x^12 + x^5 + 1, backwards, seed 0; low byte first.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut crc = 0_u16;
    for byte in bytes {
        for bit in 0..8 {
            let feedback = (crc & 1 == 1) ^ (byte >> bit & 1 == 1);
            crc >>= 1;
            if feedback {
                crc ^= 0x8408;
            }
        }
    }
    crc.to_le_bytes()
}

/// Decimal digits, two to a byte.
pub(super) fn digits(number: u64, count: usize) -> Vec<u8> {
    let text = format!("{number:0width$}", width = count * 2);
    let tail = &text.as_bytes()[text.len() - count * 2..];
    tail.chunks(2).map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0')).collect()
}

/// The data of a status information about this transaction.
pub(super) fn status(transaction: &Transaction) -> Vec<u8> {
    let mut data = vec![0x27, transaction.result, 0x04];
    data.extend(digits(transaction.cents, 6));
    data.push(0x0B);
    data.extend(digits(u64::from(transaction.trace), 3));
    data.extend([0x0C, 0x12, 0x34, 0x56, 0x0D, 0x11, 0x21]);
    data.extend([0x22, 0xF0, 0xF8, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0x47, 0x11]);
    data.push(0x29);
    data.extend(digits(TERMINAL, 4));
    data.push(0x2A);
    data.extend(b"100461763      ");
    if let Some(original) = transaction.original {
        data.push(0x37);
        data.extend(digits(u64::from(original), 3));
    }
    data.push(0x3B);
    data.extend(b"611804\0\0");
    data.extend([0x49, 0x09, 0x78, 0x87]);
    data.extend(digits(u64::from(transaction.receipt), 2));
    data.extend([0x8A, 0x0A, 0x8B, 0xF0, 0xF5]);
    data.extend(b"Visa\0");
    // Two objects of four bytes, and an application of eleven.
    data.extend([0x06, 19, 0x1F, 0x12, 0x01, transaction.technology]);
    data.extend([0x1F, 0x10, 0x01, transaction.proof]);
    data.extend([0x60, 9, 0x43, 7, 0xA0, 0, 0, 0, 0x03, 0x10, 0x10]);
    data
}

/// Its id at the acquirer.
pub(super) const TERMINAL: u64 = 28_004_869;
