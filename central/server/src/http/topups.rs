use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use central_api::{IDEMPOTENCY_KEY, Problem, ProblemKind, TopUpAnswer, TopUpRequest};
use kiosk_records::{IntentId, KioskId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Central;
use crate::db::incidents::Incident;
use crate::db::top_ups::{self, Order, TopUpError};
use crate::domain::top_up::{refusal_word, tender_word};
use crate::http::BODY_MAX;
use crate::http::Shared;
use crate::http::error::Fail;
use crate::http::extract::{ApiJson, FromKiosk};

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(top_up)).layer(DefaultBodyLimit::max(BODY_MAX))
}

crate::http::problem_set!(TopUpProblems:
    Malformed, KeyForeign, InFlight, TooLarge, UnsupportedMediaType, Unprocessable, KeyReused);

/// The cash is in the kiosk, or the bank card charged: credit the wallet
///
/// The same key and body bring the same answer for ever.
#[utoipa::path(
    post, path = "/v1/topups", tag = "kiosk", request_body = TopUpRequest,
    params(("Idempotency-Key" = String, Header,
            description = "The kiosk's intent; its own only",
            pattern = "^[A-Z0-9]{1,16}-[1-9][0-9]{0,18}$", example = "K0001-123")),
    responses((status = 201, description = "On the wallet", body = TopUpAnswer),
              (status = 200, description = "Refused; the office owes it", body = TopUpAnswer),
              TopUpProblems)
)]
async fn top_up(
    State(central): State<Shared>,
    FromKiosk(kiosk): FromKiosk,
    headers: HeaderMap,
    ApiJson(request): ApiJson<TopUpRequest>,
) -> Result<(StatusCode, Json<TopUpAnswer>), Fail> {
    let intent = key(&headers)?;
    if intent.kiosk != kiosk {
        report(&central, &kiosk, Incident::KeyForeign, &intent).await?;
        return Err(ProblemKind::KeyForeign.into());
    }
    if request.amount.is_zero() {
        let zero = Problem::new(ProblemKind::Unprocessable).with_detail("amount: not zero");
        return Err(zero.into());
    }
    let Some(in_flight) = central.in_flight.enter(&intent) else {
        return Err(ProblemKind::InFlight.into());
    };
    let tender = tender_word(request.tender);
    let answer = settle(&central, intent.clone(), request, in_flight).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(TopUpError::KeyReused) => {
            report(&central, &kiosk, Incident::KeyReused, &intent).await?;
            return Err(ProblemKind::KeyReused.into());
        }
        Err(TopUpError::Sqlite(error)) => return Err(error.into()),
    };
    let (status, outcome) = match &answer {
        TopUpAnswer::Accepted { .. } => (StatusCode::CREATED, "accepted"),
        TopUpAnswer::Refused { reason } => (StatusCode::OK, refusal_word(*reason)),
    };
    central.metrics.top_up(outcome, tender);
    Ok((status, Json(answer)))
}

async fn settle(
    central: &Central,
    intent: IntentId,
    request: TopUpRequest,
    in_flight: InFlightKey,
) -> Result<TopUpAnswer, TopUpError> {
    let order = Order { intent, request, now: central.clock.now() };
    let (tenant, rules) = (central.tenant.clone(), Arc::clone(&central.rules));
    let settled = central.db.writer.write(move |db| {
        Box::pin(async move {
            let answer = top_ups::answer(db, &tenant, &rules, &order).await;
            // With the job, not with the request: who hangs up is still in flight.
            drop(in_flight);
            answer
        })
    });
    settled.await
}

fn key(headers: &HeaderMap) -> Result<IntentId, Fail> {
    let wrong = |what| Fail::from(Problem::new(ProblemKind::Malformed).with_detail(what));
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(wrong("one Idempotency-Key is required"));
    };
    let intent = value.to_str().ok().and_then(|text| text.parse::<IntentId>().ok());
    intent
        .filter(|intent| i64::try_from(intent.seq.0).is_ok())
        .ok_or_else(|| wrong("Idempotency-Key: a kiosk's intent, for instance K0001-123"))
}

async fn report(
    central: &Central,
    kiosk: &KioskId,
    incident: Incident,
    intent: &IntentId,
) -> Result<(), Fail> {
    let (subject, detail) = (intent.to_string(), "refused; nothing was booked");
    central.report(kiosk, incident, subject, detail.to_owned()).await
}

/// Keys whose answer is being made. Two requests with one key at the same time: the second is told
/// to come again, and then gets the answer of the first.
#[derive(Clone, Debug, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashSet<IntentId>>>);

impl InFlight {
    fn enter(&self, intent: &IntentId) -> Option<InFlightKey> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(intent.clone())
            .then(|| InFlightKey { all: self.clone(), intent: intent.clone() })
    }
}

/// Leaves when dropped.
struct InFlightKey {
    all: InFlight,
    intent: IntentId,
}

impl Drop for InFlightKey {
    fn drop(&mut self) {
        let mut keys = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.intent);
    }
}
