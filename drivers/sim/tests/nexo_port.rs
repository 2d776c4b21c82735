//! Driver, host loop, TLS and the firmware model together, in real time: what the virtual-time
//! tests cannot show.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{Amount, Wall};
use driver_api::payment_terminal::{
    Capture, Command, DeclineReason, Event, Hint, Mark, Operation, Outcome, Question,
};
use driver_host::{HttpsLine, Trust, drive};
use driver_nexo::{Config, Key, Nexo, Timing};
use driver_sim::terminal::nexo::{Options, PATH, Terminal};
use driver_sim::terminal::{Cardholder, Pace};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::timeout;

struct Till {
    commands: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
    operation: u32,
}

impl Till {
    fn start(address: SocketAddr, root_pem: &str) -> Self {
        let options = Options::default();
        let trust = Trust::Signed { roots_pem: root_pem.as_bytes().to_vec(), name: options.name() };
        let line = HttpsLine::new(address.to_string(), PATH, &trust).expect("a root certificate");
        let config = Config {
            poi_id: options.poi_id,
            sale_id: "marchamalo-1".to_owned(),
            key: Key::new(options.key_identifier, options.key_version, &options.passphrase),
            seed: [7; 32],
            started: Wall { utc_ms: 1_795_262_400_000, offset_min: 60 },
            timing: Timing {
                answer: Duration::from_secs(5),
                settle: Duration::from_millis(50),
                retry: Duration::from_millis(10),
                ..Timing::default()
            },
        };
        let (commands, commands_rx) = mpsc::channel(8);
        let (events_tx, events) = mpsc::channel(8);
        tokio::spawn(drive(Nexo::new(config), line, commands_rx, events_tx));
        Self { commands, events, operation: 0 }
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

    async fn ready(&mut self) {
        let is_ready = |event| matches!(event, Event::Ready(_) | Event::Idle { .. }).then_some(());
        self.hears(is_ready).await;
    }

    async fn order(&mut self) {
        self.operation += 1;
        let command = Command::Authorise {
            operation: Operation(self.operation),
            amount: Amount::euro(20),
            mark: mark(),
            capture: Capture::AtOnce,
        };
        self.commands.send(command).await.expect("the host loop runs");
    }

    async fn outcome(&mut self) -> Outcome {
        let finished =
            |event| if let Event::Finished { outcome, .. } = event { Some(outcome) } else { None };
        self.hears(finished).await
    }

    async fn pay(&mut self) -> Outcome {
        self.order().await;
        self.outcome().await
    }

    async fn settle(&mut self) -> Outcome {
        loop {
            let question = Question {
                operation: Operation(self.operation),
                amount: Amount::euro(20),
                mark: mark(),
                reversal_of: None,
            };
            self.commands.send(Command::AskStatus(question)).await.expect("the host loop runs");
            let told = |event| {
                if let Event::Status { outcome, .. } = event { Some(outcome) } else { None }
            };
            let told = self.hears(told).await;
            self.ready().await;
            if told != Outcome::Unknown {
                return told;
            }
        }
    }
}

fn fast() -> Options {
    Options { pace: Pace::FAST, ..Options::default() }
}

fn mark() -> Option<Mark> {
    Some(Mark(Options::default().poi_id))
}

#[tokio::test]
async fn twenty_euro_are_paid() {
    let (terminal, address) = Terminal::listen(fast()).await.unwrap();
    let mut till = Till::start(address, terminal.root_pem());
    till.ready().await;
    assert!(matches!(till.pay().await, Outcome::Approved(_)));
    assert_eq!(terminal.charges().len(), 1);
}

#[tokio::test]
async fn an_abort_passes_the_payment_that_waits() {
    let pace = Pace { patience: Duration::from_secs(100), ..Pace::FAST };
    let (terminal, address) = Terminal::listen(Options { pace, ..fast() }).await.unwrap();
    terminal.set_cardholder(Cardholder::WalksOff);
    let mut till = Till::start(address, terminal.root_pem());
    till.ready().await;
    till.order().await;
    till.hears(|event| (event == Event::Hint(Hint::PresentCard)).then_some(())).await;
    till.commands.send(Command::Abort).await.unwrap();
    let Outcome::Declined(decline) = till.outcome().await else { panic!("nobody paid") };
    assert_eq!(decline.reason, DeclineReason::Cancelled);
}

#[tokio::test]
async fn a_terminal_of_another_maker_gets_no_order() {
    let (_, address) = Terminal::listen(fast()).await.unwrap();
    let (other, _) = Terminal::listen(fast()).await.unwrap();
    let mut till = Till::start(address, other.root_pem());
    till.hears(|event| (event == Event::LinkLost).then_some(())).await;
    let Outcome::Declined(decline) = till.pay().await else { panic!("it is not trusted") };
    assert_eq!(decline.reason, DeclineReason::NotSent);
}

/// A network that cuts the next connection behind so many bytes of one direction.
#[derive(Clone)]
struct Network {
    cut: Arc<Mutex<Option<(Direction, usize)>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    ToTerminal,
    ToTill,
}

impl Network {
    async fn before(terminal: SocketAddr) -> (Self, SocketAddr) {
        let network = Self { cut: Arc::default() };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("it has one");
        let cut = Arc::clone(&network.cut);
        tokio::spawn(async move {
            while let Ok((till, _)) = listener.accept().await {
                let cut = cut.lock().expect("no panics").take();
                let terminal = TcpStream::connect(terminal).await.expect("it listens");
                tokio::spawn(carry(till, terminal, cut));
            }
        });
        (network, address)
    }

    fn cut_next(&self, direction: Direction, bytes: usize) {
        *self.cut.lock().expect("no panics") = Some((direction, bytes));
    }
}

async fn carry(till: TcpStream, terminal: TcpStream, cut: Option<(Direction, usize)>) {
    let limit = |direction| match cut {
        Some((whose, bytes)) if whose == direction => bytes,
        Some(_) | None => usize::MAX,
    };
    let (from_till, to_till) = till.into_split();
    let (from_terminal, to_terminal) = terminal.into_split();
    // When either direction ends, both do.
    select! {
        () = copy(from_till, to_terminal, limit(Direction::ToTerminal)) => {}
        () = copy(from_terminal, to_till, limit(Direction::ToTill)) => {}
    }
}

async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut limit: usize) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let passed = count.min(limit);
        limit -= passed;
        if to.write_all(&buffer[..passed]).await.is_err() || limit == 0 {
            return;
        }
    }
}

/// Not every byte, for time: a prime step, so that both ends of each part of the exchange are met.
const STEP: usize = 31;

#[tokio::test]
async fn cut_behind_bytes_of_either_direction_the_outcome_is_the_banks_or_unknown_and_then_told() {
    for direction in [Direction::ToTerminal, Direction::ToTill] {
        let (terminal, address) = Terminal::listen(fast()).await.unwrap();
        let (network, address) = Network::before(address).await;
        let mut till = Till::start(address, terminal.root_pem());
        till.ready().await;
        let mut bytes = 1;
        let mut outcomes = [0; 3];
        loop {
            let before = terminal.charges().len();
            network.cut_next(direction, bytes);
            let outcome = till.pay().await;
            till.ready().await;
            let told = till.settle().await;
            let charged = terminal.charges().len() - before;
            let what = format!("{direction:?} cut after {bytes}: {outcome:?}, then {told:?}");
            assert_eq!(charged, usize::from(matches!(told, Outcome::Approved(_))), "{what}");
            match outcome {
                Outcome::Approved(_) => assert_eq!(outcome, told),
                // Not one byte of it left: the connection was cut while it was made.
                Outcome::Declined(decline) => {
                    assert_eq!((decline.reason, charged), (DeclineReason::NotSent, 0), "{what}");
                    outcomes[0] += 1;
                }
                Outcome::Unknown => outcomes[1 + charged] += 1,
            }
            if network.cut.lock().unwrap().is_none() && matches!(outcome, Outcome::Approved(_)) {
                break;
            }
            bytes += STEP;
        }
        let is_met = match direction {
            Direction::ToTerminal => outcomes[0] > 0 && outcomes[1] > 0,
            Direction::ToTill => outcomes[0] > 0 && outcomes[2] > 0,
        };
        assert!(is_met, "{direction:?}: not sent, not carried out, carried out: {outcomes:?}");
    }
}
