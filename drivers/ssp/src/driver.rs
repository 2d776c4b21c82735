use std::collections::{BTreeSet, VecDeque};

use domain::{Mono, NoteSet};
use driver_api::acceptor::{Command, Event, Note};
use driver_api::{Busy, Fault, FaultKind, Frame, Link, MoneyRisk, Protocol, Remedy, VendorCode};

use crate::config::Config;
use crate::crypt::{KeyExchange, Noise};
use crate::dataset::Dataset;
use crate::event::UnitEvent;
use crate::exchange::{Exchange, KEY_NOT_SET, Outcome};
use crate::path::Path;
use crate::request::Request;
use crate::set_up::Step;

/// A note validator on SSP or eSSP.
pub struct Ssp {
    pub(crate) config: Config,
    pub(crate) exchange: Exchange,
    pub(crate) noise: Noise,
    pub(crate) phase: Phase,
    /// What is under way, if the exchange is not idle.
    asked: Option<Request>,
    pub(crate) key_exchange: Option<KeyExchange>,
    pub(crate) dataset: Dataset,
    pub(crate) serial: Option<u32>,
    /// Can it repeat events that carry money until they are acknowledged?
    pub(crate) polls_with_ack: bool,
    /// What the core wants let in; `None` = nothing.
    pub(crate) wanted: Option<NoteSet>,
    /// What the unit was told.
    pub(crate) applied: Applied,
    pub(crate) orders: Orders,
    pub(crate) path: Path,
    pub(crate) path_since: Mono,
    pub(crate) reports: Reports,
    /// The note of before the line was lost, whose fate is not known.
    pub(crate) in_doubt: Option<Note>,
    /// Reported and not cleared.
    pub(crate) faults: BTreeSet<FaultKind>,
    /// What the last poll said of them.
    pub(crate) seen: BTreeSet<FaultKind>,
    pub(crate) is_unit_out: bool,
    /// [`Event::LinkLost`] was reported and [`Event::Ready`] was not since.
    is_lost: bool,
    pub(crate) due: Due,
    events: VecDeque<Event>,
    pub(crate) unreadable: u32,
}

/// What the driver is doing, apart from the note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No line.
    Down,
    /// The unit is not there, or not usable: tried again then.
    Pausing { until: Mono },
    /// Working through the set-up.
    SettingUp(Step),
    /// Set up and inhibited; polls until the unit has told what it has to tell.
    Settling,
    /// [`Event::Ready`] was reported.
    InService,
}

/// What the unit was told to let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) inhibits: Option<u16>,
    pub(crate) is_enabled: Option<bool>,
}

/// What shall be asked at the next opportunity, beside polling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Orders {
    /// What the core decided about the note in escrow.
    pub(crate) note: Option<NoteOrder>,
    /// The core has not heard of the note in escrow yet.
    pub(crate) tell_escrow: bool,
    /// Give back a note that the core never heard of.
    pub(crate) reject: bool,
    pub(crate) reset: bool,
    pub(crate) reject_code: bool,
    /// After a gap in the line: is it still the same unit?
    pub(crate) serial: bool,
    /// Settled: the life counter, and then ready.
    pub(crate) counters: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoteOrder {
    Stack,
    Return,
}

/// Events that carry money, from their report to the core until the unit may forget them.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// Reported to the core; the unit repeats them until we acknowledge.
    pub(crate) told: Vec<UnitEvent>,
    /// How many the core has not yet on disk.
    pub(crate) unacknowledged: u32,
}

/// Earliest next time of what is not asked at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Due {
    pub(crate) poll: Mono,
    pub(crate) hold: Mono,
    pub(crate) apply: Mono,
}

/// Health of the line, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Packets that came damaged.
    pub crc_errors: u32,
    /// Packets sent again.
    pub retransmissions: u32,
    /// Answers to polls that could not be read to their end.
    pub unreadable: u32,
}

impl Ssp {
    /// A driver whose line is down.
    pub fn new(config: Config) -> Self {
        let seed = config.encryption.as_ref().map_or([0; 16], |it| it.seed);
        Self {
            exchange: Exchange::new(config.address, config.timing.reply, config.timing.tries),
            noise: Noise::new(&seed),
            config,
            phase: Phase::Down,
            asked: None,
            key_exchange: None,
            dataset: Dataset::default(),
            serial: None,
            polls_with_ack: false,
            wanted: None,
            applied: Applied::default(),
            orders: Orders::default(),
            path: Path::Clear,
            path_since: Mono::default(),
            reports: Reports::default(),
            in_doubt: None,
            faults: BTreeSet::new(),
            seen: BTreeSet::new(),
            is_unit_out: false,
            is_lost: false,
            due: Due::default(),
            events: VecDeque::new(),
            unreadable: 0,
        }
    }

    /// Health of the line since the start.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            crc_errors: self.exchange.crc_errors(),
            retransmissions: self.exchange.retransmissions,
            unreadable: self.unreadable,
        }
    }

    /// Asks the next thing, if nothing is under way and something is due.
    fn proceed(&mut self, now: Mono) {
        if !self.exchange.is_idle() {
            return;
        }
        if let Phase::Pausing { until } = self.phase
            && until <= now
        {
            self.phase = Phase::SettingUp(Step::FIRST);
        }
        let request = match self.phase {
            Phase::Down | Phase::Pausing { .. } => return,
            Phase::SettingUp(step) => Some(self.set_up_request(step)),
            Phase::Settling | Phase::InService => self.service_request(now),
        };
        let Some(request) = request else { return };
        self.asked = Some(request);
        let bytes = request.bytes();
        match request {
            Request::Sync => self.exchange.send_sync(now, &bytes),
            Request::SetGenerator | Request::SetModulus | Request::KeyExchange(_) => {
                self.exchange.send_secret(now, &bytes);
            }
            Request::HostProtocol(_)
            | Request::Setup
            | Request::SerialNumber
            | Request::Counters
            | Request::Inhibits(_)
            | Request::Enable
            | Request::Disable
            | Request::Reject
            | Request::Hold
            | Request::Poll
            | Request::PollWithAck
            | Request::EventAck
            | Request::LastRejectCode
            | Request::Reset => self.exchange.send(now, &bytes, &mut self.noise),
        }
    }

    fn conclude(&mut self, now: Mono, outcome: Outcome) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        match (outcome, self.phase) {
            (Outcome::Lost, Phase::SettingUp(step)) => self.set_up_unanswered(now, step),
            (Outcome::Lost, _) => self.lose(now, Phase::SettingUp(Step::FIRST)),
            (Outcome::Reply { data, .. }, Phase::SettingUp(step)) => {
                self.set_up_reply(now, step, &data);
            }
            (Outcome::Reply { data, after_gap }, Phase::Settling | Phase::InService) => {
                self.orders.serial |= after_gap;
                if data.first() == Some(&KEY_NOT_SET) {
                    // It was reset meanwhile, and did not execute what we asked.
                    self.lose(now, Phase::SettingUp(Step::FIRST));
                } else {
                    self.service_reply(now, asked, &data);
                }
            }
            (Outcome::Reply { .. }, Phase::Down | Phase::Pausing { .. }) => {}
        }
    }

    /// Starts over. What was in flight is in doubt until the unit tells about it.
    pub(crate) fn lose(&mut self, now: Mono, next: Phase) {
        self.in_doubt = self.path.note().or(self.in_doubt);
        self.exchange.restart();
        self.asked = None;
        self.applied = Applied::default();
        self.orders = Orders::default();
        self.set_path(now, Path::Clear);
        self.phase = next;
        if !self.is_lost {
            self.is_lost = true;
            self.emit(Event::LinkLost);
        }
    }

    pub(crate) fn set_path(&mut self, now: Mono, path: Path) {
        if self.path != path {
            self.path = path;
            self.path_since = now;
            self.orders.note = None;
            self.orders.tell_escrow = false;
        }
    }

    pub(crate) fn emit(&mut self, event: Event) {
        if matches!(event, Event::Ready(_)) {
            self.is_lost = false;
        }
        self.events.push_back(event);
    }

    pub(crate) fn raise(&mut self, kind: FaultKind, remedy: Remedy, money: MoneyRisk, code: u8) {
        if self.faults.insert(kind) {
            self.emit(Event::Fault(Fault {
                kind,
                remedy,
                money,
                vendor: VendorCode(u32::from(code)),
            }));
        }
    }

    pub(crate) fn clear(&mut self, kind: FaultKind) {
        if self.faults.remove(&kind) {
            self.emit(Event::Cleared(kind));
        }
    }

    fn deadline(&self) -> Option<(Mono, &'static str)> {
        if let Some(at) = self.exchange.deadline() {
            return Some((at, "reply of the validator"));
        }
        match self.phase {
            Phase::Down | Phase::SettingUp(_) => None,
            Phase::Pausing { until } => Some((until, "next attempt")),
            Phase::Settling | Phase::InService => Some(self.service_deadline()),
        }
    }
}

impl Protocol for Ssp {
    type Command = Command;
    type Event = Event;

    /// Never busy: each command says what shall be, or is one of a kind and waits for its turn. A
    /// decision about a note that is no longer in escrow is void; what became of that note is
    /// reported anyway.
    fn handle_command(&mut self, now: Mono, command: Command) -> Result<(), Busy> {
        match command {
            Command::Enable(notes) => self.wanted = Some(notes),
            Command::Disable => self.wanted = None,
            Command::Stack => {
                if matches!(self.path, Path::Escrow(_)) && self.orders.note.is_none() {
                    self.orders.note = Some(NoteOrder::Stack);
                }
            }
            Command::Return => {
                if matches!(self.path, Path::Escrow(_)) {
                    self.orders.note = Some(NoteOrder::Return);
                }
            }
            Command::Acknowledge => {
                self.reports.unacknowledged = self.reports.unacknowledged.saturating_sub(1);
            }
            Command::Reset => self.orders.reset = true,
        }
        self.proceed(now);
        Ok(())
    }

    fn handle_bytes(&mut self, now: Mono, bytes: &[u8]) {
        for byte in bytes {
            if let Some(outcome) = self.exchange.take(*byte) {
                self.conclude(now, outcome);
                self.proceed(now);
            }
        }
    }

    fn handle_link(&mut self, now: Mono, link: Link) {
        match link {
            Link::Up => {
                self.exchange.restart();
                self.phase = Phase::SettingUp(Step::FIRST);
            }
            Link::Down => self.lose(now, Phase::Down),
        }
        self.proceed(now);
    }

    fn handle_timeout(&mut self, now: Mono) {
        if let Some(outcome) = self.exchange.tick(now) {
            self.conclude(now, outcome);
        }
        self.proceed(now);
    }

    fn poll_write(&mut self) -> Option<Frame> {
        self.exchange.poll_write()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Mono, &'static str)> {
        self.deadline()
    }
}
