//! Rig B: the devices as firmware models that speak their bytes, over cables, to the real protocol
//! crates. A [`Unit`] is what differs between devices; [`Wired`] is what does not: the cable, the
//! port, and what `driver-host` does with threads, in virtual time.

pub mod ccid;
pub mod link;
pub mod pcsc;
pub mod printer;
pub mod reader;
pub mod terminal;
pub mod town;
pub mod validator;

use std::collections::VecDeque;
use std::fmt;

use domain::Mono;
use driver_api::{Link as State, Protocol};

use link::{Cable, Link, Way};

use crate::kioskd::Input;
use crate::rig::Device;
use crate::rng::Rng;
use crate::stage::{Happening, Stage};

/// Something of this rig that is due.
#[derive(Clone, Copy, Debug)]
pub enum Due {
    /// At the validator.
    Validator(Tick<validator::Tick>),
    /// At the card reader.
    Reader(Tick<reader::Tick>),
    /// At the receipt printer.
    Printer(Tick<printer::Tick>),
    /// At the bank-card terminal.
    Terminal(Tick<terminal::Tick>),
}

/// Something planned at one device.
#[derive(Clone, Copy, Debug)]
pub enum Tick<T> {
    /// Bytes arrive, motors stop, a driver wants to be woken.
    Wake,
    /// The cable is pulled, for so long.
    Unplug(u64),
    /// It is back in.
    Plug,
    /// The kioskd of this start tries to open its port.
    Open(u32),
    /// Inside it.
    Own(T),
}

/// A firmware model, the people who handle it, and the oracle that looks on.
pub trait Unit {
    /// Who speaks its protocol.
    type Driver: Protocol<Command: Clone, Event: fmt::Debug>;
    /// What is planned inside it.
    type Tick;

    /// Names it on the agenda.
    fn due(tick: Tick<Self::Tick>) -> Due;
    /// The driver of a kioskd that starts, as this unit is set up.
    fn driver(&mut self, stage: &Stage) -> Self::Driver;

    /// The cabinet's power.
    fn power(&mut self, on: bool, stage: &mut Stage);
    /// Is there a port to open? Some go with the power.
    fn has_port(&self) -> bool;
    /// kioskd is gone, and what it was told.
    fn host_gone(&mut self, stage: &mut Stage);
    /// A host opens its port.
    fn opened(&mut self, _stage: &mut Stage) {}
    /// The cable is pulled, or its port is gone.
    fn closed(&mut self, _stage: &mut Stage) {}

    /// Everything that was to happen inside until now.
    fn advance(&mut self, stage: &mut Stage);
    /// When more does.
    fn deadline_ms(&self) -> Option<u64>;
    /// Something planned inside it.
    fn happens(&mut self, tick: Self::Tick, stage: &mut Stage);

    /// What was sent in one piece, or a part of it, has arrived at either end.
    fn passes(&mut self, _stage: &mut Stage) {}
    /// Bytes of the driver.
    fn receive(&mut self, bytes: &[u8], stage: &mut Stage);
    /// What it says now.
    fn poll_answer(&mut self, stage: &mut Stage) -> Option<Vec<u8>>;
    /// The cable spoilt what the driver said.
    fn is_misled(&mut self, _stage: &mut Stage) {}

    /// The driver has got a command.
    fn is_ordered(&mut self, _command: &<Self::Driver as Protocol>::Command, _stage: &mut Stage) {}
    /// What the driver reports, on its way to kioskd.
    fn reports(&mut self, event: <Self::Driver as Protocol>::Event, stage: &mut Stage) -> Input;
}

/// Plans something inside a unit.
fn plan<U: Unit>(ms: u64, tick: U::Tick, stage: &mut Stage) {
    stage.after(ms, Happening::Wired(U::due(Tick::Own(tick))));
}

/// A unit, its cable, and the driver of the kioskd that runs.
pub struct Wired<U: Unit> {
    /// At the far end.
    pub unit: U,
    rng: Rng,
    link: Link,
    is_reachable: bool,
    host: Option<(u32, Host<U::Driver>)>,
    /// The earliest planned [`Tick::Wake`].
    wakes_at_ms: Option<u64>,
    /// Reports do not overtake each other.
    last_report_ms: u64,
}

/// A pulled cable is looked for by a driver so often at the least.
const LOOKS_MS_MAX: u64 = 3_000;

impl<U: Unit> Wired<U> {
    /// Switched on and plugged in; no kioskd yet.
    pub fn new(unit: U, cable: Cable, rng: &Rng) -> Self {
        Self {
            unit,
            rng: rng.split("host"),
            link: Link::new(cable, rng.split("cable")),
            is_reachable: true,
            host: None,
            wakes_at_ms: None,
            last_report_ms: 0,
        }
    }

    /// Somebody does something to the unit, and it has its consequences.
    pub fn operate<T>(
        &mut self,
        stage: &mut Stage,
        deed: impl FnOnce(&mut U, &mut Stage) -> T,
    ) -> T {
        self.go_on(stage);
        let result = deed(&mut self.unit, stage);
        self.go_on(stage);
        result
    }

    /// Something planned is due.
    pub fn happens(&mut self, tick: Tick<U::Tick>, stage: &mut Stage) {
        match tick {
            Tick::Wake if self.wakes_at_ms != Some(stage.now_ms) => return,
            Tick::Wake => self.wakes_at_ms = None,
            Tick::Unplug(ms) if self.link.is_plugged() => {
                stage.note("cable", format_args!("is pulled, for {ms} ms"));
                self.link.pull();
                stage.after(ms, Happening::Wired(U::due(Tick::Plug)));
            }
            Tick::Unplug(_) => {}
            Tick::Plug => self.link.plug(),
            Tick::Open(boot) => self.open(boot, stage),
            Tick::Own(tick) => self.unit.happens(tick, stage),
        }
        self.go_on(stage);
    }

    /// Everything that is due now, one thing after the other, each with its consequences.
    fn go_on(&mut self, stage: &mut Stage) {
        self.look_at_port(stage);
        loop {
            self.unit.advance(stage);
            while let Some(bytes) = self.unit.poll_answer(stage) {
                self.link.send(Way::ToHost, bytes, stage);
            }
            if let Some(bytes) = self.link.arrived(Way::ToDevice, stage.now_ms) {
                self.unit.passes(stage);
                self.unit.receive(&bytes, stage);
                continue;
            }
            let said = self.link.arrived(Way::ToHost, stage.now_ms);
            // Else it is said to nobody.
            let Some((_, host)) = &mut self.host else { break };
            if said.is_some() {
                self.unit.passes(stage);
            }
            let had_input = host.input(stage.now_ms, said);
            self.drain(stage);
            if !had_input {
                break;
            }
        }
        self.plan_wake(stage);
    }

    fn plan_wake(&mut self, stage: &mut Stage) {
        let host = self.host.as_ref().and_then(|(_, host)| host.deadline_ms());
        let next = [self.unit.deadline_ms(), host, self.link.next_at()];
        let Some(at) = next.into_iter().flatten().min() else { return };
        let at = at.max(stage.now_ms + 1);
        if self.wakes_at_ms.is_none_or(|planned| at < planned) {
            self.wakes_at_ms = Some(at);
            stage.at(at, Happening::Wired(U::due(Tick::Wake)));
        }
    }

    /// What the driver says: to the unit, and to kioskd.
    fn drain(&mut self, stage: &mut Stage) {
        let Some((boot, host)) = &mut self.host else { return };
        while let Some(bytes) = host.says() {
            if self.link.send(Way::ToDevice, bytes, stage) {
                self.unit.is_misled(stage);
            }
        }
        while let Some(event) = host.protocol.poll_event() {
            let input = self.unit.reports(event, stage);
            let at = self.last_report_ms.max(stage.now_ms + self.rng.between(1, 10));
            self.last_report_ms = at;
            stage.at(at, Happening::Input(*boot, input));
        }
    }

    // ---- the port

    fn look_at_port(&mut self, stage: &mut Stage) {
        let is_reachable = self.link.is_plugged() && self.unit.has_port();
        if std::mem::replace(&mut self.is_reachable, is_reachable) == is_reachable {
            return;
        }
        if is_reachable {
            return self.plan_open(LOOKS_MS_MAX, stage);
        }
        self.link.lose_all();
        self.unit.closed(stage);
        if let Some((_, host)) = &mut self.host {
            host.close(stage.now_ms);
        }
        self.drain(stage);
    }

    fn plan_open(&mut self, ms_max: u64, stage: &mut Stage) {
        if let Some((boot, _)) = self.host {
            let ms = self.rng.between(5, ms_max);
            stage.after(ms, Happening::Wired(U::due(Tick::Open(boot))));
        }
    }

    fn open(&mut self, boot: u32, stage: &mut Stage) {
        let host = self.host.as_mut().filter(|(of, _)| *of == boot && self.is_reachable);
        if let Some((_, host)) = host {
            self.unit.opened(stage);
            host.open(stage.now_ms);
            self.drain(stage);
        }
    }
}

impl<U: Unit> Device for Wired<U> {
    type Command = <U::Driver as Protocol>::Command;

    fn power_off(&mut self, stage: &mut Stage) {
        self.operate(stage, |unit, stage| unit.power(false, stage));
    }

    fn power_on(&mut self, stage: &mut Stage) {
        self.operate(stage, |unit, stage| unit.power(true, stage));
    }

    fn host_gone(&mut self, stage: &mut Stage) {
        self.host = None;
        self.link.host_gone();
        self.unit.host_gone(stage);
        self.plan_wake(stage);
    }

    fn host_there(&mut self, boot: u32, stage: &mut Stage) {
        self.host = Some((boot, Host::new(self.unit.driver(stage))));
        self.plan_open(50, stage);
    }

    fn command(&mut self, boot: u32, command: Self::Command, stage: &mut Stage) {
        if let Some((_, host)) = self.host.as_mut().filter(|(of, _)| *of == boot) {
            self.unit.is_ordered(&command, stage);
            host.command(stage.now_ms, command);
            self.drain(stage);
            self.go_on(stage);
        }
    }
}

/// A protocol at its port: one input, then what it says, as `driver-host` has it.
struct Host<P: Protocol> {
    protocol: P,
    is_open: bool,
    /// The first was refused as busy, and goes before those behind it.
    waiting: VecDeque<P::Command>,
    /// Not before this it is given another tick: it may ask for the past, and must not spin then.
    tick_from_ms: u64,
}

impl<P: Protocol<Command: Clone>> Host<P> {
    /// With its port closed.
    const fn new(protocol: P) -> Self {
        Self { protocol, is_open: false, waiting: VecDeque::new(), tick_from_ms: 0 }
    }

    /// The port opens.
    fn open(&mut self, now_ms: u64) {
        if !self.is_open {
            self.is_open = true;
            self.protocol.handle_link(Mono(now_ms), State::Up);
            self.offer(now_ms);
        }
    }

    /// The port is gone.
    fn close(&mut self, now_ms: u64) {
        if self.is_open {
            self.is_open = false;
            self.protocol.handle_link(Mono(now_ms), State::Down);
            self.offer(now_ms);
        }
    }

    /// A command of kioskd.
    fn command(&mut self, now_ms: u64, command: P::Command) {
        self.waiting.push_back(command);
        self.offer(now_ms);
    }

    fn offer(&mut self, now_ms: u64) {
        while let Some(command) = self.waiting.front()
            && self.protocol.handle_command(Mono(now_ms), command.clone()).is_ok()
        {
            self.waiting.pop_front();
        }
    }

    /// Takes what has arrived, or the time that has come; `false` = there was neither.
    fn input(&mut self, now_ms: u64, said: Option<Vec<u8>>) -> bool {
        if let Some(bytes) = said.filter(|_| self.is_open) {
            self.protocol.handle_bytes(Mono(now_ms), &bytes);
        } else if self.deadline_ms().is_some_and(|at| at <= now_ms) {
            self.tick_from_ms = now_ms + 1;
            self.protocol.handle_timeout(Mono(now_ms));
        } else {
            return false;
        }
        self.offer(now_ms);
        true
    }

    /// The next bytes for the cable; what is said to a closed port is lost.
    fn says(&mut self) -> Option<Vec<u8>> {
        loop {
            let frame = self.protocol.poll_write()?;
            if self.is_open {
                return Some(frame.bytes);
            }
        }
    }

    /// When it wants to be woken.
    fn deadline_ms(&self) -> Option<u64> {
        self.protocol.poll_timeout().map(|(at, _)| at.0.max(self.tick_from_ms))
    }
}
