use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use central_api::ProblemKind;
use serde_json::json;
use sqlx::Row;
use tokio::task::JoinSet;

use crate::rig::Town;

const MINUTE: Duration = Duration::from_secs(60);
const WRONG: &str = "000000";

#[tokio::test]
async fn the_right_pin_shows_name_balance_and_the_last_five_movements() {
    let town = Town::new().await;
    let answer = town.open_right("ana").await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.body["holder"], "Ana G. P.");
    assert_eq!(answer.body["balance"], 1_240);
    assert_eq!(answer.body["status"], "active");
    assert_eq!(answer.body["card_ref"], json!(town.card_ref("ana")));
    let movements = answer.body["movements"].as_array().unwrap();
    let cents: Vec<_> = movements.iter().map(|movement| movement["cents"].as_i64()).collect();
    assert_eq!(cents, [-60, 320, -550, -75, -75].map(Some));
    let masked = answer.body["card_masked"].as_str().unwrap();
    assert!(masked.starts_with("•••• ••"));
}

#[tokio::test]
async fn unknown_card_copied_card_and_wrong_pin_are_answered_alike() {
    let town = Town::new().await;
    let wrong_pin = town.session("ana", WRONG);
    let unknown = town.session("unregistered", &town.card("unregistered").pin);
    let mut copied = town.session("joan", &town.card("joan").pin);
    copied["uid"] = json!("deadbeef");
    // Until long after the lock: never a word that differs.
    for _ in 0..7 {
        let [a, b, c] = [&wrong_pin, &unknown, &copied]
            .map(|body| town.kiosk(Method::POST, "/v1/card-sessions", &[], Some(body)));
        let (a, b, c) = (a.await, b.await, c.await);
        assert!(!a.status.is_success());
        assert_eq!(a, b);
        assert_eq!(a, c);
    }
    // And the same work: one argon2 run for each of the five tries of each of the three.
    assert_eq!(town.metric("central_pin_check_seconds_count").await, "15");
}

#[tokio::test]
async fn a_copied_card_is_an_incident_and_does_not_lock_the_real_one() {
    let town = Town::new().await;
    let mut copied = town.session("joan", &town.card("joan").pin);
    copied["uid"] = json!("deadbeef");
    for _ in 0..6 {
        town.kiosk(Method::POST, "/v1/card-sessions", &[], Some(&copied)).await;
    }
    assert_eq!(town.open_right("joan").await.status, StatusCode::CREATED);
    let query = "SELECT kind, kiosk, detail, times FROM incidents";
    let rows = sqlx::query(query).fetch_all(&mut town.sql().await).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<&str, _>("kind"), "clone_suspected");
    assert_eq!(rows[0].get::<&str, _>("kiosk"), "K0001");
    let joan = format!("known as {}", town.card_ref("joan"));
    assert_eq!(rows[0].get::<&str, _>("detail"), joan);
    // The five tries that were looked at.
    assert_eq!(rows[0].get::<i64, _>("times"), 5);
}

#[tokio::test]
async fn five_wrong_pins_lock_for_a_quarter_of_an_hour() {
    let town = Town::new().await;
    for tries_left in [4, 3, 2, 1] {
        let answer = town.open_session("ana", WRONG).await;
        assert_eq!(answer.problem(), Some(ProblemKind::CardOrPinWrong));
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.body["tries_left"], tries_left);
    }
    let fifth = town.open_session("ana", WRONG).await;
    assert_eq!(fifth.problem(), Some(ProblemKind::PinLocked));
    assert_eq!(fifth.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(fifth.body["retry_after_min"], 15);
    assert_eq!(fifth.headers["retry-after"], "900");

    town.wait(14 * MINUTE);
    let early = town.open_right("ana").await;
    assert_eq!(early.problem(), Some(ProblemKind::PinLocked));
    assert_eq!(early.body["retry_after_min"], 1);
    town.wait(MINUTE);
    assert_eq!(town.open_right("ana").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn the_right_pin_forgets_the_wrong_ones() {
    let town = Town::new().await;
    for _ in 0..3 {
        for _ in 0..4 {
            town.open_session("ana", WRONG).await;
        }
        assert_eq!(town.open_right("ana").await.status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn ten_wrong_pins_lock_until_the_office_unlocks() {
    let town = Town::new().await;
    for _ in 0..2 {
        for _ in 0..5 {
            town.open_session("ana", WRONG).await;
        }
        town.wait(15 * MINUTE);
    }
    town.wait(100_000 * MINUTE);
    let locked = town.open_right("ana").await;
    assert_eq!(locked.problem(), Some(ProblemKind::PinLocked));
    assert_eq!(locked.body.get("retry_after_min"), None);
    assert!(!locked.headers.contains_key("retry-after"));

    let path = format!("/v1/cards/{}/pin-lock/reset", town.card("ana").number);
    let reset = town.operator(Method::POST, &path, None).await;
    assert_eq!(reset.status, StatusCode::NO_CONTENT);
    assert_eq!(town.open_right("ana").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn guesses_at_the_same_time_get_no_more_tries() {
    let town = Arc::new(Town::new().await);
    let mut guesses = JoinSet::new();
    for guess in 0..20 {
        let town = Arc::clone(&town);
        guesses.spawn(async move { town.open_session("ana", &format!("{guess:06}")).await });
    }
    let answers = guesses.join_all().await;
    let looked_at = answers
        .iter()
        .filter(|answer| answer.problem() == Some(ProblemKind::CardOrPinWrong))
        .count();
    assert!(looked_at <= 4, "{looked_at} guesses answered as wrong, and the fifth as the lock");
    assert_eq!(town.metric("central_pin_check_seconds_count").await, "5");
}

#[tokio::test]
async fn what_is_wrong_with_a_card_is_said_only_after_the_right_pin() {
    let town = Town::new().await;
    for (id, problem) in [
        ("lucia", ProblemKind::CardBlocked),
        ("pere", ProblemKind::CardSuspended),
        ("ingrid", ProblemKind::CardExpired),
    ] {
        let guess = town.open_session(id, WRONG).await;
        assert_eq!(guess.problem(), Some(ProblemKind::CardOrPinWrong), "{id}");
        let right = town.open_right(id).await;
        assert_eq!(right.problem(), Some(problem), "{id}");
        assert_eq!(right.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn one_kiosk_cannot_try_many_cards_fast() {
    let town = Town::with(|config| {
        config.limits.pins_per_min = 3.try_into().unwrap();
    })
    .await;
    for id in ["ana", "joan", "merce"] {
        assert_eq!(town.open_right(id).await.status, StatusCode::CREATED);
    }
    let fourth = town.open_right("omar").await;
    assert_eq!(fourth.problem(), Some(ProblemKind::RateLimited));
}
