use std::collections::VecDeque;
use std::time::Duration;

use domain::{Mono, Wall};
use driver_api::exchange::{NoAnswer, Reply, Request};
use driver_api::payment_terminal::{
    Command, DayEnd, Decline, DeclineReason, Event, Hint, Mark, Operation, Outcome, Question,
};
use driver_api::reports::Reports;
use driver_api::{Busy, Frame, Link, Protocol, VendorCode};

use crate::answer::{EURO, category, payment, reversal, transaction};
use crate::config::Config;
use crate::decimal::to_json;
use crate::look::{About, Asking, Due};
use crate::message::{
    AbortRequest, AmountsReq, Body, FromPoi, Header, Opened, PAYMENT, PaymentRequest,
    PaymentTransaction, Plain, PoiTransaction, Reference, Response, ReversalRequest, SaleData,
    Secured, ToPoi, TransactionId,
};
use crate::seal::{OpenError, nonce};

/// A bank-card terminal on nexo Retailer.
pub struct Nexo {
    pub(crate) config: Config,
    pub(crate) phase: Phase,
    pub(crate) due: Due,
    /// To be asked next.
    pub(crate) question: Option<Question>,
    pub(crate) firmware: String,
    /// It took our login: it counts for its totals.
    pub(crate) is_logged_in: bool,
    /// Until then a request that was lost may still arrive.
    pub(crate) settled_at: Mono,
    pub(crate) reports: Reports,
    /// Requests so far: names exchanges and makes nonces.
    sent: u32,
    received: Vec<u8>,
    outgoing: VecDeque<Frame>,
}

/// What the driver is doing.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Nobody makes connections.
    Down,
    /// The terminal is busy, not usable or out of reach: looked at again then.
    Pausing { until: Mono },
    /// Ready for an order.
    Idle { poll_at: Mono },
    /// A request that moves no value was sent.
    Asking(Asking),
    /// An order that moves value was sent.
    Ordered(Order),
}

/// An order whose request was sent, once.
#[derive(Debug)]
pub(crate) struct Order {
    sent: Sent,
    /// As it would be asked for.
    what: Question,
    /// To be told again to stop: the request to stop it may arrive before the order does.
    abort_at: Option<Mono>,
}

/// A request that waits for its reply.
#[derive(Debug)]
pub(crate) struct Sent {
    exchange: u32,
    service_id: String,
    /// Whoever makes the connections has lost it: it gives up before.
    until: Mono,
}

impl Nexo {
    /// A driver whose line is down.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            phase: Phase::Down,
            due: Due::ALL,
            question: None,
            firmware: String::new(),
            is_logged_in: false,
            settled_at: Mono::default(),
            reports: Reports::default(),
            sent: 0,
            received: Vec::new(),
            outgoing: VecDeque::new(),
        }
    }

    /// Sends a request under a ServiceID of its own, or that of an order.
    pub(crate) fn send(&mut self, now: Mono, operation: Option<Operation>, body: &Body) -> Sent {
        self.sent = self.sent.wrapping_add(1);
        let exchange = self.sent;
        let nonce = nonce(&self.config.seed, exchange.into());
        let service_id = match operation {
            Some(operation) => operation.0.to_string(),
            None => look_id(nonce),
        };
        let header = Header {
            protocol_version: "3.0".to_owned(),
            class: "Service".to_owned(),
            category: body.category().to_owned(),
            kind: "Request".to_owned(),
            service_id: service_id.clone(),
            sale_id: self.config.sale_id.clone(),
            poi_id: self.config.poi_id.clone(),
        };
        let plain = to_json_bytes(&ToPoi { request: Plain { header: &header, body } });
        let (blob, trailer) = self.config.key.seal(&plain, nonce);
        let body_bytes = to_json_bytes(&ToPoi { request: Secured { header, blob, trailer } });
        let patience = self.patience(body);
        let request = Request { exchange, patience, body: body_bytes };
        self.outgoing.push_back(Frame::secret(request.encode()));
        Sent { exchange, service_id, until: now + patience + MARGIN }
    }

    fn patience(&self, body: &Body) -> Duration {
        let timing = &self.config.timing;
        match body {
            Body::Payment(_) | Body::Reversal(_) => timing.order,
            Body::Reconciliation(_) => timing.day_end,
            Body::Login(_) | Body::Diagnosis(_) | Body::TransactionStatus(_) | Body::Abort(_) => {
                timing.answer
            }
        }
    }

    /// For people: Mono is what counts.
    pub(crate) fn timestamp(&self, now: Mono) -> String {
        let passed = i64::try_from(now.0).unwrap_or(i64::MAX);
        let utc_ms = self.config.started.utc_ms.saturating_add(passed);
        let wall = Wall { utc_ms, offset_min: 0 };
        let (year, month, day) = wall.date();
        let (hour, minute) = wall.hour_minute();
        let ms = utc_ms.rem_euclid(60_000);
        let (second, ms) = (ms / 1000, ms % 1000);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }

    /// It finds orders by their number; but only its own.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.config.poi_id.clone())
    }

    /// May an order go out now? Its answer, or "later", if not.
    fn admit(
        &mut self,
        now: Mono,
        operation: Operation,
        mark: Option<&Mark>,
    ) -> Result<bool, Busy> {
        let is_free = match &self.phase {
            Phase::Idle { .. } => mark == Some(&self.mark()),
            // Only a look, which ends soon.
            Phase::Asking(asking) if self.reports.is_ready() && !asking.is_day_end() => {
                return Err(Busy);
            }
            Phase::Asking(_) | Phase::Ordered(_) | Phase::Pausing { .. } | Phase::Down => false,
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

    fn authorise(&mut self, now: Mono, what: Question) {
        let amounts_req = AmountsReq { currency: EURO, requested_amount: to_json(what.amount) };
        let body = Body::Payment(PaymentRequest {
            sale_data: self.sale_data(now, what.operation),
            payment_transaction: PaymentTransaction { amounts_req },
        });
        self.order(now, what, &body);
        // What else it wants the terminal tells the customer itself.
        self.reports.say(Event::Hint(Hint::PresentCard));
    }

    fn reverse(&mut self, now: Mono, what: Question) {
        let payment = what.reversal_of.as_ref();
        let Some(transaction) = payment.and_then(|payment| transaction(&payment.reference)) else {
            return self.not_sent(now, what.operation);
        };
        let body = Body::Reversal(ReversalRequest {
            original: PoiTransaction { transaction },
            reversal_reason: "MerchantCancel",
            sale_data: self.sale_data(now, what.operation),
        });
        self.order(now, what, &body);
    }

    fn sale_data(&self, now: Mono, operation: Operation) -> SaleData {
        let id = format!("{}-{}", self.config.sale_id, operation.0);
        SaleData {
            transaction: TransactionId { id, at: self.timestamp(now) },
            options: "tenderOption=ReceiptHandler",
        }
    }

    fn order(&mut self, now: Mono, what: Question, body: &Body) {
        let sent = self.send(now, Some(what.operation), body);
        self.phase = Phase::Ordered(Order { sent, what, abort_at: None });
    }

    fn ask_status(&mut self, now: Mono, question: Question) {
        let is_free = match &self.phase {
            Phase::Idle { .. } | Phase::Pausing { .. } => true,
            Phase::Asking(asking) => !asking.is_day_end(),
            Phase::Ordered(_) | Phase::Down => false,
        };
        // An order of another terminal: this one knows nothing of it, and that proves nothing.
        let is_askable = is_free && question.mark.as_ref() == Some(&self.mark());
        let unanswered = match is_askable {
            true => self.question.replace(question),
            false => Some(question),
        };
        if let Some(Question { operation, .. }) = unanswered {
            self.reports.answer(Event::Status { operation, outcome: Outcome::Unknown });
        }
        if let Phase::Idle { .. } | Phase::Pausing { .. } = self.phase {
            self.proceed(now);
        }
    }

    /// Its own answer tells whether it came in time.
    fn abort(&mut self, now: Mono) {
        let Phase::Ordered(order) = &mut self.phase else { return };
        if order.what.reversal_of.is_some() {
            return;
        }
        order.abort_at = Some(now + self.config.timing.abort);
        let message_reference = self.reference(PAYMENT, self.ordered());
        let body = Body::Abort(AbortRequest { message_reference, abort_reason: "MerchantAbort" });
        self.send(now, None, &body);
    }

    fn ordered(&self) -> Option<Operation> {
        match &self.phase {
            Phase::Ordered(order) => Some(order.what.operation),
            Phase::Asking(_) | Phase::Idle { .. } | Phase::Pausing { .. } | Phase::Down => None,
        }
    }

    pub(crate) fn reference(
        &self,
        category: &'static str,
        operation: Option<Operation>,
    ) -> Reference {
        Reference {
            category,
            service_id: operation.map(|operation| operation.0.to_string()).unwrap_or_default(),
            sale_id: self.config.sale_id.clone(),
            poi_id: self.config.poi_id.clone(),
        }
    }

    fn end_day(&mut self, now: Mono) -> Result<(), Busy> {
        match &self.phase {
            Phase::Idle { .. } if self.is_logged_in => self.ask(now, About::EndOfDay),
            Phase::Asking(asking) if self.reports.is_ready() && !asking.is_day_end() => {
                return Err(Busy);
            }
            Phase::Idle { .. }
            | Phase::Asking(_)
            | Phase::Ordered(_)
            | Phase::Pausing { .. }
            | Phase::Down => self.refuse(now, Event::DayEnded(DayEnd::Refused(VendorCode(0)))),
        }
        Ok(())
    }

    /// A reply to the request that is waited for; to any other nobody listens.
    fn hear(&mut self, now: Mono, reply: Reply) {
        let (sent, wanted) = match &self.phase {
            Phase::Asking(asking) => (&asking.sent, asking.about.category()),
            Phase::Ordered(order) => (&order.sent, category(&order.what)),
            Phase::Idle { .. } | Phase::Pausing { .. } | Phase::Down => return,
        };
        if reply.exchange != sent.exchange {
            return;
        }
        let answer = reply.outcome.map(|bytes| self.open(&bytes, &sent.service_id, wanted));
        match std::mem::replace(&mut self.phase, Phase::Pausing { until: now }) {
            Phase::Ordered(order) => self.finish(now, &order, answer),
            Phase::Asking(asking) => self.answered(now, asking.about, answer),
            Phase::Idle { .. } | Phase::Pausing { .. } | Phase::Down => {}
        }
    }

    /// The response in an answer, if it is our terminal's to that very request.
    fn open(&self, bytes: &[u8], service_id: &str, wanted: &str) -> Result<Response, OpenError> {
        let outer: FromPoi = serde_json::from_slice(bytes).map_err(|_| OpenError::Garbled)?;
        // What it does not understand it answers with an EventNotification, a request.
        let secured = outer.response.ok_or(OpenError::Rejected)?;
        let plain = self.config.key.open(&secured.blob, &secured.trailer)?;
        let opened: Opened = serde_json::from_slice(&plain).map_err(|_| OpenError::Garbled)?;
        let header = &opened.response.message_header;
        let is_ours = header.kind == "Response"
            && header.category == wanted
            && header.service_id == service_id
            && header.sale_id == self.config.sale_id
            && header.poi_id == self.config.poi_id;
        if is_ours { Ok(opened.response) } else { Err(OpenError::Garbled) }
    }

    fn finish(
        &mut self,
        now: Mono,
        order: &Order,
        answer: Result<Result<Response, OpenError>, NoAnswer>,
    ) {
        let outcome = match answer {
            Err(NoAnswer::NotSent) => Outcome::Declined(Decline::new(DeclineReason::NotSent)),
            Err(NoAnswer::Lost) | Ok(Err(_)) => Outcome::Unknown,
            Ok(Ok(response)) => judge(&response, &order.what),
        };
        if outcome == Outcome::Unknown {
            self.settled_at = now + self.config.timing.settle;
        }
        self.reports.say(Event::Finished { operation: order.what.operation, outcome });
        self.look_again(now);
    }

    /// What is under way ends here, and then the line.
    pub(crate) fn lose(&mut self) {
        if let Some(Question { operation, .. }) = self.question.take() {
            self.reports.say(Event::Status { operation, outcome: Outcome::Unknown });
        }
        match &self.phase {
            Phase::Ordered(order) => {
                let (operation, outcome) = (order.what.operation, Outcome::Unknown);
                self.reports.say(Event::Finished { operation, outcome });
            }
            Phase::Asking(Asking { about, .. }) => {
                let last_word = about.unanswered();
                last_word.into_iter().for_each(|event| self.reports.say(event));
            }
            Phase::Idle { .. } | Phase::Pausing { .. } | Phase::Down => {}
        }
        self.due = Due::ALL;
        self.is_logged_in = false;
        self.reports.lost();
    }
}

/// What a response to an order says of it.
fn judge(response: &Response, what: &Question) -> Outcome {
    let outcome = match what.reversal_of {
        None => response.payment_response.as_ref().map(|it| payment(it, what.amount)),
        Some(_) => response.reversal_response.as_ref().map(|it| reversal(it, what.amount)),
    };
    outcome.unwrap_or(Outcome::Unknown)
}

/// ServiceID of a request that is no order: never a number, so never an order's; ten signs, as
/// there is room for.
fn look_id(random: [u8; 16]) -> String {
    const SIGNS: [char; 32] = [
        'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R',
        'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7',
    ];
    let signs = random.iter().take(9).map(|byte| SIGNS[usize::from(byte % 32)]);
    std::iter::once('L').chain(signs).collect()
}

fn to_json_bytes(message: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("its keys are strings, and nothing in it can fail")
}

impl Protocol for Nexo {
    type Command = Command;
    type Event = Event;

    fn handle_command(&mut self, now: Mono, command: Command) -> Result<(), Busy> {
        match command {
            Command::Authorise { operation, amount, mark, capture: _ } => {
                if self.admit(now, operation, mark.as_ref())? {
                    let what = Question { operation, amount, mark: None, reversal_of: None };
                    self.authorise(now, what);
                }
            }
            Command::Reverse { operation, payment, mark } => {
                if self.admit(now, operation, mark.as_ref())? {
                    let (amount, reversal_of) = (payment.amount, Some(payment));
                    self.reverse(now, Question { operation, amount, mark: None, reversal_of });
                }
            }
            // Nothing is ever held.
            Command::Issued(_) | Command::NotIssued(_) => {}
            Command::AskStatus(question) => self.ask_status(now, question),
            Command::Abort => self.abort(now),
            Command::EndOfDay => self.end_day(now)?,
        }
        Ok(())
    }

    fn handle_bytes(&mut self, now: Mono, bytes: &[u8]) {
        if let Phase::Down = self.phase {
            return;
        }
        self.received.extend(bytes);
        while let Some(reply) = Reply::decode(&mut self.received) {
            self.hear(now, reply);
        }
    }

    fn handle_link(&mut self, now: Mono, link: Link) {
        self.received.clear();
        self.outgoing.clear();
        match link {
            Link::Up => {
                if !matches!(self.phase, Phase::Down) {
                    // Another line without a word about the end of the last one.
                    self.lose();
                }
                self.settled_at = now + self.config.timing.settle;
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
        let lost = |sent: &Sent| Reply { exchange: sent.exchange, outcome: Err(NoAnswer::Lost) };
        match &self.phase {
            Phase::Ordered(Order { sent, .. }) | Phase::Asking(Asking { sent, .. })
                if sent.until <= now =>
            {
                let reply = lost(sent);
                self.hear(now, reply);
            }
            Phase::Ordered(Order { abort_at: Some(at), .. }) if *at <= now => self.abort(now),
            Phase::Pausing { until } if *until <= now => self.proceed(now),
            Phase::Idle { poll_at } if *poll_at <= now => {
                self.due.diagnosis = true;
                self.proceed(now);
            }
            Phase::Ordered(_)
            | Phase::Asking(_)
            | Phase::Pausing { .. }
            | Phase::Idle { .. }
            | Phase::Down => {}
        }
    }

    fn poll_write(&mut self) -> Option<Frame> {
        self.outgoing.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.reports.poll()
    }

    fn poll_timeout(&self) -> Option<(Mono, &'static str)> {
        match &self.phase {
            Phase::Down => None,
            Phase::Pausing { until } => Some((*until, "terminal looked at again")),
            Phase::Idle { poll_at } => Some((*poll_at, "terminal look due")),
            Phase::Asking(asking) => Some((asking.sent.until, "terminal silent")),
            Phase::Ordered(order) => {
                let abort = order.abort_at.map(|at| (at, "abort repeated"));
                abort.into_iter().chain([(order.sent.until, "terminal silent")]).min()
            }
        }
    }
}

/// Whoever makes the connections gives up on a request by itself, and first.
const MARGIN: Duration = Duration::from_secs(5);
