//! What happens on a good day, and on a slow one.

use std::time::Duration;

use domain::{Amount, NoteSet};
use driver_api::acceptor::{Command, Event, Note, NotePlace, RejectReason};
use driver_api::{FaultKind, Link, MoneyRisk};
use driver_sim::validator::{Encryption, Options};
use driver_ssp::Config;

use crate::rig::Rig;

fn note(euro: u16) -> Note {
    Note { value: Amount::euro(euro) }
}

/// Every way a host and a unit can be set up.
fn pairs() -> Vec<(Config, Options)> {
    let options = |encryption| Options { encryption, ..Options::default() };
    vec![
        (Config::plain(), options(Encryption::None)),
        (Config::plain(), options(Encryption::Optional)),
        (Rig::encrypted(), options(Encryption::Optional)),
        (Rig::encrypted(), options(Encryption::Mandatory)),
        (Rig::encrypted(), Options { polls_with_ack: false, ..options(Encryption::Mandatory) }),
        (Config::plain(), Options { level_max: 5, ..options(Encryption::None) }),
        (Rig::encrypted(), Options { counts: false, ..options(Encryption::Mandatory) }),
    ]
}

#[test]
fn a_note_is_escrowed_ordered_and_stacked() {
    for (config, options) in pairs() {
        let mut rig = Rig::in_service(config, options);
        rig.insert(2000);
        rig.until("escrowed", |rig| rig.cashier.in_escrow.is_some());
        assert_eq!(rig.state().path, "escrow");

        let order = rig.cashier.order_stack().remove(0);
        rig.command(order);
        rig.until("stacked", |rig| !rig.cashier.credited.is_zero());
        rig.until("clear", |rig| rig.state().path == "clear");
        assert_eq!(rig.state().cash_box, [(2000, 1)].into());
        rig.assert_books();
        assert_eq!(
            rig.events[1..],
            [Event::Reading, Event::Escrowed(note(20)), Event::Stacked(note(20))]
        );
    }
}

#[test]
fn two_equal_notes_are_two_credits() {
    for (config, options) in pairs() {
        let mut rig = Rig::in_service(config, options);
        rig.cashier.stacks_all = true;
        for count in 1..=2 {
            rig.until("free", |rig| rig.unit.insert(rig.now, 1000).is_ok());
            rig.until("stacked", |rig| rig.cashier.credited == Amount::euro(10 * count));
        }
        rig.until("clear", |rig| rig.state().path == "clear");
        rig.assert_books();
    }
}

#[test]
fn a_note_is_held_while_the_core_thinks_and_returned_on_its_word() {
    for (config, options) in pairs() {
        let mut rig = Rig::in_service(config, options);
        rig.insert(5000);
        rig.until("escrowed", |rig| rig.cashier.in_escrow.is_some());
        rig.run(Duration::from_secs(50));
        assert_eq!(rig.state().path, "escrow", "held beyond the unit's own 10 s");

        rig.command(Command::Return);
        rig.until("returned", |rig| rig.state().returned == [5000]);
        rig.run(Duration::from_secs(1));
        assert_eq!(rig.events.last(), Some(&Event::Returned(note(50))));
        rig.assert_books();
    }
}

#[test]
fn a_core_that_never_decides_does_not_keep_the_note() {
    let mut rig = Rig::in_service(Rig::encrypted(), Options::default());
    rig.insert(5000);
    rig.until("escrowed", |rig| rig.cashier.in_escrow.is_some());
    rig.until("returned", |rig| rig.state().returned == [5000]);
    rig.until("told", |rig| rig.events.last() == Some(&Event::Returned(note(50))));
}

#[test]
fn only_what_is_wanted_comes_in() {
    let mut rig = Rig::in_service(Rig::encrypted(), Options::default());
    rig.command(Command::Enable(NoteSet::of([Amount::euro(20)])));
    rig.run(Duration::from_secs(1));
    rig.insert(1000);
    rig.until("refused", |rig| {
        rig.events.last() == Some(&Event::Rejected(RejectReason::Inhibited))
    });
    rig.command(Command::Disable);
    rig.until("disabled", |rig| !rig.state().is_enabled);
    assert_eq!(rig.state().returned, [1000]);
    assert!(rig.unit.insert(rig.now, 2000).is_err());
}

#[test]
fn after_stack_was_ordered_a_credit_comes_once_though_the_unit_repeats_it() {
    let mut rig = Rig::in_service(Rig::encrypted(), Options::default());
    rig.cashier.stacks_all = true;
    rig.cashier.never_acknowledges = true;
    rig.insert(2000);
    rig.until("credited", |rig| !rig.cashier.credited.is_zero());
    rig.run(Duration::from_secs(30));
    let credits = rig.events.iter().filter(|it| **it == Event::Stacked(note(20))).count();
    assert_eq!(credits, 1);
    assert!(rig.unit.insert(rig.now, 2000).is_err(), "the unit waits for the acknowledgement");

    rig.command(Command::Acknowledge);
    rig.until("free", |rig| rig.unit.insert(rig.now, 2000).is_ok());
}

#[test]
fn the_accepting_poll_is_not_repeated_when_the_line_goes_silent() {
    let mut rig = Rig::in_service(Rig::encrypted(), Options::default());
    rig.insert(2000);
    rig.until("escrowed", |rig| rig.cashier.in_escrow.is_some());
    rig.lose_replies = true;
    let order = rig.cashier.order_stack().remove(0);
    rig.command(order);
    rig.until("lost", |rig| rig.events.last() == Some(&Event::LinkLost));
    rig.run(Duration::from_secs(20));
    assert_eq!(rig.events.last(), Some(&Event::LinkLost), "reported once");

    rig.lose_replies = false;
    rig.until("ready", |rig| rig.cashier.is_ready);
    assert_eq!(rig.state().cash_box, [(2000, 1)].into(), "the unit had heard the poll");
    assert_eq!(rig.cashier.in_doubt, []);
    rig.assert_books();
}

#[test]
fn a_line_lost_with_a_note_in_escrow_gives_it_back() {
    for (config, options) in pairs() {
        let mut rig = Rig::in_service(config, options);
        rig.insert(2000);
        rig.until("escrowed", |rig| rig.cashier.in_escrow.is_some());
        rig.link(Link::Down);
        rig.run(Duration::from_secs(1));
        rig.link(Link::Up);
        rig.until("ready", |rig| rig.cashier.is_ready);
        assert_eq!(rig.state().returned, [2000]);
        let back = Event::Recovered { place: NotePlace::Customer, note: Some(note(20)) };
        assert!(rig.events.contains(&back), "{:?}", rig.events);
        rig.assert_books();
    }
}

#[test]
fn a_kiosk_that_restarts_with_a_note_in_escrow_does_not_swallow_it() {
    for (config, options) in pairs() {
        let mut rig = Rig::in_service(config, options);
        rig.insert(2000);
        rig.until("escrowed", |rig| rig.cashier.in_escrow.is_some());
        rig.restart_kiosk();
        rig.until("ready", |rig| rig.cashier.is_ready);
        assert_eq!(rig.state().returned, [2000]);
        rig.assert_books();
    }
}

#[test]
fn another_key_or_none_is_reported_as_not_paired_once() {
    let mandatory = Options { encryption: Encryption::Mandatory, ..Options::default() };
    let cannot = Options { encryption: Encryption::None, ..Options::default() };
    let other_key = Options { fixed_key: 42, ..mandatory.clone() };
    for (config, options) in
        [(Config::plain(), mandatory), (Rig::encrypted(), cannot), (Rig::encrypted(), other_key)]
    {
        let mut rig = Rig::new(config, options);
        rig.run(Duration::from_secs(60));
        let faults: Vec<&Event> =
            rig.events.iter().filter(|it| matches!(it, Event::Fault(_))).collect();
        assert!(
            matches!(faults[..], [Event::Fault(fault)]
                if fault.kind == FaultKind::NotPaired && fault.money == MoneyRisk::None),
            "{:?}",
            rig.events
        );
        assert!(!rig.cashier.is_ready);
    }
}

#[test]
fn an_idle_line_that_comes_and_goes_ends_in_service() {
    let mut rig = Rig::in_service(Rig::encrypted(), Options::default());
    for _ in 0..3 {
        rig.link(Link::Down);
        rig.run(Duration::from_secs(5));
        rig.link(Link::Up);
        rig.until("ready", |rig| rig.cashier.is_ready);
    }
    rig.enable();
    rig.assert_books();
}

#[test]
fn the_next_note_is_not_reported_before_the_unit_has_forgotten_the_one_before() {
    let mut rig = Rig::in_service(Rig::encrypted(), Options::default());
    rig.cashier.never_acknowledges = true;
    rig.insert(2000);
    rig.until("in escrow", |rig| rig.cashier.in_escrow.is_some());
    // The line swallows the credit, and the next note goes in before it is asked for again.
    rig.command(Command::Stack);
    rig.lose_replies = true;
    rig.until("in the box", |rig| rig.state().path == "clear");
    rig.insert(2000);
    rig.lose_replies = false;
    rig.until("credited", |rig| rig.events.contains(&Event::Stacked(note(20))));
    rig.run(Duration::from_secs(5));
    let escrowed =
        |rig: &Rig| rig.events.iter().filter(|event| matches!(event, Event::Escrowed(_))).count();
    assert_eq!(rig.state().path, "escrow");
    assert_eq!(escrowed(&rig), 1, "{:?}", rig.events);
    rig.command(Command::Acknowledge);
    rig.until("reported", |rig| escrowed(rig) == 2);
}
