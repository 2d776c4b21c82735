use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use central_api::{Hotlist, KioskConfig};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::db::cards;
use crate::http::Shared;
use crate::http::error::Fail;
use crate::http::extract::FromKiosk;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(kiosk_config)).routes(routes!(hotlist))
}

crate::http::problem_set!(ReadProblems:);

/// What a kiosk of this municipality goes by
#[utoipa::path(
    get, path = "/v1/kiosk-config", tag = "kiosk",
    params(("If-None-Match" = Option<String>, Header, description = "The tag held")),
    responses((status = 200, description = "It", body = KioskConfig,
               headers(("ETag" = String, description = "For If-None-Match"))),
              (status = 304, description = "As the tag says"), ReadProblems)
)]
async fn kiosk_config(
    State(central): State<Shared>,
    FromKiosk(_): FromKiosk,
    headers: HeaderMap,
) -> Result<Response, Fail> {
    let config = KioskConfig {
        municipality: central.municipality.clone(),
        rules: (*central.rules).clone(),
        card_keys: central.card_keys.clone(),
        hotlist_version: cards::hotlist_version(&central.db.readers, &central.tenant).await?,
    };
    Ok(tagged(&headers, &config))
}

/// Cards that no kiosk may serve while central is away
#[utoipa::path(
    get, path = "/v1/hotlist", tag = "kiosk",
    params(("If-None-Match" = Option<String>, Header, description = "The tag held")),
    responses((status = 200, description = "All of it", body = Hotlist,
               headers(("ETag" = String, description = "For If-None-Match"))),
              (status = 304, description = "As the tag says"), ReadProblems)
)]
async fn hotlist(
    State(central): State<Shared>,
    FromKiosk(_): FromKiosk,
    headers: HeaderMap,
) -> Result<Response, Fail> {
    // One moment for both, or the list could be newer than its version says.
    let mut read = central.db.readers.begin().await?;
    let hotlist = Hotlist {
        version: cards::hotlist_version(&mut *read, &central.tenant).await?,
        cards: cards::hotlist(&mut *read, &central.tenant).await?,
    };
    Ok(tagged(&headers, &hotlist))
}

/// The value, or 304 when the caller has it. The tag is a digest of the value, so that it is right
/// also after a restore from a backup.
fn tagged(headers: &HeaderMap, value: &impl Serialize) -> Response {
    let json = serde_json::to_vec(value).expect("answers have string keys only");
    let digest = hex::encode(&Sha256::digest(json)[..12]);
    let tag = HeaderValue::try_from(format!("\"{digest}\"")).expect("hex and quotes");
    let held = headers.get_all(header::IF_NONE_MATCH).iter().any(|held| held == tag);
    let headers = [(header::ETAG, tag), (header::CACHE_CONTROL, NO_CACHE)];
    match held {
        true => (StatusCode::NOT_MODIFIED, headers).into_response(),
        false => (headers, Json(value)).into_response(),
    }
}

/// Ask every time, with the tag.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
