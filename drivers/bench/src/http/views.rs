//! What is only looked at.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use ui_proto::Element;

use super::extract::Asked;
use super::problem::Problem;
use crate::bench::{Bench, BenchState, PowerSwitch};
use crate::books::Books;
use crate::cabinet::DeviceFaults;
use crate::log::LogLine;
use crate::screen::Shown;
use crate::town::Card;

pub(super) async fn state(State(bench): State<Arc<Bench>>) -> Json<BenchState> {
    Json(bench.state())
}

pub(super) async fn cards(State(bench): State<Arc<Bench>>) -> Json<Vec<Card>> {
    Json(bench.cards())
}

pub(super) async fn faults(State(bench): State<Arc<Bench>>) -> Json<Vec<DeviceFaults>> {
    Json(bench.faults())
}

pub(super) async fn powers(State(bench): State<Arc<Bench>>) -> Json<Vec<PowerSwitch>> {
    Json(bench.powers())
}

pub(super) async fn screen(State(bench): State<Arc<Bench>>) -> Result<Json<Shown>, Problem> {
    let shown = bench.screens.current();
    shown.map(Json).ok_or_else(|| {
        Problem::away("kioskd does not answer; see /api/power and DIR/log/kioskd.log")
    })
}

/// `GET /api/screen/wait`: `name` may list several names with commas; every other parameter must
/// equal that field of the screen (`inserted=2000`, `done.credited.amount=3000`).
pub(super) async fn screen_wait(
    State(bench): State<Arc<Bench>>,
    Asked(mut wanted): Asked<BTreeMap<String, String>>,
) -> Result<Json<Shown>, Problem> {
    let wait = take_number(&mut wanted, "timeout_ms")?.unwrap_or(WAIT_MS);
    let after = take_number(&mut wanted, "after")?;
    let waiting = bench.screens.wait(after, |shown| is_wanted(shown, &wanted));
    match timeout(Duration::from_millis(wait.min(WAIT_MS_MAX)), waiting).await {
        Ok(shown) => Ok(Json(shown)),
        Err(_) => Err(Problem::too_late(match bench.screens.current() {
            Some(shown) => format!("the screen is {}, not {wanted:?}", as_text(&shown)),
            None => "kioskd does not answer; see /api/power and DIR/log/kioskd.log".to_owned(),
        })),
    }
}

fn is_wanted(shown: &Shown, wanted: &BTreeMap<String, String>) -> bool {
    let fields = serde_json::to_value(shown).unwrap_or_default();
    wanted.iter().all(|(path, value)| {
        let field = path.split('.').fold(&fields, |field, key| &field[key]);
        // Text without its quotes, all else as JSON writes it.
        let said = field.as_str().map_or_else(|| field.to_string(), str::to_owned);
        if path == "name" {
            return value.split(',').any(|name| name == said);
        }
        said == *value
    })
}

fn take_number(wanted: &mut BTreeMap<String, String>, name: &str) -> Result<Option<u64>, Problem> {
    let Some(text) = wanted.remove(name) else {
        return Ok(None);
    };
    let number = text.parse();
    number
        .map(Some)
        .map_err(|_| Problem::malformed(format!("{name} is a whole number, not {text:?}")))
}

fn as_text(shown: &Shown) -> String {
    serde_json::to_string(shown).unwrap_or_default()
}

pub(super) async fn elements(
    State(bench): State<Arc<Bench>>,
) -> Result<Json<Vec<Element>>, Problem> {
    Ok(Json(bench.remote.elements().await?))
}

/// `GET /api/screen.png`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Frame {
    after: Option<u64>,
}

/// The picture, its frame number in the header `x-frame`. With `after` it waits up to 10 s for a
/// newer picture and answers 204 when there is none.
pub(super) async fn screen_png(
    State(bench): State<Arc<Bench>>,
    Asked(asked): Asked<Frame>,
) -> Result<Response, Problem> {
    let picture = bench.remote.picture(asked.after).await?;
    let frame = [(X_FRAME, picture.frame.to_string())];
    if asked.after == Some(picture.frame) {
        return Ok((StatusCode::NO_CONTENT, frame).into_response());
    }
    Ok((frame, [(header::CONTENT_TYPE, "image/png")], picture.png).into_response())
}

/// `GET /api/receipts`
#[derive(Serialize)]
pub(super) struct Receipt {
    number: usize,
    text: String,
}

pub(super) async fn receipts(State(bench): State<Arc<Bench>>) -> Json<Vec<Receipt>> {
    let receipts = bench.receipts().into_iter().enumerate();
    Json(
        receipts
            .map(|(index, receipt)| Receipt { number: index + 1, text: receipt.text })
            .collect(),
    )
}

/// `GET /api/receipts/{last or number}.{txt or png}`
pub(super) async fn receipt(
    State(bench): State<Arc<Bench>>,
    Path(file): Path<String>,
) -> Result<Response, Problem> {
    let (which, form) = file
        .rsplit_once('.')
        .ok_or_else(|| Problem::unknown("a receipt is last.txt, last.png, 1.txt, 1.png …"))?;
    let receipts = bench.receipts();
    let number = match which {
        "last" => receipts.len(),
        number => number.parse().unwrap_or(0),
    };
    let receipt = number
        .checked_sub(1)
        .and_then(|index| receipts.get(index))
        .ok_or_else(|| Problem::unknown(format!("{} receipts were printed", receipts.len())))?;
    match form {
        "txt" => Ok(receipt.text.clone().into_response()),
        "png" => Ok(([(header::CONTENT_TYPE, "image/png")], receipt.png.to_vec()).into_response()),
        form => Err(Problem::unknown(format!("a receipt is .txt or .png, not .{form}"))),
    }
}

pub(super) async fn books(State(bench): State<Arc<Bench>>) -> Json<Books> {
    Json(bench.books().await)
}

/// `GET /api/books/wait`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BooksWait {
    agree: bool,
    timeout_ms: Option<u64>,
}

pub(super) async fn books_wait(
    State(bench): State<Arc<Bench>>,
    Asked(asked): Asked<BooksWait>,
) -> Result<Json<Books>, Problem> {
    let wait = Duration::from_millis(asked.timeout_ms.unwrap_or(WAIT_MS).min(WAIT_MS_MAX));
    let deadline = tokio::time::Instant::now() + wait;
    loop {
        let books = bench.books().await;
        if books.agree == asked.agree {
            return Ok(Json(books));
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(Problem::too_late(format!(
                "agree is {}: {}",
                books.agree,
                books.differences.join("; ")
            )));
        }
        tokio::time::sleep(BOOKS_PAUSE).await;
    }
}

/// `GET /api/log`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tail {
    lines: Option<usize>,
}

pub(super) async fn log(
    State(bench): State<Arc<Bench>>,
    Asked(tail): Asked<Tail>,
) -> Json<Vec<LogLine>> {
    Json(bench.log_tail(tail.lines.unwrap_or(100)))
}

/// How long a wait lasts when the caller does not say.
const WAIT_MS: u64 = 10_000;

/// And at most.
const WAIT_MS_MAX: u64 = 120_000;

/// Books are compared by asking two processes; not more often than this.
const BOOKS_PAUSE: Duration = Duration::from_millis(150);

const X_FRAME: HeaderName = HeaderName::from_static("x-frame");
