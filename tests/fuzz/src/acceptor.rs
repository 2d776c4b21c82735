//! A note validator on SSP that answers what it likes, on a line that does what it likes.

use domain::{Amount, Mono, NoteSet};
use driver_api::acceptor::{Command, Event};
use driver_api::{Link, Protocol};
use driver_ssp::{Config, Encryption, FACTORY_KEY, Ssp};

use crate::pieces::{Pieces, write};

/// The first piece chooses eSSP or none. Then each is something that happens; see `Line::happen`.
/// Was a note stacked?
pub fn run(input: &[u8]) -> bool {
    let Some((first, _)) = Pieces(input).next() else { return false };
    let mut line = Line::new(first % 2 == 1);
    for (kind, piece) in Pieces(input).skip(1) {
        line.happen(kind, piece);
    }
    line.stacked
}

/// A unit that is set up and takes a note of 20 €, as an input of [`run`].
pub fn one_note() -> Vec<u8> {
    let mut line = Line::new(false);
    let mut input = vec![0, 0];
    let mut put = |line: &mut Line, kind: u8, piece: &[u8]| {
        write(&mut input, kind, piece);
        line.happen(kind, piece);
    };
    put(&mut line, LINK, &[1]);
    let enable: &[u8] = &[0];
    put(&mut line, COMMAND, enable);
    let mut enabled = false;
    while !line.undecided {
        if !line.waits {
            put(&mut line, TIME, &[]);
        }
        enabled |= line.asked == 0x0A;
        let reply = match line.asked {
            0x05 => data_set(),
            0x0C => vec![0xF0, 0, 0, 0, 42],
            // In the clear no unit repeats its events, and this one counts nothing.
            0x56 | 0x58 => vec![0xF2],
            0x07 if enabled => vec![0xF0, 0xEF, 3],
            0x07 => vec![0xF0, 0xE8],
            _ => vec![0xF0],
        };
        put(&mut line, REPLY, &reply);
    }
    let stack: &[u8] = &[2];
    put(&mut line, COMMAND, stack);
    while !line.stacked {
        if !line.waits {
            put(&mut line, TIME, &[]);
        }
        let reply: &[u8] = if line.asked == 0x07 { &[0xF0, 0xEE, 3] } else { &[0xF0] };
        put(&mut line, REPLY, reply);
    }
    input
}

/// Worked reply of GA973 §8.3: EUR 5, 10, 20, 50 on level 6.
fn data_set() -> Vec<u8> {
    let mut reply =
        b"\xF0\x000335EUR\0\0\x01\x04\x05\x0A\x14\x32\x02\x02\x02\x02\0\0\x64\x06EUREUREUREUR"
            .to_vec();
    for value in [5u32, 10, 20, 50] {
        reply.extend(value.to_le_bytes());
    }
    reply
}

const REPLY: u8 = 0;
const NOISE: u8 = 1;
const TIME: u8 = 2;
const COMMAND: u8 = 3;
const LINK: u8 = 4;

/// `POLL` and `POLL WITH ACK`, each of which lets in a note that is in escrow [GA138 0x18].
const ACCEPTING: [u8; 2] = [0x07, 0x56];
const REJECT: u8 = 0x08;

struct Line {
    driver: Ssp,
    now: Mono,
    encrypted: bool,
    /// Of the last packet from the driver.
    head: u8,
    asked: u8,
    /// For a reply to it.
    waits: bool,
    /// The core knows of a note in escrow and has not said what to do with it.
    undecided: bool,
    stacked: bool,
}

impl Line {
    fn new(encrypted: bool) -> Self {
        let key = Encryption { fixed_key: FACTORY_KEY, seed: [1; 16] };
        let config = if encrypted { Config::encrypted(key) } else { Config::plain() };
        Self {
            driver: Ssp::new(config),
            now: Mono(0),
            encrypted,
            head: 0,
            asked: 0,
            waits: false,
            undecided: false,
            stacked: false,
        }
    }

    fn happen(&mut self, kind: u8, piece: &[u8]) {
        let first = piece.first().copied().unwrap_or(0);
        match kind % 5 {
            REPLY => {
                self.waits = false;
                self.driver.handle_bytes(self.now, &packet(self.head, piece));
            }
            NOISE => self.driver.handle_bytes(self.now, piece),
            TIME => {
                let due = self.driver.poll_timeout().map(|(at, _)| at);
                self.now = due.map_or(self.now, |at| at.max(self.now));
                self.driver.handle_timeout(self.now);
            }
            COMMAND => self.command(first),
            _ => {
                let link = if first % 2 == 1 { Link::Up } else { Link::Down };
                self.driver.handle_link(self.now, link);
            }
        }
        self.drain();
    }

    fn command(&mut self, which: u8) {
        let command = match which % 6 {
            0 => Command::Enable(NoteSet::of([5, 10, 20, 50].map(Amount::euro))),
            1 => Command::Disable,
            2 => Command::Stack,
            3 => Command::Return,
            4 => Command::Acknowledge,
            _ => Command::Reset,
        };
        if matches!(command, Command::Stack | Command::Return) {
            self.undecided = false;
        }
        self.driver.handle_command(self.now, command).expect("never busy");
    }

    fn drain(&mut self) {
        while let Some(event) = self.driver.poll_event() {
            match event {
                Event::Escrowed(_) => self.undecided = true,
                Event::Stacked(_) => (self.undecided, self.stacked) = (false, true),
                Event::Returned(_) | Event::Recovered { .. } | Event::LinkLost => {
                    self.undecided = false
                }
                Event::Ready(_)
                | Event::Reading
                | Event::Rejected(_)
                | Event::UnitRemoved
                | Event::UnitInserted
                | Event::Fault(_)
                | Event::Cleared(_) => {}
            }
        }
        while let Some(frame) = self.driver.poll_write() {
            self.head = frame.bytes[1];
            self.waits = true;
            if self.encrypted {
                continue;
            }
            self.asked = frame.bytes[3];
            self.undecided &= self.asked != REJECT;
            assert!(
                !(self.undecided && ACCEPTING.contains(&self.asked)),
                "a poll lets in a note that nobody has ordered"
            );
        }
    }
}

/// As the unit sends it: with the right CRC [GA138 §3], which no fuzzer guesses.
fn packet(head: u8, data: &[u8]) -> Vec<u8> {
    let mut body = vec![head, u8::try_from(data.len()).unwrap_or(u8::MAX)];
    body.extend(data.iter().take(255));
    let mut crc = 0xFFFF_u16;
    for byte in &body {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x8005 };
        }
    }
    body.extend(crc.to_le_bytes());
    let stuffed =
        body.into_iter().flat_map(|byte| std::iter::once(byte).chain((byte == STX).then_some(STX)));
    std::iter::once(STX).chain(stuffed).collect()
}

const STX: u8 = 0x7F;
