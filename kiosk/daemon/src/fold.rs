//! From the journal to the books.

use anyhow::Context as _;
use kiosk_core::Books;
use kiosk_journal::Reader;
use kiosk_records::{Body, Seq};
use tracing::warn;

/// The books as a checkpoint holds them.
pub(crate) fn encode(books: &Books) -> Vec<u8> {
    serde_json::to_vec(books).expect("books have string keys only")
}

/// The books that a checkpoint holds; `None` if another version of kioskd wrote it, whose books
/// have another shape. The records tell all the same.
pub(crate) fn decode(state: &[u8]) -> Option<Books> {
    let decoded = serde_json::from_slice(state);
    decoded.inspect_err(|error| warn!(%error, "the checkpoint is another version's")).ok()
}

/// The books at start-up: the checkpoint, and what was written since. After an update that changed
/// them: from the first record on, with the whole chain verified.
pub(crate) async fn books(
    reader: &Reader,
    checkpoint: Option<&(Seq, Vec<u8>)>,
    since: &[(Seq, Body)],
) -> anyhow::Result<Books> {
    let books = match checkpoint {
        None => Books::default(),
        Some((seq, state)) => match decode(state) {
            Some(books) => {
                anyhow::ensure!(books.seq() == *seq, "the checkpoint is of another record");
                books
            }
            None => {
                let tail = reader.verify().await?.tail;
                return from_the_first(reader, tail, |_| Ok(())).await;
            }
        },
    };
    let records = since.iter().map(|(seq, body)| (*seq, &body.record));
    Ok(kiosk_core::fold(books, records)?)
}

/// The books of all records up to `tail`; `look` sees them after each.
pub(crate) async fn from_the_first(
    reader: &Reader,
    tail: Seq,
    look: impl Fn(&Books) -> anyhow::Result<()>,
) -> anyhow::Result<Books> {
    let mut books = Books::default();
    let mut pages = reader.all(Seq(1));
    while let Some(page) = pages.next().await? {
        // What is written while we read is for the next reader.
        for sealed in page.into_iter().filter(|sealed| sealed.seq <= tail) {
            let body = sealed.open().with_context(|| format!("record {}", sealed.seq))?;
            books.apply(sealed.seq, &body.record)?;
            look(&books)?;
        }
    }
    Ok(books)
}
