//! The durable state: money, the cash unit, the visit's sums, open intents. It changes through
//! [`Books::apply`] alone, live and at replay alike, so a crash loses nothing of it.

mod card;
mod intent;
mod ledger;
mod vault;

use std::collections::BTreeMap;

use domain::{Amount, CardRef, Lang, Wall};
use driver_api::acceptor::NotePlace;
use kiosk_records::{Account, ClaimBasis, Record, Seq};
use serde::{Deserialize, Serialize};

pub use self::card::Paid;
pub(crate) use self::intent::operation;
pub use self::intent::{Act, OpenIntent};
pub use self::ledger::Ledger;
pub use self::vault::{Accuracy, CashUnit};

/// All that survives a power cut, folded from the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Books {
    /// The last record applied.
    seq: Seq,
    ledger: Ledger,
    cashbox: CashUnit,
    visit: Option<VisitSums>,
    /// Open intents by the record that opened them.
    intents: BTreeMap<Seq, OpenIntent>,
    last_stacked: Option<LastStacked>,
    /// Bank-card payments that are not delivered yet, by the order that paid.
    paid: BTreeMap<Seq, Paid>,
    /// The first payment by bank card that no end of day has closed.
    card_day: Option<Wall>,
    hotlist_version: u64,
}

/// The money of the visit that is open, as M5 adds it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitSums {
    /// Of `SessionStarted`.
    pub id: Seq,
    /// Whose card.
    pub card_ref: CardRef,
    /// Central was away.
    pub offline: bool,
    /// For what is printed after a power cut.
    pub lang: Lang,
    /// Stacked, and charged to bank cards.
    pub tendered: Amount,
    /// On the wallet.
    pub credited: Amount,
    /// Asked for until central answers.
    pub queued: Amount,
    /// Owed by the office.
    pub claimed: Amount,
    /// Back on the bank card.
    pub given_back: Amount,
}

/// The note stacked last: a device that repeats it after a crash must not be paid twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastStacked {
    /// Its order.
    pub intent: Seq,
    /// Its face value.
    pub note: Amount,
}

/// A record that cannot follow the ones before. From the journal: it was changed, or written by a
/// kioskd with a bug. Live: a bug; the process stops (ADR 0006).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {seq} ({kind}): {why}")]
pub struct BooksError {
    /// Which.
    pub seq: Seq,
    /// Its kind.
    pub kind: &'static str,
    /// What does not fit.
    pub why: &'static str,
}

impl Books {
    /// Applies the record at `seq`, which must be the next one. On an error nothing is usable any
    /// more: the caller stops.
    pub fn apply(&mut self, seq: Seq, record: &Record) -> Result<(), BooksError> {
        self.check_then_apply(seq, record).map_err(|why| BooksError {
            seq,
            kind: record.kind(),
            why,
        })
    }

    fn check_then_apply(&mut self, seq: Seq, record: &Record) -> Result<(), &'static str> {
        require(seq == self.seq.next(), "not the next sequence number")?;
        let closed = match record.closes_intent() {
            Some(intent) => {
                Some(self.intents.remove(&intent).ok_or("closes an intent that is not open (M3)")?)
            }
            None => None,
        };
        if let Some(posting) = record.posting() {
            self.ledger.post(posting)?;
        }
        self.apply_kind(seq, record, closed)?;
        self.seq = seq;
        Ok(())
    }

    /// One family of records after the other; each takes its own and leaves the rest alone.
    fn apply_kind(
        &mut self,
        seq: Seq,
        record: &Record,
        closed: Option<OpenIntent>,
    ) -> Result<(), &'static str> {
        match record {
            Record::SessionStarted { card_ref, offline, lang } => {
                require(self.visit.is_none(), "a visit is open already")?;
                require(self.customer_credit().is_zero(), "credit without a visit (M4)")?;
                self.visit = Some(VisitSums::new(seq, *card_ref, *offline, *lang));
            }
            Record::SessionEnded { tendered, credited, queued, claimed, given_back, .. } => {
                let sums = self.visit.take().ok_or("no visit is open")?;
                let written = [*tendered, *credited, *queued, *claimed, *given_back];
                require(written == sums.parts(), "its sums are not the books' (M5)")?;
                let given = sum(sum(sums.credited, sums.queued)?, sums.claimed)?;
                let given = sum(given, sums.given_back)?;
                require(given == sums.tendered, "tendered is not all accounted for (M5)")?;
                require(self.customer_credit().is_zero(), "the customer is owed (M4)")?;
            }
            Record::StackOrdered { .. }
            | Record::Stacked { .. }
            | Record::NoteReturned { .. }
            | Record::StackInDoubt { .. }
            | Record::UnexplainedNote { .. }
            | Record::RepeatedNote { .. } => self.apply_note(seq, record, closed)?,
            Record::TopUpOrdered { .. }
            | Record::TopUpQueued { .. }
            | Record::TopUpAccepted { .. }
            | Record::TopUpRefused { .. }
            | Record::ClaimIssued { .. } => self.apply_credit(seq, record, closed)?,
            Record::PaymentOrdered { .. }
            | Record::PaymentApproved { .. }
            | Record::PaymentDeclined { .. }
            | Record::PaymentInDoubt { .. }
            | Record::ReversalOrdered { .. }
            | Record::PaymentReversed { .. }
            | Record::ReversalRefused { .. }
            | Record::CardDayClosed { .. } => self.apply_card(seq, record, closed)?,
            Record::CashUnitRemoved { notes, .. } => {
                require(*notes == self.cashbox.notes(), "not the count of the books")?;
                require(self.ledger.balance(Account::Cashbox) == 0, "the box is not emptied")?;
                self.cashbox = CashUnit { present: false, ..CashUnit::default() };
            }
            Record::CashUnitInserted => self.cashbox.present = true,
            Record::HotlistApplied { version } => self.hotlist_version = *version,
            Record::Booted { .. }
            | Record::NoteHandedBack { .. }
            | Record::CardDayNotClosed { .. }
            | Record::ReceiptPrinted
            | Record::ReceiptNotPrinted { .. }
            | Record::FaultRaised { .. }
            | Record::FaultCleared { .. }
            | Record::RulesApplied { .. }
            | Record::ClockStepped { .. } => {}
        }
        Ok(())
    }

    /// Notes on their way in.
    #[expect(clippy::wildcard_enum_match_arm, reason = "one family of records")]
    fn apply_note(
        &mut self,
        seq: Seq,
        record: &Record,
        closed: Option<OpenIntent>,
    ) -> Result<(), &'static str> {
        match record {
            Record::StackOrdered { note, stacked_total } => {
                let visit = self.open_visit()?.id;
                let in_flight = self.intents.values().any(OpenIntent::is_note_in_flight);
                require(!in_flight, "another note is on its way")?;
                let act = Act::Stack {
                    note: *note,
                    stacked_total: *stacked_total,
                    doubt: None,
                    claimed: false,
                };
                self.intents.insert(seq, OpenIntent { visit: Some(visit), act });
                self.last_stacked = None;
            }
            Record::Stacked { intent, posting, .. } => {
                let (visit, note) = expect_stack(closed)?;
                require(posting.effect_on(Account::Cashbox) == note.cents(), "not its value")?;
                self.cashbox.add(note)?;
                if let Some(sums) = self.visit.as_mut().filter(|sums| Some(sums.id) == visit) {
                    // What was claimed while in doubt is the office's, not this visit's.
                    let credit = -posting.effect_on(Account::CustomerCredit);
                    let credit = Amount::from_cents(credit).map_err(|_| "not its value")?;
                    sums.tendered = sum(sums.tendered, credit)?;
                }
                self.last_stacked = Some(LastStacked { intent: *intent, note });
            }
            Record::NoteReturned { .. } => {
                expect_stack(closed)?;
            }
            Record::StackInDoubt { intent, reason } => {
                let open = self.intents.get_mut(intent).ok_or("not an open intent")?;
                open.set_note_in_doubt(*reason)?;
                self.cashbox.accuracy = Accuracy::Inaccurate;
            }
            Record::UnexplainedNote { note, place: NotePlace::CashUnit, .. } => match note {
                Some(note) => self.cashbox.add(*note)?,
                None => self.cashbox.accuracy = Accuracy::Inaccurate,
            },
            Record::RepeatedNote { intent } => {
                let known = self.last_stacked.is_some_and(|last| last.intent == *intent);
                require(known, "no such note was stacked last")?;
            }
            _ => {}
        }
        Ok(())
    }

    /// What the customer is owed, on its way out.
    #[expect(clippy::wildcard_enum_match_arm, reason = "one family of records")]
    fn apply_credit(
        &mut self,
        seq: Seq,
        record: &Record,
        closed: Option<OpenIntent>,
    ) -> Result<(), &'static str> {
        match record {
            Record::TopUpOrdered { card_ref, amount, offline, at, payment } => {
                let act = Act::TopUp {
                    card_ref: *card_ref,
                    amount: *amount,
                    offline: *offline,
                    at: *at,
                    payment: *payment,
                    queued: false,
                };
                self.order_top_up(seq, act)?;
            }
            Record::TopUpQueued { intent, posting } => {
                let open = self.intents.get_mut(intent).ok_or("not an open intent")?;
                let amount = open.set_queued()?;
                require(
                    posting.effect_on(Account::TopUpsQueued) == -amount.cents(),
                    "not its value",
                )?;
                let sums = self.open_visit()?;
                sums.queued = sum(sums.queued, amount)?;
            }
            Record::TopUpAccepted { intent, posting, .. } => {
                let amount = self.close_top_up(closed, |sums| &mut sums.credited)?;
                require(
                    posting.effect_on(Account::WalletPayable) == -amount.cents(),
                    "not its value",
                )?;
                self.paid.retain(|_, paid| paid.top_up != Some(*intent));
            }
            Record::TopUpRefused { intent, posting, .. } => {
                let amount = self.close_top_up(closed, |sums| &mut sums.claimed)?;
                require(
                    posting.effect_on(Account::ClaimsPayable) == -amount.cents(),
                    "not its value",
                )?;
                for paid in self.paid.values_mut().filter(|paid| paid.top_up == Some(*intent)) {
                    paid.is_refused = true;
                }
            }
            Record::ClaimIssued { amount, basis, posting } => match basis {
                ClaimBasis::Credit => {
                    let owed = posting.as_ref().map(|p| p.effect_on(Account::ClaimsPayable));
                    require(owed == Some(-amount.cents()), "not its value")?;
                    let sums = self.open_visit()?;
                    sums.claimed = sum(sums.claimed, *amount)?;
                }
                ClaimBasis::InDoubt(intent) => {
                    require(posting.is_none(), "a note in doubt is not booked")?;
                    let open = self.intents.get_mut(intent).ok_or("not an open intent")?;
                    open.set_claimed(*amount)?;
                }
            },
            _ => {}
        }
        Ok(())
    }

    fn open_visit(&mut self) -> Result<&mut VisitSums, &'static str> {
        self.visit.as_mut().ok_or("no visit is open")
    }

    /// The amount of a top-up just closed, added to a sum of its visit if that is still open and
    /// has not counted it as queued.
    fn close_top_up(
        &mut self,
        closed: Option<OpenIntent>,
        part: impl Fn(&mut VisitSums) -> &mut Amount,
    ) -> Result<Amount, &'static str> {
        let closed = closed.ok_or("closes no intent")?;
        let Act::TopUp { amount, queued, .. } = closed.act else {
            return Err("not a top-up");
        };
        if let Some(sums) = self.visit.as_mut().filter(|sums| Some(sums.id) == closed.visit) {
            if queued {
                sums.queued = sums.queued.checked_sub(amount).ok_or("more than was queued")?;
            }
            let part = part(sums);
            *part = sum(*part, amount)?;
        }
        Ok(amount)
    }

    /// The last record applied.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The accounts.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The acceptor's cash unit.
    pub fn cashbox(&self) -> &CashUnit {
        &self.cashbox
    }

    /// The visit that is open.
    pub fn visit(&self) -> Option<&VisitSums> {
        self.visit.as_ref()
    }

    /// Intents without a final outcome, oldest first.
    pub fn intents(&self) -> impl Iterator<Item = (Seq, &OpenIntent)> {
        self.intents.iter().map(|(seq, open)| (*seq, open))
    }

    /// One open intent.
    pub fn intent(&self, seq: Seq) -> Option<&OpenIntent> {
        self.intents.get(&seq)
    }

    /// Version of the hotlist last applied; 0 = none.
    pub fn hotlist_version(&self) -> u64 {
        self.hotlist_version
    }

    /// What the customer who is here is owed.
    pub fn customer_credit(&self) -> Amount {
        Amount::from_cents(-self.ledger.balance(Account::CustomerCredit))
            .expect("Ledger::post keeps liabilities from going below zero")
    }

    /// Ordered for visits that are over, and not answered yet.
    pub fn queued(&self) -> Amount {
        Amount::from_cents(-self.ledger.balance(Account::TopUpsQueued))
            .expect("Ledger::post keeps liabilities from going below zero")
    }

    /// The note whose order has no outcome and is not in doubt: order and value.
    pub fn note_in_flight(&self) -> Option<(Seq, Amount)> {
        self.intents().find_map(|(seq, open)| match open.act {
            Act::Stack { note, doubt: None, .. } => Some((seq, note)),
            Act::Stack { .. } | Act::TopUp { .. } | Act::Payment { .. } | Act::Reversal { .. } => {
                None
            }
        })
    }

    /// The top-up of the open visit that has no answer.
    pub fn top_up_in_flight(&self) -> Option<(Seq, Amount)> {
        self.intents().find_map(|(seq, open)| match open.act {
            Act::TopUp { amount, queued: false, .. } => Some((seq, amount)),
            Act::Stack { .. } | Act::TopUp { .. } | Act::Payment { .. } | Act::Reversal { .. } => {
                None
            }
        })
    }

    /// The oldest stack order without an outcome, in doubt or not: what a report of the device
    /// after a power cut speaks of.
    pub fn unsettled_stack(&self) -> Option<(Seq, Amount)> {
        let newest = self.intents().filter_map(|(seq, open)| match open.act {
            Act::Stack { note, .. } => Some((seq, note)),
            Act::TopUp { .. } | Act::Payment { .. } | Act::Reversal { .. } => None,
        });
        newest.last()
    }

    /// A note or a payment of this visit in doubt for which the customer holds nothing yet.
    pub fn unclaimed_doubt(&self, visit: Seq) -> Option<(Seq, Amount)> {
        self.intents().find_map(|(seq, open)| {
            let amount = open.unclaimed_doubt().filter(|_| open.visit == Some(visit))?;
            Some((seq, amount))
        })
    }

    /// The note stacked last, if no other was ordered since.
    pub fn last_stacked(&self) -> Option<LastStacked> {
        self.last_stacked
    }
}

impl VisitSums {
    fn new(id: Seq, card_ref: CardRef, offline: bool, lang: Lang) -> Self {
        let zero = Amount::ZERO;
        Self {
            id,
            card_ref,
            offline,
            lang,
            tendered: zero,
            credited: zero,
            queued: zero,
            claimed: zero,
            given_back: zero,
        }
    }

    /// As the record of the visit's end has them.
    const fn parts(&self) -> [Amount; 5] {
        [self.tendered, self.credited, self.queued, self.claimed, self.given_back]
    }
}

fn expect_stack(closed: Option<OpenIntent>) -> Result<(Option<Seq>, Amount), &'static str> {
    match closed.ok_or("closes no intent")? {
        OpenIntent { visit, act: Act::Stack { note, .. } } => Ok((visit, note)),
        _ => Err("not a stack order"),
    }
}

fn require(holds: bool, why: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(why) }
}

fn sum(a: Amount, b: Amount) -> Result<Amount, &'static str> {
    a.checked_add(b).ok_or("more money than there is")
}
