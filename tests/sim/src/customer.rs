//! Who comes to the kiosk: looks at the screen, thinks, and does what people do.

use domain::{Amount, Lang};
use ui_proto::{Action, ByCard, ChooseAmount, ReceiptState, Screen, View};

use crate::kioskd::{Input, Kioskd};
use crate::oracle::NoteId;
use crate::rig::{Reader, Validator};
use crate::rng::Rng;
use crate::stage::{Happening, Stage};

/// What somebody comes for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whose card.
    pub holder: usize,
    /// Pays so much by bank card, in euro; else in notes.
    pub pays: Option<u16>,
    /// Notes to put in, in euro, the last one first.
    pub notes: Vec<u16>,
    /// Wants the receipt on paper.
    pub wants_paper: bool,
}

/// One person, from coming to leaving.
pub struct Customer {
    rng: Rng,
    /// Counts visitors: what one planned the next does not do.
    number: u32,
    plan: Plan,
    notes: Vec<NoteId>,
    offered: Option<NoteId>,
    leaves_at_ms: u64,
    has_tapped: bool,
    typed: u8,
    card_lies: bool,
    /// Looks in vain at a slot.
    waited: u32,
}

/// What the customer can reach.
pub struct Front<'a> {
    /// Its screen.
    pub kioskd: &'a mut Kioskd,
    /// Its slot.
    pub acceptor: &'a mut dyn Validator,
    /// Its reader.
    pub reader: &'a mut dyn Reader,
}

/// Nobody stays longer.
const PATIENCE_MS: u64 = 480_000;

/// Nobody looks longer at a slot that does nothing.
const WAITS_MAX: u32 = 8;

impl Customer {
    /// Comes.
    pub fn arrive(number: u32, plan: Plan, rng: Rng, stage: &mut Stage) -> Self {
        stage.note("customer", format_args!("{number} comes: {plan:?}"));
        let notes = plan.notes.iter();
        let notes = notes.map(|euro| stage.oracle.new_note(i64::from(*euro) * 100)).collect();
        stage.after(500, Happening::Customer(number));
        Self {
            rng,
            number,
            plan,
            notes,
            offered: None,
            leaves_at_ms: stage.now_ms + PATIENCE_MS,
            has_tapped: false,
            typed: 0,
            card_lies: false,
            waited: 0,
        }
    }

    /// The note that is put in first.
    pub fn first_note(&self) -> Option<NoteId> {
        self.notes.last().copied()
    }

    /// Which visitor this is.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Looks, and does something; `false` = has gone.
    pub fn act(&mut self, front: &mut Front<'_>, stage: &mut Stage) -> bool {
        if stage.now_ms >= self.leaves_at_ms || self.rng.chance(stage.faults.walks_off) {
            self.leave(front, stage);
            return false;
        }
        self.disturb(front, stage);
        let screen = front.kioskd.screen().map(|(view, number)| (view.clone(), number));
        let stays = match screen {
            Some((view, number)) => self.react(&view, number, front, stage),
            None => true,
        };
        if !stays {
            self.leave(front, stage);
            return false;
        }
        let ms = match self.rng.chance(stage.faults.hesitates) {
            true => self.rng.between(10_000, 120_000),
            false => self.rng.between(400, 2_500),
        };
        stage.after(ms, Happening::Customer(self.number));
        true
    }

    /// Somebody else's card; one's own taken too early.
    fn disturb(&mut self, front: &mut Front<'_>, stage: &mut Stage) {
        if self.rng.chance(stage.faults.other_card / 10) {
            let other = (self.plan.holder + 1) % crate::world::HOLDERS;
            front.reader.present(other, stage);
        }
        if self.card_lies && self.rng.chance(stage.faults.card_early) {
            self.card_lies = false;
            front.reader.lift(stage);
        }
    }

    fn leave(&mut self, front: &mut Front<'_>, stage: &mut Stage) {
        stage.note("customer", format_args!("{} leaves", self.number));
        // A card is forgotten on the reader now and then; the next customer pushes it away.
        if self.card_lies && !self.rng.chance(stage.faults.card_early / 10) {
            front.reader.lift(stage);
        }
    }

    /// Says whether there is a reason to stay.
    fn react(
        &mut self,
        view: &View,
        number: u64,
        front: &mut Front<'_>,
        stage: &mut Stage,
    ) -> bool {
        if view.ends_in_s.is_some() && self.rng.coin() {
            self.touch(Action::MoreTime, number, front, stage);
        }
        if self.rng.chance(stage.faults.fumbles) {
            let anything = self.anything();
            self.touch(anything, number, front, stage);
            return true;
        }
        match &view.screen {
            Screen::Starting | Screen::ReadingCard | Screen::CheckingNote { .. } => {}
            Screen::Crediting { .. }
            | Screen::CheckingPayment { .. }
            | Screen::GivingBack { .. } => {}
            Screen::OutOfService { .. } => return self.rng.chance(8_000),
            Screen::Attract { .. } if self.is_done() => return false,
            Screen::Attract { .. } if self.rng.coin() => {
                self.touch(Action::Language(Lang::Ca), number, front, stage);
            }
            Screen::Attract { .. } | Screen::PresentCard => self.tap(front, stage),
            Screen::CardRefused { .. } => {
                self.touch(Action::Confirm, number, front, stage);
                self.typed = 0;
                return self.rng.coin();
            }
            Screen::Pin { digits, .. } => self.type_pin(*digits, number, front, stage),
            Screen::CheckingPin => {
                if self.rng.chance(stage.faults.cancels) {
                    self.touch(Action::Cancel, number, front, stage);
                }
            }
            Screen::Home(home) => {
                let wants_card = self.plan.pays.is_some() && home.by_card == ByCard::Open;
                self.at_home(wants_card, number, front, stage);
            }
            Screen::OfflineHome { .. } => self.at_home(false, number, front, stage),
            Screen::ChooseAmount(choice) => self.choose(choice, number, front, stage),
            Screen::PayAtTerminal { can_cancel, .. } => {
                if *can_cancel && self.rng.chance(stage.faults.cancels / 4) {
                    self.touch(Action::Cancel, number, front, stage);
                }
            }
            Screen::PaymentDeclined { can_retry, .. } => {
                let action = match *can_retry && self.rng.coin() {
                    true => Action::Confirm,
                    false => self.rng.pick(&[Action::Recharge, Action::Back, Action::Cancel]),
                };
                self.plan.pays = self.plan.pays.filter(|_| action == Action::Confirm);
                self.touch(action, number, front, stage);
            }
            Screen::Inserting(inserting) => {
                self.insert(inserting.can_finish, number, front, stage);
            }
            Screen::ConfirmCancel { .. } => self.touch(Action::Confirm, number, front, stage),
            Screen::Review(_) => {
                let action = match self.rng.chance(stage.faults.cancels) {
                    true => Action::Back,
                    false => Action::Confirm,
                };
                self.touch(action, number, front, stage);
            }
            Screen::Done { receipt, .. } => return self.end(receipt, number, front, stage),
            Screen::Goodbye { .. } => return false,
        }
        true
    }

    /// Has been served, or has come in vain.
    fn is_done(&self) -> bool {
        self.has_tapped && self.notes.is_empty() && self.plan.pays.is_none()
    }

    fn at_home(&mut self, by_card: bool, number: u64, front: &mut Front<'_>, stage: &mut Stage) {
        let action = match self.notes.is_empty() {
            _ if self.rng.chance(stage.faults.cancels) => Action::Cancel,
            _ if by_card => Action::PayByCard,
            true => {
                self.plan.pays = None;
                Action::Cancel
            }
            false => Action::Recharge,
        };
        self.touch(action, number, front, stage);
    }

    fn choose(
        &mut self,
        choice: &ChooseAmount,
        number: u64,
        front: &mut Front<'_>,
        stage: &mut Stage,
    ) {
        let wanted = self.plan.pays.map(Amount::euro);
        let action = match choice.amounts.iter().find(|amount| Some(**amount) >= wanted) {
            Some(_) if self.rng.chance(stage.faults.cancels) => Action::Back,
            Some(amount) => Action::Amount(*amount),
            None => {
                self.plan.pays = None;
                Action::Cancel
            }
        };
        self.touch(action, number, front, stage);
    }

    fn tap(&mut self, front: &mut Front<'_>, stage: &mut Stage) {
        self.has_tapped = true;
        self.card_lies = true;
        self.typed = 0;
        front.reader.present(self.plan.holder, stage);
    }

    fn type_pin(&mut self, digits: u8, number: u64, front: &mut Front<'_>, stage: &mut Stage) {
        if digits == 0 {
            self.typed = 0;
        }
        if self.rng.chance(stage.faults.cancels) {
            return self.touch(Action::Cancel, number, front, stage);
        }
        let right = crate::kioskd::RIGHT_PIN.bytes().map(|digit| digit - b'0');
        for digit in right.skip(usize::from(self.typed)) {
            let digit = match self.rng.chance(stage.faults.wrong_pin / 4) {
                true => (digit + 1) % 10,
                false => digit,
            };
            self.typed += 1;
            self.send(Action::Digit(digit), number, front, stage);
        }
        self.touch(Action::Confirm, number, front, stage);
    }

    fn insert(&mut self, can_finish: bool, number: u64, front: &mut Front<'_>, stage: &mut Stage) {
        if self.rng.chance(stage.faults.cancels) {
            return self.touch(Action::Cancel, number, front, stage);
        }
        if let Some(offered) = self.offered
            && stage.oracle.is_in_hand(offered)
        {
            // It came back: with another like it, or never mind.
            self.offered = None;
            if self.rng.coin() {
                let cents = stage.oracle.cents(offered);
                self.notes.push(stage.oracle.new_note(cents));
            }
        }
        self.waited += 1;
        match self.notes.pop() {
            Some(note) if front.acceptor.feed(note, stage) => {
                self.offered = Some(note);
                self.waited = 0;
            }
            // The slot does not draw: again later, or never mind.
            Some(note) if self.waited < WAITS_MAX => self.notes.push(note),
            Some(_) => {}
            None if can_finish => self.touch(Action::Finish, number, front, stage),
            None if self.waited >= WAITS_MAX => self.touch(Action::Cancel, number, front, stage),
            None => {}
        }
    }

    /// The outcome is on the screen.
    fn end(
        &mut self,
        receipt: &ReceiptState,
        number: u64,
        front: &mut Front<'_>,
        stage: &mut Stage,
    ) -> bool {
        self.notes.clear();
        self.plan.pays = None;
        let action = match receipt {
            ReceiptState::Printing => return true,
            ReceiptState::Offer { can_print: true } if self.plan.wants_paper => Action::Print,
            ReceiptState::NotPrinted { .. } => Action::ShowReceipt,
            ReceiptState::Offer { .. } | ReceiptState::Take | ReceiptState::OnScreen { .. } => {
                Action::Confirm
            }
        };
        self.touch(action, number, front, stage);
        true
    }

    fn touch(&mut self, action: Action, number: u64, front: &mut Front<'_>, stage: &mut Stage) {
        if self.rng.chance(stage.faults.double_tap) {
            self.send(action, number, front, stage);
        }
        self.send(action, number, front, stage);
    }

    fn send(&mut self, action: Action, number: u64, front: &mut Front<'_>, stage: &mut Stage) {
        stage.note("customer", format_args!("touches {action:?}"));
        stage.after(20, Happening::Input(front.kioskd.boot(), Input::Action(number, action)));
    }

    fn anything(&mut self) -> Action {
        self.rng.pick(&[
            Action::Language(Lang::De),
            Action::Digit(3),
            Action::Erase,
            Action::Confirm,
            Action::Recharge,
            Action::PayByCard,
            Action::Amount(Amount::euro(20)),
            Action::Finish,
            Action::Back,
            Action::Cancel,
            Action::Print,
            Action::ShowReceipt,
            Action::MoreTime,
        ])
    }
}
