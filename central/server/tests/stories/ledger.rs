use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use central_api::CardStatusChange;
use domain::{Amount, Tender};
use proptest::prelude::*;
use serde_json::{Value, json};
use sqlx::Executor;

use crate::rig::Town;

const CARDS: [&str; 4] = ["ana", "joan", "merce", "unregistered"];

/// What may happen to wallets, in any order.
#[derive(Clone, Debug)]
enum Op {
    TopUp {
        seq: u64,
        card: usize,
        euro: u16,
        tender: Tender,
    },
    /// The n-th order so far, asked again.
    Again(prop::sample::Index),
    SetStatus {
        card: usize,
        status: &'static str,
    },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (1u64..40, 0..CARDS.len(), 1u16..60, any::<bool>()).prop_map(
            |(seq, card, euro, by_card)| {
                let tender = if by_card { Tender::Card } else { Tender::Cash };
                Op::TopUp { seq, card, euro, tender }
            }
        ),
        2 => any::<prop::sample::Index>().prop_map(Op::Again),
        1 => (0..3usize, prop::sample::select(vec!["active", "blocked", "suspended"]))
            .prop_map(|(card, status)| Op::SetStatus { card, status }),
    ]
}

/// Money as it should be, counted without central.
#[derive(Default)]
struct Model {
    balances: BTreeMap<&'static str, i64>,
    blocked: BTreeMap<&'static str, bool>,
    orders: BTreeMap<u64, (usize, u16, Tender, Value)>,
    claims: i64,
    /// By tender: in the kiosk, at its terminal.
    taken: BTreeMap<Tender, i64>,
}

impl Model {
    fn new() -> Self {
        Self {
            balances: BTreeMap::from([("ana", 1_240), ("joan", 4_785), ("merce", 14_000)]),
            ..Self::default()
        }
    }

    /// Whether this order is credited, if it is a new one.
    fn order(&mut self, card: &'static str, cents: i64, tender: Tender) -> bool {
        *self.taken.entry(tender).or_default() += cents;
        let min = if tender == Tender::Cash { 500 } else { 1_000 };
        let blocked = self.blocked.get(card).copied().unwrap_or(false);
        if let Some(balance) = self.balances.get_mut(card)
            && !blocked
            && cents >= min
            && *balance + cents <= 15_000
        {
            *balance += cents;
            return true;
        }
        self.claims += cents;
        false
    }
}

async fn play(town: &Town, model: &mut Model, op: Op) {
    match op {
        Op::TopUp { seq, card, euro, tender } => {
            let answer = top_up(town, seq, card, euro, tender).await;
            if let Some((old_card, old_euro, old_tender, stored)) = model.orders.get(&seq) {
                if (*old_card, *old_euro, *old_tender) == (card, euro, tender) {
                    assert_eq!(answer.1, *stored);
                } else {
                    assert_eq!(answer.0, StatusCode::UNPROCESSABLE_ENTITY);
                }
                return;
            }
            let credited = model.order(CARDS[card], i64::from(euro) * 100, tender);
            assert_eq!(answer.0 == StatusCode::CREATED, credited, "{}", answer.1);
            model.orders.insert(seq, (card, euro, tender, answer.1));
        }
        Op::Again(which) => {
            let orders: Vec<_> = model.orders.iter().collect();
            if !orders.is_empty() {
                let (seq, (card, euro, tender, stored)) = orders[which.index(orders.len())];
                assert_eq!(top_up(town, *seq, *card, *euro, *tender).await.1, *stored);
            }
        }
        Op::SetStatus { card, status } => {
            let path = format!("/v1/cards/{}/status", town.card(CARDS[card]).number);
            let change: CardStatusChange =
                serde_json::from_value(json!({"status": status})).unwrap();
            town.operator(Method::POST, &path, Some(&json!(change))).await;
            model.blocked.insert(CARDS[card], status != "active");
        }
    }
}

async fn top_up(
    town: &Town,
    seq: u64,
    card: usize,
    euro: u16,
    tender: Tender,
) -> (StatusCode, Value) {
    let (key, amount) = (format!("K0001-{seq}"), Amount::euro(euro));
    let answer = match tender {
        Tender::Cash => town.top_up(&key, CARDS[card], amount).await,
        Tender::Card => town.top_up_by_card(&key, CARDS[card], amount).await,
    };
    (answer.status, answer.body)
}

#[test]
fn whatever_happens_the_books_are_those_of_a_simple_count() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = ProptestConfig::with_cases(12);
    proptest!(config, |(ops in prop::collection::vec(op(), 1..60))| {
        runtime.block_on(async {
            let town = Town::new().await;
            let mut model = Model::new();
            for op in ops {
                play(&town, &mut model, op).await;
            }
            town.assert_sound().await;
            assert_balances(&town, &model).await;
        });
    });
}

async fn assert_balances(town: &Town, model: &Model) {
    let mut sql = town.sql().await;
    for (card, expected) in &model.balances {
        let query = "SELECT credits - debits FROM accounts WHERE account = 'wallet:' || $1";
        let balance: i64 = sqlx::query_scalar(query).bind(*card).fetch_one(&mut sql).await.unwrap();
        assert_eq!(balance, *expected, "{card}");
    }
    let query = "SELECT COALESCE(SUM(credits - debits), 0) FROM accounts WHERE kind = 'claims'";
    let claims: i64 = sqlx::query_scalar(query).fetch_one(&mut sql).await.unwrap();
    assert_eq!(claims, model.claims);
    for (tender, account) in [(Tender::Cash, "kiosk_cash"), (Tender::Card, "card_terminal")] {
        let query = "SELECT COALESCE(SUM(debits - credits), 0) FROM accounts WHERE kind = $1";
        let taken: i64 = sqlx::query_scalar(query).bind(account).fetch_one(&mut sql).await.unwrap();
        assert_eq!(taken, model.taken.get(&tender).copied().unwrap_or(0), "{account}");
    }
}

#[tokio::test]
async fn the_database_itself_refuses_what_may_not_be() {
    let town = Town::new().await;
    town.top_up("K0001-1", "ana", Amount::euro(20)).await;
    let mut sql = town.sql().await;
    for forbidden in [
        "UPDATE transfers SET cents = 1",
        "DELETE FROM transfers",
        "UPDATE top_ups SET outcome = 'refused'",
        "DELETE FROM top_ups",
        "DELETE FROM accounts WHERE account = 'wallet:ana'",
        "UPDATE accounts SET credits = 0 WHERE account = 'wallet:ana'",
        "UPDATE accounts SET credits = credits + 15000 WHERE account = 'wallet:ana'",
        "UPDATE accounts SET debits = credits + 1 WHERE account = 'wallet:ana'",
        "DELETE FROM card_status_changes",
        "INSERT INTO transfers VALUES ('vallserena', 'x', 'services', 'services', 1,
                                       'refund', 0, 0)",
        "INSERT INTO transfers VALUES ('vallserena', 'x', 'services', 'nowhere', 1,
                                       'refund', 0, 0)",
        "INSERT INTO transfers VALUES ('vallserena', 'x', 'services', 'wallet:ana', 0,
                                       'refund', 0, 0)",
        "INSERT INTO transfers VALUES ('vallserena', 'TU-K0001-1', 'services', 'wallet:ana', 1,
                                       'refund', 0, 0)",
    ] {
        assert!(sql.execute(forbidden).await.is_err(), "{forbidden}");
    }
    town.assert_sound().await;
}

#[tokio::test]
async fn the_audit_finds_what_was_changed_behind_centrals_back() {
    let town = Town::new().await;
    town.top_up("K0001-1", "ana", Amount::euro(20)).await;
    let mut sql = town.sql().await;
    sql.execute("UPDATE accounts SET credits = credits + 1 WHERE account = 'wallet:joan'")
        .await
        .unwrap();
    let faults = town.faults().await;
    assert!(
        faults.contains(&"an account's sums are not those of its transfers: wallet:joan".into())
    );
    assert!(
        faults.contains(&"debits and credits of a town do not sum to the same: vallserena".into())
    );
}
