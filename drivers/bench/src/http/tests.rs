//! The API with real simulated devices and no process around them: what is refused, and how.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use ui_proto::{Prefs, Screen, View};

use super::*;

struct Rig {
    bench: Arc<Bench>,
    _dir: tempfile::TempDir,
}

impl Rig {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bench = Arc::new(crate::bench::fixtures::without_processes(dir.path()).await);
        Self { bench, _dir: dir }
    }

    async fn ask(&self, method: Method, path: &str, body: Body) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "127.0.0.1:8080")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .unwrap();
        let response = router(self.bench.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = body.collect().await.unwrap().to_bytes();
        let json: Value = serde_json::from_slice(&text).unwrap_or_default();
        if parts.status.is_client_error() || parts.status.is_server_error() {
            assert_eq!(parts.headers[header::CONTENT_TYPE], "application/problem+json");
            assert_eq!(json["status"], parts.status.as_u16());
            assert!(json["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        }
        (parts.status, json)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(Method::GET, path, Body::empty()).await
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.ask(Method::POST, path, Body::from(body.to_string())).await
    }

    fn show(&self, screen: Screen) {
        self.bench.screens.push(View {
            lang: domain::Lang::Es,
            prefs: Prefs::default(),
            ends_in_s: None,
            screen,
        });
    }
}

#[tokio::test]
async fn a_card_is_tapped_swapped_and_removed() {
    let rig = Rig::new().await;
    assert_eq!(rig.post("/api/card/tap", json!({"card": "bank"})).await.0, 204);
    assert_eq!(rig.get("/api/state").await.1["card"], "bank");
    assert_eq!(rig.post("/api/card/tap", json!({"card": "blank"})).await.0, 204);
    assert_eq!(rig.get("/api/state").await.1["card"], "blank");
    assert_eq!(rig.post("/api/card/remove", json!({})).await.0, 204);
    assert_eq!(rig.get("/api/state").await.1["card"], Value::Null);
}

#[tokio::test]
async fn two_cards_lie_on_the_reader_only_if_both_are_there() {
    let rig = Rig::new().await;
    let purse = |with| json!({"card": "bank", "with": with});
    assert_eq!(rig.post("/api/card/tap", purse("blank")).await.0, 204);
    assert_eq!(rig.get("/api/state").await.1["card"], "bank");
    assert_eq!(rig.post("/api/card/remove", json!({})).await.0, 204);
    assert_eq!(rig.post("/api/card/tap", purse("nobody")).await.0, 404);
    assert_eq!(rig.get("/api/state").await.1["card"], Value::Null);
}

#[tokio::test]
async fn faults_are_listed_made_and_mended() {
    let rig = Rig::new().await;
    for (device, fault) in [("printer", "paper_end"), ("uplink", "answers_lost")] {
        let is_on = async || {
            let (_, faults) = rig.get("/api/faults").await;
            let devices = faults.as_array().unwrap();
            let device = devices.iter().find(|each| each["device"] == device).unwrap();
            let faults = device["faults"].as_array().unwrap();
            let fault = faults.iter().find(|each| each["fault"] == fault).unwrap();
            fault["on"].as_bool().unwrap()
        };
        let switch = |on| json!({"device": device, "fault": fault, "on": on});
        assert!(!is_on().await);
        assert_eq!(rig.post("/api/fault", switch(true)).await.0, 204);
        assert!(is_on().await);
        assert_eq!(rig.post("/api/fault", switch(false)).await.0, 204);
        assert!(!is_on().await);
    }
}

#[tokio::test]
async fn device_power_is_cut_and_given_back() {
    let rig = Rig::new().await;
    let is_on = async |name: &str| {
        let (_, powers) = rig.get("/api/power").await;
        let powers = powers.as_array().unwrap();
        let part = powers.iter().find(|each| each["process"] == name).unwrap();
        part["on"].as_bool().unwrap()
    };
    let printer_off = json!({"process": "printer", "on": false});
    assert_eq!(rig.post("/api/power", printer_off).await.0, 204);
    assert!(!is_on("printer").await);
    assert!(!is_on("kiosk").await, "a cabinet with a dead part is not wholly on");
    assert!(is_on("validator").await);
    let all_on = json!({"process": "kiosk", "on": true});
    assert_eq!(rig.post("/api/power", all_on).await.0, 204);
    assert!(is_on("printer").await && is_on("kiosk").await);
}

#[tokio::test]
async fn what_is_not_there_is_404_and_says_what_is() {
    let rig = Rig::new().await;
    let refused = [
        ("/api/card/tap", json!({"card": "nobody"}), "/api/cards"),
        ("/api/fault", json!({"device": "oven", "fault": "x", "on": true}), "printer"),
        ("/api/fault", json!({"device": "printer", "fault": "x", "on": true}), "paper_end"),
        ("/api/fault", json!({"device": "uplink", "fault": "x", "on": true}), "answers_lost"),
        ("/api/power", json!({"process": "sun", "on": false}), "validator"),
        ("/api/nothing", json!({}), "docs/workbench.md"),
    ];
    for (path, body, hint) in refused {
        let (status, problem) = rig.post(path, body).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(hint), "{path}: {detail}");
    }
    for path in ["/api/receipts/last.txt", "/api/receipts/0.png", "/api/receipts/last"] {
        assert_eq!(rig.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn bad_bodies_are_refused_and_change_nothing() {
    let rig = Rig::new().await;
    let bad = [
        ("/api/card/tap", "", 400),
        ("/api/card/tap", "{\"card\": 7}", 400),
        ("/api/card/tap", "{\"card\": \"bank\", \"more\": 1}", 400),
        ("/api/acceptor/insert", "{\"cents\": \"2000\"}", 400),
        ("/api/acceptor/insert", "{\"cents\": 2e99}", 400),
        ("/api/acceptor/insert", "{\"cents\": -500}", 400),
        ("/api/acceptor/insert", "{\"cents\": 700}", 400),
        ("/api/screen/press", "{\"x\": 1}", 400),
        ("/api/screen/press", "[[[[[", 400),
        ("/api/power", "{\"process\": \"printer\"}", 400),
    ];
    for (path, body, status) in bad {
        let (got, _) = rig.ask(Method::POST, path, Body::from(body)).await;
        assert_eq!(got.as_u16(), status, "{path} {body}");
    }
    let huge = Body::from(vec![b' '; BODY_BYTES_MAX + 1]);
    let (status, _) = rig.ask(Method::POST, "/api/card/tap", huge).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = rig.ask(Method::GET, "/api/card/tap", Body::empty()).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    let state = rig.get("/api/state").await.1;
    assert_eq!((&state["card"], &state["powers"][0]["on"]), (&Value::Null, &json!(true)));
}

#[tokio::test]
async fn nobody_takes_a_note_before_a_host_enables_the_acceptor() {
    let rig = Rig::new().await;
    let (status, problem) = rig.post("/api/acceptor/insert", json!({"cents": 2000})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let (status, taken) = rig.post("/api/acceptor/take", json!({})).await;
    assert_eq!((status, taken), (StatusCode::OK, json!([])));
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let rig = Rig::new().await;
    let request = Request::post("/api/card/tap")
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::ORIGIN, "http://elsewhere.example")
        .header(header::CONTENT_TYPE, "text/plain")
        .body(Body::from("{\"card\": \"bank\"}"))
        .unwrap();
    let response = router(rig.bench.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(rig.bench.cabinet.card(), None);
}

#[tokio::test]
async fn without_kioskd_and_kiosk_ui_the_screen_is_away() {
    let rig = Rig::new().await;
    for path in ["/api/screen", "/api/screen.png", "/api/screen/elements"] {
        assert_eq!(rig.get(path).await.0, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    let press = rig.post("/api/screen/press", json!({"label": "OK"})).await;
    assert_eq!(press.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_wait_ends_with_the_screen_or_says_what_is_shown_instead() {
    let rig = Rig::new().await;
    rig.show(Screen::Attract { limited: false });
    let (status, shown) = rig.get("/api/screen/wait?name=pin,attract&limited=false").await;
    assert_eq!((status, &shown["name"]), (StatusCode::OK, &json!("attract")));
    let (status, problem) = rig.get("/api/screen/wait?name=pin&timeout_ms=1").await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert!(problem["detail"].as_str().unwrap().contains("attract"));
    let (status, _) = rig.get("/api/screen/wait?name=pin&timeout_ms=soon").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn books_that_cannot_be_read_do_not_agree() {
    let rig = Rig::new().await;
    let (status, books) = rig.get("/api/books").await;
    assert_eq!((status, &books["agree"]), (StatusCode::OK, &json!(false)));
    assert_eq!(books["differences"].as_array().unwrap().len(), 2, "{books}");
    let (status, _) = rig.get("/api/books/wait?agree=true&timeout_ms=1").await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    let (status, _) = rig.get("/api/books/wait").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_page_is_served_with_its_own_policy() {
    let rig = Rig::new().await;
    for (path, kind) in [("/", "text/html"), ("/bench.css", "text/css")] {
        let request =
            Request::get(path).header(header::HOST, "localhost:8080").body(Body::empty()).unwrap();
        let response = router(rig.bench.clone()).oneshot(request).await.unwrap();
        let headers = response.headers();
        assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with(kind));
        assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY));
    }
}
