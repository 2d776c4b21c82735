//! How bad this seed's world is. Each seed draws which faults exist in it and how often each comes
//! ("swarm testing"): a world where everything breaks at once hides what only shows when one thing
//! breaks and the rest goes on.

use std::fmt;
use std::str::FromStr;

use crate::rng::Rng;

/// How the faults of a seed are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Nothing breaks; customers are as they are.
    Calm,
    /// About half of all faults exist, each with a rate of its own.
    Swarm,
    /// All faults exist, most of them often.
    Hostile,
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "calm" => Ok(Self::Calm),
            "swarm" => Ok(Self::Swarm),
            "hostile" => Ok(Self::Hostile),
            other => Err(format!("{other:?} is not calm, swarm or hostile")),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Calm => "calm",
            Self::Swarm => "swarm",
            Self::Hostile => "hostile",
        })
    }
}

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident: $max:literal,)*) => {
        /// Rates of 10 000; zero = does not exist in this world.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Faults {
            $($(#[$doc])* pub $name: u32,)*
        }

        impl Faults {
            /// None at all.
            pub const NONE: Self = Self { $($name: 0,)* };

            /// Drawn from the seed.
            pub fn draw(profile: Profile, rng: &mut Rng) -> Self {
                Self { $($name: rate(profile, $max, rng),)* }
            }
        }

        impl fmt::Display for Faults {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(if self.$name > 0 { write!(f, "{}={} ", stringify!($name), self.$name)?; })*
                Ok(())
            }
        }
    };
}

fn rate(profile: Profile, max: u32, rng: &mut Rng) -> u32 {
    let drawn = rng.below(u64::from(max) + 1);
    let drawn = u32::try_from(drawn).unwrap_or(max);
    match profile {
        Profile::Calm => 0,
        Profile::Swarm if rng.coin() => 0,
        Profile::Swarm => drawn,
        Profile::Hostile => max / 2 + drawn / 2,
    }
}

faults! {
    /// The power (or only kioskd) dies at a commit: before, in, or between it and its effects.
    cut_at_commit: 200,
    /// The same within the first minute after a start.
    cut_in_recovery: 3_000,
    /// The power goes at any other moment of a visit.
    cut_any_time: 500,
    /// Of all these, only kioskd dies and the devices keep their power.
    cut_is_crash: 7_000,
    /// kioskd is asked to stop in the middle of a visit.
    terminate: 300,
    /// A commit takes up to seconds.
    disk_slow: 500,
    /// A commit finds the disk full, which then lasts for a while.
    disk_full: 20,
    /// The line to the validator breaks while a note is on its way.
    acceptor_line: 800,
    /// Jams, by where the note is.
    jam_reading: 200,
    /// Between escrow and the point of no return.
    jam_stacking: 400,
    /// After it.
    jam_past: 200,
    /// On its way back.
    jam_returning: 300,
    /// As it gets its power back with a note in the path.
    jam_power_up: 2_000,
    /// Pulled back on a string after it was accepted.
    fraud: 200,
    /// Given back by the unit although it was told to stack.
    unit_refuses: 400,
    /// Not recognised.
    misread: 1_500,
    /// The report of a stacked note comes late, after up to 40 s.
    report_late: 500,
    /// It never comes.
    report_never: 300,
    /// It comes again and again until acknowledged.
    report_repeats: 10_000,
    /// The life counter of stacked notes is missing in this unit.
    unit_counts_not: 10_000,
    /// This unit forgets at power-off, and with the line, what it had to tell.
    unit_forgets: 10_000,
    /// This unit cannot say what a note it found was worth.
    unit_tells_no_value: 10_000,
    /// The cash box is pulled at any moment of a visit.
    box_pulled: 400,
    /// The printer runs out of paper.
    paper_end: 500,
    /// The printer says nothing.
    printer_silent: 300,
    /// The line to the printer breaks.
    printer_line: 300,
    /// A card is read badly, or is another town's.
    card_unreadable: 800,
    /// The line to the reader breaks.
    reader_line: 200,
    /// A question to central is lost.
    net_ask_lost: 1_000,
    /// Its answer is lost: central has done it.
    net_reply_lost: 1_500,
    /// Either takes up to 15 s.
    net_slow: 1_500,
    /// A question arrives twice.
    net_twice: 1_500,
    /// No way to central for minutes.
    net_partition: 700,
    /// The wall clock jumps, by minutes to days.
    clock_step: 300,
    /// The holder's card is suspended at central in the middle of the visit.
    card_suspended: 300,
    /// The municipality changes its rules.
    rules_change: 300,
    /// Customers walk off at any moment.
    walks_off: 400,
    /// They do nothing for up to two minutes.
    hesitates: 300,
    /// They touch twice.
    double_tap: 800,
    /// They touch what they should not.
    fumbles: 800,
    /// They cancel.
    cancels: 500,
    /// They mistype their PIN.
    wrong_pin: 800,
    /// They take their card early.
    card_early: 3_000,
    /// Somebody else holds a card to the reader meanwhile.
    other_card: 400,
    // What only bytes on a cable can show (rig B).
    /// The validator loses its own power with a note in its path.
    unit_power: 400,
    /// A note stands still in it, and it says nothing.
    unit_stalls: 200,
    /// It obeys and never answers, for up to 20 s.
    unit_silent: 300,
    /// It answers just before the driver stops waiting.
    unit_slow: 500,
    /// Half of its answers are damaged.
    unit_garbage: 400,
    /// The cash box is full.
    box_full: 100,
    /// What is sent in one piece arrives in several.
    wire_splits: 5_000,
    /// A piece takes up to 1.5 s.
    wire_hiccups: 100,
    /// A bit is flipped.
    wire_flips: 100,
    /// Bytes are added.
    wire_noise: 100,
    /// Bytes are lost.
    wire_loses: 100,
    /// The printer's cover is opened, and closed again.
    cover_open: 300,
    /// It is offline for a while and does not say why.
    printer_offline: 300,
    /// Its cutter gets stuck.
    cutter_jam: 300,
    /// It loses its own power.
    printer_power: 300,
    /// It says that all is well and prints nothing.
    printer_lies: 200,
    /// The reader hangs, for up to 20 s.
    reader_hangs: 300,
    // Bank cards. Not all that follows is a fault.
    /// Customers pay by bank card.
    pays_by_card: 9_000,
    /// The line to the terminal breaks while it works.
    terminal_line: 1_500,
    /// It does not tell an outcome.
    terminal_silent: 500,
    /// It tells an outcome twice.
    terminal_repeats: 500,
    /// Asked, it does not know.
    terminal_vague: 2_000,
    /// It does not close its day, or nobody hears that it did.
    terminal_day: 2_000,
    /// No card is held to it.
    terminal_no_card: 500,
    /// The bank says no, also to giving back.
    bank_declines: 1_500,
    /// The bank takes up to 90 s.
    bank_slow: 500,
    /// The office suspends the holder's card while the bank decides.
    suspended_amid: 1_500,
    /// Another date, and nobody comes for a while.
    nights: 200,
    // Bank cards, over bytes (rig B).
    /// The terminal loses its own power.
    terminal_power: 400,
    /// It takes no commands for a while.
    terminal_busy: 300,
    /// Orders do not reach it, for a while.
    terminal_deaf: 300,
    /// It encrypts with another key, for a while.
    terminal_key: 200,
    /// Who pays mistypes the PIN too often, or pulls the card out.
    bank_card_fumbled: 600,
    /// Pays by chip and PIN.
    bank_card_chip: 5_000,
}
