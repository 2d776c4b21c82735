//! The driver against a script: what each response says of an order, and that any replies in any
//! order answer each order once.

use std::fmt::Write;

use domain::{Amount, Mono, Wall};
use driver_api::exchange::{NoAnswer, Reply, Request};
use driver_api::payment_terminal::{
    Capture, Command, Event, Mark, Operation, Outcome, Payment, Question, Reference,
};
use driver_api::{Link, Protocol};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::message::{Header, Secured};
use crate::{Config, Key, Nexo, Timing};

fn key() -> Key {
    thread_local! { static KEY: Key = Key::new("key", 1, "a passphrase"); }
    KEY.with(Key::clone)
}

fn config() -> Config {
    Config {
        poi_id: "V400m-1".to_owned(),
        sale_id: "kiosk".to_owned(),
        key: key(),
        seed: [1; 32],
        started: Wall { utc_ms: 1_795_262_400_000, offset_min: 60 },
        timing: Timing::default(),
    }
}

/// What the till asks, in the clear.
fn open(request: &Request) -> Value {
    let outer: Value = serde_json::from_slice(&request.body).unwrap();
    let secured: Secured = serde_json::from_value(outer["SaleToPOIRequest"].clone()).unwrap();
    let plain = key().open(&secured.blob, &secured.trailer).unwrap();
    serde_json::from_slice::<Value>(&plain).unwrap()["SaleToPOIRequest"].clone()
}

/// As the terminal sends it.
fn seal(response: &Value) -> Vec<u8> {
    let plain = json!({ "SaleToPOIResponse": response }).to_string();
    let (blob, trailer) = key().seal(plain.as_bytes(), [9; 16]);
    let header: Header = serde_json::from_value(response["MessageHeader"].clone()).unwrap();
    let secured = Secured { header, blob, trailer };
    json!({ "SaleToPOIResponse": secured }).to_string().into_bytes()
}

/// The response to a request, with this body.
fn response(request: &Value, body: Value) -> Value {
    let mut header = request["MessageHeader"].clone();
    header["MessageType"] = json!("Response");
    let name = format!("{}Response", header["MessageCategory"].as_str().unwrap());
    let mut response = json!({ "MessageHeader": header });
    response[name] = body;
    response
}

struct Till {
    driver: Nexo,
    now: Mono,
    events: Vec<Event>,
}

impl Till {
    /// At a terminal that is idle.
    fn new() -> Self {
        let mut till = Self { driver: Nexo::new(config()), now: Mono(0), events: Vec::new() };
        till.driver.handle_link(till.now, Link::Up);
        let login = till.request();
        till.answer(&login, json!({ "Response": { "Result": "Success" } }));
        till.diagnosed();
        assert!(matches!(till.events[..], [Event::Ready(_)]), "{:?}", till.events);
        till
    }

    fn request(&mut self) -> Request {
        let mut frame = self.driver.poll_write().expect("something is asked");
        Request::decode(&mut frame.bytes).expect("frames are whole")
    }

    fn diagnosed(&mut self) {
        let diagnosis = self.request();
        let status = json!({ "GlobalStatus": "OK" });
        self.answer(
            &diagnosis,
            json!({ "Response": { "Result": "Success" }, "POIStatus": status }),
        );
    }

    fn answer(&mut self, request: &Request, body: Value) {
        let response = response(&open(request), body);
        self.reply(request.exchange, Ok(seal(&response)));
    }

    fn reply(&mut self, exchange: u32, outcome: Result<Vec<u8>, NoAnswer>) {
        self.driver.handle_bytes(self.now, &Reply { exchange, outcome }.encode());
        self.events.extend(std::iter::from_fn(|| self.driver.poll_event()));
    }

    fn command(&mut self, command: Command) {
        self.driver.handle_command(self.now, command).expect("idle");
        self.events.extend(std::iter::from_fn(|| self.driver.poll_event()));
    }

    fn pay(&mut self) -> Request {
        let (operation, amount) = (Operation(17), Amount::euro(20));
        self.command(Command::Authorise {
            operation,
            amount,
            mark: mark(),
            capture: Capture::AtOnce,
        });
        self.request()
    }

    fn outcome(&self) -> Option<&Outcome> {
        self.events.iter().find_map(|event| match event {
            Event::Finished { outcome, .. } | Event::Status { outcome, .. } => Some(outcome),
            Event::Ready(_)
            | Event::Idle { .. }
            | Event::Hint(_)
            | Event::Held { .. }
            | Event::DayEnded(_)
            | Event::Fault(_)
            | Event::Cleared(_)
            | Event::LinkLost => None,
        })
    }
}

fn short(outcome: Option<&Outcome>) -> String {
    match outcome {
        Some(Outcome::Approved(it)) => {
            format!("Approved {} {:?} {:?}", it.reference.0, it.entry, it.verification)
        }
        Some(Outcome::Declined(it)) => format!("Declined {:?} ({})", it.reason, it.vendor.0),
        Some(Outcome::Unknown) => "Unknown".to_owned(),
        None => "-".to_owned(),
    }
}

fn paid(amount: &str) -> Value {
    let amount: Value = serde_json::from_str(amount).unwrap();
    json!({
        "Response": { "Result": "Success" },
        "POIData": { "POITransactionID": { "TransactionID": "v4.A", "TimeStamp": "10:00" } },
        "PaymentResult": {
            "AmountsResp": { "Currency": "EUR", "AuthorizedAmount": amount },
            "AuthenticationMethod": ["OnLinePIN"],
            "PaymentInstrumentData": { "CardData": { "EntryMode": ["ICC"] } },
        },
    })
}

fn with(mut body: Value, at: &str, value: Value) -> Value {
    *body.pointer_mut(at).expect("it is there") = value;
    body
}

fn failure(condition: &str) -> Value {
    json!({ "Response": { "Result": "Failure", "ErrorCondition": condition } })
}

/// What a terminal may answer to a payment of 20 €.
fn payments() -> Vec<(&'static str, Value)> {
    vec![
        ("20.00", paid("20.00")),
        ("20", paid("20")),
        ("19.99", paid("19.99")),
        ("US dollars", with(paid("20"), "/PaymentResult/AmountsResp/Currency", json!("USD"))),
        ("partial", with(paid("20"), "/Response/Result", json!("Partial"))),
        ("no transaction", with(paid("20"), "/POIData", json!(null))),
        (
            "details of another form",
            with(paid("20"), "/PaymentResult/AuthenticationMethod", json!(7)),
        ),
        ("Success alone", json!({ "Response": { "Result": "Success" } })),
        ("Failure alone", json!({ "Response": { "Result": "Failure" } })),
        ("another result", json!({ "Response": { "Result": "Perhaps" } })),
        ("nothing", json!({})),
        ("Aborted", failure("Aborted")),
        ("Busy", failure("Busy")),
        ("Cancel", failure("Cancel")),
        ("DeviceOut", failure("DeviceOut")),
        ("InProgress", failure("InProgress")),
        ("InvalidCard", failure("InvalidCard")),
        ("MessageFormat", failure("MessageFormat")),
        ("NotAllowed", failure("NotAllowed")),
        ("PaymentRestriction", failure("PaymentRestriction")),
        ("Refusal", failure("Refusal")),
        ("UnreachableHost", failure("UnreachableHost")),
        ("WrongPIN", failure("WrongPIN")),
        ("a condition of tomorrow", failure("Tomorrow")),
    ]
}

#[test]
fn every_response_to_a_payment_and_to_the_question_after_it() {
    let mut table = String::new();
    for (name, body) in payments() {
        let mut till = Till::new();
        let order = till.pay();
        till.answer(&order, body.clone());
        let outcome = short(till.outcome());

        let mut till = Till::new();
        till.command(Command::AskStatus(question(None)));
        let status = till.request();
        let repeated = json!({
            "Response": { "Result": "Success" },
            "RepeatedMessageResponse": {
                "MessageHeader": { "MessageCategory": "Payment", "ServiceID": "17" },
                "RepeatedResponseMessageBody": { "PaymentResponse": body },
            },
        });
        till.answer(&status, repeated);
        let told = short(till.outcome());
        assert_eq!(outcome, told, "{name}: the same words mean the same");
        writeln!(table, "{name} -> {outcome}").unwrap();
    }
    insta::assert_snapshot!(table);
}

/// Of this terminal.
fn mark() -> Option<Mark> {
    Some(Mark("V400m-1".to_owned()))
}

fn question(reversal_of: Option<Payment>) -> Question {
    Question { operation: Operation(17), amount: Amount::euro(20), mark: mark(), reversal_of }
}

#[test]
fn what_is_no_response_to_that_very_order_leaves_it_unknown() {
    let tamper = |change: fn(&mut Value)| {
        let mut till = Till::new();
        let order = till.pay();
        let mut response = response(&open(&order), paid("20"));
        change(&mut response);
        till.reply(order.exchange, Ok(seal(&response)));
        short(till.outcome())
    };
    assert!(tamper(|_| {}).starts_with("Approved"));
    assert_eq!(tamper(|it| it["MessageHeader"]["ServiceID"] = json!("16")), "Unknown");
    assert_eq!(tamper(|it| it["MessageHeader"]["SaleID"] = json!("another")), "Unknown");
    assert_eq!(tamper(|it| it["MessageHeader"]["POIID"] = json!("V400m-2")), "Unknown");
    assert_eq!(tamper(|it| it["MessageHeader"]["MessageType"] = json!("Request")), "Unknown");
    assert_eq!(tamper(|it| it["MessageHeader"]["MessageCategory"] = json!("Reversal")), "Unknown");
    assert_eq!(tamper(|it| it["PaymentResponse"] = json!("yes")), "Unknown");
}

#[test]
fn an_answer_that_is_not_genuine_leaves_the_order_unknown() {
    for body in [&b""[..], b"{}", b"OK", b"{\"SaleToPOIRequest\":{\"EventNotification\":{}}}"] {
        let mut till = Till::new();
        let order = till.pay();
        till.reply(order.exchange, Ok(body.to_vec()));
        assert_eq!(till.outcome(), Some(&Outcome::Unknown), "{body:?}");
    }
    let mut till = Till::new();
    let order = till.pay();
    let genuine = seal(&response(&open(&order), paid("20")));
    let mut plain: Value = serde_json::from_slice(&genuine).unwrap();
    let hmac = &mut plain["SaleToPOIResponse"]["SecurityTrailer"]["Hmac"];
    *hmac = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    till.reply(order.exchange, Ok(plain.to_string().into_bytes()));
    assert_eq!(till.outcome(), Some(&Outcome::Unknown));
}

#[test]
fn an_order_is_named_and_says_what_it_is_about() {
    let mut till = Till::new();
    let order = till.pay();
    let said = open(&order);
    assert_eq!(said["MessageHeader"]["ServiceID"], "17");
    assert_eq!(said["MessageHeader"]["MessageCategory"], "Payment");
    let amounts = &said["PaymentRequest"]["PaymentTransaction"]["AmountsReq"];
    assert_eq!(*amounts, json!({ "Currency": "EUR", "RequestedAmount": 20.0 }));
    let id = &said["PaymentRequest"]["SaleData"]["SaleTransactionID"];
    let expected = json!({ "TransactionID": "kiosk-17", "TimeStamp": "2026-11-21T12:00:00.000Z" });
    assert_eq!(*id, expected);
}

#[test]
fn a_reversal_names_the_payment_and_a_reference_of_another_protocol_is_not_sent() {
    let payment = |reference: &str| Payment {
        operation: Operation(16),
        amount: Amount::euro(20),
        reference: Reference(reference.to_owned()),
    };
    let reverse = |reference: &str| Command::Reverse {
        operation: Operation(17),
        payment: payment(reference),
        mark: mark(),
    };
    for not_ours in ["0007/000070", "attested:123456"] {
        let mut till = Till::new();
        till.command(reverse(not_ours));
        assert_eq!(short(till.outcome()), "Declined NotSent (0)");
    }

    let mut till = Till::new();
    till.command(reverse("10:00 v4.A"));
    let order = till.request();
    let original = &open(&order)["ReversalRequest"]["OriginalPOITransaction"];
    let expected = json!({ "TransactionID": "v4.A", "TimeStamp": "10:00" });
    assert_eq!(original["POITransactionID"], expected);
    let back = json!({
        "Response": { "Result": "Success" },
        "POIData": { "POITransactionID": { "TransactionID": "v4.B", "TimeStamp": "10:05" } },
        "ReversedAmount": 19.99,
    });
    till.answer(&order, back);
    assert_eq!(short(till.outcome()), "Unknown", "a part of the amount");
}

/// It was exchanged, or speaks another protocol now. That it knows nothing of the order proves
/// nothing.
#[test]
fn an_order_of_another_terminal_is_neither_sent_nor_asked_for() {
    for mark in [None, Some("V400m-2"), Some("0007/000070")] {
        let mark = mark.map(|mark| Mark(mark.to_owned()));
        let mut till = Till::new();
        till.command(Command::AskStatus(Question { mark: mark.clone(), ..question(None) }));
        assert_eq!(till.outcome(), Some(&Outcome::Unknown));
        let mut till = Till::new();
        let (operation, amount) = (Operation(17), Amount::euro(20));
        let capture = Capture::AtOnce;
        till.command(Command::Authorise { operation, amount, mark, capture });
        assert_eq!(short(till.outcome()), "Declined NotSent (0)");
    }
}

proptest! {
    /// Replies of any kind to any request, time and commands in any order: an order goes out at
    /// most once, and is answered exactly once.
    #[test]
    fn each_order_is_sent_at_most_once_and_answered_once(
        happenings in prop::collection::vec((0_u8..8, any::<u8>(), 0_u64..200_000), 1..60),
    ) {
        let mut till = Till::new();
        let mut open_requests: Vec<Request> = Vec::new();
        let mut ordered = Vec::new();
        let mut sent = Vec::new();
        for (kind, which, ms) in happenings {
            match kind {
                0 => {
                    let operation = Operation(100 + u32::try_from(ordered.len()).unwrap());
                    let amount = Amount::euro(20);
                    let capture = Capture::WhenIssued;
                    let pay = Command::Authorise { operation, amount, mark: mark(), capture };
                    if till.driver.handle_command(till.now, pay).is_ok() {
                        ordered.push(operation);
                    }
                }
                1 => till.command(Command::Abort),
                2 => till.command(Command::AskStatus(question(None))),
                3 => {
                    till.now = Mono(till.now.0 + ms);
                    till.driver.handle_timeout(till.now);
                }
                4 => till.driver.handle_link(till.now, if which % 4 == 0 {
                    Link::Down
                } else {
                    Link::Up
                }),
                _ if open_requests.is_empty() => {}
                _ => {
                    let place = usize::from(which) % open_requests.len();
                    let request = open_requests.swap_remove(place);
                    let said = open(&request);
                    let (_, body) = payments().swap_remove(usize::from(which) % 24);
                    let outcome = match kind {
                        5 => Ok(seal(&response(&said, body))),
                        6 => Err(NoAnswer::Lost),
                        _ => Err(NoAnswer::NotSent),
                    };
                    till.reply(request.exchange, outcome);
                }
            }
            while let Some(mut frame) = till.driver.poll_write() {
                let request = Request::decode(&mut frame.bytes).unwrap();
                let header = open(&request)["MessageHeader"].clone();
                if header["MessageCategory"] == "Payment" {
                    sent.push(header["ServiceID"].as_str().unwrap().to_owned());
                }
                open_requests.push(request);
            }
            till.events.extend(std::iter::from_fn(|| till.driver.poll_event()));
        }
        till.driver.handle_link(till.now, Link::Down);
        till.events.extend(std::iter::from_fn(|| till.driver.poll_event()));
        for operation in ordered {
            let name = operation.0.to_string();
            prop_assert!(sent.iter().filter(|it| **it == name).count() <= 1);
            let finished = till.events.iter().filter(|event| {
                matches!(event, Event::Finished { operation: it, .. } if *it == operation)
            });
            prop_assert_eq!(finished.count(), 1, "{}", name);
        }
    }

    #[test]
    fn any_bytes_and_any_body_do_no_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut till = Till::new();
        let order = till.pay();
        till.driver.handle_bytes(till.now, &bytes);
        let mut till = Till::new();
        let again = till.pay();
        prop_assert_eq!(order.exchange, again.exchange);
        till.reply(again.exchange, Ok(body));
        prop_assert_eq!(till.outcome(), Some(&Outcome::Unknown));
    }
}
