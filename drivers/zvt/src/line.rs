//! APDUs over either transport.

use std::collections::VecDeque;

use driver_api::Frame;

use crate::apdu::Apdu;
use crate::config::Transport;
use crate::serial::{self, ACK, Decoder, NAK, Sign};

/// The way to one terminal.
///
/// A serial block that the terminal calls damaged is sent again, but never one that moves value:
/// the NAK may itself be noise. That one then counts as unanswered.
#[derive(Debug)]
pub(crate) struct Line {
    transport: Transport,
    /// TCP: the beginning of an APDU.
    stream: Vec<u8>,
    decoder: Decoder,
    /// What a NAK makes us send again.
    repeatable: Option<Repeatable>,
    outgoing: VecDeque<Frame>,
}

#[derive(Debug)]
struct Repeatable {
    frame: Frame,
    repeats: u8,
}

/// A block goes out no more often than this [PA00P016].
const TRIES_MAX: u8 = 3;

impl Line {
    pub(crate) fn new(transport: Transport) -> Self {
        Self {
            transport,
            stream: Vec::new(),
            decoder: Decoder::default(),
            repeatable: None,
            outgoing: VecDeque::new(),
        }
    }

    /// Forgets everything: another connection.
    pub(crate) fn restart(&mut self) {
        *self = Self::new(self.transport);
    }

    /// Forgets the beginning of what did not go on in time.
    pub(crate) fn forget_partial(&mut self) {
        self.stream.clear();
        self.decoder = Decoder::default();
    }

    pub(crate) fn send(&mut self, apdu: &Apdu) {
        let frame = self.frame(apdu);
        self.repeatable = Some(Repeatable { frame: frame.clone(), repeats: 0 });
        self.outgoing.push_back(frame);
    }

    /// Sends what moves value.
    pub(crate) fn send_once(&mut self, apdu: &Apdu) {
        let frame = self.frame(apdu);
        self.repeatable = None;
        self.outgoing.push_back(frame);
    }

    /// Passwords, and in answers cards, are nobody's business.
    fn frame(&self, apdu: &Apdu) -> Frame {
        let bytes = match self.transport {
            Transport::Tcp => apdu.encode(),
            Transport::Serial => serial::encode(apdu),
        };
        if apdu.data.is_empty() { Frame::open(bytes) } else { Frame::secret(bytes) }
    }

    /// Bytes as they came; the APDUs they complete.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Vec<Apdu> {
        match self.transport {
            Transport::Tcp => self.receive_stream(bytes),
            Transport::Serial => bytes.iter().filter_map(|byte| self.receive_byte(*byte)).collect(),
        }
    }

    fn receive_stream(&mut self, bytes: &[u8]) -> Vec<Apdu> {
        self.stream.extend(bytes);
        let mut apdus = Vec::new();
        let mut read = 0;
        while let Some((apdu, length)) = Apdu::decode(&self.stream[read..]) {
            apdus.push(apdu);
            read += length;
        }
        self.stream.drain(..read);
        apdus
    }

    fn receive_byte(&mut self, byte: u8) -> Option<Apdu> {
        match self.decoder.push(byte)? {
            Sign::Block(apdu) => {
                self.outgoing.push_back(Frame::open(vec![ACK]));
                Some(apdu)
            }
            Sign::Damaged => {
                self.outgoing.push_back(Frame::open(vec![NAK]));
                None
            }
            Sign::Ack => {
                self.repeatable = None;
                None
            }
            Sign::Nak => {
                if let Some(sent) = &mut self.repeatable
                    && sent.repeats + 1 < TRIES_MAX
                {
                    sent.repeats += 1;
                    self.outgoing.push_back(sent.frame.clone());
                }
                None
            }
        }
    }

    pub(crate) fn poll_write(&mut self) -> Option<Frame> {
        self.outgoing.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_that_looks_like_a_nak_never_repeats_what_moves_value() {
        let mut line = Line::new(Transport::Serial);
        line.send_once(&Apdu::new(0x06, 0x01, vec![4, 0, 0, 0, 0, 0x20, 0]));
        assert!(line.poll_write().is_some_and(|frame| frame.secret));
        line.receive(&[NAK]);
        assert_eq!(line.poll_write(), None);
    }

    #[test]
    fn half_an_apdu_waits_for_its_other_half_or_is_forgotten() {
        let mut line = Line::new(Transport::Tcp);
        assert_eq!(line.receive(&[0x06, 0x0F]), []);
        assert_eq!(line.receive(&[0x00]), [Apdu::new(0x06, 0x0F, Vec::new())]);
        assert_eq!(line.receive(&[0x04, 0x0F, 0xFF, 0xFF]), []);
        line.forget_partial();
        assert_eq!(line.receive(&[0x80, 0x00, 0x00]), [Apdu::taken()]);
    }
}
