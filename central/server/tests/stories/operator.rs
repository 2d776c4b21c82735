use axum::http::{Method, StatusCode};
use central_api::{Hotlist, ProblemKind};
use serde_json::json;

use crate::rig::{Town, kiosk_caller};

#[tokio::test]
async fn a_card_reported_lost_is_blocked_and_on_the_next_hotlist() {
    let town = Town::new().await;
    let before = town.kiosk(Method::GET, "/v1/hotlist", &[], None).await;
    let tag = before.headers["etag"].to_str().unwrap();
    let held = [("if-none-match", tag)];
    let unchanged = town.kiosk(Method::GET, "/v1/hotlist", &held, None).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);

    let path = format!("/v1/cards/{}/status", town.card("ana").number);
    let lost = json!({"status": "blocked"});
    let done = town.operator(Method::POST, &path, Some(&lost)).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT);

    assert_eq!(town.open_right("ana").await.problem(), Some(ProblemKind::CardBlocked));
    let after = town.kiosk(Method::GET, "/v1/hotlist", &held, None).await;
    assert_eq!(after.status, StatusCode::OK);
    let [before, after]: [Hotlist; 2] =
        [before, after].map(|answer| serde_json::from_value(answer.body).unwrap());
    assert_eq!(after.version, before.version + 1);
    let is_ana = |entry: &&_| {
        let entry: &&central_api::HotlistEntry = entry;
        entry.card_ref == town.card_ref("ana")
    };
    assert!(!before.cards.iter().any(|entry| is_ana(&entry)));
    assert!(after.cards.iter().any(|entry| is_ana(&entry)));

    let config = town.kiosk(Method::GET, "/v1/kiosk-config", &[], None).await;
    assert_eq!(config.body["hotlist_version"], after.version);
}

#[tokio::test]
async fn the_hotlist_of_the_town_holds_who_is_blocked_or_suspended() {
    let town = Town::new().await;
    let answer = town.kiosk(Method::GET, "/v1/hotlist", &[], None).await;
    let cards = answer.body["cards"].as_array().unwrap();
    let reason_of = |id: &str| {
        let card_ref = json!(town.card_ref(id));
        let entry = cards.iter().find(|entry| entry["card_ref"] == card_ref);
        entry.map(|entry| entry["reason"].clone())
    };
    assert_eq!(cards.len(), 2);
    assert_eq!(reason_of("lucia"), Some(json!("blocked")));
    assert_eq!(reason_of("pere"), Some(json!("suspended")));
}

#[tokio::test]
async fn kiosks_may_not_do_what_operators_may_nor_operators_what_kiosks_may() {
    let town = Town::new().await;
    let number = &town.card("ana").number;
    for (method, path) in [
        (Method::GET, "/v1/kiosks/K0001/books".to_owned()),
        (Method::POST, format!("/v1/cards/{number}/status")),
        (Method::POST, format!("/v1/cards/{number}/pin-lock/reset")),
    ] {
        let answer = town.kiosk(method, &path, &[], Some(&json!({"status": "active"}))).await;
        assert_eq!(answer.problem(), Some(ProblemKind::Forbidden), "{path}");
    }
    for (method, path) in [
        (Method::POST, "/v1/card-sessions"),
        (Method::POST, "/v1/topups"),
        (Method::POST, "/v1/journal-batches"),
        (Method::GET, "/v1/kiosk-config"),
        (Method::GET, "/v1/hotlist"),
    ] {
        let answer = town.operator(method, path, Some(&json!({}))).await;
        assert_eq!(answer.problem(), Some(ProblemKind::Forbidden), "{path}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let town = Town::new().await;
    let status = json!({"status": "active"});
    for (method, path) in [
        (Method::GET, "/v1/kiosks/K9999/books"),
        (Method::GET, "/v1/kiosks/not-a-kiosk/books"),
        (Method::POST, "/v1/cards/0000000000/status"),
        (Method::POST, "/v1/cards/abc/status"),
        (Method::POST, "/v1/cards/0000000000/pin-lock/reset"),
        (Method::GET, "/v1/nothing"),
    ] {
        let answer = town.operator(method, path, Some(&status)).await;
        assert_eq!(answer.problem(), Some(ProblemKind::NotFound), "{path}");
    }
}

#[tokio::test]
async fn a_kiosk_that_asks_too_often_is_slowed_down_and_the_others_are_not() {
    let town = Town::with(|config| {
        config.limits.requests_per_s = 1.try_into().unwrap();
        config.limits.burst = 2.try_into().unwrap();
    })
    .await;
    let get = || axum::http::Request::get("/v1/kiosk-config");
    for _ in 0..2 {
        let answer = town.ask(kiosk_caller("K0001"), get(), None).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let third = town.ask(kiosk_caller("K0001"), get(), None).await;
    assert_eq!(third.problem(), Some(ProblemKind::RateLimited));
    assert!(third.headers.contains_key("retry-after"));
    let other = town.ask(kiosk_caller("K0002"), get(), None).await;
    assert_eq!(other.status, StatusCode::OK);
}

#[tokio::test]
async fn the_office_unlocks_a_pin_from_the_command_line() {
    let town = Town::new().await;
    for _ in 0..5 {
        town.open_session("ana", "000000").await;
    }
    assert_eq!(town.open_right("ana").await.problem(), Some(ProblemKind::PinLocked));
    let unlock = |number: String| {
        std::process::Command::new(env!("CARGO_BIN_EXE_central"))
            .args(["unlock-pin", "--config"])
            .arg(town.dir.path().join("central.toml"))
            .arg(number)
            .output()
            .unwrap()
    };
    assert!(unlock(town.card("ana").number.clone()).status.success());
    assert_eq!(town.open_right("ana").await.status, StatusCode::CREATED);
    assert!(!unlock(town.card("unregistered").number.clone()).status.success());
}
