//! What bank cards paid: from the order to the wallet, or back to the card.

use domain::{Amount, CardRef, Wall};
use driver_api::payment_terminal::{Payment, Reference};
use kiosk_records::{Account, Posting, Record, Seq};
use serde::{Deserialize, Serialize};

use super::intent::operation;
use super::{Act, Books, OpenIntent, require, sum};

/// A bank-card payment that is not delivered: the wallet it is for has not got it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// In which visit it was ordered.
    visit: Option<Seq>,
    /// Whose wallet it is for.
    pub card_ref: CardRef,
    /// How much.
    pub amount: Amount,
    /// The terminal's name for it.
    reference: Reference,
    /// The customer had gone, or held a claim, when it turned out to be paid.
    pub is_late: bool,
    /// The order that is to deliver it.
    pub(super) top_up: Option<Seq>,
    /// Central will not credit it: it goes back to the bank card.
    pub(super) is_refused: bool,
    /// How often the terminal refused to give it back.
    refusals: u8,
}

impl Paid {
    /// After so many refusals of the terminal to give it back, the office does.
    const REFUSALS_MAX: u8 = 5;

    /// As its terminal finds it again; `order` is the one that paid.
    pub(crate) fn payment(&self, order: Seq) -> Payment {
        Payment {
            operation: operation(order),
            amount: self.amount,
            reference: self.reference.clone(),
        }
    }

    /// Has nobody been told yet to deliver it?
    pub const fn is_unordered(&self) -> bool {
        self.top_up.is_none()
    }
}

impl Books {
    /// Orders to the terminal.
    #[expect(clippy::wildcard_enum_match_arm, reason = "one family of records")]
    pub(super) fn apply_card(
        &mut self,
        seq: Seq,
        record: &Record,
        closed: Option<OpenIntent>,
    ) -> Result<(), &'static str> {
        match record {
            Record::PaymentOrdered { amount, mark, at } => {
                require(self.at_terminal().is_none(), "another order is at the terminal")?;
                let visit = self.open_visit()?;
                let act = Act::Payment {
                    card_ref: visit.card_ref,
                    amount: *amount,
                    mark: mark.clone(),
                    at: *at,
                    in_doubt: false,
                    claimed: false,
                };
                let visit = Some(visit.id);
                self.intents.insert(seq, OpenIntent { visit, act });
            }
            Record::PaymentApproved { intent, reference, posting, .. } => {
                self.approved(*intent, closed, reference, posting)?;
            }
            Record::PaymentDeclined { .. } => {
                let open = closed.ok_or("closes no intent")?;
                require(matches!(open.act, Act::Payment { .. }), "not a payment")?;
            }
            Record::PaymentInDoubt { intent } => {
                let open = self.intents.get_mut(intent).ok_or("not an open intent")?;
                open.set_payment_in_doubt()?;
            }
            Record::ReversalOrdered { payment, mark, at } => {
                require(self.at_terminal().is_none(), "another order is at the terminal")?;
                let paid = self.paid.get(payment).ok_or("not an open payment")?;
                require(paid.is_refused, "it is to be delivered, not given back")?;
                let (visit, payment) = (paid.visit, paid.payment(*payment));
                let (mark, at) = (mark.clone(), *at);
                let act = Act::Reversal { payment, mark, at, in_doubt: false };
                self.intents.insert(seq, OpenIntent { visit, act });
            }
            Record::PaymentReversed { posting, .. } => self.reversed(closed, posting)?,
            Record::ReversalRefused { .. } => {
                let (_, payment, _) = expect_reversal(closed)?;
                let paid = self.paid.get_mut(&payment).ok_or("not an open payment")?;
                paid.refusals += 1;
                if paid.refusals >= Paid::REFUSALS_MAX {
                    self.paid.remove(&payment);
                }
            }
            Record::CardDayClosed { .. } => {
                require(self.at_terminal().is_none(), "an order is at the terminal")?;
                let rest = self.ledger.balance(Account::CardTerminal);
                require(rest == 0, "not what the books say was taken")?;
                self.card_day = None;
            }
            _ => {}
        }
        Ok(())
    }

    fn approved(
        &mut self,
        intent: Seq,
        closed: Option<OpenIntent>,
        reference: &Reference,
        posting: &Posting,
    ) -> Result<(), &'static str> {
        let Some(OpenIntent { visit, act: Act::Payment { card_ref, at, claimed, .. } }) = closed
        else {
            return Err("not a payment");
        };
        // What the bank says it took, should that not be what was ordered.
        let cents = posting.effect_on(Account::CardTerminal);
        let amount = Amount::from_cents(cents).map_err(|_| "not its value")?;
        require(!amount.is_zero(), "nothing was paid")?;
        let is_late = posting.effect_on(Account::TopUpsQueued) == -cents;
        if !is_late {
            let credited = posting.effect_on(Account::CustomerCredit) == -cents;
            require(credited && !claimed, "not credited to whom it belongs")?;
            let sums = self.visit.as_mut().filter(|sums| Some(sums.id) == visit);
            let sums = sums.ok_or("its visit is over")?;
            sums.tendered = sum(sums.tendered, amount)?;
        }
        let paid = Paid {
            visit,
            card_ref,
            amount,
            reference: reference.clone(),
            is_late,
            top_up: None,
            is_refused: false,
            refusals: 0,
        };
        self.paid.insert(intent, paid);
        self.card_day.get_or_insert(at);
        Ok(())
    }

    fn reversed(
        &mut self,
        closed: Option<OpenIntent>,
        posting: &Posting,
    ) -> Result<(), &'static str> {
        let (visit, payment, at) = expect_reversal(closed)?;
        let paid = self.paid.remove(&payment).ok_or("not an open payment")?;
        let cents = paid.amount.cents();
        require(posting.effect_on(Account::CardTerminal) == -cents, "not its value")?;
        require(posting.effect_on(Account::ClaimsPayable) == cents, "not its value")?;
        if !paid.is_late
            && let Some(sums) = self.visit.as_mut().filter(|sums| Some(sums.id) == visit)
        {
            sums.claimed = sums.claimed.checked_sub(paid.amount).ok_or("more than was claimed")?;
            sums.given_back = sum(sums.given_back, paid.amount)?;
        }
        self.card_day.get_or_insert(at);
        Ok(())
    }

    /// A top-up that delivers a payment: of the open visit's credit, or late and so queued at once.
    pub(super) fn order_top_up(&mut self, seq: Seq, mut act: Act) -> Result<(), &'static str> {
        let Act::TopUp { amount, payment, queued, .. } = &mut act else {
            return Err("not a top-up");
        };
        let mut is_late = false;
        if let Some(payment) = payment {
            let paid = self.paid.get_mut(payment).ok_or("not an open payment")?;
            require(paid.top_up.is_none(), "ordered twice")?;
            require(paid.amount == *amount, "not its value")?;
            paid.top_up = Some(seq);
            is_late = paid.is_late;
        }
        let visit = if is_late {
            *queued = true;
            None
        } else {
            require(self.top_up_in_flight().is_none(), "ordered twice")?;
            require(*amount == self.customer_credit(), "not the customer's whole credit")?;
            Some(self.open_visit()?.id)
        };
        self.intents.insert(seq, OpenIntent { visit, act });
        Ok(())
    }

    /// The one order whose outcome the terminal knows.
    pub fn at_terminal(&self) -> Option<(Seq, &OpenIntent)> {
        self.intents().find(|(_, open)| open.is_at_terminal())
    }

    /// Is the customer of this payment still here, and without a claim for it?
    pub(crate) fn is_awaited(&self, intent: Seq) -> bool {
        let visit = self.visit.as_ref().map(|sums| sums.id);
        self.intent(intent)
            .is_some_and(|open| visit.is_some() && open.visit == visit && !open.is_claimed())
    }

    /// What bank cards paid and no wallet has got, by the order that paid.
    pub fn paid(&self) -> impl Iterator<Item = (Seq, &Paid)> {
        self.paid.iter().map(|(seq, paid)| (*seq, paid))
    }

    /// The oldest payment that goes back to its bank card.
    pub fn to_give_back(&self) -> Option<(Seq, &Paid)> {
        self.paid().find(|(_, paid)| paid.is_refused)
    }

    /// The oldest payment or reversal that no end of day of the terminal has closed: when.
    pub const fn card_day(&self) -> Option<Wall> {
        self.card_day
    }
}

fn expect_reversal(closed: Option<OpenIntent>) -> Result<(Option<Seq>, Seq, Wall), &'static str> {
    match closed.ok_or("closes no intent")? {
        OpenIntent { visit, act: Act::Reversal { payment, at, .. } } => {
            Ok((visit, Seq(payment.operation.0.into()), at))
        }
        _ => Err("not a reversal"),
    }
}
