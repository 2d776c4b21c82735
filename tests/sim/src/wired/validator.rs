//! A note validator over SSP: the firmware model, a cable, and the real driver. The oracle sees
//! what an onlooker with X-ray eyes sees of the machine, whatever anybody says.

use std::collections::BTreeSet;
use std::time::Duration;

use driver_api::FaultKind;
use driver_api::acceptor::{Command, Event};
use driver_sim::validator::{Encryption as UnitEncryption, Fault, Firmware, Options, Seen};
use driver_ssp::{Config, Encryption, FACTORY_KEY, Ssp};

use super::link::{Link, Way};
use super::{Due, Host};
use crate::kioskd::Input;
use crate::oracle::{NoteId, Place};
use crate::rig::Validator;
use crate::rng::Rng;
use crate::stage::{Happening, Stage};
use crate::swarm::Faults;

/// The unit, its cable, and the driver of the kioskd that runs.
pub struct Wired {
    rng: Rng,
    unit: Firmware,
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
    link: Link,
    host: Option<(u32, Host<Ssp>)>,
    /// What kioskd was told of, and not told to be over.
    told: BTreeSet<FaultKind>,
    /// The driver has spoken since it lost the line.
    is_heard: bool,
    /// The earliest planned [`Tick::Wake`].
    wakes_at_ms: Option<u64>,
    last_report_ms: u64,
}

/// Something planned.
#[derive(Clone, Copy, Debug)]
pub enum Tick {
    /// Bytes arrive, motors stop, a driver wants to be woken.
    Wake,
    /// Something breaks, or is over.
    Break(Fault, bool),
    /// The cable is pulled, for so long.
    Unplug(u64),
    /// It is back in.
    Plug,
    /// The kioskd of this start tries to open its port.
    Open(u32),
    /// Somebody pulls the cash box.
    PullBox,
}

/// What the motors of a note do to it, and what people think of it.
const OF_A_NOTE: [Fault; 6] = [
    Fault::JamEntering,
    Fault::JamUnsafe,
    Fault::JamSafe,
    Fault::Stalled,
    Fault::Fraud,
    Fault::RejectNotes,
];

/// What keeps a note inside until the attendant comes.
const OF_THE_PATH: [Fault; 4] =
    [Fault::JamEntering, Fault::JamUnsafe, Fault::JamSafe, Fault::Stalled];

/// From the slot to the cash box, with some time to spare.
const PASSAGE_MS: u64 = 5_000;

impl Wired {
    /// Switched on, with an empty box.
    pub fn new(mut rng: Rng, stage: &Stage) -> Self {
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
        let mut unit = Firmware::new(options);
        if rng.chance(faults.unit_tells_no_value / 2) {
            broken.insert(Fault::ForgetsValue);
            unit.set_fault(Duration::ZERO, Fault::ForgetsValue, true);
        }
        Self {
            unit,
            is_encrypted,
            is_cabinet_powered: true,
            broken,
            inside: None,
            fed: None,
            box_no: 1,
            link: Link::new(rng.split("cable")),
            host: None,
            told: BTreeSet::new(),
            is_heard: false,
            wakes_at_ms: None,
            last_report_ms: 0,
            rng,
        }
    }

    // ---- time

    /// Everything that is due now, one thing after the other, each with its consequences.
    fn go_on(&mut self, stage: &mut Stage) {
        loop {
            self.unit.advance(time(stage));
            self.watch(stage);
            if let Some(bytes) = self.link.arrived(Way::ToDevice, stage.now_ms) {
                for output in self.unit.receive(time(stage), &bytes) {
                    let at_ms = u64::try_from(output.at.as_millis()).unwrap_or(u64::MAX);
                    self.link.send(Way::ToHost, at_ms, output.bytes, stage);
                }
                continue;
            }
            let Some((_, host)) = &mut self.host else {
                // Said to nobody.
                drop(self.link.arrived(Way::ToHost, stage.now_ms));
                break;
            };
            let had_input = host.input(stage.now_ms, &mut self.link);
            self.report(stage);
            if !had_input {
                break;
            }
        }
        self.plan_wake(stage);
    }

    fn plan_wake(&mut self, stage: &mut Stage) {
        let unit = self.unit.deadline().map(|at| u64::try_from(at.as_millis()).unwrap_or(u64::MAX));
        let host = self.host.as_ref().and_then(|(_, host)| host.deadline_ms());
        let next = [unit, host, self.link.next_at()].into_iter().flatten().min();
        let Some(at) = next.map(|at| at.max(stage.now_ms + 1)) else { return };
        if self.wakes_at_ms.is_none_or(|planned| at < planned) {
            self.wakes_at_ms = Some(at);
            plan(at - stage.now_ms, Tick::Wake, stage);
        }
    }

    /// What the driver says: to the unit, and to kioskd.
    fn report(&mut self, stage: &mut Stage) {
        let Some((boot, host)) = &mut self.host else { return };
        host.speak(&mut self.link, stage);
        while let Some(event) = host.event() {
            match &event {
                Event::Fault(fault) => drop(self.told.insert(fault.kind)),
                Event::Cleared(kind) => drop(self.told.remove(kind)),
                Event::Ready(_)
                | Event::LinkLost
                | Event::Reading
                | Event::Escrowed(_)
                | Event::Rejected(_)
                | Event::Stacked(_)
                | Event::Returned(_)
                | Event::Recovered { .. } => {}
                Event::UnitRemoved => drop(self.told.insert(FaultKind::UnitRemoved)),
                Event::UnitInserted => drop(self.told.remove(&FaultKind::UnitRemoved)),
            }
            self.is_heard = event != Event::LinkLost;
            let note = self.fed.filter(|_| matches!(event, Event::Escrowed(_)));
            let at = self.last_report_ms.max(stage.now_ms + self.rng.between(1, 10));
            self.last_report_ms = at;
            stage.at(at, Happening::Input(*boot, Input::Acceptor(event, note)));
        }
    }

    // ---- what an onlooker sees

    /// Tells the oracle where the note is.
    fn watch(&mut self, stage: &mut Stage) {
        let Some((note, was)) = self.inside else { return };
        let is = match self.unit.path() {
            Seen::InReach => Place::Path,
            Seen::Past => Place::Past,
            Seen::JammedInReach => Place::Jammed,
            Seen::JammedPast => Place::JammedPast,
            Seen::Clear if self.unit.take_returned(time(stage)).is_empty() => {
                Place::Box(self.box_no)
            }
            Seen::Clear => Place::Hand,
        };
        if is == was {
            return;
        }
        stage.note("acceptor", format_args!("{note:?} is at {is:?}"));
        stage.oracle.moves(note, is);
        self.inside = Some((note, is));
        if matches!(is, Place::Box(_) | Place::Hand) {
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
            self.unit.set_fault(time(stage), fault, on);
        }
    }

    /// Draws what becomes of a note that has just been drawn in, and of the unit meanwhile.
    fn trouble(&mut self, stage: &mut Stage) {
        let Faults {
            jam_reading,
            jam_stacking,
            jam_past,
            unit_stalls,
            fraud,
            misread,
            unit_power,
            unit_silent,
            unit_slow,
            unit_garbage,
            box_full,
            box_pulled,
            acceptor_line,
            ..
        } = stage.faults;
        let rates = [jam_reading, jam_stacking, jam_past, unit_stalls, fraud, misread];
        for (fault, rate) in OF_A_NOTE.into_iter().zip(rates) {
            if self.rng.chance(rate) {
                self.sets(fault, true, stage);
            }
        }
        if self.rng.chance(box_full) {
            self.sets(Fault::StackerFull, true, stage);
        }
        let passing = [
            (Fault::Power, unit_power),
            (Fault::Silent, unit_silent),
            (Fault::Slow, unit_slow),
            (Fault::Garbage, unit_garbage),
        ];
        for (fault, rate) in passing {
            if self.rng.chance(rate) {
                let begin = self.rng.below(PASSAGE_MS);
                plan(begin, Tick::Break(fault, true), stage);
                let end = begin + self.rng.between(200, 20_000);
                plan(end, Tick::Break(fault, false), stage);
            }
        }
        if self.rng.chance(acceptor_line) {
            let ms = self.rng.between(500, 60_000);
            plan(self.rng.below(PASSAGE_MS), Tick::Unplug(ms), stage);
        }
        if self.rng.chance(box_pulled) {
            plan(self.rng.below(PASSAGE_MS), Tick::PullBox, stage);
        }
    }

    fn unplug(&mut self, back_ms: u64, stage: &mut Stage) {
        if !self.link.is_plugged() {
            return;
        }
        stage.note("cable", format_args!("is pulled, for {back_ms} ms"));
        self.link.pull();
        if let Some((_, host)) = &mut self.host {
            host.close(stage.now_ms);
        }
        plan(back_ms, Tick::Plug, stage);
    }

    /// The driver looks for its port now and then.
    fn plan_open(&mut self, ms_max: u64, stage: &mut Stage) {
        if let Some((boot, _)) = self.host {
            plan(self.rng.between(5, ms_max), Tick::Open(boot), stage);
        }
    }

    fn driver(&mut self) -> Ssp {
        let config = match self.is_encrypted {
            true => {
                let seed = std::array::from_fn(|_| self.rng.byte());
                Config::encrypted(Encryption { fixed_key: FACTORY_KEY, seed })
            }
            false => Config::plain(),
        };
        Ssp::new(config)
    }
}

impl Validator for Wired {
    fn feed(&mut self, note: NoteId, stage: &mut Stage) -> bool {
        let Ok(cents) = u32::try_from(stage.oracle.cents(note)) else { return false };
        self.go_on(stage);
        if self.unit.insert(time(stage), cents).is_err() {
            return false;
        }
        assert!(self.inside.is_none(), "the machine holds one note");
        stage.note("customer", format_args!("feeds {cents} cents"));
        stage.oracle.moves(note, Place::Path);
        self.inside = Some((note, Place::Path));
        self.fed = Some(note);
        self.trouble(stage);
        self.go_on(stage);
        true
    }

    fn is_jammed(&self) -> bool {
        let is_stuck = matches!(self.unit.path(), Seen::JammedInReach | Seen::JammedPast);
        is_stuck || (self.inside.is_some() && self.broken.contains(&Fault::Stalled))
    }

    fn has_told_jam(&self) -> bool {
        let is_told = |kind| self.told.contains(&kind);
        // Who comes for the cash box sees the note, too.
        is_told(FaultKind::UnitRemoved)
            || (self.is_heard && (is_told(FaultKind::Jam) || is_told(FaultKind::Defective)))
    }

    fn is_box_out(&self) -> bool {
        self.broken.contains(&Fault::CashboxRemoved)
    }

    fn is_box_full(&self) -> bool {
        self.broken.contains(&Fault::StackerFull)
    }

    fn clear_jam(&mut self, stage: &mut Stage) {
        stage.note("attendant", format_args!("frees the note"));
        if self.is_box_out() {
            self.put_box(stage);
        }
        // One that was stuck as the power came back is no fault of the motors, and freed as well.
        self.sets(Fault::JamSafe, true, stage);
        for fault in OF_THE_PATH {
            self.sets(fault, false, stage);
        }
        self.go_on(stage);
    }

    fn pull_box(&mut self, stage: &mut Stage) {
        self.sets(Fault::CashboxRemoved, true, stage);
        self.go_on(stage);
    }

    fn put_box(&mut self, stage: &mut Stage) {
        self.box_no += 1;
        self.sets(Fault::StackerFull, false, stage);
        self.sets(Fault::CashboxRemoved, false, stage);
        self.go_on(stage);
    }

    fn power_off(&mut self, stage: &mut Stage) {
        self.is_cabinet_powered = false;
        self.sets(Fault::Power, true, stage);
        self.link.device_gone();
    }

    fn power_on(&mut self, stage: &mut Stage) {
        self.is_cabinet_powered = true;
        self.sets(Fault::Power, false, stage);
        self.go_on(stage);
    }

    fn host_gone(&mut self) {
        self.host = None;
        self.link.host_gone();
        self.told.clear();
        self.is_heard = false;
    }

    fn host_there(&mut self, boot: u32, stage: &mut Stage) {
        self.host = Some((boot, Host::new(self.driver())));
        self.plan_open(50, stage);
    }

    fn command(&mut self, boot: u32, command: Command, stage: &mut Stage) {
        if let Some((_, host)) = self.host.as_mut().filter(|(of, _)| *of == boot) {
            let taken = host.command(stage.now_ms, command);
            assert!(taken.is_ok(), "the driver of a validator is never busy");
            self.report(stage);
            self.go_on(stage);
        }
    }

    fn wired(&mut self, due: Due, stage: &mut Stage) {
        let Due::Validator(tick) = due;
        match tick {
            Tick::Wake if self.wakes_at_ms != Some(stage.now_ms) => return,
            Tick::Wake => self.wakes_at_ms = None,
            // Without the cabinet's power the unit has none of its own.
            Tick::Break(Fault::Power, on) if self.is_cabinet_powered => {
                self.sets(Fault::Power, on, stage);
                self.link.device_gone();
            }
            Tick::Break(Fault::Power, _) => {}
            Tick::Break(fault, on) => self.sets(fault, on, stage),
            Tick::Unplug(ms) => self.unplug(ms, stage),
            Tick::Plug => {
                self.link.plug();
                self.plan_open(3_000, stage);
            }
            Tick::Open(boot) => {
                let is_plugged = self.link.is_plugged();
                let host = self.host.as_mut().filter(|(of, _)| *of == boot && is_plugged);
                if let Some((_, host)) = host {
                    host.open(stage.now_ms);
                    self.report(stage);
                }
            }
            Tick::PullBox if self.is_box_out() => {}
            Tick::PullBox => self.pull_box(stage),
        }
        self.go_on(stage);
    }

    fn audit(&mut self, stage: &Stage) {
        let holds = self.unit.snapshot(time(stage));
        let cents = |notes: &driver_sim::validator::Notes| -> i64 {
            notes.iter().map(|(cents, count)| i64::from(*cents) * i64::from(*count)).sum()
        };
        let (held, seen) = (cents(&holds.cash_box) + cents(&holds.collected), stage.oracle.boxed());
        assert!(held == seen, "M6: the boxes hold {held} cents, {seen} went in");
    }
}

fn plan(ms: u64, tick: Tick, stage: &mut Stage) {
    stage.after(ms, Happening::Wired(Due::Validator(tick)));
}

const fn time(stage: &Stage) -> Duration {
    Duration::from_millis(stage.now_ms)
}
