//! What the terminal's processor does with time and bytes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::bank::{Charge, Memory, Transaction};
use super::fault::Fault;
use super::wire::{Message, Receiver, TERMINAL, digits, encode, status};
use super::work::{Step, Work, payment, refusal, reversal};
use super::{Cardholder, Options, Orphan};

/// How long a message waits for the till's answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Between a "wait" of the till and the next status information.
const REPEAT: Duration = Duration::from_secs(1);
/// Longer than a till waits.
const SLOW_HOST: Duration = Duration::from_secs(150);
const BUSY: u8 = 0x9C;
const UNKNOWN: u8 = 0x83;

/// One terminal without a port: its customer, its bank, its log, and the program. `now` is the time
/// since the simulation began, and never runs backwards.
pub struct Firmware {
    options: Options,
    cardholder: Cardholder,
    pub(super) faults: BTreeSet<Fault>,
    memory: Memory,
    receiver: Receiver,
    work: Option<Work>,
    is_connected: bool,
    outbox: Vec<Vec<u8>>,
    /// The line is cut after so many more bytes from here.
    cut_after: Option<usize>,
    is_cut: bool,
}

impl Firmware {
    /// Switched on, its log empty.
    pub fn new(options: Options) -> Self {
        Self {
            receiver: Receiver::new(options.transport),
            options,
            cardholder: Cardholder::Contactless,
            faults: BTreeSet::new(),
            memory: Memory::default(),
            work: None,
            is_connected: false,
            outbox: Vec::new(),
            cut_after: None,
            is_cut: false,
        }
    }

    /// Who stands before it from now on.
    pub fn set_cardholder(&mut self, cardholder: Cardholder) {
        self.cardholder = cardholder;
    }

    /// What its bank has booked, oldest first.
    pub fn charges(&self) -> &[Charge] {
        &self.memory.bank.charges
    }

    /// What the days came to that have ended, in cents: payments less reversals.
    pub fn closed(&self) -> i64 {
        self.memory.closed
    }

    /// Is it at work?
    pub fn is_working(&self) -> bool {
        self.work.is_some()
    }

    /// Can a till connect?
    pub fn is_reachable(&self) -> bool {
        !self.faults.contains(&Fault::Power) && !self.faults.contains(&Fault::Unplugged)
    }

    /// After it has said this many more bytes, the line is cut.
    pub fn cut_after(&mut self, bytes: usize) {
        self.cut_after = Some(bytes);
    }

    /// Was the line cut since it was last asked? Whoever holds the port hangs up.
    pub fn take_cut(&mut self) -> bool {
        std::mem::take(&mut self.is_cut)
    }

    /// What it says now.
    pub fn take_output(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outbox)
    }

    /// A till connects, or hangs up.
    pub fn connect(&mut self, now: Duration, is_connected: bool) {
        self.advance(now);
        self.receiver = Receiver::new(self.options.transport);
        self.outbox.clear();
        self.is_connected = is_connected;
        if !is_connected {
            self.orphan(now);
        }
    }

    /// Breaks or mends it.
    pub fn set_fault(&mut self, now: Duration, fault: Fault, on: bool) {
        self.advance(now);
        let changed = if on { self.faults.insert(fault) } else { self.faults.remove(&fault) };
        if !changed || !on {
            return;
        }
        match fault {
            Fault::Power => self.lose_power(),
            Fault::Silent
            | Fault::Duplicate
            | Fault::Busy
            | Fault::WrongTrace
            | Fault::SlowHost
            | Fault::Unplugged
            | Fault::WrongKey
            | Fault::InProgress
            | Fault::Deaf => {}
        }
    }

    fn lose_power(&mut self) {
        self.is_cut |= self.is_connected;
        self.outbox.clear();
        let Some(Work { approved: Some(it), .. }) = self.work.take() else { return };
        if self.memory.is_logged(it.trace) {
            return;
        }
        match it.original {
            None => self.memory.bank.give_back(it.trace),
            // It was written down before the bank was asked: nothing undoes a reversal.
            Some(_) => self.memory.log.push(it),
        }
    }

    /// Bytes from the till.
    pub fn receive(&mut self, now: Duration, bytes: &[u8]) {
        self.advance(now);
        if !self.is_connected || !self.is_reachable() {
            return;
        }
        let received = self.receiver.receive(bytes);
        if !received.answers.is_empty() {
            self.send(received.answers);
        }
        for message in received.messages {
            self.take(now, message);
            self.advance(now);
        }
    }

    fn take(&mut self, now: Duration, (code, data): Message) {
        match code {
            [0x80, _] => self.answered(now, 0),
            [0x84, code] => self.answered(now, code),
            [0x06, 0xB0] => self.stop(now),
            _ if self.work.is_some() || self.faults.contains(&Fault::Busy) => {
                self.say([0x84, BUSY], &[]);
            }
            _ => match self.obey(now, code, &data) {
                Some(work) => {
                    self.say([0x80, 0x00], &[]);
                    self.work = Some(work);
                }
                None => self.say([0x84, UNKNOWN], &[]),
            },
        }
    }

    fn obey(&self, now: Duration, code: [u8; 2], data: &[u8]) -> Option<Work> {
        let is_slow = self.faults.contains(&Fault::SlowHost);
        let host = if is_slow { SLOW_HOST } else { self.options.pace.host };
        let completed = |data: Vec<u8>| vec![Step::Say([0x06, 0x0F], data)];
        let steps = match code {
            [0x06, 0x00] => {
                let id = digits(TERMINAL, 4);
                completed([&[0x19, 0x10, 0x29][..], &id, &[0x49, 0x09, 0x78]].concat())
            }
            [0x05, 0x01] => completed(b"\xF0\xF0\xF7SIM 1.0\x00".to_vec()),
            [0x06, 0x70] => completed(Vec::new()),
            [0x06, 0x20] => self.repeat_receipt(),
            [0x06, 0x50] => self.end_of_day(),
            [0x06, 0x01] => {
                let cents = number(field(data, 0x04, 6)?);
                let steps = payment(self.cardholder, cents, self.options.pace, host);
                let mut work = Work::new(now, steps);
                work.is_payment = true;
                // Amount and currency take ten bytes.
                work.waits = match data.get(10..) {
                    Some([0x02, waits]) => *waits,
                    Some(_) | None => 0,
                };
                return Some(work);
            }
            [0x06, 0x30] => {
                let receipt = number(field(data.get(3..)?, 0x87, 2)?);
                let log = &self.memory.log;
                match log.iter().rev().find(|it| u64::from(it.receipt) == receipt) {
                    Some(it) if self.memory.bank.is_reversed(it.trace) => refusal(0xB4).to_vec(),
                    Some(it) if it.original.is_none() => reversal(it, host),
                    Some(_) | None => refusal(0xB5).to_vec(),
                }
            }
            _ => return None,
        };
        Some(Work::new(now, steps))
    }

    fn repeat_receipt(&self) -> Vec<Step> {
        let Some(last) = self.memory.log.last() else {
            return vec![Step::Say([0x06, 0x1E], vec![0x6D])];
        };
        let mut last = last.clone();
        if self.faults.contains(&Fault::WrongTrace) {
            last.receipt += 5;
            last.trace += 5;
        }
        vec![Step::Say([0x04, 0x0F], status(&last)), Step::Say([0x06, 0x0F], Vec::new())]
    }

    fn end_of_day(&self) -> Vec<Step> {
        let (cents, count) = self.memory.totals();
        let cents = u64::try_from(cents).unwrap_or_default();
        let mut data = vec![0x27, 0, 0x04];
        data.extend(digits(cents, 6));
        data.extend([0x60, 0xF0, 0xF5, 0xF3]);
        data.extend([0; 4 + 4 * 7]);
        data.push(count);
        data.extend(digits(cents, 6));
        data.extend([0; 2 * 7]);
        vec![
            Step::Hint(0x0F),
            Step::Pause(self.options.pace.host),
            Step::CloseDay,
            Step::Say([0x04, 0x0F], data),
            Step::Say([0x06, 0x0F], vec![]),
        ]
    }

    /// `06 B0`.
    fn stop(&mut self, now: Duration) {
        match &mut self.work {
            Some(work) if work.is_payment && work.approved.is_none() => {
                *work = Work::new(now, refusal(0x6C));
                self.say([0x80, 0x00], &[]);
            }
            Some(_) => self.say([0x84, UNKNOWN], &[]),
            None => self.say([0x80, 0x00], &[]),
        }
    }

    /// The till's answer to what was said last.
    fn answered(&mut self, now: Duration, code: u8) {
        let Some(work) = &mut self.work else { return };
        let Some((step, _)) = work.unanswered.take() else { return };
        work.at = now;
        match (step, code) {
            (Step::Tell, BUSY) if work.waits > 0 => {
                work.waits -= 1;
                work.steps.push_front(Step::Tell);
                work.at = now + REPEAT;
            }
            // The goods could not be issued, or the till waits for ever.
            (Step::Tell, 0x66 | BUSY) => self.undo(now, 0x66),
            (Step::Tell, _) => self.store(),
            (
                Step::Say(..)
                | Step::Hint(_)
                | Step::Pause(_)
                | Step::Approve { .. }
                | Step::CloseDay,
                _,
            ) => {}
        }
    }

    fn store(&mut self) {
        let approved = self.work.as_ref().and_then(|work| work.approved.clone());
        self.memory.log.extend(approved);
    }

    /// Payment and reversal are both logged; then the end.
    fn undo(&mut self, now: Duration, code: u8) {
        let Some(Work { approved: Some(paid), .. }) = self.work.take() else { return };
        self.memory.bank.give_back(paid.trace);
        let (receipt, trace) = self.memory.number();
        let back = Transaction { receipt, trace, original: Some(paid.trace), ..paid.clone() };
        self.memory.log.extend([paid, back]);
        let end = [Step::Hint(0x05), Step::Say([0x06, 0x1E], vec![code])];
        self.work = Some(Work::new(now, end));
    }

    /// The till is gone: what becomes of what it ordered?
    fn orphan(&mut self, now: Duration) {
        let Some(work) = &mut self.work else { return };
        match (&work.approved, self.options.orphan) {
            (None, Orphan::Undoes) => self.work = None,
            (Some(it), Orphan::Undoes)
                if it.original.is_none() && !self.memory.is_logged(it.trace) =>
            {
                self.undo(now, 0x6C);
            }
            (Some(_), Orphan::Undoes) | (_, Orphan::Finishes) => {}
        }
    }

    /// Lets everything happen that was to happen until now.
    pub fn advance(&mut self, now: Duration) {
        while let Some(work) = &mut self.work
            && work.deadline() <= now
        {
            let at = work.deadline();
            if let Some((step, _)) = work.unanswered.take() {
                self.unanswered(at, &step);
            } else if let Some(step) = work.steps.pop_front() {
                self.step(at, step);
            } else {
                self.work = None;
            }
        }
    }

    /// When [`Self::advance`] would next do something.
    pub fn deadline(&self) -> Option<Duration> {
        self.work.as_ref().map(Work::deadline)
    }

    /// The till did not answer.
    fn unanswered(&mut self, at: Duration, step: &Step) {
        let Some(work) = &mut self.work else { return };
        work.at = at;
        let is_payment = work.approved.as_ref().is_some_and(|it| it.original.is_none());
        if *step == Step::Tell {
            match self.options.orphan {
                Orphan::Undoes if is_payment => self.undo(at, 0x6C),
                Orphan::Undoes | Orphan::Finishes => self.store(),
            }
        }
    }

    fn step(&mut self, at: Duration, step: Step) {
        let (code, data) = match &step {
            Step::Pause(pause) => return self.pause_until(at + *pause),
            Step::CloseDay => return self.memory.close_day(),
            Step::Approve { cents, original, technology, proof } => {
                let (receipt, trace) = self.memory.number();
                match original {
                    None => self.memory.bank.charge(*cents, trace),
                    Some(original) => self.memory.bank.give_back(*original),
                }
                let (technology, proof) = (*technology, *proof);
                let (cents, original, result) = (*cents, *original, 0);
                let it = Transaction { receipt, trace, cents, result, original, technology, proof };
                self.with_work(|work| work.approved = Some(it));
                return;
            }
            Step::Hint(state) => ([0x04, 0xFF], vec![*state]),
            Step::Tell => {
                let approved = self.work.as_ref().and_then(|work| work.approved.as_ref());
                ([0x04, 0x0F], approved.map(status).unwrap_or_default())
            }
            Step::Say(code, data) => (*code, data.clone()),
        };
        self.with_work(|work| work.unanswered = Some((step, at + ANSWER)));
        self.say(code, &data);
    }

    fn pause_until(&mut self, at: Duration) {
        self.with_work(|work| work.at = at);
    }

    fn with_work(&mut self, change: impl FnOnce(&mut Work)) {
        if let Some(work) = &mut self.work {
            change(work);
        }
    }

    fn say(&mut self, code: [u8; 2], data: &[u8]) {
        let bytes = encode(self.options.transport, code, data);
        if self.faults.contains(&Fault::Duplicate) {
            self.send(bytes.clone());
        }
        self.send(bytes);
    }

    fn send(&mut self, mut bytes: Vec<u8>) {
        if !self.is_connected || self.is_cut || self.faults.contains(&Fault::Silent) {
            return;
        }
        if let Some(left) = &mut self.cut_after {
            if bytes.len() >= *left {
                bytes.truncate(*left);
                self.cut_after = None;
                self.is_cut = true;
            } else {
                *left -= bytes.len();
            }
        }
        self.outbox.push(bytes);
    }
}

fn field(data: &[u8], number: u8, length: usize) -> Option<&[u8]> {
    let content = data.strip_prefix(&[number])?;
    content.get(..length)
}

fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, pair| sum * 100 + u64::from(pair >> 4) * 10 + u64::from(pair & 15))
}
