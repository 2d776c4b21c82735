use std::fmt;

use domain::BusinessDate;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Record, Seq};

/// SHA-256, hex in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first record chains to.
    pub const GENESIS: Self = Self([0; 32]);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0[..6]))
    }
}

impl TryFrom<String> for Hash {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash)?;
        Ok(Self(hash))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

/// A record and the circumstances in which it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Of these words; readers refuse a later one.
    pub schema: u16,
    /// How often this kiosk has started.
    pub boot: u32,
    /// Since this boot, in ms.
    pub mono_ms: u64,
    /// Milliseconds since 1970-01-01 UTC, as the wall clock said.
    pub wall_ms: i64,
    /// How far to trust it.
    pub clock_trust: ClockTrust,
    /// The day it counts to.
    pub business_date: BusinessDate,
    /// The visit it belongs to: the sequence number of its `SessionStarted`.
    pub session: Option<Seq>,
    /// What happened.
    pub record: Record,
}

impl Body {
    /// The version of the vocabulary this crate writes.
    pub const SCHEMA: u16 = 1;
}

/// How far to trust the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockTrust {
    /// The system says it is synchronised.
    Synchronised,
    /// Free running.
    Free,
}

/// One line of the journal: the body's exact JSON text, its place and its hash. The text travels
/// as it was written, so that a chain can be checked without re-serialising anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Place.
    pub seq: Seq,
    /// Hash of the line before; [`Hash::GENESIS`] for the first.
    pub prev_hash: Hash,
    /// SHA-256 over `prev_hash`, `seq` (8 bytes, big-endian) and `body`.
    pub hash: Hash,
    /// JSON of a [`Body`].
    pub body: String,
}

/// A line that is not what it says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Changed after it was sealed.
    #[error("record {seq} does not match its hash")]
    Hash {
        /// Which.
        seq: Seq,
    },
    /// Sealed, but not in words we know.
    #[error("record {seq} is not a body of schema {} or earlier", Body::SCHEMA)]
    Body {
        /// Which.
        seq: Seq,
        /// The parser's word.
        #[source]
        source: Option<serde_json::Error>,
    },
}

impl Sealed {
    /// Seals `body` at `seq`, after the line with `prev_hash`.
    pub fn seal(seq: Seq, prev_hash: Hash, body: &Body) -> Self {
        let body = serde_json::to_string(body).expect("our records have string keys only");
        let hash = Self::hash_of(seq, prev_hash, &body);
        Self { seq, prev_hash, hash, body }
    }

    /// The hash is right: the line is as it was written.
    pub fn verify(&self) -> Result<(), SealError> {
        if Self::hash_of(self.seq, self.prev_hash, &self.body) == self.hash {
            Ok(())
        } else {
            Err(SealError::Hash { seq: self.seq })
        }
    }

    /// Reads the body. Verify first.
    pub fn open(&self) -> Result<Body, SealError> {
        let body: Body = serde_json::from_str(&self.body)
            .map_err(|source| SealError::Body { seq: self.seq, source: Some(source) })?;
        if body.schema > Body::SCHEMA {
            return Err(SealError::Body { seq: self.seq, source: None });
        }
        Ok(body)
    }

    fn hash_of(seq: Seq, prev_hash: Hash, body: &str) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(prev_hash.0);
        hasher.update(seq.0.to_be_bytes());
        hasher.update(body.as_bytes());
        Hash(hasher.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use domain::Wall;

    use super::*;

    #[test]
    fn a_sealed_line_opens_and_a_changed_one_does_not_verify() {
        let body = Body {
            schema: Body::SCHEMA,
            boot: 1,
            mono_ms: 12,
            wall_ms: 0,
            clock_trust: ClockTrust::Free,
            business_date: Wall::default().business_date(),
            session: None,
            record: Record::Booted { version: "0.1.0".into() },
        };
        let sealed = Sealed::seal(Seq(1), Hash::GENESIS, &body);
        sealed.verify().unwrap();
        assert_eq!(sealed.open().unwrap(), body);
        let changed = Sealed { body: sealed.body.replace("0.1.0", "0.1.1"), ..sealed };
        assert!(matches!(changed.verify(), Err(SealError::Hash { seq: Seq(1) })));
    }
}
