//! What happened, one line each, and a hash over all of it: the same seed gives the same hash.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};

/// How much of the trace is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Its hash.
    Hash,
    /// And the last lines.
    Last,
    /// Every line goes to standard output.
    Print,
}

/// The trace of one run.
pub struct Trace {
    keep: Keep,
    hash: Fnv,
    last: VecDeque<String>,
}

/// Enough to see how a violation came about.
const LAST_MAX: usize = 60;

impl Trace {
    /// An empty one.
    pub fn new(keep: Keep) -> Self {
        Self { keep, hash: Fnv::default(), last: VecDeque::new() }
    }

    /// One more line: time, who, what.
    pub fn line(&mut self, now_ms: u64, who: &'static str, what: fmt::Arguments<'_>) {
        let hashed = write!(self.hash, "{now_ms} {who} {what}");
        debug_assert!(hashed.is_ok(), "a hash takes anything");
        match self.keep {
            Keep::Hash => {}
            Keep::Last => {
                if self.last.len() == LAST_MAX {
                    self.last.pop_front();
                }
                self.last.push_back(line(now_ms, who, what));
            }
            #[expect(clippy::print_stdout, reason = "this is the trace that was asked for")]
            Keep::Print => println!("{}", line(now_ms, who, what)),
        }
    }

    /// Over all lines so far.
    pub const fn hash(&self) -> u64 {
        self.hash.0
    }

    /// The last lines, oldest first.
    pub fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }
}

fn line(now_ms: u64, who: &str, what: fmt::Arguments<'_>) -> String {
    let (s, ms) = (now_ms / 1_000, now_ms % 1_000);
    format!("{:02}:{:02}:{:02}.{ms:03}  {who:<9} {what}", s / 3_600, s / 60 % 60, s % 60)
}

/// FNV-1a: quick, and nobody attacks it here.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = text.bytes().fold(self.0, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Ok(())
    }
}
