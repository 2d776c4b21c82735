//! The card reader and the receipt printer, as their device classes see them.

use domain::{CardNumber, CardRef, CardRefKey, Pii, Uid};
use driver_api::card_reader::{Card, CardProblem, Command, Event};
use driver_api::printer::{self, JobId};
use driver_api::{Fault, FaultKind, Remedy};

use crate::kioskd::Input;
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

    /// A kioskd is there, or none.
    pub fn host(&mut self, host: Option<u32>, stage: &mut Stage) {
        self.host = host;
        self.is_armed = false;
        if let Some((_, is_told)) = &mut self.card {
            *is_told = false;
        }
        if self.is_line_up {
            self.tell(Event::Ready, stage);
        }
    }

    /// Somebody holds a card to it; one that lies there makes way.
    pub fn present(&mut self, card: Card, stage: &mut Stage) {
        self.lift(stage);
        self.card = Some((card, false));
        self.begin(stage);
    }

    /// The field is empty again.
    pub fn lift(&mut self, stage: &mut Stage) {
        self.turn += 1;
        if let Some((_, true)) = self.card.take() {
            self.tell(Event::Removed, stage);
        }
    }

    /// A command of kioskd.
    pub fn command(&mut self, boot: u32, command: &Command, stage: &mut Stage) {
        if self.host != Some(boot) {
            return;
        }
        self.is_armed = matches!(command, Command::Arm);
        self.begin(stage);
    }

    fn begin(&mut self, stage: &mut Stage) {
        if self.is_armed && self.is_line_up && self.card.is_some() {
            stage.after(300, Happening::CardRead(self.turn));
        }
    }

    /// The card was in the field for long enough.
    pub fn read(&mut self, turn: u32, stage: &mut Stage) {
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
            return stage.after(5_000, Happening::ReaderBack);
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
        self.tell(Event::Presented(card), stage);
    }

    /// The line is back.
    pub fn back(&mut self, stage: &mut Stage) {
        self.is_line_up = true;
        self.tell(Event::Ready, stage);
    }

    fn tell(&self, event: Event, stage: &mut Stage) {
        if let Some(boot) = self.host {
            stage.after(5, Happening::Input(boot, Input::Reader(event)));
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

    /// A kioskd is there, or none.
    pub fn host(&mut self, host: Option<u32>, stage: &mut Stage) {
        self.host = host;
        if self.is_line_up {
            self.tell_state(stage);
        }
    }

    /// Does it need an attendant?
    pub const fn is_out_of_paper(&self) -> bool {
        !self.has_paper
    }

    /// The attendant brings a roll.
    pub fn load(&mut self, stage: &mut Stage) {
        self.has_paper = true;
        self.tell(printer::Event::Cleared(FaultKind::PaperEnd), stage);
    }

    /// A command of kioskd.
    pub fn command(&mut self, boot: u32, command: &printer::Command, stage: &mut Stage) {
        let printer::Command::Print { job, .. } = command;
        if self.host != Some(boot) || self.rng.chance(stage.faults.printer_silent) {
            return;
        }
        if self.rng.chance(stage.faults.printer_line) {
            self.is_line_up = false;
            self.tell(printer::Event::LinkLost, stage);
            return stage.after(8_000, Happening::PrinterBack);
        }
        let ms = self.rng.between(500, 2_500);
        stage.after(ms, Happening::Printed(boot, job.0));
    }

    /// A job has come to its end.
    pub fn printed(&mut self, boot: u32, job: u64, stage: &mut Stage) {
        if self.host != Some(boot) || !self.is_line_up {
            return;
        }
        if self.rng.chance(stage.faults.paper_end) {
            self.has_paper = false;
        }
        if self.has_paper {
            return self.tell(printer::Event::Printed(JobId(job)), stage);
        }
        let fault = Fault::new(FaultKind::PaperEnd, Remedy::Attendant);
        self.tell(printer::Event::NotPrinted(JobId(job), fault.clone()), stage);
        self.tell(printer::Event::Fault(fault), stage);
    }

    /// The line is back.
    pub fn back(&mut self, stage: &mut Stage) {
        self.is_line_up = true;
        self.tell_state(stage);
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
