//! A contactless reader with the cards that people hold to it. The oracle sees which card answered
//! for all of what was read.

use std::collections::VecDeque;

use domain::CardRef;
use driver_api::card_reader::Event;
use driver_sim::card::Card;
use driver_sim::reader::{Fault, Model, Reader as Firmware, Reply, Request};

use super::ccid::{Message, What};
use super::link::Cable;
use super::pcsc::Pcsc;
use super::{Due, Wired, plan, town};
use crate::kioskd::Input;
use crate::peripherals::card;
use crate::rig::Reader;
use crate::rng::Rng;
use crate::stage::{Happening, Stage};
use crate::world::HOLDERS;

/// The reader and its field.
pub struct Unit {
    rng: Rng,
    model: Model,
    firmware: Firmware,
    is_powered: bool,
    /// Asked, and not answered yet: a reader that hangs does that when it has come to itself.
    asked: VecDeque<Message>,
    /// To be said, not before its time.
    says: VecDeque<(u64, Message)>,
    /// The one card in the field, if it is ours.
    lies: Option<usize>,
    /// It was selected, is still the same, and has answered so often since.
    selected: Option<(CardRef, u32)>,
    /// Counts what people do: what one planned the next does not do.
    turn: u32,
}

/// Something planned.
#[derive(Clone, Copy, Debug)]
pub enum Tick {
    /// Something breaks, or is over.
    Break(Fault, bool),
    /// In this turn the card is moved out of the field.
    Leave(u32),
    /// In this turn this holder's card is held to it; one that lies there makes way.
    Come(u32, usize),
}

/// What can be wrong with a card, or is held to the reader in its place.
#[derive(Clone, Copy)]
enum Trouble {
    Bank,
    Counterfeit,
    Several,
    Restless,
    Swapped,
    Broken(Fault),
}

const TROUBLES: [Trouble; 7] = [
    Trouble::Bank,
    Trouble::Counterfeit,
    Trouble::Several,
    Trouble::Restless,
    Trouble::Swapped,
    Trouble::Broken(Fault::CardNotAnswering),
    Trouble::Broken(Fault::Garbage),
];

/// A card of ours is read with so many answers at the least: readers may keep their two keys.
const ANSWERS_MIN: u32 = 12;

/// Reading takes about as long.
const READING_MS: u64 = 400;

/// What hangs does so no longer.
const HANGS_MS_MAX: u64 = 20_000;

/// What answers nonsense does so no longer.
const NONSENSE_MS_MAX: u64 = 3_000;

/// With an empty field.
pub fn wired(rng: &Rng) -> Wired<Unit> {
    Wired::new(Unit::new(rng.clone()), Cable::Packets, rng)
}

impl Unit {
    fn new(mut rng: Rng) -> Self {
        let model = rng.pick(&Model::ALL);
        Self {
            rng,
            model,
            firmware: Firmware::new(model),
            is_powered: true,
            asked: VecDeque::new(),
            says: VecDeque::new(),
            lies: None,
            selected: None,
            turn: 0,
        }
    }

    // ---- what people do

    fn present(&mut self, holder: usize, stage: &mut Stage) {
        self.turn += 1;
        let is_troubled = self.rng.chance(stage.faults.card_unreadable);
        match is_troubled.then(|| self.rng.pick(&TROUBLES)) {
            None => self.lay_own(holder, stage),
            Some(Trouble::Bank) => self.lay(None, [Card::bank([1, 2, 3])], stage),
            Some(Trouble::Counterfeit) => self.lay(None, [town::counterfeit()], stage),
            Some(Trouble::Several) => {
                self.lay(None, [town::genuine(holder), Card::bank([1, 2, 3])], stage);
            }
            Some(Trouble::Restless) => {
                self.lay_own(holder, stage);
                let leaves = self.rng.below(READING_MS);
                plan::<Self>(leaves, Tick::Leave(self.turn), stage);
                let comes = leaves + self.rng.between(1, 300);
                plan::<Self>(comes, Tick::Come(self.turn, holder), stage);
            }
            Some(Trouble::Swapped) => {
                self.lay_own(holder, stage);
                let (ms, other) = (self.rng.below(READING_MS), (holder + 1) % HOLDERS);
                plan::<Self>(ms, Tick::Come(self.turn, other), stage);
            }
            Some(Trouble::Broken(fault)) => {
                self.lay_own(holder, stage);
                self.breaks(fault, NONSENSE_MS_MAX, stage);
            }
        }
        if self.rng.chance(stage.faults.reader_hangs) {
            self.breaks(Fault::Silent, HANGS_MS_MAX, stage);
        }
        if self.rng.chance(stage.faults.reader_line) {
            let (begin, ms) = (self.rng.below(READING_MS), self.rng.between(200, 10_000));
            stage.after(begin, Happening::Wired(Due::Reader(super::Tick::Unplug(ms))));
        }
    }

    fn breaks(&mut self, fault: Fault, ms_max: u64, stage: &mut Stage) {
        let begin = self.rng.below(READING_MS);
        plan::<Self>(begin, Tick::Break(fault, true), stage);
        let end = begin + self.rng.between(100, ms_max);
        plan::<Self>(end, Tick::Break(fault, false), stage);
    }

    fn lay_own(&mut self, holder: usize, stage: &mut Stage) {
        self.lay(Some(holder), [town::genuine(holder)], stage);
    }

    /// One card for another, too fast to see.
    fn lay<const N: usize>(&mut self, holder: Option<usize>, cards: [Card; N], stage: &mut Stage) {
        self.clear(stage);
        stage.note("reader", format_args!("{N} lie there, ours: {holder:?}"));
        self.firmware.tap_together(cards);
        self.lies = holder;
        self.says_unasked(true, stage);
    }

    fn clear(&mut self, stage: &mut Stage) {
        if self.firmware.remove().is_empty() {
            return;
        }
        stage.note("reader", format_args!("nothing lies there"));
        self.lies = None;
        self.selected = None;
        for (_, message) in &mut self.says {
            if let What::Data(answer) = &mut message.what {
                // What some readers make of a card that left in the middle.
                *answer = self.rng.pick(&[&[][..], &[0x90], &[0x64, 0x00]]).to_vec();
            }
        }
        self.says_unasked(false, stage);
    }

    // ---- what it does

    fn obey(&mut self, message: &Message, stage: &mut Stage) {
        let (reply, ms) = match &message.what {
            What::GetSlotStatus => (None, 1),
            What::PowerOn => {
                let answer = self.ask(Request::PowerUp);
                let lies = self.lies.filter(|_| answer.is_some());
                self.selected = lies.map(|holder| (card(holder).card_ref, 0));
                stage.oracle.is_reading(None);
                (answer, self.rng.between(20, 60))
            }
            What::Transmit(apdu) => {
                let answer = self.ask(Request::Transmit(apdu));
                if let Some((card, answers)) = self.selected.as_mut().filter(|_| answer.is_some()) {
                    *answers += 1;
                    stage.oracle.is_reading(Some(*card).filter(|_| *answers >= ANSWERS_MIN));
                }
                (answer, self.rng.between(3, 40))
            }
            What::Data(_) | What::SlotStatus(_) | What::SlotChange(_) => return,
        };
        let what = match reply {
            Some(answer) => What::Data(answer),
            None => What::SlotStatus(self.firmware.is_occupied()),
        };
        self.says(ms, Message { seq: message.seq, what }, stage);
    }

    fn ask(&self, request: Request<'_>) -> Option<Vec<u8>> {
        match self.firmware.ask_now(request)? {
            Reply::Answer(data) => Some(data),
            Reply::NoCard | Reply::NotSupported => None,
        }
    }

    fn says_unasked(&mut self, is_occupied: bool, stage: &Stage) {
        self.says(0, Message { seq: 0, what: What::SlotChange(is_occupied) }, stage);
    }

    /// In so many ms, and behind what it was going to say.
    fn says(&mut self, ms: u64, message: Message, stage: &Stage) {
        let last = self.says.back().map_or(0, |(at, _)| *at);
        self.says.push_back((last.max(stage.now_ms + ms), message));
    }

    fn sets(&self, fault: Fault, on: bool, stage: &mut Stage) {
        stage.note("reader", format_args!("{}: {on}", fault.name()));
        self.firmware.set_fault(fault, on);
    }

    fn hangs(&self) -> bool {
        self.firmware.faults().contains(&Fault::Silent)
    }
}

impl super::Unit for Unit {
    type Driver = Pcsc;
    type Tick = Tick;

    fn due(tick: super::Tick<Tick>) -> Due {
        Due::Reader(tick)
    }

    fn driver(&mut self, _stage: &Stage) -> Pcsc {
        Pcsc::new(self.model.pcsc_name(), town::verifier())
    }

    fn power(&mut self, on: bool, stage: &mut Stage) {
        if std::mem::replace(&mut self.is_powered, on) == on {
            return;
        }
        self.selected = None;
        // It comes back without what ailed it.
        for fault in Fault::ALL {
            self.sets(fault, false, stage);
        }
    }

    /// Its USB is fed from where it is.
    fn has_port(&self) -> bool {
        self.is_powered
    }

    fn host_gone(&mut self, _stage: &mut Stage) {}

    /// What was said to another is not for this one, which asks anew.
    fn opened(&mut self, _stage: &mut Stage) {
        self.asked.clear();
        self.says.clear();
    }

    fn advance(&mut self, stage: &mut Stage) {
        while !self.hangs()
            && let Some(message) = self.asked.pop_front()
        {
            self.obey(&message, stage);
        }
    }

    fn deadline_ms(&self) -> Option<u64> {
        self.says.front().map(|(at, _)| *at)
    }

    fn happens(&mut self, tick: Tick, stage: &mut Stage) {
        match tick {
            Tick::Break(fault, on) => self.sets(fault, on, stage),
            Tick::Leave(turn) if turn == self.turn => self.clear(stage),
            Tick::Come(turn, holder) if turn == self.turn => self.lay_own(holder, stage),
            Tick::Leave(_) | Tick::Come(..) => {}
        }
    }

    fn receive(&mut self, bytes: &[u8], _stage: &mut Stage) {
        self.asked.extend(Message::decode(bytes));
    }

    fn poll_answer(&mut self, stage: &mut Stage) -> Option<Vec<u8>> {
        let (_, message) = self.says.pop_front_if(|(at, _)| *at <= stage.now_ms)?;
        Some(message.encode())
    }

    fn reports(&mut self, event: Event, stage: &mut Stage) -> Input {
        if let Event::Presented(card) = &event {
            stage.oracle.is_told_of_card(card.card_ref);
        }
        Input::Reader(event)
    }
}

impl Reader for Wired<Unit> {
    fn present(&mut self, holder: usize, stage: &mut Stage) {
        self.operate(stage, |unit, stage| unit.present(holder, stage));
    }

    fn lift(&mut self, stage: &mut Stage) {
        self.operate(stage, |unit, stage| {
            unit.turn += 1;
            unit.clear(stage);
        });
    }

    fn wired(&mut self, tick: super::Tick<Tick>, stage: &mut Stage) {
        self.happens(tick, stage);
    }
}
