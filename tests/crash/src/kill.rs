//! When kioskd dies, and how.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use e2e::Bench;
use kiosk_journal::open_read_only;
use kiosk_records::Seq;
use rustix::process::{Pid, Signal, kill_process};

use crate::Dice;

/// One death, and perhaps another one during the recovery from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kill {
    victim: Victim,
    moment: Moment,
    again: Option<Moment>,
}

#[derive(Clone, Copy, Debug)]
enum Victim {
    /// `kill -9`; the devices keep their power.
    Kioskd,
    /// Everything in the cabinet at once.
    Cabinet,
}

#[derive(Clone, Copy, Debug)]
enum Moment {
    After(Duration),
    /// So long after a record of this kind is in the journal: it is followed from outside.
    Recorded(&'static str, Duration),
}

/// What a visit and a recovery write down. Each is a named point of the first kills of a run.
const POINTS: [&str; 9] = [
    "session_started",
    "stack_ordered",
    "stacked",
    "top_up_ordered",
    "top_up_accepted",
    "receipt_printed",
    "session_ended",
    "payment_ordered",
    "payment_approved",
];
const POINTS_OF_RECOVERY: [&str; 2] = ["booted", "top_up_queued"];

/// A visit at the workbench takes about as long.
const VISIT_MS: u64 = 2_500;
const RECOVERY_MS: u64 = 400;
/// From a record to its effect and the next one.
const STEP_US: u64 = 30_000;

impl Kill {
    /// The `number`-th of a run: first each named point once, then whatever the dice say.
    pub(crate) fn draw(number: u32, dice: &mut Dice) -> Self {
        let point = usize::try_from(number).ok().and_then(|number| POINTS.get(number));
        let is_named = point.is_some() || dice.throw(2) == 0;
        let moment = if is_named {
            let point = point.copied().unwrap_or_else(|| dice.pick(&POINTS));
            Moment::Recorded(point, micros(dice.throw(STEP_US)))
        } else {
            Moment::After(micros(dice.throw(VISIT_MS * 1_000)))
        };
        let again = match dice.throw(6) {
            0 => Some(Moment::After(micros(dice.throw(RECOVERY_MS * 1_000)))),
            1 => {
                let point = dice.pick(&POINTS_OF_RECOVERY);
                Some(Moment::Recorded(point, micros(dice.throw(STEP_US))))
            }
            _ => None,
        };
        let victim = if dice.throw(4) == 0 { Victim::Cabinet } else { Victim::Kioskd };
        Self { victim, moment, again }
    }

    /// Waits for the moment, kills, and gives the power back. How many times it killed: not at all
    /// if nobody comes any more and the moment with them.
    pub(crate) fn strike(self, bench: &Bench, nobody_comes: &AtomicBool) -> u32 {
        let in_vain = || nobody_comes.load(Ordering::Relaxed);
        if !self.moment.wait(bench, tail(bench), in_vain) {
            return 0;
        }
        self.victim.die(bench);
        let last = tail(bench);
        self.victim.live(bench);
        let Some(again) = self.again else { return 1 };
        let recovered_by = Instant::now() + RECOVERED_BY;
        if !again.wait(bench, last, || Instant::now() > recovered_by) {
            return 1;
        }
        self.victim.die(bench);
        self.victim.live(bench);
        2
    }
}

/// A recovery that has not come to its point by then has no such point.
const RECOVERED_BY: Duration = Duration::from_secs(3);

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

impl Moment {
    /// Until it comes after the record `last`, or is waited for in vain; says whether it came.
    fn wait(self, bench: &Bench, last: Seq, in_vain: impl Fn() -> bool) -> bool {
        let pause = match self {
            Self::After(pause) => pause,
            Self::Recorded(kind, pause) => {
                if !follow(bench, last, kind, in_vain) {
                    return false;
                }
                pause
            }
        };
        // Not a wait for anything: the moment itself is what is varied.
        sleep(pause);
        true
    }
}

impl Victim {
    fn die(self, bench: &Bench) {
        match self {
            Self::Kioskd => {
                let powers = bench.get("api/power");
                let all = powers.as_array().expect("a list").iter();
                let kioskd = all.clone().find(|part| part["process"] == "kioskd");
                let pid = kioskd.and_then(|part| part["status"]["pid"].as_i64());
                let pid = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
                // At once; the bench hears of it and must not start it before we say so.
                if let Some(pid) = pid {
                    kill_process(pid, Signal::KILL).ok();
                }
                bench.power("kioskd", false);
            }
            Self::Cabinet => bench.power("kiosk", false),
        }
    }

    fn live(self, bench: &Bench) {
        match self {
            Self::Kioskd => bench.power("kioskd", true),
            Self::Cabinet => bench.power("kiosk", true),
        }
    }
}

/// Follows the journal from outside until a record of this kind comes after `last`.
fn follow(bench: &Bench, last: Seq, kind: &str, in_vain: impl Fn() -> bool) -> bool {
    let path = bench.dir().join("kiosk/journal.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let journal = open_read_only(&path).await.expect("the kiosk has a journal");
        let mut next = last.next();
        while !in_vain() {
            for line in journal.from(next, LINES).await.expect("its chain holds") {
                next = line.seq.next();
                if line.open().expect("its lines are whole").record.kind() == kind {
                    return true;
                }
            }
            sleep(LOOK_PAUSE);
        }
        false
    })
}

fn tail(bench: &Bench) -> Seq {
    bench.records_from(Seq(1)).last().map_or(Seq(0), |(seq, _)| *seq)
}

/// Records of one step come within a millisecond or two.
const LOOK_PAUSE: Duration = Duration::from_micros(500);

/// More than a visit has.
const LINES: u32 = 100;

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let victim = match self.victim {
            Victim::Kioskd => "kioskd",
            Victim::Cabinet => "cabinet",
        };
        write!(f, "{victim} {}", self.moment)?;
        match self.again {
            Some(again) => write!(f, ", again {again}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(pause) => write!(f, "after {} ms", pause.as_millis()),
            Self::Recorded(kind, pause) => write!(f, "{kind} + {} us", pause.as_micros()),
        }
    }
}
