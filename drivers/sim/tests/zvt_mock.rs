//! A terminal that others wrote faces our driver: `panda-zvt-simulator`, in Kotlin. It pays, tells
//! again what it did, reverses, ends the day, and refuses.
//!
//! It is in no registry. Whoever has it running names its address in `PAUSE_PANDA_ZVT`, and in
//! `PAUSE_PANDA_ZVT_REFUSES` that of another one, set to answer every order with the error 6C:
//! `cargo test -p driver-sim --test zvt_mock -- --ignored`. Freshly started: its log is empty.

use std::time::Duration;

use domain::Amount;
use driver_api::payment_terminal::{
    Approval, Capabilities, Capture, Command, DayEnd, DeclineReason, Event, Mark, Operation,
    Outcome, Payment, Question,
};
use driver_host::{TcpLine, drive};
use driver_zvt::{Config, Zvt};
use tokio::sync::mpsc;
use tokio::time::timeout;

const TWENTY: Amount = Amount::euro(20);

struct Till {
    commands: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
    /// Of the terminal's log, as it was when it was last ready.
    mark: Option<Mark>,
}

impl Till {
    /// Done when the terminal named by this variable is ready.
    async fn at(variable: &str) -> Self {
        let address = std::env::var(variable).expect("it names the address of a terminal");
        let (commands, commands_rx) = mpsc::channel(8);
        let (events_tx, events) = mpsc::channel(8);
        let line = TcpLine::new(address);
        tokio::spawn(drive(Zvt::new(Config::tcp()), line, commands_rx, events_tx));
        let mut till = Self { commands, events, mark: None };
        till.answer().await;
        till
    }

    async fn order(&mut self, command: Command) -> Event {
        self.commands.send(command).await.expect("the host loop runs");
        self.answer().await.expect("an answer before it is idle")
    }

    /// What is said before the terminal is ready for the next order.
    async fn answer(&mut self) -> Option<Event> {
        let mut answer = None;
        let idle = async {
            loop {
                let event = self.events.recv().await.expect("the host loop runs");
                if let Event::Ready(Capabilities { mark, .. }) | Event::Idle { mark } = event {
                    return mark;
                }
                if !matches!(event, Event::Hint(_)) {
                    answer = Some(event);
                }
            }
        };
        self.mark = timeout(Duration::from_secs(60), idle).await.expect("idle within a minute");
        answer
    }

    async fn pay(&mut self) -> Outcome {
        let command = Command::Authorise {
            operation: Operation(1),
            amount: TWENTY,
            mark: self.mark.clone(),
            capture: Capture::AtOnce,
        };
        finished(self.order(command).await)
    }
}

fn finished(event: Event) -> Outcome {
    let (Event::Finished { outcome, .. } | Event::Status { outcome, .. }) = event else {
        panic!("{event:?}")
    };
    outcome
}

fn approved(outcome: Outcome) -> Approval {
    let Outcome::Approved(approval) = outcome else { panic!("{outcome:?}") };
    *approval
}

#[tokio::test]
#[ignore = "panda-zvt-simulator is in no registry"]
async fn panda_takes_twenty_euro_and_gives_them_back() {
    let mut till = Till::at("PAUSE_PANDA_ZVT").await;
    let before = till.mark.clone();
    let paid = approved(till.pay().await);
    assert_eq!(paid.amount, TWENTY);
    assert_eq!(paid.terminal.as_deref(), Some("29001234"));
    assert_eq!(paid.card_name.as_deref(), Some("Mastercard"));
    assert_eq!(paid.authorisation_code, None, "it has something else in that field");
    let pan = paid.pan.as_ref().map(|pan| pan.reveal().to_owned());
    assert_eq!(pan.as_deref(), Some("676389******1230"), "it masks nothing");

    let (operation, amount) = (Operation(1), TWENTY);
    let mut question = Question { operation, amount, mark: before, reversal_of: None };
    let told = finished(till.order(Command::AskStatus(question.clone())).await);
    assert_eq!(approved(told), paid);
    question.mark.clone_from(&till.mark);
    let told = finished(till.order(Command::AskStatus(question)).await);
    let Outcome::Declined(decline) = told else { panic!("{told:?}") };
    assert_eq!(decline.reason, DeclineReason::NotCarriedOut);

    let payment = Payment { operation, amount, reference: paid.reference };
    let operation = Operation(2);
    let reverse = Command::Reverse { operation, payment, mark: till.mark.clone() };
    assert_eq!(approved(finished(till.order(reverse).await)).amount, TWENTY);

    let end = till.order(Command::EndOfDay).await;
    // It adds up what it gave back.
    let Event::DayEnded(DayEnd::Closed(totals)) = end else { panic!("{end:?}") };
    assert_eq!(totals.amount, Amount::euro(40));
}

#[tokio::test]
#[ignore = "panda-zvt-simulator is in no registry"]
async fn panda_refuses() {
    let mut till = Till::at("PAUSE_PANDA_ZVT_REFUSES").await;
    let told = till.pay().await;
    let Outcome::Declined(decline) = told else { panic!("{told:?}") };
    assert_eq!((decline.reason, decline.vendor.0), (DeclineReason::Cancelled, 0x6C));
}
