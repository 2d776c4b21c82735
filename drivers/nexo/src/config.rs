use std::fmt;
use std::time::Duration;

use domain::Wall;

use crate::seal::Key;

/// How to talk to one terminal.
#[derive(Clone)]
pub struct Config {
    /// Model and serial number: `V400m-123456789`. Is the mark of its orders, and as short as one.
    pub poi_id: String,
    /// What the terminal knows this till by; the same as long as an order may be asked for.
    pub sale_id: String,
    /// Shared with the terminal.
    pub key: Key,
    /// Random, and another one for each start of the process: nonces come from it.
    pub seed: [u8; 32],
    /// The wall clock when the monotonic one stood at zero: messages bear a time, for people.
    pub started: Wall,
    /// How long what may take.
    pub timing: Timing,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("poi_id", &self.poi_id)
            .field("sale_id", &self.sale_id)
            .field("key", &self.key)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// For an order: its answer comes when the customer has paid. The terminal gives up after
    /// 120 s.
    pub order: Duration,
    /// For any other request.
    pub answer: Duration,
    /// For the end of a day.
    pub day_end: Duration,
    /// After a request was lost, or by an earlier process: as long as it may still arrive.
    pub settle: Duration,
    /// Between two looks at an idle terminal.
    pub poll: Duration,
    /// Before a terminal that is busy, not usable or out of reach is tried again.
    pub retry: Duration,
    /// Between two requests to abort the same order.
    pub abort: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            order: Duration::from_secs(150),
            answer: Duration::from_secs(10),
            day_end: Duration::from_secs(60),
            settle: Duration::from_secs(15),
            poll: Duration::from_secs(60),
            retry: Duration::from_secs(2),
            abort: Duration::from_secs(2),
        }
    }
}
