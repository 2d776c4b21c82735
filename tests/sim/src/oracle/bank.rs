//! Money in the bank is a place too: what bank cards were charged, and what the records say of it.

use std::collections::{BTreeMap, BTreeSet};

use domain::CardRef;
use driver_api::payment_terminal::Operation;
use kiosk_records::{Account, Posting};

use super::{Act, Oracle, Order, Outcome};

/// The bank behind the terminal, and the payments that no wallet has got.
#[derive(Default)]
pub(super) struct Bank {
    /// Orders sent to the terminal.
    sent: BTreeSet<u64>,
    charges: BTreeMap<u64, Charge>,
    paid: BTreeMap<u64, Paid>,
    /// Closed by the terminal in days that are not on record, in cents: the kiosk may never hear.
    closed_days: i64,
    /// On wallets, in cents.
    credited: i64,
}

/// What became of bank cards, in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cards {
    /// Payments that were ordered.
    pub ordered: usize,
    /// Taken off bank cards, whatever became of it.
    pub charged: i64,
    /// Of that, back on them.
    pub given_back: i64,
    /// Of that, on wallets.
    pub credited: i64,
}

#[derive(Clone, Copy, Debug)]
struct Charge {
    cents: i64,
    is_given_back: bool,
}

/// Approved, says the record.
#[derive(Clone, Copy, Debug)]
struct Paid {
    card: CardRef,
    cents: i64,
    /// The customer was gone, or held a claim.
    is_late: bool,
    top_up: Option<u64>,
    is_refused: bool,
}

/// Stops the run: an invariant does not hold.
macro_rules! violated {
    ($invariant:literal, $($why:tt)*) => {
        panic!("{}: {}", $invariant, format_args!($($why)*))
    };
}

impl Oracle {
    // ---- the world

    /// The shell sends an order that moves value to the terminal.
    pub fn sends_to_terminal(&mut self, order: u64) {
        match self.orders.get(&order) {
            Some(Order { act: Act::Payment { .. } | Act::Reversal { .. }, outcome: None }) => {}
            Some(_) | None => violated!("M2", "the terminal is told {order}, which is not open"),
        }
        if !self.bank.sent.insert(order) {
            violated!("M2", "order {order} is sent to the terminal twice");
        }
    }

    /// A bank card is charged.
    pub fn bank_charges(&mut self, operation: Operation, cents: i64) {
        let order = u64::from(operation.0);
        match self.orders.get(&order) {
            Some(Order { act: Act::Payment { cents: ordered, .. }, outcome: None })
                if *ordered == cents => {}
            other => violated!("M12", "{cents} cents are charged for {order}, which is {other:?}"),
        }
        let charge = Charge { cents, is_given_back: false };
        if self.bank.charges.insert(order, charge).is_some() {
            violated!("M12", "a bank card is charged twice for {order}");
        }
    }

    /// And gets it back.
    pub fn bank_gives_back(&mut self, payment: Operation) {
        match self.bank.charges.get_mut(&u64::from(payment.0)) {
            Some(charge) if !charge.is_given_back => charge.is_given_back = true,
            other => violated!("M12", "{payment:?} is given back, and is {other:?}"),
        }
    }

    /// So many bank cards were charged.
    pub fn charges(&self) -> usize {
        self.bank.charges.len()
    }

    /// The terminal closes its day.
    pub fn terminal_closes(&mut self, cents: i64) {
        self.bank.closed_days += cents;
    }

    // ---- the records

    pub(super) fn orders_payment(&mut self, seq: u64, cents: i64) {
        let card = self.here("a payment is ordered").card;
        self.orders_at_terminal(seq, Act::Payment { card, cents, is_claimed: false });
    }

    pub(super) fn orders_reversal(&mut self, seq: u64, payment: u64) {
        if !self.bank.paid.get(&payment).is_some_and(|paid| paid.is_refused) {
            violated!("M12", "{payment} is to be given back, and was not refused");
        }
        self.orders_at_terminal(seq, Act::Reversal { payment });
    }

    pub(super) fn books_declined(&mut self, intent: u64) {
        self.close(intent, Outcome::Declined);
        let charge = self.bank.charges.get(&intent);
        if let Some(charge) = charge.filter(|charge| !charge.is_given_back) {
            violated!("M12", "{intent} is booked as declined, and is {charge:?}");
        }
    }

    pub(super) fn doubts_payment(&mut self, intent: u64) {
        match self.open_order(intent) {
            Act::Payment { .. } | Act::Reversal { .. } => {}
            other @ (Act::Stack { .. } | Act::TopUp { .. }) => {
                violated!("M3", "{intent} is in doubt at the terminal, and is {other:?}")
            }
        }
    }

    pub(super) fn books_not_given_back(&mut self, intent: u64) {
        let payment = self.close_reversal(intent, Outcome::NotGivenBack);
        if self.bank.charges[&payment].is_given_back {
            violated!("M12", "{payment} is booked as not given back, and was");
        }
    }

    pub(super) fn books_day(&mut self, total: i64, posting: Option<&Posting>) {
        let settled = posting.map_or(0, |posting| posting.effect_on(Account::CardSettled));
        let closed = std::mem::take(&mut self.bank.closed_days);
        if settled != closed || total > closed.max(0) {
            violated!("M13", "a day is closed with {settled}, the terminal took {closed}");
        }
    }

    fn orders_at_terminal(&mut self, seq: u64, act: Act) {
        let open = self.orders.iter().find(|(_, order)| {
            let is_at_terminal = matches!(order.act, Act::Payment { .. } | Act::Reversal { .. });
            is_at_terminal && order.outcome.is_none()
        });
        if let Some((open, _)) = open {
            violated!("M12", "{seq} is ordered, and what became of {open} is not known");
        }
        self.orders.insert(seq, Order { act, outcome: None });
    }

    pub(super) fn books_approved(&mut self, intent: u64, posting: &Posting) {
        let Act::Payment { card, cents, .. } = self.close(intent, Outcome::Approved) else {
            violated!("M3", "{intent} is booked as a payment, and is none")
        };
        let charge = self.bank.charges.get(&intent).filter(|charge| !charge.is_given_back);
        let charged = charge.map(|charge| charge.cents);
        let booked = posting.effect_on(Account::CardTerminal);
        if charged != Some(booked) {
            violated!("M12", "{intent} is booked with {booked} cents, charged were {charged:?}");
        }
        let credit = -posting.effect_on(Account::CustomerCredit);
        if credit != 0 {
            self.here("a payment is credited").sums.tendered += credit;
        }
        let is_late = credit == 0;
        let paid = Paid { card, cents, is_late, top_up: None, is_refused: false };
        self.bank.paid.insert(intent, paid);
    }

    pub(super) fn books_given_back(&mut self, intent: u64, posting: &Posting) {
        let payment = self.close_reversal(intent, Outcome::GivenBack);
        let Charge { cents, is_given_back } = self.bank.charges[&payment];
        if !is_given_back || posting.effect_on(Account::CardTerminal) != -cents {
            violated!("M12", "{payment} is booked as given back, and is not, or not so much");
        }
        let paid = self.bank.paid.remove(&payment);
        let is_here = self.visit.as_ref().is_some_and(|visit| payment > visit.id);
        if is_here && paid.is_some_and(|paid| !paid.is_late) {
            let sums = &mut self.here("a payment is given back").sums;
            sums.claimed -= cents;
            sums.given_back += cents;
        }
    }

    fn close_reversal(&mut self, intent: u64, outcome: Outcome) -> u64 {
        match self.close(intent, outcome) {
            Act::Reversal { payment } => payment,
            other @ (Act::Stack { .. } | Act::TopUp { .. } | Act::Payment { .. }) => {
                violated!("M3", "{intent} is booked as a reversal, and is {other:?}")
            }
        }
    }

    /// A top-up that delivers a payment; says whether it is late.
    pub(super) fn delivers(&mut self, seq: u64, payment: u64, card: CardRef, cents: i64) -> bool {
        match self.bank.paid.get_mut(&payment) {
            Some(paid) if (paid.card, paid.cents, paid.top_up) == (card, cents, None) => {
                paid.top_up = Some(seq);
                paid.is_late
            }
            other => violated!("M12", "top-up {seq} is to deliver {payment}, which is {other:?}"),
        }
    }

    /// Central's word on a top-up, if that delivers a payment.
    pub(super) fn delivered(&mut self, top_up: u64, is_credited: bool) {
        let paid = self.bank.paid.iter_mut().find(|(_, paid)| paid.top_up == Some(top_up));
        let Some((payment, paid)) = paid else { return };
        let payment = *payment;
        paid.is_refused = !is_credited;
        if is_credited {
            self.bank.credited += paid.cents;
            self.bank.paid.remove(&payment);
        }
    }

    // ---- in the end

    /// What became of bank cards.
    pub fn cards(&self) -> Cards {
        let orders = self.orders.values();
        let charges = self.bank.charges.values();
        let given_back = charges.clone().filter(|charge| charge.is_given_back);
        Cards {
            ordered: orders.filter(|order| matches!(order.act, Act::Payment { .. })).count(),
            charged: charges.map(|charge| charge.cents).sum(),
            given_back: given_back.map(|charge| charge.cents).sum(),
            credited: self.bank.credited,
        }
    }

    /// Every bank card was charged for something: on a wallet, given back, or owed by the office.
    pub(super) fn cards_end_well(&self) {
        for (order, charge) in &self.bank.charges {
            match self.orders.get(order).and_then(|order| order.outcome) {
                Some(Outcome::Approved) => {}
                // The terminal undid it by itself.
                Some(Outcome::Declined) if charge.is_given_back => {}
                outcome => violated!("M12", "{order} is {charge:?}, and for the books {outcome:?}"),
            }
        }
        let open = self.bank.paid.iter().find(|(_, paid)| !paid.is_refused);
        if let Some((payment, paid)) = open {
            violated!("L2", "{payment} is never delivered: {paid:?}");
        }
    }
}
