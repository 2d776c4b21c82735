//! The devices: each driver in its loop, its events on their way to the core.

use std::fs;
use std::io::Read as _;

use anyhow::Context as _;
use domain::CardRefKey;
use driver_api::{acceptor, card_reader, payment_terminal, printer};
use driver_host::{HttpsLine, SerialLine, TcpLine};
use driver_mifare::{CardKeys, Verifier};
use driver_nexo::Nexo;
use driver_ssp::{Encryption, Ssp};
use driver_zvt::Zvt;
use kiosk_core::Event;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::config::{
    Acceptor, AcceptorProtocol, Config, Printer, Reader, Terminal, TerminalProtocol, ZvtLine,
};
use crate::core_loop::Input;

/// Between a driver and the core: a few events at a time, the driver waits for the rest.
const EVENTS_MAX: usize = 32;

/// Serial speed of SSP units [GA973 §3].
const SSP_BAUD: u32 = 9_600;

/// Usual speed of serial receipt printers; USB ones ignore it.
const PRINTER_BAUD: u32 = 115_200;

/// Usual speed of serial ZVT terminals.
const ZVT_BAUD: u32 = 115_200;

/// Where terminals take nexo messages.
const NEXO_PATH: &str = "/nexo";

/// What tells a genuine card.
pub(crate) struct Cards {
    keys: CardKeys,
    card_ref_key: CardRefKey,
}

impl Cards {
    pub(crate) fn of(config: &Config) -> anyhow::Result<Self> {
        Ok(Self { keys: config.card_keys()?, card_ref_key: config.card_ref_key()? })
    }
}

pub(crate) async fn acceptor(
    config: Acceptor,
    commands: mpsc::Receiver<acceptor::Command>,
    inputs: mpsc::Sender<Input>,
) -> anyhow::Result<()> {
    let (events, received) = mpsc::channel(EVENTS_MAX);
    let run = async {
        match config.protocol {
            AcceptorProtocol::Ssp => {
                let unit = if config.encrypted {
                    let (fixed_key, seed) = (config.fixed_key()?, random_seed()?);
                    driver_ssp::Config::encrypted(Encryption { fixed_key, seed })
                } else {
                    driver_ssp::Config::plain()
                };
                let line = SerialLine::new(config.port, SSP_BAUD).two_stop_bits();
                driver_host::drive(Ssp::new(unit), line, commands, events).await;
            }
        }
        anyhow::Ok(())
    };
    let (end, ()) = tokio::join!(run, forward(received, inputs, Event::Acceptor));
    end
}

pub(crate) async fn printer(
    config: Printer,
    commands: mpsc::Receiver<printer::Command>,
    inputs: mpsc::Sender<Input>,
) -> anyhow::Result<()> {
    let (events, received) = mpsc::channel(EVENTS_MAX);
    let line = SerialLine::new(config.port, PRINTER_BAUD);
    let protocol = driver_escpos::Printer::new(driver_escpos::Config::default());
    let run = driver_host::drive(protocol, line, commands, events);
    tokio::join!(run, forward(received, inputs, Event::Printer));
    Ok(())
}

pub(crate) async fn reader(
    config: Reader,
    cards: Cards,
    mut commands: mpsc::Receiver<card_reader::Command>,
    inputs: mpsc::Sender<Input>,
) -> anyhow::Result<()> {
    let (events, received) = mpsc::channel(EVENTS_MAX);
    let verifier = Verifier { keys: cards.keys, card_ref_key: cards.card_ref_key };
    let config = driver_pcsc::Config {
        reader: config.name,
        verifier,
        call_time_max: driver_pcsc::Config::CALL_TIME_MAX,
    };
    let reader = driver_pcsc::spawn(config, events);
    let relay = async move {
        while let Some(command) = commands.recv().await {
            reader.command(command);
        }
    };
    tokio::join!(relay, forward(received, inputs, Event::Reader));
    Ok(())
}

pub(crate) async fn terminal(
    config: Terminal,
    sale_id: String,
    clock: Clock,
    commands: mpsc::Receiver<payment_terminal::Command>,
    inputs: mpsc::Sender<Input>,
) -> anyhow::Result<()> {
    let (events, received) = mpsc::channel(EVENTS_MAX);
    let run = async {
        match config.protocol {
            TerminalProtocol::Zvt => {
                let zvt = config.zvt.context("the configuration was checked")?;
                let password = zvt.password;
                match zvt.line().map_err(anyhow::Error::msg)? {
                    ZvtLine::Address(address) => {
                        let unit = driver_zvt::Config { password, ..driver_zvt::Config::tcp() };
                        let line = TcpLine::new(address);
                        driver_host::drive(Zvt::new(unit), line, commands, events).await;
                    }
                    ZvtLine::Port(port) => {
                        let unit = driver_zvt::Config { password, ..driver_zvt::Config::serial() };
                        let line = SerialLine::new(port, ZVT_BAUD).two_stop_bits();
                        driver_host::drive(Zvt::new(unit), line, commands, events).await;
                    }
                }
            }
            TerminalProtocol::Nexo => {
                let nexo = config.nexo.context("the configuration was checked")?;
                let line = HttpsLine::new(&nexo.address, NEXO_PATH, &nexo.trust()?)?;
                let unit = driver_nexo::Config {
                    poi_id: nexo.poi_id.clone(),
                    sale_id,
                    key: nexo.key()?,
                    seed: random_seed()?,
                    started: clock.now().wall,
                    timing: driver_nexo::Timing::default(),
                };
                driver_host::drive(Nexo::new(unit), line, commands, events).await;
            }
        }
        anyhow::Ok(())
    };
    let (end, ()) = tokio::join!(run, forward(received, inputs, Event::Terminal));
    end
}

/// Until the driver or the core is gone.
async fn forward<E>(
    mut from: mpsc::Receiver<E>,
    to: mpsc::Sender<Input>,
    wrap: impl Fn(E) -> Event,
) {
    while let Some(event) = from.recv().await {
        if to.send(Input::Event(wrap(event))).await.is_err() {
            return;
        }
    }
}

fn random_seed<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut seed = [0; N];
    let mut source = fs::File::open("/dev/urandom").context("the system's randomness")?;
    source.read_exact(&mut seed).context("the system's randomness")?;
    Ok(seed)
}
