//! The line cut, kioskd killed and the terminal restarted behind every message of a payment and of
//! a reversal; and the line cut at every byte that the terminal says.

use domain::Amount;
use driver_api::payment_terminal::{Capture, DeclineReason, Outcome, Payment};
use driver_sim::terminal::{Cardholder, Options, Orphan, Transport};

use crate::rig::{Accident, Rig, reason};

const ACCIDENTS: [Accident; 3] = [Accident::Cut, Accident::Killed, Accident::Restarted];

fn options() -> impl Iterator<Item = Options> {
    [Transport::Tcp, Transport::Serial].into_iter().flat_map(|transport| {
        [Orphan::Finishes, Orphan::Undoes].map(|orphan| Options {
            transport,
            orphan,
            ..Options::default()
        })
    })
}

/// Messages of an undisturbed payment.
fn messages(options: &Options, cardholder: Cardholder, capture: Capture) -> usize {
    let mut rig = Rig::new(options.clone());
    rig.terminal.set_cardholder(cardholder);
    rig.are_issued = Some(true);
    let before = rig.passed;
    rig.pay(20, capture);
    rig.idle();
    rig.passed - before
}

#[test]
fn whatever_breaks_behind_a_message_the_customer_is_charged_once_and_known_or_not_at_all() {
    let mut tried = 0;
    for options in options() {
        for cardholder in [Cardholder::Contactless, Cardholder::ChipAndPin, Cardholder::Declined] {
            for capture in [Capture::AtOnce, Capture::WhenIssued] {
                for accident in ACCIDENTS {
                    for n in 1..=messages(&options, cardholder, capture) {
                        pay_with_accident(&options, cardholder, capture, (n, accident));
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 300, "{tried} accidents");
}

fn pay_with_accident(
    options: &Options,
    cardholder: Cardholder,
    capture: Capture,
    (n, accident): (usize, Accident),
) {
    let mut rig = Rig::new(options.clone());
    rig.terminal.set_cardholder(cardholder);
    rig.are_issued = Some(true);
    rig.accident = Some((rig.passed + n, accident));
    let (question, outcome) = rig.pay(20, capture);
    rig.idle();
    let told = rig.settle(&question);
    let what = format!("{options:?} {cardholder:?} {capture:?} {accident:?} after {n}");
    assert_ne!(told, Outcome::Unknown, "{what}");
    rig.assert_true(&told);
    assert!(rig.moved <= 1, "{what}");
    match (&outcome, &told) {
        // Known at once, and not another thing later.
        (Some(Outcome::Approved(_)), Outcome::Approved(_)) => {}
        (Some(Outcome::Declined(_)), Outcome::Declined(_)) => {}
        (Some(Outcome::Unknown) | None, Outcome::Approved(_) | Outcome::Declined(_)) => {}
        _ => panic!("{what}: {outcome:?}, then {told:?}"),
    }
    // Declined frees the customer to pay again: exactly one charge then.
    if let Outcome::Declined(_) = told {
        rig.accident = None;
        rig.terminal.set_cardholder(Cardholder::Contactless);
        rig.idle();
        let (_, again) = rig.pay(20, Capture::AtOnce);
        assert!(matches!(again, Some(Outcome::Approved(_))), "{what}: {again:?}");
        let open = rig.terminal.charges().iter().filter(|it| !it.is_reversed).count();
        assert_eq!(open, 1, "{what}");
    }
}

#[test]
fn cut_at_every_byte_that_the_terminal_says() {
    for options in options() {
        let mut bytes = 0;
        loop {
            bytes += 1;
            let mut rig = Rig::new(options.clone());
            rig.terminal.cut_after(bytes);
            let (question, outcome) = rig.pay(20, Capture::AtOnce);
            let outcome = outcome.expect("kioskd lives");
            rig.assert_true(&outcome);
            let was_cut = outcome == Outcome::Unknown;
            rig.idle();
            let told = rig.settle(&question);
            rig.assert_true(&told);
            assert_ne!(told, Outcome::Unknown, "{options:?} cut after {bytes} bytes");
            assert_eq!(rig.moved, 1);
            if !was_cut {
                break;
            }
        }
        assert!(bytes > 100, "{bytes} bytes make a payment");
    }
}

#[test]
fn whatever_breaks_during_a_reversal_the_money_is_back_or_known_not_to_be() {
    for options in options() {
        for accident in ACCIDENTS {
            for n in 1..=12 {
                let mut rig = Rig::new(options.clone());
                let (paid, outcome) = rig.pay(20, Capture::AtOnce);
                let Some(Outcome::Approved(approval)) = outcome else { panic!("{outcome:?}") };
                let payment = Payment {
                    operation: paid.operation,
                    amount: Amount::euro(20),
                    reference: approval.reference,
                };
                rig.idle();
                rig.accident = Some((rig.passed + n, accident));
                let (question, _) = rig.reverse(payment);
                rig.idle();
                let told = rig.settle(&question);
                let what = format!("{options:?} {accident:?} after {n}: {told:?}");
                let is_back = rig.terminal.charges()[0].is_reversed;
                match told {
                    Outcome::Approved(_) => assert!(is_back, "{what}"),
                    Outcome::Declined(_) => {
                        assert_eq!(reason(&told), Some(DeclineReason::NotCarriedOut), "{what}");
                        assert!(!is_back, "{what}");
                    }
                    Outcome::Unknown => panic!("{what}"),
                }
                assert_eq!(rig.moved, 2, "{what}");
            }
        }
    }
}

/// A number given before the restart may never come into the log. The payment after it is found
/// all the same, though it is not the next one after its mark.
#[test]
fn a_number_that_a_restart_took_does_not_hide_the_payment_after_it() {
    let mut numbers_lost = 0;
    for n in 1..=12 {
        let mut rig = Rig::with(Cardholder::Contactless);
        rig.pay(20, Capture::AtOnce);
        rig.idle();
        rig.accident = Some((rig.passed + n, Accident::Restarted));
        let (disturbed, _) = rig.pay(20, Capture::AtOnce);
        rig.idle();
        rig.settle(&disturbed);
        numbers_lost += rig.terminal.charges().iter().filter(|it| it.is_reversed).count();
        rig.accident = None;
        rig.idle();
        let question = rig.order_payment(20, Capture::AtOnce);
        rig.hang_up();
        let told = rig.settle(&question);
        assert!(matches!(told, Outcome::Approved(_)), "restarted after {n}: {told:?}");
    }
    assert!(numbers_lost > 0, "no restart came between the bank's yes and the log");
}
