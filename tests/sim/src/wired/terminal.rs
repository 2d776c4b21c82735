//! A bank-card terminal over ZVT or nexo: the firmware models, who stands before them, and the real
//! drivers. What is the same in both is here; how they speak is in `zvt` and `nexo`.
//!
//! The oracle learns from the bank behind the model what was charged and given back, whatever
//! terminal and driver say of it.

pub mod nexo;
pub mod zvt;

use std::collections::BTreeSet;
use std::time::Duration;

use driver_api::Protocol;
use driver_api::payment_terminal::{Command, Event, Operation};
use driver_sim::terminal::{self, Cardholder, Charge, Fault, Orphan, Pace};

use super::{Due, Unit, Wired, plan};
use crate::rig;
use crate::rng::Rng;
use crate::stage::Stage;

/// Something planned.
#[derive(Clone, Copy, Debug)]
pub enum Tick {
    /// Something breaks, or is over.
    Break(Fault, bool),
    /// It notices that the till of this line has hung up.
    HungUp(u32),
}

/// A model of drivers/sim, whatever it speaks.
pub trait Firmware {
    /// Who stands before it from now on.
    fn set_cardholder(&mut self, cardholder: Cardholder);
    /// Breaks or mends it.
    fn set_fault(&mut self, now: Duration, fault: Fault, on: bool);
    /// What its bank has booked, oldest first.
    fn charges(&self) -> &[Charge];
    /// What its closed days came to, in cents.
    fn closed(&self) -> i64;
    /// Lets everything happen that was to happen until now.
    fn advance(&mut self, now: Duration);
    /// When more does.
    fn deadline(&self) -> Option<Duration>;
}

/// A terminal without its line.
pub struct Machine<F> {
    rng: Rng,
    firmware: F,
    is_cabinet_powered: bool,
    /// What is broken now.
    broken: BTreeSet<Fault>,
    /// The last order that it was given.
    order: Option<Operation>,
    /// By which orders its bank has charged, and whether that was given back.
    charged: Vec<(Operation, bool)>,
    /// Of its closed days the oracle knows, in cents.
    closed: i64,
}

/// From an order to its end, as a rule.
const VISIT_MS: u64 = 8_000;

impl<F: Firmware> Machine<F> {
    fn new(rng: Rng, firmware: F) -> Self {
        Self {
            rng,
            firmware,
            is_cabinet_powered: true,
            broken: BTreeSet::new(),
            order: None,
            charged: Vec::new(),
            closed: 0,
        }
    }

    /// Tells the oracle what the bank did.
    fn watch(&mut self, stage: &mut Stage) {
        for (at, charge) in self.firmware.charges().iter().enumerate() {
            if at == self.charged.len() {
                let order = self.order.expect("what charges was ordered");
                stage.note("bank", format_args!("charges {} cents for {order:?}", charge.cents));
                let cents = i64::try_from(charge.cents).expect("an amount of money");
                stage.oracle.bank_charges(order, cents);
                self.charged.push((order, false));
            }
            let (order, is_given_back) = &mut self.charged[at];
            if charge.is_reversed && !*is_given_back {
                stage.note("bank", format_args!("gives {order:?} back"));
                stage.oracle.bank_gives_back(*order);
                *is_given_back = true;
            }
        }
        let closed = self.firmware.closed();
        if closed != self.closed {
            stage.note("bank", format_args!("takes a day of {} cents", closed - self.closed));
            stage.oracle.terminal_closes(closed - self.closed);
            self.closed = closed;
        }
    }

    fn advance(&mut self, stage: &mut Stage) {
        self.firmware.advance(time(stage));
        self.watch(stage);
    }

    fn sets(&mut self, fault: Fault, on: bool, stage: &mut Stage) {
        let changed = if on { self.broken.insert(fault) } else { self.broken.remove(&fault) };
        if changed {
            stage.note("terminal", format_args!("{fault}: {on}"));
            self.firmware.set_fault(time(stage), fault, on);
            self.watch(stage);
        }
    }

    fn power(&mut self, on: bool, stage: &mut Stage) {
        self.is_cabinet_powered = on;
        self.sets(Fault::Power, !on, stage);
    }

    fn breaks(&mut self, fault: Fault, on: bool, stage: &mut Stage) {
        // Without the cabinet's power it has none of its own.
        if fault != Fault::Power || self.is_cabinet_powered {
            self.sets(fault, on, stage);
        }
    }

    fn is_reachable(&self) -> bool {
        !self.broken.contains(&Fault::Power) && !self.broken.contains(&Fault::Unplugged)
    }

    /// Somebody comes, and things break while they are here.
    fn is_ordered<U: Unit<Tick = Tick>>(&mut self, command: &Command, stage: &mut Stage) {
        match command {
            Command::Authorise { operation, .. } | Command::Reverse { operation, .. } => {
                self.order = Some(*operation);
                let who = self.cardholder(stage);
                stage.note("terminal", format_args!("before it stands: {who:?}"));
                self.firmware.set_cardholder(who);
                self.trouble::<U>(stage);
            }
            Command::EndOfDay => {
                if self.rng.chance(stage.faults.terminal_day) {
                    let fault = self.rng.pick(&[Fault::Busy, Fault::Silent, Fault::Unplugged]);
                    self.passes::<U>(fault, 3_000, stage);
                }
            }
            Command::Issued(_) | Command::NotIssued(_) | Command::AskStatus(_) | Command::Abort => {
            }
        }
    }

    fn cardholder(&mut self, stage: &Stage) -> Cardholder {
        let faults = &stage.faults;
        if self.rng.chance(faults.terminal_no_card) {
            return Cardholder::WalksOff;
        }
        if self.rng.chance(faults.bank_declines) {
            return Cardholder::Declined;
        }
        if self.rng.chance(faults.bank_card_fumbled) {
            return self.rng.pick(&[Cardholder::WrongPin, Cardholder::RemovesCard]);
        }
        match self.rng.chance(faults.bank_card_chip) {
            true => Cardholder::ChipAndPin,
            false => Cardholder::Contactless,
        }
    }

    fn trouble<U: Unit<Tick = Tick>>(&mut self, stage: &mut Stage) {
        let faults = &stage.faults;
        let rates = [
            (Fault::Unplugged, faults.terminal_line),
            (Fault::Silent, faults.terminal_silent),
            (Fault::Duplicate, faults.terminal_repeats),
            (Fault::InProgress, faults.terminal_vague),
            (Fault::Power, faults.terminal_power),
            (Fault::Busy, faults.terminal_busy),
            (Fault::Deaf, faults.terminal_deaf),
            (Fault::WrongKey, faults.terminal_key),
        ];
        for (fault, rate) in rates {
            if self.rng.chance(rate) {
                self.passes::<U>(fault, VISIT_MS, stage);
            }
        }
        // Its bank's speed is decided as it begins.
        let is_slow = self.rng.chance(stage.faults.bank_slow);
        self.sets(Fault::SlowHost, is_slow, stage);
    }

    /// Begins within so many ms, and is over after a while.
    fn passes<U: Unit<Tick = Tick>>(&mut self, fault: Fault, within_ms: u64, stage: &mut Stage) {
        let begin = self.rng.below(within_ms);
        plan::<U>(begin, Tick::Break(fault, true), stage);
        let end = begin + self.rng.between(200, 60_000);
        plan::<U>(end, Tick::Break(fault, false), stage);
    }
}

/// A unit with a terminal in it.
pub trait Terminal: Unit<Driver: Protocol<Command = Command, Event = Event>, Tick = Tick> {
    /// Something breaks, or is over, with what that means for its line.
    fn breaks(&mut self, fault: Fault, on: bool, stage: &mut Stage);
}

impl<U: Terminal> rig::Terminal for Wired<U> {
    fn cut(&mut self, ms: u64, stage: &mut Stage) {
        self.operate(stage, |unit, stage| unit.breaks(Fault::Unplugged, true, stage));
        plan::<U>(ms, Tick::Break(Fault::Unplugged, false), stage);
    }

    fn wired(&mut self, tick: super::Tick<Tick>, stage: &mut Stage) {
        self.happens(tick, stage);
    }
}

/// How fast people and banks are here, and what it does without its till.
fn habits(rng: &mut Rng) -> (Pace, Orphan) {
    let customer = Duration::from_millis(rng.between(800, 8_000));
    let host = Duration::from_millis(rng.between(300, 3_000));
    let orphan = rng.pick(&[Orphan::Finishes, Orphan::Undoes]);
    (Pace { customer, host, ..Pace::REAL }, orphan)
}

const fn due(tick: super::Tick<Tick>) -> Due {
    Due::Terminal(tick)
}

const fn time(stage: &Stage) -> Duration {
    Duration::from_millis(stage.now_ms)
}

/// In whole ms, not before that.
fn ms(at: Duration) -> u64 {
    u64::try_from(at.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

macro_rules! firmware {
    ($model:ty) => {
        impl Firmware for $model {
            fn set_cardholder(&mut self, cardholder: Cardholder) {
                Self::set_cardholder(self, cardholder);
            }

            fn set_fault(&mut self, now: Duration, fault: Fault, on: bool) {
                Self::set_fault(self, now, fault, on);
            }

            fn charges(&self) -> &[Charge] {
                Self::charges(self)
            }

            fn closed(&self) -> i64 {
                Self::closed(self)
            }

            fn advance(&mut self, now: Duration) {
                Self::advance(self, now);
            }

            fn deadline(&self) -> Option<Duration> {
                Self::deadline(self)
            }
        }
    };
}

firmware!(terminal::Firmware);
firmware!(terminal::nexo::Firmware);
