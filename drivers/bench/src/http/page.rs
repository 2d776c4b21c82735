//! The page: three files without a build step, in the binary.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::bench::Bench;

pub(super) fn routes() -> Router<Arc<Bench>> {
    Router::new()
        .route("/", get(|| file("text/html", include_str!("../../page/index.html"))))
        .route("/bench.css", get(|| file("text/css", include_str!("../../page/bench.css"))))
        .route("/bench.js", get(|| file("text/javascript", include_str!("../../page/bench.js"))))
}

async fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, format!("{kind}; charset=utf-8"))], text)
}
