//! The slow check of everything, for `kioskd audit`: shares the chain rule with the fast paths, and
//! nothing else.

use std::collections::BTreeSet;

use kiosk_records::{Hash, Seq};
use sqlx::Row;

use crate::reader::{Chain, Line, PAGE_LEN};
use crate::{ReadError, Reader};

/// What a journal holds that passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The last record; the number of records, as there are no gaps.
    pub tail: Seq,
    /// Its hash: equal hashes, equal journals.
    pub hash: Hash,
    /// Intents without a final outcome.
    pub open_intents: BTreeSet<Seq>,
    /// Everything up to here is at central.
    pub synced: Seq,
    /// The place of the checkpoint, if there is one. Its state is for the core to compare.
    pub checkpoint: Option<Seq>,
}

impl Reader {
    /// Reads all of it: SQLite's own structure, every hash, the chain, every body in our words, the
    /// columns beside it, at most one final outcome per intent, cursor and checkpoint in place.
    /// Records written meanwhile may or may not be among them.
    pub async fn verify(&self) -> Result<Audit, ReadError> {
        self.verify_structure().await?;
        let (tail, _) = self.tail().await?;
        let mut chain = Chain::after((Seq(0), Hash::GENESIS));
        let mut open_intents = BTreeSet::new();
        while chain.last().0 < tail {
            let page = self.rows(chain.last().0.next(), PAGE_LEN).await?;
            if page.is_empty() {
                let seq = chain.last().0.next();
                return Err(ReadError::BrokenChain { seq });
            }
            for line in page {
                verify_line(&mut chain, &mut open_intents, line)?;
            }
        }
        let synced = self.synced().await?;
        if synced > chain.last().0 {
            return Err(ReadError::Position { what: "cursor" });
        }
        Ok(Audit {
            tail: chain.last().0,
            hash: chain.last().1,
            open_intents,
            synced,
            checkpoint: self.verify_checkpoint().await?,
        })
    }

    async fn verify_structure(&self) -> Result<(), ReadError> {
        let first = sqlx::query("PRAGMA integrity_check(1)")
            .fetch_one(&self.pool)
            .await?
            .try_get::<String, _>(0)?;
        if first == "ok" { Ok(()) } else { Err(ReadError::Damaged { what: first }) }
    }

    /// A start forgives a damaged checkpoint, an audit does not.
    async fn verify_checkpoint(&self) -> Result<Option<Seq>, ReadError> {
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM checkpoint").fetch_one(&self.pool).await?;
        let checkpoint = self.checkpoint().await?.map(|(seq, _)| seq);
        if rows > 0 && checkpoint.is_none() {
            return Err(ReadError::Position { what: "checkpoint" });
        }
        Ok(checkpoint)
    }
}

fn verify_line(
    chain: &mut Chain,
    open_intents: &mut BTreeSet<Seq>,
    line: Line,
) -> Result<(), ReadError> {
    let (kind, opens, closes) = (line.kind, line.opens, line.closes);
    let sealed = chain.link(line.sealed)?;
    let seq = sealed.seq;
    // Opening it checks the posting's sum: an unbalanced one cannot be read.
    let record = sealed.open().map_err(ReadError::Seal)?.record;
    if kind != record.kind() || opens != record.opens_intent() || closes != record.closes_intent() {
        return Err(ReadError::Columns { seq });
    }
    if record.opens_intent() {
        open_intents.insert(seq);
    }
    match record.closes_intent() {
        Some(intent) if !open_intents.remove(&intent) => Err(ReadError::Outcome { seq, intent }),
        Some(_) | None => Ok(()),
    }
}
