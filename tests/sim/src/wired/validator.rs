//! A note validator over SSP: the firmware model, and the real driver. The oracle sees what an
//! onlooker with X-ray eyes sees of the machine, whatever anybody says.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use driver_api::FaultKind;
use driver_api::acceptor::Event;
use driver_sim::validator::{
    Encryption as UnitEncryption, Fault, Firmware, Notes, Options, Output, Seen,
};
use driver_ssp::{Config, Encryption, FACTORY_KEY, Ssp};

use super::link::Cable;
use super::{Due, Wired, plan};
use crate::kioskd::Input;
use crate::oracle::{NoteId, Place};
use crate::rig::Validator;
use crate::rng::Rng;
use crate::stage::{Happening, Stage};

/// The machine.
pub struct Unit {
    rng: Rng,
    firmware: Firmware,
    /// Said, and not before when.
    says: VecDeque<Output>,
    /// As the technician set the kiosk up: eSSP, or in the clear.
    is_encrypted: bool,
    is_cabinet_powered: bool,
    /// What is broken now, as the unit was told.
    broken: BTreeSet<Fault>,
    /// The note in the machine, and where it was seen last.
    inside: Option<(NoteId, Place)>,
    /// The note that was drawn in last: what the driver reports as escrowed is this one.
    fed: Option<NoteId>,
    box_no: u32,
    /// What kioskd was told of, and not told to be over.
    told: BTreeSet<FaultKind>,
    /// The driver has spoken since it lost the line.
    is_heard: bool,
}

/// Something planned.
#[derive(Clone, Copy, Debug)]
pub enum Tick {
    /// Something breaks, or is over.
    Break(Fault, bool),
    /// Somebody pulls the cash box.
    PullBox,
}

/// What the motors of a note do to it, and what people think of it.
const OF_A_NOTE: [Fault; 9] = [
    Fault::JamEntering,
    Fault::JamUnsafe,
    Fault::JamSafe,
    Fault::JamReturning,
    Fault::JamPowerUp,
    Fault::Stalled,
    Fault::Fraud,
    Fault::Refuses,
    Fault::RejectNotes,
];

/// What keeps a note inside until the attendant comes.
const OF_THE_PATH: [Fault; 6] = [
    Fault::JamEntering,
    Fault::JamUnsafe,
    Fault::JamSafe,
    Fault::JamReturning,
    Fault::JamPowerUp,
    Fault::Stalled,
];

/// From the slot to the cash box, with some time to spare.
const PASSAGE_MS: u64 = 5_000;

/// Of the notes that the attendant finds stuck, so many of 10 000 go to the office.
const TO_THE_OFFICE: u32 = 5_000;

/// Switched on, with an empty box.
pub fn wired(rng: Rng, stage: &Stage) -> Wired<Unit> {
    // A start byte.
    Wired::new(Unit::new(rng.clone(), stage), Cable::Serial { worst: 0x7F }, &rng)
}

impl Unit {
    fn new(mut rng: Rng, stage: &Stage) -> Self {
        let faults = &stage.faults;
        let counts = !rng.chance(faults.unit_counts_not / 2);
        let mut memory = rng.split("memory");
        let forgets = if counts { &mut rng } else { &mut memory }.chance(faults.unit_forgets / 2);
        let is_encrypted = !forgets || rng.coin();
        let options = Options {
            encryption: if is_encrypted { UnitEncryption::Mandatory } else { UnitEncryption::None },
            polls_with_ack: !forgets || rng.coin(),
            remembers_credit: !forgets,
            counts,
            ..Options::default()
        };
        let mut broken = BTreeSet::new();
        let mut firmware = Firmware::new(options);
        if rng.chance(faults.unit_tells_no_value / 2) {
            broken.insert(Fault::ForgetsValue);
            firmware.set_fault(Duration::ZERO, Fault::ForgetsValue, true);
        }
        Self {
            rng,
            firmware,
            says: VecDeque::new(),
            is_encrypted,
            is_cabinet_powered: true,
            broken,
            inside: None,
            fed: None,
            box_no: 1,
            told: BTreeSet::new(),
            is_heard: false,
        }
    }

    // ---- what an onlooker sees

    /// Tells the oracle where the note is.
    fn watch(&mut self, stage: &mut Stage) {
        let Some((note, was)) = self.inside else { return };
        let is = match self.firmware.path() {
            Seen::InReach => Place::Path,
            Seen::Past => Place::Past,
            Seen::JammedInReach => Place::Jammed,
            Seen::JammedPast => Place::JammedPast,
            Seen::Clear if self.firmware.take_returned(time(stage)).is_empty() => {
                Place::Box(self.box_no)
            }
            Seen::Clear => Place::Hand,
        };
        if is != was {
            self.note_is(note, is, stage);
        }
    }

    fn note_is(&mut self, note: NoteId, at: Place, stage: &mut Stage) {
        stage.note("acceptor", format_args!("{note:?} is at {at:?}"));
        stage.oracle.moves(note, at);
        self.inside = Some((note, at));
        if matches!(at, Place::Box(_) | Place::Hand | Place::Office) {
            self.inside = None;
            for fault in OF_A_NOTE {
                self.sets(fault, false, stage);
            }
        }
    }

    fn sets(&mut self, fault: Fault, on: bool, stage: &mut Stage) {
        let changed = if on { self.broken.insert(fault) } else { self.broken.remove(&fault) };
        if changed {
            stage.note("acceptor", format_args!("{fault}: {on}"));
            self.firmware.set_fault(time(stage), fault, on);
        }
        if fault == Fault::Power && on {
            self.says.clear();
        }
    }

    /// Draws what becomes of a note that has just been drawn in, and of the unit meanwhile.
    fn trouble(&mut self, stage: &mut Stage) {
        let faults = stage.faults.clone();
        let of_the_note = [
            (Fault::JamEntering, faults.jam_reading),
            (Fault::JamUnsafe, faults.jam_stacking),
            (Fault::JamSafe, faults.jam_past),
            (Fault::JamReturning, faults.jam_returning),
            (Fault::JamPowerUp, faults.jam_power_up),
            (Fault::Stalled, faults.unit_stalls),
            (Fault::Fraud, faults.fraud),
            (Fault::Refuses, faults.unit_refuses),
            (Fault::RejectNotes, faults.misread),
        ];
        for (fault, rate) in of_the_note {
            if self.rng.chance(rate) {
                self.sets(fault, true, stage);
            }
        }
        if self.rng.chance(faults.box_full) {
            self.sets(Fault::StackerFull, true, stage);
        }
        let passing = [
            (Fault::Power, faults.unit_power),
            (Fault::Silent, faults.unit_silent),
            (Fault::Slow, faults.unit_slow),
            (Fault::Garbage, faults.unit_garbage),
        ];
        for (fault, rate) in passing {
            if self.rng.chance(rate) {
                let begin = self.rng.below(PASSAGE_MS);
                plan::<Self>(begin, Tick::Break(fault, true), stage);
                let end = begin + self.rng.between(200, 20_000);
                plan::<Self>(end, Tick::Break(fault, false), stage);
            }
        }
        if self.rng.chance(faults.acceptor_line) {
            let ms = self.rng.between(500, 60_000);
            let begin = self.rng.below(PASSAGE_MS);
            stage.after(begin, Happening::Wired(Due::Validator(super::Tick::Unplug(ms))));
        }
        if self.rng.chance(faults.box_pulled) {
            plan::<Self>(self.rng.below(PASSAGE_MS), Tick::PullBox, stage);
        }
    }

    fn feed(&mut self, note: NoteId, stage: &mut Stage) -> bool {
        let Ok(cents) = u32::try_from(stage.oracle.cents(note)) else { return false };
        if self.firmware.insert(time(stage), cents).is_err() {
            return false;
        }
        assert!(self.inside.is_none(), "the machine holds one note");
        stage.note("customer", format_args!("feeds {cents} cents"));
        stage.oracle.moves(note, Place::Path);
        self.inside = Some((note, Place::Path));
        self.fed = Some(note);
        self.trouble(stage);
        true
    }

    fn clear_jam(&mut self, stage: &mut Stage) {
        stage.note("attendant", format_args!("frees the note"));
        if self.broken.contains(&Fault::CashboxRemoved) {
            self.put_box(stage);
        }
        if let Some((note, Place::Jammed)) = self.inside
            && stage.oracle.is_ordered(note)
            && self.rng.chance(TO_THE_OFFICE)
            && self.firmware.take_stuck(time(stage)).is_some()
        {
            return self.note_is(note, Place::Office, stage);
        }
        // One that was stuck as the power came back is no fault of the motors, and freed as well.
        self.sets(Fault::JamSafe, true, stage);
        for fault in OF_THE_PATH {
            self.sets(fault, false, stage);
        }
    }

    fn put_box(&mut self, stage: &mut Stage) {
        self.box_no += 1;
        self.sets(Fault::StackerFull, false, stage);
        self.sets(Fault::CashboxRemoved, false, stage);
    }
}

impl super::Unit for Unit {
    type Driver = Ssp;
    type Tick = Tick;

    fn due(tick: super::Tick<Tick>) -> Due {
        Due::Validator(tick)
    }

    fn driver(&mut self, _stage: &Stage) -> Ssp {
        let config = match self.is_encrypted {
            true => {
                let seed = std::array::from_fn(|_| self.rng.byte());
                Config::encrypted(Encryption { fixed_key: FACTORY_KEY, seed })
            }
            false => Config::plain(),
        };
        Ssp::new(config)
    }

    fn power(&mut self, on: bool, stage: &mut Stage) {
        self.is_cabinet_powered = on;
        self.sets(Fault::Power, !on, stage);
    }

    /// That of its adapter, which stays.
    fn has_port(&self) -> bool {
        true
    }

    fn host_gone(&mut self, _stage: &mut Stage) {
        self.told.clear();
        self.is_heard = false;
    }

    fn advance(&mut self, stage: &mut Stage) {
        self.firmware.advance(time(stage));
        self.watch(stage);
    }

    fn deadline_ms(&self) -> Option<u64> {
        let said = self.says.front().map(|output| output.at);
        let next = [self.firmware.deadline(), said].into_iter().flatten().min();
        next.map(|at| u64::try_from(at.as_millis()).unwrap_or(u64::MAX))
    }

    fn happens(&mut self, tick: Tick, stage: &mut Stage) {
        match tick {
            // Without the cabinet's power the unit has none of its own.
            Tick::Break(Fault::Power, _) if !self.is_cabinet_powered => {}
            Tick::Break(fault, on) => self.sets(fault, on, stage),
            Tick::PullBox => self.sets(Fault::CashboxRemoved, true, stage),
        }
    }

    fn receive(&mut self, bytes: &[u8], stage: &mut Stage) {
        self.says.extend(self.firmware.receive(time(stage), bytes));
    }

    fn poll_answer(&mut self, stage: &mut Stage) -> Option<Vec<u8>> {
        let output = self.says.pop_front_if(|output| output.at <= time(stage))?;
        Some(output.bytes)
    }

    fn reports(&mut self, event: Event, _stage: &mut Stage) -> Input {
        match &event {
            Event::Fault(fault) => drop(self.told.insert(fault.kind)),
            Event::Cleared(kind) => drop(self.told.remove(kind)),
            Event::UnitRemoved => drop(self.told.insert(FaultKind::UnitRemoved)),
            Event::UnitInserted => drop(self.told.remove(&FaultKind::UnitRemoved)),
            Event::Ready(_)
            | Event::LinkLost
            | Event::Reading
            | Event::Escrowed(_)
            | Event::Rejected(_)
            | Event::Stacked(_)
            | Event::Returned(_)
            | Event::Recovered { .. } => {}
        }
        self.is_heard = event != Event::LinkLost;
        let note = self.fed.filter(|_| matches!(event, Event::Escrowed(_)));
        Input::Acceptor(event, note)
    }
}

impl Validator for Wired<Unit> {
    fn feed(&mut self, note: NoteId, stage: &mut Stage) -> bool {
        self.operate(stage, |unit, stage| unit.feed(note, stage))
    }

    fn is_jammed(&self) -> bool {
        let unit = &self.unit;
        let is_stuck = matches!(unit.firmware.path(), Seen::JammedInReach | Seen::JammedPast);
        is_stuck || (unit.inside.is_some() && unit.broken.contains(&Fault::Stalled))
    }

    fn has_told_jam(&self) -> bool {
        let is_told = |kind| self.unit.told.contains(&kind);
        // Who comes for the cash box sees the note, too.
        is_told(FaultKind::UnitRemoved)
            || (self.unit.is_heard && (is_told(FaultKind::Jam) || is_told(FaultKind::Defective)))
    }

    fn is_box_out(&self) -> bool {
        self.unit.broken.contains(&Fault::CashboxRemoved)
    }

    fn is_box_full(&self) -> bool {
        self.unit.broken.contains(&Fault::StackerFull)
    }

    fn clear_jam(&mut self, stage: &mut Stage) {
        self.operate(stage, Unit::clear_jam);
    }

    fn pull_box(&mut self, stage: &mut Stage) {
        self.operate(stage, |unit, stage| unit.sets(Fault::CashboxRemoved, true, stage));
    }

    fn put_box(&mut self, stage: &mut Stage) {
        self.operate(stage, Unit::put_box);
    }

    fn wired(&mut self, tick: super::Tick<Tick>, stage: &mut Stage) {
        self.happens(tick, stage);
    }

    fn audit(&mut self, stage: &Stage) {
        let holds = self.unit.firmware.snapshot(time(stage));
        let cents = |notes: &Notes| -> i64 {
            notes.iter().map(|(cents, count)| i64::from(*cents) * i64::from(*count)).sum()
        };
        let (held, seen) = (cents(&holds.cash_box) + cents(&holds.collected), stage.oracle.boxed());
        assert!(held == seen, "M6: the boxes hold {held} cents, {seen} went in");
    }
}

const fn time(stage: &Stage) -> Duration {
    Duration::from_millis(stage.now_ms)
}
