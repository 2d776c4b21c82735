//! Driver, host loop, pty and firmware model together, in real time: what the virtual-time tests
//! cannot show.

use std::path::Path;
use std::time::Duration;

use domain::{Amount, NoteSet};
use driver_api::acceptor::{Command, Event, Note, NotePlace};
use driver_host::{SerialLine, drive};
use driver_sim::validator::{Encryption, Fault, InsertRefused, Options, Pace, Validator};
use driver_ssp::{Config, FACTORY_KEY, Ssp};
use tokio::sync::mpsc;
use tokio::time::timeout;

const TWENTY: Note = Note { value: Amount::euro(20) };

struct Kiosk {
    commands: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
    heard: Vec<Event>,
}

impl Kiosk {
    fn start(port: &Path, config: Config) -> Self {
        let (commands, commands_rx) = mpsc::channel(8);
        let (events_tx, events) = mpsc::channel(8);
        let line = SerialLine::new(port, 9600).two_stop_bits();
        tokio::spawn(drive(Ssp::new(config), line, commands_rx, events_tx));
        Self { commands, events, heard: Vec::new() }
    }

    async fn order(&self, command: Command) {
        self.commands.send(command).await.expect("the host loop runs");
    }

    /// Waits for an event; acknowledges what carries money on the way, as the core does.
    async fn hears(&mut self, what: impl Fn(&Event) -> bool) -> Event {
        let found = timeout(Duration::from_secs(60), async {
            loop {
                let event = self.events.recv().await.expect("the host loop runs");
                if matches!(event, Event::Stacked(_) | Event::Recovered { .. }) {
                    self.order(Command::Acknowledge).await;
                }
                self.heard.push(event.clone());
                if what(&event) {
                    return event;
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("not heard: {:?}", self.heard))
    }

    async fn is_ready(&mut self) {
        self.hears(|event| matches!(event, Event::Ready(_))).await;
        self.order(Command::Enable(NoteSet::of([Amount::euro(20)]))).await;
    }

    async fn holds_twenty(&mut self, validator: &Validator) {
        insert(validator, 2000).await;
        self.hears(|event| *event == Event::Escrowed(TWENTY)).await;
    }
}

/// As a customer does: tries until the bezel lights up.
async fn insert(validator: &Validator, cents: u32) {
    let inserted = timeout(Duration::from_secs(60), async {
        while validator.insert(cents) == Err(InsertRefused::NotEnabled) {
            tokio::task::yield_now().await;
        }
    });
    inserted.await.expect("the unit is enabled before long");
}

fn encrypted() -> (Config, Options) {
    let config = Config::encrypted(driver_ssp::Encryption {
        fixed_key: FACTORY_KEY,
        seed: *b"sixteen of noise",
    });
    let encryption = Encryption::Mandatory;
    (config, Options { encryption, pace: Pace::FAST, ..Options::default() })
}

#[tokio::test]
async fn twenty_euro_are_stacked_and_twenty_returned() {
    let plain = (
        Config::plain(),
        Options { encryption: Encryption::None, pace: Pace::FAST, ..Options::default() },
    );
    for (config, options) in [plain, encrypted()] {
        let dir = tempfile::tempdir().unwrap();
        let port = dir.path().join("validator");
        let validator = Validator::spawn(&port, options).unwrap();
        let mut kiosk = Kiosk::start(&port, config);
        kiosk.is_ready().await;

        kiosk.holds_twenty(&validator).await;
        kiosk.order(Command::Stack).await;
        kiosk.hears(|event| *event == Event::Stacked(TWENTY)).await;

        kiosk.holds_twenty_after_the_first(&validator).await;
        kiosk.order(Command::Return).await;
        kiosk.hears(|event| *event == Event::Returned(TWENTY)).await;
        let state = validator.state();
        assert_eq!(state.cash_box, [(2000, 1)].into());
        assert_eq!(validator.take_returned(), [2000]);
    }
}

impl Kiosk {
    /// The unit takes the next note once the last one is stacked and acknowledged.
    async fn holds_twenty_after_the_first(&mut self, validator: &Validator) {
        let inserted = timeout(Duration::from_secs(60), async {
            while validator.insert(2000).is_err() {
                tokio::task::yield_now().await;
            }
        });
        inserted.await.expect("the unit is free before long");
        self.hears(|event| *event == Event::Escrowed(TWENTY)).await;
    }
}

#[tokio::test]
async fn a_pulled_cable_returns_the_note_and_service_goes_on_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let port = dir.path().join("validator");
    let (config, options) = encrypted();
    let validator = Validator::spawn(&port, options).unwrap();
    let mut kiosk = Kiosk::start(&port, config);
    kiosk.is_ready().await;
    kiosk.holds_twenty(&validator).await;

    validator.set_fault(Fault::Unplugged, true);
    kiosk.hears(|event| *event == Event::LinkLost).await;
    assert!(!port.exists());
    validator.set_fault(Fault::Unplugged, false);
    let back = Event::Recovered { place: NotePlace::Customer, note: Some(TWENTY) };
    kiosk.hears(|event| *event == back).await;
    kiosk.is_ready().await;
    assert_eq!(validator.take_returned(), [2000]);
}

#[tokio::test]
async fn a_kiosk_that_comes_late_or_twice_finds_the_unit() {
    let dir = tempfile::tempdir().unwrap();
    let port = dir.path().join("validator");
    let (config, options) = encrypted();
    // Nothing is plugged in yet.
    let mut early = Kiosk::start(&port, config.clone());
    let validator = Validator::spawn(&port, options).unwrap();
    early.is_ready().await;
    early.holds_twenty(&validator).await;

    // Killed with the note in escrow: the next kiosk's first poll must not accept it.
    drop(early);
    let mut late = Kiosk::start(&port, config);
    late.is_ready().await;
    assert_eq!(validator.take_returned(), [2000]);
    assert!(validator.state().cash_box.is_empty());
}

#[tokio::test]
async fn power_cut_with_the_note_past_the_credit_point() {
    let dir = tempfile::tempdir().unwrap();
    let port = dir.path().join("validator");
    let (config, options) = encrypted();
    // It takes so long into the box that the cut surely falls before.
    let pace = Pace { stack: Duration::from_secs(600), ..Pace::FAST };
    let validator = Validator::spawn(&port, Options { pace, ..options }).unwrap();
    let mut kiosk = Kiosk::start(&port, config);
    kiosk.is_ready().await;
    kiosk.holds_twenty(&validator).await;
    kiosk.order(Command::Stack).await;
    kiosk.hears(|event| *event == Event::Stacked(TWENTY)).await;

    validator.set_fault(Fault::Power, true);
    validator.set_fault(Fault::Power, false);
    let found = Event::Recovered { place: NotePlace::CashUnit, note: Some(TWENTY) };
    kiosk.hears(|event| *event == found).await;
    kiosk.is_ready().await;
    assert_eq!(validator.state().cash_box, [(2000, 1)].into());
}
