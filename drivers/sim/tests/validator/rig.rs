//! The driver and the firmware on a line of their own, in virtual time, with a small cashier in
//! place of the kiosk's core: it orders, books and acknowledges as the core does.

use std::time::Duration;

use domain::{Amount, Mono, NoteSet};
use driver_api::acceptor::{Command, Event, NotePlace};
use driver_api::{Link, Protocol};
use driver_sim::validator::{Firmware, Options, Output, Snapshot};
use driver_ssp::{Config, Encryption, FACTORY_KEY, Ssp};

pub(crate) struct Rig {
    pub(crate) now: Duration,
    pub(crate) unit: Firmware,
    driver: Ssp,
    config: Config,
    /// On their way from the unit.
    replies: Vec<Output>,
    pub(crate) events: Vec<Event>,
    pub(crate) cashier: Cashier,
    /// Replies of the unit that the line swallows from now on.
    pub(crate) lose_replies: bool,
}

impl Rig {
    /// Line up, nothing exchanged yet.
    pub(crate) fn new(config: Config, options: Options) -> Self {
        let mut rig = Self {
            now: Duration::ZERO,
            unit: Firmware::new(options),
            driver: Ssp::new(config.clone()),
            config,
            replies: Vec::new(),
            events: Vec::new(),
            cashier: Cashier::default(),
            lose_replies: false,
        };
        rig.link(Link::Up);
        rig
    }

    pub(crate) fn encrypted() -> Config {
        Config::encrypted(Encryption { fixed_key: FACTORY_KEY, seed: *b"sixteen of noise" })
    }

    /// Ready, and all notes let in.
    pub(crate) fn in_service(config: Config, options: Options) -> Self {
        let mut rig = Self::new(config, options);
        rig.until("ready", |rig| rig.cashier.is_ready);
        rig.enable();
        rig
    }

    pub(crate) fn enable(&mut self) {
        self.command(Command::Enable(NoteSet::of([5, 10, 20, 50].map(Amount::euro))));
        self.until("enabled", |rig| rig.state().is_enabled);
    }

    pub(crate) fn command(&mut self, command: Command) {
        let mono = self.mono();
        self.driver.handle_command(mono, command).expect("never busy");
        self.exchange();
    }

    pub(crate) fn link(&mut self, link: Link) {
        let mono = self.mono();
        self.driver.handle_link(mono, link);
        self.replies.clear();
        self.exchange();
    }

    /// `kill -9` of the kiosk and its restart: a new driver, the cashier's books stay.
    pub(crate) fn restart_kiosk(&mut self) {
        self.driver = Ssp::new(self.config.clone());
        self.cashier.is_ready = false;
        self.cashier.in_escrow = None;
        self.link(Link::Up);
    }

    pub(crate) fn insert(&mut self, cents: u32) {
        self.unit.insert(self.now, cents).expect("it takes the note");
    }

    pub(crate) fn state(&mut self) -> Snapshot {
        self.unit.snapshot(self.now)
    }

    /// Runs until `done`, for at most two minutes.
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = self.now + Duration::from_secs(120);
        while !done(self) {
            let state = self.state();
            assert!(self.now < end, "never {what}: {:?} {state:?}", self.events);
            self.step(end);
        }
    }

    /// Runs for a time.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step(end);
        }
    }

    fn step(&mut self, end: Duration) {
        let driver = self.driver.poll_timeout().map(|(at, _)| Duration::from_millis(at.0));
        let unit = self.unit.deadline();
        let reply = self.replies.first().map(|output| output.at);
        let next = [driver, unit, reply].into_iter().flatten().min().unwrap_or(end);
        self.now = next.max(self.now).min(end);
        self.unit.advance(self.now);
        if self.replies.first().is_some_and(|output| output.at <= self.now) {
            let output = self.replies.remove(0);
            let mono = self.mono();
            if !self.lose_replies {
                self.driver.handle_bytes(mono, &output.bytes);
            }
        }
        let mono = self.mono();
        self.driver.handle_timeout(mono);
        self.exchange();
    }

    /// Drains the driver, and lets the cashier answer.
    fn exchange(&mut self) {
        loop {
            let mono = self.mono();
            while let Some(frame) = self.driver.poll_write() {
                self.replies.extend(self.unit.receive(self.now, &frame.bytes));
            }
            let Some(event) = self.driver.poll_event() else { return };
            for command in self.cashier.hear(&event) {
                self.driver.handle_command(mono, command).expect("never busy");
            }
            self.events.push(event);
        }
    }

    fn mono(&self) -> Mono {
        Mono(u64::try_from(self.now.as_millis()).expect("a test is short"))
    }

    /// The cashier's books against the notes that are really there.
    pub(crate) fn assert_books(&mut self) {
        let state = self.state();
        let boxes = state.cash_box.iter().chain(&state.collected);
        let held: i64 = boxes.map(|(cents, count)| i64::from(*cents) * i64::from(*count)).sum();
        assert_eq!(
            self.cashier.credited.cents() + self.cashier.suspense.cents(),
            held,
            "{:?} {:?} {:?}",
            self.cashier,
            self.events,
            state
        );
        assert_eq!(self.cashier.order, None, "{:?}", self.events);
    }
}

/// What the kiosk's core does with an acceptor, in a few lines (kiosk/core `settle`).
#[derive(Debug, Default)]
pub(crate) struct Cashier {
    pub(crate) is_ready: bool,
    pub(crate) in_escrow: Option<Amount>,
    /// Stack ordered, outcome not known; with the life counter before it.
    pub(crate) order: Option<Amount>,
    pub(crate) credited: Amount,
    pub(crate) suspense: Amount,
    last_stacked: Option<Amount>,
    counter: Option<u32>,
    /// Orders that neither a report nor a counter settled.
    pub(crate) in_doubt: Vec<Amount>,
    /// Decides by itself: stack all that is escrowed.
    pub(crate) stacks_all: bool,
    /// Commits take longer than the test.
    pub(crate) never_acknowledges: bool,
}

impl Cashier {
    fn hear(&mut self, event: &Event) -> Vec<Command> {
        match event {
            Event::Ready(unit) => {
                self.is_ready = true;
                match (self.order, self.counter, unit.stacked_total) {
                    (Some(note), Some(before), Some(after)) if after == before + 1 => {
                        self.settle(note);
                    }
                    (Some(_), Some(before), Some(after)) if after == before => self.order = None,
                    (Some(note), _, _) => {
                        self.order = None;
                        self.in_doubt.push(note);
                    }
                    (None, _, _) => {}
                }
                self.counter = unit.stacked_total;
                Vec::new()
            }
            Event::Escrowed(note) => {
                self.in_escrow = Some(note.value);
                if self.stacks_all { self.order_stack() } else { Vec::new() }
            }
            Event::Stacked(note) => self.reported(Some(note.value)),
            Event::Recovered { place: NotePlace::CashUnit, note } => {
                self.reported(note.map(|note| note.value))
            }
            Event::Recovered { place: NotePlace::Customer, note: _ } => {
                self.order = None;
                self.in_escrow = None;
                self.acknowledge()
            }
            Event::Returned(_) => {
                self.order = None;
                self.in_escrow = None;
                Vec::new()
            }
            Event::LinkLost => {
                self.is_ready = false;
                self.in_escrow = None;
                Vec::new()
            }
            Event::Reading
            | Event::Rejected(_)
            | Event::UnitRemoved
            | Event::UnitInserted
            | Event::Fault(_)
            | Event::Cleared(_) => Vec::new(),
        }
    }

    pub(crate) fn order_stack(&mut self) -> Vec<Command> {
        self.order = self.in_escrow.take();
        // From here on, a report with this value is about this order.
        self.last_stacked = None;
        vec![Command::Stack]
    }

    fn reported(&mut self, value: Option<Amount>) -> Vec<Command> {
        let is_repeated = self.last_stacked.is_some_and(|last| value.is_none_or(|it| it == last));
        match self.order {
            _ if is_repeated => {}
            Some(order) if value.is_none_or(|value| value == order) => self.settle(order),
            Some(_) | None => {
                let value = value.unwrap_or_default();
                self.suspense = [self.suspense, value].into_iter().sum();
            }
        }
        self.acknowledge()
    }

    fn settle(&mut self, note: Amount) {
        self.order = None;
        self.credited = [self.credited, note].into_iter().sum();
        self.last_stacked = Some(note);
        self.counter = self.counter.map(|total| total + 1);
    }

    fn acknowledge(&self) -> Vec<Command> {
        if self.never_acknowledges { Vec::new() } else { vec![Command::Acknowledge] }
    }
}
