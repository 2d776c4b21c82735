//! A terminal that others wrote faces our driver: `adyen-mock-terminal-api`, which speaks in the
//! clear and answers with stored messages of real terminals. Between the two only what it lacks is
//! added: the encryption, and in the header the ServiceID that was asked.
//!
//! It is in no registry. Whoever has it running names its address in `PAUSE_ADYEN_MOCK`:
//! `cargo test -p driver-sim --test nexo_mock -- --ignored`.

use std::time::Duration;

use domain::{Amount, Mono, Wall};
use driver_api::exchange::{Reply, Request};
use driver_api::payment_terminal::{
    Approval, Capture, Command, DeclineReason, Entry, Event, Mark, Operation, Outcome, Payment,
    Question,
};
use driver_api::{Link, Protocol};
use driver_nexo::{Config, Key, Nexo, Timing};
use driver_sim::terminal::nexo::{Firmware, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Mock {
    address: String,
    driver: Nexo,
    /// Only to open and to seal.
    seal: Firmware,
    operation: u32,
}

impl Mock {
    async fn start(address: String) -> Self {
        let options = Options::default();
        let config = Config {
            poi_id: options.poi_id.clone(),
            sale_id: "kiosk".to_owned(),
            key: Key::new(&options.key_identifier, options.key_version, &options.passphrase),
            seed: [1; 32],
            started: Wall::default(),
            timing: Timing::default(),
        };
        let (driver, seal) = (Nexo::new(config), Firmware::new(options));
        let mut mock = Self { address, driver, seal, operation: 0 };
        mock.driver.handle_link(Mono(0), Link::Up);
        let events = mock.exchange().await;
        assert!(matches!(events[..], [Event::Ready(_)]), "{events:?}");
        mock
    }

    /// Passes on what the driver asks, until it asks nothing more.
    async fn exchange(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(mut frame) = self.driver.poll_write() {
            let request = Request::decode(&mut frame.bytes).expect("frames are whole");
            let words = self.ask(&request).await;
            self.seal.answer_with(1, &request.body, words);
            let outcome = Ok(self.seal.take_answer(1).expect("sealed"));
            let reply = Reply { exchange: request.exchange, outcome };
            self.driver.handle_bytes(Mono(0), &reply.encode());
            events.extend(std::iter::from_fn(|| self.driver.poll_event()));
        }
        events
    }

    async fn ask(&self, request: &Request) -> Value {
        let plain = self.seal.read(&request.body).expect("sealed by us");
        let header = &plain["SaleToPOIRequest"]["MessageHeader"];
        let success = json!({ "Result": "Success" });
        match header["MessageCategory"].as_str() {
            // It knows neither.
            Some("Login") => return json!({ "LoginResponse": { "Response": success } }),
            Some("Diagnosis") => {
                let status = json!({ "GlobalStatus": "OK" });
                let body = json!({ "Response": success, "POIStatus": status });
                return json!({ "DiagnosisResponse": body });
            }
            Some(_) | None => {}
        }
        let asked = async { self.post("/sync", &plain).await };
        let (answer, ()) = tokio::join!(asked, self.type_pin());
        let mut answer = answer["SaleToPOIResponse"].clone();
        let repeated = "/TransactionStatusResponse/RepeatedMessageResponse/MessageHeader/ServiceID";
        if let Some(service_id) = answer.pointer_mut(repeated) {
            let status = &plain["SaleToPOIRequest"]["TransactionStatusRequest"];
            *service_id = status["MessageReference"]["ServiceID"].clone();
        }
        answer
    }

    /// The customer before the mock: it waits for four digits and the green key.
    async fn type_pin(&self) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for key in ["enter-pin"; 4].into_iter().chain(["confirm-button"]) {
            self.post(&format!("/user-interaction/{key}"), &json!({})).await;
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(&self.address).await.expect("the mock runs");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("HTTP");
        serde_json::from_str(body).expect("JSON")
    }

    async fn pay(&mut self, cents: i64) -> Outcome {
        self.operation += 1;
        let operation = Operation(self.operation);
        let amount = Amount::from_cents(cents).expect("small");
        self.order(Command::Authorise { operation, amount, mark: mark(), capture: Capture::AtOnce })
            .await
    }

    async fn order(&mut self, command: Command) -> Outcome {
        self.driver.handle_command(Mono(0), command).expect("idle");
        let events = self.exchange().await;
        let outcome = events.into_iter().find_map(|event| {
            if let Event::Finished { outcome, .. } | Event::Status { outcome, .. } = event {
                Some(outcome)
            } else {
                None
            }
        });
        outcome.expect("answered")
    }
}

fn approval(outcome: Outcome) -> Approval {
    match outcome {
        Outcome::Approved(approval) => *approval,
        other @ (Outcome::Declined(_) | Outcome::Unknown) => panic!("{other:?}"),
    }
}

fn mark() -> Option<Mark> {
    Some(Mark(Options::default().poi_id))
}

#[tokio::test]
#[ignore = "adyen-mock-terminal-api is in no registry: PAUSE_ADYEN_MOCK names a running one"]
async fn what_real_terminals_once_answered_is_understood() {
    let address = std::env::var("PAUSE_ADYEN_MOCK").expect("PAUSE_ADYEN_MOCK=host:port");
    let mut mock = Mock::start(address).await;

    let paid = approval(mock.pay(100).await);
    assert_eq!(paid.reference.0, "2023-06-12T12:08:36+00:00 v4W5001707426906003.RM4ZVZ7LFTGLNK82");
    assert_eq!(paid.merchant.as_deref(), Some("ADYEN_MERCHANT_ACCOUNT"));
    assert_eq!(mock.pay(2000).await, Outcome::Unknown, "it always answers with 1.00");

    for (cents, reason, code) in [
        (1124, DeclineReason::Funds, 210),
        (1125, DeclineReason::Card, 199),
        (1126, DeclineReason::Card, 228),
        (1127, DeclineReason::Bank, 214),
        (1128, DeclineReason::Card, 214),
        (1134, DeclineReason::Pin, 129),
    ] {
        let Outcome::Declined(decline) = mock.pay(cents).await else { panic!("{cents}") };
        assert_eq!((decline.reason, decline.vendor.0), (reason, code), "{cents}");
    }

    let operation = Operation(1);
    let amount = Amount::from_cents(1099).expect("small");
    let question = Question { operation, amount, mark: mark(), reversal_of: None };
    let told = approval(mock.order(Command::AskStatus(question)).await);
    assert_eq!(
        (told.entry, told.pan.map(|pan| pan.reveal().len())),
        (Entry::Contactless, Some(10))
    );
    assert_eq!(told.authorisation_code.as_deref(), Some("1234"));

    let payment = Payment { operation, amount, reference: paid.reference };
    let reverse = Command::Reverse { operation: Operation(99), payment, mark: mark() };
    approval(mock.order(reverse).await);
}
