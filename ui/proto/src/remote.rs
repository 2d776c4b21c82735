//! How the workbench drives a headless kiosk-ui over its second Unix socket
//! (`--remote PATH`): one JSON line per request, one JSON line per reply; a PNG follows its
//! reply line as `png_bytes` raw bytes.

use serde::{Deserialize, Serialize};

use crate::View;

/// workbench → kiosk-ui.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum RemoteRequest {
    /// The picture now. With `after`, waits up to 10 s until the picture is newer than that.
    Png {
        /// A frame number seen before.
        after: Option<u64>,
    },
    /// Answers once this view is on the panel, or after a second if it does not come: whoever knows
    /// what kioskd shows can be sure that the panel shows it too.
    Shown {
        /// As kioskd sent it.
        view: Box<View>,
    },
    /// Everything a finger or a screen reader can reach.
    Elements,
    /// A touch and release at these pixels.
    Touch {
        /// From the left.
        x: f32,
        /// From the top.
        y: f32,
    },
    /// A touch on the middle of the element with this accessible label (whole label first, then a
    /// unique prefix), which must be enabled and on the panel.
    Press {
        /// As [`Element::label`].
        label: String,
    },
    /// A key: `Tab`, `Backtab`, `Enter`, `Escape`, `Backspace`, or one character.
    Key {
        /// Its name.
        key: String,
    },
}

/// kiosk-ui → workbench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum RemoteReply {
    /// Done.
    Ok,
    /// Not done, and why.
    Refused {
        /// For people.
        reason: String,
    },
    /// `png_bytes` bytes follow this line.
    Png {
        /// Counts repaints.
        frame: u64,
        /// How many bytes follow.
        png_bytes: usize,
    },
    /// In reading order.
    Elements {
        /// All of them.
        elements: Vec<Element>,
    },
}

/// One thing on the screen that has an accessible role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Element {
    /// What it is.
    pub role: Role,
    /// What it is called, in the screen's language.
    pub label: String,
    /// What it says beyond its name.
    pub description: String,
    /// Can it be used?
    pub enabled: bool,
    /// Does it hold the focus?
    pub focused: bool,
    /// x, y, width, height in pixels.
    pub rect: [f32; 4],
}

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Can be pressed.
    Button,
    /// Can be read.
    Text,
    /// A picture with a meaning.
    Image,
    /// Anything else.
    Other,
}
