//! The card reader and the receipt printer, as their device classes see them.

use domain::{CardNumber, CardRef, CardRefKey, Pii, Uid};
use driver_api::card_reader::{Card, CardProblem, Command, Event};
use driver_api::printer::{self, JobId};
use driver_api::{Fault, FaultKind, Remedy};

use crate::kioskd::Input;
use crate::rig;
use crate::rng::Rng;
use crate::stage::{Happening, Stage};

/// Somebody's card, by the number of its holder.
pub fn card(holder: usize) -> Card {
    let serial = u32::try_from(holder).unwrap_or_default() + 1;
    let number = CardNumber::from_serial(serial).expect("a handful of cards");
    let uid = Uid(serial.to_le_bytes());
    let card_ref = CardRef::new(&CardRefKey([7; 32]), number, uid);
    Card { number: Pii::new(number), uid: Pii::new(uid), card_ref, expires_day: u16::MAX }
}

/// Something inside the reader or its driver.
#[derive(Clone, Copy, Debug)]
pub enum ReaderTick {
    /// The card of this turn was in the field for long enough.
    Read(u32),
    /// The line is back.
    Back,
}

/// Something inside the printer or its driver.
#[derive(Clone, Copy, Debug)]
pub enum PrinterTick {
    /// This kioskd's job has come to its end.
    Printed(u32, JobId),
    /// The line is back.
    Back,
}

/// A contactless reader and its driver.
pub struct Reader {
    rng: Rng,
    host: Option<u32>,
    is_line_up: bool,
    is_armed: bool,
    /// On the reader now, and whether it was reported.
    card: Option<(Card, bool)>,
    /// Counts cards: what was begun with one does not end with the next.
    turn: u32,
}

impl Reader {
    /// With nothing on it.
    pub const fn new(rng: Rng) -> Self {
        Self { rng, host: None, is_line_up: true, is_armed: false, card: None, turn: 0 }
    }

    fn begin(&mut self, stage: &mut Stage) {
        if self.is_armed && self.is_line_up && self.card.is_some() {
            stage.after(300, Happening::Reader(ReaderTick::Read(self.turn)));
        }
    }

    /// The card was in the field for long enough.
    fn read(&mut self, turn: u32, stage: &mut Stage) {
        let armed = self.is_armed && self.is_line_up && turn == self.turn;
        let Some((card, is_told)) = self.card.as_mut().filter(|_| armed) else {
            return;
        };
        *is_told = true;
        let card = card.clone();
        self.is_armed = false;
        if self.rng.chance(stage.faults.reader_line) {
            self.is_line_up = false;
            self.tell(Event::LinkLost, stage);
            return stage.after(5_000, Happening::Reader(ReaderTick::Back));
        }
        if self.rng.chance(stage.faults.card_unreadable) {
            const PROBLEMS: [CardProblem; 4] = [
                CardProblem::Torn,
                CardProblem::Foreign,
                CardProblem::NotGenuine,
                CardProblem::Several,
            ];
            let problem = self.rng.pick(&PROBLEMS);
            return self.tell(Event::Unreadable(problem), stage);
        }
        stage.oracle.is_reading(Some(card.card_ref));
        stage.oracle.is_told_of_card(card.card_ref);
        self.tell(Event::Presented(card), stage);
    }

    fn tell(&self, event: Event, stage: &mut Stage) {
        if let Some(boot) = self.host {
            stage.after(5, Happening::Input(boot, Input::Reader(event)));
        }
    }
}

impl rig::Device for Reader {
    type Command = Command;

    fn power_off(&mut self, _stage: &mut Stage) {}

    fn power_on(&mut self, _stage: &mut Stage) {}

    fn host_gone(&mut self, _stage: &mut Stage) {
        self.host = None;
        self.is_armed = false;
    }

    fn host_there(&mut self, boot: u32, stage: &mut Stage) {
        self.host = Some(boot);
        if let Some((_, is_told)) = &mut self.card {
            *is_told = false;
        }
        if self.is_line_up {
            self.tell(Event::Ready, stage);
        }
    }

    fn command(&mut self, boot: u32, command: Command, stage: &mut Stage) {
        if self.host == Some(boot) {
            self.is_armed = matches!(command, Command::Arm);
            self.begin(stage);
        }
    }
}

impl rig::Reader for Reader {
    fn present(&mut self, holder: usize, stage: &mut Stage) {
        self.lift(stage);
        self.card = Some((card(holder), false));
        self.begin(stage);
    }

    fn lift(&mut self, stage: &mut Stage) {
        self.turn += 1;
        if let Some((_, true)) = self.card.take() {
            self.tell(Event::Removed, stage);
        }
    }

    fn tick(&mut self, tick: ReaderTick, stage: &mut Stage) {
        match tick {
            ReaderTick::Read(turn) => self.read(turn, stage),
            ReaderTick::Back => {
                self.is_line_up = true;
                self.tell(Event::Ready, stage);
            }
        }
    }
}

/// A receipt printer and its driver.
pub struct Printer {
    rng: Rng,
    host: Option<u32>,
    is_line_up: bool,
    has_paper: bool,
}

impl Printer {
    /// With a new roll.
    pub const fn new(rng: Rng) -> Self {
        Self { rng, host: None, is_line_up: true, has_paper: true }
    }

    /// A job has come to its end.
    fn printed(&mut self, boot: u32, job: JobId, stage: &mut Stage) {
        if self.host != Some(boot) || !self.is_line_up {
            return;
        }
        if self.rng.chance(stage.faults.paper_end) {
            self.has_paper = false;
        }
        if self.has_paper {
            stage.oracle.paper.is_printed(boot, job);
            return self.tell(printer::Event::Printed(job), stage);
        }
        let fault = Fault::new(FaultKind::PaperEnd, Remedy::Attendant);
        self.tell(printer::Event::NotPrinted(job, fault.clone()), stage);
        self.tell(printer::Event::Fault(fault), stage);
    }

    fn tell_state(&self, stage: &mut Stage) {
        self.tell(printer::Event::Ready, stage);
        if !self.has_paper {
            let fault = Fault::new(FaultKind::PaperEnd, Remedy::Attendant);
            self.tell(printer::Event::Fault(fault), stage);
        }
    }

    fn tell(&self, event: printer::Event, stage: &mut Stage) {
        if let Some(boot) = self.host {
            stage.after(5, Happening::Input(boot, Input::Printer(event)));
        }
    }
}

impl rig::Device for Printer {
    type Command = printer::Command;

    fn power_off(&mut self, _stage: &mut Stage) {}

    fn power_on(&mut self, _stage: &mut Stage) {}

    fn host_gone(&mut self, _stage: &mut Stage) {
        self.host = None;
    }

    fn host_there(&mut self, boot: u32, stage: &mut Stage) {
        self.host = Some(boot);
        if self.is_line_up {
            self.tell_state(stage);
        }
    }

    fn command(&mut self, boot: u32, command: printer::Command, stage: &mut Stage) {
        let printer::Command::Print { job, .. } = command;
        if self.host != Some(boot) || self.rng.chance(stage.faults.printer_silent) {
            return;
        }
        if self.rng.chance(stage.faults.printer_line) {
            self.is_line_up = false;
            self.tell(printer::Event::LinkLost, stage);
            return stage.after(8_000, Happening::Printer(PrinterTick::Back));
        }
        let ms = self.rng.between(500, 2_500);
        stage.after(ms, Happening::Printer(PrinterTick::Printed(boot, job)));
    }
}

impl rig::Printer for Printer {
    fn needs_attendant(&self) -> bool {
        !self.has_paper
    }

    fn mend(&mut self, stage: &mut Stage) {
        if !self.has_paper {
            self.has_paper = true;
            self.tell(printer::Event::Cleared(FaultKind::PaperEnd), stage);
        }
    }

    fn tick(&mut self, tick: PrinterTick, stage: &mut Stage) {
        match tick {
            PrinterTick::Printed(boot, job) => self.printed(boot, job, stage),
            PrinterTick::Back => {
                self.is_line_up = true;
                self.tell_state(stage);
            }
        }
    }
}
