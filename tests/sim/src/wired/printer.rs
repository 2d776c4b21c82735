//! A receipt printer over ESC/POS: the firmware model, and the real driver. The oracle reads the
//! paper that comes out, whatever anybody says.

use std::collections::BTreeSet;

use driver_api::printer::{Command, Event};
use driver_escpos::{Config, Printer as Driver, Proof};
use driver_sim::printer::{Fault, Firmware};

use super::link::Cable;
use super::{Due, Wired, plan};
use crate::kioskd::Input;
use crate::rig::Printer;
use crate::rng::Rng;
use crate::stage::{Happening, Stage};

/// The machine.
pub struct Unit {
    rng: Rng,
    firmware: Firmware,
    /// What this printer can prove, as the technician set the kiosk up.
    proof: Proof,
    is_cabinet_powered: bool,
    broken: BTreeSet<Fault>,
}

/// Something breaks, or is over.
#[derive(Clone, Copy, Debug)]
pub struct Tick(Fault, bool);

/// For 80 mm paper.
const WIDTH_DOTS: usize = 576;

/// As an answer to any `DLE EOT`.
const ALL_IS_WELL: u8 = 0x12;

/// From the command to the cut, with some time to spare.
const JOB_MS: u64 = 3_000;

/// What only the attendant mends.
const OF_THE_ATTENDANT: [Fault; 3] = [Fault::PaperEnd, Fault::PaperEndMidJob, Fault::CutterJam];

/// Switched on, with a new roll.
pub fn wired(mut rng: Rng) -> Wired<Unit> {
    let (cable, proof) = match rng.coin() {
        // Noise may be an answer that all is well, but no process id.
        true => (Cable::Serial { worst: ALL_IS_WELL }, Proof::Auto),
        false => (Cable::Usb, rng.pick(&[Proof::Auto, Proof::PaperSensor, Proof::Status])),
    };
    Wired::new(Unit::new(rng.clone(), proof), cable, &rng)
}

impl Unit {
    fn new(rng: Rng, proof: Proof) -> Self {
        Self {
            rng,
            firmware: Firmware::new(WIDTH_DOTS),
            proof,
            is_cabinet_powered: true,
            broken: BTreeSet::new(),
        }
    }

    fn sets(&mut self, fault: Fault, on: bool, stage: &mut Stage) {
        let changed = if on { self.broken.insert(fault) } else { self.broken.remove(&fault) };
        if changed {
            stage.note("printer", format_args!("{}: {on}", fault.name()));
            self.firmware.set_fault(fault, on);
        }
    }

    /// Draws what becomes of a job that was just ordered, and of the printer meanwhile.
    fn trouble(&mut self, stage: &mut Stage) {
        let faults = stage.faults.clone();
        if self.rng.chance(faults.paper_end) {
            let fault = self.rng.pick(&[Fault::PaperEnd, Fault::PaperEndMidJob]);
            self.sets(fault, true, stage);
        }
        if self.rng.chance(faults.cutter_jam) {
            self.sets(Fault::CutterJam, true, stage);
        }
        let passing = [
            (Fault::CoverOpen, faults.cover_open),
            (Fault::Offline, faults.printer_offline),
            (Fault::Silent, faults.printer_silent),
            (Fault::Power, faults.printer_power),
            (Fault::LiesOk, faults.printer_lies),
        ];
        for (fault, rate) in passing {
            if self.rng.chance(rate) {
                let begin = self.rng.below(JOB_MS);
                plan::<Self>(begin, Tick(fault, true), stage);
                let end = begin + self.rng.between(200, 40_000);
                plan::<Self>(end, Tick(fault, false), stage);
            }
        }
        if self.rng.chance(faults.printer_line) {
            let (begin, ms) = (self.rng.below(JOB_MS), self.rng.between(200, 20_000));
            stage.after(begin, Happening::Wired(Due::Printer(super::Tick::Unplug(ms))));
        }
    }
}

impl super::Unit for Unit {
    type Driver = Driver;
    type Tick = Tick;

    fn due(tick: super::Tick<Tick>) -> Due {
        Due::Printer(tick)
    }

    fn driver(&mut self, _stage: &Stage) -> Driver {
        Driver::new(Config { proof: self.proof, ..Config::default() })
    }

    fn power(&mut self, on: bool, stage: &mut Stage) {
        self.is_cabinet_powered = on;
        self.sets(Fault::Power, !on, stage);
    }

    fn has_port(&self) -> bool {
        !self.broken.contains(&Fault::Power)
    }

    fn host_gone(&mut self, _stage: &mut Stage) {}

    /// What the last host did not wait for is not for this one.
    fn opened(&mut self, _stage: &mut Stage) {
        drop(self.firmware.take_answers());
    }

    fn advance(&mut self, stage: &mut Stage) {
        for piece in self.firmware.take_pieces() {
            stage.note("printer", format_args!("cuts off {} bytes", piece.text().len()));
            stage.oracle.paper.comes_out(piece.text());
        }
    }

    fn deadline_ms(&self) -> Option<u64> {
        None
    }

    fn happens(&mut self, Tick(fault, on): Tick, stage: &mut Stage) {
        match fault {
            // Without the cabinet's power it has none of its own.
            Fault::Power if !self.is_cabinet_powered => {}
            Fault::LiesOk => {
                self.sets(fault, on, stage);
                stage.oracle.paper.is_misled();
            }
            Fault::PaperEnd
            | Fault::PaperLow
            | Fault::CoverOpen
            | Fault::CutterJam
            | Fault::Offline
            | Fault::Unplugged
            | Fault::Power
            | Fault::Silent
            | Fault::PaperEndMidJob => self.sets(fault, on, stage),
        }
    }

    fn receive(&mut self, bytes: &[u8], _stage: &mut Stage) {
        self.firmware.receive(bytes);
    }

    fn poll_answer(&mut self, _stage: &mut Stage) -> Option<Vec<u8>> {
        Some(self.firmware.take_answers()).filter(|answers| !answers.is_empty())
    }

    fn is_misled(&mut self, stage: &mut Stage) {
        stage.oracle.paper.is_misled();
    }

    fn is_ordered(&mut self, _command: &Command, stage: &mut Stage) {
        if self.broken.contains(&Fault::LiesOk) {
            stage.oracle.paper.is_misled();
        }
        self.trouble(stage);
    }

    fn reports(&mut self, event: Event, _stage: &mut Stage) -> Input {
        Input::Printer(event)
    }
}

impl Printer for Wired<Unit> {
    fn needs_attendant(&self) -> bool {
        OF_THE_ATTENDANT.iter().any(|fault| self.unit.broken.contains(fault))
    }

    fn mend(&mut self, stage: &mut Stage) {
        self.operate(stage, |unit, stage| {
            for fault in OF_THE_ATTENDANT {
                unit.sets(fault, false, stage);
            }
        });
    }

    fn wired(&mut self, tick: super::Tick<Tick>, stage: &mut Stage) {
        self.happens(tick, stage);
    }
}
