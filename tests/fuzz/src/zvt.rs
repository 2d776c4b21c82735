//! A card terminal on ZVT that says what it likes, on a line that does what it likes.

use std::collections::BTreeMap;

use domain::{Amount, Mono};
use driver_api::payment_terminal::{Capture, Command, Event, Mark, Operation, Outcome, Question};
use driver_api::{Link, Protocol};
use driver_zvt::{Config, Zvt};

use crate::pieces::{Pieces, write};

/// The first piece chooses the transport. Then each is something that happens; see
/// `Till::happen`. Was a payment approved?
pub fn run(input: &[u8]) -> bool {
    let Some((first, _)) = Pieces(input).next() else { return false };
    let mut till = Till::new(first % 2 == 1);
    for (kind, piece) in Pieces(input).skip(1) {
        till.happen(kind, piece);
    }
    till.approved
}

/// A payment of 20 € at a terminal that is in order, as an input of [`run`].
pub fn one_payment() -> Vec<u8> {
    let mut till = Till::new(true);
    let mut input = vec![1, 0];
    let mut put = |till: &mut Till, kind: u8, piece: &[u8]| {
        write(&mut input, kind, piece);
        till.happen(kind, piece);
    };
    put(&mut till, LINK, &[1]);
    while !till.approved {
        if till.is_ready {
            put(&mut till, COMMAND, &[0]);
        }
        let asked = std::mem::take(&mut till.asked);
        put(&mut till, MESSAGE, &[0x80, 0x00]);
        match asked {
            [0x06, 0x20] => put(&mut till, MESSAGE, &[0x06, 0x1E, 0x6D]),
            [0x06, 0x01] => {
                put(&mut till, MESSAGE, &[0x04, 0xFF, 0x0A]);
                put(&mut till, MESSAGE, STATUS);
                put(&mut till, MESSAGE, &[0x06, 0x0F]);
            }
            _ => put(&mut till, MESSAGE, &[0x06, 0x0F]),
        }
    }
    input
}

/// `04 0F`: approved, 20 €, receipt 8, trace 71.
const STATUS: &[u8] =
    &[0x04, 0x0F, 0x27, 0, 0x04, 0, 0, 0, 0, 0x20, 0, 0x87, 0, 8, 0x0B, 0, 0, 0x71];

const MESSAGE: u8 = 0;
const BYTES: u8 = 1;
const TIME: u8 = 2;
const COMMAND: u8 = 3;
const LINK: u8 = 4;

struct Till {
    driver: Zvt,
    is_serial: bool,
    now: Mono,
    mark: Option<Mark>,
    is_ready: bool,
    /// Class and instruction of the last command.
    asked: [u8; 2],
    /// Commands that moved value.
    moved: usize,
    /// Orders, and how often each was answered.
    orders: BTreeMap<Operation, u8>,
    approved: bool,
}

impl Till {
    fn new(is_serial: bool) -> Self {
        Self {
            driver: Zvt::new(if is_serial { Config::serial() } else { Config::tcp() }),
            is_serial,
            now: Mono(0),
            mark: None,
            is_ready: false,
            asked: [0; 2],
            moved: 0,
            orders: BTreeMap::new(),
            approved: false,
        }
    }

    fn happen(&mut self, kind: u8, piece: &[u8]) {
        let first = piece.first().copied().unwrap_or(0);
        match kind % 5 {
            MESSAGE => {
                let bytes = self.frame(piece);
                self.driver.handle_bytes(self.now, &bytes);
            }
            BYTES => self.driver.handle_bytes(self.now, piece),
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
        let operation = Operation(u32::try_from(self.orders.len()).unwrap_or(u32::MAX));
        let (amount, mark) = (Amount::euro(20), self.mark.clone());
        let capture = if which & 8 == 0 { Capture::AtOnce } else { Capture::WhenIssued };
        let command = match which % 6 {
            0 => Command::Authorise { operation, amount, mark, capture },
            1 => Command::AskStatus(Question { operation, amount, mark, reversal_of: None }),
            2 => Command::Abort,
            3 => Command::Issued(operation),
            4 => Command::NotIssued(operation),
            _ => Command::EndOfDay,
        };
        let is_order = matches!(command, Command::Authorise { .. });
        if self.driver.handle_command(self.now, command).is_ok() && is_order {
            self.is_ready = false;
            self.orders.insert(operation, 0);
        }
    }

    fn drain(&mut self) {
        while let Some(frame) = self.driver.poll_write() {
            let at = if self.is_serial { 2 } else { 0 };
            if let Some(&[class, instr]) = frame.bytes.get(at..at + 2)
                && class != 0x80
                && class != 0x84
            {
                self.asked = [class, instr];
                self.moved += usize::from(self.asked == [0x06, 0x01]);
            }
        }
        assert!(self.moved <= self.orders.len(), "an order goes out once");
        while let Some(event) = self.driver.poll_event() {
            match event {
                Event::Ready(unit) => (self.mark, self.is_ready) = (unit.mark, true),
                Event::Idle { mark } => (self.mark, self.is_ready) = (mark, true),
                Event::Finished { operation, outcome } => {
                    let answers = self.orders.entry(operation).or_default();
                    *answers += 1;
                    assert_eq!(*answers, 1, "{operation:?} is answered once");
                    if let Outcome::Approved(approval) = outcome {
                        assert_eq!(approval.amount, Amount::euro(20), "and no other amount");
                        self.approved = true;
                    }
                }
                Event::LinkLost => self.is_ready = false,
                Event::Hint(_)
                | Event::Held { .. }
                | Event::Status { .. }
                | Event::DayEnded(_)
                | Event::Fault(_)
                | Event::Cleared(_) => {}
            }
        }
    }

    /// Class, instruction and data as the terminal sends them: with a length, and on a serial line
    /// with the right checksum [PA00P016], which no fuzzer guesses.
    fn frame(&self, message: &[u8]) -> Vec<u8> {
        let (code, data) = message.split_at(message.len().min(2));
        let length = u8::try_from(data.len()).unwrap_or(u8::MAX).min(0xFE);
        let mut body = code.to_vec();
        body.push(length);
        body.extend(data.iter().take(length.into()));
        if !self.is_serial {
            return body;
        }
        let mut line = vec![0x10, 0x02];
        for byte in &body {
            line.extend(std::iter::repeat_n(*byte, if *byte == 0x10 { 2 } else { 1 }));
        }
        line.extend([0x10, 0x03]);
        let mut crc = 0_u16;
        for byte in body.iter().chain(&[0x03]) {
            crc ^= u16::from(*byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ if crc & 1 == 0 { 0 } else { 0x8408 };
            }
        }
        line.extend(crc.to_le_bytes());
        line
    }
}
