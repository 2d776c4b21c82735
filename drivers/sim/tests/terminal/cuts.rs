//! The line cut, kioskd killed and the terminal restarted behind every message of a payment and of
//! a reversal; and the line cut at every byte that the terminal says.

use driver_api::payment_terminal::{Capture, Outcome};
use driver_sim::terminal::{Cardholder, Options, Orphan, Transport};

use crate::rig::{Cable, rig, rig_with};
use crate::till::{Accident, Line, accidents};

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
    let mut rig = rig(options.clone());
    rig.line.terminal.set_cardholder(cardholder);
    rig.are_issued = Some(true);
    let before = rig.passed;
    rig.pay_with(20, capture);
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
                        let mut rig = rig(options.clone());
                        rig.line.terminal.set_cardholder(cardholder);
                        let what = format!(
                            "{options:?} {cardholder:?} {capture:?} {accident:?} after {n}"
                        );
                        accidents::pay(rig, capture, (n, accident), &what, |line| {
                            line.terminal.set_cardholder(Cardholder::Contactless);
                        });
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 300, "{tried} accidents");
}

#[test]
fn cut_at_every_byte_that_the_terminal_says() {
    for options in options() {
        let mut bytes = 0;
        loop {
            bytes += 1;
            let mut rig = rig(options.clone());
            rig.line.terminal.cut_after(bytes);
            let (question, outcome) = rig.pay(20);
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
                let what = format!("{options:?} {accident:?} after {n}");
                accidents::reverse(rig(options.clone()), (n, accident), &what);
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
        let mut rig = rig_with(Cardholder::Contactless);
        rig.pay(20);
        rig.idle();
        rig.accident = Some((rig.passed + n, Accident::Restarted));
        let (disturbed, _) = rig.pay(20);
        rig.idle();
        rig.settle(&disturbed);
        numbers_lost += rig.line.terminal.charges().iter().filter(|it| it.is_reversed).count();
        rig.accident = None;
        rig.idle();
        let question = rig.order_payment(20);
        Cable::cut(&mut rig);
        let told = rig.settle(&question);
        assert!(matches!(told, Outcome::Approved(_)), "restarted after {n}: {told:?}");
    }
    assert!(numbers_lost > 0, "no restart came between the bank's yes and the log");
}
