//! One story per fault.

use std::time::Duration;

use domain::Amount;
use driver_api::acceptor::{Command, Event, Note, NotePlace, RejectReason};
use driver_api::{FaultKind, MoneyRisk};
use driver_sim::validator::{Encryption, Fault, Options};

use crate::rig::Rig;

fn rig() -> Rig {
    let options = Options { encryption: Encryption::Mandatory, ..Options::default() };
    let mut rig = Rig::in_service(Rig::encrypted(), options);
    rig.cashier.stacks_all = true;
    rig
}

impl Rig {
    fn fault(&mut self, fault: Fault, on: bool) {
        self.unit.set_fault(self.now, fault, on);
    }

    fn saw_fault(&self, kind: FaultKind, money: MoneyRisk) -> bool {
        self.events.iter().any(
            |it| matches!(it, Event::Fault(fault) if fault.kind == kind && fault.money == money),
        )
    }
}

const TWENTY: Option<Note> = Some(Note { value: Amount::euro(20) });

#[test]
fn a_safe_jam_gives_no_credit_until_the_note_is_freed_into_the_box() {
    let mut rig = rig();
    rig.fault(Fault::JamSafe, true);
    rig.insert(2000);
    rig.until("jammed", |rig| rig.saw_fault(FaultKind::Jam, MoneyRisk::InDoubt));
    rig.run(Duration::from_secs(60));
    assert_eq!(rig.cashier.credited, Amount::ZERO);

    rig.fault(Fault::JamSafe, false);
    rig.until("cleared", |rig| rig.events.contains(&Event::Cleared(FaultKind::Jam)));
    rig.until("ready", |rig| rig.cashier.is_ready);
    let recovered = Event::Recovered { place: NotePlace::CashUnit, note: TWENTY };
    assert!(rig.events.contains(&recovered), "{:?}", rig.events);
    rig.assert_books();
    assert_eq!(rig.cashier.credited, Amount::euro(20));
}

#[test]
fn an_unsafe_jam_is_freed_into_the_customers_hand() {
    let mut rig = rig();
    rig.fault(Fault::JamUnsafe, true);
    rig.insert(2000);
    rig.until("jammed", |rig| rig.saw_fault(FaultKind::Jam, MoneyRisk::InDoubt));
    rig.fault(Fault::JamUnsafe, false);
    rig.until("cleared", |rig| rig.events.contains(&Event::Cleared(FaultKind::Jam)));
    rig.until("ready", |rig| rig.cashier.is_ready);
    assert_eq!(rig.state().returned, [2000]);
    rig.assert_books();
}

#[test]
fn a_note_that_jams_on_its_way_back_is_in_doubt_until_it_is_freed() {
    let mut rig = rig();
    rig.fault(Fault::Refuses, true);
    rig.fault(Fault::JamReturning, true);
    rig.insert(2000);
    rig.until("jammed", |rig| rig.saw_fault(FaultKind::Jam, MoneyRisk::InDoubt));
    rig.fault(Fault::JamReturning, false);
    rig.until("cleared", |rig| rig.events.contains(&Event::Cleared(FaultKind::Jam)));
    rig.until("ready", |rig| rig.cashier.is_ready);
    assert_eq!(rig.state().returned, [2000]);
    rig.assert_books();
}

#[test]
fn a_unit_that_gives_back_what_it_was_to_stack_says_so() {
    let mut rig = rig();
    rig.fault(Fault::Refuses, true);
    rig.insert(2000);
    rig.until("returned", |rig| rig.events.contains(&Event::Returned(TWENTY.unwrap())));
    assert_eq!(rig.state().returned, [2000]);
    rig.assert_books();
}

#[test]
fn a_note_that_jams_as_the_power_comes_back_waits_for_somebody() {
    let mut rig = rig();
    rig.fault(Fault::JamPowerUp, true);
    rig.insert(2000);
    rig.until("escrowed", |rig| rig.events.iter().any(|it| matches!(it, Event::Escrowed(_))));
    rig.fault(Fault::Power, true);
    rig.run(Duration::from_secs(20));
    rig.fault(Fault::Power, false);
    rig.until("jammed", |rig| rig.saw_fault(FaultKind::Jam, MoneyRisk::InDoubt));
    assert_eq!(rig.state().path, "jammed");
    rig.fault(Fault::JamPowerUp, false);
    rig.until("freed", |rig| rig.state().path == "clear" && rig.cashier.is_ready);
    rig.assert_books();
}

#[test]
fn a_note_that_somebody_takes_out_by_hand_leaves_a_unit_that_knows_of_none() {
    let mut rig = rig();
    rig.fault(Fault::JamUnsafe, true);
    rig.insert(2000);
    rig.until("jammed", |rig| rig.saw_fault(FaultKind::Jam, MoneyRisk::InDoubt));
    assert_eq!(rig.unit.take_stuck(rig.now), Some(2000));
    rig.fault(Fault::JamUnsafe, false);
    rig.events.clear();
    rig.until("ready", |rig| rig.cashier.is_ready);
    assert!(!rig.events.iter().any(|it| matches!(it, Event::Recovered { .. })));
    assert_eq!(rig.cashier.credited, Amount::ZERO);
}

#[test]
fn a_kiosk_that_starts_before_a_jammed_unit_says_so_and_is_ready() {
    let mut rig = rig();
    rig.fault(Fault::JamSafe, true);
    rig.insert(2000);
    rig.until("jammed", |rig| rig.saw_fault(FaultKind::Jam, MoneyRisk::InDoubt));
    rig.events.clear();
    rig.restart_kiosk();
    rig.until("ready", |rig| rig.cashier.is_ready);
    assert!(rig.saw_fault(FaultKind::Jam, MoneyRisk::InDoubt));
}

#[test]
fn a_manipulated_note_gives_an_alarm_and_no_credit() {
    let mut rig = rig();
    rig.fault(Fault::Fraud, true);
    rig.insert(2000);
    rig.until("alarm", |rig| rig.saw_fault(FaultKind::Fraud, MoneyRisk::InDoubt));
    rig.until("over", |rig| rig.events.contains(&Event::Cleared(FaultKind::Fraud)));
    rig.until("clear", |rig| rig.state().path == "clear");
    assert_eq!(rig.cashier.credited, Amount::ZERO);
    assert!(rig.cashier.order.is_some(), "the core's to settle");
}

#[test]
fn a_full_box_is_told_until_it_is_changed() {
    let mut rig = rig();
    rig.fault(Fault::StackerFull, true);
    rig.until("full", |rig| rig.saw_fault(FaultKind::UnitFull, MoneyRisk::None));
    rig.fault(Fault::CashboxRemoved, true);
    rig.until("removed", |rig| rig.events.last() == Some(&Event::UnitRemoved));
    rig.fault(Fault::StackerFull, false);
    rig.fault(Fault::CashboxRemoved, false);
    rig.until("mended", |rig| rig.events.contains(&Event::Cleared(FaultKind::UnitFull)));
    assert!(rig.events.contains(&Event::UnitInserted));
}

#[test]
fn a_box_that_came_back_when_nobody_is_served_takes_no_notes() {
    let mut rig = rig();
    rig.fault(Fault::CashboxRemoved, true);
    rig.until("removed", |rig| rig.events.last() == Some(&Event::UnitRemoved));
    rig.command(Command::Disable);
    rig.run(Duration::from_secs(2));
    rig.fault(Fault::CashboxRemoved, false);
    rig.until("inserted", |rig| rig.events.last() == Some(&Event::UnitInserted));
    rig.run(Duration::from_secs(1));
    assert!(!rig.state().is_enabled);
}

#[test]
fn a_box_that_came_back_during_service_takes_notes_again() {
    let mut rig = rig();
    rig.insert(2000);
    rig.until("stacked", |rig| !rig.state().cash_box.is_empty());
    rig.fault(Fault::CashboxRemoved, true);
    rig.fault(Fault::CashboxRemoved, false);
    rig.until("inserted", |rig| rig.events.last() == Some(&Event::UnitInserted));
    assert!(rig.events.contains(&Event::UnitRemoved), "though no poll saw it out");
    rig.until("enabled", |rig| rig.state().is_enabled);
    assert_eq!(rig.state().collected, [(2000, 1)].into());
    rig.assert_books();
}

#[test]
fn a_bad_note_is_refused_with_its_reason() {
    let mut rig = rig();
    rig.fault(Fault::RejectNotes, true);
    rig.insert(2000);
    let refused = Event::Rejected(RejectReason::NotRecognised);
    rig.until("refused", |rig| rig.events.last() == Some(&refused));
    assert_eq!(rig.state().returned, [2000]);
    rig.assert_books();
}

#[test]
fn a_unit_that_hears_but_does_not_answer_is_lost_and_its_note_is_found() {
    let mut rig = rig();
    rig.cashier.stacks_all = false;
    rig.insert(2000);
    rig.until("escrowed", |rig| rig.cashier.in_escrow.is_some());
    rig.fault(Fault::Silent, true);
    let order = rig.cashier.order_stack().remove(0);
    rig.command(order);
    rig.until("lost", |rig| rig.events.last() == Some(&Event::LinkLost));
    rig.fault(Fault::Silent, false);
    rig.until("ready", |rig| rig.cashier.is_ready);
    assert_eq!(rig.cashier.credited, Amount::euro(20));
    rig.assert_books();
}

#[test]
fn noise_costs_time_and_no_money() {
    let mut rig = rig();
    rig.fault(Fault::Garbage, true);
    for count in 1..=5 {
        rig.until("inserted", |rig| rig.unit.insert(rig.now, 2000).is_ok());
        rig.until("settled", |rig| rig.state().path == "clear");
        rig.fault(Fault::Garbage, count % 2 == 0);
        rig.run(Duration::from_secs(40));
        rig.until("ready", |rig| rig.cashier.is_ready);
        rig.until("enabled", |rig| rig.state().is_enabled);
    }
    rig.assert_books();
}

#[test]
fn a_slow_unit_works() {
    let mut rig = rig();
    rig.fault(Fault::Slow, true);
    rig.insert(2000);
    rig.until("stacked", |rig| rig.cashier.credited == Amount::euro(20));
    assert!(!rig.events.contains(&Event::LinkLost));
}

#[test]
fn a_reset_starts_the_unit_anew_and_comes_back() {
    let mut rig = rig();
    rig.command(Command::Reset);
    rig.until("away", |rig| rig.events.last() == Some(&Event::LinkLost));
    rig.until("ready", |rig| rig.cashier.is_ready);
    rig.until("enabled again", |rig| rig.state().is_enabled);
}

#[test]
fn a_note_that_jams_before_it_is_read_is_freed_into_the_customers_hand() {
    let mut rig = rig();
    rig.fault(Fault::JamEntering, true);
    rig.insert(2000);
    rig.until("jammed", |rig| rig.state().path == "jammed");
    rig.run(Duration::from_secs(30));
    assert!(!rig.events.iter().any(|it| matches!(it, Event::Escrowed(_))));
    rig.fault(Fault::JamEntering, false);
    rig.until("returned", |rig| rig.state().returned == [2000]);
    // It was never read: nobody can say what it is.
    let recovered = Event::Recovered { place: NotePlace::Customer, note: None };
    rig.until("told", |rig| rig.events.contains(&recovered));
    assert_eq!(rig.cashier.credited, Amount::ZERO);
    rig.assert_books();
}

#[test]
fn a_note_that_stands_still_is_credited_when_the_motor_goes_on() {
    let mut rig = rig();
    rig.fault(Fault::Stalled, true);
    rig.insert(2000);
    rig.until("stacking", |rig| rig.state().path == "stacking");
    rig.run(Duration::from_secs(60));
    assert_eq!(rig.state().path, "stacking");
    assert_eq!(rig.cashier.credited, Amount::ZERO);
    rig.fault(Fault::Stalled, false);
    rig.until("in the box", |rig| rig.state().path == "clear");
    rig.run(Duration::from_secs(2));
    assert_eq!(rig.cashier.credited, Amount::euro(20));
    rig.assert_books();
}

#[test]
fn a_unit_that_forgets_values_tells_of_a_note_without_one() {
    let mut rig = rig();
    rig.fault(Fault::ForgetsValue, true);
    rig.fault(Fault::Stalled, true);
    rig.insert(2000);
    rig.until("stacking", |rig| rig.state().path == "stacking");
    rig.fault(Fault::Power, true);
    rig.fault(Fault::Stalled, false);
    rig.run(Duration::from_secs(8));
    rig.fault(Fault::Power, false);
    rig.until("in the box", |rig| rig.state().path == "clear");
    rig.run(Duration::from_secs(10));
    let recovered = Event::Recovered { place: NotePlace::CashUnit, note: None };
    assert!(rig.events.contains(&recovered), "{:?}", rig.events);
    assert_eq!(rig.cashier.credited, Amount::euro(20));
    rig.assert_books();
}
