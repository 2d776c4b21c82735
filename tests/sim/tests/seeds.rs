//! Seeds that once failed, each with its story, and a few that never did.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::Path;

use serde::Deserialize;
use sim::rig::Rig;
use sim::run::{play, quiet_panics, setting};
use sim::swarm::Profile;
use sim::world::Setting;

/// One file in `seeds/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    seed: u64,
    profile: String,
    /// How deep its devices go.
    rig: Option<String>,
    /// People pay by bank card in it. Those without were found before they could.
    #[serde(default)]
    cards: bool,
    /// Where it failed: the last commit without the mending.
    commit: String,
    /// The invariant that did not hold.
    broke: String,
    /// What had happened.
    story: String,
}

fn seeds() -> Vec<(String, Seed)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut seeds: Vec<(String, Seed)> = fs::read_dir(directory)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let seed = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            (path.file_stem().unwrap().to_string_lossy().into_owned(), seed)
        })
        .collect();
    seeds.sort_by(|(a, _), (b, _)| a.cmp(b));
    seeds
}

#[test]
fn seeds_that_once_failed_do_not_fail_again() {
    quiet_panics();
    let seeds = seeds();
    assert!(!seeds.is_empty(), "the list of seeds is lost");
    for (name, seed) in seeds {
        assert!(!seed.story.trim().is_empty() && !seed.commit.is_empty(), "{name} has no story");
        let profile: Profile = seed.profile.parse().unwrap();
        let rig = seed.rig.map_or(Rig::CLASS, |rig| rig.parse().unwrap());
        let setting = Setting { rig, ..setting(seed.seed, profile) };
        let setting = if seed.cards { setting } else { setting.without_cards() };
        if let Err(violation) = play(&setting) {
            panic!("{name} fails again (it was {}):\n{violation}", seed.broke);
        }
    }
}

#[test]
fn nothing_breaks_in_a_few_worlds_of_each_profile() {
    quiet_panics();
    for profile in [Profile::Calm, Profile::Swarm, Profile::Hostile] {
        for seed in 1..=40 {
            if let Err(violation) = play(&setting(seed, profile)) {
                panic!("seed {seed}, profile {profile}:\n{violation}");
            }
        }
    }
}

#[test]
fn nothing_breaks_over_bytes_in_a_few_worlds_of_each_profile() {
    quiet_panics();
    for profile in [Profile::Calm, Profile::Swarm, Profile::Hostile] {
        for seed in 1..=6 {
            if let Err(violation) = play(&over_bytes(seed, profile)) {
                panic!("seed {seed}, profile {profile}, over bytes:\n{violation}");
            }
        }
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    for seed in 1..=10 {
        let setting = setting(seed, Profile::Hostile);
        assert_eq!(play(&setting).unwrap(), play(&setting).unwrap(), "seed {seed}");
    }
    for seed in 1..=3 {
        let setting = over_bytes(seed, Profile::Hostile);
        assert_eq!(play(&setting).unwrap(), play(&setting).unwrap(), "seed {seed}, over bytes");
    }
}

fn over_bytes(seed: u64, profile: Profile) -> Setting {
    Setting { rig: Rig::BYTES, ..setting(seed, profile) }
}
