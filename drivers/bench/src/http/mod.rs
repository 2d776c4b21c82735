//! The page and the HTTP API, on loopback only. `docs/workbench.md` describes it for its callers.

mod acts;
mod events;
mod extract;
mod guard;
mod page;
mod problem;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware;
use axum::routing::{get, post};

use crate::bench::Bench;
pub use problem::Problem;

/// Everything the workbench serves.
pub fn router(bench: Arc<Bench>) -> Router {
    Router::new()
        .merge(page::routes())
        .route("/api/state", get(views::state))
        .route("/api/events", get(events::events))
        .route("/api/cards", get(views::cards))
        .route("/api/card/tap", post(acts::tap))
        .route("/api/card/remove", post(acts::remove))
        .route("/api/acceptor/insert", post(acts::insert))
        .route("/api/acceptor/take", post(acts::take))
        .route("/api/terminal/cardholder", post(acts::cardholder))
        .route("/api/faults", get(views::faults))
        .route("/api/fault", post(acts::fault))
        .route("/api/power", get(views::powers).post(acts::power))
        .route("/api/screen", get(views::screen))
        .route("/api/screen/wait", get(views::screen_wait))
        .route("/api/screen/elements", get(views::elements))
        .route("/api/screen/press", post(acts::press))
        .route("/api/screen.png", get(views::screen_png))
        .route("/api/receipts", get(views::receipts))
        .route("/api/receipts/{file}", get(views::receipt))
        .route("/api/books", get(views::books))
        .route("/api/books/wait", get(views::books_wait))
        .route("/api/log", get(views::log))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(guard::only_this_machine))
        .with_state(bench)
}

async fn unknown_path(uri: Uri) -> Problem {
    Problem::unknown(format!("there is no {}; docs/workbench.md lists the API", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let other = if method == Method::GET { "POST" } else { "GET" };
    Problem::method(format!("{} is for {other}", uri.path()))
}

/// No request of the API is near it.
const BODY_BYTES_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests;
