//! The core's end of a card terminal's driver, whatever the protocol: gives orders as the core
//! does, hears what is said, and holds it against the bank's account. Each protocol brings its
//! [`Line`].

#![allow(dead_code, reason = "not every protocol needs all of it")]

pub(crate) mod accidents;

use std::time::Duration;

use domain::{Amount, Mono};
use driver_api::Protocol;
use driver_api::payment_terminal::{
    Capture, Command, DeclineReason, Event, Mark, Operation, Outcome, Payment, Question,
};
use driver_sim::terminal::{Charge, Fault};

/// What is between a driver and the firmware of its terminal, and that firmware.
pub(crate) trait Line: Sized {
    type Driver: Protocol<Command = Command, Event = Event>;

    /// The driver of a kioskd that was started so many times before.
    fn driver(&self, starts: u8) -> Self::Driver;
    fn set_fault(&mut self, now: Duration, fault: Fault, on: bool);
    /// What the bank has booked.
    fn charges(&self) -> &[Charge];
    /// When terminal or line do something by themselves.
    fn deadline(&self) -> Option<Duration>;
    /// They may.
    fn advance(rig: &mut Rig<Self>);
    /// Lets everything pass that is on its way.
    fn exchange(rig: &mut Rig<Self>);
    /// It is cut.
    fn cut(rig: &mut Rig<Self>);
    /// Nobody holds the till's end any more.
    fn till_dies(rig: &mut Rig<Self>);
    /// Somebody does again, with a new driver.
    fn till_starts(rig: &mut Rig<Self>);
}

pub(crate) struct Rig<L: Line> {
    pub(crate) line: L,
    pub(crate) driver: L::Driver,
    pub(crate) now: Duration,
    /// Messages that passed, both ways.
    pub(crate) passed: usize,
    /// What happens with this message, or behind it.
    pub(crate) accident: Option<(usize, Accident)>,
    pub(crate) events: Vec<Event>,
    pub(crate) mark: Option<Mark>,
    /// What the till says when a payment is held.
    pub(crate) are_issued: Option<bool>,
    /// How often a command that moves value went out.
    pub(crate) moved: usize,
    starts: u8,
    is_idle: bool,
    operation: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accident {
    /// It gets lost, and the line is cut.
    Lost,
    /// It arrives, and then the line is cut.
    Cut,
    /// It arrives, and kioskd is killed and starts again.
    Killed,
    /// It arrives, and the terminal restarts.
    Restarted,
}

impl<L: Line> Rig<L> {
    /// Done when the terminal is ready.
    pub(crate) fn on(line: L) -> Self {
        let mut rig = Self {
            driver: line.driver(0),
            line,
            now: Duration::ZERO,
            passed: 0,
            accident: None,
            events: Vec::new(),
            mark: None,
            are_issued: None,
            moved: 0,
            starts: 0,
            is_idle: false,
            operation: 0,
        };
        L::till_starts(&mut rig);
        rig.idle();
        rig
    }

    pub(crate) fn mono(&self) -> Mono {
        Mono(u64::try_from(self.now.as_millis()).expect("a test is short"))
    }

    pub(crate) fn command(&mut self, command: Command) {
        let mono = self.mono();
        self.driver.handle_command(mono, command).expect("the till waits until it is idle");
        L::exchange(self);
    }

    /// Commits an order, as the core does, and gives it.
    pub(crate) fn order(&mut self, euro: u16, capture: Capture) -> Question {
        let question = self.question(Amount::euro(euro), None);
        self.command(Command::Authorise {
            operation: question.operation,
            amount: question.amount,
            mark: question.mark.clone(),
            capture,
        });
        question
    }

    /// Of the next order.
    fn question(&mut self, amount: Amount, reversal_of: Option<Payment>) -> Question {
        self.operation += 1;
        self.is_idle = false;
        let (operation, mark) = (Operation(self.operation), self.mark.clone());
        Question { operation, amount, mark, reversal_of }
    }

    pub(crate) fn order_payment(&mut self, euro: u16) -> Question {
        self.order(euro, Capture::AtOnce)
    }

    /// Orders, and waits for the answer; `None` if kioskd died before it came.
    pub(crate) fn pay(&mut self, euro: u16) -> (Question, Option<Outcome>) {
        self.pay_with(euro, Capture::AtOnce)
    }

    pub(crate) fn pay_with(&mut self, euro: u16, capture: Capture) -> (Question, Option<Outcome>) {
        let question = self.order(euro, capture);
        let outcome = self.outcome(&question);
        (question, outcome)
    }

    pub(crate) fn reverse(&mut self, payment: Payment) -> (Question, Option<Outcome>) {
        self.idle();
        let question = self.question(payment.amount, Some(payment.clone()));
        let (operation, mark) = (question.operation, question.mark.clone());
        self.command(Command::Reverse { operation, payment, mark });
        let outcome = self.outcome(&question);
        (question, outcome)
    }

    pub(crate) fn outcome(&mut self, question: &Question) -> Option<Outcome> {
        let operation = question.operation;
        self.until("finished or killed", |rig| {
            rig.finished(operation).is_some() || rig.was_killed()
        });
        self.finished(operation)
    }

    fn was_killed(&self) -> bool {
        matches!(self.accident, Some((at, Accident::Killed)) if at <= self.passed)
    }

    pub(crate) fn finished(&self, wanted: Operation) -> Option<Outcome> {
        self.events.iter().find_map(|event| {
            let Event::Finished { operation, outcome } = event else { return None };
            (*operation == wanted).then(|| outcome.clone())
        })
    }

    /// Asks once; if kioskd dies meanwhile, it is as if nobody had asked.
    pub(crate) fn ask(&mut self, question: &Question) -> Outcome {
        let (heard, starts) = (self.events.len(), self.starts);
        self.command(Command::AskStatus(question.clone()));
        let answer = |rig: &Self| {
            rig.events[heard..].iter().find_map(|event| {
                let Event::Status { operation, outcome } = event else { return None };
                (*operation == question.operation).then(|| outcome.clone())
            })
        };
        self.until("told or killed", |rig| answer(rig).is_some() || rig.starts > starts);
        answer(self).unwrap_or(Outcome::Unknown)
    }

    /// Asks until it is known, for ten minutes.
    pub(crate) fn settle(&mut self, question: &Question) -> Outcome {
        for _ in 0..300 {
            match self.ask(question) {
                Outcome::Unknown => self.run(Duration::from_secs(2)),
                known @ (Outcome::Approved(_) | Outcome::Declined(_)) => return known,
            }
        }
        Outcome::Unknown
    }

    /// The customer's account says the same as the outcome, and nothing else ever left it.
    pub(crate) fn assert_true(&self, outcome: &Outcome) {
        let charges = self.line.charges();
        let open = charges.iter().filter(|charge| !charge.is_reversed).count();
        let is_paid = match outcome {
            Outcome::Approved(_) => true,
            Outcome::Declined(_) => false,
            Outcome::Unknown => return,
        };
        assert_eq!(open, usize::from(is_paid), "{outcome:?} {charges:?} {:?}", self.events);
        assert!(charges.len() <= 1, "asked twice: {charges:?}");
    }

    /// Runs until `done`, for at most ten minutes.
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = self.now + Duration::from_secs(600);
        L::exchange(self);
        while !done(self) {
            assert!(self.now < end, "never {what}: {:?}", self.events);
            self.step(end);
        }
    }

    pub(crate) fn idle(&mut self) {
        self.until("idle", |rig| rig.is_idle);
    }

    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step(end);
        }
    }

    fn step(&mut self, end: Duration) {
        let driver = self.driver.poll_timeout().map(|(at, _)| Duration::from_millis(at.0));
        let next = [driver, self.line.deadline()].into_iter().flatten().min();
        self.now = next.unwrap_or(end).max(self.now).min(end);
        L::advance(self);
        let mono = self.mono();
        self.driver.handle_timeout(mono);
        L::exchange(self);
    }

    /// A message gets through, or is lost.
    pub(crate) fn pass(&mut self) {
        self.passed += 1;
        let Some((at, accident)) = self.accident else { return };
        if self.passed != at {
            return;
        }
        match accident {
            Accident::Lost | Accident::Cut => L::cut(self),
            Accident::Killed => {
                L::till_dies(self);
                while self.driver.poll_event().is_some() {}
                self.starts += 1;
                self.driver = self.line.driver(self.starts);
                self.is_idle = false;
                self.mark = None;
                L::till_starts(self);
            }
            Accident::Restarted => {
                self.line.set_fault(self.now, Fault::Power, true);
                L::cut(self);
                self.line.set_fault(self.now, Fault::Power, false);
            }
        }
    }

    /// Is it the next message that gets lost?
    pub(crate) fn next_is_lost(&self) -> bool {
        self.accident == Some((self.passed + 1, Accident::Lost))
    }

    /// Hears what the driver says.
    pub(crate) fn collect(&mut self) {
        while let Some(event) = self.driver.poll_event() {
            self.events.push(event.clone());
            match event {
                Event::Ready(unit) => self.is_idle_at(unit.mark),
                Event::Idle { mark } => self.is_idle_at(mark),
                Event::Held { operation, .. } => self.decide(operation),
                Event::LinkLost => self.is_idle = false,
                Event::Hint(_)
                | Event::Finished { .. }
                | Event::Status { .. }
                | Event::DayEnded(_)
                | Event::Fault(_)
                | Event::Cleared(_) => {}
            }
        }
    }

    fn is_idle_at(&mut self, mark: Option<Mark>) {
        self.mark = mark;
        self.is_idle = true;
    }

    fn decide(&mut self, operation: Operation) {
        let command = match self.are_issued {
            Some(true) => Command::Issued(operation),
            Some(false) => Command::NotIssued(operation),
            None => return,
        };
        let mono = self.mono();
        self.driver.handle_command(mono, command).expect("never busy");
    }
}

pub(crate) fn reason(outcome: &Outcome) -> Option<DeclineReason> {
    match outcome {
        Outcome::Declined(decline) => Some(decline.reason),
        Outcome::Approved(_) | Outcome::Unknown => None,
    }
}
