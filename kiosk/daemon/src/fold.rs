//! From the journal to the books.

use anyhow::Context as _;
use kiosk_core::Books;
use kiosk_records::{Body, Seq};

/// The books as a checkpoint holds them.
pub(crate) fn encode(books: &Books) -> Vec<u8> {
    serde_json::to_vec(books).expect("books have string keys only")
}

/// The books at start-up: the checkpoint, and what was written since.
pub(crate) fn from_checkpoint(
    checkpoint: Option<&(Seq, Vec<u8>)>,
    since: &[(Seq, Body)],
) -> anyhow::Result<Books> {
    let books = match checkpoint {
        Some((seq, state)) => {
            let books: Books = serde_json::from_slice(state).context("the checkpoint")?;
            anyhow::ensure!(books.seq() == *seq, "the checkpoint is of another record");
            books
        }
        None => Books::default(),
    };
    let records = since.iter().map(|(seq, body)| (*seq, &body.record));
    Ok(kiosk_core::fold(books, records)?)
}
