//! Looking at the terminal: what is asked of it between orders, and what its answers mean.

use domain::Mono;
use driver_api::exchange::NoAnswer;
use driver_api::payment_terminal::{
    Capabilities, DayEnd, Decline, DeclineReason, Event, Outcome, Question,
};
use driver_api::{Fault, FaultKind, Remedy, VendorCode};

use crate::answer::{Fate, category, day_end, fate};
use crate::code::{Health, health};
use crate::driver::{Nexo, Phase, Sent};
use crate::message::{
    Body, Diagnosis, DiagnosisResponse, Login, ReconciliationRequest, Response, SaleSoftware,
    StatusRequest,
};
use crate::seal::OpenError;

/// A request that moves no value, and waits for its reply.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) sent: Sent,
    pub(crate) about: About,
}

impl Asking {
    pub(crate) const fn is_day_end(&self) -> bool {
        matches!(self.about, About::EndOfDay)
    }
}

#[derive(Debug)]
pub(crate) enum About {
    /// Who we are: it counts its totals from then on.
    LogIn,
    /// Is it idle, and usable?
    Diagnose,
    /// What became of an order?
    Status(Question),
    /// It knows nothing of an order. Is it idle?
    NotFound(Question),
    EndOfDay,
}

impl About {
    /// MessageCategory.
    pub(crate) const fn category(&self) -> &'static str {
        match self {
            Self::LogIn => "Login",
            Self::Diagnose | Self::NotFound(_) => "Diagnosis",
            Self::Status(_) => "TransactionStatus",
            Self::EndOfDay => "Reconciliation",
        }
    }

    /// What is to be reported when no answer comes.
    pub(crate) const fn unanswered(&self) -> Option<Event> {
        match self {
            Self::LogIn | Self::Diagnose => None,
            Self::Status(Question { operation, .. })
            | Self::NotFound(Question { operation, .. }) => {
                Some(Event::Status { operation: *operation, outcome: Outcome::Unknown })
            }
            Self::EndOfDay => Some(Event::DayEnded(DayEnd::Unknown)),
        }
    }
}

/// What is to be asked at the next opportunity, after a question of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) login: bool,
    pub(crate) diagnosis: bool,
}

impl Due {
    /// On a new line.
    pub(crate) const ALL: Self = Self { login: true, diagnosis: true };
}

impl Nexo {
    /// Asks the next thing that is due; rests if nothing is.
    pub(crate) fn proceed(&mut self, now: Mono) {
        if let Some(question) = self.question.take() {
            self.ask(now, About::Status(question));
        } else if self.due.login {
            self.ask(now, About::LogIn);
        } else if self.due.diagnosis {
            self.ask(now, About::Diagnose);
        } else {
            self.rest(now);
        }
    }

    pub(crate) fn ask(&mut self, now: Mono, about: About) {
        let body = match &about {
            About::LogIn => Body::Login(Login {
                date_time: self.timestamp(now),
                sale_software: SaleSoftware {
                    manufacturer: "PAUSE+",
                    name: "PAUSE+",
                    version: env!("CARGO_PKG_VERSION"),
                    certification: "none",
                },
                operator_language: "en",
            }),
            About::Status(question) => Body::TransactionStatus(StatusRequest {
                message_reference: self.reference(category(question), Some(question.operation)),
                receipt_reprint_flag: true,
                document_qualifier: ["CustomerReceipt"],
            }),
            About::Diagnose | About::NotFound(_) => {
                Body::Diagnosis(Diagnosis { host_diagnosis_flag: false })
            }
            About::EndOfDay => Body::Reconciliation(ReconciliationRequest {
                reconciliation_type: "SaleReconciliation",
            }),
        };
        let sent = self.send(now, None, &body);
        self.phase = Phase::Asking(Asking { sent, about });
    }

    /// After an order the terminal may be another one.
    pub(crate) fn look_again(&mut self, now: Mono) {
        self.due.diagnosis = true;
        self.reports.owe_idle();
        self.proceed(now);
    }

    pub(crate) fn answered(
        &mut self,
        now: Mono,
        about: About,
        answer: Result<Result<Response, OpenError>, NoAnswer>,
    ) {
        match answer {
            Err(NoAnswer::NotSent | NoAnswer::Lost) => {
                self.unanswered(&about);
                self.missed(now);
            }
            Ok(Err(error)) => {
                self.reports.heard();
                self.unanswered(&about);
                self.cannot(now, Some(not_understood(&error)));
            }
            Ok(Ok(response)) => {
                self.reports.heard();
                self.looked(now, about, &response);
            }
        }
    }

    fn unanswered(&mut self, about: &About) {
        about.unanswered().into_iter().for_each(|event| self.reports.answer(event));
    }

    fn looked(&mut self, now: Mono, about: About, response: &Response) {
        match about {
            About::LogIn => {
                self.due.login = false;
                if let Some(login) = &response.login_response {
                    // Refused, it keeps no totals; it can be paid with all the same.
                    self.is_logged_in = login.response.result == "Success";
                    let system = login.system.0.as_ref();
                    self.firmware = system
                        .map(|system| system.software.software_version.clone())
                        .unwrap_or_default();
                }
                self.proceed(now);
            }
            About::Diagnose => match state(response.diagnosis_response.as_ref()) {
                Health::Idle => {
                    self.due.diagnosis = false;
                    self.reports.cleared();
                    self.proceed(now);
                }
                Health::Busy => self.cannot(now, None),
                Health::Ill(fault) => self.cannot(now, Some(fault)),
            },
            About::Status(question) => {
                let status = response.transaction_status_response.as_ref();
                let unknown = Fate::Known(Outcome::Unknown);
                match status.map_or(unknown, |status| fate(status, &question)) {
                    Fate::NotFound if self.settled_at <= now => {
                        self.ask(now, About::NotFound(question));
                    }
                    Fate::NotFound => self.told(now, &question, Outcome::Unknown),
                    Fate::Known(outcome) => self.told(now, &question, outcome),
                }
            }
            About::NotFound(question) => {
                let outcome = match state(response.diagnosis_response.as_ref()) {
                    Health::Idle => Outcome::Declined(Decline::new(DeclineReason::NotCarriedOut)),
                    Health::Busy | Health::Ill(_) => Outcome::Unknown,
                };
                self.told(now, &question, outcome);
            }
            About::EndOfDay => {
                let end = response.reconciliation_response.as_ref().map(day_end);
                // One that restarted meanwhile has forgotten who logged in.
                self.due.login |= matches!(end, Some(DayEnd::Refused(_)));
                self.reports.say(Event::DayEnded(end.unwrap_or(DayEnd::Unknown)));
                self.look_again(now);
            }
        }
    }

    fn told(&mut self, now: Mono, question: &Question, outcome: Outcome) {
        self.reports.answer(Event::Status { operation: question.operation, outcome });
        self.proceed(now);
    }

    /// No answer.
    fn missed(&mut self, now: Mono) {
        if self.reports.missed() {
            self.lose();
        }
        self.cannot(now, None);
    }

    /// It cannot be asked now, or is not fit: again in a while.
    fn cannot(&mut self, now: Mono, fault: Option<Fault>) {
        fault.into_iter().for_each(|fault| self.reports.fault(fault));
        self.due.diagnosis = true;
        self.phase = Phase::Pausing { until: now + self.config.timing.retry };
        if self.question.is_some() {
            self.proceed(now);
        }
    }

    /// All that was due is known.
    fn rest(&mut self, now: Mono) {
        self.phase = Phase::Idle { poll_at: now + self.config.timing.poll };
        self.reports.rest(Capabilities {
            terminal: Some(self.config.poi_id.clone()),
            firmware: self.firmware.clone(),
            mark: Some(self.mark()),
            holds: None,
        });
    }
}

fn state(response: Option<&DiagnosisResponse>) -> Health {
    match response {
        Some(response) => health(&response.response, response.status.0.as_ref()),
        None => health(&Default::default(), None),
    }
}

/// The codes are ours: `docs/devices/nexo.md`.
fn not_understood(error: &OpenError) -> Fault {
    let (kind, code) = match error {
        OpenError::Garbled => (FaultKind::Garbled, 7),
        OpenError::Rejected => (FaultKind::NotPaired, 8),
        OpenError::OtherKey { .. } => (FaultKind::NotPaired, 9),
        OpenError::NotGenuine => (FaultKind::NotPaired, 10),
    };
    Fault { vendor: VendorCode(code), ..Fault::new(kind, Remedy::Technician) }
}
