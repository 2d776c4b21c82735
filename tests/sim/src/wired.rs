//! Rig B: the devices as firmware models that speak their bytes, over cables, to the real protocol
//! crates. What `driver-host` does with threads and ports, [`Host`] does in virtual time.

pub mod link;
pub mod validator;

use domain::Mono;
use driver_api::{Busy, Link as State, Protocol};

use link::{Link, Way};

use crate::stage::Stage;

/// Something of this rig that is due.
#[derive(Clone, Copy, Debug)]
pub enum Due {
    /// At the validator.
    Validator(validator::Tick),
}

/// A protocol at its port: one input, then what it says, as `driver-host` has it.
pub struct Host<P: Protocol> {
    protocol: P,
    is_open: bool,
    /// Not before this it is given another tick: it may ask for the past, and must not spin then.
    tick_from_ms: u64,
}

impl<P: Protocol> Host<P> {
    /// With its port closed.
    pub const fn new(protocol: P) -> Self {
        Self { protocol, is_open: false, tick_from_ms: 0 }
    }

    /// The port opens.
    pub fn open(&mut self, now_ms: u64) {
        if !self.is_open {
            self.is_open = true;
            self.protocol.handle_link(Mono(now_ms), State::Up);
        }
    }

    /// The port is gone.
    pub fn close(&mut self, now_ms: u64) {
        if self.is_open {
            self.is_open = false;
            self.protocol.handle_link(Mono(now_ms), State::Down);
        }
    }

    /// A command of kioskd, unless it is in the middle of something.
    pub fn command(&mut self, now_ms: u64, command: P::Command) -> Result<(), Busy> {
        self.protocol.handle_command(Mono(now_ms), command)
    }

    /// Takes what has arrived, or the time that has come; `false` = there was neither.
    pub fn input(&mut self, now_ms: u64, link: &mut Link) -> bool {
        if let Some(bytes) = link.arrived(Way::ToHost, now_ms).filter(|_| self.is_open) {
            self.protocol.handle_bytes(Mono(now_ms), &bytes);
            return true;
        }
        if self.deadline_ms().is_some_and(|at| at <= now_ms) {
            self.tick_from_ms = now_ms + 1;
            self.protocol.handle_timeout(Mono(now_ms));
            return true;
        }
        false
    }

    /// Puts what it says on the cable.
    pub fn speak(&mut self, link: &mut Link, stage: &mut Stage) {
        while let Some(frame) = self.protocol.poll_write() {
            if self.is_open {
                link.send(Way::ToDevice, stage.now_ms, frame.bytes, stage);
            }
        }
    }

    /// The next thing it reports.
    pub fn event(&mut self) -> Option<P::Event> {
        self.protocol.poll_event()
    }

    /// When it wants to be woken.
    pub fn deadline_ms(&self) -> Option<u64> {
        self.protocol.poll_timeout().map(|(at, _)| at.0.max(self.tick_from_ms))
    }
}
