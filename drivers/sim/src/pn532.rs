//! A PN532 on a serial line [NXP UM0701-02], as libnfc drives it: the way for other people's
//! programs to look at our virtual card without PC/SC and without a line of our code.

mod frame;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::AbortHandle;
use tracing::{debug, warn};

use crate::card::{Card, Classic, Nak, Side, ValueOperation};
use crate::pty::Pty;
use crate::reader::Reader;
use frame::{ACK, Parser, SYNTAX_ERROR, Token, response};

/// A PN532 that can be reached at a pty, until this is dropped.
#[derive(Debug)]
pub struct Pn532Server {
    task: AbortHandle,
}

impl Pn532Server {
    /// Makes `link` a serial line to a PN532 in the field of `reader`; one host after the other.
    /// Must run in a tokio context.
    ///
    /// # Errors
    /// As [`Pty::plug`].
    pub fn plug(reader: Reader, link: impl Into<PathBuf>) -> io::Result<Self> {
        let link = link.into();
        let first = Pty::plug(&link)?;
        let task = tokio::spawn(serve(reader, link, first)).abort_handle();
        Ok(Self { task })
    }
}

impl Drop for Pn532Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(reader: Reader, link: PathBuf, mut pty: Pty) {
    loop {
        if let Err(error) = converse(&mut Pn532::new(reader.clone()), &mut pty).await {
            debug!(%error, "PN532 line");
        }
        pty = match Pty::plug(&link) {
            Ok(pty) => pty,
            Err(error) => return warn!(%error, "no new line for the PN532"),
        };
    }
}

/// Until the host hangs up.
async fn converse<L>(chip: &mut Pn532, line: &mut L) -> io::Result<()>
where
    L: AsyncRead + AsyncWrite + Unpin,
{
    let mut parser = Parser::default();
    let mut buffer = [0; 512];
    loop {
        let count = line.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        for byte in &buffer[..count] {
            match parser.push(*byte) {
                Some(Token::Command(command)) => {
                    line.write_all(&ACK).await?;
                    match chip.command(&command) {
                        Some(answer) => line.write_all(&response(&answer)).await?,
                        None => line.write_all(&SYNTAX_ERROR).await?,
                    }
                }
                // The host gives up a command that we have answered already.
                Some(Token::Ack) | None => {}
            }
        }
    }
}

struct Pn532 {
    reader: Reader,
    registers: BTreeMap<[u8; 2], u8>,
}

/// First byte of what InDataExchange answers [UM0701-02 §7.1].
const OK: u8 = 0x00;
const TIME_OUT: u8 = 0x01;
const AUTHENTICATION_ERROR: u8 = 0x14;
const WRONG_CONTEXT: u8 = 0x27;

impl Pn532 {
    fn new(reader: Reader) -> Self {
        Self { reader, registers: BTreeMap::new() }
    }

    /// The answer's code and data, or nothing to a command that does not exist.
    fn command(&mut self, command: &[u8]) -> Option<Vec<u8>> {
        let (code, data) = command.split_first()?;
        let mut answer = vec![code.wrapping_add(1)];
        match code {
            // Diagnose: is the card still there; the line test is the echo of what came.
            0x00 if data == [0x06] => answer.push(match self.reader.with_card(|_| ()) {
                Some(()) => OK,
                None => TIME_OUT,
            }),
            0x00 => answer.extend(data),
            // GetFirmwareVersion: PN532 1.6, all of ISO 14443 and 18092.
            0x02 => answer.extend([0x32, 0x01, 0x06, 0x07]),
            // ReadRegister, WriteRegister.
            0x06 => answer.extend(self.registers(data)),
            0x08 => self.write_registers(data),
            // SetParameters, SAMConfiguration, RFConfiguration.
            0x12 | 0x14 | 0x32 => {}
            // PowerDown.
            0x16 => answer.push(OK),
            // InDataExchange, after the target's number.
            0x40 => answer.extend(self.exchange(data.get(1..)?)),
            // InCommunicateThru: no card answers raw bits here.
            0x42 => answer.push(TIME_OUT),
            // InDeselect, InRelease.
            0x44 | 0x52 => answer.push(OK),
            // InSelect.
            0x54 => answer.push(match self.reader.with_card(Card::activate) {
                Some(()) => OK,
                None => WRONG_CONTEXT,
            }),
            0x4A => answer.extend(self.list(data)),
            0x60 => answer.extend(self.poll(data)),
            _ => return None,
        }
        Some(answer)
    }

    fn registers(&self, data: &[u8]) -> Vec<u8> {
        let (addresses, _) = data.as_chunks::<2>();
        let value = |address| self.registers.get(address).copied().unwrap_or(0);
        addresses.iter().map(value).collect()
    }

    fn write_registers(&mut self, data: &[u8]) {
        let (writes, _) = data.as_chunks::<3>();
        self.registers.extend(writes.iter().map(|[high, low, value]| ([*high, *low], *value)));
    }

    /// InListPassiveTarget: how many, at which speed, and which one [§7.3.5].
    fn list(&self, data: &[u8]) -> Vec<u8> {
        let [_max, 0x00, wanted @ ..] = data else { return vec![0] };
        let found = self.reader.with_card(|card| {
            let is_wanted = wanted.is_empty() || wanted == card.uid();
            is_wanted.then(|| {
                card.activate();
                target(card)
            })
        });
        match found.flatten() {
            Some(target) => [&[1], &target[..]].concat(),
            None => vec![0],
        }
    }

    /// InAutoPoll: how often, how long, which kinds [§7.3.13]. Polls once.
    fn poll(&self, data: &[u8]) -> Vec<u8> {
        const GENERIC_106_A: u8 = 0x00;
        const MIFARE: u8 = 0x10;
        let kinds = data.get(2..).unwrap_or(&[]);
        let Some(kind) = kinds.iter().find(|kind| matches!(**kind, GENERIC_106_A | MIFARE)) else {
            return vec![0];
        };
        let found = self.reader.with_card(|card| {
            card.activate();
            target(card)
        });
        match found {
            Some(target) => {
                let len = u8::try_from(target.len()).expect("a target is a few bytes");
                [&[1, *kind, len], &target[..]].concat()
            }
            None => vec![0],
        }
    }

    fn exchange(&self, data: &[u8]) -> Vec<u8> {
        let answer = self.reader.with_card(|card| match card {
            Card::Classic(card) => classic(card, data),
            Card::Processor(card) => [&[OK], &card.apdu(data)[..]].concat(),
        });
        answer.unwrap_or_else(|| vec![TIME_OUT])
    }
}

/// Number, ATQA, SAK, UID, and the ATS of a card that has one.
fn target(card: &Card) -> Vec<u8> {
    let mut target = vec![1];
    target.extend(card.atqa());
    target.extend([card.sak(), 4]);
    target.extend(card.uid());
    match card {
        Card::Classic(_) => {}
        Card::Processor(_) => target.extend([0x05, 0x78, 0x80, 0x70, 0x02]),
    }
    target
}

/// A MIFARE command as the PN532 passes it on [§7.3.8].
fn classic(card: &mut Classic, data: &[u8]) -> Vec<u8> {
    let done = match *data {
        [kind @ (0x60 | 0x61), block, a, b, c, d, e, f, ..] => {
            let side = if kind == 0x60 { Side::A } else { Side::B };
            return match card.authenticate(block, side, [a, b, c, d, e, f]) {
                Ok(()) => vec![OK],
                Err(Nak) => vec![AUTHENTICATION_ERROR],
            };
        }
        [0x30, block] => {
            return match card.read(block) {
                Ok(data) => [&[OK], &data[..]].concat(),
                Err(Nak) => vec![TIME_OUT],
            };
        }
        [0xA0, block, ref data @ ..] => match data.try_into() {
            Ok(data) => card.write(block, data),
            Err(_) => Err(Nak),
        },
        [0xC0, block, a, b, c, d] => {
            card.operate(block, ValueOperation::Decrement(i32::from_le_bytes([a, b, c, d])))
        }
        [0xC1, block, a, b, c, d] => {
            card.operate(block, ValueOperation::Increment(i32::from_le_bytes([a, b, c, d])))
        }
        [0xC2, block, ..] => card.operate(block, ValueOperation::Restore),
        [0xB0, block] => card.transfer(block),
        _ => Err(Nak),
    };
    // A card that refuses falls silent, and that is all the PN532 notices.
    vec![if done.is_ok() { OK } else { TIME_OUT }]
}
