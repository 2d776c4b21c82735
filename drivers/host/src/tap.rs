use std::io::Write;

use domain::Mono;
use driver_api::{Frame, Link};

/// Sees everything that passes a line, for recordings that are replayed as tests.
pub trait Tap: Send {
    /// The line came up or went down.
    fn link(&mut self, now: Mono, link: Link);

    /// This goes out. A secret frame must leave no more than its length.
    fn sent(&mut self, now: Mono, frame: &Frame);

    /// This came in.
    fn received(&mut self, now: Mono, bytes: &[u8]);
}

/// Sees nothing: what production has.
pub(crate) struct NoTap;

impl Tap for NoTap {
    fn link(&mut self, _: Mono, _: Link) {}
    fn sent(&mut self, _: Mono, _: &Frame) {}
    fn received(&mut self, _: Mono, _: &[u8]) {}
}

/// One JSON object per line: `{"ms":12,"dir":"tx","hex":"7F80…"}`; a secret frame has `"len"`
/// instead of `"hex"`. After the first write error nothing more is written: a recording must not
/// stop a kiosk.
pub struct JsonLines<W> {
    out: Option<W>,
}

impl<W: Write + Send> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out: Some(out) }
    }

    fn line(&mut self, now: Mono, rest: &str) {
        if let Some(out) = &mut self.out
            && let Err(error) = writeln!(out, "{{\"ms\":{},{rest}}}", now.0)
        {
            tracing::warn!(%error, "recording stopped");
            self.out = None;
        }
    }
}

impl<W: Write + Send> Tap for JsonLines<W> {
    fn link(&mut self, now: Mono, link: Link) {
        self.line(now, &format!("\"link\":\"{link:?}\""));
    }

    fn sent(&mut self, now: Mono, frame: &Frame) {
        if frame.secret {
            self.line(now, &format!("\"dir\":\"tx\",\"len\":{}", frame.bytes.len()));
        } else {
            self.line(now, &format!("\"dir\":\"tx\",\"hex\":\"{}\"", hex(&frame.bytes)));
        }
    }

    fn received(&mut self, now: Mono, bytes: &[u8]) {
        self.line(now, &format!("\"dir\":\"rx\",\"hex\":\"{}\"", hex(bytes)));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_frame_leaves_only_its_length() {
        let mut out = Vec::new();
        let mut tap = JsonLines::new(&mut out);
        tap.link(Mono(0), Link::Up);
        tap.sent(Mono(1), &Frame::open(vec![0x7F, 0x80]));
        tap.sent(Mono(2), &Frame::secret(vec![0xAA, 0xBB, 0xCC]));
        tap.received(Mono(3), &[0xF0]);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"ms\":0,\"link\":\"Up\"}\n\
             {\"ms\":1,\"dir\":\"tx\",\"hex\":\"7F80\"}\n\
             {\"ms\":2,\"dir\":\"tx\",\"len\":3}\n\
             {\"ms\":3,\"dir\":\"rx\",\"hex\":\"F0\"}\n"
        );
    }
}
