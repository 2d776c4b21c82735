//! What the terminal's processor does with time and messages.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::bank::{Bank, Charge};
use super::super::visit::{Act, Refusal, visit};
use super::super::{Cardholder, Fault, Orphan};
use super::Options;
use super::message::{Condition, Paid, Transaction, cents, condition, failure, trace};
use super::seal::Keys;

/// Longer than a till waits.
const SLOW_HOST: Duration = Duration::from_secs(150);

/// One terminal without a network: its customer, its bank, its log, and the program. `now` is the
/// time since the simulation began, and never runs backwards.
pub struct Firmware {
    options: Options,
    keys: Keys,
    wrong_keys: Keys,
    cardholder: Cardholder,
    faults: BTreeSet<Fault>,
    bank: Bank,
    /// What it tells when it is asked; survives power cuts.
    log: Vec<Transaction>,
    /// Where the day began in the log.
    day: usize,
    /// What the days came to that have ended, in cents.
    closed: i64,
    trace: u32,
    work: Option<Work>,
    is_logged_in: bool,
    answers: Vec<(u64, Vec<u8>)>,
    sealed: u64,
}

/// An order at work.
struct Work {
    /// Who waits for the answer.
    connection: Option<u64>,
    header: Value,
    cents: u64,
    /// Of the payment that is to be reversed.
    original: Option<u32>,
    acts: VecDeque<Act>,
    /// The next act is not done before.
    at: Duration,
    /// The bank's yes.
    approved: Option<Transaction>,
}

impl Firmware {
    /// Switched on, its log empty. Takes some milliseconds: passphrases are stretched.
    pub fn new(options: Options) -> Self {
        let keys = Keys::new(&options, &options.passphrase);
        Self::with_keys(options, keys)
    }

    /// Another one with the same set-up, without stretching its passphrase again.
    pub fn like(other: &Self, options: Options) -> Self {
        Self::with_keys(options, other.keys.clone())
    }

    fn with_keys(options: Options, keys: Keys) -> Self {
        Self {
            wrong_keys: keys.of_another_passphrase(),
            keys,
            options,
            cardholder: Cardholder::Contactless,
            faults: BTreeSet::new(),
            bank: Bank::default(),
            log: Vec::new(),
            day: 0,
            closed: 0,
            trace: 0,
            work: None,
            is_logged_in: false,
            answers: Vec::new(),
            sealed: 0,
        }
    }

    /// Who stands before it from now on.
    pub fn set_cardholder(&mut self, cardholder: Cardholder) {
        self.cardholder = cardholder;
    }

    /// What its bank has booked, oldest first.
    pub fn charges(&self) -> &[Charge] {
        &self.bank.charges
    }

    /// What the days came to that have ended, in cents: payments less reversals.
    pub fn closed(&self) -> i64 {
        self.closed
    }

    /// Is it at work?
    pub fn is_working(&self) -> bool {
        self.work.is_some()
    }

    /// Can a till connect?
    pub fn is_reachable(&self) -> bool {
        !self.faults.contains(&Fault::Power) && !self.faults.contains(&Fault::Unplugged)
    }

    /// Does it say everything twice?
    pub fn is_repeating(&self) -> bool {
        self.faults.contains(&Fault::Duplicate)
    }

    /// What it answers on this connection now.
    pub fn take_answer(&mut self, connection: u64) -> Option<Vec<u8>> {
        let place = self.answers.iter().position(|(whose, _)| *whose == connection)?;
        Some(self.answers.remove(place).1)
    }

    /// Breaks or mends it.
    pub fn set_fault(&mut self, now: Duration, fault: Fault, on: bool) {
        self.advance(now);
        let changed = if on { self.faults.insert(fault) } else { self.faults.remove(&fault) };
        if changed && on && fault == Fault::Power {
            self.answers.clear();
            self.is_logged_in = false;
            self.drop_work();
        }
    }

    /// The power is gone: what is not in its log did not happen.
    fn drop_work(&mut self) {
        let Some(Work { approved: Some(it), original, .. }) = self.work.take() else { return };
        match original {
            None => self.bank.give_back(it.trace),
            // It was written down before the bank was asked: nothing undoes a reversal.
            Some(_) => self.log.push(it),
        }
    }

    /// A till hangs up without having waited for its answer.
    pub fn hang_up(&mut self, now: Duration, connection: u64) {
        self.advance(now);
        self.answers.retain(|(whose, _)| *whose != connection);
        let Some(work) = &mut self.work else { return };
        if work.connection != Some(connection) {
            return;
        }
        work.connection = None;
        if self.options.orphan == Orphan::Undoes && work.original.is_none() {
            if let Some(approved) = &work.approved {
                self.bank.give_back(approved.trace);
            }
            self.end(Err(condition(Refusal::Stopped)));
        }
    }

    /// The body of a POST.
    pub fn request(&mut self, now: Duration, connection: u64, body: &[u8]) {
        self.advance(now);
        if !self.is_reachable() {
            return;
        }
        let outer: Value = serde_json::from_slice(body).unwrap_or_default();
        match self.keys.open(&outer["SaleToPOIRequest"]) {
            Ok(message) => {
                let request = &message["SaleToPOIRequest"];
                self.take(now, connection, &request["MessageHeader"], request);
            }
            Err(why) => self.reject(connection, why),
        }
        self.advance(now);
    }

    /// What the body of a POST says, as far as it can be opened.
    pub fn read(&self, body: &[u8]) -> Option<Value> {
        let outer: Value = serde_json::from_slice(body).ok()?;
        self.keys.open(&outer["SaleToPOIRequest"]).ok()
    }

    /// Answers a request with somebody else's words, properly sealed: for whoever wants to know
    /// what a till makes of them. Nothing is done.
    pub fn answer_with(&mut self, connection: u64, body: &[u8], words: Value) {
        if let Some(message) = self.read(body).filter(|_| words.is_object()) {
            self.answer(connection, &message["SaleToPOIRequest"]["MessageHeader"], words);
        }
    }

    fn reject(&mut self, connection: u64, why: &str) {
        let message = json!({ "SaleToPOIRequest": {
            "MessageHeader": {
                "ProtocolVersion": "3.0",
                "MessageClass": "Event",
                "MessageCategory": "Event",
                "MessageType": "Notification",
                "SaleID": "N/A",
                "POIID": self.options.poi_id,
            },
            "EventNotification": {
                "EventToNotify": "Reject",
                "EventDetails": format!("message={why}"),
                "TimeStamp": "2026-11-21T10:00:00.000Z",
            },
        } });
        self.say(connection, message.to_string().into_bytes());
    }

    fn take(&mut self, now: Duration, connection: u64, header: &Value, request: &Value) {
        let body = |kind: &str| &request[format!("{kind}Request")];
        let answer = match header["MessageCategory"].as_str().unwrap_or_default() {
            kind @ ("Payment" | "Reversal") => {
                if self.faults.contains(&Fault::Deaf) {
                    return;
                }
                match self.begin(now, header, body(kind)) {
                    Ok(work) => {
                        self.work = Some(Work { connection: Some(connection), ..work });
                        return;
                    }
                    Err(why) => json!({ "Response": failure(why) }),
                }
            }
            "TransactionStatus" => self.status(&body("TransactionStatus")["MessageReference"]),
            "Login" => {
                self.is_logged_in = true;
                json!({
                    "Response": { "Result": "Success" },
                    "POISystemData": { "POISoftware": {
                        "ManufacturerID": "PAUSE+",
                        "ApplicationName": "simulator",
                        "SoftwareVersion": "SIM 1.0",
                    } },
                })
            }
            "Diagnosis" => self.diagnosis(),
            "Reconciliation" => self.reconciliation(),
            "Abort" => {
                self.stop(now, &body("Abort")["MessageReference"]);
                return self.say(connection, Vec::new());
            }
            _ => json!({ "Response": failure(("MessageFormat", "")) }),
        };
        let kind = header["MessageCategory"].as_str().unwrap_or_default();
        let mut named = json!({});
        named[format!("{kind}Response")] = answer;
        self.answer(connection, header, named);
    }

    /// Takes an order, or says why not.
    fn begin(&self, now: Duration, header: &Value, order: &Value) -> Result<Work, Condition> {
        let service_id = text(header, "ServiceID");
        if self.work.is_some() || self.faults.contains(&Fault::Busy) {
            return Err(("Busy", ""));
        }
        if self.log.iter().any(|it| it.service_id == service_id) {
            return Err(("NotAllowed", "message=ServiceID%20used"));
        }
        let is_slow = self.faults.contains(&Fault::SlowHost);
        let host = if is_slow { SLOW_HOST } else { self.options.pace.host };
        let original = &order["OriginalPOITransaction"]["POITransactionID"]["TransactionID"];
        let (cents, original, acts) = match original.as_str() {
            None => {
                let amounts = &order["PaymentTransaction"]["AmountsReq"];
                let cents = cents(&amounts["RequestedAmount"])
                    .filter(|_| amounts["Currency"] == "EUR")
                    .ok_or(("MessageFormat", "message=Amount"))?;
                (cents, None, visit(self.cardholder, cents, self.options.pace, host))
            }
            Some(id) => {
                let of = self.log.iter().find(|it| Some(it.trace) == trace(id));
                let of = of.filter(|it| it.category == "Payment" && it.result.is_ok());
                let of = of.ok_or(("NotFound", "message=Original"))?;
                if self.bank.is_reversed(of.trace) {
                    return Err(("NotAllowed", "message=Reversed%20already"));
                }
                let approve = Act::Approve { is_contactless: false, is_pin: false };
                (of.cents, Some(of.trace), vec![Act::Pause(host), approve])
            }
        };
        let acts = acts.into();
        let header = header.clone();
        Ok(Work { connection: None, header, cents, original, acts, at: now, approved: None })
    }

    fn status(&self, reference: &Value) -> Value {
        let is_meant = |header: &Value| {
            ["ServiceID", "SaleID", "MessageCategory"]
                .iter()
                .all(|key| header[key] == reference[key])
        };
        let is_at_work = self.work.as_ref().is_some_and(|work| is_meant(&work.header));
        if is_at_work || self.faults.contains(&Fault::InProgress) {
            return json!({ "Response": failure(("InProgress", "")) });
        }
        let found = self.log.iter().find(|it| {
            it.service_id == text(reference, "ServiceID")
                && it.category == text(reference, "MessageCategory")
        });
        let Some(found) = found else {
            return json!({ "Response": failure(("NotFound", "")) });
        };
        let mut header = reference.clone();
        header["MessageType"] = json!("Response");
        json!({
            "Response": { "Result": "Success" },
            "MessageReference": reference,
            "RepeatedMessageResponse": {
                "MessageHeader": header,
                "RepeatedResponseMessageBody": found.body(&self.options.poi_id),
            },
        })
    }

    fn diagnosis(&self) -> Value {
        let is_busy = self.work.is_some() || self.faults.contains(&Fault::Busy);
        json!({
            "Response": { "Result": "Success" },
            "POIStatus": {
                "GlobalStatus": if is_busy { "Busy" } else { "OK" },
                "SecurityOKFlag": true,
                "PEDOKFlag": true,
                "CardReaderOKFlag": true,
                "CommunicationOKFlag": true,
            },
        })
    }

    fn reconciliation(&mut self) -> Value {
        if !self.is_logged_in {
            return json!({ "Response": failure(("LoggedOut", "")) });
        }
        let day = &self.log[self.day..];
        let part = |category: &str, name: &str| {
            let all = day.iter().filter(|it| it.category == category && it.result.is_ok());
            let cents = all.clone().map(|it| it.cents).sum();
            json!({
                "TransactionType": name,
                "TransactionCount": all.count(),
                "TransactionAmount": super::message::amount(cents),
            })
        };
        let totals = [part("Payment", "Debit"), part("Reversal", "Credit")];
        let cents = day.iter().filter(|it| it.result.is_ok()).map(|it| {
            let cents = i64::try_from(it.cents).expect("an amount of money");
            if it.category == "Reversal" { -cents } else { cents }
        });
        self.closed += cents.sum::<i64>();
        self.day = self.log.len();
        json!({
            "Response": { "Result": "Success" },
            "ReconciliationType": "SaleReconciliation",
            "POIReconciliationID": "1000",
            "TransactionTotals": [{
                "PaymentInstrumentType": "Card",
                "PaymentCurrency": "EUR",
                "PaymentTotals": totals,
            }],
        })
    }

    /// A payment can be stopped until the bank has said yes.
    fn stop(&mut self, now: Duration, reference: &Value) {
        if let Some(work) = &mut self.work
            && work.header["ServiceID"] == reference["ServiceID"]
            && work.original.is_none()
            && work.approved.is_none()
        {
            work.acts = [Act::Refuse(Refusal::Stopped)].into();
            work.at = now;
        }
    }

    /// Lets everything happen that was to happen until now.
    pub fn advance(&mut self, now: Duration) {
        while let Some(work) = &mut self.work
            && work.at <= now
        {
            match work.acts.pop_front() {
                Some(Act::Pause(pause)) => work.at += pause,
                Some(Act::Show(_)) => {}
                Some(Act::Approve { is_contactless, is_pin }) => {
                    self.approve(Paid { is_contactless, is_pin });
                }
                Some(Act::Refuse(refused)) => self.end(Err(condition(refused))),
                None => {
                    let approved = work.approved.take();
                    let paid = approved.expect("what does not end with a no was approved").result;
                    self.end(paid);
                }
            }
        }
    }

    /// When [`Self::advance`] would next do something.
    pub fn deadline(&self) -> Option<Duration> {
        self.work.as_ref().map(|work| work.at)
    }

    fn approve(&mut self, paid: Paid) {
        let Some(work) = &mut self.work else { return };
        self.trace += 1;
        match work.original {
            None => self.bank.charge(work.cents, self.trace),
            Some(original) => self.bank.give_back(original),
        }
        work.approved = Some(Transaction {
            service_id: text(&work.header, "ServiceID"),
            category: text(&work.header, "MessageCategory"),
            trace: self.trace,
            cents: work.cents,
            result: Ok(paid),
        });
    }

    fn end(&mut self, result: Result<Paid, Condition>) {
        let Some(work) = self.work.take() else { return };
        let transaction = Transaction {
            service_id: text(&work.header, "ServiceID"),
            category: text(&work.header, "MessageCategory"),
            trace: self.trace,
            cents: work.cents,
            result,
        };
        let body = transaction.body(&self.options.poi_id);
        self.log.push(transaction);
        if let Some(connection) = work.connection {
            self.answer(connection, &work.header, body);
        }
    }

    fn answer(&mut self, connection: u64, header: &Value, body: Value) {
        let mut header = header.clone();
        header["MessageType"] = json!("Response");
        let mut response = body;
        response["MessageHeader"] = header.clone();
        self.sealed += 1;
        let mut nonce = [0; 16];
        nonce[8..].copy_from_slice(&self.sealed.to_be_bytes());
        let is_wrong = self.faults.contains(&Fault::WrongKey);
        let keys = if is_wrong { &self.wrong_keys } else { &self.keys };
        let (blob, trailer) = keys.seal(&json!({ "SaleToPOIResponse": response }), nonce);
        let message = json!({ "SaleToPOIResponse": {
            "MessageHeader": header,
            "NexoBlob": blob,
            "SecurityTrailer": trailer,
        } });
        self.say(connection, message.to_string().into_bytes());
    }

    fn say(&mut self, connection: u64, body: Vec<u8>) {
        if !self.faults.contains(&Fault::Silent) {
            self.answers.push((connection, body));
        }
    }
}

fn text(header: &Value, key: &str) -> String {
    header[key].as_str().unwrap_or_default().to_owned()
}
