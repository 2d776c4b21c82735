use axum::Json;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use central_api::{CardStatusChange, KioskBooks, ProblemKind};
use domain::{CardNumber, CardRef};
use kiosk_records::KioskId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Central;
use crate::db::{audit, cards};
use crate::http::BODY_MAX;
use crate::http::Shared;
use crate::http::error::Fail;
use crate::http::extract::{ApiJson, FromOperator};

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(kiosk_books))
        .routes(routes!(set_card_status))
        .routes(routes!(reset_pin_lock))
        .layer(DefaultBodyLimit::max(BODY_MAX))
}

crate::http::problem_set!(FindProblems: NotFound);
crate::http::problem_set!(ChangeProblems:
    Malformed, NotFound, TooLarge, UnsupportedMediaType, Unprocessable);

/// A kiosk's books, audited from its journal, beside central's own
#[utoipa::path(
    get, path = "/v1/kiosks/{id}/books", tag = "operator",
    params(("id" = String, Path, description = "The kiosk", pattern = "^[A-Z0-9]{1,16}$")),
    responses((status = 200, description = "They", body = KioskBooks), FindProblems)
)]
async fn kiosk_books(
    State(central): State<Shared>,
    FromOperator(_): FromOperator,
    Path(id): Path<String>,
) -> Result<Json<KioskBooks>, Fail> {
    let kiosk: KioskId = id.parse().map_err(|_| ProblemKind::NotFound)?;
    let mut read = central.db.readers.begin().await?;
    let books = audit::kiosk_books(&mut read, &central.tenant, &kiosk).await?;
    Ok(Json(books.ok_or(ProblemKind::NotFound)?))
}

/// Block, suspend or free a card
///
/// The newest card with that number. A blocked card stays blocked until an operator says otherwise.
#[utoipa::path(
    post, path = "/v1/cards/{number}/status", tag = "operator", request_body = CardStatusChange,
    params(("number" = String, Path, description = "Ten digits", pattern = "^[0-9]{10}$")),
    responses((status = 204, description = "Done; the hotlist has a new version"), ChangeProblems)
)]
async fn set_card_status(
    State(central): State<Shared>,
    FromOperator(operator): FromOperator,
    Path(number): Path<String>,
    ApiJson(change): ApiJson<CardStatusChange>,
) -> Result<StatusCode, Fail> {
    let card_ref = card(&central, &number).await?;
    let (tenant, now_ms) = (central.tenant.clone(), central.clock.now().utc_ms);
    let by = operator.clone();
    let changed = central.db.writer.write(move |db| {
        Box::pin(async move {
            cards::set_status(db, &tenant, card_ref, change.status, &by, now_ms).await
        })
    });
    let version: u64 = changed.await.map_err(|error: sqlx::Error| Fail::from(error))?;
    tracing::info!(%card_ref, status = change.status.as_str(), operator, version, "card status");
    Ok(StatusCode::NO_CONTENT)
}

/// Let a card's PIN be tried again
#[utoipa::path(
    post, path = "/v1/cards/{number}/pin-lock/reset", tag = "operator",
    params(("number" = String, Path, description = "Ten digits", pattern = "^[0-9]{10}$")),
    responses((status = 204, description = "Done"), FindProblems)
)]
async fn reset_pin_lock(
    State(central): State<Shared>,
    FromOperator(operator): FromOperator,
    Path(number): Path<String>,
) -> Result<StatusCode, Fail> {
    let card_ref = card(&central, &number).await?;
    central.unlock_pin(card_ref).await?;
    tracing::info!(%card_ref, operator, "PIN lock reset");
    Ok(StatusCode::NO_CONTENT)
}

async fn card(central: &Central, number: &str) -> Result<CardRef, Fail> {
    let number: CardNumber = number.parse().map_err(|_| ProblemKind::NotFound)?;
    let found = cards::by_number(&central.db.readers, &central.tenant, number).await?;
    found.ok_or_else(|| ProblemKind::NotFound.into())
}
