use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use central_api::ProblemKind;
use domain::Amount;
use serde_json::json;
use tokio::task::JoinSet;

use crate::rig::Town;

#[tokio::test]
async fn the_same_order_brings_the_same_answer_and_moves_money_once() {
    let town = Town::new().await;
    let first = town.top_up("K0001-12", "ana", Amount::euro(30)).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let accepted = json!({"status": "accepted", "ledger_ref": "TU-K0001-12", "balance": 4_240});
    assert_eq!(first.body, accepted);
    // Also when the wallet has moved on.
    town.top_up("K0001-20", "ana", Amount::euro(5)).await;
    let again = town.top_up("K0001-12", "ana", Amount::euro(30)).await;
    assert_eq!(again, first);
    assert_eq!(town.balance("ana").await, 4_740);
    assert_eq!(town.books("K0001").await.wallet_credits, Amount::euro(35));
    town.assert_sound().await;
}

#[tokio::test]
async fn the_statement_shows_the_recharge_first() {
    let town = Town::new().await;
    town.top_up("K0001-12", "ana", Amount::euro(30)).await;
    let newest = town.open_right("ana").await.body["movements"][0].clone();
    assert_eq!(newest, json!({"at": town.now(), "kind": "cash_top_up", "cents": 3_000}));
}

#[tokio::test]
async fn a_key_used_again_for_something_else_is_refused_and_books_nothing() {
    let town = Town::new().await;
    town.top_up("K0001-12", "ana", Amount::euro(30)).await;
    let mut others =
        vec![town.top_up_body("ana", Amount::euro(20)), town.top_up_body("joan", Amount::euro(30))];
    let mut offline = town.top_up_body("ana", Amount::euro(30));
    offline["offline"] = json!(true);
    others.push(offline);
    let mut by_card = town.top_up_body("ana", Amount::euro(30));
    by_card["tender"] = json!("card");
    others.push(by_card);
    for other in others {
        let answer = town.post_top_up("K0001-12", &other).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.problem(), Some(ProblemKind::KeyReused));
    }
    assert_eq!(town.balance("ana").await, 4_240);
    assert_eq!(town.metric("central_incidents_total{kind=\"key_reused\"}").await, "4");
    town.assert_sound().await;
}

#[tokio::test]
async fn the_same_order_many_times_at_once_moves_money_once() {
    let town = Arc::new(Town::new().await);
    let mut orders = JoinSet::new();
    for _ in 0..32 {
        let town = Arc::clone(&town);
        orders.spawn(async move { town.top_up("K0001-12", "ana", Amount::euro(30)).await });
    }
    let (done, in_flight): (Vec<_>, Vec<_>) = orders
        .join_all()
        .await
        .into_iter()
        .partition(|answer| answer.status == StatusCode::CREATED);
    assert!(!done.is_empty());
    for answer in in_flight {
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert_eq!(answer.problem(), Some(ProblemKind::InFlight));
    }
    let bodies: BTreeSet<_> = done.iter().map(|answer| answer.body.to_string()).collect();
    assert_eq!(bodies.len(), 1);
    assert_eq!(town.balance("ana").await, 4_240);
    town.assert_sound().await;
}

#[tokio::test]
async fn a_kiosk_that_hangs_up_at_any_moment_finds_its_order_booked_once() {
    let town = Town::new().await;
    for patience in 0..12 {
        let (key, five) = (format!("K0001-{}", patience + 1), Amount::euro(5));
        // Dropped after so many steps, wherever it is by then.
        let hung_up = tokio::select! {
            biased;
            _ = town.top_up(&key, "omar", five) => false,
            () = steps(patience) => true,
        };
        let answer = loop {
            let answer = town.top_up(&key, "omar", five).await;
            if answer.problem() != Some(ProblemKind::InFlight) {
                break answer;
            }
            // A refusal at the door never waits: let the writer have its turn.
            tokio::task::yield_now().await;
        };
        assert_eq!(answer.body["balance"], 500 * (patience + 1), "hung up: {hung_up}");
    }
    town.assert_sound().await;
}

async fn steps(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn different_orders_at_once_are_all_booked() {
    let town = Arc::new(Town::new().await);
    let mut orders = JoinSet::new();
    for seq in 1..=27 {
        let town = Arc::clone(&town);
        orders.spawn(
            async move { town.top_up(&format!("K0001-{seq}"), "omar", Amount::euro(5)).await },
        );
    }
    for answer in orders.join_all().await {
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    assert_eq!(town.balance("omar").await, 27 * 500);
    town.assert_sound().await;
}

#[tokio::test]
async fn what_cannot_be_credited_is_owed_by_the_office() {
    let town = Town::new().await;
    for (key, id, cents, reason) in [
        ("K0001-1", "unregistered", 2_000, "unknown_card"),
        ("K0001-2", "lucia", 2_000, "card_not_active"),
        ("K0001-3", "pere", 2_000, "card_not_active"),
        ("K0001-4", "ingrid", 2_000, "card_not_active"),
        ("K0001-5", "ana", 499, "under_min"),
        ("K0001-6", "merce", 1_001, "over_wallet_max"),
    ] {
        let amount = Amount::from_cents(cents).unwrap();
        let answer = town.top_up(key, id, amount).await;
        assert_eq!(answer.status, StatusCode::OK, "{id}");
        assert_eq!(answer.body, json!({"status": "refused", "reason": reason}), "{id}");
    }
    let books = town.books("K0001").await;
    assert_eq!(books.wallet_credits, Amount::ZERO);
    assert_eq!(books.claims, Amount::from_cents(4 * 2_000 + 499 + 1_001).unwrap());
    town.assert_sound().await;
}

#[tokio::test]
async fn each_way_of_paying_has_its_smallest_recharge() {
    let town = Town::new().await;
    let nine = Amount::euro(9);
    assert_eq!(town.top_up("K0001-1", "ana", nine).await.status, StatusCode::CREATED);
    let by_card = town.top_up_by_card("K0001-2", "ana", nine).await;
    assert_eq!(by_card.body, json!({"status": "refused", "reason": "under_min"}));
    for (outcome, tender) in [("accepted", "cash"), ("under_min", "card")] {
        let line = format!("central_top_ups_total{{outcome=\"{outcome}\",tender=\"{tender}\"}}");
        assert_eq!(town.metric(&line).await, "1");
    }
}

#[tokio::test]
async fn who_does_not_say_how_it_was_paid_is_not_heard() {
    let town = Town::new().await;
    for (tender, problem) in [
        (json!("cheque"), ProblemKind::Unprocessable),
        (json!(null), ProblemKind::Malformed),
        (json!(1), ProblemKind::Malformed),
    ] {
        let mut body = town.top_up_body("ana", Amount::euro(20));
        body["tender"] = tender;
        assert_eq!(town.post_top_up("K0001-1", &body).await.problem(), Some(problem), "{body}");
    }
    let mut body = town.top_up_body("ana", Amount::euro(20));
    body.as_object_mut().unwrap().remove("tender");
    let answer = town.post_top_up("K0001-1", &body).await;
    assert_eq!(answer.problem(), Some(ProblemKind::Unprocessable));
    assert_eq!(town.balance("ana").await, 1_240);
}

#[tokio::test]
async fn a_refusal_stays_one_also_when_the_card_is_freed() {
    let town = Town::new().await;
    let refused = town.top_up("K0001-1", "pere", Amount::euro(20)).await;
    let path = format!("/v1/cards/{}/status", town.card("pere").number);
    let free = json!({"status": "active"});
    town.operator(Method::POST, &path, Some(&free)).await;
    assert_eq!(town.top_up("K0001-1", "pere", Amount::euro(20)).await, refused);
    let fresh = town.top_up("K0001-2", "pere", Amount::euro(20)).await;
    assert_eq!(fresh.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_wallet_may_be_filled_to_its_maximum_and_no_further() {
    let town = Town::new().await;
    let to_the_brim = town.top_up("K0001-1", "merce", Amount::euro(10)).await;
    assert_eq!(to_the_brim.body["balance"], 15_000);
    let over = town.top_up("K0001-2", "merce", Amount::euro(5)).await;
    assert_eq!(over.body["reason"], "over_wallet_max");
}

#[tokio::test]
async fn an_order_that_waited_while_central_was_away_is_judged_like_any_other() {
    let town = Town::new().await;
    let mut queued = town.top_up_body("merce", Amount::euro(50));
    queued["offline"] = json!(true);
    let answer = town.post_top_up("K0001-1", &queued).await;
    assert_eq!(answer.body["reason"], "over_wallet_max");
    queued["amount"] = json!(1_000);
    let answer = town.post_top_up("K0001-2", &queued).await;
    assert_eq!(answer.body["status"], "accepted");
}

#[tokio::test]
async fn another_kiosks_key_is_refused() {
    let town = Town::new().await;
    let answer = town.top_up("K0002-1", "ana", Amount::euro(20)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.problem(), Some(ProblemKind::KeyForeign));
    assert_eq!(town.balance("ana").await, 1_240);
}

#[tokio::test]
async fn a_key_must_be_one_intent() {
    let town = Town::new().await;
    let body = town.top_up_body("ana", Amount::euro(20));
    for key in ["", "K0001", "K0001-0", "K0001-01", "k0001-1", "K0001-18446744073709551615"] {
        let answer = town.post_top_up(key, &body).await;
        assert_eq!(answer.problem(), Some(ProblemKind::Malformed), "{key}");
    }
    let twice = [("idempotency-key", "K0001-1"), ("idempotency-key", "K0001-2")];
    for keys in [&twice[..], &[]] {
        let answer = town.kiosk(Method::POST, "/v1/topups", keys, Some(&body)).await;
        assert_eq!(answer.problem(), Some(ProblemKind::Malformed));
    }
}
