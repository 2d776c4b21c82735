use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use central_api::{Problem, ProblemKind};

/// An error answer: the problem, as `application/problem+json`.
#[derive(Debug)]
pub(crate) struct Fail(pub(crate) Box<Problem>);

impl From<ProblemKind> for Fail {
    fn from(kind: ProblemKind) -> Self {
        Problem::new(kind).into()
    }
}

impl From<Problem> for Fail {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<sqlx::Error> for Fail {
    /// What the database says is for engineers, not for the caller.
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the database failed");
        ProblemKind::Internal.into()
    }
}

impl IntoResponse for Fail {
    fn into_response(self) -> Response {
        let problem = *self.0;
        let status = StatusCode::from_u16(problem.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_s = match (problem.kind, problem.retry_after_min) {
            (ProblemKind::PinLocked, Some(minutes)) => Some(u64::from(minutes) * 60),
            (ProblemKind::RateLimited | ProblemKind::Overloaded | ProblemKind::InFlight, _) => {
                Some(1)
            }
            _ => None,
        };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        let problem_json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, problem_json);
        if let Some(seconds) = retry_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
