//! A terminal that speaks nexo in the kiosk's network. The driver's line ends in kioskd itself, at
//! whoever makes the connections (`driver-host`'s `HttpsLine`): each request takes one of its own,
//! and is lost with it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use driver_api::exchange::{NoAnswer, Reply, Request};
use driver_api::payment_terminal::{Command, Event};
use driver_nexo::{Config, Key, Nexo, Timing};
use driver_sim::terminal::Fault;
use driver_sim::terminal::nexo::{Firmware, Options};

use super::{Machine, Terminal, Tick, due, habits, ms, time};
use crate::kioskd::Input;
use crate::rng::Rng;
use crate::stage::Stage;
use crate::wired::link::Cable;
use crate::wired::{self, Due, Wired};

/// The terminal, the network, and the connections.
pub struct Unit {
    machine: Machine<Firmware>,
    /// From the driver, up to the middle of a request.
    received: Vec<u8>,
    /// For the driver.
    replies: Vec<Reply>,
    /// By their number, which is never used twice.
    connections: BTreeMap<u64, Connection>,
    opened: u64,
}

/// One request, and its answer.
struct Connection {
    /// Names it to the driver; `None` = the kioskd that made it is no more.
    exchange: Option<u32>,
    /// The till waits until then.
    until_ms: u64,
    on_the_way: Option<(u64, Packet)>,
}

#[derive(Clone)]
enum Packet {
    Request(Vec<u8>),
    Answer(Vec<u8>),
}

/// Both sides stretch their passphrase once for all worlds.
static KEY: LazyLock<Key> = LazyLock::new(|| {
    let Options { key_identifier, key_version, passphrase, .. } = Options::default();
    Key::new(key_identifier, key_version, &passphrase)
});
static FIRMWARE: LazyLock<Firmware> = LazyLock::new(|| Firmware::new(Options::default()));

/// A packet that is sent again and again: up to past the patience of most requests.
const HICCUP_MS_MAX: u64 = 12_000;

/// What a dead process had written arrives by then, or never.
const UNDELIVERED_MS_MAX: u64 = 10_000;

/// Switched on, its log empty.
pub fn wired(mut rng: Rng) -> Wired<Unit> {
    let (pace, orphan) = habits(&mut rng);
    let firmware = Firmware::like(&FIRMWARE, Options { orphan, pace, ..Options::default() });
    let unit = Unit {
        machine: Machine::new(rng.clone(), firmware),
        received: Vec::new(),
        replies: Vec::new(),
        connections: BTreeMap::new(),
        opened: 0,
    };
    Wired::new(unit, Cable::Memory, &rng)
}

impl Unit {
    fn connect(&mut self, request: Request, stage: &mut Stage) {
        let Request { exchange, patience, body } = request;
        if !self.machine.is_reachable() {
            self.replies.push(Reply { exchange, outcome: Err(NoAnswer::NotSent) });
            return;
        }
        self.opened += 1;
        let at = stage.now_ms + self.delay(stage);
        let connection = Connection {
            exchange: Some(exchange),
            until_ms: stage.now_ms + ms(patience),
            on_the_way: Some((at, Packet::Request(body))),
        };
        self.connections.insert(self.opened, connection);
    }

    fn delay(&mut self, stage: &Stage) -> u64 {
        let ms = self.machine.rng.between(1, 20);
        match self.machine.rng.chance(stage.faults.wire_hiccups) {
            true => ms + self.machine.rng.between(100, HICCUP_MS_MAX),
            false => ms,
        }
    }

    /// The connection ends without an answer.
    fn lose(&mut self, number: u64, stage: &mut Stage) {
        let Some(connection) = self.connections.remove(&number) else { return };
        self.machine.firmware.hang_up(time(stage), number);
        if let Some(exchange) = connection.exchange {
            self.replies.push(Reply { exchange, outcome: Err(NoAnswer::Lost) });
        }
    }

    fn lose_all(&mut self, stage: &mut Stage) {
        let open: Vec<u64> = self.connections.keys().copied().collect();
        open.into_iter().for_each(|number| self.lose(number, stage));
    }

    fn arrives(&mut self, number: u64, packet: Packet, stage: &mut Stage) {
        stage.frame_passes();
        match packet {
            Packet::Request(body) => {
                self.machine.firmware.request(time(stage), number, &body);
                // A dead process has closed it behind what it wrote.
                if self.connections.get(&number).is_some_and(|it| it.exchange.is_none()) {
                    self.lose(number, stage);
                }
            }
            Packet::Answer(body) => {
                let connection = self.connections.remove(&number);
                self.machine.firmware.hang_up(time(stage), number);
                let Some(exchange) = connection.and_then(|it| it.exchange) else { return };
                let again = self.machine.firmware.is_repeating();
                let reply = Reply { exchange, outcome: Ok(body) };
                self.replies.extend(again.then(|| reply.clone()));
                self.replies.push(reply);
            }
        }
    }

    /// The terminal's answers begin their way.
    fn listen(&mut self, stage: &Stage) {
        let open: Vec<u64> = self.connections.keys().copied().collect();
        for number in open {
            let Some(body) = self.machine.firmware.take_answer(number) else { continue };
            let at = stage.now_ms + self.delay(stage);
            if let Some(connection) = self.connections.get_mut(&number) {
                connection.on_the_way = Some((at, Packet::Answer(body)));
            }
        }
    }
}

impl Terminal for Unit {
    fn breaks(&mut self, fault: Fault, on: bool, stage: &mut Stage) {
        self.machine.breaks(fault, on, stage);
        if !self.machine.is_reachable() {
            self.lose_all(stage);
        }
    }
}

impl wired::Unit for Unit {
    type Driver = Nexo;
    type Tick = Tick;

    fn due(tick: wired::Tick<Tick>) -> Due {
        due(tick)
    }

    fn driver(&mut self, stage: &Stage) -> Nexo {
        Nexo::new(Config {
            poi_id: Options::default().poi_id,
            sale_id: "vilanova-1".to_owned(),
            key: KEY.clone(),
            seed: std::array::from_fn(|_| self.machine.rng.byte()),
            started: stage.kiosk_wall(),
            timing: Timing::default(),
        })
    }

    fn power(&mut self, on: bool, stage: &mut Stage) {
        self.machine.power(on, stage);
        if !on {
            self.lose_all(stage);
        }
    }

    /// It is in kioskd.
    fn has_port(&self) -> bool {
        true
    }

    fn host_gone(&mut self, stage: &mut Stage) {
        self.received.clear();
        self.replies.clear();
        let open: Vec<u64> = self.connections.keys().copied().collect();
        for number in open {
            let arrives = self.machine.rng.coin();
            let rest_ms = self.machine.rng.below(UNDELIVERED_MS_MAX);
            let Some(connection) = self.connections.get_mut(&number) else { continue };
            connection.exchange = None;
            match &mut connection.on_the_way {
                Some((at, Packet::Request(_))) if arrives => *at = stage.now_ms + rest_ms,
                Some(_) | None => self.lose(number, stage),
            }
        }
    }

    fn advance(&mut self, stage: &mut Stage) {
        self.machine.advance(stage);
        self.listen(stage);
        let now_ms = stage.now_ms;
        let mut arrived = Vec::new();
        for (number, connection) in &mut self.connections {
            let packet = connection.on_the_way.take_if(|(at, _)| *at <= now_ms);
            arrived.extend(packet.map(|(_, packet)| (*number, packet)));
        }
        for (number, packet) in arrived {
            self.arrives(number, packet, stage);
            self.machine.watch(stage);
        }
        let late = self.connections.iter().filter(|(_, it)| it.until_ms <= now_ms);
        let late: Vec<u64> = late.map(|(number, _)| *number).collect();
        late.into_iter().for_each(|number| self.lose(number, stage));
        self.machine.watch(stage);
        self.listen(stage);
    }

    fn deadline_ms(&self) -> Option<u64> {
        let connections = self.connections.values().map(|it| match &it.on_the_way {
            Some((at, _)) => it.until_ms.min(*at),
            None => it.until_ms,
        });
        connections.chain(self.machine.firmware.deadline().map(ms)).min()
    }

    fn happens(&mut self, tick: Tick, stage: &mut Stage) {
        match tick {
            Tick::Break(fault, on) => self.breaks(fault, on, stage),
            // Each connection tells by itself.
            Tick::HungUp(_) => {}
        }
    }

    fn receive(&mut self, bytes: &[u8], stage: &mut Stage) {
        self.received.extend(bytes);
        while let Some(request) = Request::decode(&mut self.received) {
            self.connect(request, stage);
        }
    }

    fn poll_answer(&mut self, _stage: &mut Stage) -> Option<Vec<u8>> {
        (!self.replies.is_empty()).then(|| self.replies.remove(0).encode())
    }

    fn is_ordered(&mut self, command: &Command, stage: &mut Stage) {
        self.machine.is_ordered::<Self>(command, stage);
    }

    fn reports(&mut self, event: Event, _stage: &mut Stage) -> Input {
        Input::Terminal(event)
    }
}
