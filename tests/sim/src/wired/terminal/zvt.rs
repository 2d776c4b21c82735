//! A terminal that speaks ZVT in the kiosk's network.

use std::collections::VecDeque;

use driver_api::payment_terminal::{Command, Event};
use driver_sim::terminal::{Fault, Firmware, Options, Transport};
use driver_zvt::{Config, Zvt};

use super::{Machine, Terminal, Tick, due, habits, ms, time};
use crate::kioskd::Input;
use crate::rng::Rng;
use crate::stage::Stage;
use crate::wired::link::Cable;
use crate::wired::{self, Due, Wired, plan};

/// The terminal, and its one connection.
pub struct Unit {
    machine: Machine<Firmware>,
    /// To be said.
    says: VecDeque<Vec<u8>>,
    is_connected: bool,
    /// Counts connections: the end of one is not that of the next.
    line: u32,
}

/// Until it notices that its till is gone.
const NOTICES_MS_MAX: u64 = 3_000;

/// Switched on, its log empty.
pub fn wired(mut rng: Rng) -> Wired<Unit> {
    let (pace, orphan) = habits(&mut rng);
    let firmware = Firmware::new(Options { transport: Transport::Tcp, orphan, pace });
    let machine = Machine::new(rng.clone(), firmware);
    let unit = Unit { machine, says: VecDeque::new(), is_connected: false, line: 0 };
    Wired::new(unit, Cable::Network, &rng)
}

impl Unit {
    fn hang_up(&mut self, stage: &mut Stage) {
        if std::mem::take(&mut self.is_connected) {
            self.says.clear();
            self.machine.firmware.connect(time(stage), false);
            self.machine.firmware.take_cut();
            self.machine.watch(stage);
        }
    }

    fn listen(&mut self) {
        self.says.extend(self.machine.firmware.take_output());
    }
}

impl Terminal for Unit {
    fn breaks(&mut self, fault: Fault, on: bool, stage: &mut Stage) {
        self.machine.breaks(fault, on, stage);
    }
}

impl wired::Unit for Unit {
    type Driver = Zvt;
    type Tick = Tick;

    fn due(tick: wired::Tick<Tick>) -> Due {
        due(tick)
    }

    fn driver(&mut self, _stage: &Stage) -> Zvt {
        Zvt::new(Config::tcp())
    }

    fn power(&mut self, on: bool, stage: &mut Stage) {
        self.machine.power(on, stage);
    }

    fn has_port(&self) -> bool {
        self.machine.is_reachable()
    }

    fn host_gone(&mut self, stage: &mut Stage) {
        let ms = self.machine.rng.below(NOTICES_MS_MAX);
        plan::<Self>(ms, Tick::HungUp(self.line), stage);
    }

    /// One till at a time.
    fn opened(&mut self, stage: &mut Stage) {
        self.hang_up(stage);
        self.line += 1;
        self.is_connected = true;
        self.machine.firmware.connect(time(stage), true);
    }

    fn closed(&mut self, stage: &mut Stage) {
        self.hang_up(stage);
    }

    fn advance(&mut self, stage: &mut Stage) {
        self.machine.advance(stage);
        self.listen();
    }

    fn deadline_ms(&self) -> Option<u64> {
        self.machine.firmware.deadline().map(ms)
    }

    fn happens(&mut self, tick: Tick, stage: &mut Stage) {
        match tick {
            Tick::Break(fault, on) => self.machine.breaks(fault, on, stage),
            Tick::HungUp(line) if line == self.line => self.hang_up(stage),
            Tick::HungUp(_) => {}
        }
    }

    fn receive(&mut self, bytes: &[u8], stage: &mut Stage) {
        self.machine.firmware.receive(time(stage), bytes);
        self.machine.watch(stage);
        self.listen();
    }

    fn poll_answer(&mut self, _stage: &mut Stage) -> Option<Vec<u8>> {
        self.says.pop_front()
    }

    fn passes(&mut self, stage: &mut Stage) {
        stage.frame_passes();
    }

    fn is_ordered(&mut self, command: &Command, stage: &mut Stage) {
        self.machine.is_ordered::<Self>(command, stage);
    }

    fn reports(&mut self, event: Event, _stage: &mut Stage) -> Input {
        Input::Terminal(event)
    }
}
