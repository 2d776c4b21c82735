//! How deep the devices go. Rig A: as their classes see them, fast. Rig B: firmware models, bytes
//! on a cable, and the real protocol crates. The rest of the world is the same.

use std::fmt;
use std::str::FromStr;

use driver_api::{acceptor, card_reader, payment_terminal, printer};

use crate::oracle::NoteId;
use crate::stage::Stage;
use crate::{peripherals, terminal, wired};

/// Which devices this world has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rig {
    /// The note validator.
    pub validator: Depth,
    /// The card reader.
    pub reader: Depth,
    /// The receipt printer.
    pub printer: Depth,
    /// The bank-card terminal.
    pub terminal: Speech,
}

/// How deep a device goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// As its class sees it.
    #[default]
    Class,
    /// Firmware, cable and driver.
    Bytes,
}

/// What the bank-card terminal speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speech {
    /// Nothing: it is as its class sees it.
    #[default]
    Class,
    /// ZVT, over bytes.
    Zvt,
    /// nexo, over requests and replies.
    Nexo,
    /// One of these: the seed decides.
    Either,
}

impl Rig {
    /// Rig A.
    pub const CLASS: Self = Self {
        validator: Depth::Class,
        reader: Depth::Class,
        printer: Depth::Class,
        terminal: Speech::Class,
    };

    /// Rig B.
    pub const BYTES: Self = Self {
        validator: Depth::Bytes,
        reader: Depth::Bytes,
        printer: Depth::Bytes,
        terminal: Speech::Either,
    };
}

impl FromStr for Rig {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "class" => return Ok(Self::CLASS),
            "bytes" => return Ok(Self::BYTES),
            _ => {}
        }
        let mut rig = Self::CLASS;
        for name in text.split(',') {
            match name {
                "validator" => rig.validator = Depth::Bytes,
                "reader" => rig.reader = Depth::Bytes,
                "printer" => rig.printer = Depth::Bytes,
                "terminal" => rig.terminal = Speech::Either,
                "zvt" => rig.terminal = Speech::Zvt,
                "nexo" => rig.terminal = Speech::Nexo,
                other => {
                    return Err(format!(
                        "{other:?} is not class or bytes, and no list of validator, reader, \
                         printer, terminal (or zvt, or nexo)"
                    ));
                }
            }
        }
        Ok(rig)
    }
}

impl fmt::Display for Rig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::CLASS => return f.write_str("class"),
            Self::BYTES => return f.write_str("bytes"),
            Self { .. } => {}
        }
        let depths =
            [("validator", self.validator), ("reader", self.reader), ("printer", self.printer)];
        let deep = depths.into_iter().filter(|(_, depth)| *depth == Depth::Bytes);
        let speech = match self.terminal {
            Speech::Class => None,
            Speech::Zvt => Some("zvt"),
            Speech::Nexo => Some("nexo"),
            Speech::Either => Some("terminal"),
        };
        let deep: Vec<_> = deep.map(|(name, _)| name).chain(speech).collect();
        f.write_str(&deep.join(","))
    }
}

/// A device, and what lies between it and kioskd.
pub trait Device {
    /// What kioskd may tell it.
    type Command;

    /// The power goes.
    fn power_off(&mut self, stage: &mut Stage);
    /// There is power, perhaps since long.
    fn power_on(&mut self, stage: &mut Stage);
    /// kioskd is gone.
    fn host_gone(&mut self, stage: &mut Stage);
    /// A kioskd is there.
    fn host_there(&mut self, boot: u32, stage: &mut Stage);
    /// A command of kioskd.
    fn command(&mut self, boot: u32, command: Self::Command, stage: &mut Stage);
}

/// A note validator.
pub trait Validator: Device<Command = acceptor::Command> {
    /// The customer offers a note; says whether it was drawn in.
    fn feed(&mut self, note: NoteId, stage: &mut Stage) -> bool;
    /// Is a note stuck that only the attendant gets out?
    fn is_jammed(&self) -> bool;
    /// Does kioskd know about the jam?
    fn has_told_jam(&self) -> bool;
    /// Is the cash box out?
    fn is_box_out(&self) -> bool;
    /// Is the cash box full?
    fn is_box_full(&self) -> bool;
    /// The attendant opens it, sees to the note, and starts it anew.
    fn clear_jam(&mut self, stage: &mut Stage);
    /// The attendant takes the box with what is in it.
    fn pull_box(&mut self, stage: &mut Stage);
    /// An empty box comes in.
    fn put_box(&mut self, stage: &mut Stage);

    /// Something inside the one of rig A is due.
    fn tick(&mut self, _tick: crate::acceptor::Tick, _stage: &mut Stage) {}
    /// Something at the one of rig B is due.
    fn wired(&mut self, _tick: wired::Tick<wired::validator::Tick>, _stage: &mut Stage) {}
    /// In the end: what it holds is what the oracle saw.
    fn audit(&mut self, _stage: &Stage) {}
}

/// A contactless reader.
pub trait Reader: Device<Command = card_reader::Command> {
    /// Somebody holds this holder's card to it; one that lies there makes way.
    fn present(&mut self, holder: usize, stage: &mut Stage);
    /// The field is empty again.
    fn lift(&mut self, stage: &mut Stage);

    /// Something inside the one of rig A is due.
    fn tick(&mut self, _tick: peripherals::ReaderTick, _stage: &mut Stage) {}
    /// Something at the one of rig B is due.
    fn wired(&mut self, _tick: wired::Tick<wired::reader::Tick>, _stage: &mut Stage) {}
}

/// A receipt printer.
pub trait Printer: Device<Command = printer::Command> {
    /// Does it need an attendant?
    fn needs_attendant(&self) -> bool;
    /// The attendant brings a roll, and sees to the rest.
    fn mend(&mut self, stage: &mut Stage);

    /// Something inside the one of rig A is due.
    fn tick(&mut self, _tick: peripherals::PrinterTick, _stage: &mut Stage) {}
    /// Something at the one of rig B is due.
    fn wired(&mut self, _tick: wired::Tick<wired::printer::Tick>, _stage: &mut Stage) {}
}

/// A bank-card terminal.
pub trait Terminal: Device<Command = payment_terminal::Command> {
    /// Its link is cut, for so many ms.
    fn cut(&mut self, ms: u64, stage: &mut Stage);

    /// Something inside the one of rig A is due.
    fn tick(&mut self, _tick: terminal::Tick, _stage: &mut Stage) {}
    /// Something at the one of rig B is due.
    fn wired(&mut self, _tick: wired::Tick<wired::terminal::Tick>, _stage: &mut Stage) {}
}
