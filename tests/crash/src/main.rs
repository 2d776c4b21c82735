//! `./dev soak`: hundreds of kills.

use std::io::Write as _;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;

/// Kills the real kioskd again and again while customers recharge, and counts the money after each.
#[derive(Parser)]
struct Options {
    /// How many times.
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// What decides when, and what the customers do. Without it: another one each time.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() {
    let Options { kills, seed } = Options::parse();
    let seed = seed.unwrap_or_else(|| {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since_1970.as_secs()
    });
    let started = Instant::now();
    crash::soak(seed, kills, |line| {
        let at = started.elapsed().as_secs();
        // Whoever reads it may be gone; the run goes on.
        writeln!(std::io::stdout(), "{at:5} s  {line}").ok();
    });
}
