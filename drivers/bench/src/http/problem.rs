//! Refusals as problem+json (RFC 9457) that say what to do.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::bench::BenchError;
use crate::cabinet::DeviceError;
use crate::remote::RemoteError;

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(skip)]
    status_code: StatusCode,
    status: u16,
    title: &'static str,
    detail: String,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status_code: status, status: status.as_u16(), title, detail: detail.into() }
    }

    /// 400: the request is not understood.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request not understood", detail)
    }

    /// 403: it comes from another site.
    pub fn foreign(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not from this page", detail)
    }

    /// 404: no such thing.
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "no such thing", detail)
    }

    /// 405: not with this method.
    pub fn method(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "not with this method", detail)
    }

    /// 409: understood, but not possible now.
    pub fn not_now(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "not possible now", detail)
    }

    /// 413, 415: a body that is not taken.
    pub fn body(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(status, "body not taken", detail)
    }

    /// 503: a process that should answer does not.
    pub fn away(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "a process is away", detail)
    }

    /// 504: it did not come about in the time given.
    pub fn too_late(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "not within the time given", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status_code, Json(self)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl From<BenchError> for Problem {
    fn from(error: BenchError) -> Self {
        let detail = error.to_string();
        match error {
            BenchError::Card { .. } | BenchError::Process { .. } => Self::unknown(detail),
            BenchError::Device(
                DeviceError::Device { .. }
                | DeviceError::Fault { .. }
                | DeviceError::Cardholder { .. },
            ) => Self::unknown(detail),
            BenchError::Device(DeviceError::Note { .. }) => Self::malformed(detail),
            BenchError::Device(DeviceError::NotDrawnIn(_)) => Self::not_now(detail),
            BenchError::Remote(error) => error.into(),
        }
    }
}

impl From<RemoteError> for Problem {
    fn from(error: RemoteError) -> Self {
        let detail = error.to_string();
        match error {
            RemoteError::Refused { .. } => Self::not_now(detail),
            RemoteError::Away(_) | RemoteError::Garbled => {
                Self::away(format!("{detail}; see /api/power and DIR/log/kiosk-ui.log"))
            }
        }
    }
}
