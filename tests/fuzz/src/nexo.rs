//! A card terminal on nexo that answers what it likes, properly sealed or not, when it likes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;
use std::time::Duration;

use domain::{Amount, Mono, Wall};
use driver_api::exchange::{NoAnswer, Reply, Request};
use driver_api::payment_terminal::{Capture, Command, Event, Mark, Operation, Outcome, Question};
use driver_api::{Link, Protocol};
use driver_nexo::{Config, Key, Nexo, Timing};
use driver_sim::terminal::nexo::{Firmware, Options};

use crate::pieces::{Pieces, write};

/// Each piece is something that happens; see `Till::happen`. Was a payment approved?
pub fn run(input: &[u8]) -> bool {
    let mut till = Till::new();
    for (kind, piece) in Pieces(input) {
        till.happen(kind, piece);
    }
    till.approved
}

/// A payment of 20 € at a terminal that is in order, as an input of [`run`].
pub fn one_payment() -> Vec<u8> {
    let mut till = Till::new();
    let mut input = Vec::new();
    let mut put = |till: &mut Till, kind: u8, piece: &[u8]| {
        write(&mut input, kind, piece);
        till.happen(kind, piece);
    };
    put(&mut till, LINK, &[1]);
    while !till.is_idle {
        put(&mut till, ANSWER, &[]);
    }
    // The first order is answered with nonsense, and asked for.
    put(&mut till, COMMAND, &[0]);
    put(&mut till, WORDS, br#"{"DiagnosisResponse":{}}"#);
    put(&mut till, COMMAND, &[1]);
    while !till.approved {
        match (till.asked.is_empty(), till.is_idle) {
            (false, _) => put(&mut till, ANSWER, &[]),
            (true, true) => put(&mut till, COMMAND, &[0]),
            (true, false) => put(&mut till, TIME, &[]),
        }
    }
    input
}

const ANSWER: u8 = 0;
const WORDS: u8 = 1;
const TIME: u8 = 2;
const COMMAND: u8 = 3;
const LINK: u8 = 4;
const LOST: u8 = 5;

/// Passphrases are stretched: once for all inputs.
static KEY: LazyLock<Key> = LazyLock::new(|| {
    let Options { key_identifier, key_version, passphrase, .. } = Options::default();
    Key::new(key_identifier, key_version, &passphrase)
});
static FIRMWARE: LazyLock<Firmware> = LazyLock::new(|| Firmware::new(Options::default()));

struct Till {
    driver: Nexo,
    terminal: Firmware,
    now: Mono,
    /// Not answered yet.
    asked: VecDeque<Request>,
    /// How many were asked.
    exchanges: u32,
    is_idle: bool,
    /// Orders, and how often each was answered.
    orders: BTreeMap<Operation, u8>,
    approved: bool,
}

impl Till {
    fn new() -> Self {
        let config = Config {
            poi_id: Options::default().poi_id,
            sale_id: "kiosk".to_owned(),
            key: KEY.clone(),
            seed: [1; 32],
            started: Wall::default(),
            timing: Timing::default(),
        };
        Self {
            driver: Nexo::new(config),
            terminal: Firmware::like(&FIRMWARE, Options::default()),
            now: Mono(0),
            asked: VecDeque::new(),
            exchanges: 0,
            is_idle: false,
            orders: BTreeMap::new(),
            approved: false,
        }
    }

    fn happen(&mut self, kind: u8, piece: &[u8]) {
        let first = piece.first().copied().unwrap_or(0);
        match kind % 7 {
            ANSWER => {
                if let Some(request) = self.asked.pop_front() {
                    let now = self.time();
                    self.terminal.request(now, request.exchange.into(), &request.body);
                }
            }
            WORDS => {
                if let Some(request) = self.asked.pop_front() {
                    self.put_words(&request, piece);
                }
            }
            TIME => {
                let due = self.driver.poll_timeout().map(|(at, _)| at);
                let acts =
                    self.terminal.deadline().and_then(|at| u64::try_from(at.as_millis()).ok());
                let next = due.into_iter().chain(acts.map(Mono)).min();
                self.now = next.map_or(self.now, |at| at.max(self.now));
                let now = self.time();
                self.terminal.advance(now);
                self.driver.handle_timeout(self.now);
            }
            COMMAND => self.command(first),
            LINK => {
                let link = if first % 2 == 1 { Link::Up } else { Link::Down };
                self.driver.handle_link(self.now, link);
                self.asked.clear();
            }
            LOST => {
                if let Some(request) = self.asked.pop_front() {
                    let why = if first % 2 == 1 { NoAnswer::Lost } else { NoAnswer::NotSent };
                    self.reply(request.exchange, Err(why));
                }
            }
            _ => self.driver.handle_bytes(self.now, piece),
        }
        self.drain();
    }

    fn put_words(&mut self, request: &Request, piece: &[u8]) {
        match serde_json::from_slice(piece) {
            Ok(words) => {
                self.terminal.answer_with(request.exchange.into(), &request.body, words);
            }
            Err(_) => self.reply(request.exchange, Ok(piece.to_vec())),
        }
    }

    fn reply(&mut self, exchange: u32, outcome: Result<Vec<u8>, NoAnswer>) {
        self.driver.handle_bytes(self.now, &Reply { exchange, outcome }.encode());
    }

    fn time(&self) -> Duration {
        Duration::from_millis(self.now.0)
    }

    fn command(&mut self, which: u8) {
        let operation = Operation(u32::try_from(self.orders.len()).unwrap_or(u32::MAX));
        let (amount, mark) = (Amount::euro(20), Some(Mark(Options::default().poi_id)));
        let command = match which % 4 {
            0 => Command::Authorise { operation, amount, mark, capture: Capture::AtOnce },
            1 => Command::AskStatus(Question { operation, amount, mark, reversal_of: None }),
            2 => Command::Abort,
            _ => Command::EndOfDay,
        };
        let is_order = matches!(command, Command::Authorise { .. });
        if self.driver.handle_command(self.now, command).is_ok() && is_order {
            self.is_idle = false;
            self.orders.insert(operation, 0);
        }
    }

    fn drain(&mut self) {
        let mut is_quiet = false;
        while !is_quiet {
            is_quiet = true;
            while let Some(mut frame) = self.driver.poll_write() {
                let request = Request::decode(&mut frame.bytes).expect("frames are whole");
                self.exchanges = self.exchanges.max(request.exchange);
                self.asked.push_back(request);
            }
            for exchange in 1..=self.exchanges {
                if let Some(body) = self.terminal.take_answer(exchange.into()) {
                    self.reply(exchange, Ok(body));
                    is_quiet = false;
                }
            }
        }
        while let Some(event) = self.driver.poll_event() {
            match event {
                Event::Ready(_) | Event::Idle { .. } => self.is_idle = true,
                Event::LinkLost => self.is_idle = false,
                Event::Finished { operation, outcome } => {
                    let answers = self.orders.entry(operation).or_default();
                    *answers += 1;
                    assert_eq!(*answers, 1, "{operation:?} is answered once");
                    self.approved |= matches!(outcome, Outcome::Approved(_));
                }
                Event::Hint(_)
                | Event::Held { .. }
                | Event::Status { .. }
                | Event::DayEnded(_)
                | Event::Fault(_)
                | Event::Cleared(_) => {}
            }
        }
    }
}
