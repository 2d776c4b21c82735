//! A town with cards, a reader, a pcscd and the driver.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use domain::{CardNumber, CardRefKey, Uid};
use driver_api::card_reader::{Command, Event};
use driver_mifare::{
    CardKeys, CardMasterKey, Identity, NetworkCode, SectorKeys, Verifier, personalise,
};
use driver_pcsc::{Config, Reader as Driver};
use driver_sim::card::Card;
use driver_sim::pcscd::{Pcscd, ReaderEntry, VPCD_LIBRARY, find_ifd_library};
use driver_sim::reader::{IfdServer, Model, Reader};
use driver_sim::vpcd::VpcdCaller;
use ed25519_dalek::SigningKey;
use tokio::sync::mpsc;
use tokio::time::timeout;

pub(crate) type Story = fn(Rig) -> Pin<Box<dyn Future<Output = ()>>>;

pub(crate) fn run(story: Story) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { story(Rig::new().await).await });
    // The driver's threads end by themselves; nobody waits for a hung one.
    runtime.shutdown_background();
}

pub(crate) struct Rig {
    pub(crate) reader: Reader,
    pub(crate) pcscd: Option<Pcscd>,
    pub(crate) driver: Option<Driver>,
    pub(crate) model: Model,
    pub(crate) call_time_max: Duration,
    events: mpsc::Receiver<Event>,
    events_in: mpsc::Sender<Event>,
    dir: tempfile::TempDir,
    _server: IfdServer,
}

/// Nothing takes longer unless it never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Shorter than any reader's own, so that a story about a hung one is short.
const CALL_TIME_MAX: Duration = Duration::from_secs(3);

impl Rig {
    /// Reader and pcscd run, the driver does not yet.
    pub(crate) async fn new() -> Self {
        Self::with_reader(Model::Acr1252u).await
    }

    pub(crate) async fn with_reader(model: Model) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let reader = Reader::new(model);
        let server = reader.serve_ifd(dir.path().join("ifd.sock")).unwrap();
        let (events_in, events) = mpsc::channel(16);
        let mut rig = Self {
            reader,
            pcscd: None,
            driver: None,
            model,
            call_time_max: CALL_TIME_MAX,
            events,
            events_in,
            dir,
            _server: server,
        };
        rig.start_pcscd().await;
        rig
    }

    pub(crate) fn entry(&self) -> ReaderEntry {
        let library = find_ifd_library().expect("cargo built the IFD handler beside this test");
        ReaderEntry::virtual_reader(
            self.model.pcsc_name(),
            library,
            &self.dir.path().join("ifd.sock"),
        )
    }

    pub(crate) async fn start_pcscd(&mut self) {
        self.start_pcscd_with(&[self.entry()]).await;
    }

    pub(crate) async fn start_pcscd_with(&mut self, readers: &[ReaderEntry]) {
        self.pcscd = Some(Pcscd::start(self.dir.path(), readers).await.unwrap());
    }

    pub(crate) async fn kill_pcscd(&mut self) {
        self.pcscd.take().unwrap().kill().await.unwrap();
    }

    /// The same reader behind Debian's vpcd, if that is installed.
    pub(crate) async fn change_to_vpcd(&mut self) -> Option<VpcdCaller> {
        if !Path::new(VPCD_LIBRARY).exists() {
            println!("SKIPPED: no vpcd (Debian: vsmartcard-vpcd)");
            return None;
        }
        let port = free_ports();
        self.kill_pcscd().await;
        self.start_pcscd_with(&[ReaderEntry::vpcd(VPCD_NAME, port)]).await;
        Some(VpcdCaller::start(self.reader.clone(), ([127, 0, 0, 1], port).into()))
    }

    /// Starts the driver for the reader of this name.
    pub(crate) fn start_driver(&mut self, reader: &str) {
        let config = Config {
            reader: reader.to_owned(),
            verifier: town(),
            call_time_max: self.call_time_max,
        };
        self.driver = Some(driver_pcsc::spawn(config, self.events_in.clone()));
    }

    /// The driver, ready and armed.
    pub(crate) async fn armed(mut self) -> Self {
        self.start_driver(self.model.pcsc_name());
        self.expect(Event::Ready).await;
        self.arm();
        self
    }

    pub(crate) fn arm(&self) {
        self.driver.as_ref().unwrap().command(Command::Arm);
    }

    pub(crate) fn disarm(&self) {
        self.driver.as_ref().unwrap().command(Command::Disarm);
    }

    pub(crate) async fn event(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("an event comes")
            .expect("the driver lives")
    }

    pub(crate) async fn expect(&mut self, event: Event) {
        assert_eq!(self.event().await, event);
    }

    /// Expects the genuine card of this serial.
    pub(crate) async fn expect_card(&mut self, serial: u32) {
        match self.event().await {
            Event::Presented(card) => assert_eq!(card.number.reveal().serial(), serial),
            other => panic!("expected card {serial}, got {other:?}"),
        }
    }

    /// Until pcscd has counted this many insertions and removals.
    pub(crate) fn wait_for_changes(&self, count: u32) {
        let context = pcsc::Context::establish(pcsc::Scope::System).unwrap();
        let name = context.list_readers_owned().unwrap().remove(0);
        let mut states = [pcsc::ReaderState::new(name, pcsc::State::UNAWARE)];
        while states[0].event_count() < count {
            states[0].sync_current_state();
            context.get_status_change(PATIENCE, &mut states).unwrap();
        }
    }

    /// Nothing was reported so far.
    pub(crate) fn expect_silence(&mut self) {
        assert_eq!(self.events.try_recv().ok(), None);
    }
}

pub(crate) const VPCD_NAME: &str = "Foreign Reader";

/// The first of two neighbours, as vpcd takes this one and the next. Of those that Linux gives no
/// caller: a port from which somebody called is not free for a minute after the call.
fn free_ports() -> u16 {
    let is_free = |port| TcpListener::bind(("0.0.0.0", port)).is_ok();
    (20_000..30_000).step_by(2).find(|&port| is_free(port) && is_free(port + 1)).unwrap()
}

const NETWORK: NetworkCode = NetworkCode(7);

fn town() -> Verifier {
    let keys = BTreeMap::from([(1, SigningKey::from_bytes(&[1; 32]).verifying_key())]);
    Verifier { keys: CardKeys::new(NETWORK, keys), card_ref_key: CardRefKey([3; 32]) }
}

/// A citizen's card of this town.
pub(crate) fn citizen(serial: u32) -> Card {
    signed_by(&SigningKey::from_bytes(&[1; 32]), NETWORK, serial)
}

/// A card of this town that somebody else signed.
pub(crate) fn forged(serial: u32) -> Card {
    signed_by(&SigningKey::from_bytes(&[2; 32]), NETWORK, serial)
}

/// A card of the next town.
pub(crate) fn neighbour(serial: u32) -> Card {
    signed_by(&SigningKey::from_bytes(&[2; 32]), NetworkCode(8), serial)
}

fn signed_by(key: &SigningKey, network: NetworkCode, serial: u32) -> Card {
    let uid = Uid(serial.to_be_bytes());
    let identity = Identity {
        network,
        key_version: 1,
        number: CardNumber::from_serial(serial).unwrap(),
        issue: 1,
        issued_day: 20_000,
        expires_day: 23_650,
    };
    let keys = SectorKeys::of_card(&CardMasterKey([9; 16]), network, uid);
    Card::classic(personalise(uid, &identity, key, &keys).0)
}
