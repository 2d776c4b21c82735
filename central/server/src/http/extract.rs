use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use central_api::{Problem, ProblemKind};
use kiosk_records::KioskId;
use serde::de::DeserializeOwned;

use crate::caller::Caller;
use crate::http::error::Fail;

/// A JSON body. What is wrong with it is said by place, never by content: it may be personal.
pub(crate) struct ApiJson<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = Fail;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fail> {
        if !is_json(request.headers()) {
            return Err(ProblemKind::UnsupportedMediaType.into());
        }
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(Self(value)),
            Err(error) => {
                let kind = match error.classify() {
                    serde_json::error::Category::Data => ProblemKind::Unprocessable,
                    serde_json::error::Category::Io
                    | serde_json::error::Category::Syntax
                    | serde_json::error::Category::Eof => ProblemKind::Malformed,
                };
                let place = format!("line {} column {}", error.line(), error.column());
                Err(Problem::new(kind).with_detail(place).into())
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    let Some(text) = value.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let media_type = text.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

fn unread(rejection: BytesRejection) -> Fail {
    match rejection.status().as_u16() {
        413 => ProblemKind::TooLarge.into(),
        _ => ProblemKind::Malformed.into(),
    }
}

/// The calling kiosk; anybody else is refused.
pub(crate) struct FromKiosk(pub(crate) KioskId);

impl<S: Send + Sync> FromRequestParts<S> for FromKiosk {
    type Rejection = Fail;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fail> {
        let kiosk = caller(parts)?.kiosk.clone();
        kiosk.map(Self).ok_or_else(|| ProblemKind::Forbidden.into())
    }
}

/// The calling operator's name; anybody else is refused.
pub(crate) struct FromOperator(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for FromOperator {
    type Rejection = Fail;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fail> {
        let caller = caller(parts)?;
        match caller.operator {
            true => Ok(Self(caller.name.clone())),
            false => Err(ProblemKind::Forbidden.into()),
        }
    }
}

/// Whoever came through the handshake. Without one nobody is anybody.
pub(crate) fn caller(parts: &Parts) -> Result<&Caller, Fail> {
    let info = parts.extensions.get::<ConnectInfo<Caller>>();
    info.map(|info| &info.0).ok_or_else(|| ProblemKind::Forbidden.into())
}
