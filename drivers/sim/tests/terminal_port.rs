//! Driver, host loop, a real line and the firmware model together, in real time: what the
//! virtual-time tests cannot show.

use std::time::Duration;

use domain::Amount;
use driver_api::payment_terminal::{Capture, Command, Event, Mark, Operation, Outcome, Question};
use driver_host::{Line, SerialLine, TcpLine, drive};
use driver_sim::terminal::{Options, Orphan, Pace, Terminal, Transport};
use driver_zvt::{Config, Zvt};
use tokio::sync::mpsc;
use tokio::time::timeout;

struct Till {
    commands: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
}

impl Till {
    fn start(config: Config, line: impl Line + 'static) -> Self {
        let (commands, commands_rx) = mpsc::channel(8);
        let (events_tx, events) = mpsc::channel(8);
        tokio::spawn(drive(Zvt::new(config), line, commands_rx, events_tx));
        Self { commands, events }
    }

    async fn hears<T>(&mut self, what: impl Fn(Event) -> Option<T>) -> T {
        let found = timeout(Duration::from_secs(60), async {
            loop {
                let event = self.events.recv().await.expect("the host loop runs");
                if let Some(found) = what(event) {
                    return found;
                }
            }
        });
        found.await.expect("heard within a minute")
    }

    async fn ready(&mut self) -> Option<Mark> {
        self.hears(|event| if let Event::Ready(unit) = event { Some(unit.mark) } else { None })
            .await
    }

    async fn pay(&mut self, mark: Option<Mark>) -> Outcome {
        let command = Command::Authorise {
            operation: Operation(1),
            amount: Amount::euro(20),
            mark,
            capture: Capture::AtOnce,
        };
        self.commands.send(command).await.expect("the host loop runs");
        self.hears(
            |event| {
                if let Event::Finished { outcome, .. } = event { Some(outcome) } else { None }
            },
        )
        .await
    }

    async fn ask(&mut self, mark: Option<Mark>) -> Outcome {
        let question =
            Question { operation: Operation(1), amount: Amount::euro(20), mark, reversal_of: None };
        self.commands.send(Command::AskStatus(question)).await.expect("the host loop runs");
        self.hears(
            |event| {
                if let Event::Status { outcome, .. } = event { Some(outcome) } else { None }
            },
        )
        .await
    }
}

fn fast(transport: Transport) -> Options {
    Options { transport, pace: Pace::FAST, orphan: Orphan::Finishes }
}

#[tokio::test]
async fn twenty_euro_are_paid_over_tcp() {
    let (terminal, address) = Terminal::listen(fast(Transport::Tcp)).await.unwrap();
    let mut till = Till::start(Config::tcp(), TcpLine::new(address.to_string()));
    let mark = till.ready().await;
    assert!(matches!(till.pay(mark).await, Outcome::Approved(_)));
    assert_eq!(terminal.charges().len(), 1);
}

#[tokio::test]
async fn twenty_euro_are_paid_over_a_serial_line() {
    let dir = tempfile::tempdir().unwrap();
    let port = dir.path().join("terminal");
    let terminal = Terminal::plug(&port, fast(Transport::Serial)).unwrap();
    let line = SerialLine::new(&port, 115_200).two_stop_bits();
    let mut till = Till::start(Config::serial(), line);
    let mark = till.ready().await;
    assert!(matches!(till.pay(mark).await, Outcome::Approved(_)));
    assert_eq!(terminal.charges().len(), 1);
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_is_unknown_and_then_told() {
    let (terminal, address) = Terminal::listen(fast(Transport::Tcp)).await.unwrap();
    let mut till = Till::start(Config::tcp(), TcpLine::new(address.to_string()));
    let mark = till.ready().await;
    // Behind the order's acknowledgement.
    terminal.cut_after(5);
    assert_eq!(till.pay(mark.clone()).await, Outcome::Unknown);
    till.ready().await;
    // A terminal still at work says so, and the question is put again.
    let mut told = Outcome::Unknown;
    while told == Outcome::Unknown {
        told = till.ask(mark.clone()).await;
    }
    assert!(matches!(told, Outcome::Approved(_)), "{told:?}");
    assert_eq!(terminal.charges().len(), 1);
}
