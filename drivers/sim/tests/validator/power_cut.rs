//! The power of the unit goes at every moment of a note's way, and comes back.

use std::time::Duration;

use domain::Amount;
use driver_api::Link;
use driver_sim::validator::{Encryption, Fault, Options};
use driver_ssp::Config;

use crate::rig::Rig;

/// The whole way of a note takes less.
const WAY: Duration = Duration::from_millis(4000);
const STEP: Duration = Duration::from_millis(37);

fn moments() -> impl Iterator<Item = Duration> {
    (0..).map(|count| STEP * count).take_while(|at| *at < WAY)
}

fn options() -> Options {
    Options { encryption: Encryption::Mandatory, ..Options::default() }
}

/// Inserts 20 € with a cashier who stacks at once, lets `blow` fall at `at`, and waits until all
/// is quiet again.
fn story(config: Config, options: Options, at: Duration, blow: impl Fn(&mut Rig)) -> Rig {
    let mut rig = Rig::in_service(config, options);
    rig.cashier.stacks_all = true;
    rig.insert(2000);
    rig.run(at);
    blow(&mut rig);
    rig.run(Duration::from_secs(10));
    rig.until("ready", |rig| rig.cashier.is_ready);
    rig.until("clear", |rig| rig.state().path == "clear");
    rig.run(Duration::from_secs(2));
    rig
}

#[test]
fn the_unit_loses_its_power() {
    let mut outcomes = [0, 0];
    for at in moments() {
        let mut rig = story(Rig::encrypted(), options(), at, |rig| {
            rig.unit.set_fault(rig.now, Fault::Power, true);
            rig.run(Duration::from_secs(8));
            rig.unit.set_fault(rig.now, Fault::Power, false);
        });
        rig.assert_books();
        assert_eq!(rig.cashier.in_doubt, [], "at {at:?}: {:?}", rig.events);
        assert_eq!(rig.cashier.suspense, Amount::ZERO, "at {at:?}: {:?}", rig.events);
        outcomes[usize::from(rig.cashier.credited.is_zero())] += 1;
    }
    assert!(outcomes[0] > 10 && outcomes[1] > 10, "both ends were reached: {outcomes:?}");
}

#[test]
fn the_unit_blinks_and_forgets_its_credits() {
    for at in moments() {
        let forgetful = Options { remembers_credit: false, ..options() };
        let mut rig = story(Rig::encrypted(), forgetful, at, |rig| {
            rig.unit.set_fault(rig.now, Fault::Power, true);
            rig.unit.set_fault(rig.now, Fault::Power, false);
        });
        rig.assert_books();
        assert_eq!(rig.cashier.in_doubt, [], "at {at:?}: the counter settles it");
    }
}

#[test]
fn the_kiosk_is_killed() {
    for at in moments() {
        let mut rig = story(Rig::encrypted(), options(), at, Rig::restart_kiosk);
        rig.assert_books();
        assert_eq!(rig.cashier.in_doubt, [], "at {at:?}: {:?}", rig.events);
    }
}

#[test]
fn the_cable_is_pulled() {
    for at in moments() {
        for away in [Duration::from_millis(100), Duration::from_secs(15)] {
            let mut rig = story(Rig::encrypted(), options(), at, |rig| {
                rig.link(Link::Down);
                rig.run(away);
                rig.link(Link::Up);
            });
            rig.assert_books();
            assert_eq!(rig.cashier.in_doubt, [], "at {at:?}: {:?}", rig.events);
        }
    }
}

#[test]
fn the_replies_get_lost_for_a_while() {
    for at in moments() {
        for lost in [Duration::from_millis(900), Duration::from_secs(3), Duration::from_secs(12)] {
            let mut rig = story(Rig::encrypted(), options(), at, |rig| {
                rig.lose_replies = true;
                rig.run(lost);
                rig.lose_replies = false;
            });
            rig.assert_books();
            assert_eq!(rig.cashier.in_doubt, [], "at {at:?}: {:?}", rig.events);
        }
    }
}

#[test]
fn all_at_once_kiosk_and_unit() {
    for at in moments() {
        let mut rig = story(Rig::encrypted(), options(), at, |rig| {
            rig.unit.set_fault(rig.now, Fault::Power, true);
            rig.restart_kiosk();
            rig.run(Duration::from_secs(3));
            rig.unit.set_fault(rig.now, Fault::Power, false);
            rig.restart_kiosk();
        });
        rig.assert_books();
        assert_eq!(rig.cashier.in_doubt, [], "at {at:?}: {:?}", rig.events);
    }
}
