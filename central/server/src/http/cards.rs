use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use central_api::{CardSession, CardSessionRequest, Problem, ProblemKind};
use domain::{Amount, CardRef, Pii, Wall};
use kiosk_records::KioskId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Central;
use crate::db::cards::{self, CardRow};
use crate::db::incidents::{Incident, report_if_clone};
use crate::db::ledger::{movements, unreadable};
use crate::db::pin_guards;
use crate::domain::card::{Day, masked_name, usable};
use crate::domain::pin_guard::{Lock, PinGuard};
use crate::http::BODY_MAX;
use crate::http::Shared;
use crate::http::error::Fail;
use crate::http::extract::{ApiJson, FromKiosk};
use crate::pins::Slot;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(open_card_session)).layer(DefaultBodyLimit::max(BODY_MAX))
}

/// Movements on the screen.
const MOVEMENTS_MAX: u32 = 5;
/// A kiosk whose clock is off by more has a fault worth a line in the log.
const CLOCK_SKEW_MAX_MS: u64 = 600_000;

crate::http::problem_set!(OpenProblems:
    Malformed, CardOrPinWrong, CardBlocked, CardSuspended, CardExpired, TooLarge,
    UnsupportedMediaType, Unprocessable, PinLocked);

/// A citizen has tapped the card and typed the PIN
///
/// An unknown card, a copied one and a wrong PIN bring the same answer in the same time. Each call
/// counts as a try.
#[utoipa::path(
    post, path = "/v1/card-sessions", tag = "kiosk", request_body = CardSessionRequest,
    responses((status = 201, description = "Right, and the card may be used", body = CardSession),
              OpenProblems)
)]
async fn open_card_session(
    State(central): State<Shared>,
    FromKiosk(kiosk): FromKiosk,
    ApiJson(request): ApiJson<CardSessionRequest>,
) -> Result<(StatusCode, Json<CardSession>), Fail> {
    if !central.limiter.may_check_pin(kiosk.as_str()) {
        return Err(ProblemKind::RateLimited.into());
    }
    // A place in the queue first: whoever gets none has not used up a try.
    let slot = central.pins.slot().await.ok_or(ProblemKind::Overloaded)?;
    // On its own task: a kiosk that hangs up must not leave a right PIN counted as wrong.
    let checked = tokio::spawn(check(central, kiosk, request, slot));
    let session = checked.await.map_err(|_| ProblemKind::Internal)??;
    Ok((StatusCode::CREATED, Json(session)))
}

async fn check(
    central: Shared,
    kiosk: KioskId,
    request: CardSessionRequest,
    slot: Slot,
) -> Result<CardSession, Fail> {
    let now = central.clock.now();
    warn_of_skew(&kiosk, request.at, now);
    let card_ref = CardRef::new(&central.card_ref_key, request.number, request.uid);
    let (guard, card) = count_try(&central, kiosk, &request, card_ref, now).await?;
    let hash = card.as_ref().map(|card| card.pin_hash.clone());
    let (right, took) = slot.verify(request.pin, hash).await;
    central.metrics.pin_check(took);
    let Some(card) = card.filter(|_| right) else {
        let policy = &central.pin_policy;
        return Err(match guard.after_wrong(central.clock.now().utc_ms, policy) {
            Err(lock) => locked(lock),
            Ok(tries_left) => Problem {
                tries_left: Some(tries_left),
                ..Problem::new(ProblemKind::CardOrPinWrong)
            }
            .into(),
        });
    };
    forgive(&central, card_ref, now).await?;
    usable(card.status, card.expires, Day::of(now)).map_err(|why| Fail::from(why.problem()))?;
    statement(&central, &request.number.masked(), card_ref, &card).await
}

/// Counts the try as wrong, on disk, before the PIN is looked at. Says nothing of whether the card
/// exists, to anyone but the caller.
async fn count_try(
    central: &Central,
    kiosk: KioskId,
    request: &CardSessionRequest,
    card_ref: CardRef,
    now: Wall,
) -> Result<(PinGuard, Option<CardRow>), Fail> {
    let (tenant, policy) = (central.tenant.clone(), central.pin_policy);
    let (number, now_ms) = (request.number, now.utc_ms);
    let counted = central.db.writer.write(move |db| {
        Box::pin(async move {
            let guard = pin_guards::load(db, &tenant, card_ref).await?;
            let guard = match guard.count_try(now_ms, &policy) {
                Ok(guard) => guard,
                Err(lock) => return Ok(Err(lock)),
            };
            pin_guards::store(db, &tenant, card_ref, guard, now_ms).await?;
            let kiosk = kiosk.as_str();
            let clone = report_if_clone(db, &tenant, kiosk, number, card_ref, now_ms).await?;
            let card = cards::find(db, &tenant, card_ref).await?;
            Ok::<_, sqlx::Error>(Ok((guard, card, clone)))
        })
    });
    let (guard, card, clone) = counted.await?.map_err(locked)?;
    if clone {
        central.metrics.incident(Incident::CloneSuspected);
        tracing::warn!(%card_ref, "a card's number came with a chip it was not made for");
    }
    Ok((guard, card))
}

/// The PIN was right: wrong tries before it are forgotten.
async fn forgive(central: &Central, card_ref: CardRef, now: Wall) -> Result<(), Fail> {
    let tenant = central.tenant.clone();
    let stored = central.db.writer.write(move |db| {
        Box::pin(async move {
            let fresh = PinGuard::default();
            pin_guards::store(db, &tenant, card_ref, fresh, now.utc_ms).await
        })
    });
    stored.await.map_err(|error: sqlx::Error| error.into())
}

/// Balance and movements of one moment.
async fn statement(
    central: &Central,
    card_masked: &str,
    card_ref: CardRef,
    card: &CardRow,
) -> Result<CardSession, Fail> {
    let mut read = central.db.readers.begin().await?;
    let tenant = &central.tenant;
    let card_now = cards::find(&mut *read, tenant, card_ref).await?;
    let card_now = card_now.ok_or_else(|| unreadable("cards.card_ref"))?;
    let movements = movements(&mut *read, tenant, &card.wallet, MOVEMENTS_MAX).await?;
    let balance = Amount::from_cents(card_now.balance);
    Ok(CardSession {
        holder: Pii::new(masked_name(&card.holder)),
        card_masked: card_masked.to_owned(),
        card_ref,
        status: card.status,
        balance: balance.map_err(|_| unreadable("accounts.credits"))?,
        movements,
    })
}

fn locked(lock: Lock) -> Fail {
    let retry_after_min = match lock {
        Lock::Minutes(minutes) => Some(minutes),
        Lock::Office => None,
    };
    Problem { retry_after_min, ..Problem::new(ProblemKind::PinLocked) }.into()
}

fn warn_of_skew(kiosk: &KioskId, at: Wall, now: Wall) {
    let skew_ms = at.utc_ms.abs_diff(now.utc_ms);
    if skew_ms > CLOCK_SKEW_MAX_MS {
        tracing::warn!(%kiosk, skew_s = skew_ms / 1_000, "the kiosk's clock is off");
    }
}
