//! The commands of GA138 that a note validator knows, and the state they work on.

use std::time::Duration;

use super::Encryption;
use super::fault::Fault;
use super::firmware::Firmware;
use super::mechanics::Place;
use super::wire::{Cipher, is_prime, power};

/// What the running program knows; gone with the power.
pub(super) struct Run {
    pub(super) last_flag: Option<bool>,
    pub(super) last_reply: Vec<u8>,
    pub(super) cipher: Option<Cipher>,
    generator: Option<u64>,
    modulus: Option<u64>,
    level: u8,
    /// A set bit lets a channel in.
    pub(super) inhibits: u16,
    pub(super) is_enabled: bool,
    pub(super) is_disabled_by_host: bool,
    pending: Vec<Pending>,
    /// The host saw the note in escrow: its next poll accepts.
    pub(super) escrow_told: bool,
    pub(super) last_command: Duration,
    pub(super) reject_code: u8,
    pub(super) reset_ordered: bool,
}

/// An event for the next poll.
struct Pending {
    bytes: Vec<u8>,
    /// Told in answer to a Poll-with-Ack, and repeated until acknowledged.
    is_told: bool,
}

impl Pending {
    /// GA138, column "Poll with Ack": credit, fraud, note cleared into the cash box. Cleared from
    /// the front has no such column; it is not repeated here.
    fn needs_ack(&self) -> bool {
        matches!(self.bytes.first(), Some(0xEE | 0xE6 | 0xE2))
    }
}

impl Run {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            last_flag: None,
            last_reply: Vec::new(),
            cipher: None,
            generator: None,
            modulus: None,
            level: 4,
            inhibits: 0,
            is_enabled: false,
            is_disabled_by_host: false,
            pending: Vec::new(),
            escrow_told: false,
            last_command: now,
            reject_code: 0,
            reset_ordered: false,
        }
    }

    pub(super) fn report(&mut self, event: &[u8]) {
        self.pending.push(Pending { bytes: event.to_vec(), is_told: false });
    }

    pub(super) fn waits_for_ack(&self) -> bool {
        self.pending.iter().any(|event| event.is_told)
    }
}

const OK: u8 = 0xF0;
const UNKNOWN: u8 = 0xF2;
const WRONG_PARAMETERS: u8 = 0xF3;
const OUT_OF_RANGE: u8 = 0xF4;
const CANNOT_BE_PROCESSED: u8 = 0xF5;
const FAIL: u8 = 0xF8;
const KEY_NOT_SET: u8 = 0xFA;

impl Firmware {
    /// One command; the data of its reply.
    pub(super) fn execute(&mut self, now: Duration, data: &[u8], is_sealed: bool) -> Vec<u8> {
        let Some((&code, parameters)) = data.split_first() else {
            return vec![WRONG_PARAMETERS];
        };
        let is_key_exchange = matches!(code, 0x11 | 0x4A..=0x4C);
        if self.options.encryption == Encryption::Mandatory && !is_sealed && !is_key_exchange {
            return vec![KEY_NOT_SET];
        }
        let can_ack = is_sealed && self.options.polls_with_ack;
        match code {
            0x11 => vec![OK],
            0x4A..=0x4C if self.options.encryption == Encryption::None => vec![UNKNOWN],
            0x4A..=0x4C => self.exchange_keys(code, parameters),
            0x06 => self.set_level(parameters),
            0x05 => self.setup(),
            0x0C => [&[OK][..], &self.options.serial.to_be_bytes()].concat(),
            0x20 => [&[OK][..], b"NV02004141498000"].concat(),
            0x58 if self.options.counts => self.counters(),
            0x02 => self.set_inhibits(parameters),
            0x0A => self.enable(),
            0x09 => {
                self.run.is_enabled = false;
                self.run.is_disabled_by_host = true;
                vec![OK]
            }
            0x08 => self.reject_by_host(now),
            0x18 if matches!(self.mechanics.place, Place::Escrow { .. }) => vec![OK],
            0x18 => vec![FAIL],
            0x17 => vec![OK, self.run.reject_code],
            0x07 => self.poll(now, false),
            0x56 if can_ack => self.poll(now, true),
            0x57 if can_ack => self.acknowledge(),
            0x01 => {
                self.run.reset_ordered = true;
                vec![OK]
            }
            _ => vec![UNKNOWN],
        }
    }

    fn exchange_keys(&mut self, code: u8, parameters: &[u8]) -> Vec<u8> {
        let Ok(number) = parameters.try_into().map(u64::from_le_bytes) else {
            return vec![WRONG_PARAMETERS];
        };
        match (code, self.run.generator, self.run.modulus) {
            (0x4A | 0x4B, _, _) if !is_prime(number) => vec![OUT_OF_RANGE],
            (0x4A, _, _) => {
                self.run.generator = Some(number);
                vec![OK]
            }
            (0x4B, _, _) => {
                self.run.modulus = Some(number);
                vec![OK]
            }
            (_, Some(generator), Some(modulus)) => {
                let secret = u64::from_le_bytes(std::array::from_fn(|_| self.random())) >> 34;
                let key = power(number, secret, modulus);
                self.run.cipher = Some(Cipher::new(self.options.fixed_key, key));
                [&[OK][..], &power(generator, secret, modulus).to_le_bytes()].concat()
            }
            (_, _, _) => vec![FAIL],
        }
    }

    fn set_level(&mut self, parameters: &[u8]) -> Vec<u8> {
        match parameters {
            [level] if (4..=self.options.level_max).contains(level) => {
                self.run.level = *level;
                vec![OK]
            }
            [_] => vec![FAIL],
            _ => vec![WRONG_PARAMETERS],
        }
    }

    fn set_inhibits(&mut self, parameters: &[u8]) -> Vec<u8> {
        match *parameters {
            [low] => self.run.inhibits = u16::from(low),
            [low, high] => self.run.inhibits = u16::from_le_bytes([low, high]),
            _ => return vec![WRONG_PARAMETERS],
        }
        vec![OK]
    }

    fn enable(&mut self) -> Vec<u8> {
        if matches!(self.mechanics.place, Place::Jammed { .. }) {
            return vec![CANNOT_BE_PROCESSED];
        }
        self.run.is_enabled = true;
        self.run.is_disabled_by_host = false;
        vec![OK]
    }

    fn reject_by_host(&mut self, now: Duration) -> Vec<u8> {
        match self.mechanics.place {
            Place::Escrow { cents } => {
                self.reject(now, cents, 0x08);
                vec![OK]
            }
            Place::Clear
            | Place::Entering { .. }
            | Place::Leaving { .. }
            | Place::Stacking { .. }
            | Place::Rejecting { .. }
            | Place::Jammed { .. } => vec![CANNOT_BE_PROCESSED],
        }
    }

    fn poll(&mut self, now: Duration, with_ack: bool) -> Vec<u8> {
        let is_blocked = self.run.waits_for_ack();
        let place = self.mechanics.place;
        if let Place::Escrow { cents } = place
            && self.run.escrow_told
            && !is_blocked
        {
            // One that is going to stand still does so past half-way: the box has it at power-up.
            let is_stalled = self.faults.contains(&Fault::Stalled);
            let until = if is_stalled { now } else { now + self.options.pace.credit };
            self.mechanics.place = Place::Leaving { cents, since: now, until };
            return [vec![OK], self.tell(with_ack)].concat();
        }
        let mut answer = [vec![OK], self.tell(with_ack)].concat();
        match place {
            Place::Clear => {}
            Place::Entering { .. } => answer.extend([0xEF, 0]),
            Place::Escrow { cents } => {
                self.run.escrow_told = true;
                answer.extend([0xEF, self.channel(cents)]);
            }
            Place::Leaving { .. } | Place::Stacking { .. } => answer.push(0xCC),
            Place::Rejecting { .. } => answer.push(0xED),
            Place::Jammed { is_safe, .. } => answer.push(if is_safe { 0xEA } else { 0xE9 }),
        }
        if !self.mechanics.is_box_in {
            answer.push(0xE3);
        }
        if self.faults.contains(&Fault::StackerFull) {
            answer.push(0xE7);
        }
        if !self.is_accepting() {
            answer.push(0xE8);
        }
        answer
    }

    /// The events since the last poll. Each is told once; with acknowledgement, those that carry
    /// money are kept.
    fn tell(&mut self, with_ack: bool) -> Vec<u8> {
        let told = self.run.pending.iter().flat_map(|event| event.bytes.clone()).collect();
        self.run.pending.retain_mut(|event| {
            event.is_told = with_ack && event.needs_ack();
            event.is_told
        });
        if self.run.pending.is_empty() {
            // Told in a plain poll, or there was none: nothing to remember.
            self.memory.credit = self.memory.credit.filter(|_| with_ack);
        }
        told
    }

    fn acknowledge(&mut self) -> Vec<u8> {
        if !self.run.waits_for_ack() {
            return vec![CANNOT_BE_PROCESSED];
        }
        self.run.pending.retain(|event| !event.is_told);
        self.memory.credit = None;
        vec![OK]
    }

    fn counters(&self) -> Vec<u8> {
        let mut answer = vec![OK, 5];
        for counter in [self.memory.stacked, 0, 0, 0, self.memory.rejected] {
            answer.extend(counter.to_le_bytes());
        }
        answer
    }

    /// Values in whole euro, multiplier 100: as real datasets have it.
    fn setup(&self) -> Vec<u8> {
        let euros: Vec<u32> = self.options.channels.iter().map(|cents| cents / 100).collect();
        let count = u8::try_from(euros.len()).expect("a dataset has at most 16 channels");
        let is_expanded = self.run.level >= 6;
        let mut answer = vec![OK, 0x00];
        answer.extend(b"0414EUR");
        answer.extend([0, 0, if is_expanded { 0 } else { 1 }, count]);
        for euro in &euros {
            let short = u8::try_from(*euro).unwrap_or(0);
            answer.push(if is_expanded { 0 } else { short });
        }
        answer.extend(euros.iter().map(|_| if is_expanded { 0 } else { 2 }));
        answer.extend([0, 0, 100, self.run.level]);
        if is_expanded {
            answer.extend(euros.iter().flat_map(|_| *b"EUR"));
            answer.extend(euros.iter().flat_map(|euro| euro.to_le_bytes()));
        }
        answer
    }
}
