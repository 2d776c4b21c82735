use std::fmt;

use kiosk_records::Seq;
use serde::{Deserialize, Serialize};

/// An error answer [RFC 9457], `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Stable; what programs go by.
    #[serde(rename = "type")]
    pub kind: ProblemKind,
    /// For people, in English; may change.
    pub title: String,
    /// The HTTP status once more.
    #[cfg_attr(feature = "openapi", schema(minimum = 400, maximum = 599))]
    pub status: u16,
    /// More for people, about this case. Never personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub detail: Option<String>,
    /// With `card-or-pin-wrong`: how often the PIN may still be typed before the lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub tries_left: Option<u32>,
    /// With `pin-locked`: when it may be tried again, in minutes. Absent = the office alone
    /// unlocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub retry_after_min: Option<u32>,
    /// With `journal-gap`: the last line central has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::seq))]
    pub acked: Option<Seq>,
}

impl Problem {
    /// Of this kind, with nothing more to say.
    pub fn new(kind: ProblemKind) -> Self {
        Self {
            kind,
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: None,
            tries_left: None,
            retry_after_min: None,
            acked: None,
        }
    }

    /// With a word about this case; no personal data.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.title)?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

/// Every problem there is, with one title and one status each.
macro_rules! problems {
    ($($(#[$doc:meta])* $kind:ident = $slug:literal, $status:literal, $title:literal;)*) => {
        /// The `type` of a [`Problem`]: a relative URI reference, stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ProblemKind {
            $($(#[$doc])* $kind,)*
        }

        impl ProblemKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The word in JSON.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// The HTTP status it comes with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$kind => $status,)* }
            }

            /// For people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }
        }
    };
}

problems! {
    /// The card is unknown, or its chip is another one, or the PIN is wrong: which, is not said.
    CardOrPinWrong = "card-or-pin-wrong", 401, "The card or the PIN is wrong";
    /// Too many wrong PINs for this card.
    PinLocked = "pin-locked", 429, "The PIN is locked after too many wrong tries";
    /// Right PIN, but the card is blocked for good.
    CardBlocked = "card-blocked", 403, "The card is blocked";
    /// Right PIN, but the card is suspended for now.
    CardSuspended = "card-suspended", 403, "The card is suspended";
    /// Right PIN, but the card is out of date.
    CardExpired = "card-expired", 403, "The card has expired";
    /// This idempotency key came with another body before.
    KeyReused = "key-reused", 422, "The idempotency key was used with another body";
    /// This idempotency key is another kiosk's.
    KeyForeign = "key-foreign", 403, "The idempotency key belongs to another kiosk";
    /// The same key is being handled at this moment: ask again.
    InFlight = "in-flight", 409, "A request with this idempotency key is being handled";
    /// The batch begins after the line that central waits for; `acked` says where it is.
    JournalGap = "journal-gap", 409, "Journal lines are missing before this batch";
    /// Central holds another line in that place. Nothing was overwritten.
    JournalDiverged = "journal-diverged", 409, "The journal contradicts what central holds";
    /// The lines fail the audit: hash, chain, words or rules.
    JournalInvalid = "journal-invalid", 422, "The journal lines fail the audit";
    /// The certificate's role may not do this.
    Forbidden = "forbidden", 403, "This certificate may not do that";
    /// There is no such thing.
    NotFound = "not-found", 404, "Not found";
    /// The path is right, the method is not.
    MethodNotAllowed = "method-not-allowed", 405, "Method not allowed";
    /// The request cannot be read.
    Malformed = "malformed", 400, "The request cannot be read";
    /// The request can be read, but not as what it should be.
    Unprocessable = "unprocessable", 422, "The request does not have the form required";
    /// The body is too large.
    TooLarge = "too-large", 413, "The request is too large";
    /// The body is not JSON.
    UnsupportedMediaType = "unsupported-media-type", 415, "The body must be application/json";
    /// This kiosk asks too often.
    RateLimited = "rate-limited", 429, "Too many requests";
    /// Central failed; what became of the request is not said.
    Internal = "internal", 500, "Internal error";
    /// Central took too long; what became of the request is not said.
    TimedOut = "timed-out", 504, "No answer in time";
    /// Central has too much to do; nothing was begun.
    Overloaded = "overloaded", 503, "Too busy at the moment";
}

impl ProblemKind {
    /// Said at the door: the request was not begun, so it may simply come again.
    pub const fn nothing_begun(self) -> bool {
        matches!(self, Self::Overloaded | Self::RateLimited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_back_as_it_was_written() {
        for kind in ProblemKind::ALL {
            let problem = Problem::new(*kind).with_detail("for a test");
            let json = serde_json::to_value(&problem).unwrap();
            assert_eq!(json["type"], kind.slug());
            assert_eq!(json["status"], kind.status());
            assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), problem);
        }
    }
}
