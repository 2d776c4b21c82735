//! What changes something.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use ui_proto::RemoteRequest;

use super::extract::Body;
use super::problem::Problem;
use crate::bench::Bench;

/// `POST /api/card/tap`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tap {
    card: String,
    with: Option<String>,
}

pub(super) async fn tap(State(bench): State<Arc<Bench>>, Body(tap): Body<Tap>) -> Done {
    bench.tap(&tap.card, tap.with.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove(State(bench): State<Arc<Bench>>) -> Done {
    bench.remove_card();
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/acceptor/insert`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Insert {
    cents: i64,
}

pub(super) async fn insert(State(bench): State<Arc<Bench>>, Body(note): Body<Insert>) -> Done {
    bench.insert(note.cents).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/acceptor/take`: the values of the notes that were given back, in cents.
pub(super) async fn take(State(bench): State<Arc<Bench>>) -> Json<Vec<u32>> {
    Json(bench.take_returned())
}

/// `POST /api/terminal/cardholder`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Holder {
    cardholder: String,
}

pub(super) async fn cardholder(
    State(bench): State<Arc<Bench>>,
    Body(holder): Body<Holder>,
) -> Done {
    bench.set_cardholder(&holder.cardholder)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/fault`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    device: String,
    fault: String,
    on: bool,
}

pub(super) async fn fault(State(bench): State<Arc<Bench>>, Body(fault): Body<Fault>) -> Done {
    bench.fault(&fault.device, &fault.fault, fault.on)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/power`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Power {
    process: String,
    on: bool,
}

pub(super) async fn power(State(bench): State<Arc<Bench>>, Body(power): Body<Power>) -> Done {
    bench.power(&power.process, power.on).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/screen/press`: one of the three.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Press {
    Label { label: String },
    Touch { x: f32, y: f32 },
    Key { key: String },
}

pub(super) async fn press(State(bench): State<Arc<Bench>>, Body(press): Body<Press>) -> Done {
    let request = match press {
        Press::Label { label } => RemoteRequest::Press { label },
        Press::Touch { x, y } => RemoteRequest::Touch { x, y },
        Press::Key { key } => RemoteRequest::Key { key },
    };
    bench.press(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

type Done = Result<StatusCode, Problem>;
