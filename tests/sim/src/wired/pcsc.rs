//! What stands between a reader and kioskd: pcscd, and the thread of `driver-pcsc`. Both block and
//! wait; here they are a protocol. When to read, what to ask, and what to believe is the product's
//! own (`driver-mifare`).

use std::collections::VecDeque;
use std::time::Duration;

use domain::Mono;
use driver_api::card_reader::{Card, CardProblem, Command, Event};
use driver_api::{Busy, Fault, FaultKind, Frame, Link, MoneyRisk, Protocol, Remedy, VendorCode};
use driver_mifare::{
    Attempts, Failure, Field, Next, Orders, RawCard, ReaderDialect, Reading, Seen, Verifier,
};

use super::ccid::{Message, What};

/// Both.
pub struct Pcsc {
    dialect: &'static ReaderDialect,
    verifier: Verifier,
    seq: u8,
    /// The reader was asked something, and is not waited for any longer than this.
    until: Option<Mono>,
    /// It is asked whether it is there.
    look_at: Option<Mono>,
    seen: Seen,
    /// pcscd counts what comes and goes.
    changes: u32,
    is_ready: bool,
    orders: Orders,
    field: Field,
    keys_loaded: bool,
    work: Option<Work>,
    writes: VecDeque<Frame>,
    events: VecDeque<Event>,
}

/// A card that is being read.
struct Work {
    card: Seen,
    attempts: Attempts,
    /// `None` = it is being selected.
    reading: Option<Reading>,
}

/// `driver_pcsc::Config::CALL_TIME_MAX`.
const CALL_TIME_MAX: Duration = Duration::from_secs(8);

/// As often a reader that hangs, or understood nothing, is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Pcsc {
    /// For the reader that PC/SC knows by this name.
    pub fn new(reader: &str, verifier: Verifier) -> Self {
        Self {
            dialect: ReaderDialect::of(reader),
            verifier,
            seq: 0,
            until: None,
            look_at: None,
            seen: Seen::NoReader,
            changes: 0,
            is_ready: false,
            orders: Orders::default(),
            field: Field::default(),
            keys_loaded: false,
            work: None,
            writes: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    fn ask(&mut self, now: Mono, what: What) {
        self.seq = self.seq.wrapping_add(1);
        self.until = Some(now + CALL_TIME_MAX);
        self.writes.push_back(Frame::open(Message { seq: self.seq, what }.encode()));
    }

    fn hear(&mut self, now: Mono, message: Message) {
        if let What::SlotChange(is_occupied) = message.what {
            self.changes += 1;
            self.see(is_occupied);
            return self.look(now);
        }
        if message.seq != self.seq || self.until.take().is_none() {
            // To a question that nobody waits for any more.
            return;
        }
        match (message.what, self.work.take()) {
            (What::SlotStatus(is_occupied), None) => {
                self.see(is_occupied);
                if !std::mem::replace(&mut self.is_ready, true) {
                    self.events.push_back(Event::Ready);
                }
                self.look(now);
            }
            (What::Data(_), Some(work @ Work { reading: None, .. })) => {
                self.go_on(now, work, Reading::begin(self.dialect, self.keys_loaded));
            }
            (What::Data(answer), Some(Work { reading: Some(reading), card, attempts })) => {
                let work = Work { reading: None, card, attempts };
                match reading.answer(&answer) {
                    Next::Ask(reading) => self.go_on(now, work, reading),
                    Next::Done(ended) => self.judge(now, work, ended),
                }
            }
            // It is there, and cannot be selected.
            (What::SlotStatus(true), Some(work @ Work { reading: None, .. })) => {
                self.judge(now, work, Err(Failure::Card(CardProblem::Several)));
            }
            (What::SlotStatus(_), Some(work)) => self.judge(now, work, Err(Failure::TORN)),
            (What::PowerOn | What::GetSlotStatus | What::Transmit(_) | What::SlotChange(_), _)
            | (What::Data(_), None) => unreachable!("no answer of a reader"),
        }
    }

    fn see(&mut self, is_occupied: bool) {
        self.seen = if is_occupied { Seen::Card(self.changes) } else { Seen::Empty };
    }

    /// Once per change of the field or of the orders, unless a card is being read.
    fn look(&mut self, now: Mono) {
        if self.work.is_some() || !self.is_ready {
            return;
        }
        let duty = self.field.see(self.seen, self.orders);
        if duty.removed {
            self.events.push_back(Event::Removed);
        }
        if duty.read {
            let (card, attempts) = (self.seen, Attempts::default());
            self.select(now, Work { card, attempts, reading: None });
        }
    }

    fn select(&mut self, now: Mono, work: Work) {
        self.work = Some(work);
        self.ask(now, What::PowerOn);
    }

    fn go_on(&mut self, now: Mono, work: Work, reading: Reading) {
        self.ask(now, What::Transmit(reading.question()));
        self.work = Some(Work { reading: Some(reading), ..work });
    }

    fn judge(&mut self, now: Mono, mut work: Work, ended: Result<RawCard, Failure>) {
        self.keys_loaded |= ended.is_ok();
        match work.attempts.judge(ended, &self.verifier) {
            Some(verdict) => self.report(now, verdict),
            None if self.seen == work.card => self.select(now, work),
            None => self.report(now, Err(Failure::TORN)),
        }
    }

    fn report(&mut self, now: Mono, verdict: Result<Card, Failure>) {
        let event = match verdict {
            Ok(card) => Event::Presented(card),
            Err(Failure::Card(problem)) => Event::Unreadable(problem),
            Err(Failure::Reader(status)) => {
                self.begin_anew();
                self.look_at = Some(now + LOOK_EVERY);
                Event::Fault(Fault {
                    kind: FaultKind::Garbled,
                    remedy: Remedy::Technician,
                    money: MoneyRisk::None,
                    vendor: VendorCode(status.into()),
                })
            }
        };
        self.events.push_back(event);
        self.look(now);
    }

    /// Nothing is known of reader and field any more.
    fn begin_anew(&mut self) {
        self.is_ready = false;
        self.until = None;
        self.field = Field::default();
        self.keys_loaded = false;
        self.work = None;
    }

    /// It hangs, or is gone.
    fn lose(&mut self) {
        if self.is_ready {
            self.events.push_back(Event::LinkLost);
        }
        self.begin_anew();
    }
}

impl Protocol for Pcsc {
    type Command = Command;
    type Event = Event;

    fn handle_command(&mut self, now: Mono, command: Command) -> Result<(), Busy> {
        self.orders.take(&command);
        self.look(now);
        Ok(())
    }

    fn handle_bytes(&mut self, now: Mono, bytes: &[u8]) {
        for message in Message::decode(bytes) {
            self.hear(now, message);
        }
    }

    fn handle_link(&mut self, now: Mono, link: Link) {
        // A thread that hangs cannot tell that the card is gone; one that sees the reader go can.
        if self.is_ready && self.field.see(Seen::NoReader, self.orders).removed {
            self.events.push_back(Event::Removed);
        }
        self.lose();
        self.look_at = (link == Link::Up).then_some(now);
    }

    fn handle_timeout(&mut self, now: Mono) {
        if self.until.is_some_and(|until| until <= now) {
            self.lose();
            self.look_at = Some(now + LOOK_EVERY);
        }
        if self.look_at.is_some_and(|at| at <= now) {
            self.look_at = None;
            self.ask(now, What::GetSlotStatus);
        }
    }

    fn poll_write(&mut self) -> Option<Frame> {
        self.writes.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Mono, &'static str)> {
        let hangs = self.until.map(|at| (at, "reader hangs"));
        let looks = self.look_at.map(|at| (at, "reader looked for"));
        hangs.into_iter().chain(looks).min()
    }
}
