use std::time::Duration;

use driver_api::payment_terminal::{DeclineReason, Outcome};
use driver_sim::terminal::{Cardholder, Fault};

use crate::rig::{Cable, Rig, rig_with};
use crate::till::{Line, reason};

/// A payment under a fault that lasts; then it is mended, and the question asked.
fn pay_under(fault: Fault) -> (Rig, Option<Outcome>, Outcome) {
    let mut rig = rig_with(Cardholder::Contactless);
    rig.line.terminal.set_fault(rig.now, fault, true);
    let (question, outcome) = rig.pay(20);
    rig.line.terminal.set_fault(rig.now, fault, false);
    rig.assert_true(outcome.as_ref().unwrap_or(&Outcome::Unknown));
    let told = rig.settle(&question);
    rig.assert_true(&told);
    assert_ne!(told, Outcome::Unknown, "{fault}");
    assert_eq!(rig.moved, 1, "sent once");
    (rig, outcome, told)
}

#[test]
fn no_answer_after_authorising_is_unknown_and_then_found_paid() {
    let (rig, outcome, told) = pay_under(Fault::Silent);
    assert_eq!(outcome, Some(Outcome::Unknown));
    assert!(matches!(told, Outcome::Approved(_)));
    assert_eq!(rig.line.terminal.charges().len(), 1);
}

#[test]
fn what_is_said_twice_is_heard_once() {
    let (_, outcome, told) = pay_under(Fault::Duplicate);
    assert_eq!(outcome, Some(told));
}

#[test]
fn a_busy_terminal_takes_no_order() {
    let (_, outcome, told) = pay_under(Fault::Busy);
    assert_eq!(outcome.as_ref().and_then(reason), Some(DeclineReason::NotSent));
    assert_eq!(reason(&told), Some(DeclineReason::NotCarriedOut));
}

#[test]
fn a_slow_bank_is_unknown_until_it_has_answered() {
    let (_, outcome, told) = pay_under(Fault::SlowHost);
    assert_eq!(outcome, Some(Outcome::Unknown));
    assert!(matches!(told, Outcome::Approved(_)));
}

#[test]
fn a_log_that_does_not_fit_stays_unknown_until_it_does() {
    let mut rig = rig_with(Cardholder::Contactless);
    rig.pay(20);
    rig.idle();
    let question = rig.order_payment(20);
    rig.line.terminal.set_fault(rig.now, Fault::WrongTrace, true);
    Cable::cut(&mut rig);
    assert_eq!(rig.outcome(&question), Some(Outcome::Unknown));
    rig.run(Duration::from_secs(60));
    assert_eq!(rig.ask(&question), Outcome::Unknown);
    rig.line.terminal.set_fault(rig.now, Fault::WrongTrace, false);
    assert!(matches!(rig.settle(&question), Outcome::Approved(_)));
    assert_eq!((rig.line.terminal.charges().len(), rig.moved), (2, 2));
}

#[test]
fn out_of_reach_nothing_is_sent_and_it_comes_back() {
    for fault in [Fault::Unplugged, Fault::Power] {
        let mut rig = rig_with(Cardholder::Contactless);
        rig.line.terminal.set_fault(rig.now, fault, true);
        Cable::cut(&mut rig);
        let (_, outcome) = rig.pay(20);
        assert_eq!(outcome.as_ref().and_then(reason), Some(DeclineReason::NotSent), "{fault}");
        assert_eq!(rig.moved, 0);
        rig.line.terminal.set_fault(rig.now, fault, false);
        rig.idle();
        assert!(matches!(rig.pay(20).1, Some(Outcome::Approved(_))));
    }
}

/// The core waits after each order until the terminal is idle, also after one that never left.
#[test]
fn after_an_order_that_was_not_sent_it_says_when_it_is_idle() {
    let mut rig = rig_with(Cardholder::Contactless);
    rig.line.terminal.set_fault(rig.now, Fault::Busy, true);
    for who in ["the terminal", "the driver"] {
        let (_, outcome) = rig.pay(20);
        assert_eq!(outcome.as_ref().and_then(reason), Some(DeclineReason::NotSent), "{who}");
    }
    rig.line.terminal.set_fault(rig.now, Fault::Busy, false);
    rig.idle();
}
