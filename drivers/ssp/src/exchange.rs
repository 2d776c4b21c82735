//! One command and its reply: sequence flag, retransmission, encryption [GA138 "Packet
//! Sequencing"].
//!
//! A packet may be sent again under the *same* flag as often as needed: a unit that executed it
//! only repeats its reply. So a command is executed at most once, also one that moves value. Once
//! the tries are used up, nobody knows whether it was; the line then counts as lost.

use std::time::Duration;

use domain::Mono;
use driver_api::Frame;

use crate::crypt::{Noise, STEX, Session};
use crate::frame::{Decoder, Packet};

/// The line to one unit, with at most one command under way.
pub(crate) struct Exchange {
    address: u8,
    timeout: Duration,
    tries_max: u32,
    decoder: Decoder,
    /// Flag of the next new command.
    flag: bool,
    pub(crate) session: Option<Session>,
    under_way: Option<UnderWay>,
    outgoing: Option<Frame>,
    /// Packets sent again since the start.
    pub(crate) retransmissions: u32,
}

struct UnderWay {
    line: Vec<u8>,
    flag: bool,
    is_sealed: bool,
    is_secret: bool,
    tries: u32,
    tries_max: u32,
    retry_at: Mono,
}

/// What became of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered. `after_gap`: only after a retransmission, so the unit might be another one now.
    Reply { data: Vec<u8>, after_gap: bool },
    /// Not answered, for all our tries. Whether it was executed is not known.
    Lost,
}

impl Exchange {
    pub(crate) fn new(address: u8, timeout: Duration, tries_max: u32) -> Self {
        Self {
            address,
            timeout,
            tries_max,
            decoder: Decoder::default(),
            flag: true,
            session: None,
            under_way: None,
            outgoing: None,
            retransmissions: 0,
        }
    }

    /// Forgets what is under way, the key, and the sequence: for a new start with a Sync.
    pub(crate) fn restart(&mut self) {
        self.session = None;
        self.under_way = None;
        self.outgoing = None;
        self.flag = true;
        self.decoder.reset();
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.is_none()
    }

    pub(crate) fn crc_errors(&self) -> u32 {
        self.decoder.crc_errors
    }

    /// Sends a command, encrypted where there is a key.
    pub(crate) fn send(&mut self, now: Mono, data: &[u8], noise: &mut Noise) {
        let data = match &mut self.session {
            Some(session) => session.seal(data, noise),
            None => data.to_vec(),
        };
        self.start(now, data, false, self.tries_max);
    }

    /// Sends a command in the clear and once: for the Sync, which is not numbered.
    pub(crate) fn send_sync(&mut self, now: Mono, data: &[u8]) {
        self.flag = true;
        self.start(now, data.to_vec(), false, 1);
    }

    /// Sends a part of the key exchange, which no recording shall show.
    pub(crate) fn send_secret(&mut self, now: Mono, data: &[u8]) {
        self.start(now, data.to_vec(), true, self.tries_max);
    }

    fn start(&mut self, now: Mono, data: Vec<u8>, is_secret: bool, tries_max: u32) {
        assert!(self.under_way.is_none(), "one command at a time");
        let is_sealed = data.first() == Some(&STEX);
        let packet = Packet { flag: self.flag, address: self.address, data };
        let line = packet.encode();
        self.outgoing = Some(Frame { bytes: line.clone(), secret: is_secret });
        self.under_way = Some(UnderWay {
            line,
            flag: self.flag,
            is_sealed,
            is_secret,
            tries: 1,
            tries_max,
            retry_at: now + self.timeout,
        });
        self.flag = !self.flag;
    }

    /// One byte from the line; the reply, where this was its last.
    pub(crate) fn take(&mut self, byte: u8) -> Option<Outcome> {
        let packet = self.decoder.push(byte)?;
        let sent = self.under_way.as_ref()?;
        if packet.address != self.address || packet.flag != sent.flag {
            return None;
        }
        let data = match (&self.session, packet.data.first()?) {
            (Some(session), &STEX) if sent.is_sealed => session.open(&packet.data)?,
            // A unit that lost its key says so in the clear; anything else in the clear could come
            // from anybody on the cable.
            (_, &KEY_NOT_SET) if sent.is_sealed => packet.data,
            _ if sent.is_sealed => return None,
            _ => packet.data,
        };
        let after_gap = sent.tries > 1;
        self.under_way = None;
        self.outgoing = None;
        Some(Outcome::Reply { data, after_gap })
    }

    /// Time passes: sends the packet again, or gives it up.
    pub(crate) fn tick(&mut self, now: Mono) -> Option<Outcome> {
        let sent = self.under_way.as_mut()?;
        if now < sent.retry_at {
            return None;
        }
        if sent.tries >= sent.tries_max {
            self.under_way = None;
            self.outgoing = None;
            return Some(Outcome::Lost);
        }
        sent.tries += 1;
        sent.retry_at = now + self.timeout;
        self.retransmissions = self.retransmissions.saturating_add(1);
        self.outgoing = Some(Frame { bytes: sent.line.clone(), secret: sent.is_secret });
        None
    }

    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.under_way.as_ref().map(|sent| sent.retry_at)
    }

    pub(crate) fn poll_write(&mut self) -> Option<Frame> {
        self.outgoing.take()
    }
}

/// Generic response of a unit that has no key, or another one.
pub(crate) const KEY_NOT_SET: u8 = 0xFA;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn reply(flag: bool, data: &[u8]) -> Vec<u8> {
        Packet { flag, address: 0, data: data.to_vec() }.encode()
    }

    fn take(exchange: &mut Exchange, line: &[u8]) -> Vec<Outcome> {
        line.iter().filter_map(|byte| exchange.take(*byte)).collect()
    }

    #[test]
    fn the_same_packet_goes_out_again_until_it_is_answered_or_given_up() {
        let mut noise = Noise::new(&[0; 16]);
        let mut exchange = Exchange::new(0, SECOND, 3);
        exchange.send(Mono(0), &[0x07], &mut noise);
        let first = exchange.poll_write().unwrap();
        assert_eq!(exchange.tick(Mono(999)), None);
        assert_eq!(exchange.poll_write(), None);
        for at in [1000, 2000] {
            assert_eq!(exchange.tick(Mono(at)), None);
            assert_eq!(exchange.poll_write(), Some(first.clone()));
        }
        assert_eq!(exchange.tick(Mono(3000)), Some(Outcome::Lost));
        assert_eq!(exchange.poll_write(), None);
        assert_eq!(exchange.retransmissions, 2);
    }

    #[test]
    fn a_stale_reply_and_a_strangers_are_ignored() {
        let mut noise = Noise::new(&[0; 16]);
        let mut exchange = Exchange::new(0, SECOND, 3);
        exchange.send(Mono(0), &[0x11], &mut noise);
        assert_eq!(take(&mut exchange, &reply(false, &[0xF0])), []);
        let stranger = Packet { flag: true, address: 0x10, data: vec![0xF0] };
        assert_eq!(take(&mut exchange, &stranger.encode()), []);
        let answer = take(&mut exchange, &reply(true, &[0xF0]));
        assert!(matches!(&answer[..], [Outcome::Reply { data, .. }] if data == &[0xF0]));
        assert_eq!(take(&mut exchange, &reply(true, &[0xF0])), [], "a second one");
    }

    #[test]
    fn under_a_key_nothing_in_the_clear_is_believed_but_that_the_key_is_gone() {
        let mut noise = Noise::new(&[0; 16]);
        let mut exchange = Exchange::new(0, SECOND, 3);
        exchange.session = Some(Session::new(1, 2));
        exchange.send(Mono(0), &[0x07], &mut noise);
        assert_eq!(take(&mut exchange, &reply(true, &[0xF0, 0xEE, 0x04])), []);
        let answer = take(&mut exchange, &reply(true, &[KEY_NOT_SET]));
        assert!(matches!(&answer[..], [Outcome::Reply { data, .. }] if data == &[KEY_NOT_SET]));
    }
}
