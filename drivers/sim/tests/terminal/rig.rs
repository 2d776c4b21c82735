use std::time::Duration;

use driver_api::{Link, Protocol};
use driver_sim::terminal::{Cardholder, Charge, Fault, Firmware, Options, Transport};
use driver_zvt::{Config, Zvt};

use crate::till::{self, Line};

pub(crate) type Rig = till::Rig<Cable>;

/// The terminal, and the line to it: back a second after it was cut.
pub(crate) struct Cable {
    pub(crate) terminal: Firmware,
    config: Config,
    is_up: bool,
    reconnect_at: Option<Duration>,
}

pub(crate) fn rig(options: Options) -> Rig {
    let config = match options.transport {
        Transport::Tcp => Config::tcp(),
        Transport::Serial => Config::serial(),
    };
    let terminal = Firmware::new(options);
    Rig::on(Cable { terminal, config, is_up: false, reconnect_at: Some(Duration::ZERO) })
}

pub(crate) fn rig_with(cardholder: Cardholder) -> Rig {
    let mut rig = rig(Options::default());
    rig.line.terminal.set_cardholder(cardholder);
    rig
}

const RECONNECT: Duration = Duration::from_secs(1);

impl Line for Cable {
    type Driver = Zvt;

    fn driver(&self, _starts: u8) -> Zvt {
        Zvt::new(self.config.clone())
    }

    fn set_fault(&mut self, now: Duration, fault: Fault, on: bool) {
        self.terminal.set_fault(now, fault, on);
    }

    fn charges(&self) -> &[Charge] {
        self.terminal.charges()
    }

    fn deadline(&self) -> Option<Duration> {
        self.terminal.deadline().into_iter().chain(self.reconnect_at).min()
    }

    fn advance(rig: &mut Rig) {
        rig.line.terminal.advance(rig.now);
        if rig.line.reconnect_at.is_some_and(|at| at <= rig.now) {
            rig.line.reconnect_at = Some(rig.now + RECONNECT);
            if rig.line.terminal.is_reachable() {
                rig.line.reconnect_at = None;
                rig.line.is_up = true;
                rig.line.terminal.connect(rig.now, true);
                rig.driver.handle_link(rig.mono(), Link::Up);
            }
        }
    }

    fn exchange(rig: &mut Rig) {
        loop {
            rig.collect();
            if let Some(frame) = rig.driver.poll_write() {
                rig.moved += usize::from(moves_value(&frame.bytes));
                rig.line.terminal.receive(rig.now, &frame.bytes);
                rig.pass();
                continue;
            }
            let output = rig.line.terminal.take_output();
            let is_quiet = output.is_empty();
            for bytes in output {
                if rig.line.is_up {
                    rig.driver.handle_bytes(rig.mono(), &bytes);
                    rig.collect();
                    rig.pass();
                }
            }
            if rig.line.terminal.take_cut() {
                Self::cut(rig);
            } else if is_quiet {
                return;
            }
        }
    }

    fn cut(rig: &mut Rig) {
        if rig.line.is_up {
            rig.line.is_up = false;
            rig.line.reconnect_at = Some(rig.now + RECONNECT);
            rig.line.terminal.connect(rig.now, false);
            rig.driver.handle_link(rig.mono(), Link::Down);
        }
    }

    fn till_dies(rig: &mut Rig) {
        Self::cut(rig);
    }

    fn till_starts(_rig: &mut Rig) {
        // It opens the line when it is there again.
    }
}

/// An authorisation or a reversal, on whichever transport.
fn moves_value(frame: &[u8]) -> bool {
    let at = if frame.first() == Some(&0x10) { 2 } else { 0 };
    matches!(frame.get(at..at + 2), Some([0x06, 0x01 | 0x30]))
}
