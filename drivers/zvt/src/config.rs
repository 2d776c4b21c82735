use std::fmt;
use std::time::Duration;

/// How to talk to one terminal.
#[derive(Clone)]
pub struct Config {
    /// How APDUs travel.
    pub transport: Transport,
    /// The till's password, six digits: `0..=999_999`. Set in the terminal; often 000000.
    pub password: u32,
    /// How long what may take.
    pub timing: Timing,
}

impl Config {
    /// A terminal in the network, with the password they come with.
    pub fn tcp() -> Self {
        Self { transport: Transport::Tcp, password: 0, timing: Timing::default() }
    }

    /// A terminal on a serial line: 8N2, at the speed set in it.
    pub fn serial() -> Self {
        Self { transport: Transport::Serial, ..Self::tcp() }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("transport", &self.transport)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}

/// How APDUs travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One after the other; port 20007.
    Tcp,
    /// In blocks with a checksum, each acknowledged.
    Serial,
}

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// From a command to `80 00`.
    pub taken: Duration,
    /// Between two messages of a terminal that works on a command. It asks its host meanwhile, or
    /// waits for the customer's card.
    pub silence: Duration,
    /// Between two looks at an idle terminal.
    pub poll: Duration,
    /// Before a terminal that is busy or not usable is tried again.
    pub retry: Duration,
    /// For how long an approval is held for the goods, at most; then the money goes back.
    pub hold: Duration,
    /// How long a held approval is left without an answer, before the terminal is told to wait.
    pub hold_answer: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            taken: Duration::from_secs(5),
            silence: Duration::from_secs(120),
            poll: Duration::from_secs(60),
            retry: Duration::from_secs(2),
            hold: Duration::from_secs(30),
            hold_answer: Duration::from_secs(2),
        }
    }
}
