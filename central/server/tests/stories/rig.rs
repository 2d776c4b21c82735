//! A demo town in a temporary directory, its central in this process, and a clock that stands still
//! until a story moves it.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use central_api::{KioskBooks, ProblemKind};
use central_server::config::Config;
use central_server::{Caller, Central, Clock, demo};
use domain::{Amount, CardNumber, CardRef, CardRefKey, Uid, Wall};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) struct Town {
    pub(crate) dir: TempDir,
    pub(crate) central: Arc<Central>,
    cards: Vec<TownCard>,
    card_ref_key: CardRefKey,
    now_ms: Arc<AtomicI64>,
}

/// As in `town.json`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TownCard {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) pin: String,
    pub(crate) uid: String,
}

#[derive(Deserialize)]
struct TownFile {
    cards: Vec<TownCard>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn problem(&self) -> Option<ProblemKind> {
        serde_json::from_value(self.body["type"].clone()).ok()
    }
}

pub(crate) fn options(dir: &Path) -> demo::Options {
    demo::Options {
        dir: dir.to_owned(),
        seed: 1,
        kiosks: ["K0001", "K0002"].map(|id| id.parse().unwrap()).to_vec(),
        port: None,
    }
}

/// With limits no story meets by accident.
pub(crate) fn config(dir: &Path) -> Config {
    let mut config = Config::load(&dir.join("central.toml")).unwrap();
    let many = NonZeroU32::new(1_000_000).unwrap();
    config.limits.requests_per_s = many;
    config.limits.burst = many;
    config.limits.pins_per_min = many;
    config
}

impl Town {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        demo::make_town(&options(dir.path())).await.unwrap();
        let mut config = config(dir.path());
        change(&mut config);
        Self::open(dir, &config).await
    }

    async fn open(dir: TempDir, config: &Config) -> Self {
        // The town's past ended a moment ago.
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        let now_ms = Arc::new(AtomicI64::new(i64::try_from(now).unwrap()));
        let hand = Arc::clone(&now_ms);
        let clock =
            Clock::new(move || Wall { utc_ms: hand.load(Ordering::SeqCst), offset_min: 60 });
        let (central, _writer) = Central::open(config, clock).await.unwrap();
        Self {
            cards: cards(dir.path()),
            card_ref_key: card_ref_key(dir.path()),
            dir,
            central,
            now_ms,
        }
    }

    pub(crate) fn wait(&self, span: Duration) {
        let ms = i64::try_from(span.as_millis()).unwrap();
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Wall {
        Wall { utc_ms: self.now_ms.load(Ordering::SeqCst), offset_min: 60 }
    }

    pub(crate) fn card(&self, id: &str) -> &TownCard {
        self.cards.iter().find(|card| card.id == id).unwrap()
    }

    pub(crate) fn card_ref(&self, id: &str) -> CardRef {
        card_ref(&self.card_ref_key, self.card(id))
    }

    /// A citizen's tap and PIN.
    pub(crate) fn session(&self, id: &str, pin: &str) -> Value {
        let card = self.card(id);
        json!({"number": card.number, "uid": card.uid, "pin": pin, "at": self.now()})
    }

    pub(crate) async fn open_session(&self, id: &str, pin: &str) -> Answer {
        let body = self.session(id, pin);
        self.kiosk(Method::POST, "/v1/card-sessions", &[], Some(&body)).await
    }

    pub(crate) async fn open_right(&self, id: &str) -> Answer {
        self.open_session(id, &self.card(id).pin).await
    }

    pub(crate) async fn balance(&self, id: &str) -> i64 {
        self.open_right(id).await.body["balance"].as_i64().unwrap()
    }

    pub(crate) fn top_up_body(&self, id: &str, amount: Amount) -> Value {
        json!({
            "card_ref": self.card_ref(id),
            "amount": amount,
            "tender": "cash",
            "offline": false,
            "ordered_at": {"utc_ms": 1_795_240_920_000_i64, "offset_min": 60},
        })
    }

    pub(crate) async fn top_up(&self, key: &str, id: &str, amount: Amount) -> Answer {
        self.post_top_up(key, &self.top_up_body(id, amount)).await
    }

    pub(crate) async fn top_up_by_card(&self, key: &str, id: &str, amount: Amount) -> Answer {
        let mut body = self.top_up_body(id, amount);
        body["tender"] = json!("card");
        self.post_top_up(key, &body).await
    }

    pub(crate) async fn post_top_up(&self, key: &str, body: &Value) -> Answer {
        let key = [("idempotency-key", key)];
        self.kiosk(Method::POST, "/v1/topups", &key, Some(body)).await
    }

    pub(crate) async fn books(&self, kiosk: &str) -> KioskBooks {
        self.books_if_known(kiosk).await.unwrap()
    }

    /// `None` = central never heard of the kiosk.
    pub(crate) async fn books_if_known(&self, kiosk: &str) -> Option<KioskBooks> {
        let answer = self.operator(Method::GET, &format!("/v1/kiosks/{kiosk}/books"), None).await;
        (answer.status == StatusCode::OK).then(|| serde_json::from_value(answer.body).unwrap())
    }

    /// As kiosk K0001.
    pub(crate) async fn kiosk(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(kiosk_caller("K0001"), request, body).await
    }

    pub(crate) async fn operator(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let request = Request::builder().method(method).uri(path);
        self.ask(operator_caller(), request, body).await
    }

    pub(crate) async fn ask(
        &self,
        caller: Caller,
        request: axum::http::request::Builder,
        body: Option<&Value>,
    ) -> Answer {
        let request = match body {
            None => request.body(Body::empty()),
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
        };
        self.ask_raw(caller, request.unwrap()).await
    }

    pub(crate) async fn ask_raw(&self, caller: Caller, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo(caller));
        let response = self.central.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: match bytes.is_empty() {
                true => Value::Null,
                false => serde_json::from_slice(&bytes).unwrap(),
            },
        }
    }

    pub(crate) async fn metric(&self, line: &str) -> String {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let response = self.central.ops_router().oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let found = text.lines().find_map(|found| found.strip_prefix(&format!("{line} ")));
        found.unwrap_or_else(|| panic!("no {line} in\n{text}")).to_owned()
    }

    /// How often such an incident was counted.
    pub(crate) async fn incidents(&self, kind: &str) -> u64 {
        let line = format!("central_incidents_total{{kind=\"{kind}\"}}");
        self.metric(&line).await.parse().unwrap()
    }

    /// What the one incident of a kind says, about what.
    pub(crate) async fn incident(&self, kind: &str) -> (String, String) {
        let query = "SELECT subject, detail FROM incidents WHERE kind = $1";
        let rows = sqlx::query_as(query).bind(kind).fetch_all(&mut self.sql().await).await;
        let mut rows: Vec<(String, String)> = rows.unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    /// A connection of one's own, beside central's, with its rules (foreign keys) on.
    pub(crate) async fn sql(&self) -> SqliteConnection {
        sql(self.dir.path()).await
    }

    pub(crate) async fn faults(&self) -> Vec<String> {
        central_server::audit(&self.dir.path().join("central.db")).await.unwrap()
    }

    pub(crate) async fn assert_sound(&self) {
        assert_eq!(self.faults().await, Vec::<String>::new());
    }
}

pub(crate) async fn sql(dir: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(dir.join("central.db")).foreign_keys(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

pub(crate) fn cards(dir: &Path) -> Vec<TownCard> {
    let text = std::fs::read(dir.join("town.json")).unwrap();
    serde_json::from_slice::<TownFile>(&text).unwrap().cards
}

pub(crate) fn card_ref_key(dir: &Path) -> CardRefKey {
    let hex_text = std::fs::read_to_string(dir.join("card_ref.key")).unwrap();
    let mut key = [0; 32];
    hex::decode_to_slice(hex_text.trim(), &mut key).unwrap();
    CardRefKey(key)
}

pub(crate) fn card_ref(key: &CardRefKey, card: &TownCard) -> CardRef {
    let number: CardNumber = card.number.parse().unwrap();
    CardRef::new(key, number, Uid::try_from(card.uid.clone()).unwrap())
}

pub(crate) fn kiosk_caller(id: &str) -> Caller {
    Caller { name: id.to_owned(), kiosk: Some(id.parse().unwrap()), operator: false }
}

pub(crate) fn operator_caller() -> Caller {
    Caller { name: "operator".to_owned(), kiosk: None, operator: true }
}
