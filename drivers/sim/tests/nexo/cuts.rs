//! A request or a reply lost, the connections cut, kioskd killed and the terminal restarted behind
//! each of them, in a payment, in a reversal, and in the questions that follow.

use driver_api::payment_terminal::Capture;
use driver_sim::terminal::nexo::Options;
use driver_sim::terminal::{Cardholder, Orphan};

use crate::rig::rig;
use crate::till::{Accident, accidents};

const ACCIDENTS: [Accident; 4] =
    [Accident::Lost, Accident::Cut, Accident::Killed, Accident::Restarted];

fn options() -> impl Iterator<Item = Options> {
    [Orphan::Finishes, Orphan::Undoes]
        .into_iter()
        .map(|orphan| Options { orphan, ..Options::default() })
}

/// Requests and replies of an undisturbed payment and of what follows it.
fn messages(options: &Options, cardholder: Cardholder) -> usize {
    let mut rig = rig(options.clone());
    rig.line.terminal.set_cardholder(cardholder);
    let before = rig.passed;
    let (question, _) = rig.pay(20);
    rig.idle();
    rig.ask(&question);
    rig.passed - before
}

#[test]
fn whatever_breaks_behind_a_message_the_customer_is_charged_once_and_known_or_not_at_all() {
    let mut tried = 0;
    for options in options() {
        for cardholder in [Cardholder::Contactless, Cardholder::ChipAndPin, Cardholder::Declined] {
            for accident in ACCIDENTS {
                for n in 1..=messages(&options, cardholder) {
                    let mut rig = rig(options.clone());
                    rig.line.terminal.set_cardholder(cardholder);
                    let what = format!("{options:?} {cardholder:?} {accident:?} at {n}");
                    accidents::pay(rig, Capture::AtOnce, (n, accident), &what, |line| {
                        line.terminal.set_cardholder(Cardholder::Contactless);
                    });
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 100, "{tried} accidents");
}

#[test]
fn whatever_breaks_during_a_reversal_the_money_is_back_or_known_not_to_be() {
    for options in options() {
        for accident in ACCIDENTS {
            for n in 1..=6 {
                let what = format!("{options:?} {accident:?} at {n}");
                accidents::reverse(rig(options.clone()), (n, accident), &what);
            }
        }
    }
}
