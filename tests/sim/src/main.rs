//! Runs worlds until enough customers came, or enough time passed, or an invariant broke.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use sim::Keep;
use sim::rig::Rig;
use sim::run::{Violation, faults, play, quiet_panics, setting};
use sim::swarm::Profile;
use sim::world::Setting;

/// The deterministic simulator. docs/testing.md says what it proves and how to read its trace.
#[derive(Parser)]
struct Options {
    /// This seed only, with its trace.
    #[arg(long)]
    seed: Option<u64>,
    /// How deep the devices go: class (as the core sees them), bytes (firmware, cables, drivers),
    /// or which of them go over bytes: validator,reader,printer,terminal (or zvt, or nexo).
    #[arg(long, default_value_t = Rig::CLASS)]
    rig: Rig,
    /// What may break: calm, swarm or hostile.
    #[arg(long, default_value_t = Profile::Swarm)]
    profile: Profile,
    /// Run fresh seeds for so many minutes.
    #[arg(long)]
    minutes: Option<u64>,
    /// Run fresh seeds until so many visits were begun [default: 20000].
    #[arg(long)]
    sessions: Option<u64>,
    /// The first of the fresh seeds.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Play every seed twice: the traces must be the same.
    #[arg(long)]
    doublecheck: bool,
    /// With --seed: the whole trace, or its last lines after a violation.
    #[arg(long, value_enum, default_value_t = Log::Short)]
    log: Log,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Log {
    Short,
    Full,
}

/// Of all seeds so far.
#[derive(Default)]
struct Tally {
    visits: AtomicU64,
    seeds: AtomicU64,
    starts: AtomicU64,
    payments: AtomicU64,
    next: AtomicU64,
    is_over: AtomicBool,
    failed: Mutex<Option<(u64, String)>>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    quiet_panics();
    let begin = Instant::now();
    let tally = Tally { next: AtomicU64::new(options.from), ..Tally::default() };
    match options.seed {
        Some(seed) => one(&options, seed, &tally),
        None => thread::scope(|scope| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            for _ in 0..cores {
                scope.spawn(|| many(&options, begin, &tally));
            }
        }),
    }
    let s = begin.elapsed().as_secs_f64();
    let (visits, seeds) = (tally.visits.into_inner(), tally.seeds.into_inner());
    say(&format!(
        "{visits} sessions in {seeds} worlds, {} card payments ordered, kioskd started {} times; \
         {s:.1} s, {:.0} sessions/s",
        tally.payments.into_inner(),
        tally.starts.into_inner(),
        visits as f64 / s,
    ));
    match tally.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None => ExitCode::SUCCESS,
        Some((seed, what)) => {
            say(&format!("{what}\n"));
            say(&format!(
                "seed {seed}, profile {}: {}",
                options.profile,
                faults(seed, options.profile)
            ));
            say(&format!(
                "repeat: ./dev sim --seed {seed} --rig {} --profile {} --log full",
                options.rig, options.profile
            ));
            ExitCode::FAILURE
        }
    }
}

fn one(options: &Options, seed: u64, tally: &Tally) {
    say(&format!("seed {seed}, profile {}: {}", options.profile, faults(seed, options.profile)));
    let keep = if options.log == Log::Full { Keep::Print } else { Keep::Last };
    let setting = Setting { keep, rig: options.rig, ..setting(seed, options.profile) };
    check(&setting, options.doublecheck, tally);
}

/// One thread: takes the next seed until it is over.
fn many(options: &Options, begin: Instant, tally: &Tally) {
    let until = options.minutes.map(|minutes| begin + Duration::from_secs(60 * minutes));
    let sessions = options.sessions.or(until.is_none().then_some(20_000));
    while !tally.is_over.load(Ordering::Relaxed) {
        let enough = sessions.is_some_and(|enough| tally.visits.load(Ordering::Relaxed) >= enough);
        if enough || until.is_some_and(|until| Instant::now() >= until) {
            return;
        }
        let seed = tally.next.fetch_add(1, Ordering::Relaxed);
        let setting = Setting { rig: options.rig, ..setting(seed, options.profile) };
        check(&setting, options.doublecheck, tally);
    }
}

fn check(setting: &Setting, doublecheck: bool, tally: &Tally) {
    match check_one(setting, doublecheck) {
        Ok(ran) => {
            tally.visits.fetch_add(ran.visits, Ordering::Relaxed);
            tally.starts.fetch_add(u64::from(ran.starts), Ordering::Relaxed);
            let payments = u64::try_from(ran.cards.ordered).unwrap_or(u64::MAX);
            tally.payments.fetch_add(payments, Ordering::Relaxed);
            tally.seeds.fetch_add(1, Ordering::Relaxed);
        }
        Err(violation) => {
            tally.is_over.store(true, Ordering::Relaxed);
            let mut failed = tally.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.get_or_insert((setting.seed, violation.to_string()));
        }
    }
}

fn check_one(setting: &Setting, doublecheck: bool) -> Result<sim::world::Ran, Box<Violation>> {
    let ran = play(setting)?;
    if doublecheck && play(setting)? != ran {
        let what = "the same seed gave another trace".to_owned();
        return Err(Box::new(Violation { what, last: Vec::new() }));
    }
    Ok(ran)
}

fn say(line: &str) {
    // Who closed our output does not want to hear it.
    let _ = writeln!(io::stdout(), "{line}");
}
