use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::http::Shared;

/// Health and metrics, for the loopback listener.
pub(crate) fn router(central: Shared) -> Router {
    Router::new().route("/healthz", get(health)).route("/metrics", get(metrics)).with_state(central)
}

/// 200 when the database answers and the writer writes.
async fn health(State(central): State<Shared>) -> (StatusCode, &'static str) {
    let alive = central
        .db
        .writer
        .write(|db| Box::pin(async move { sqlx::query("SELECT 1").execute(db).await.map(drop) }));
    match alive.await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "database\n"),
    }
}

async fn metrics(State(central): State<Shared>) -> impl IntoResponse {
    let text = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, text)], central.metrics.text())
}
