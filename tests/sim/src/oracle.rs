//! Who saw it all: where each physical note is, and what the records say about it. Shares no code
//! with the kiosk's books: it reads the records by itself and panics, naming the invariant, when
//! paper and world disagree. docs/testing.md has the list of the invariants.

mod bank;

use std::collections::{BTreeMap, BTreeSet};

use domain::CardRef;
use kiosk_records::{Account, ClaimBasis, Posting, Record};

use self::bank::Bank;
pub use self::bank::Cards;
use crate::paper::Paper;

/// A physical note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoteId(pub usize);

/// Where a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// With its owner, or in the slot in front of them.
    Hand,
    /// In the machine, where it can still come back.
    Path,
    /// In the machine, past the point of no return.
    Past,
    /// In the cash box that was the so many-th in the unit.
    Box(u32),
    /// Stuck where the customer could still have pulled it back.
    Jammed,
    /// Stuck past the point of no return.
    JammedPast,
    /// The attendant took it out and brought it to the office.
    Office,
}

impl Place {
    /// Past the point of no return.
    const fn is_kiosks(self) -> bool {
        match self {
            Self::Past | Self::Box(_) | Self::JammedPast => true,
            Self::Hand | Self::Path | Self::Jammed | Self::Office => false,
        }
    }
}

#[derive(Clone, Debug)]
struct Note {
    cents: i64,
    place: Place,
    order: Option<u64>,
}

/// What became of an order, as the records say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Stacked,
    Returned,
    Accepted,
    Refused,
    Approved,
    Declined,
    GivenBack,
    NotGivenBack,
}

#[derive(Clone, Debug)]
enum Act {
    Stack { note: NoteId, in_doubt: bool, is_claimed: bool },
    TopUp { card: CardRef, cents: i64, is_late: bool },
    Payment { card: CardRef, cents: i64, is_claimed: bool },
    Reversal { payment: u64 },
}

#[derive(Clone, Debug)]
struct Order {
    act: Act,
    outcome: Option<Outcome>,
}

#[derive(Clone, Debug)]
struct Visit {
    id: u64,
    card: CardRef,
    sums: Sums,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    tendered: i64,
    credited: i64,
    queued: i64,
    claimed: i64,
    given_back: i64,
}

/// What central did under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// On the wallet; else owed by the office.
    pub is_credited: bool,
    /// How much.
    pub cents: i64,
    /// For whom.
    pub card: CardRef,
}

/// The physical truth, and the records beside it.
#[derive(Default)]
pub struct Oracle {
    notes: Vec<Note>,
    /// The note whose arrival in escrow the core was told last.
    in_escrow: Option<NoteId>,
    seq: u64,
    ledger: BTreeMap<Account, i64>,
    visit: Option<Visit>,
    orders: BTreeMap<u64, Order>,
    /// Orders whose one `Stack` was sent.
    stacks_sent: BTreeSet<u64>,
    /// Notes in the box as the records count them.
    in_box: Vec<NoteId>,
    central: BTreeMap<u64, Done>,
    bank: Bank,
    /// The card that has answered for all of what was read since it was selected.
    read: Option<CardRef>,
    /// What the printer does.
    pub paper: Paper,
}

/// Stops the run: an invariant does not hold.
macro_rules! violated {
    ($invariant:literal, $($why:tt)*) => {
        panic!("{}: {}", $invariant, format_args!($($why)*))
    };
}

impl Oracle {
    // ---- the world

    /// A note comes into the world, in its owner's hand.
    pub fn new_note(&mut self, cents: i64) -> NoteId {
        self.notes.push(Note { cents, place: Place::Hand, order: None });
        NoteId(self.notes.len() - 1)
    }

    /// Its face value.
    pub fn cents(&self, note: NoteId) -> i64 {
        self.notes[note.0].cents
    }

    /// Is it where its owner can spend it?
    pub fn is_in_hand(&self, note: NoteId) -> bool {
        self.notes[note.0].place == Place::Hand
    }

    /// Do the records say that it was stacked?
    pub fn is_stacked(&self, note: Option<NoteId>) -> bool {
        let order = note.and_then(|note| self.notes[note.0].order);
        order.is_some_and(|order| self.orders[&order].outcome == Some(Outcome::Stacked))
    }

    /// Was it ever ordered into the cash unit?
    pub fn is_ordered(&self, note: NoteId) -> bool {
        self.notes[note.0].order.is_some()
    }

    /// Was the machine told to move it in?
    pub fn is_stack_sent(&self, note: NoteId) -> bool {
        self.notes[note.0].order.is_some_and(|order| self.stacks_sent.contains(&order))
    }

    /// What is in cash boxes, wherever those are, in cents.
    pub fn boxed(&self) -> i64 {
        let boxed = self.notes.iter().filter(|note| matches!(note.place, Place::Box(_)));
        boxed.map(|note| note.cents).sum()
    }

    /// A note moves.
    pub fn moves(&mut self, note: NoteId, to: Place) {
        let Note { place: from, order, .. } = self.notes[note.0];
        let outcome = order.and_then(|order| self.orders[&order].outcome);
        match to {
            Place::Past | Place::Box(_) if !from.is_kiosks() => {
                let sent = order.is_some_and(|order| self.stacks_sent.contains(&order));
                if !sent {
                    violated!("M2", "{note:?} was stacked, and nobody ordered it");
                }
            }
            Place::Hand | Place::Path => {
                if outcome == Some(Outcome::Stacked) {
                    violated!("M6", "{note:?} is booked as stacked, and comes back");
                }
            }
            Place::Past | Place::Box(_) | Place::Jammed | Place::JammedPast | Place::Office => {}
        }
        if matches!(to, Place::Past | Place::Box(_)) && outcome == Some(Outcome::Returned) {
            violated!("M6", "{note:?} is booked as given back, and was stacked");
        }
        self.notes[note.0].place = to;
    }

    /// The core is told that a note is in escrow.
    pub fn hears_of_escrow(&mut self, note: NoteId) {
        self.in_escrow = Some(note);
    }

    /// The reader has all it reads of a card from this one; `None` = not yet.
    pub fn is_reading(&mut self, card: Option<CardRef>) {
        self.read = card;
    }

    /// The core will be told that this card is here, and genuine.
    pub fn is_told_of_card(&self, card: CardRef) {
        if self.read != Some(card) {
            violated!("S2", "a card is reported that was not wholly read from one genuine card");
        }
    }

    /// The core starts anew and knows of no escrow.
    pub fn kiosk_died(&mut self) {
        self.in_escrow = None;
    }

    /// The shell sends the command that moves a note.
    pub fn sends_stack(&mut self, order: u64) {
        let known = self.orders.get(&order);
        if !known.is_some_and(|order| matches!(order.act, Act::Stack { .. })) {
            violated!("M2", "a note is to be stacked, and no order {order} is on disk");
        }
        if !self.stacks_sent.insert(order) {
            violated!("M2", "order {order} is sent to the validator twice");
        }
    }

    /// The shell asks central to credit a wallet.
    pub fn sends_top_up(&self, order: u64, card: CardRef, cents: i64) {
        match self.orders.get(&order).map(|order| &order.act) {
            Some(Act::TopUp { card: ordered, cents: amount, .. })
                if *ordered == card && *amount == cents => {}
            Some(_) | None => {
                violated!("M2", "a top-up is asked for, and no order {order} like it is on disk")
            }
        }
    }

    /// Central credits a wallet, or books a claim, for good.
    pub fn central_does(&mut self, order: u64, done: Done) {
        if self.central.contains_key(&order) {
            violated!("M9", "central moves money twice under key {order}");
        }
        match self.orders.get(&order).map(|order| &order.act) {
            Some(Act::TopUp { card, cents, .. }) if (*card, *cents) == (done.card, done.cents) => {}
            Some(_) | None => {
                violated!("M9", "central moves money under key {order}, which nobody ordered")
            }
        }
        self.central.insert(order, done);
    }

    // ---- the records

    /// A record is on disk.
    pub fn reads(&mut self, seq: u64, record: &Record) {
        if seq != self.seq + 1 {
            violated!("M8", "record {seq} follows record {}", self.seq);
        }
        self.seq = seq;
        if let Some(posting) = record.posting() {
            self.posts(posting);
        }
        self.reads_kind(seq, record);
        self.checks_totals();
    }

    fn posts(&mut self, posting: &Posting) {
        let off: i64 = posting.lines().iter().map(|line| line.cents).sum();
        if off != 0 {
            violated!("M1", "a posting is off by {off} cents");
        }
        for line in posting.lines() {
            *self.ledger.entry(line.account).or_default() += line.cents;
        }
    }

    fn reads_kind(&mut self, seq: u64, record: &Record) {
        match record {
            Record::SessionStarted { card_ref, .. } => self.begins_visit(seq, *card_ref),
            Record::SessionEnded { tendered, credited, queued, claimed, given_back, .. } => {
                let written = [tendered, credited, queued, claimed, given_back];
                let written = written.map(|amount| amount.cents());
                self.ends_visit(written);
            }
            Record::StackOrdered { note, .. } => self.orders_stack(seq, note.cents()),
            Record::Stacked { intent, posting, .. } => self.books_stacked(intent.0, posting),
            Record::NoteReturned { intent, .. } => self.books_returned(intent.0),
            Record::StackInDoubt { intent, .. } => self.doubts_note(intent.0),
            Record::UnexplainedNote { posting: Some(_), .. } => {
                violated!("M6", "the books count a note that no order explains; there is none");
            }
            Record::TopUpOrdered { card_ref, amount, payment, .. } => {
                let payment = payment.map(|payment| payment.0);
                self.orders_top_up(seq, *card_ref, amount.cents(), payment);
            }
            Record::TopUpQueued { intent, posting } => self.queues_top_up(intent.0, posting),
            Record::TopUpAccepted { intent, posting, .. } => {
                let cents = -posting.effect_on(Account::WalletPayable);
                self.books_answer(intent.0, cents, Outcome::Accepted, posting);
            }
            Record::TopUpRefused { intent, posting, .. } => {
                let cents = -posting.effect_on(Account::ClaimsPayable);
                self.books_answer(intent.0, cents, Outcome::Refused, posting);
            }
            Record::ClaimIssued { basis: ClaimBasis::InDoubt(intent), .. } => {
                self.claims_doubt(intent.0);
            }
            Record::ClaimIssued { basis: ClaimBasis::Credit, amount, .. } => {
                self.here("a claim is issued").sums.claimed += amount.cents();
            }
            Record::CashUnitRemoved { notes, .. } => self.empties_box(*notes),
            Record::PaymentOrdered { amount, .. } => self.orders_payment(seq, amount.cents()),
            Record::PaymentApproved { intent, posting, .. } => {
                self.books_approved(intent.0, posting);
            }
            Record::PaymentDeclined { intent, .. } => self.books_declined(intent.0),
            Record::PaymentInDoubt { intent } => self.doubts_payment(intent.0),
            Record::ReversalOrdered { payment, .. } => self.orders_reversal(seq, payment.0),
            Record::PaymentReversed { intent, posting } => {
                self.books_given_back(intent.0, posting);
            }
            Record::ReversalRefused { intent, .. } => self.books_not_given_back(intent.0),
            Record::CardDayClosed { total, posting, .. } => {
                self.books_day(total.cents(), posting.as_ref());
            }
            Record::ReceiptPrinted => self.paper.is_booked(),
            Record::UnexplainedNote { posting: None, .. }
            | Record::CardDayNotClosed { .. }
            | Record::Booted { .. }
            | Record::NoteHandedBack { .. }
            | Record::RepeatedNote { .. }
            | Record::ReceiptNotPrinted { .. }
            | Record::CashUnitInserted
            | Record::FaultRaised { .. }
            | Record::FaultCleared { .. }
            | Record::HotlistApplied { .. }
            | Record::RulesApplied { .. }
            | Record::ClockStepped { .. } => {}
        }
    }

    fn begins_visit(&mut self, seq: u64, card: CardRef) {
        if self.visit.is_some() {
            violated!("M4", "a visit begins within a visit");
        }
        self.visit = Some(Visit { id: seq, card, sums: Sums::default() });
    }

    fn doubts_note(&mut self, intent: u64) {
        match self.open_order(intent) {
            Act::Stack { in_doubt, .. } => *in_doubt = true,
            other @ (Act::TopUp { .. } | Act::Payment { .. } | Act::Reversal { .. }) => {
                violated!("M3", "{intent} is no note in doubt, but {other:?}")
            }
        }
    }

    fn claims_doubt(&mut self, intent: u64) {
        match self.open_order(intent) {
            Act::Stack { is_claimed, .. } | Act::Payment { is_claimed, .. } => *is_claimed = true,
            other @ (Act::TopUp { .. } | Act::Reversal { .. }) => {
                violated!("M3", "{intent} is claimed, and is {other:?}")
            }
        }
    }

    fn queues_top_up(&mut self, intent: u64, posting: &Posting) {
        let cents = -posting.effect_on(Account::TopUpsQueued);
        let same = matches!(self.open_order(intent),
            Act::TopUp { cents: ordered, .. } if *ordered == cents);
        if !same {
            violated!("M5", "top-up {intent} is queued with another value");
        }
        self.here("a top-up is queued").sums.queued += cents;
    }

    fn empties_box(&mut self, notes: u32) {
        if usize::try_from(notes) != Ok(self.in_box.len()) {
            violated!("M6", "{notes} notes were taken, {} were in", self.in_box.len());
        }
        self.in_box.clear();
    }

    fn orders_stack(&mut self, seq: u64, cents: i64) {
        let Some(note) = self.in_escrow.take() else {
            violated!("M2", "order {seq} is for a note that nobody put in")
        };
        if self.notes[note.0].cents != cents {
            violated!("M6", "order {seq} says {cents} cents, {note:?} is worth another");
        }
        self.here("a note is ordered");
        self.notes[note.0].order = Some(seq);
        let act = Act::Stack { note, in_doubt: false, is_claimed: false };
        self.orders.insert(seq, Order { act, outcome: None });
    }

    fn books_stacked(&mut self, intent: u64, posting: &Posting) {
        let Act::Stack { note, .. } = self.close(intent, Outcome::Stacked) else {
            violated!("M3", "top-up {intent} is booked as a stacked note")
        };
        let Note { cents, place, .. } = self.notes[note.0];
        if !place.is_kiosks() {
            violated!("M6", "{note:?} is booked as stacked, and is at {place:?}");
        }
        if posting.effect_on(Account::Cashbox) != cents {
            violated!("M6", "{note:?} is worth {cents} cents, and booked with another value");
        }
        let credit = -posting.effect_on(Account::CustomerCredit);
        if credit != 0 {
            self.here("a note is credited").sums.tendered += credit;
        }
        self.in_box.push(note);
    }

    fn books_returned(&mut self, intent: u64) {
        let Act::Stack { note, .. } = self.close(intent, Outcome::Returned) else {
            violated!("M3", "top-up {intent} is booked as a returned note")
        };
        let place = self.notes[note.0].place;
        if !matches!(place, Place::Hand | Place::Path) {
            violated!("M6", "{note:?} is booked as given back, and is at {place:?}");
        }
    }

    fn orders_top_up(&mut self, seq: u64, card: CardRef, cents: i64, payment: Option<u64>) {
        let is_late = payment.is_some_and(|payment| self.delivers(seq, payment, card, cents));
        if !is_late && cents != self.credit() {
            violated!("M5", "order {seq} is not for the customer's whole credit");
        }
        if !is_late && self.here("a top-up is ordered").card != card {
            violated!("M5", "order {seq} is for somebody else's card");
        }
        let act = Act::TopUp { card, cents, is_late };
        self.orders.insert(seq, Order { act, outcome: None });
    }

    fn books_answer(&mut self, intent: u64, cents: i64, outcome: Outcome, posting: &Posting) {
        let Act::TopUp { card, is_late, .. } = self.close(intent, outcome) else {
            violated!("M3", "order {intent} is no top-up, and central answers it")
        };
        let is_credited = outcome == Outcome::Accepted;
        if self.central.get(&intent) != Some(&Done { is_credited, cents, card }) {
            violated!("M11", "the books say that central did {intent}; it did not, or not this");
        }
        self.delivered(intent, is_credited);
        if posting.effect_on(Account::CustomerCredit) != 0 {
            let sums = &mut self.here("a top-up is answered").sums;
            *(if is_credited { &mut sums.credited } else { &mut sums.claimed }) += cents;
        } else if !is_late
            && let Some(visit) = self.visit.as_mut().filter(|visit| intent > visit.id)
        {
            // Queued, and answered while its visit is still open.
            visit.sums.queued -= cents;
            let sums = &mut visit.sums;
            *(if is_credited { &mut sums.credited } else { &mut sums.claimed }) += cents;
        }
    }

    fn ends_visit(&mut self, written: [i64; 5]) {
        if self.credit() != 0 {
            violated!("M4", "a visit ends, and the customer is owed {} cents", self.credit());
        }
        let Some(Visit { sums, .. }) = self.visit.take() else {
            violated!("M4", "a visit ends, and none was open")
        };
        let Sums { tendered, credited, queued, claimed, given_back } = sums;
        if written != [tendered, credited, queued, claimed, given_back] {
            violated!("M5", "a visit's sums are written as {written:?}, and were {sums:?}");
        }
        if tendered != credited + queued + claimed + given_back {
            violated!("M5", "of what was tendered not all is accounted for: {sums:?}");
        }
    }

    fn close(&mut self, intent: u64, outcome: Outcome) -> Act {
        let Some(order) = self.orders.get_mut(&intent) else {
            violated!("M3", "an outcome for order {intent}, which does not exist")
        };
        if let Some(before) = order.outcome.replace(outcome) {
            violated!("M3", "order {intent} was {before:?}, and is {outcome:?} now");
        }
        order.act.clone()
    }

    fn open_order(&mut self, intent: u64) -> &mut Act {
        match self.orders.get_mut(&intent) {
            Some(Order { act, outcome: None }) => act,
            Some(_) | None => violated!("M3", "order {intent} is not open"),
        }
    }

    fn here(&mut self, what: &str) -> &mut Visit {
        match &mut self.visit {
            Some(visit) => visit,
            None => violated!("M5", "{what}, and nobody is here"),
        }
    }

    /// What the records say the customer is owed.
    pub fn credit(&self) -> i64 {
        -self.balance(Account::CustomerCredit)
    }

    fn balance(&self, account: Account) -> i64 {
        self.ledger.get(&account).copied().unwrap_or_default()
    }

    fn checks_totals(&self) {
        let counted: i64 = self.in_box.iter().map(|note| self.cents(*note)).sum();
        if self.balance(Account::Cashbox) != counted {
            violated!(
                "M6",
                "the books say {} cents, {counted} are in",
                self.balance(Account::Cashbox)
            );
        }
    }

    // ---- in the end

    /// Whose card the records say is here.
    pub fn card_here(&self) -> Option<CardRef> {
        self.visit.as_ref().map(|visit| visit.card)
    }

    /// Every note is with its owner, or on a wallet, or claimed; nothing waits for an answer.
    pub fn ends_well(&self) {
        if let Some(visit) = &self.visit {
            violated!("L2", "visit {} never ended", visit.id);
        }
        for (seq, order) in &self.orders {
            match (&order.act, order.outcome) {
                (_, Some(_)) | (Act::Stack { is_claimed: true, .. }, None) => {}
                (_, None) => {
                    violated!("L2", "order {seq} is open for ever, and nobody holds a claim")
                }
            }
        }
        for (id, note) in self.notes.iter().enumerate() {
            self.is_accounted_for(NoteId(id), note);
        }
        self.cards_end_well();
        self.central_agrees();
    }

    fn is_accounted_for(&self, id: NoteId, note: &Note) {
        let order = note.order.map(|order| &self.orders[&order]);
        let outcome = order.and_then(|order| order.outcome);
        let with_owner = note.place == Place::Hand;
        let is_well = match (order, outcome) {
            (None, _) | (Some(_), Some(Outcome::Returned)) => with_owner,
            (Some(_), Some(_)) => note.place.is_kiosks(),
            // In doubt: whoever holds the claim has a right to an answer, wherever the note is.
            (Some(_), None) => true,
        };
        if !is_well {
            violated!("L4", "{id:?} is at {:?}, its order ended {outcome:?}", note.place);
        }
    }

    /// The books' totals are central's.
    fn central_agrees(&self) {
        let sum = |is_credited| -> i64 {
            let done = self.central.values().filter(|done| done.is_credited == is_credited);
            done.map(|done| done.cents).sum()
        };
        let (booked, done) = (-self.balance(Account::WalletPayable), sum(true));
        if booked != done {
            violated!("M11", "the books owe central {booked} cents, central credited {done}");
        }
        let refused = self.orders.iter().filter(|(_, it)| it.outcome == Some(Outcome::Refused));
        let refused: i64 = refused.map(|(seq, _)| self.central[seq].cents).sum();
        if refused != sum(false) {
            violated!(
                "M11",
                "the books know of {refused} cents refused, central of {}",
                sum(false)
            );
        }
        let queued = self.balance(Account::TopUpsQueued);
        if queued != 0 {
            violated!("L2", "{queued} cents wait for central for ever");
        }
    }
}
