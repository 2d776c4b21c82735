//! What the unit's processor does with time and bytes [GA138; GA973 §8.3].

use std::collections::BTreeSet;
use std::time::Duration;

use super::commands::Run;
use super::fault::Fault;
use super::mechanics::{Mechanics, Place, Seen, Snapshot};
use super::wire::{Cipher, Command, Opened, Receiver, reply};
use super::{InsertRefused, Options};

/// Without a command for this long, a note in escrow is given back and the unit disables itself.
const POLL_TIMEOUT: Duration = Duration::from_secs(10);

/// Just below the second that hosts wait.
const SLOW_REPLY: Duration = Duration::from_millis(800);

/// "Mechanism slow / stalled" [GA138 "Reject Codes"].
const MECHANISM_SLOW: u8 = 0x0D;

/// One validator without a port: mechanics, permanent memory, and the program that runs while there
/// is power. `now` is the time since the simulation began, and never runs backwards: simulators
/// bring their own.
pub struct Firmware {
    pub(super) options: Options,
    pub(super) mechanics: Mechanics,
    pub(super) faults: BTreeSet<Fault>,
    pub(super) memory: Memory,
    receiver: Receiver,
    pub(super) run: Run,
    power: Power,
    noise: u32,
}

/// Survives power cuts.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub(super) stacked: u32,
    pub(super) rejected: u32,
    /// A credit that no host acknowledged yet, where the unit remembers such.
    pub(super) credit: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    Off { since: Duration },
    Booting { since: Duration, until: Duration },
    On,
}

/// Bytes for the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Not before this.
    pub at: Duration,
    /// A reply, or what the line made of it.
    pub bytes: Vec<u8>,
}

impl Firmware {
    /// Switched on and started, path and cash box empty.
    pub fn new(options: Options) -> Self {
        Self {
            receiver: Receiver::new(options.address),
            run: Run::new(Duration::ZERO),
            mechanics: Mechanics::new(&options.contents),
            faults: BTreeSet::new(),
            memory: Memory { stacked: options.contents.stacked_total, ..Memory::default() },
            options,
            power: Power::On,
            noise: 0x2545_F491,
        }
    }

    /// Bytes from the host; what it hears, and when.
    pub fn receive(&mut self, now: Duration, bytes: &[u8]) -> Vec<Output> {
        self.advance(now);
        if self.power != Power::On {
            return Vec::new();
        }
        let commands: Vec<Command> =
            bytes.iter().filter_map(|byte| self.receiver.byte(*byte)).collect();
        let mut outputs = Vec::new();
        for command in commands {
            // A reset among them: the rest is said to a processor that does not listen.
            if self.power == Power::On
                && let Some(bytes) = self.obey(now, command)
            {
                outputs.extend(self.distort(now, bytes));
            }
        }
        outputs
    }

    fn obey(&mut self, now: Duration, command: Command) -> Option<Vec<u8>> {
        self.run.last_command = now;
        let is_sync = command.data == [0x11];
        if !is_sync && self.run.last_flag == Some(command.flag) {
            return Some(self.run.last_reply.clone());
        }
        let is_sealed = Cipher::is_sealed(&command.data);
        let answer = if is_sealed {
            let opened = match &mut self.run.cipher {
                Some(cipher) => cipher.open(&command.data[1..]),
                None => Opened::WrongKey,
            };
            match opened {
                Opened::Data(data) => {
                    let answer = self.execute(now, &data, true);
                    let cipher = self.run.cipher.as_mut();
                    cipher.expect("it opened the command").seal(&answer)
                }
                Opened::Discarded => return None,
                Opened::WrongKey => vec![0xFA],
            }
        } else {
            self.execute(now, &command.data, false)
        };
        let bytes = reply(self.options.address, command.flag, &answer);
        self.run.last_flag = Some(command.flag);
        self.run.last_reply = bytes.clone();
        if std::mem::take(&mut self.run.reset_ordered) {
            self.cut_power(now);
            self.boot(now);
        }
        Some(bytes)
    }

    /// What the line makes of a reply.
    fn distort(&mut self, now: Duration, mut bytes: Vec<u8>) -> Option<Output> {
        if self.faults.contains(&Fault::Silent) {
            return None;
        }
        if self.faults.contains(&Fault::Garbage) {
            let noise = [self.random(), self.random(), 0x7F, self.random()];
            if self.random().is_multiple_of(2) {
                let place = usize::from(self.random()) % bytes.len();
                bytes[place] ^= 0x10;
            }
            bytes.splice(0..0, noise);
        }
        let is_slow = self.faults.contains(&Fault::Slow);
        let delay = if is_slow { SLOW_REPLY } else { self.options.reply_delay };
        Some(Output { at: now + delay, bytes })
    }

    pub(super) fn random(&mut self) -> u8 {
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 17;
        self.noise ^= self.noise << 5;
        self.noise.to_le_bytes()[1]
    }

    /// Lets everything happen that was to happen until now.
    pub fn advance(&mut self, now: Duration) {
        if let Power::Booting { since, until } = self.power
            && until <= now
        {
            self.power = Power::On;
            self.power_up(since, until);
        }
        if self.power != Power::On {
            return;
        }
        self.watch_host(now);
        while let Some(at) = self.motor_deadline().filter(|at| *at <= now) {
            self.move_note(at);
        }
    }

    /// When [`Self::advance`] would next do something.
    pub fn deadline(&self) -> Option<Duration> {
        match self.power {
            Power::Off { .. } => None,
            Power::Booting { until, .. } => Some(until),
            Power::On => {
                let waits =
                    self.run.is_enabled || matches!(self.mechanics.place, Place::Escrow { .. });
                let host = waits.then_some(self.run.last_command + POLL_TIMEOUT);
                host.into_iter().chain(self.motor_deadline()).min()
            }
        }
    }

    fn motor_deadline(&self) -> Option<Duration> {
        let is_stopped = match self.mechanics.place {
            Place::Leaving { .. } => self.faults.contains(&Fault::Stalled),
            // Without a box the note waits before it.
            Place::Stacking { .. } => {
                self.faults.contains(&Fault::Stalled) || !self.mechanics.is_box_in
            }
            Place::Clear
            | Place::Entering { .. }
            | Place::Escrow { .. }
            | Place::Rejecting { .. }
            | Place::Jammed { .. } => false,
        };
        self.mechanics.place.until().filter(|_| !is_stopped)
    }

    fn watch_host(&mut self, now: Duration) {
        let end = self.run.last_command + POLL_TIMEOUT;
        if now < end {
            return;
        }
        if let Place::Escrow { cents } = self.mechanics.place {
            self.reject(end, cents, 0x13);
        }
        self.run.is_enabled = false;
    }

    fn move_note(&mut self, at: Duration) {
        let pace = self.options.pace;
        match self.mechanics.place {
            Place::Entering { cents, .. } if self.faults.contains(&Fault::JamEntering) => {
                self.mechanics.place = Place::Jammed { cents, is_safe: false, is_read: false };
            }
            Place::Entering { cents, .. } => match self.refusal(cents) {
                Some(code) => self.reject(at, cents, code),
                None => {
                    self.run.escrow_told = false;
                    self.mechanics.place = Place::Escrow { cents };
                }
            },
            Place::Leaving { cents, .. } => {
                if self.faults.contains(&Fault::JamSafe) {
                    self.mechanics.place = Place::Jammed { cents, is_safe: true, is_read: true };
                } else if self.faults.contains(&Fault::JamUnsafe) {
                    self.mechanics.place = Place::Jammed { cents, is_safe: false, is_read: true };
                } else if self.faults.contains(&Fault::Refuses) {
                    self.reject(at, cents, MECHANISM_SLOW);
                } else {
                    let channel = self.channel(cents);
                    if self.faults.contains(&Fault::Fraud) {
                        self.run.report(&[0xE6, channel]);
                    } else {
                        self.memory.credit = Some(channel);
                        self.run.report(&[0xEE, channel]);
                    }
                    self.mechanics.place = Place::Stacking { cents, until: at + pace.stack };
                }
            }
            Place::Stacking { cents, .. } => {
                self.mechanics.drop_into_box(cents);
                self.memory.stacked = self.memory.stacked.wrapping_add(1);
                self.run.report(&[0xEB]);
            }
            Place::Rejecting { cents, .. } if self.faults.contains(&Fault::JamReturning) => {
                self.mechanics.place = Place::Jammed { cents, is_safe: false, is_read: true };
            }
            Place::Rejecting { cents, .. } => {
                self.mechanics.hand_back(cents);
                self.memory.rejected = self.memory.rejected.wrapping_add(1);
                self.run.report(&[0xEC]);
            }
            Place::Clear | Place::Escrow { .. } | Place::Jammed { .. } => {}
        }
    }

    /// Why a note that was just read is not taken: a code of GA138 "Reject Codes".
    fn refusal(&self, cents: u32) -> Option<u8> {
        let channel = self.options.channels.iter().position(|value| *value == cents);
        match channel {
            _ if self.faults.contains(&Fault::RejectNotes) => Some(0x02),
            None => Some(0x02),
            Some(channel) if !self.run.is_enabled || self.run.inhibits >> channel & 1 == 0 => {
                Some(0x0C)
            }
            Some(_) => None,
        }
    }

    pub(super) fn reject(&mut self, at: Duration, cents: u32, code: u8) {
        self.run.reject_code = code;
        self.mechanics.place = Place::Rejecting { cents, until: at + self.options.pace.reject };
    }

    /// `1..=16`; 0 = not in the dataset.
    pub(super) fn channel(&self, cents: u32) -> u8 {
        let index = self.options.channels.iter().position(|value| *value == cents);
        index.and_then(|index| u8::try_from(index + 1).ok()).unwrap_or(0)
    }

    fn cut_power(&mut self, now: Duration) {
        self.power = match self.power {
            Power::On => Power::Off { since: now },
            Power::Booting { since, .. } | Power::Off { since } => Power::Off { since },
        };
    }

    fn boot(&mut self, now: Duration) {
        if let Power::Off { since } = self.power
            && !self.faults.contains(&Fault::Power)
        {
            self.power = Power::Booting { since, until: now + self.options.pace.boot };
        }
    }

    /// Clears the path and starts the program; what was in the path when the power went is told
    /// to the host.
    fn power_up(&mut self, cut: Duration, now: Duration) {
        self.run = Run::new(now);
        self.run.report(&[0xF1]);
        if let Some(channel) = self.memory.credit.filter(|_| self.options.remembers_credit) {
            self.run.report(&[0xEE, channel]);
        }
        let Some(cents) = self.mechanics.place.cents() else {
            return;
        };
        let channel = self.channel(cents);
        let is_stuck = matches!(self.mechanics.place, Place::Jammed { .. });
        if is_stuck && Fault::JAMS.iter().any(|jam| self.faults.contains(jam)) {
            return;
        }
        let (goes_into_box, told) = match self.mechanics.place {
            // Not read yet: the unit cannot know what it is.
            Place::Clear | Place::Entering { .. } => (false, 0),
            Place::Escrow { .. } | Place::Rejecting { .. } => (false, channel),
            Place::Leaving { since, until, .. } => (cut >= since + (until - since) / 2, channel),
            Place::Stacking { .. } => (true, channel),
            Place::Jammed { is_safe, is_read, .. } => (is_safe, if is_read { channel } else { 0 }),
        };
        let told = if self.faults.contains(&Fault::ForgetsValue) { 0 } else { told };
        if self.faults.contains(&Fault::JamPowerUp) {
            let (is_safe, is_read) = (goes_into_box, told != 0);
            self.mechanics.place = Place::Jammed { cents, is_safe, is_read };
        } else if goes_into_box && self.mechanics.is_box_in {
            self.mechanics.drop_into_box(cents);
            self.memory.stacked = self.memory.stacked.wrapping_add(1);
            self.run.report(&[0xE2, told]);
        } else if goes_into_box {
            self.mechanics.place = Place::Jammed { cents, is_safe: true, is_read: told != 0 };
        } else {
            self.mechanics.hand_back(cents);
            self.run.report(&[0xE1, told]);
        }
    }

    /// Breaks or mends it. [`Fault::Unplugged`] is only noted: whoever holds the port acts on it.
    pub fn set_fault(&mut self, now: Duration, fault: Fault, on: bool) {
        self.advance(now);
        let changed = if on { self.faults.insert(fault) } else { self.faults.remove(&fault) };
        if !changed {
            return;
        }
        match (fault, on) {
            (Fault::Power, true) => self.cut_power(now),
            (Fault::Power, false) => self.boot(now),
            (
                Fault::JamSafe
                | Fault::JamUnsafe
                | Fault::JamEntering
                | Fault::JamReturning
                | Fault::JamPowerUp,
                false,
            ) => {
                // It is freed with the power off [GA973 §8.3 "Safe jam"].
                if matches!(self.mechanics.place, Place::Jammed { .. }) {
                    self.cut_power(now);
                    self.boot(now);
                }
            }
            (Fault::CashboxRemoved, true) => self.mechanics.take_box(),
            (Fault::CashboxRemoved, false) => self.put_box(now),
            (
                Fault::JamSafe
                | Fault::JamUnsafe
                | Fault::JamEntering
                | Fault::JamReturning
                | Fault::JamPowerUp,
                true,
            )
            | (
                Fault::Refuses
                | Fault::Stalled
                | Fault::ForgetsValue
                | Fault::Fraud
                | Fault::StackerFull
                | Fault::Unplugged
                | Fault::RejectNotes
                | Fault::Silent
                | Fault::Garbage
                | Fault::Slow,
                _,
            ) => {}
        }
    }

    fn put_box(&mut self, now: Duration) {
        self.mechanics.is_box_in = true;
        if let Place::Stacking { cents, .. } = self.mechanics.place {
            let until = now + self.options.pace.stack;
            self.mechanics.place = Place::Stacking { cents, until };
        }
        self.run.report(&[0xE4]);
        // "Will re-enable if it has not been disabled by the host" [GA138 0xE4].
        self.run.is_enabled = !self.run.is_disabled_by_host;
    }

    /// A customer offers a note at the bezel.
    ///
    /// # Errors
    /// It is not drawn in.
    pub fn insert(&mut self, now: Duration, cents: u32) -> Result<(), InsertRefused> {
        self.advance(now);
        if self.power != Power::On {
            return Err(InsertRefused::NoPower);
        }
        if self.mechanics.place != Place::Clear || self.run.waits_for_ack() {
            return Err(InsertRefused::Busy);
        }
        if !self.is_accepting() {
            return Err(InsertRefused::NotEnabled);
        }
        self.mechanics.place = Place::Entering { cents, until: now + self.options.pace.read };
        Ok(())
    }

    pub(super) fn is_accepting(&self) -> bool {
        let is_blocked = !self.mechanics.is_box_in
            || self.faults.contains(&Fault::StackerFull)
            || matches!(self.mechanics.place, Place::Jammed { .. });
        self.power == Power::On && self.run.is_enabled && self.run.inhibits != 0 && !is_blocked
    }

    /// Somebody opens it and takes the stuck note out by hand: its value in cents, if one was
    /// stuck. It starts anew, and knows nothing of that.
    pub fn take_stuck(&mut self, now: Duration) -> Option<u32> {
        self.advance(now);
        let Place::Jammed { cents, .. } = self.mechanics.place else { return None };
        self.mechanics.place = Place::Clear;
        self.cut_power(now);
        self.boot(now);
        Some(cents)
    }

    /// The customer takes what was given back: values in cents, oldest first.
    pub fn take_returned(&mut self, now: Duration) -> Vec<u32> {
        self.advance(now);
        std::mem::take(&mut self.mechanics.returned)
    }

    /// The note path, as of the last call that brought the time.
    pub fn path(&self) -> Seen {
        self.mechanics.place.seen()
    }

    /// Where everything is.
    pub fn snapshot(&mut self, now: Duration) -> Snapshot {
        self.advance(now);
        Snapshot {
            cash_box: self.mechanics.cash_box.clone(),
            collected: self.mechanics.collected.clone(),
            path: self.mechanics.place.name(),
            note: self.mechanics.place.cents(),
            returned: self.mechanics.returned.clone(),
            stacked_total: self.memory.stacked,
            is_enabled: self.is_accepting(),
            faults: self.faults.iter().map(|fault| fault.name()).collect(),
        }
    }
}
