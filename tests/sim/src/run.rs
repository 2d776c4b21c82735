//! One seed after the other, and what a violation looks like.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use crate::canary::Canary;
use crate::rig::Rig;
use crate::rng::Rng;
use crate::swarm::{Faults, Profile};
use crate::trace::Keep;
use crate::world::{Ran, Setting, World};

/// Customers who come in the world of one seed.
pub const CUSTOMERS: u32 = 60;

/// An invariant did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Begins with the invariant's name.
    pub what: String,
    /// How it came about, oldest first; empty unless the trace was kept.
    pub last: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.last.iter().try_for_each(|line| writeln!(f, "    {line}"))?;
        f.write_str(&self.what)
    }
}

/// The faults of a seed under a profile.
pub fn faults(seed: u64, profile: Profile) -> Faults {
    Faults::draw(profile, &mut Rng::new(seed).split("swarm"))
}

/// The world of a seed under a profile.
pub fn setting(seed: u64, profile: Profile) -> Setting {
    Setting {
        seed,
        rig: Rig::CLASS,
        faults: faults(seed, profile),
        customers: CUSTOMERS,
        script: Vec::new(),
        cuts: Vec::new(),
        accident: None,
        canary: None,
        keep: Keep::Hash,
    }
}

/// Plays a world to its end. After a violation it is played once more, to tell how it came about.
///
/// # Errors
/// The first invariant that did not hold.
pub fn play(setting: &Setting) -> Result<Ran, Box<Violation>> {
    play_once(setting).map_err(|violation| match setting.keep {
        Keep::Hash => {
            let again = Setting { keep: Keep::Last, ..setting.clone() };
            play_once(&again).err().unwrap_or(violation)
        }
        Keep::Last | Keep::Print => violation,
    })
}

fn play_once(setting: &Setting) -> Result<Ran, Box<Violation>> {
    plant(setting.canary);
    let mut world = World::new(setting.clone());
    QUIET.set(true);
    let ran = panic::catch_unwind(AssertUnwindSafe(|| world.run()));
    QUIET.set(false);
    plant(None);
    ran.map_err(|why| Box::new(Violation { what: message(&*why), last: world.last_lines() }))
}

fn message(why: &(dyn Any + Send)) -> String {
    let text = why.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| why.downcast_ref::<String>().cloned()).unwrap_or_default()
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Violations are panics that [`play`] catches; what it catches is not printed as well.
pub fn quiet_panics() {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !QUIET.get() {
            loud(info);
        }
    }));
}

#[cfg(feature = "canaries")]
fn plant(canary: Option<Canary>) {
    kiosk_core::canary::plant(match canary {
        Some(Canary::Core(canary)) => Some(canary),
        Some(_) | None => None,
    });
}

#[cfg(not(feature = "canaries"))]
const fn plant(_: Option<Canary>) {}
