use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use domain::{Amount, Mono, Wall};
use driver_api::exchange::{NoAnswer, Reply, Request};
use driver_api::payment_terminal::{
    Capture, Command, DeclineReason, Event, Operation, Outcome, Payment, Question,
};
use driver_api::{Link, Protocol};
use driver_nexo::{Config, Key, Nexo, Timing};
use driver_sim::terminal::nexo::{Firmware, Options};
use driver_sim::terminal::{Cardholder, Fault};

/// Both sides stretch their passphrase once for all tests.
static KEY: LazyLock<Key> = LazyLock::new(|| {
    let Options { key_identifier, key_version, passphrase, .. } = Options::default();
    Key::new(key_identifier, key_version, &passphrase)
});
static FIRMWARE: LazyLock<Firmware> = LazyLock::new(|| Firmware::new(Options::default()));

pub(crate) struct Rig {
    pub(crate) now: Duration,
    pub(crate) terminal: Firmware,
    driver: Nexo,
    starts: u8,
    /// Connections, and until when the till waits for their answer.
    open: BTreeMap<u32, Duration>,
    /// Requests and replies that passed.
    pub(crate) passed: usize,
    /// What happens with this one.
    pub(crate) accident: Option<(usize, Accident)>,
    pub(crate) events: Vec<Event>,
    is_idle: bool,
    operation: u32,
    /// How often a request that moves value went out.
    pub(crate) moved: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accident {
    /// It gets lost, and every connection breaks.
    Lost,
    /// It arrives, and then every connection breaks.
    Cut,
    /// It arrives, and kioskd is killed and starts again.
    Killed,
    /// It arrives, and the terminal restarts.
    Restarted,
}

impl Rig {
    pub(crate) fn new(options: Options) -> Self {
        let mut rig = Self {
            now: Duration::ZERO,
            terminal: Firmware::like(&FIRMWARE, options),
            driver: Nexo::new(config(0)),
            starts: 0,
            open: BTreeMap::new(),
            passed: 0,
            accident: None,
            events: Vec::new(),
            is_idle: false,
            operation: 0,
            moved: 0,
        };
        rig.driver.handle_link(rig.mono(), Link::Up);
        rig.exchange();
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
    pub(crate) fn order_payment(&mut self, euro: u16) -> Question {
        self.operation += 1;
        let question = Question {
            operation: Operation(self.operation),
            amount: Amount::euro(euro),
            mark: None,
            reversal_of: None,
        };
        self.is_idle = false;
        self.command(Command::Authorise {
            operation: question.operation,
            amount: question.amount,
            mark: None,
            capture: Capture::AtOnce,
        });
        question
    }

    /// Orders, and waits for the answer; `None` if kioskd died before it came.
    pub(crate) fn pay(&mut self, euro: u16) -> (Question, Option<Outcome>) {
        let question = self.order_payment(euro);
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
        self.idle();
        self.operation += 1;
        let question = Question {
            operation: Operation(self.operation),
            amount: payment.amount,
            mark: None,
            reversal_of: Some(payment.clone()),
        };
        self.is_idle = false;
        let operation = question.operation;
        self.command(Command::Reverse { operation, payment, mark: None });
        let outcome = self.outcome(&question);
        (question, outcome)
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

    /// Runs until `done`, for at most ten minutes.
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = self.now + Duration::from_secs(600);
        self.exchange();
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
        let impatient = self.open.values().copied().min();
        let next = [driver, self.terminal.deadline(), impatient].into_iter().flatten().min();
        self.now = next.unwrap_or(end).max(self.now).min(end);
        self.terminal.advance(self.now);
        self.exchange();
        let late: Vec<u32> =
            self.open.iter().filter(|(_, at)| **at <= self.now).map(|(whose, _)| *whose).collect();
        late.into_iter().for_each(|connection| self.lose(connection));
        self.driver.handle_timeout(self.mono());
        self.exchange();
    }

    /// Whoever makes the connections reports that this one brought no answer.
    fn lose(&mut self, connection: u32) {
        self.open.remove(&connection);
        self.terminal.hang_up(self.now, connection.into());
        self.reply(connection, Err(NoAnswer::Lost));
    }

    /// Every connection breaks.
    pub(crate) fn cut(&mut self) {
        let open: Vec<u32> = self.open.keys().copied().collect();
        open.into_iter().for_each(|connection| self.lose(connection));
    }

    pub(crate) fn reply(&mut self, exchange: u32, outcome: Result<Vec<u8>, NoAnswer>) {
        let reply = Reply { exchange, outcome };
        self.driver.handle_bytes(self.mono(), &reply.encode());
        self.collect();
    }

    /// Lets everything pass that is on its way.
    fn exchange(&mut self) {
        loop {
            self.collect();
            if let Some(mut frame) = self.driver.poll_write() {
                assert!(frame.secret, "what may name a card is not recorded");
                let request = Request::decode(&mut frame.bytes).expect("frames are whole");
                self.connect(&request);
                continue;
            }
            let open: Vec<u32> = self.open.keys().copied().collect();
            let said = open.into_iter().find_map(|connection| {
                self.terminal.take_answer(connection.into()).map(|body| (connection, body))
            });
            match said {
                Some((connection, body)) => self.answered(connection, body),
                None => return,
            }
        }
    }

    fn connect(&mut self, request: &Request) {
        let header = String::from_utf8_lossy(&request.body).into_owned();
        let moves = ["Payment", "Reversal"];
        let moves = moves.map(|kind| format!("\"MessageCategory\":\"{kind}\""));
        if !self.terminal.is_reachable() {
            return self.reply(request.exchange, Err(NoAnswer::NotSent));
        }
        self.moved += usize::from(moves.iter().any(|kind| header.contains(kind)));
        self.open.insert(request.exchange, self.now + request.patience);
        if self.next_is_lost() {
            return self.pass();
        }
        self.terminal.request(self.now, request.exchange.into(), &request.body);
        self.pass();
    }

    fn answered(&mut self, connection: u32, body: Vec<u8>) {
        if self.next_is_lost() {
            return self.pass();
        }
        self.open.remove(&connection);
        self.reply(connection, Ok(body.clone()));
        if self.terminal.is_repeating() {
            self.reply(connection, Ok(body));
        }
        self.pass();
    }

    fn next_is_lost(&self) -> bool {
        self.accident == Some((self.passed + 1, Accident::Lost))
    }

    fn pass(&mut self) {
        self.passed += 1;
        let Some((at, accident)) = self.accident else { return };
        if self.passed != at {
            return;
        }
        match accident {
            Accident::Lost | Accident::Cut => self.cut(),
            Accident::Killed => {
                for connection in std::mem::take(&mut self.open).into_keys() {
                    self.terminal.hang_up(self.now, connection.into());
                }
                while self.driver.poll_event().is_some() {}
                self.starts += 1;
                self.driver = Nexo::new(config(self.starts));
                self.is_idle = false;
                self.driver.handle_link(self.mono(), Link::Up);
            }
            Accident::Restarted => {
                self.terminal.set_fault(self.now, Fault::Power, true);
                self.cut();
                self.terminal.set_fault(self.now, Fault::Power, false);
            }
        }
    }

    fn collect(&mut self) {
        while let Some(event) = self.driver.poll_event() {
            self.events.push(event.clone());
            match &event {
                Event::Ready(_) | Event::Idle { .. } => self.is_idle = true,
                Event::LinkLost => self.is_idle = false,
                Event::Held { .. }
                | Event::Hint(_)
                | Event::Finished { .. }
                | Event::Status { .. }
                | Event::DayEnded(_)
                | Event::Fault(_)
                | Event::Cleared(_) => {}
            }
        }
    }
}

fn config(start: u8) -> Config {
    Config {
        poi_id: Options::default().poi_id,
        sale_id: "marchamalo-1".to_owned(),
        key: KEY.clone(),
        seed: [start; 32],
        started: Wall { utc_ms: 1_795_262_400_000, offset_min: 60 },
        timing: Timing::default(),
    }
}

pub(crate) fn reason(outcome: &Outcome) -> Option<DeclineReason> {
    match outcome {
        Outcome::Declined(decline) => Some(decline.reason),
        Outcome::Approved(_) | Outcome::Unknown => None,
    }
}
