use domain::{Amount, Mono};
use driver_api::payment_terminal::{
    Capture, Command, DayEnd, Decline, DeclineReason, Event, Mark, Operation, Outcome, Payment,
    Question,
};
use driver_api::reports::Reports;
use driver_api::{Busy, Frame, Link, Protocol, VendorCode};

use crate::answer::{Status, day_end};
use crate::apdu::Apdu;
use crate::bmp::to_bcd;
use crate::code::{NOT_POSSIBLE, hint};
use crate::config::Config;
use crate::line::Line;
use crate::log::{LogEntry, entry_at};
use crate::look::{Due, EURO, Look};
use crate::order::{Hold, Order, Said, Stage, Turn};

/// A bank-card terminal on ZVT.
pub struct Zvt {
    pub(crate) config: Config,
    line: Line,
    pub(crate) phase: Phase,
    pub(crate) due: Due,
    /// Of the log as it was last read.
    pub(crate) mark: Option<Mark>,
    /// To be answered from the log.
    pub(crate) question: Option<Question>,
    pub(crate) terminal: Option<String>,
    pub(crate) firmware: String,
    /// It spoke to its host, and has not said since that it is well.
    pub(crate) is_diagnosed: bool,
    pub(crate) reports: Reports,
}

/// What the driver is doing.
#[derive(Debug)]
pub(crate) enum Phase {
    /// No line.
    Down,
    /// The terminal is busy or not usable: looked at again then.
    Pausing { until: Mono },
    /// Ready for an order.
    Idle { poll_at: Mono },
    /// Between orders, or closing the day.
    Asking(Asking),
    /// An order that moves value was sent.
    Ordered { order: Order, until: Mono },
}

/// A command that moves no value.
#[derive(Debug)]
pub(crate) struct Asking {
    about: About,
    is_taken: bool,
    status: Option<Status>,
    until: Mono,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Look(Look),
    EndOfDay,
}

impl Zvt {
    /// A driver whose line is down.
    pub fn new(config: Config) -> Self {
        Self {
            line: Line::new(config.transport),
            config,
            phase: Phase::Down,
            due: Due::ALL,
            mark: None,
            question: None,
            terminal: None,
            firmware: String::new(),
            is_diagnosed: false,
            reports: Reports::default(),
        }
    }

    /// Asks the next thing that is due; rests if nothing is.
    pub(crate) fn proceed(&mut self, now: Mono) {
        match self.due.next() {
            Some(look) => self.ask(now, About::Look(look)),
            None => self.rest(now),
        }
    }

    fn ask(&mut self, now: Mono, about: About) {
        let apdu = match about {
            About::Look(look) => self.look_apdu(look),
            About::EndOfDay => Apdu::new(0x06, 0x50, self.password().to_vec()),
        };
        self.line.send(&apdu);
        let until = now + self.config.timing.taken;
        self.phase = Phase::Asking(Asking { about, is_taken: false, status: None, until });
    }

    fn password(&self) -> [u8; 3] {
        to_bcd(u64::from(self.config.password))
    }

    fn order(&mut self, now: Mono, order: Order, apdu: &Apdu) {
        self.line.send_once(apdu);
        self.phase = Phase::Ordered { order, until: now + self.config.timing.taken };
    }

    /// May an order go out now? Its answer, or "later", if not.
    fn admit(
        &mut self,
        now: Mono,
        operation: Operation,
        mark: Option<&Mark>,
    ) -> Result<bool, Busy> {
        let is_free = match &self.phase {
            Phase::Idle { .. } => mark.is_some() && mark == self.mark.as_ref(),
            // Only a look, which ends soon.
            Phase::Asking(Asking { about: About::Look(_), .. }) if self.reports.is_ready() => {
                return Err(Busy);
            }
            Phase::Asking(_) | Phase::Ordered { .. } | Phase::Pausing { .. } | Phase::Down => false,
        };
        if !is_free {
            self.not_sent(now, operation);
        }
        Ok(is_free)
    }

    fn not_sent(&mut self, now: Mono, operation: Operation) {
        let outcome = Outcome::Declined(Decline::new(DeclineReason::NotSent));
        self.refuse(now, Event::Finished { operation, outcome });
    }

    /// Answers a command that did not go out. The core waits for the next [`Event::Idle`] now.
    fn refuse(&mut self, now: Mono, answer: Event) {
        self.reports.answer(answer);
        if let Phase::Idle { .. } = self.phase {
            self.proceed(now);
        }
    }

    fn authorise(&mut self, now: Mono, (operation, amount): (Operation, Amount), capture: Capture) {
        let mut data = vec![0x04];
        data.extend(amount_bcd(amount));
        data.push(0x49);
        data.extend(EURO);
        let hold = match capture {
            Capture::AtOnce => Hold::Never,
            Capture::WhenIssued => {
                // How many status informations it may send until we decide: one per "wait".
                let timing = &self.config.timing;
                let waits = timing.hold.as_millis() / timing.hold_answer.as_millis().max(1) + 2;
                data.extend([0x02, u8::try_from(waits).unwrap_or(u8::MAX)]);
                Hold::Wanted
            }
        };
        let order = Order::new(operation, amount, hold);
        self.order(now, order, &Apdu::new(0x06, 0x01, data));
    }

    fn reverse(&mut self, now: Mono, operation: Operation, payment: &Payment) {
        // Under that number another terminal has somebody else's payment.
        let entry = entry_at(self.terminal.as_deref(), &payment.reference.0);
        let Some(entry) = entry.and_then(LogEntry::parse) else {
            return self.not_sent(now, operation);
        };
        let mut data = self.password().to_vec();
        data.push(0x87);
        data.extend(to_bcd::<2>(u64::from(entry.receipt)));
        let order = Order::new(operation, payment.amount, Hold::Never);
        self.order(now, order, &Apdu::new(0x06, 0x30, data));
    }

    fn ask_status(&mut self, now: Mono, question: Question) {
        let is_askable = match &self.phase {
            Phase::Idle { .. } | Phase::Pausing { .. } => true,
            Phase::Asking(asking) => asking.about != About::EndOfDay,
            Phase::Ordered { .. } | Phase::Down => false,
        };
        let unanswered = if is_askable {
            // The look under way may be older than the question's cause: look again.
            self.due.enquiry = true;
            self.due.log = true;
            self.question.replace(question)
        } else {
            Some(question)
        };
        if let Some(Question { operation, .. }) = unanswered {
            self.reports.say(Event::Status { operation, outcome: Outcome::Unknown });
        }
        if let Phase::Idle { .. } | Phase::Pausing { .. } = self.phase {
            self.proceed(now);
        }
    }

    fn abort(&mut self, now: Mono) {
        if let Phase::Ordered { order, .. } = &mut self.phase {
            let turn = order.stop();
            self.turn(now, turn);
        }
    }

    fn goods(&mut self, now: Mono, operation: Operation, are_issued: bool) {
        if let Phase::Ordered { order, .. } = &mut self.phase
            && order.operation == operation
        {
            let turn = order.hear(now, Said::Goods { are_issued }, &self.config.timing);
            self.push_deadline(now);
            self.turn(now, turn);
        }
    }

    /// A message of the terminal. Its own commands are answered whatever we are doing.
    fn take(&mut self, now: Mono, apdu: &Apdu) {
        let first = apdu.data.first().copied().unwrap_or_default();
        match (apdu.class, apdu.instr) {
            (0x80, _) => self.hear(now, Said::Taken, &[]),
            (0x84, code) => self.hear(now, Said::Refused(code), &[]),
            (0x04, 0x0F) => self.hear(now, Said::Status(Status::parse(&apdu.data)), &[]),
            (0x06, 0x0F) => {
                self.line.send(&Apdu::taken());
                self.hear(now, Said::Completed, &apdu.data);
            }
            (0x06, 0x1E) => {
                self.line.send(&Apdu::taken());
                self.hear(now, Said::Aborted(first), &[]);
            }
            (0x04, 0xFF) => {
                self.line.send(&Apdu::taken());
                self.hear_hint(now, first);
            }
            // Its clock, and lines to print: our receipts are our own.
            (0x04, 0x01) | (0x06, 0xD1 | 0xD3) => {
                self.line.send(&Apdu::taken());
                self.push_deadline(now);
            }
            _ => self.line.send(&Apdu::refused(NOT_POSSIBLE)),
        }
    }

    fn hear_hint(&mut self, now: Mono, state: u8) {
        self.push_deadline(now);
        if let Phase::Ordered { order, .. } = &self.phase
            && order.stage != Stage::Sent
            && let Some(hint) = hint(state)
        {
            self.reports.say(Event::Hint(hint));
        }
    }

    /// It is at work: give it time again.
    fn push_deadline(&mut self, now: Mono) {
        let silence = now + self.config.timing.silence;
        match &mut self.phase {
            Phase::Asking(asking) if asking.is_taken => asking.until = silence,
            Phase::Ordered { order, until } if order.stage != Stage::Sent => *until = silence,
            Phase::Asking(_)
            | Phase::Ordered { .. }
            | Phase::Idle { .. }
            | Phase::Pausing { .. }
            | Phase::Down => {}
        }
    }

    fn hear(&mut self, now: Mono, said: Said, data: &[u8]) {
        match &mut self.phase {
            Phase::Ordered { order, .. } => {
                let turn = order.hear(now, said, &self.config.timing);
                self.push_deadline(now);
                self.turn(now, turn);
            }
            Phase::Asking(_) => self.hear_answer(now, said, data),
            Phase::Idle { .. } | Phase::Pausing { .. } | Phase::Down => {
                if let Said::Status(_) = said {
                    self.line.send(&Apdu::taken());
                }
            }
        }
    }

    fn turn(&mut self, now: Mono, turn: Turn) {
        let Phase::Ordered { order, .. } = &self.phase else { return };
        let operation = order.operation;
        match turn {
            Turn::Nothing => {}
            Turn::Answer(apdu) => self.line.send(&apdu),
            Turn::Hold(approval) => {
                self.reports.say(Event::Held { operation, approval: *approval })
            }
            Turn::Finish(outcome) => {
                self.reports.say(Event::Finished { operation, outcome });
                self.look_again(now);
            }
        }
    }

    /// After an order the log is another one.
    fn look_again(&mut self, now: Mono) {
        self.due.enquiry = true;
        self.due.log = true;
        self.proceed(now);
    }

    fn hear_answer(&mut self, now: Mono, said: Said, data: &[u8]) {
        let Phase::Asking(asking) = &mut self.phase else { return };
        let about = asking.about;
        let is_taken = asking.is_taken;
        match said {
            Said::Taken => {
                asking.is_taken = true;
                self.push_deadline(now);
            }
            Said::Status(status) => {
                if is_taken {
                    asking.status = Some(status);
                }
                self.line.send(&Apdu::taken());
                self.push_deadline(now);
            }
            // Before ours is taken, it is the end of an earlier command.
            Said::Completed if is_taken => {
                let status = asking.status.take();
                match about {
                    About::Look(look) => self.looked(now, look, status, data),
                    About::EndOfDay => self.day_ended(now, day_end(status.as_ref())),
                }
            }
            Said::Aborted(code) if is_taken => self.not_done(now, about, code),
            Said::Refused(code) if !is_taken => self.not_done(now, about, code),
            Said::Silence => match about {
                About::Look(_) => self.missed(now),
                About::EndOfDay => self.day_ended(now, DayEnd::Unknown),
            },
            Said::Completed | Said::Aborted(_) | Said::Refused(_) | Said::Goods { .. } => {}
        }
    }

    fn not_done(&mut self, now: Mono, about: About, code: u8) {
        match about {
            About::Look(look) => self.refused(now, look, code),
            About::EndOfDay => self.day_ended(now, DayEnd::Refused(VendorCode(u32::from(code)))),
        }
    }

    fn day_ended(&mut self, now: Mono, end: DayEnd) {
        self.reports.say(Event::DayEnded(end));
        self.look_again(now);
    }

    /// What is under way ends here, and then the line.
    pub(crate) fn lose(&mut self) {
        if let Some(Question { operation, .. }) = self.question.take() {
            self.reports.say(Event::Status { operation, outcome: Outcome::Unknown });
        }
        match &self.phase {
            Phase::Ordered { order, .. } => {
                let (operation, outcome) = (order.operation, Outcome::Unknown);
                self.reports.say(Event::Finished { operation, outcome });
            }
            Phase::Asking(Asking { about: About::EndOfDay, .. }) => {
                self.reports.say(Event::DayEnded(DayEnd::Unknown));
            }
            Phase::Asking(_) | Phase::Idle { .. } | Phase::Pausing { .. } | Phase::Down => {}
        }
        self.due = Due::ALL;
        self.mark = None;
        self.reports.lost();
    }
}

impl Protocol for Zvt {
    type Command = Command;
    type Event = Event;

    fn handle_command(&mut self, now: Mono, command: Command) -> Result<(), Busy> {
        match command {
            Command::Authorise { operation, amount, mark, capture } => {
                if self.admit(now, operation, mark.as_ref())? {
                    self.authorise(now, (operation, amount), capture);
                }
            }
            Command::Reverse { operation, payment, mark } => {
                if self.admit(now, operation, mark.as_ref())? {
                    self.reverse(now, operation, &payment);
                }
            }
            Command::Issued(operation) => self.goods(now, operation, true),
            Command::NotIssued(operation) => self.goods(now, operation, false),
            Command::AskStatus(question) => self.ask_status(now, question),
            Command::Abort => self.abort(now),
            Command::EndOfDay => match &self.phase {
                Phase::Idle { .. } => self.ask(now, About::EndOfDay),
                Phase::Asking(Asking { about: About::Look(_), .. }) if self.reports.is_ready() => {
                    return Err(Busy);
                }
                Phase::Asking(_) | Phase::Ordered { .. } | Phase::Pausing { .. } | Phase::Down => {
                    self.refuse(now, Event::DayEnded(DayEnd::Refused(VendorCode(0))));
                }
            },
        }
        Ok(())
    }

    fn handle_bytes(&mut self, now: Mono, bytes: &[u8]) {
        if let Phase::Down = self.phase {
            return;
        }
        for apdu in self.line.receive(bytes) {
            self.take(now, &apdu);
        }
    }

    fn handle_link(&mut self, now: Mono, link: Link) {
        self.line.restart();
        match link {
            Link::Up => {
                if !matches!(self.phase, Phase::Down) {
                    // Another line without a word about the end of the last one.
                    self.lose();
                }
                self.due = Due::ALL;
                self.proceed(now);
            }
            Link::Down => {
                self.lose();
                self.phase = Phase::Down;
            }
        }
    }

    fn handle_timeout(&mut self, now: Mono) {
        match &mut self.phase {
            Phase::Ordered { order, until } => {
                let is_silent = *until <= now;
                let turn = order.tick(now);
                self.turn(now, turn);
                if is_silent {
                    self.line.forget_partial();
                    self.hear(now, Said::Silence, &[]);
                }
            }
            Phase::Asking(asking) if asking.until <= now => {
                self.line.forget_partial();
                self.hear(now, Said::Silence, &[]);
            }
            Phase::Pausing { until } if *until <= now => self.proceed(now),
            Phase::Idle { poll_at } if *poll_at <= now => {
                self.due.enquiry = true;
                self.proceed(now);
            }
            Phase::Asking(_) | Phase::Pausing { .. } | Phase::Idle { .. } | Phase::Down => {}
        }
    }

    fn poll_write(&mut self) -> Option<Frame> {
        self.line.poll_write()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.reports.poll()
    }

    fn poll_timeout(&self) -> Option<(Mono, &'static str)> {
        match &self.phase {
            Phase::Down => None,
            Phase::Pausing { until } => Some((*until, "terminal looked at again")),
            Phase::Idle { poll_at } => Some((*poll_at, "terminal look due")),
            Phase::Asking(asking) => Some((asking.until, "terminal silent")),
            Phase::Ordered { order, until } => {
                let held = order.deadline().map(|at| (at, "goods not decided"));
                held.into_iter().chain([(*until, "terminal silent")]).min()
            }
        }
    }
}

/// Twelve digits of cents; an [`Amount`] has fewer.
fn amount_bcd(amount: Amount) -> [u8; 6] {
    to_bcd(u64::try_from(amount.cents()).expect("an amount is never negative"))
}
