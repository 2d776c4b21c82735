//! `GET /api/events`: server-sent events for the page: `state` on every change, `books` when money
//! may have moved.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use crate::bench::Bench;

pub(super) async fn events(
    State(bench): State<Arc<Bench>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(tell(bench, sender));
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|event| (Ok(event), receiver))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

/// Sends until the page is gone. Books are read only while someone looks, since each reading asks
/// two processes.
async fn tell(bench: Arc<Bench>, page: mpsc::Sender<Event>) {
    let mut changes = bench.changes.follow();
    let mut next_books = Instant::now();
    loop {
        let state = event("state", &bench.state());
        if page.send(state).await.is_err() {
            return;
        }
        let changed = loop {
            tokio::select! {
                changed = changes.changed() => break changed,
                () = page.closed() => return,
                () = sleep_until(next_books) => {
                    let books = bench.books().await;
                    let pause = if books.agree { BOOKS_AT_REST } else { BOOKS_MOVING };
                    next_books = Instant::now() + pause;
                    if page.send(event("books", &books)).await.is_err() {
                        return;
                    }
                }
            }
        };
        if changed.is_err() {
            return;
        }
        next_books = next_books.min(Instant::now() + BOOKS_SETTLE);
        // Several changes in a breath are one for the eye.
        sleep(BREATH).await;
        changes.mark_unchanged();
    }
}

fn event(name: &str, data: &impl serde::Serialize) -> Event {
    let data = serde_json::to_string(data).unwrap_or_default();
    Event::default().event(name).data(data)
}

const BREATH: Duration = Duration::from_millis(40);

/// After a change the books are read again this much later.
const BOOKS_SETTLE: Duration = Duration::from_millis(400);

/// While they differ, or wait for central.
const BOOKS_MOVING: Duration = Duration::from_secs(2);

/// While they agree.
const BOOKS_AT_REST: Duration = Duration::from_secs(15);
