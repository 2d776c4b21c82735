//! Scripted visits, and the power gone after each record of each, between that record and its
//! effects, and in the middle of the effects; then once more at each record of the recovery. After
//! every single one the oracle's audit passes and the kiosk serves again.

use std::collections::BTreeSet;

use sim::Keep;
use sim::customer::Plan;
use sim::cuts::{Cut, Planned};
use sim::rig::Rig;
use sim::run::{play, quiet_panics};
use sim::swarm::Faults;
use sim::world::{Deed, Ran, Scene, Setting};

/// More records than a recovery writes before the kiosk is idle again.
const RECOVERY_RECORDS: usize = 8;

/// Every kind of record, by its name in the JSON.
const KINDS: [&str; 33] = [
    "booted",
    "session_started",
    "stack_ordered",
    "stacked",
    "note_returned",
    "stack_in_doubt",
    "note_handed_back",
    "unexplained_note",
    "repeated_note",
    "top_up_ordered",
    "top_up_accepted",
    "top_up_refused",
    "top_up_queued",
    "payment_ordered",
    "payment_approved",
    "payment_declined",
    "payment_in_doubt",
    "reversal_ordered",
    "payment_reversed",
    "reversal_refused",
    "card_day_closed",
    "card_day_not_closed",
    "claim_issued",
    "receipt_printed",
    "receipt_not_printed",
    "session_ended",
    "cash_unit_removed",
    "cash_unit_inserted",
    "fault_raised",
    "fault_cleared",
    "hotlist_applied",
    "rules_applied",
    "clock_stepped",
];

fn scene(notes: &[u16]) -> Scene {
    let plan = Plan { holder: 0, pays: None, notes: notes.to_vec(), wants_paper: true };
    Scene { plan, faults: Faults::NONE, before: None }
}

fn pays(faults: Faults) -> Scene {
    let plan = Plan { holder: 0, pays: Some(20), notes: Vec::new(), wants_paper: true };
    Scene { plan, faults, before: None }
}

fn after(deed: Deed, notes: &[u16]) -> Scene {
    Scene { before: Some(deed), ..scene(notes) }
}

fn with(faults: Faults, notes: &[u16]) -> Scene {
    Scene { faults, ..scene(notes) }
}

/// Each way a recharge can go, with everything that is written on it.
fn scripts() -> Vec<(&'static str, Vec<Scene>)> {
    let always = 10_000;
    vec![
        ("two notes and a receipt", vec![scene(&[20, 10])]),
        ("the last note is too much", vec![scene(&[50, 50, 50])]),
        (
            "central away, and back",
            vec![after(Deed::CutOffCentral, &[20]), after(Deed::ReconnectCentral, &[])],
        ),
        (
            "central away, and then it refuses",
            vec![
                scene(&[50, 50]),
                after(Deed::CutOffCentral, &[50]),
                after(Deed::ReconnectCentral, &[]),
            ],
        ),
        (
            "the second note jams",
            vec![with(Faults { jam_stacking: 5_000, ..Faults::NONE }, &[20, 10, 5])],
        ),
        ("the first note jams", vec![with(Faults { jam_stacking: always, ..Faults::NONE }, &[20])]),
        (
            "the validator changes its mind",
            vec![with(Faults { unit_refuses: always, ..Faults::NONE }, &[20])],
        ),
        (
            "the line breaks with a note in the path",
            vec![with(Faults { acceptor_line: always, ..Faults::NONE }, &[20, 10])],
        ),
        ("no paper", vec![with(Faults { paper_end: always, ..Faults::NONE }, &[20])]),
        ("the box is swapped", vec![scene(&[20]), after(Deed::SwapBox, &[10])]),
        ("twenty by bank card", vec![pays(Faults::NONE)]),
        ("the bank says no", vec![pays(Faults { bank_declines: always, ..Faults::NONE })]),
        ("the line to the terminal breaks", {
            vec![pays(Faults { terminal_line: always, ..Faults::NONE })]
        }),
        ("the terminal says nothing", {
            vec![pays(Faults { terminal_silent: always, ..Faults::NONE })]
        }),
        ("paid, refused, given back", {
            vec![pays(Faults { suspended_amid: always, ..Faults::NONE })]
        }),
        ("paid, refused, and given back late", {
            let faults = Faults { suspended_amid: always, bank_declines: 5_000, ..Faults::NONE };
            vec![pays(faults)]
        }),
        ("the terminal's day is closed, in the end", {
            let faults = Faults { terminal_day: 5_000, nights: always, ..Faults::NONE };
            vec![pays(faults.clone()), with(faults.clone(), &[10]), with(faults, &[10])]
        }),
        (
            "another clock and other rules",
            vec![after(Deed::StepClock, &[10]), after(Deed::ChangeRules, &[10])],
        ),
    ]
}

/// `with_power`: the devices lose theirs too; else only kioskd dies.
fn setting(script: &[Scene], with_power: bool, cuts: &[Planned]) -> Setting {
    let cut_is_crash = if with_power { 0 } else { 10_000 };
    let script = script
        .iter()
        .cloned()
        .map(|scene| Scene { faults: Faults { cut_is_crash, ..scene.faults }, ..scene });
    Setting {
        seed: 1,
        rig: Rig::CLASS,
        faults: Faults { cut_is_crash, ..Faults::NONE },
        customers: 0,
        script: script.collect(),
        cuts: cuts.to_vec(),
        accident: None,
        canary: None,
        keep: Keep::Hash,
    }
}

fn must_end_well(what: &str, setting: &Setting) -> Ran {
    play(setting).unwrap_or_else(|violation| panic!("{what}, cut {:?}:\n{violation}", setting.cuts))
}

#[test]
fn after_every_record_and_between_it_and_its_effects() {
    quiet_panics();
    let mut reached = BTreeSet::new();
    for (what, script) in scripts() {
        let records = must_end_well(what, &setting(&script, true, &[])).records;
        for record in 1..=records {
            for cut in Cut::ALL {
                for with_power in [true, false] {
                    let setting = setting(&script, with_power, &[Planned { record, cut }]);
                    reached.extend(must_end_well(what, &setting).kinds.into_keys());
                }
            }
        }
    }
    let missed: Vec<_> = KINDS.iter().filter(|kind| !reached.contains(**kind)).collect();
    assert!(missed.is_empty(), "no counted crash reaches {missed:?}");
    let unknown: Vec<_> = reached.iter().filter(|kind| !KINDS.contains(kind)).collect();
    assert!(unknown.is_empty(), "the list of kinds lacks {unknown:?}");
}

#[test]
fn and_once_more_at_every_record_of_the_recovery() {
    quiet_panics();
    for (what, script) in scripts() {
        let records = must_end_well(what, &setting(&script, true, &[])).records;
        for record in 1..=records {
            let first = Planned { record, cut: Cut::BeforeEffects };
            for (record, cut) in
                (1..=RECOVERY_RECORDS).flat_map(|record| Cut::ALL.map(|cut| (record, cut)))
            {
                let cuts = [first, Planned { record, cut }];
                let with_power = record % 2 == 0;
                must_end_well(what, &setting(&script, with_power, &cuts));
            }
        }
    }
}
