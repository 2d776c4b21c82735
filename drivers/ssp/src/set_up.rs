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

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use domain::Amount;
    use driver_api::Protocol;
    use driver_api::acceptor::Note;

    use super::*;
    use crate::config::{Config, Encryption, FACTORY_KEY};

    const NOW: Mono = Mono(1_000);

    const STEPS: [Step; 13] = [
        Step::FIRST,
        Step::Sync { tries: 5 },
        Step::Generator,
        Step::Modulus,
        Step::KeyExchange,
        Step::Level(LEVEL_MAX),
        Step::Level(LEVEL_MIN),
        Step::Reject,
        Step::Disable,
        Step::Inhibit,
        Step::Dataset,
        Step::Serial,
        // Not a step of its own: with a note in doubt, the one that is given back is it.
        Step::Reject,
    ];

    fn driver(step: Step, is_encrypted: bool, in_doubt: Option<Note>) -> Ssp {
        let key = Encryption { fixed_key: FACTORY_KEY, seed: [7; 16] };
        let mut driver =
            Ssp::new(if is_encrypted { Config::encrypted(key) } else { Config::plain() });
        driver.in_doubt = in_doubt;
        driver.phase = Phase::SettingUp(step);
        driver.set_up_request(step);
        driver
    }

    /// Worked reply of GA973 §8.3, cut to one channel.
    fn dataset() -> Vec<u8> {
        let mut reply = b"\xF0\x000335EUR\0\0\x01\x01\x14\x02\0\0\x64\x06EUR".to_vec();
        reply.extend(20u32.to_le_bytes());
        reply
    }

    #[test]
    fn every_step_meets_every_reply() {
        let replies: [(&str, Option<Vec<u8>>); 10] = [
            ("silence", None),
            ("empty", Some(vec![])),
            ("OK", Some(vec![0xF0])),
            ("OK, half a key", Some(vec![0xF0, 9, 0, 0, 0, 0, 0, 0, 0])),
            ("OK, a key that is none", Some(vec![0xF0, 1, 0, 0, 0, 0, 0, 0, 0])),
            ("OK, a dataset", Some(dataset())),
            ("unknown command", Some(vec![0xF2])),
            ("cannot process", Some(vec![0xF5])),
            ("fail", Some(vec![0xF8])),
            ("key not set", Some(vec![KEY_NOT_SET])),
        ];
        let mut table = String::new();
        for (number, step) in STEPS.into_iter().enumerate() {
            let in_doubt = (number == STEPS.len() - 1).then_some(Note { value: Amount::euro(20) });
            writeln!(table, "{step:?}{}", if in_doubt.is_some() { " in doubt" } else { "" })
                .unwrap();
            for (name, reply) in &replies {
                let [clear, secret] = [false, true].map(|is_encrypted| {
                    let mut driver = driver(step, is_encrypted, in_doubt);
                    match reply {
                        None => driver.set_up_unanswered(NOW, step),
                        Some(data) => driver.set_up_reply(NOW, step, data),
                    }
                    outcome(&mut driver)
                });
                writeln!(table, "  {name} -> {clear}").unwrap();
                if secret != clear {
                    writeln!(table, "  {name}, encrypted -> {secret}").unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    fn outcome(driver: &mut Ssp) -> String {
        let mut words = format!("{:?}", driver.phase);
        if driver.path != Path::Clear {
            write!(words, ", {:?}", driver.path).unwrap();
        }
        while let Some(event) = driver.poll_event() {
            write!(words, "  tells {event:?}").unwrap();
        }
        words
    }
}
