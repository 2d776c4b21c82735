use std::time::Duration;

use domain::{Amount, Mono};
use driver_api::payment_terminal::{
    Capture, Command, DeclineReason, Event, Mark, Operation, Outcome, Payment, Question,
};
use driver_api::{Link, Protocol};
use driver_sim::terminal::{Cardholder, Fault, Firmware, Options, Transport};
use driver_zvt::{Config, Zvt};

pub(crate) struct Rig {
    pub(crate) now: Duration,
    pub(crate) terminal: Firmware,
    driver: Zvt,
    config: Config,
    is_up: bool,
    reconnect_at: Option<Duration>,
    /// Messages that passed, both ways.
    pub(crate) passed: usize,
    /// What happens behind this message.
    pub(crate) accident: Option<(usize, Accident)>,
    pub(crate) events: Vec<Event>,
    pub(crate) mark: Option<Mark>,
    is_idle: bool,
    operation: u32,
    /// What the till says when a payment is held.
    pub(crate) are_issued: Option<bool>,
    /// How often a command that moves value went out.
    pub(crate) moved: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accident {
    /// The line is cut, and comes back a second later.
    Cut,
    /// kioskd is killed and starts again.
    Killed,
    /// The terminal restarts.
    Restarted,
}

impl Rig {
    pub(crate) fn new(options: Options) -> Self {
        let config = match options.transport {
            Transport::Tcp => Config::tcp(),
            Transport::Serial => Config::serial(),
        };
        let mut rig = Self {
            now: Duration::ZERO,
            terminal: Firmware::new(options),
            driver: Zvt::new(config.clone()),
            config,
            is_up: false,
            reconnect_at: Some(Duration::ZERO),
            passed: 0,
            accident: None,
            events: Vec::new(),
            mark: None,
            is_idle: false,
            operation: 0,
            are_issued: None,
            moved: 0,
        };
        rig.until("ready", |rig| rig.is_idle);
        rig
    }

    pub(crate) fn with(cardholder: Cardholder) -> Self {
        let mut rig = Self::new(Options::default());
        rig.terminal.set_cardholder(cardholder);
        rig
    }

    fn mono(&self) -> Mono {
        Mono(u64::try_from(self.now.as_millis()).expect("a test is short"))
    }

    pub(crate) fn command(&mut self, command: Command) {
        let mono = self.mono();
        self.driver.handle_command(mono, command).expect("the till waits until it is idle");
        self.exchange();
    }

    /// Commits an order, as the core does, and gives it.
    pub(crate) fn order_payment(&mut self, euro: u16, capture: Capture) -> Question {
        self.operation += 1;
        let question = Question {
            operation: Operation(self.operation),
            amount: Amount::euro(euro),
            mark: self.mark.clone(),
            reversal_of: None,
        };
        self.is_idle = false;
        self.command(Command::Authorise {
            operation: question.operation,
            amount: question.amount,
            mark: question.mark.clone(),
            capture,
        });
        question
    }

    /// Orders, and waits for the answer; `None` if kioskd died before it came.
    pub(crate) fn pay(&mut self, euro: u16, capture: Capture) -> (Question, Option<Outcome>) {
        let question = self.order_payment(euro, capture);
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

    pub(crate) fn reverse(&mut self, payment: Payment) -> (Question, Option<Outcome>) {
        self.until("idle", |rig| rig.is_idle);
        self.operation += 1;
        let question = Question {
            operation: Operation(self.operation),
            amount: payment.amount,
            mark: self.mark.clone(),
            reversal_of: Some(payment.clone()),
        };
        self.is_idle = false;
        let (operation, mark) = (question.operation, question.mark.clone());
        self.command(Command::Reverse { operation, payment, mark });
        let outcome = self.outcome(&question);
        (question, outcome)
    }

    fn finished(&self, wanted: Operation) -> Option<Outcome> {
        self.events.iter().find_map(|event| {
            let Event::Finished { operation, outcome } = event else { return None };
            (*operation == wanted).then(|| outcome.clone())
        })
    }

    /// Asks once.
    pub(crate) fn ask(&mut self, question: &Question) -> Outcome {
        let heard = self.events.len();
        self.command(Command::AskStatus(question.clone()));
        let answer = |rig: &Self| {
            rig.events[heard..].iter().find_map(|event| {
                let Event::Status { operation, outcome } = event else { return None };
                (*operation == question.operation).then(|| outcome.clone())
            })
        };
        self.until("told", |rig| answer(rig).is_some());
        answer(self).expect("just waited for")
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
        let charges = self.terminal.charges();
        let open = charges.iter().filter(|charge| !charge.is_reversed).count();
        let is_paid = match outcome {
            Outcome::Approved(_) => true,
            Outcome::Declined(_) => false,
            Outcome::Unknown => return,
        };
        assert_eq!(open, usize::from(is_paid), "{outcome:?} {charges:?} {:?}", self.events);
        assert!(charges.len() <= 1, "asked twice: {charges:?}");
    }

    /// Runs until `done`, for at most five minutes.
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = self.now + Duration::from_secs(300);
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
        let next = [driver, self.terminal.deadline(), self.reconnect_at];
        let next = next.into_iter().flatten().min().unwrap_or(end);
        self.now = next.max(self.now).min(end);
        self.terminal.advance(self.now);
        if self.reconnect_at.is_some_and(|at| at <= self.now) {
            self.reconnect_at = Some(self.now + Duration::from_secs(1));
            if self.terminal.is_reachable() {
                self.reconnect_at = None;
                self.is_up = true;
                self.terminal.connect(self.now, true);
                self.driver.handle_link(self.mono(), Link::Up);
            }
        }
        self.driver.handle_timeout(self.mono());
        self.exchange();
    }

    pub(crate) fn hang_up(&mut self) {
        if self.is_up {
            self.is_up = false;
            self.reconnect_at = Some(self.now + Duration::from_secs(1));
            self.terminal.connect(self.now, false);
            self.driver.handle_link(self.mono(), Link::Down);
        }
    }

    /// Lets everything pass that is on its way.
    fn exchange(&mut self) {
        loop {
            self.collect();
            if let Some(frame) = self.driver.poll_write() {
                let code = frame.bytes.iter().position(|byte| *byte == 0x06);
                let is_block = frame.bytes.first() == Some(&0x10);
                let code = code.filter(|at| *at == if is_block { 2 } else { 0 });
                let instr = code.and_then(|at| frame.bytes.get(at + 1));
                self.moved += usize::from(matches!(instr, Some(0x01 | 0x30)));
                self.terminal.receive(self.now, &frame.bytes);
                self.pass();
                continue;
            }
            let output = self.terminal.take_output();
            let is_quiet = output.is_empty();
            for bytes in output {
                if self.is_up {
                    self.driver.handle_bytes(self.mono(), &bytes);
                    self.collect();
                    self.pass();
                }
            }
            if self.terminal.take_cut() {
                self.hang_up();
            } else if is_quiet {
                return;
            }
        }
    }

    fn pass(&mut self) {
        self.passed += 1;
        let Some((at, accident)) = self.accident else { return };
        if self.passed != at {
            return;
        }
        match accident {
            Accident::Cut => self.hang_up(),
            Accident::Killed => {
                self.hang_up();
                while self.driver.poll_event().is_some() {}
                self.driver = Zvt::new(self.config.clone());
                self.is_idle = false;
                self.mark = None;
            }
            Accident::Restarted => {
                self.terminal.set_fault(self.now, Fault::Power, true);
                self.hang_up();
                self.terminal.set_fault(self.now, Fault::Power, false);
            }
        }
    }

    fn collect(&mut self) {
        while let Some(event) = self.driver.poll_event() {
            self.events.push(event.clone());
            match &event {
                Event::Ready(unit) => {
                    self.mark.clone_from(&unit.mark);
                    self.is_idle = true;
                }
                Event::Idle { mark } => {
                    self.mark.clone_from(mark);
                    self.is_idle = true;
                }
                Event::Held { operation, .. } => {
                    let command = match self.are_issued {
                        Some(true) => Command::Issued(*operation),
                        Some(false) => Command::NotIssued(*operation),
                        None => continue,
                    };
                    let mono = self.mono();
                    self.driver.handle_command(mono, command).expect("never busy");
                }
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
}

pub(crate) fn reason(outcome: &Outcome) -> Option<DeclineReason> {
    match outcome {
        Outcome::Declined(decline) => Some(decline.reason),
        Outcome::Approved(_) | Outcome::Unknown => None,
    }
}
