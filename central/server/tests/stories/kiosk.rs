//! A kiosk as central sees it: a journal, written by hand.

use axum::http::{Method, StatusCode};
use central_api::ProblemKind;
use domain::{Amount, CardRef, Wall};
use kiosk_records::{
    Account, Body, ClaimBasis, ClockTrust, Evidence, Hash, Posting, Record, Sealed, Seq,
    TopUpRefusal,
};
use serde_json::{Value, json};

use crate::rig::{Answer, Town};

/// A kiosk's journal as it writes it.
pub(crate) struct Journal {
    pub(crate) lines: Vec<Sealed>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        let mut journal = Self { lines: Vec::new() };
        journal.write(Record::Booted { version: "0.1.0".into() });
        journal
    }

    pub(crate) fn write(&mut self, record: Record) -> Seq {
        let body = Body {
            schema: Body::SCHEMA,
            boot: 1,
            mono_ms: 0,
            wall_ms: 1_795_240_920_000,
            clock_trust: ClockTrust::Synchronised,
            business_date: Wall::default().business_date(),
            session: None,
            record,
        };
        let (seq, prev_hash) = self.next();
        self.lines.push(Sealed::seal(seq, prev_hash, &body));
        seq
    }

    /// A line whose body is any text, properly sealed.
    pub(crate) fn write_text(&mut self, text: &str) {
        let (seq, prev_hash) = self.next();
        self.lines.push(reseal(seq, prev_hash, text));
    }

    fn next(&self) -> (Seq, Hash) {
        let last = self.lines.last();
        last.map_or((Seq(1), Hash::GENESIS), |last| (last.seq.next(), last.hash))
    }

    /// 20 € into the cash box, for the customer.
    pub(crate) fn stack_twenty(&mut self) {
        let note = Amount::euro(20);
        let intent = self.write(Record::StackOrdered { note, stacked_total: None });
        self.write(Record::Stacked {
            intent,
            evidence: Evidence::Reported,
            posting: Posting::transfer(Account::Cashbox, Account::CustomerCredit, note),
        });
    }

    pub(crate) fn order_top_up(&mut self, town: &Town, id: &str, amount: Amount) -> Seq {
        self.write(Record::TopUpOrdered {
            card_ref: town.card_ref(id),
            amount,
            offline: false,
            at: town.now(),
            payment: None,
        })
    }

    pub(crate) fn accepted(&mut self, intent: Seq, ledger_ref: &str, amount: Amount) {
        let (credit, payable) = (Account::CustomerCredit, Account::WalletPayable);
        self.write(Record::TopUpAccepted {
            intent,
            ledger_ref: ledger_ref.to_owned(),
            posting: Posting::transfer(credit, payable, amount),
        });
    }

    pub(crate) fn refused(&mut self, intent: Seq, amount: Amount) {
        let (credit, claims) = (Account::CustomerCredit, Account::ClaimsPayable);
        self.write(Record::TopUpRefused {
            intent,
            reason: TopUpRefusal::CardNotActive,
            posting: Posting::transfer(credit, claims, amount),
        });
    }
}

/// Bank cards.
impl Journal {
    /// As JSON: some of its words are the drivers' and not central's.
    fn write_json(&mut self, record: Value) -> Seq {
        self.write(serde_json::from_value(record).unwrap())
    }

    pub(crate) fn order_payment(&mut self, amount: Amount) -> Seq {
        self.write(Record::PaymentOrdered { amount, mark: None, at: Wall::default() })
    }

    /// The bank card was charged, and it is owed here.
    pub(crate) fn approved(&mut self, intent: Seq, amount: Amount, owed: Account) {
        self.write_json(json!({
            "kind": "payment_approved",
            "intent": intent,
            "reference": "0017/000042",
            "authorisation_code": "081512",
            "terminal": "52500041",
            "entry": "contactless",
            "posting": Posting::transfer(Account::CardTerminal, owed, amount),
        }));
    }

    pub(crate) fn declined(&mut self, intent: Seq) {
        let reason = "not_carried_out";
        let kind = "payment_declined";
        self.write_json(json!({"kind": kind, "intent": intent, "reason": reason, "vendor": 0}));
    }

    pub(crate) fn reversal_refused(&mut self, intent: Seq) {
        let (kind, reason) = ("reversal_refused", "no_host");
        self.write_json(json!({"kind": kind, "intent": intent, "reason": reason, "vendor": 7}));
    }

    /// The customer is here and pays by bank card.
    pub(crate) fn pay(&mut self, amount: Amount) -> Seq {
        let payment = self.order_payment(amount);
        self.approved(payment, amount, Account::CustomerCredit);
        payment
    }

    pub(crate) fn order_delivery(
        &mut self,
        card_ref: CardRef,
        amount: Amount,
        payment: Seq,
    ) -> Seq {
        let (at, payment) = (Wall::default(), Some(payment));
        self.write(Record::TopUpOrdered { card_ref, amount, offline: false, at, payment })
    }

    pub(crate) fn order_reversal(&mut self, payment: Seq) -> Seq {
        self.write(Record::ReversalOrdered { payment, mark: None, at: Wall::default() })
    }

    pub(crate) fn reversed(&mut self, intent: Seq, amount: Amount) {
        let (claims, terminal) = (Account::ClaimsPayable, Account::CardTerminal);
        let posting = Posting::transfer(claims, terminal, amount);
        self.write(Record::PaymentReversed { intent, posting });
    }

    pub(crate) fn claim(&mut self, intent: Seq, amount: Amount) {
        let basis = ClaimBasis::InDoubt(intent);
        self.write(Record::ClaimIssued { amount, basis, posting: None });
    }

    /// The terminal says `total`, the kiosk's books say `taken`.
    pub(crate) fn close_day(&mut self, total: i64, count: Option<u32>, taken: i64) -> Seq {
        let value = Amount::from_cents(taken.abs()).unwrap();
        let (settled, terminal) = (Account::CardSettled, Account::CardTerminal);
        let posting = match taken.signum() {
            1 => Some(Posting::transfer(settled, terminal, value)),
            -1 => Some(Posting::transfer(terminal, settled, value)),
            _ => None,
        };
        let total = Amount::from_cents(total).unwrap();
        self.write(Record::CardDayClosed { total, count, posting })
    }

    /// A whole recharge by bank card that central credits.
    pub(crate) async fn recharge(&mut self, town: &Town, id: &str, amount: Amount) -> Seq {
        let payment = self.pay(amount);
        let intent = self.order_delivery(town.card_ref(id), amount, payment);
        let answer = town.top_up_by_card(&format!("K0001-{intent}"), id, amount).await;
        self.accepted(intent, answer.body["ledger_ref"].as_str().unwrap(), amount);
        payment
    }

    /// A payment that central does not credit: the office owes it until it is back on the card.
    pub(crate) async fn pay_in_vain(&mut self, town: &Town, amount: Amount) -> Seq {
        let payment = self.pay(amount);
        let intent = self.order_delivery(town.card_ref("lucia"), amount, payment);
        let answer = town.top_up_by_card(&format!("K0001-{intent}"), "lucia", amount).await;
        assert_eq!(answer.body["status"], "refused");
        self.refused(intent, amount);
        payment
    }
}

/// A line with this body and the hash it ought to have.
fn reseal(seq: Seq, prev_hash: Hash, body: &str) -> Sealed {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    hasher.update(prev_hash.0);
    hasher.update(seq.0.to_be_bytes());
    hasher.update(body.as_bytes());
    Sealed { seq, prev_hash, hash: Hash(hasher.finalize().into()), body: body.to_owned() }
}

pub(crate) async fn send(town: &Town, lines: &[Sealed]) -> Answer {
    let batch = json!({"records": lines});
    town.kiosk(Method::POST, "/v1/journal-batches", &[], Some(&batch)).await
}

pub(crate) async fn assert_taken(town: &Town, lines: &[Sealed], acked: u64) {
    let answer = send(town, lines).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.body, json!({"acked": acked}));
}

pub(crate) async fn assert_refused(town: &Town, lines: &[Sealed], problem: ProblemKind) -> Answer {
    let before = town.books("K0001").await;
    let answer = send(town, lines).await;
    assert_eq!(answer.problem(), Some(problem), "{answer:?}");
    assert_eq!(town.books("K0001").await, before, "a refused batch left something behind");
    answer
}
