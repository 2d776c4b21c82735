//! How deep the devices go. Rig A: as their classes see them, fast. Rig B: firmware models, bytes
//! on a cable, and the real protocol crates. The rest of the world is the same.

use std::fmt;
use std::str::FromStr;

use driver_api::acceptor::Command;

use crate::acceptor::{self, Acceptor};
use crate::oracle::NoteId;
use crate::stage::Stage;
use crate::wired;

/// Which devices this world has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rig {
    /// As their classes see them (rig A).
    #[default]
    Class,
    /// Firmware, cables and drivers (rig B).
    Bytes,
}

impl FromStr for Rig {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "class" => Ok(Self::Class),
            "bytes" => Ok(Self::Bytes),
            other => Err(format!("{other:?} is not class or bytes")),
        }
    }
}

impl fmt::Display for Rig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Class => "class",
            Self::Bytes => "bytes",
        })
    }
}

/// A note validator, and what lies between it and kioskd.
pub trait Validator {
    // ---- what people do to it

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

    // ---- power and host

    /// The power goes.
    fn power_off(&mut self, stage: &mut Stage);
    /// There is power, perhaps since long.
    fn power_on(&mut self, stage: &mut Stage);
    /// kioskd is gone.
    fn host_gone(&mut self);
    /// A kioskd is there.
    fn host_there(&mut self, boot: u32, stage: &mut Stage);
    /// A command of kioskd.
    fn command(&mut self, boot: u32, command: Command, stage: &mut Stage);

    // ---- its own life

    /// Something inside the one of rig A is due.
    fn tick(&mut self, _tick: acceptor::Tick, _stage: &mut Stage) {}
    /// Something inside the one of rig B is due.
    fn wired(&mut self, _due: wired::Due, _stage: &mut Stage) {}
    /// In the end: what it holds is what the oracle saw.
    fn audit(&mut self, _stage: &Stage) {}
}

impl Validator for Acceptor {
    fn feed(&mut self, note: NoteId, stage: &mut Stage) -> bool {
        self.feed(note, stage)
    }

    fn is_jammed(&self) -> bool {
        self.is_jammed()
    }

    fn has_told_jam(&self) -> bool {
        self.has_told_jam()
    }

    fn is_box_out(&self) -> bool {
        self.is_box_out()
    }

    fn is_box_full(&self) -> bool {
        false
    }

    fn clear_jam(&mut self, stage: &mut Stage) {
        self.clear_jam(stage);
    }

    fn pull_box(&mut self, stage: &mut Stage) {
        self.pull_box(stage);
    }

    fn put_box(&mut self, stage: &mut Stage) {
        self.put_box(stage);
    }

    fn power_off(&mut self, _stage: &mut Stage) {
        self.power_off();
    }

    fn power_on(&mut self, stage: &mut Stage) {
        self.power_on(stage);
    }

    fn host_gone(&mut self) {
        self.host_gone();
    }

    fn host_there(&mut self, boot: u32, stage: &mut Stage) {
        self.host_there(boot, stage);
    }

    fn command(&mut self, boot: u32, command: Command, stage: &mut Stage) {
        self.command(boot, command, stage);
    }

    fn tick(&mut self, tick: acceptor::Tick, stage: &mut Stage) {
        self.tick(tick, stage);
    }
}
