//! Looking at the terminal: what is asked of it between orders, and what its answers mean.

use domain::Mono;
use driver_api::payment_terminal::{Capabilities, Event, Outcome};
use driver_api::{Fault, FaultKind, Remedy};

use crate::answer::{Status, enquiry, terminal_id};
use crate::apdu::Apdu;
use crate::bmp::to_bcd;
use crate::code::{DIAGNOSIS, OK, WAIT, fault};
use crate::driver::{Phase, Zvt};
use crate::log::Log;

/// What is asked between orders, in the order of declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// `06 00`: who we are, and that we take the receipts and the intermediate states.
    Register,
    /// `06 70`: it wants to speak to its host.
    Diagnose,
    /// `05 01`: is it idle, and usable?
    Enquire,
    /// `06 20`: the last transaction.
    ReadLog,
}

/// What is to be asked at the next opportunity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) registration: bool,
    pub(crate) diagnosis: bool,
    pub(crate) enquiry: bool,
    pub(crate) log: bool,
}

impl Due {
    /// On a new line.
    pub(crate) const ALL: Self =
        Self { registration: true, diagnosis: false, enquiry: true, log: true };

    pub(crate) fn next(self) -> Option<Look> {
        let looks = [
            (self.registration, Look::Register),
            (self.diagnosis, Look::Diagnose),
            (self.enquiry, Look::Enquire),
            (self.log, Look::ReadLog),
        ];
        looks.into_iter().find(|(is_due, _)| *is_due).map(|(_, look)| look)
    }
}

/// The till prints receipts (02) and reports (04) as text blocks (80), wants intermediate states
/// (08), and is the only one to begin payments (10) and reports (20).
const CONFIGURATION: u8 = 0x80 | 0x20 | 0x10 | 0x08 | 0x04 | 0x02;
/// ISO 4217.
pub(crate) const EURO: [u8; 2] = [0x09, 0x78];
/// `06 20` when there is nothing to repeat. Any other error leaves open what is in the log.
const LOG_EMPTY: u8 = 0x6D;

impl Zvt {
    pub(crate) fn look_apdu(&self, look: Look) -> Apdu {
        let password = to_bcd::<3>(u64::from(self.config.password));
        match look {
            Look::Register => {
                let mut data = password.to_vec();
                data.push(CONFIGURATION);
                data.extend(EURO);
                Apdu::new(0x06, 0x00, data)
            }
            Look::Diagnose => Apdu::new(0x06, 0x70, Vec::new()),
            Look::Enquire => Apdu::new(0x05, 0x01, Vec::new()),
            Look::ReadLog => Apdu::new(0x06, 0x20, password.to_vec()),
        }
    }

    /// `06 0F`.
    pub(crate) fn looked(&mut self, now: Mono, look: Look, status: Option<Status>, data: &[u8]) {
        self.reports.heard();
        match look {
            Look::Register => {
                self.due.registration = false;
                // Some tell it in a status information before.
                let told = terminal_id(data).or(status.and_then(|status| status.terminal));
                self.terminal = told.or(self.terminal.take());
            }
            Look::Diagnose => {
                self.due.diagnosis = false;
                self.is_diagnosed = true;
            }
            Look::Enquire => return self.enquired(now, data),
            Look::ReadLog => match status {
                Some(status) if status.log_entry().is_some() => self.log_is_read(Some(status)),
                Some(status) if status.result == Some(LOG_EMPTY) => self.log_is_read(None),
                // Without its log no order could be found again: it is not fit for service.
                Some(_) | None => {
                    let fault = Fault::new(FaultKind::Garbled, Remedy::Technician);
                    return self.cannot(now, Some(fault));
                }
            },
        }
        self.proceed(now);
    }

    fn enquired(&mut self, now: Mono, data: &[u8]) {
        // Some say no more than that they answer.
        let silent = data.is_empty().then(|| (String::new(), OK));
        match enquiry(data).or(silent) {
            Some((firmware, OK)) => {
                self.firmware = firmware;
                self.due.enquiry = false;
                self.is_diagnosed = false;
                self.reports.cleared();
                self.proceed(now);
            }
            Some((_, DIAGNOSIS)) if !self.is_diagnosed => {
                self.due.diagnosis = true;
                self.proceed(now);
            }
            Some((_, code)) => self.cannot(now, fault(code)),
            None => self.cannot(now, Some(Fault::new(FaultKind::Garbled, Remedy::Technician))),
        }
    }

    fn log_is_read(&mut self, last: Option<Status>) {
        self.due.log = false;
        let log = Log(last);
        if let Some(question) = self.question.take() {
            let outcome = log.resolve(&question, self.terminal.as_deref());
            self.reports.say(Event::Status { operation: question.operation, outcome });
        }
        self.mark = Some(log.mark(self.terminal.as_deref()));
        self.reports.owe_idle();
    }

    /// `84 xx` or `06 1E`.
    pub(crate) fn refused(&mut self, now: Mono, look: Look, code: u8) {
        self.reports.heard();
        match (look, code) {
            (Look::ReadLog, LOG_EMPTY) => {
                self.log_is_read(None);
                self.proceed(now);
            }
            (Look::Diagnose, WAIT) => self.cannot(now, None),
            (Look::ReadLog, WAIT) => {
                self.cannot(now, None);
                // Some are still busy with the enquiry just answered: the log alone, next time.
                self.due.enquiry = false;
            }
            (Look::Diagnose, _) => {
                // The enquiry tells whether it can work all the same.
                self.due.diagnosis = false;
                self.is_diagnosed = true;
                self.proceed(now);
            }
            (Look::Register | Look::Enquire | Look::ReadLog, _) => self.cannot(now, fault(code)),
        }
    }

    /// No answer.
    pub(crate) fn missed(&mut self, now: Mono) {
        if self.reports.missed() {
            self.lose();
        }
        self.cannot(now, None);
    }

    /// It cannot be asked now, or is not fit: again in a while.
    fn cannot(&mut self, now: Mono, fault: Option<Fault>) {
        if let Some(question) = self.question.take() {
            let outcome = Outcome::Unknown;
            self.reports.say(Event::Status { operation: question.operation, outcome });
        }
        fault.into_iter().for_each(|fault| self.reports.fault(fault));
        self.due.enquiry = true;
        self.phase = Phase::Pausing { until: now + self.config.timing.retry };
    }

    /// All that was due is known.
    pub(crate) fn rest(&mut self, now: Mono) {
        self.phase = Phase::Idle { poll_at: now + self.config.timing.poll };
        self.reports.rest(Capabilities {
            terminal: self.terminal.clone(),
            firmware: self.firmware.clone(),
            mark: self.mark.clone(),
            holds: u16::try_from(self.config.timing.hold.as_secs()).ok(),
        });
    }
}
