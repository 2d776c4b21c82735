use std::time::Duration;

use driver_api::payment_terminal::{DeclineReason, Event, Outcome};
use driver_api::{FaultKind, exchange::NoAnswer};
use driver_sim::terminal::{Cardholder, Fault};

use crate::rig::{Network, Rig, reply, rig_with};
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
    assert!(rig.moved <= 1, "sent once");
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
    let (rig, outcome, told) = pay_under(Fault::Duplicate);
    assert_eq!(outcome, Some(told));
    let finished = |event: &&Event| matches!(event, Event::Finished { .. });
    assert_eq!(rig.events.iter().filter(finished).count(), 1);
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
fn an_answer_under_another_key_proves_nothing_and_a_technician_is_called() {
    let (rig, outcome, told) = pay_under(Fault::WrongKey);
    assert_eq!(outcome, Some(Outcome::Unknown));
    assert!(matches!(told, Outcome::Approved(_)));
    let called =
        |event: &Event| matches!(event, Event::Fault(it) if it.kind == FaultKind::NotPaired);
    assert!(rig.events.iter().any(called), "{:?}", rig.events);
    assert!(rig.events.contains(&Event::Cleared(FaultKind::NotPaired)));
}

#[test]
fn an_order_still_at_work_stays_unknown_until_it_is_not() {
    let mut rig = rig_with(Cardholder::Contactless);
    let question = rig.order_payment(20);
    Network::cut(&mut rig);
    rig.line.terminal.set_fault(rig.now, Fault::InProgress, true);
    assert_eq!(rig.outcome(&question), Some(Outcome::Unknown));
    rig.run(Duration::from_secs(60));
    assert_eq!(rig.ask(&question), Outcome::Unknown);
    rig.line.terminal.set_fault(rig.now, Fault::InProgress, false);
    assert!(matches!(rig.settle(&question), Outcome::Approved(_)));
    assert_eq!((rig.line.terminal.charges().len(), rig.moved), (1, 1));
}

/// The ServiceID is unknown to the terminal. The order may be on its way still, so that this counts
/// only once nothing of it can arrive.
#[test]
fn an_order_that_never_arrived_is_not_carried_out_once_it_cannot_arrive_any_more() {
    let mut rig = rig_with(Cardholder::Contactless);
    rig.line.terminal.set_fault(rig.now, Fault::Deaf, true);
    let question = rig.order_payment(20);
    Network::cut(&mut rig);
    assert_eq!(rig.outcome(&question), Some(Outcome::Unknown));
    rig.idle();
    assert_eq!(rig.ask(&question), Outcome::Unknown, "it was lost just now");
    rig.run(Duration::from_secs(15));
    assert_eq!(reason(&rig.ask(&question)), Some(DeclineReason::NotCarriedOut));
    assert_eq!(rig.line.terminal.charges(), []);
}

#[test]
fn out_of_reach_nothing_is_sent_and_it_comes_back() {
    for fault in [Fault::Unplugged, Fault::Power] {
        let mut rig = rig_with(Cardholder::Contactless);
        rig.line.terminal.set_fault(rig.now, fault, true);
        let (_, outcome) = rig.pay(20);
        assert_eq!(outcome.as_ref().and_then(reason), Some(DeclineReason::NotSent), "{fault}");
        rig.until("lost", |rig| rig.events.contains(&Event::LinkLost));
        let (_, outcome) = rig.pay(20);
        assert_eq!(outcome.as_ref().and_then(reason), Some(DeclineReason::NotSent), "{fault}");
        assert_eq!(rig.moved, 0);
        rig.line.terminal.set_fault(rig.now, fault, false);
        rig.idle();
        assert!(matches!(rig.pay(20).1, Some(Outcome::Approved(_))));
    }
}

/// Answers that are genuine and to something else: an order's outcome is not in them.
#[test]
fn the_answer_of_another_exchange_is_none() {
    let mut rig = rig_with(Cardholder::Contactless);
    let old = rig.order_payment(20);
    rig.until("paid", |rig| rig.finished(old.operation).is_some());
    rig.idle();
    rig.line.terminal.set_fault(rig.now, Fault::Silent, true);
    let question = rig.order_payment(20);
    for exchange in 0..20 {
        reply(&mut rig, exchange, Ok(b"{\"SaleToPOIResponse\":{}}".to_vec()));
        if rig.finished(question.operation).is_some() {
            break;
        }
    }
    assert_eq!(rig.finished(question.operation), Some(Outcome::Unknown));
    reply(&mut rig, u32::MAX, Err(NoAnswer::NotSent));
}

/// A terminal that lost its link while it was not fit, and is mended before it is back: the core
/// would never again take an order for a fault that nobody ends.
#[test]
fn a_fault_that_was_mended_behind_a_broken_link_is_over() {
    let mut rig = rig_with(Cardholder::Contactless);
    rig.line.terminal.set_fault(rig.now, Fault::WrongKey, true);
    rig.pay(20);
    let called =
        |event: &Event| matches!(event, Event::Fault(it) if it.kind == FaultKind::NotPaired);
    rig.until("called", |rig| rig.events.iter().any(called));
    rig.line.terminal.set_fault(rig.now, Fault::Unplugged, true);
    rig.until("lost", |rig| rig.events.contains(&Event::LinkLost));
    rig.line.terminal.set_fault(rig.now, Fault::WrongKey, false);
    rig.line.terminal.set_fault(rig.now, Fault::Unplugged, false);
    rig.idle();
    assert!(rig.events.contains(&Event::Cleared(FaultKind::NotPaired)), "{:?}", rig.events);
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
