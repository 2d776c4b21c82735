use std::fmt;

use domain::Mono;

/// A wire protocol without I/O: bytes, ticks and commands in; frames, events and a deadline out.
///
/// The one loop that runs it (`driver-host`, or a simulator) does, in this order: give it one
/// input, then drain [`Protocol::poll_write`] and [`Protocol::poll_event`], then sleep until
/// [`Protocol::poll_timeout`]. No input may panic it.
pub trait Protocol {
    /// What the core may ask.
    type Command;
    /// What it reports to the core.
    type Event;

    /// Takes a command, or says that it cannot take one now and changes nothing.
    fn handle_command(&mut self, now: Mono, command: Self::Command) -> Result<(), Busy>;

    /// Bytes as they came: any number, split anywhere.
    fn handle_bytes(&mut self, now: Mono, bytes: &[u8]);

    /// The line came up or went down. Starts down.
    fn handle_link(&mut self, now: Mono, link: Link);

    /// To be called when the deadline of [`Protocol::poll_timeout`] has come; early is harmless.
    fn handle_timeout(&mut self, now: Mono);

    /// The next bytes to send.
    fn poll_write(&mut self) -> Option<Frame>;

    /// The next thing to report.
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// When it wants [`Protocol::handle_timeout`], and why.
    fn poll_timeout(&self) -> Option<(Mono, &'static str)>;
}

/// It is in the middle of something; the command was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// State of the line to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Bytes can flow.
    Up,
    /// They cannot.
    Down,
}

/// Bytes for the line. A secret frame (keys) is not shown by `Debug` and not recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// What to send.
    pub bytes: Vec<u8>,
    /// Must no recording and no log show it?
    pub secret: bool,
}

impl Frame {
    /// A frame anyone may see.
    pub const fn open(bytes: Vec<u8>) -> Self {
        Self { bytes, secret: false }
    }

    /// A frame nobody may see.
    pub const fn secret(bytes: Vec<u8>) -> Self {
        Self { bytes, secret: true }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret {
            return write!(f, "Frame(*** {} bytes)", self.bytes.len());
        }
        f.write_str("Frame(")?;
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
        f.write_str(")")
    }
}
