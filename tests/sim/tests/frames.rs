//! Each frame between kioskd and the bank-card terminal, in either direction, of each way that a
//! payment can go, in both protocols; and behind each of them the link is cut, kioskd is killed, or
//! the power of the whole cabinet goes. Afterwards the customer was charged once and has it on the
//! wallet, or was not charged, or has it back; the oracle's audit passes, and the kiosk serves.

use std::collections::BTreeSet;

use sim::Keep;
use sim::customer::Plan;
use sim::oracle::Cards;
use sim::rig::{Rig, Speech};
use sim::run::{play, quiet_panics};
use sim::stage::Accident;
use sim::swarm::Faults;
use sim::world::{Ran, Scene, Setting};

const ACCIDENTS: [Accident; 4] =
    [Accident::Cut(1_500), Accident::Cut(40_000), Accident::Killed, Accident::Dark];

/// What is paid, in cents.
const PAID: i64 = 20_00;

/// A way a payment can go, and what becomes of the bank card when nothing else happens.
fn visits() -> [(&'static str, Faults, Cards); 3] {
    let always = 10_000;
    let charged = Cards { ordered: 1, charged: PAID, given_back: 0, credited: 0 };
    [
        ("approved", Faults::NONE, Cards { credited: PAID, ..charged }),
        (
            "approved, and then central refuses",
            Faults { suspended_amid: always, ..Faults::NONE },
            Cards { given_back: PAID, ..charged },
        ),
        (
            "declined",
            Faults { bank_declines: always, ..Faults::NONE },
            Cards { charged: 0, ..charged },
        ),
    ]
}

fn setting(speech: Speech, faults: &Faults, accident: Option<(usize, Accident)>) -> Setting {
    let plan = Plan { holder: 0, pays: Some(20), notes: Vec::new(), wants_paper: true };
    Setting {
        seed: 1,
        rig: Rig { terminal: speech, ..Rig::CLASS },
        faults: Faults::NONE,
        customers: 0,
        script: vec![Scene { plan, faults: faults.clone(), before: None }],
        cuts: Vec::new(),
        accident,
        canary: None,
        keep: Keep::Hash,
    }
}

fn must_end_well(what: &str, setting: &Setting) -> Ran {
    play(setting).unwrap_or_else(|violation| {
        panic!("{what}, {:?}, {:?}:\n{violation}", setting.rig.terminal, setting.accident)
    })
}

/// What the plays of all accidents came to.
struct Seen {
    /// Of the visit that has the fewest.
    frames_min: usize,
    /// Kinds of records that were written.
    kinds: BTreeSet<&'static str>,
}

fn every_frame(speech: Speech) -> Seen {
    quiet_panics();
    let mut seen = Seen { frames_min: usize::MAX, kinds: BTreeSet::new() };
    for (what, faults, becomes) in visits() {
        let undisturbed = must_end_well(what, &setting(speech, &faults, None));
        assert_eq!(undisturbed.cards, becomes, "{what}, {speech:?}, undisturbed");
        seen.frames_min = seen.frames_min.min(undisturbed.frames);
        for behind in 1..=undisturbed.frames {
            for accident in ACCIDENTS {
                let setting = setting(speech, &faults, Some((behind, accident)));
                let ran = must_end_well(what, &setting);
                assert!(ran.frames >= behind, "{what}, {speech:?}: frame {behind} never passed");
                let kept = ran.cards.charged - ran.cards.given_back;
                let case = format!("{what}, {speech:?}, {accident:?} behind frame {behind}");
                assert!(kept == 0 || kept == PAID, "{case}: {kept} cents stay charged");
                assert_eq!(kept, ran.cards.credited, "{case}: charged, and on the wallet");
                seen.kinds.extend(ran.kinds.into_keys());
            }
        }
    }
    seen
}

/// What accidents must have led to: without a doubt among them they were none.
const REACHED: [&str; 5] = [
    "payment_approved",
    "payment_declined",
    "payment_in_doubt",
    "payment_reversed",
    "reversal_ordered",
];

#[test]
fn behind_every_frame_of_zvt() {
    let seen = every_frame(Speech::Zvt);
    // Registration, enquiry and log; order, hints, status, end; enquiry and log again.
    assert!(seen.frames_min >= 30, "{} frames make a visit", seen.frames_min);
    assert!(REACHED.iter().all(|kind| seen.kinds.contains(kind)), "{:?}", seen.kinds);
}

#[test]
fn behind_every_frame_of_nexo() {
    let seen = every_frame(Speech::Nexo);
    // Login, diagnosis, order, and diagnosis again: a request and a reply each.
    assert!(seen.frames_min >= 8, "{} frames make a visit", seen.frames_min);
    assert!(REACHED.iter().all(|kind| seen.kinds.contains(kind)), "{:?}", seen.kinds);
}
