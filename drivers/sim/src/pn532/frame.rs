//! Frames of the host link [UM0701-02 §6.2.1].

/// What a host may send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Command code and data.
    Command(Vec<u8>),
    Ack,
}

pub(super) const ACK: [u8; 6] = [0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00];
pub(super) const SYNTAX_ERROR: [u8; 8] = [0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00];

const FROM_HOST: u8 = 0xD4;
const TO_HOST: u8 = 0xD5;

/// The longest data of an extended frame [§7.3.8]: 264 bytes and what stands before them.
const LEN_MAX: usize = 267;

/// Finds frames in a stream of bytes; what is none (the wake-up preamble) is passed over.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// From the start code's first byte on.
    bytes: Vec<u8>,
}

impl Parser {
    /// At most one frame ends with a byte.
    pub(super) fn push(&mut self, byte: u8) -> Option<Token> {
        self.bytes.push(byte);
        loop {
            match examine(&self.bytes) {
                Verdict::Partial => return None,
                Verdict::Token(token) => {
                    self.bytes.clear();
                    return Some(token);
                }
                Verdict::NotAFrame => {
                    // Perhaps a frame begins later in what we have.
                    self.bytes.remove(0);
                }
            }
        }
    }
}

enum Verdict {
    Partial,
    Token(Token),
    NotAFrame,
}

/// Looks at bytes that should begin with `00 FF`.
fn examine(bytes: &[u8]) -> Verdict {
    let (len, body) = match bytes {
        [] | [0x00] | [0x00, 0xFF] | [0x00, 0xFF, _] => return Verdict::Partial,
        [0x00, 0xFF, 0x00, 0xFF, ..] => return Verdict::Token(Token::Ack),
        [0x00, 0xFF, 0xFF, 0xFF, head @ ..] => match head {
            [high, low, check, body @ ..] => {
                if high.wrapping_add(*low).wrapping_add(*check) != 0 {
                    return Verdict::NotAFrame;
                }
                (usize::from(u16::from_be_bytes([*high, *low])), body)
            }
            _ => return Verdict::Partial,
        },
        [0x00, 0xFF, len, check, body @ ..] if len.wrapping_add(*check) == 0 => {
            (usize::from(*len), body)
        }
        _ => return Verdict::NotAFrame,
    };
    if !(2..=LEN_MAX).contains(&len) {
        return Verdict::NotAFrame;
    }
    // Data and its check byte; the postamble after it is nobody's frame.
    let Some(body) = body.get(..=len) else { return Verdict::Partial };
    let sum = body.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    match body {
        [FROM_HOST, command @ .., _check] if sum == 0 => {
            Verdict::Token(Token::Command(command.to_vec()))
        }
        _ => Verdict::NotAFrame,
    }
}

/// An information frame to the host.
pub(super) fn response(answer: &[u8]) -> Vec<u8> {
    let len = u8::try_from(answer.len() + 1).expect("no answer of ours is long");
    let mut frame = vec![0x00, 0x00, 0xFF, len, len.wrapping_neg(), TO_HOST];
    frame.extend(answer);
    let sum = frame[5..].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    frame.extend([sum.wrapping_neg(), 0x00]);
    frame
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(bytes: &[u8]) -> Vec<Token> {
        let mut parser = Parser::default();
        bytes.iter().filter_map(|byte| parser.push(*byte)).collect()
    }

    /// As libnfc opens the line: wake-up, then GetFirmwareVersion.
    #[test]
    fn a_command_after_the_wake_up() {
        let mut bytes = vec![0x55, 0x55, 0x00, 0x00, 0x00, 0x00];
        bytes.extend([0x00, 0x00, 0xFF, 0x02, 0xFE, 0xD4, 0x02, 0x2A, 0x00]);
        bytes.extend(ACK);
        assert_eq!(tokens(&bytes), [Token::Command(vec![0x02]), Token::Ack]);
    }

    #[test]
    fn an_extended_frame() {
        let bytes = [0x00, 0x00, 0xFF, 0xFF, 0xFF, 0x00, 0x02, 0xFE, 0xD4, 0x02, 0x2A, 0x00];
        assert_eq!(tokens(&bytes), [Token::Command(vec![0x02])]);
    }

    #[test]
    fn a_wrong_check_byte_is_no_frame_and_the_next_one_is() {
        let mut bytes = vec![0x00, 0xFF, 0x02, 0xFE, 0xD4, 0x02, 0x2B];
        bytes.extend([0x00, 0xFF, 0x02, 0xFE, 0xD4, 0x02, 0x2A]);
        assert_eq!(tokens(&bytes), [Token::Command(vec![0x02])]);
    }

    #[test]
    fn the_answer_of_the_manual() {
        let answer = response(&[0x03, 0x32, 0x01, 0x06, 0x07]);
        assert_eq!(
            answer,
            [0x00, 0x00, 0xFF, 0x06, 0xFA, 0xD5, 0x03, 0x32, 0x01, 0x06, 0x07, 0xE8, 0x00]
        );
    }

    proptest! {
        #[test]
        fn after_any_noise_a_frame_is_found(noise: Vec<u8>) {
            let mut parser = Parser::default();
            for byte in noise {
                parser.push(byte);
                prop_assert!(parser.bytes.len() <= LEN_MAX + 8);
            }
            // Longer than whatever frame the noise had begun.
            let mut quiet = vec![0x55; LEN_MAX + 8];
            quiet.extend([0x00, 0xFF, 0x02, 0xFE, 0xD4, 0x02, 0x2A]);
            let last = quiet.into_iter().filter_map(|byte| parser.push(byte)).last();
            prop_assert_eq!(last, Some(Token::Command(vec![0x02])));
        }
    }
}
