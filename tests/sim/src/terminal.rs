//! A bank-card terminal with its driver and its bank, as the class sees them. What it has begun it
//! goes on with, whoever still listens; what its bank did, the oracle knows.

use std::collections::BTreeMap;

use domain::Amount;
use driver_api::VendorCode;
use driver_api::payment_terminal::{
    Approval, Capabilities, Command, DayEnd, Decline, DeclineReason, Entry, Event, Hint, Operation,
    Outcome, Question, Reference, Totals, Verification,
};

use crate::kioskd::Input;
use crate::rig;
use crate::rng::Rng;
use crate::stage::{Happening, Stage};

/// Something in it is due.
#[derive(Clone, Debug)]
pub enum Tick {
    /// The customer has held a card to it, or has not.
    Card(u32),
    /// The bank has decided.
    Bank(u32),
    /// The line breaks.
    LineBreaks(u32),
    /// It is there again.
    LineBack,
    /// The driver does not wait any longer for the outcome of this order.
    Silence(u32, Operation),
    /// A question of this kioskd is answered.
    Status(u32, Question),
    /// The day is closed, or not.
    DayEnds(u32),
    /// It takes the next order of this kioskd.
    Idle(u32),
}

/// What it is busy with.
#[derive(Clone, Copy, Debug)]
struct Job {
    operation: Operation,
    work: Work,
    /// Its kioskd waits for the outcome.
    is_awaited: bool,
    is_called_off: bool,
}

#[derive(Clone, Copy, Debug)]
enum Work {
    Pay { cents: i64 },
    Reverse { payment: Operation, cents: i64 },
}

/// The terminal and its driver.
pub struct Terminal {
    rng: Rng,
    host: Option<u32>,
    is_line_up: bool,
    job: Option<Job>,
    /// Counts jobs and powers: what was begun with one does not end with the next.
    turn: u32,
    /// What it did, by order.
    log: BTreeMap<Operation, Outcome>,
    /// Since its last end of day, in cents.
    day: i64,
}

impl Terminal {
    /// Idle, with nothing in its log.
    pub const fn new(rng: Rng) -> Self {
        Self { rng, host: None, is_line_up: true, job: None, turn: 0, log: BTreeMap::new(), day: 0 }
    }

    fn host(&mut self, host: Option<u32>, stage: &mut Stage) {
        self.host = host;
        if let Some(job) = &mut self.job {
            job.is_awaited = false;
        }
        self.greet(stage);
    }

    fn greet(&mut self, stage: &mut Stage) {
        if self.is_line_up && self.job.is_none() {
            self.tell(Event::Ready(Capabilities::default()), stage);
        }
    }

    fn begin(&mut self, operation: Operation, work: Work, stage: &mut Stage) {
        if !self.is_line_up || self.job.is_some() {
            let outcome = declined(DeclineReason::NotSent);
            return self.tell(Event::Finished { operation, outcome }, stage);
        }
        self.turn += 1;
        self.job = Some(Job { operation, work, is_awaited: true, is_called_off: false });
        let turn = self.turn;
        if self.rng.chance(stage.faults.terminal_line) {
            let ms = self.rng.between(0, 12_000);
            stage.after(ms, Happening::Terminal(Tick::LineBreaks(turn)));
        }
        match work {
            Work::Pay { .. } => {
                self.tell(Event::Hint(Hint::PresentCard), stage);
                let ms = self.rng.between(1_000, 15_000);
                stage.after(ms, Happening::Terminal(Tick::Card(turn)));
            }
            Work::Reverse { .. } => self.ask_bank(stage),
        }
    }

    // ---- its own life

    fn card(&mut self, stage: &mut Stage) {
        let Some(job) = self.job else { return };
        if job.is_called_off || self.rng.chance(stage.faults.terminal_no_card) {
            return self.finish(declined(DeclineReason::Cancelled), stage);
        }
        self.ask_bank(stage);
    }

    fn ask_bank(&mut self, stage: &mut Stage) {
        self.tell(Event::Hint(Hint::AskingBank), stage);
        let ms = match self.rng.chance(stage.faults.bank_slow) {
            true => self.rng.between(5_000, 90_000),
            false => self.rng.between(300, 3_000),
        };
        stage.after(ms, Happening::Terminal(Tick::Bank(self.turn)));
    }

    fn bank(&mut self, stage: &mut Stage) {
        let Some(job) = self.job else { return };
        if self.rng.chance(stage.faults.bank_declines) {
            return self.finish(declined(DeclineReason::Funds), stage);
        }
        let cents = match job.work {
            Work::Pay { cents } => {
                stage.oracle.bank_charges(job.operation, cents);
                self.day += cents;
                cents
            }
            Work::Reverse { payment, cents } => {
                stage.oracle.bank_gives_back(payment);
                self.day -= cents;
                cents
            }
        };
        let amount = Amount::from_cents(cents).expect("what was ordered");
        self.finish(approved(job.operation, amount), stage);
    }

    /// The order has its outcome, whether anybody hears of it or not.
    fn finish(&mut self, outcome: Outcome, stage: &mut Stage) {
        let Some(job) = self.job.take() else { return };
        let operation = job.operation;
        stage.note("terminal", format_args!("{operation:?}: {outcome:?}"));
        self.log.insert(operation, outcome.clone());
        let Some(boot) = self.host.filter(|_| job.is_awaited) else {
            return self.greet(stage);
        };
        if self.rng.chance(stage.faults.terminal_silent) {
            return stage.after(30_000, Happening::Terminal(Tick::Silence(boot, operation)));
        }
        let again = self.rng.chance(stage.faults.terminal_repeats);
        for _ in 0..=u8::from(again) {
            self.tell(Event::Finished { operation, outcome: outcome.clone() }, stage);
        }
        self.idle_soon(stage);
    }

    fn idle_soon(&mut self, stage: &mut Stage) {
        if let Some(boot) = self.host {
            let ms = self.rng.between(50, 3_000);
            stage.after(ms, Happening::Terminal(Tick::Idle(boot)));
        }
    }

    fn line_breaks(&mut self, stage: &mut Stage) {
        self.is_line_up = false;
        if let Some(job) = self.job.as_mut().filter(|job| job.is_awaited) {
            job.is_awaited = false;
            let operation = job.operation;
            self.tell(Event::Finished { operation, outcome: Outcome::Unknown }, stage);
        }
        self.tell(Event::LinkLost, stage);
        let ms = self.rng.between(500, 150_000);
        stage.after(ms, Happening::Terminal(Tick::LineBack));
    }

    fn status(&mut self, question: &Question, stage: &mut Stage) {
        let operation = question.operation;
        let can_tell =
            self.is_line_up && self.job.is_none() && !self.rng.chance(stage.faults.terminal_vague);
        let outcome = match self.log.get(&operation) {
            _ if !can_tell => Outcome::Unknown,
            Some(outcome) => outcome.clone(),
            None => declined(DeclineReason::NotCarriedOut),
        };
        self.tell(Event::Status { operation, outcome }, stage);
        self.idle_soon(stage);
    }

    fn day_ends(&mut self, stage: &mut Stage) {
        let end = match Amount::from_cents(self.day) {
            _ if self.rng.chance(stage.faults.terminal_day) => DayEnd::Refused(VendorCode(1)),
            // More given back than taken: it says so in no word we know.
            Err(_) => DayEnd::Refused(VendorCode(2)),
            Ok(amount) => {
                stage.oracle.terminal_closes(std::mem::take(&mut self.day));
                match self.rng.chance(stage.faults.terminal_day) {
                    true => DayEnd::Unknown,
                    false => DayEnd::Closed(Totals { amount, count: None }),
                }
            }
        };
        self.tell(Event::DayEnded(end), stage);
        self.idle_soon(stage);
    }

    fn tell(&self, event: Event, stage: &mut Stage) {
        if let Some(boot) = self.host {
            stage.after(5, Happening::Input(boot, Input::Terminal(event)));
        }
    }
}

impl rig::Device for Terminal {
    type Command = Command;

    /// What the bank has not decided it never will.
    fn power_off(&mut self, _stage: &mut Stage) {
        self.turn += 1;
        self.job = None;
    }

    fn power_on(&mut self, _stage: &mut Stage) {}

    fn host_gone(&mut self, stage: &mut Stage) {
        self.host(None, stage);
    }

    fn host_there(&mut self, boot: u32, stage: &mut Stage) {
        self.host(Some(boot), stage);
    }

    fn command(&mut self, boot: u32, command: Command, stage: &mut Stage) {
        if self.host != Some(boot) {
            return;
        }
        match command {
            Command::Authorise { operation, amount, .. } => {
                self.begin(operation, Work::Pay { cents: amount.cents() }, stage);
            }
            Command::Reverse { operation, payment, .. } => {
                let cents = payment.amount.cents();
                let work = Work::Reverse { payment: payment.operation, cents };
                self.begin(operation, work, stage);
            }
            Command::AskStatus(question) => {
                let ms = self.rng.between(50, 800);
                stage.after(ms, Happening::Terminal(Tick::Status(boot, question)));
            }
            Command::Abort => {
                if let Some(job) = &mut self.job {
                    job.is_called_off = true;
                }
            }
            Command::EndOfDay => stage.after(2_000, Happening::Terminal(Tick::DayEnds(boot))),
            Command::Issued(_) | Command::NotIssued(_) => {}
        }
    }
}

impl rig::Terminal for Terminal {
    fn cut(&mut self, _ms: u64, stage: &mut Stage) {
        self.line_breaks(stage);
    }

    fn tick(&mut self, tick: Tick, stage: &mut Stage) {
        match tick {
            Tick::Card(turn) if turn == self.turn => self.card(stage),
            Tick::Bank(turn) if turn == self.turn => self.bank(stage),
            Tick::LineBreaks(turn) if turn == self.turn => self.line_breaks(stage),
            Tick::Card(_) | Tick::Bank(_) | Tick::LineBreaks(_) => {}
            Tick::LineBack => {
                self.is_line_up = true;
                self.greet(stage);
            }
            Tick::Silence(boot, operation) if self.host == Some(boot) => {
                self.tell(Event::Finished { operation, outcome: Outcome::Unknown }, stage);
                self.idle_soon(stage);
            }
            Tick::Status(boot, question) if self.host == Some(boot) => {
                self.status(&question, stage);
            }
            Tick::DayEnds(boot) if self.host == Some(boot) => self.day_ends(stage),
            Tick::Idle(boot) if self.host == Some(boot) => {
                if self.is_line_up && self.job.is_none() {
                    self.tell(Event::Idle { mark: None }, stage);
                }
            }
            Tick::Silence(..) | Tick::Status(..) | Tick::DayEnds(_) | Tick::Idle(_) => {}
        }
    }
}

const fn declined(reason: DeclineReason) -> Outcome {
    Outcome::Declined(Decline::new(reason))
}

fn approved(operation: Operation, amount: Amount) -> Outcome {
    Outcome::Approved(Box::new(Approval {
        amount,
        reference: Reference(operation.0.to_string()),
        pan: None,
        card_name: None,
        aid: None,
        authorisation_code: Some("000001".to_owned()),
        terminal: Some("T1".to_owned()),
        merchant: None,
        entry: Entry::Contactless,
        verification: Verification::Unsaid,
    }))
}
