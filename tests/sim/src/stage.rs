//! What all actors share: the time, what is going to happen, the faults of this world, the oracle
//! and the trace.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use domain::Wall;

use crate::acceptor;
use crate::canary::Canary;
use crate::central::{Answer, Question};
use crate::kioskd::{Input, Order};
use crate::oracle::Oracle;
use crate::peripherals::{PrinterTick, ReaderTick};
use crate::swarm::Faults;
use crate::trace::Trace;
use crate::{terminal, wired};

/// Something that happens at its time.
#[derive(Clone, Debug)]
pub enum Happening {
    /// Reaches the loop of the kioskd that started as the so many-th.
    Input(u32, Input),
    /// Its disk has done what it was told.
    Committed(u32),
    /// A command reaches a device.
    Order(u32, Order),
    /// Inside the validator.
    Acceptor(acceptor::Tick),
    /// In a device that speaks bytes, or on its cable.
    Wired(wired::Due),
    /// Inside the card reader.
    Reader(ReaderTick),
    /// Inside the receipt printer.
    Printer(PrinterTick),
    /// In the bank-card terminal.
    Terminal(terminal::Tick),
    /// Leaves kioskd for central.
    Asked(Question),
    /// Reaches central.
    Question(Question),
    /// Reaches the kioskd that asked.
    Answer(u32, u64, Answer),
    /// Whoever asked has waited long enough.
    NoAnswer(u32, u64),
    /// The next look for news at central.
    SyncDue(u32, u64),
    /// The customer looks at the screen and does something.
    Customer(u32),
    /// The next customer comes.
    Arrival,
    /// The attendant comes.
    Attendant,
    /// The way to central is there again.
    NetworkBack,
    /// There is room on the disk again.
    DiskFreed,
    /// SIGTERM reaches kioskd.
    Terminate,
    /// The power goes.
    PowerCut,
    /// What was planned behind a frame of the terminal.
    Accident(Accident),
    /// kioskd starts, and there is power for the devices.
    Start,
}

/// What happens behind a frame that passed between terminal and kioskd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accident {
    /// The link is cut, for so many ms.
    Cut(u64),
    /// kioskd is killed.
    Killed,
    /// The power of the whole cabinet goes.
    Dark,
}

/// The stage on which the actors act.
pub struct Stage {
    /// Since the world began, in ms.
    pub now_ms: u64,
    /// How far the kiosk's wall clock is from the right time.
    pub clock_off_ms: i64,
    /// Of this world, now.
    pub faults: Faults,
    /// Who saw it all.
    pub oracle: Oracle,
    /// What happened.
    pub trace: Trace,
    /// The bug that is planted in this world.
    pub canary: Option<Canary>,
    /// Frames that passed between terminal and kioskd, in either direction.
    pub frames: usize,
    /// What happens behind the so many-th.
    pub accident: Option<(usize, Accident)>,
    agenda: BinaryHeap<Reverse<Entry>>,
    entries: u64,
}

/// 21 November 2026, a Saturday morning.
const BEGIN_UTC_MS: i64 = 1_795_240_920_000;

struct Entry {
    at_ms: u64,
    /// Of two at the same time the one planned first happens first.
    seq: u64,
    happening: Happening,
}

impl Stage {
    /// An empty one.
    pub fn new(faults: Faults, trace: Trace, canary: Option<Canary>) -> Self {
        Self {
            now_ms: 0,
            clock_off_ms: 0,
            faults,
            oracle: Oracle::default(),
            trace,
            canary,
            frames: 0,
            accident: None,
            agenda: BinaryHeap::new(),
            entries: 0,
        }
    }

    /// Plans something for so many ms from now.
    pub fn after(&mut self, ms: u64, happening: Happening) {
        self.at(self.now_ms + ms, happening);
    }

    /// Plans something for this time, or for now if it is over.
    pub fn at(&mut self, ms: u64, happening: Happening) {
        self.entries += 1;
        let (at_ms, seq) = (ms.max(self.now_ms), self.entries);
        self.agenda.push(Reverse(Entry { at_ms, seq, happening }));
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Option<u64> {
        self.agenda.peek().map(|Reverse(entry)| entry.at_ms)
    }

    /// Takes the next thing; its time is now.
    pub fn pop(&mut self) -> Option<Happening> {
        let Reverse(entry) = self.agenda.pop()?;
        self.now_ms = entry.at_ms;
        Some(entry.happening)
    }

    /// A frame has arrived, at the terminal or at kioskd.
    pub fn frame_passes(&mut self) {
        self.frames += 1;
        if let Some((_, accident)) = self.accident.filter(|(behind, _)| *behind == self.frames) {
            self.after(0, Happening::Accident(accident));
        }
    }

    /// One line of the trace.
    pub fn note(&mut self, who: &'static str, what: fmt::Arguments<'_>) {
        self.trace.line(self.now_ms, who, what);
    }

    /// Is this the bug that is planted?
    pub fn planted(&self, canary: Canary) -> bool {
        self.canary == Some(canary)
    }

    /// What the kiosk's wall clock says.
    pub fn kiosk_wall(&self) -> Wall {
        let right = self.wall();
        Wall { utc_ms: right.utc_ms + self.clock_off_ms, ..right }
    }

    /// The right time.
    pub fn wall(&self) -> Wall {
        let passed = i64::try_from(self.now_ms).unwrap_or(i64::MAX);
        Wall { utc_ms: BEGIN_UTC_MS.saturating_add(passed), offset_min: 60 }
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_ms, self.seq).cmp(&(other.at_ms, other.seq))
    }
}
