//! Any mix of payments, reversals and ends of day, in any batches: the books are those of a simple
//! count, and agree at every step.

use axum::http::StatusCode;
use domain::Amount;
use kiosk_records::{Account, Record, Seq};
use proptest::prelude::*;

use crate::kiosk::{Journal, send};
use crate::rig::Town;

/// What a kiosk does next.
#[derive(Clone, Debug)]
enum Op {
    /// A bank card is charged for ana, or for lucia, whom central does not credit.
    Pay {
        euro: u16,
        creditable: bool,
        in_doubt: bool,
    },
    Decline {
        in_doubt: bool,
    },
    /// Central is asked about the oldest payment it was not asked about.
    AskCentral,
    /// The oldest refused payment is given back, or not.
    GiveBack {
        works: bool,
    },
    CloseDay,
    /// The journal up to here goes to central, with some lines it has already.
    Sync {
        again: usize,
    },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (10u16..40, any::<bool>(), any::<bool>())
            .prop_map(|(euro, creditable, in_doubt)| Op::Pay { euro, creditable, in_doubt }),
        1 => any::<bool>().prop_map(|in_doubt| Op::Decline { in_doubt }),
        4 => Just(Op::AskCentral),
        2 => any::<bool>().prop_map(|works| Op::GiveBack { works }),
        1 => Just(Op::CloseDay),
        4 => (0usize..4).prop_map(|again| Op::Sync { again }),
    ]
}

/// A kiosk that keeps the rules, and what it ought to come to.
struct Kiosk {
    journal: Journal,
    sent: usize,
    /// Ordered top-ups without an answer: order, payment, amount, creditable.
    unasked: Vec<(Seq, Seq, Amount, bool)>,
    refused: Vec<(Seq, Amount)>,
    credited: i64,
    claims: i64,
    given_back: i64,
    /// Since the last end of day.
    day: i64,
    settled: i64,
}

impl Kiosk {
    fn new() -> Self {
        Self {
            journal: Journal::new(),
            sent: 0,
            unasked: Vec::new(),
            refused: Vec::new(),
            credited: 0,
            claims: 0,
            given_back: 0,
            day: 0,
            settled: 0,
        }
    }

    async fn play(&mut self, town: &Town, op: Op) {
        match op {
            Op::Pay { euro, creditable, in_doubt } => self.pay(town, euro, creditable, in_doubt),
            Op::Decline { in_doubt } => {
                let payment = self.order_payment(Amount::euro(10), in_doubt);
                self.journal.declined(payment);
            }
            Op::AskCentral => self.ask_central(town).await,
            Op::GiveBack { works } => self.give_back(works),
            Op::CloseDay => {
                let total = self.day.max(0);
                self.journal.close_day(total, None, self.day);
                self.settled += std::mem::take(&mut self.day);
            }
            Op::Sync { again } => self.sync(town, again).await,
        }
    }

    fn order_payment(&mut self, amount: Amount, in_doubt: bool) -> Seq {
        let payment = self.journal.order_payment(amount);
        if in_doubt {
            self.journal.write(Record::PaymentInDoubt { intent: payment });
        }
        payment
    }

    fn pay(&mut self, town: &Town, euro: u16, creditable: bool, in_doubt: bool) {
        let (amount, id) = (Amount::euro(euro), if creditable { "omar" } else { "lucia" });
        let payment = self.order_payment(amount, in_doubt);
        self.journal.approved(payment, amount, Account::TopUpsQueued);
        let order = self.journal.order_delivery(town.card_ref(id), amount, payment);
        self.unasked.push((order, payment, amount, creditable));
        self.day += amount.cents();
    }

    async fn ask_central(&mut self, town: &Town) {
        if self.unasked.is_empty() {
            return;
        }
        let (order, payment, amount, creditable) = self.unasked.remove(0);
        let id = if creditable { "omar" } else { "lucia" };
        let answer = town.top_up_by_card(&format!("K0001-{order}"), id, amount).await;
        if answer.status == StatusCode::CREATED {
            self.journal.accepted(order, answer.body["ledger_ref"].as_str().unwrap(), amount);
            self.credited += amount.cents();
        } else {
            self.journal.refused(order, amount);
            self.refused.push((payment, amount));
            self.claims += amount.cents();
        }
    }

    fn give_back(&mut self, works: bool) {
        let Some((payment, amount)) = self.refused.first().copied() else {
            return;
        };
        let reversal = self.journal.order_reversal(payment);
        if !works {
            self.journal.reversal_refused(reversal);
            return;
        }
        self.journal.reversed(reversal, amount);
        self.refused.remove(0);
        self.claims -= amount.cents();
        self.given_back += amount.cents();
        self.day -= amount.cents();
    }

    async fn sync(&mut self, town: &Town, again: usize) {
        let from = self.sent.saturating_sub(again);
        let answer = send(town, &self.journal.lines[from..]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        self.sent = self.journal.lines.len();
    }

    async fn assert_books(&self, town: &Town) {
        let books = town.books("K0001").await;
        let card = &books.card;
        assert_eq!((card.credited.cents(), card.claims.cents()), (self.credited, self.claims));
        assert_eq!(card.given_back.cents(), self.given_back);
        assert_eq!(card.settled_cents, self.settled);
        let undelivered: i64 = self.unasked.iter().map(|(_, _, amount, _)| amount.cents()).sum();
        assert_eq!(card.undelivered_cents, undelivered);
        assert_eq!(card.open_cents + undelivered, self.day);
        assert!(card.days.iter().all(|day| day.agrees));
        assert_eq!(books.in_doubt, []);
        town.assert_sound().await;
    }
}

#[test]
fn whatever_is_paid_and_given_back_the_books_are_those_of_a_simple_count() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = ProptestConfig::with_cases(12);
    proptest!(config, |(ops in prop::collection::vec(op(), 1..50))| {
        runtime.block_on(async {
            let town = Town::new().await;
            let mut kiosk = Kiosk::new();
            for op in ops {
                kiosk.play(&town, op.clone()).await;
                if let Some(books) = town.books_if_known("K0001").await {
                    assert_eq!(books.differences, [], "after {op:?}");
                }
            }
            kiosk.sync(&town, 0).await;
            kiosk.assert_books(&town).await;
            let incidents = "SELECT COUNT(*) FROM incidents";
            let count: i64 =
                sqlx::query_scalar(incidents).fetch_one(&mut town.sql().await).await.unwrap();
            assert_eq!(count, 0);
        });
    });
}
