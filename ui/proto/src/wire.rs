use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Action, View};

/// kioskd → kiosk-ui.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToUi {
    /// Grows when another screen takes the place of this one, not when its data changes: digits
    /// typed fast are all made on the same screen. An action names the one it was made on.
    pub seq: u64,
    /// All there is to show.
    pub view: View,
}

/// kiosk-ui → kioskd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromUi {
    /// [`ToUi::seq`] of what the customer saw; kioskd ignores what was made on another screen.
    pub seq: u64,
    /// What the customer did.
    pub action: Action,
}

/// A line that is no message. Says nothing of its content, which may be a PIN's digit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Longer than [`LINE_MAX`].
    #[error("a line of {len} bytes, at most {LINE_MAX} are taken")]
    TooLong {
        /// Its length.
        len: usize,
    },
    /// Not the JSON expected.
    #[error("not a message: column {column}")]
    Malformed {
        /// Where in the line, from 1.
        column: usize,
    },
}

/// Longest line, in bytes.
pub const LINE_MAX: usize = 64 * 1024;

/// One line, with its newline.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("our messages have string keys only");
    line.push(b'\n');
    line
}

/// One line, with or without its newline.
pub fn decode<T: DeserializeOwned>(line: &[u8]) -> Result<T, WireError> {
    if line.len() > LINE_MAX {
        return Err(WireError::TooLong { len: line.len() });
    }
    serde_json::from_slice(line).map_err(|error| WireError::Malformed { column: error.column() })
}
