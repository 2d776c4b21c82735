use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use domain::Wall;
use driver_api::exchange::{NoAnswer, Reply, Request};
use driver_api::{Link, Protocol};
use driver_nexo::{Config, Key, Nexo, Timing};
use driver_sim::terminal::nexo::{Firmware, Options};
use driver_sim::terminal::{Cardholder, Charge, Fault};

use crate::till::{self, Line};

/// Both sides stretch their passphrase once for all tests.
static KEY: LazyLock<Key> = LazyLock::new(|| {
    let Options { key_identifier, key_version, passphrase, .. } = Options::default();
    Key::new(key_identifier, key_version, &passphrase)
});
static FIRMWARE: LazyLock<Firmware> = LazyLock::new(|| Firmware::new(Options::default()));

pub(crate) type Rig = till::Rig<Network>;

/// The terminal, and connections to it that someone makes for the driver.
pub(crate) struct Network {
    pub(crate) terminal: Firmware,
    /// Connections, and until when the till waits for their answer.
    open: BTreeMap<u32, Duration>,
}

pub(crate) fn rig(options: Options) -> Rig {
    let terminal = Firmware::like(&FIRMWARE, options);
    Rig::on(Network { terminal, open: BTreeMap::new() })
}

pub(crate) fn rig_with(cardholder: Cardholder) -> Rig {
    let mut rig = rig(Options::default());
    rig.line.terminal.set_cardholder(cardholder);
    rig
}

impl Line for Network {
    type Driver = Nexo;

    fn driver(&self, starts: u8) -> Nexo {
        Nexo::new(Config {
            poi_id: Options::default().poi_id,
            sale_id: "marchamalo-1".to_owned(),
            key: KEY.clone(),
            seed: [starts; 32],
            started: Wall { utc_ms: 1_795_262_400_000, offset_min: 60 },
            timing: Timing::default(),
        })
    }

    fn set_fault(&mut self, now: Duration, fault: Fault, on: bool) {
        self.terminal.set_fault(now, fault, on);
    }

    fn charges(&self) -> &[Charge] {
        self.terminal.charges()
    }

    fn deadline(&self) -> Option<Duration> {
        let impatient = self.open.values().copied().min();
        self.terminal.deadline().into_iter().chain(impatient).min()
    }

    fn advance(rig: &mut Rig) {
        rig.line.terminal.advance(rig.now);
        Self::exchange(rig);
        let open = rig.line.open.iter();
        let late: Vec<u32> =
            open.filter(|(_, at)| **at <= rig.now).map(|(whose, _)| *whose).collect();
        late.into_iter().for_each(|connection| lose(rig, connection));
    }

    fn exchange(rig: &mut Rig) {
        loop {
            rig.collect();
            if let Some(mut frame) = rig.driver.poll_write() {
                assert!(frame.secret, "what may name a card is not recorded");
                let request = Request::decode(&mut frame.bytes).expect("frames are whole");
                connect(rig, &request);
                continue;
            }
            let Network { terminal, open } = &mut rig.line;
            let said = open.keys().find_map(|connection| {
                terminal.take_answer((*connection).into()).map(|body| (*connection, body))
            });
            match said {
                Some((connection, body)) => answered(rig, connection, body),
                None => return,
            }
        }
    }

    fn cut(rig: &mut Rig) {
        let open: Vec<u32> = rig.line.open.keys().copied().collect();
        open.into_iter().for_each(|connection| lose(rig, connection));
    }

    fn till_dies(rig: &mut Rig) {
        for connection in std::mem::take(&mut rig.line.open).into_keys() {
            rig.line.terminal.hang_up(rig.now, connection.into());
        }
    }

    fn till_starts(rig: &mut Rig) {
        rig.driver.handle_link(rig.mono(), Link::Up);
    }
}

/// Whoever makes the connections reports that this one brought no answer.
fn lose(rig: &mut Rig, connection: u32) {
    rig.line.open.remove(&connection);
    rig.line.terminal.hang_up(rig.now, connection.into());
    reply(rig, connection, Err(NoAnswer::Lost));
}

pub(crate) fn reply(rig: &mut Rig, exchange: u32, outcome: Result<Vec<u8>, NoAnswer>) {
    let reply = Reply { exchange, outcome };
    rig.driver.handle_bytes(rig.mono(), &reply.encode());
    rig.collect();
}

fn connect(rig: &mut Rig, request: &Request) {
    let header = String::from_utf8_lossy(&request.body).into_owned();
    let moves = ["Payment", "Reversal"];
    let moves = moves.map(|kind| format!("\"MessageCategory\":\"{kind}\""));
    if !rig.line.terminal.is_reachable() {
        return reply(rig, request.exchange, Err(NoAnswer::NotSent));
    }
    rig.moved += usize::from(moves.iter().any(|kind| header.contains(kind)));
    rig.line.open.insert(request.exchange, rig.now + request.patience);
    if !rig.next_is_lost() {
        rig.line.terminal.request(rig.now, request.exchange.into(), &request.body);
    }
    rig.pass();
}

fn answered(rig: &mut Rig, connection: u32, body: Vec<u8>) {
    if rig.next_is_lost() {
        return rig.pass();
    }
    rig.line.open.remove(&connection);
    reply(rig, connection, Ok(body.clone()));
    if rig.line.terminal.is_repeating() {
        reply(rig, connection, Ok(body));
    }
    rig.pass();
}
