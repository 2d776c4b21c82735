use std::fmt;
use std::time::Duration;

/// How to talk to one unit.
#[derive(Clone)]
pub struct Config {
    /// Of the unit on the bus, `0..=0x7D`; note validators are 0.
    pub address: u8,
    /// `None` = in the clear. A unit set to demand encryption is then reported as not paired.
    pub encryption: Option<Encryption>,
    /// How long what may take.
    pub timing: Timing,
}

impl Config {
    /// A validator without encryption, and so without repeated events: a credit whose report is
    /// lost together with its kiosk is then settled by counters or people.
    pub fn plain() -> Self {
        Self { address: 0, encryption: None, timing: Timing::default() }
    }

    /// A validator with eSSP.
    pub fn encrypted(encryption: Encryption) -> Self {
        Self { encryption: Some(encryption), ..Self::plain() }
    }
}

/// Key material of eSSP.
#[derive(Clone)]
pub struct Encryption {
    /// The fixed half of the key, as set in the unit; [`FACTORY_KEY`] unless a technician changed
    /// it.
    pub fixed_key: u64,
    /// Drawn afresh from the system's randomness for each process; the other half of each key is
    /// negotiated with numbers made from it.
    pub seed: [u8; 16],
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encryption(***)")
    }
}

/// What every unit leaves the factory with [GA973 §4.2].
pub const FACTORY_KEY: u64 = 0x0123_4567_0123_4567;

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// From a command to its reply, before the command is sent again.
    pub reply: Duration,
    /// How often a command is sent before the line counts as lost.
    pub tries: u32,
    /// Between two polls: 200 ms ..= 1 s [GA973 §7.4].
    pub poll: Duration,
    /// Between two HOLDs. The unit's own clock is 10 s, 5 s in older ones.
    pub hold: Duration,
    /// A note stays in escrow no longer, even if the core does not decide.
    pub escrow_max: Duration,
    /// A note may be on its way no longer.
    pub path_max: Duration,
    /// Before a unit that is not paired or not usable is tried again.
    pub retry: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            reply: Duration::from_secs(1),
            // Within the unit's own 5 s: after that it has given the note back by itself, and
            // asking longer changes nothing. (GA138 asks up to 20 times.)
            tries: 5,
            poll: Duration::from_millis(200),
            hold: Duration::from_secs(2),
            escrow_max: Duration::from_secs(60),
            path_max: Duration::from_secs(30),
            retry: Duration::from_secs(10),
        }
    }
}
