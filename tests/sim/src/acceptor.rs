//! A note validator with its driver, as the device class sees it: the machine moves notes and loses
//! its power, the driver talks to kioskd and loses its line.

use std::collections::{BTreeSet, VecDeque};

use domain::{Amount, NoteSet};
use driver_api::acceptor::{Capabilities, Command, Event, Note, NotePlace, RejectReason};
use driver_api::{Fault, FaultKind, MoneyRisk, Remedy};

use crate::canary::Canary;
use crate::kioskd::Input;
use crate::oracle::{NoteId, Place};
use crate::rig::{Device, Validator};
use crate::rng::Rng;
use crate::stage::{Happening, Stage};

/// The unit and its driver.
pub struct Acceptor {
    rng: Rng,
    traits: Traits,
    // The machine: outlives kioskd and the line.
    is_powered: bool,
    path: Path,
    /// Counts motions: an old one does not end a new one.
    motion: u32,
    is_box_in: bool,
    box_no: u32,
    stacked_total: u32,
    /// What it tells until it is acknowledged.
    owed: VecDeque<Owed>,
    // The driver.
    host: Option<u32>,
    is_line_up: bool,
    phase: Phase,
    /// Counts conversations: what was planned in an old one does not happen in a new one.
    talk: u32,
    enabled: Option<NoteSet>,
    faults: BTreeSet<FaultKind>,
    said_box_out: bool,
    unacknowledged: u32,
    /// While a report is outstanding it draws no other note.
    silent_until_ms: u64,
    /// Two reports never overtake each other.
    last_report_ms: u64,
}

/// What this unit can do.
#[derive(Clone, Copy, Debug)]
struct Traits {
    counts: bool,
    remembers: bool,
    tells_value: bool,
}

/// Where the one note in the machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    Clear,
    Reading(NoteId),
    Escrow(NoteId),
    Stacking(NoteId),
    Past(NoteId),
    Returning(NoteId),
    Jammed(NoteId),
    JammedPast(NoteId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Away,
    SettingUp,
    InService,
}

#[derive(Clone, Debug)]
struct Owed {
    event: Event,
    is_told: bool,
}

/// Something inside the unit or its driver whose time has come.
#[derive(Clone, Debug)]
pub enum Tick {
    /// The motors have brought the note to its next place.
    Moved(u32),
    /// The unit's own clock ends the escrow.
    EscrowOver(u32),
    /// The unit has started.
    PoweredUp,
    /// The line breaks.
    LineBreaks,
    /// The line is back.
    LineBack,
    /// The next step of the set-up.
    SetUp(u32),
    /// A report that was late.
    Late(u32, Event),
    /// Time to repeat what was not acknowledged.
    Repeat(u32),
}

const READ_MS: u64 = 1_200;
const CREDIT_MS: u64 = 600;
const STACK_MS: u64 = 700;
const RETURN_MS: u64 = 800;
const ESCROW_MAX_MS: u64 = 20_000;
const POWER_UP_MS: u64 = 3_000;
/// A report that has not come by then never comes.
const SILENT_MS: u64 = 40_000;
const SET_UP_MS: u64 = 300;

impl Acceptor {
    /// In service, with an empty box.
    pub fn new(mut rng: Rng, stage: &Stage) -> Self {
        let faults = &stage.faults;
        let traits = Traits {
            counts: !rng.chance(faults.unit_counts_not / 2),
            remembers: !rng.chance(faults.unit_forgets / 2),
            tells_value: !rng.chance(faults.unit_tells_no_value / 2),
        };
        Self {
            rng,
            traits,
            is_powered: true,
            path: Path::Clear,
            motion: 0,
            is_box_in: true,
            box_no: 1,
            stacked_total: 41,
            owed: VecDeque::new(),
            host: None,
            is_line_up: true,
            phase: Phase::Away,
            talk: 0,
            enabled: None,
            faults: BTreeSet::new(),
            said_box_out: false,
            unacknowledged: 0,
            silent_until_ms: 0,
            last_report_ms: 0,
        }
    }

    // ---- the line

    fn hang_up(&mut self) {
        self.talk += 1;
        self.phase = Phase::Away;
        self.enabled = None;
        self.unacknowledged = 0;
        if self.traits.remembers {
            self.owed.iter_mut().for_each(|owed| owed.is_told = false);
        } else {
            self.owed.clear();
        }
    }

    fn call(&mut self, stage: &mut Stage) {
        if self.is_powered && self.is_line_up && self.host.is_some() && self.phase == Phase::Away {
            self.talk += 1;
            self.phase = Phase::SettingUp;
            stage.after(SET_UP_MS, Happening::Acceptor(Tick::SetUp(self.talk)));
        }
    }

    /// The line breaks, and is back after so long.
    fn lose_line(&mut self, back_ms: u64, stage: &mut Stage) {
        if !self.is_line_up {
            return;
        }
        self.is_line_up = false;
        if self.phase != Phase::Away {
            self.tell(Event::LinkLost, None, stage);
        }
        self.hang_up();
        stage.after(back_ms, Happening::Acceptor(Tick::LineBack));
    }

    // ---- its own life

    fn go(&mut self, path: Path, ms: u64, stage: &mut Stage) {
        self.path = path;
        self.motion += 1;
        stage.after(ms, Happening::Acceptor(Tick::Moved(self.motion)));
    }

    fn moved(&mut self, stage: &mut Stage) {
        match self.path {
            Path::Reading(note) => self.has_read(note, stage),
            Path::Stacking(note) => self.has_credited(note, stage),
            Path::Past(_) if !self.is_box_in => self.go(self.path, 1_000, stage),
            Path::Past(note) if self.rng.chance(stage.faults.jam_past) => {
                stage.oracle.moves(note, Place::JammedPast);
                self.jam(Path::JammedPast(note), stage);
            }
            Path::Past(note) => {
                self.path = Path::Clear;
                self.drop_into_box(note, stage);
            }
            Path::Returning(note) if self.rng.chance(stage.faults.jam_returning) => {
                stage.oracle.moves(note, Place::Jammed);
                self.jam(Path::Jammed(note), stage);
            }
            Path::Returning(note) => {
                self.path = Path::Clear;
                stage.oracle.moves(note, Place::Hand);
                match self.phase {
                    Phase::InService => {
                        let event = Event::Returned(value(note, stage));
                        self.tell(event, Some(note), stage);
                    }
                    Phase::SettingUp => self.owe(NotePlace::Customer, note, stage),
                    Phase::Away if self.traits.remembers => {
                        self.owe(NotePlace::Customer, note, stage);
                    }
                    Phase::Away => {}
                }
            }
            Path::Clear | Path::Escrow(_) | Path::Jammed(_) | Path::JammedPast(_) => {}
        }
    }

    fn has_read(&mut self, note: NoteId, stage: &mut Stage) {
        if self.rng.chance(stage.faults.jam_reading) {
            stage.oracle.moves(note, Place::Jammed);
            return self.jam(Path::Jammed(note), stage);
        }
        let is_misread = self.rng.chance(stage.faults.misread);
        let worth = value(note, stage);
        let is_enabled = self.enabled.as_ref().is_some_and(|set| set.contains(worth.value));
        if is_misread || !is_enabled {
            self.path = Path::Clear;
            stage.oracle.moves(note, Place::Hand);
            if stage.planted(Canary::CountRejected) {
                return self.report_stacked(note, stage);
            }
            let reason =
                if is_misread { RejectReason::NotRecognised } else { RejectReason::Inhibited };
            return self.tell(Event::Rejected(reason), Some(note), stage);
        }
        self.path = Path::Escrow(note);
        self.motion += 1;
        stage.after(ESCROW_MAX_MS, Happening::Acceptor(Tick::EscrowOver(self.motion)));
        self.tell(Event::Escrowed(worth), Some(note), stage);
        if stage.planted(Canary::PollInsteadOfHold) {
            self.go(Path::Stacking(note), CREDIT_MS, stage);
        }
    }

    /// The point of no return, if the note gets there.
    fn has_credited(&mut self, note: NoteId, stage: &mut Stage) {
        if !self.is_box_in {
            return self.go(self.path, 1_000, stage);
        }
        if self.rng.chance(stage.faults.jam_stacking) {
            stage.oracle.moves(note, Place::Jammed);
            return self.jam(Path::Jammed(note), stage);
        }
        if self.rng.chance(stage.faults.fraud) {
            self.path = Path::Clear;
            stage.oracle.moves(note, Place::Hand);
            self.raise(FaultKind::Fraud, MoneyRisk::InDoubt, stage);
            return self.lose_line(3_000, stage);
        }
        if self.rng.chance(stage.faults.unit_refuses) {
            return self.go(Path::Returning(note), RETURN_MS, stage);
        }
        stage.oracle.moves(note, Place::Past);
        self.go(Path::Past(note), STACK_MS, stage);
        if !stage.planted(Canary::CreditBeforeStacked) {
            self.report_stacked(note, stage);
        }
    }

    fn drop_into_box(&mut self, note: NoteId, stage: &mut Stage) {
        stage.oracle.moves(note, Place::Box(self.box_no));
        self.stacked_total = self.stacked_total.wrapping_add(1);
    }

    fn jam(&mut self, path: Path, stage: &mut Stage) {
        self.path = path;
        self.motion += 1;
        stage.note("acceptor", format_args!("{path:?}"));
        self.raise(FaultKind::Jam, MoneyRisk::InDoubt, stage);
    }

    fn raise(&mut self, kind: FaultKind, money: MoneyRisk, stage: &mut Stage) {
        if self.phase != Phase::Away && self.faults.insert(kind) {
            let fault = Fault { money, ..Fault::new(kind, Remedy::Attendant) };
            self.tell(Event::Fault(fault), None, stage);
        }
    }

    /// With a note in the path the unit pushes it out, or in, by where it was.
    fn powered_up(&mut self, stage: &mut Stage) {
        self.is_powered = true;
        let path = std::mem::replace(&mut self.path, Path::Clear);
        let jams = path != Path::Clear && self.rng.chance(stage.faults.jam_power_up);
        match path {
            Path::Clear => {}
            Path::Jammed(_) | Path::JammedPast(_) => self.path = path,
            Path::Past(note) if jams || !self.is_box_in => {
                stage.oracle.moves(note, Place::JammedPast);
                self.path = Path::JammedPast(note);
            }
            Path::Past(note) => {
                self.drop_into_box(note, stage);
                if self.traits.remembers && self.rng.coin() {
                    self.owe(NotePlace::CashUnit, note, stage);
                }
            }
            Path::Reading(note)
            | Path::Escrow(note)
            | Path::Stacking(note)
            | Path::Returning(note)
                if jams =>
            {
                stage.oracle.moves(note, Place::Jammed);
                self.path = Path::Jammed(note);
            }
            Path::Stacking(note) if self.is_box_in && self.rng.coin() => {
                self.drop_into_box(note, stage);
                self.remember(NotePlace::CashUnit, note, stage);
            }
            Path::Reading(note)
            | Path::Escrow(note)
            | Path::Stacking(note)
            | Path::Returning(note) => {
                stage.oracle.moves(note, Place::Hand);
                self.remember(NotePlace::Customer, note, stage);
            }
        }
        stage.note("acceptor", format_args!("has power; {path:?} became {:?}", self.path));
        self.call(stage);
    }

    // ---- what it tells

    /// One step of the set-up: what is in escrow goes back, what is moving comes to rest, what was
    /// found is told and acknowledged, and then the unit is ready.
    fn set_up(&mut self, stage: &mut Stage) {
        let again = Happening::Acceptor(Tick::SetUp(self.talk));
        match self.path {
            Path::Escrow(note) => {
                self.go(Path::Returning(note), RETURN_MS, stage);
                return stage.after(SET_UP_MS, again);
            }
            Path::Past(_) if !self.is_box_in => {}
            Path::Stacking(_) if !self.is_box_in => {}
            Path::Reading(_) | Path::Stacking(_) | Path::Past(_) | Path::Returning(_) => {
                return stage.after(SET_UP_MS, again);
            }
            Path::Clear | Path::Jammed(_) | Path::JammedPast(_) => {}
        }
        if let Some(event) = self.next_untold() {
            self.tell_money(event, stage);
            return stage.after(SET_UP_MS, again);
        }
        if self.unacknowledged > 0 || !self.owed.is_empty() {
            return stage.after(SET_UP_MS, again);
        }
        self.in_service(stage);
    }

    fn in_service(&mut self, stage: &mut Stage) {
        if self.is_jammed() {
            self.raise(FaultKind::Jam, MoneyRisk::InDoubt, stage);
        } else if self.faults.remove(&FaultKind::Jam) {
            self.tell(Event::Cleared(FaultKind::Jam), None, stage);
        }
        if self.faults.remove(&FaultKind::Fraud) {
            self.tell(Event::Cleared(FaultKind::Fraud), None, stage);
        }
        self.tell_box(stage);
        self.phase = Phase::InService;
        let ready = Capabilities {
            notes: NoteSet::of([5, 10, 20, 50, 100].map(Amount::euro)),
            serial: 7,
            firmware: "simulated".to_owned(),
            stacked_total: self.traits.counts.then_some(self.stacked_total),
        };
        self.tell(Event::Ready(ready), None, stage);
    }

    /// Whether the box is in, if the driver has not said so yet.
    fn tell_box(&mut self, stage: &mut Stage) {
        if self.phase == Phase::Away || self.said_box_out != self.is_box_in {
            return;
        }
        self.said_box_out = !self.is_box_in;
        let event = if self.is_box_in { Event::UnitInserted } else { Event::UnitRemoved };
        self.tell(event, None, stage);
    }

    fn next_untold(&mut self) -> Option<Event> {
        let owed = self.owed.iter_mut().find(|owed| !owed.is_told)?;
        owed.is_told = true;
        Some(owed.event.clone())
    }

    fn report_stacked(&mut self, note: NoteId, stage: &mut Stage) {
        let event = Event::Stacked(value(note, stage));
        let is_heard = self.phase == Phase::InService;
        if self.traits.remembers {
            self.owed.push_back(Owed { event: event.clone(), is_told: is_heard });
        }
        if !is_heard {
            return;
        }
        if self.rng.chance(stage.faults.report_never) && !self.traits.remembers {
            self.silent_until_ms = stage.now_ms + SILENT_MS;
            return;
        }
        if self.rng.chance(stage.faults.report_late) {
            let late_ms = self.rng.between(1_000, SILENT_MS);
            self.silent_until_ms = stage.now_ms + late_ms;
            return stage.after(late_ms, Happening::Acceptor(Tick::Late(self.talk, event)));
        }
        self.tell_money(event, stage);
    }

    /// A find at power-up, for a unit that keeps such things.
    fn remember(&mut self, place: NotePlace, note: NoteId, stage: &Stage) {
        if self.traits.remembers {
            self.owe(place, note, stage);
        }
    }

    fn owe(&mut self, place: NotePlace, note: NoteId, stage: &Stage) {
        let note = self.traits.tells_value.then(|| value(note, stage));
        let event = Event::Recovered { place, note };
        self.owed.push_back(Owed { event, is_told: false });
    }

    fn tell_money(&mut self, event: Event, stage: &mut Stage) {
        self.unacknowledged += 1;
        self.tell(event, None, stage);
        if self.traits.remembers && self.rng.chance(stage.faults.report_repeats) {
            stage.after(1_000, Happening::Acceptor(Tick::Repeat(self.talk)));
        }
    }

    fn repeat(&mut self, stage: &mut Stage) {
        let owed = self.owed.iter().find(|owed| owed.is_told);
        if let Some(event) = owed.map(|owed| owed.event.clone()) {
            self.tell_money(event, stage);
        }
    }

    fn tell(&mut self, event: Event, note: Option<NoteId>, stage: &mut Stage) {
        let Some(boot) = self.host.filter(|_| self.phase != Phase::Away) else {
            return;
        };
        let at = self.last_report_ms.max(stage.now_ms + self.rng.between(1, 30));
        self.last_report_ms = at;
        stage.at(at, Happening::Input(boot, Input::Acceptor(event, note)));
    }
}

impl Device for Acceptor {
    type Command = Command;

    fn power_off(&mut self, _stage: &mut Stage) {
        self.is_powered = false;
        self.motion += 1;
        self.hang_up();
    }

    fn power_on(&mut self, stage: &mut Stage) {
        stage.after(POWER_UP_MS, Happening::Acceptor(Tick::PoweredUp));
    }

    fn host_gone(&mut self, _stage: &mut Stage) {
        self.host = None;
        self.faults.clear();
        self.said_box_out = false;
        self.hang_up();
    }

    fn host_there(&mut self, boot: u32, stage: &mut Stage) {
        self.host = Some(boot);
        self.call(stage);
    }

    fn command(&mut self, boot: u32, command: Command, stage: &mut Stage) {
        if self.host != Some(boot) || self.phase == Phase::Away {
            return;
        }
        match (command, self.path) {
            (Command::Enable(notes), _) => self.enabled = Some(notes),
            (Command::Disable, _) => self.enabled = None,
            (Command::Stack, Path::Escrow(note)) if self.phase == Phase::InService => {
                if stage.planted(Canary::CreditBeforeStacked) {
                    self.report_stacked(note, stage);
                }
                self.go(Path::Stacking(note), CREDIT_MS, stage);
            }
            (Command::Return, Path::Escrow(note)) => {
                self.go(Path::Returning(note), RETURN_MS, stage);
            }
            // A decision about a note that is no longer in escrow is void.
            (Command::Stack | Command::Return, _) => {}
            (Command::Acknowledge, _) => {
                self.unacknowledged = self.unacknowledged.saturating_sub(1);
                if self.unacknowledged == 0 {
                    self.owed.retain(|owed| !owed.is_told);
                }
            }
            (Command::Reset, _) => self.lose_line(POWER_UP_MS, stage),
        }
    }
}

impl Validator for Acceptor {
    fn feed(&mut self, note: NoteId, stage: &mut Stage) -> bool {
        let takes = self.is_powered
            && self.phase == Phase::InService
            && self.enabled.is_some()
            && self.path == Path::Clear
            && self.owed.is_empty()
            && self.silent_until_ms <= stage.now_ms
            && (self.traits.counts || self.unacknowledged == 0)
            && self.is_box_in
            && self.faults.is_empty();
        if !takes {
            return false;
        }
        stage.note("customer", format_args!("feeds {} cents", stage.oracle.cents(note)));
        stage.oracle.moves(note, Place::Path);
        self.go(Path::Reading(note), READ_MS, stage);
        self.tell(Event::Reading, None, stage);
        if self.rng.chance(stage.faults.acceptor_line) {
            let within = self.rng.below(4_000);
            stage.after(within, Happening::Acceptor(Tick::LineBreaks));
        }
        true
    }

    fn is_jammed(&self) -> bool {
        matches!(self.path, Path::Jammed(_) | Path::JammedPast(_))
    }

    fn has_told_jam(&self) -> bool {
        self.phase == Phase::InService && self.faults.contains(&FaultKind::Jam)
    }

    fn is_box_out(&self) -> bool {
        !self.is_box_in
    }

    fn is_box_full(&self) -> bool {
        false
    }

    fn clear_jam(&mut self, stage: &mut Stage) {
        let jammed = std::mem::replace(&mut self.path, Path::Clear);
        self.motion += 1;
        match jammed {
            Path::Jammed(note) if !stage.oracle.is_ordered(note) => {
                stage.oracle.moves(note, Place::Hand);
            }
            Path::Jammed(note) if stage.oracle.is_stack_sent(note) && self.rng.chance(3_000) => {
                self.drop_into_box(note, stage);
                self.owe(NotePlace::CashUnit, note, stage);
            }
            Path::Jammed(note) => stage.oracle.moves(note, Place::Office),
            Path::JammedPast(note) => self.drop_into_box(note, stage),
            Path::Clear
            | Path::Reading(_)
            | Path::Escrow(_)
            | Path::Stacking(_)
            | Path::Past(_)
            | Path::Returning(_) => self.path = jammed,
        }
        stage.note("attendant", format_args!("clears {jammed:?}"));
        self.lose_line(2_000, stage);
    }

    fn pull_box(&mut self, stage: &mut Stage) {
        // What is past the point of no return falls into the box before it lets go.
        if let Path::Past(note) = self.path {
            self.path = Path::Clear;
            self.motion += 1;
            self.drop_into_box(note, stage);
        }
        self.is_box_in = false;
        self.tell_box(stage);
    }

    fn put_box(&mut self, stage: &mut Stage) {
        self.is_box_in = true;
        self.box_no += 1;
        self.enabled = None;
        self.tell_box(stage);
    }

    fn tick(&mut self, tick: Tick, stage: &mut Stage) {
        match tick {
            Tick::Moved(motion) if motion == self.motion && self.is_powered => self.moved(stage),
            Tick::EscrowOver(motion) if motion == self.motion && self.is_powered => {
                if let Path::Escrow(note) = self.path {
                    self.go(Path::Returning(note), RETURN_MS, stage);
                }
            }
            Tick::PoweredUp if self.is_powered => {}
            Tick::PoweredUp => self.powered_up(stage),
            Tick::LineBack => {
                self.is_line_up = true;
                self.call(stage);
            }
            Tick::SetUp(talk) if talk == self.talk => self.set_up(stage),
            Tick::LineBreaks => {
                let back_ms = self.rng.between(2_000, 60_000);
                self.lose_line(back_ms, stage);
            }
            Tick::Late(talk, event) if talk == self.talk => self.tell_money(event, stage),
            Tick::Repeat(talk) if talk == self.talk => self.repeat(stage),
            Tick::Moved(_)
            | Tick::EscrowOver(_)
            | Tick::SetUp(_)
            | Tick::Late(..)
            | Tick::Repeat(_) => {}
        }
    }
}

fn value(note: NoteId, stage: &Stage) -> Note {
    let cents = stage.oracle.cents(note);
    Note { value: Amount::from_cents(cents).expect("notes are minted from euro") }
}
