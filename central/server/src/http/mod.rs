//! The API over HTTP: one file per resource, each with its router.

mod cards;
mod config;
mod error;
mod extract;
mod journal;
pub(crate) mod limit;
mod operator;
mod ops;
pub(crate) mod topups;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use central_api::{Problem, ProblemKind};
pub(crate) use error::Fail;
pub(crate) use ops::router as ops_router;
use tokio::time::Instant;
use utoipa::openapi::{
    Content, HeaderBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response as Answer,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use crate::Central;

/// What every handler is given.
type Shared = Arc<Central>;

/// A body that is not a journal: the largest is below 1 KiB.
const BODY_MAX: usize = 16 * 1024;
/// An answer takes milliseconds; PIN checks that queue, a second.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// The service for kiosks and operators, without TLS: whoever calls must have come in as a
/// [`ConnectInfo`](axum::extract::ConnectInfo) of [`Caller`](crate::Caller).
pub(crate) fn router(central: Shared) -> Router {
    let (router, _) = api().split_for_parts();
    router
        .fallback(async || Fail::from(ProblemKind::NotFound))
        .method_not_allowed_fallback(async || Fail::from(ProblemKind::MethodNotAllowed))
        .layer(from_fn_with_state(central.clone(), guard))
        .with_state(central)
}

/// The OpenAPI document of that service.
pub(crate) fn document() -> OpenApi {
    api().into_openapi()
}

fn api() -> OpenApiRouter<Shared> {
    let info = InfoBuilder::new()
        .title("PAUSE+ central")
        .version("1")
        .description(Some(DESCRIPTION))
        .build();
    let schemas = [
        (Problem::name().into_owned(), Problem::schema()),
        (ProblemKind::name().into_owned(), ProblemKind::schema()),
    ];
    let components = utoipa::openapi::ComponentsBuilder::new().schemas_from_iter(schemas);
    let document = OpenApiBuilder::new().info(info).components(Some(components.build()));
    OpenApiRouter::with_openapi(document.build())
        .merge(cards::router())
        .merge(topups::router())
        .merge(journal::router())
        .merge(config::router())
        .merge(operator::router())
}

const DESCRIPTION: &str = "\
Cards, PINs, wallets and journals of a municipality's kiosks. Callers come in by TLS with a client \
certificate of the network's authority; its subject says who they are (CN), what they may do \
(OU: `kiosk`, `operator`) and for which municipality (O). Errors are problems [RFC 9457] with a \
stable `type`. Amounts are euro cents.";

/// What every request goes through: the rate limit, a time limit, the count of it.
async fn guard(State(central): State<Shared>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = method_word(request.method());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let (parts, body) = request.into_parts();
    let admitted = extract::caller(&parts).and_then(|caller| {
        let in_time = central.limiter.may_ask(&caller.name);
        in_time.then_some(()).ok_or_else(|| ProblemKind::RateLimited.into())
    });
    let response = match admitted {
        Err(fail) => fail.into_response(),
        Ok(()) => {
            let answer = next.run(Request::from_parts(parts, body));
            let answer = tokio::time::timeout(ANSWER_MAX, answer).await;
            answer.unwrap_or_else(|_| Fail::from(ProblemKind::TimedOut).into_response())
        }
    };
    let status = response.status().as_u16();
    central.metrics.request(&route, method, status, begun.elapsed());
    tracing::debug!(route, method, status, "answered");
    response
}

/// A label must not be made by who calls.
fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

/// Names a set of problems for an endpoint's `responses(…)`; those that any endpoint can bring are
/// in every set.
macro_rules! problem_set {
    ($name:ident: $($kind:ident),*) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::Response>,
            > {
                crate::http::problem_responses(&[$(central_api::ProblemKind::$kind),*])
            }
        }
    };
}
pub(crate) use problem_set;

/// What any endpoint can bring.
const COMMON: [ProblemKind; 5] = [
    ProblemKind::Forbidden,
    ProblemKind::RateLimited,
    ProblemKind::Internal,
    ProblemKind::Overloaded,
    ProblemKind::TimedOut,
];

/// One response per status, with the types it may carry.
fn problem_responses(kinds: &[ProblemKind]) -> BTreeMap<String, RefOr<Answer>> {
    let mut slugs: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for kind in kinds.iter().chain(&COMMON) {
        slugs.entry(kind.status()).or_default().push(kind.slug());
    }
    slugs
        .into_iter()
        .map(|(status, slugs)| {
            let schema = Ref::from_schema_name(Problem::name());
            let description = format!("Problem: `{}`", slugs.join("`, `"));
            let mut answer = ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", Content::new(Some(schema)));
            if status == 429 {
                let retry = HeaderBuilder::new().description(Some("Seconds")).build();
                answer = answer.header("Retry-After", retry);
            }
            (status.to_string(), answer.build().into())
        })
        .collect()
}
