//! From a line that is up to a unit that is set up and inhibited [GA973 §6, §8.3].
//!
//! We do not know what the unit did meanwhile: it may hold a note in escrow, which our first poll
//! would accept. So a REJECT goes before the first poll; a note that it returns is reported as
//! recovered.

use domain::Mono;
use driver_api::{FaultKind, MoneyRisk, Remedy};

use crate::crypt::{KeyExchange, Session};
use crate::dataset::Dataset;
use crate::driver::{Phase, Ssp};
use crate::exchange::KEY_NOT_SET;
use crate::path::Path;
use crate::request::{OK, Request};

/// What is asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Sync {
        tries: u32,
    },
    Generator,
    Modulus,
    KeyExchange,
    /// The protocol level, from the highest we know downwards.
    Level(u8),
    Reject,
    Disable,
    Inhibit,
    Dataset,
    Serial,
}

impl Step {
    pub(crate) const FIRST: Self = Self::Sync { tries: 1 };
}

/// The highest level whose events we can tell apart [GA973 appendix E].
const LEVEL_MAX: u8 = 8;

/// Below it, the notes found at power-up would not be reported.
const LEVEL_MIN: u8 = 4;

impl Ssp {
    pub(crate) fn set_up_request(&mut self, step: Step) -> Request {
        match step {
            Step::Sync { .. } => Request::Sync,
            Step::Generator => Request::SetGenerator,
            Step::Modulus => Request::SetModulus,
            Step::KeyExchange => {
                let ours = KeyExchange::new(&mut self.noise);
                let half = ours.host_half();
                self.key_exchange = Some(ours);
                Request::KeyExchange(half)
            }
            Step::Level(level) => Request::HostProtocol(level),
            Step::Reject => Request::Reject,
            Step::Disable => Request::Disable,
            Step::Inhibit => Request::Inhibits(0),
            Step::Dataset => Request::Setup,
            Step::Serial => Request::SerialNumber,
        }
    }

    pub(crate) fn set_up_unanswered(&mut self, now: Mono, step: Step) {
        match step {
            // A unit that starts is silent for seconds: the core hears of it once, and we go on.
            Step::Sync { tries } if tries < self.config.timing.tries => {
                self.phase = Phase::SettingUp(Step::Sync { tries: tries + 1 });
            }
            Step::Sync { .. }
            | Step::Generator
            | Step::Modulus
            | Step::KeyExchange
            | Step::Level(_)
            | Step::Reject
            | Step::Disable
            | Step::Inhibit
            | Step::Dataset
            | Step::Serial => self.lose(now, Phase::SettingUp(Step::FIRST)),
        }
    }

    pub(crate) fn set_up_reply(&mut self, now: Mono, step: Step, data: &[u8]) {
        let (response, body) = data.split_first().unwrap_or((&0, &[]));
        if *response == KEY_NOT_SET {
            return self.not_paired(now, *response);
        }
        let is_ok = *response == OK;
        let next = match step {
            Step::Sync { .. } if !is_ok => return self.not_usable(now, *response),
            Step::Sync { .. } => match self.config.encryption {
                Some(_) => Step::Generator,
                None => Step::Level(LEVEL_MAX),
            },
            Step::Generator if is_ok => Step::Modulus,
            Step::Modulus if is_ok => Step::KeyExchange,
            Step::KeyExchange if is_ok && self.agree_on_key(body) => Step::Level(LEVEL_MAX),
            Step::Generator | Step::Modulus | Step::KeyExchange => {
                return self.not_paired(now, *response);
            }
            Step::Level(level) if !is_ok && level > LEVEL_MIN => Step::Level(level - 1),
            Step::Level(_) if !is_ok => return self.not_usable(now, *response),
            Step::Level(_) => Step::Reject,
            Step::Reject => {
                // Anything but OK: no note was in escrow.
                if is_ok {
                    self.set_path(now, Path::Returning(self.in_doubt));
                }
                Step::Disable
            }
            // A jammed unit may refuse these; it takes no notes either [GA973 §8.1].
            Step::Disable => Step::Inhibit,
            Step::Inhibit => Step::Dataset,
            Step::Dataset => match Dataset::parse(body) {
                Some(dataset) if is_ok => {
                    self.dataset = dataset;
                    Step::Serial
                }
                Some(_) | None => return self.not_usable(now, *response),
            },
            Step::Serial => return self.settle(now, is_ok, body),
        };
        self.phase = Phase::SettingUp(next);
    }

    fn settle(&mut self, now: Mono, is_ok: bool, body: &[u8]) {
        self.serial =
            body.first_chunk::<4>().filter(|_| is_ok).map(|bytes| u32::from_be_bytes(*bytes));
        // It is tried; a unit that cannot says so and polls without [GA138 0x56].
        self.polls_with_ack = true;
        self.applied.inhibits = Some(0);
        self.applied.is_enabled = Some(false);
        self.due.poll = now;
        self.path_since = now;
        self.phase = Phase::Settling;
    }

    /// Takes the unit's half. `false`: it is none that makes a key.
    fn agree_on_key(&mut self, body: &[u8]) -> bool {
        let ours = self.key_exchange.take();
        let (Some(half), Some(ours)) = (body.first_chunk::<8>(), ours) else {
            return false;
        };
        let Some(encryption) = &self.config.encryption else {
            return false;
        };
        let half = u64::from_le_bytes(*half);
        // 0 and 1 stay what they are under any exponent: a key that anybody knows.
        if half < 2 {
            return false;
        }
        self.exchange.session = Some(Session::new(encryption.fixed_key, ours.key(half)));
        true
    }

    /// The keys do not match, or one of the two wants encryption and the other cannot.
    fn not_paired(&mut self, now: Mono, code: u8) {
        self.give_up(now);
        self.raise(FaultKind::NotPaired, Remedy::Technician, MoneyRisk::None, code);
    }

    /// It answers, but is no note validator that we can use.
    fn not_usable(&mut self, now: Mono, code: u8) {
        self.give_up(now);
        self.raise(FaultKind::Defective, Remedy::Technician, MoneyRisk::None, code);
    }

    fn give_up(&mut self, now: Mono) {
        let until = now + self.config.timing.retry;
        self.lose(now, Phase::Pausing { until });
    }
}
