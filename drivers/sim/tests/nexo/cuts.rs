//! A request or a reply lost, the connections cut, kioskd killed and the terminal restarted behind
//! each of them, in a payment, in a reversal, and in the questions that follow.

use domain::Amount;
use driver_api::payment_terminal::{DeclineReason, Outcome, Payment};
use driver_sim::terminal::nexo::Options;
use driver_sim::terminal::{Cardholder, Orphan};

use crate::rig::{Accident, Rig, reason};

const ACCIDENTS: [Accident; 4] =
    [Accident::Lost, Accident::Cut, Accident::Killed, Accident::Restarted];

fn options() -> impl Iterator<Item = Options> {
    [Orphan::Finishes, Orphan::Undoes]
        .into_iter()
        .map(|orphan| Options { orphan, ..Options::default() })
}

/// Requests and replies of an undisturbed payment and of what follows it.
fn messages(options: &Options, cardholder: Cardholder) -> usize {
    let mut rig = Rig::new(options.clone());
    rig.terminal.set_cardholder(cardholder);
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
                    pay_with_accident(&options, cardholder, (n, accident));
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 100, "{tried} accidents");
}

fn pay_with_accident(options: &Options, cardholder: Cardholder, (n, accident): (usize, Accident)) {
    let mut rig = Rig::new(options.clone());
    rig.terminal.set_cardholder(cardholder);
    rig.accident = Some((rig.passed + n, accident));
    let (question, outcome) = rig.pay(20);
    rig.assert_true(outcome.as_ref().unwrap_or(&Outcome::Unknown));
    rig.idle();
    let told = rig.settle(&question);
    let what = format!("{options:?} {cardholder:?} {accident:?} at {n}");
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
        let (_, again) = rig.pay(20);
        assert!(matches!(again, Some(Outcome::Approved(_))), "{what}: {again:?}");
        let open = rig.terminal.charges().iter().filter(|it| !it.is_reversed).count();
        assert_eq!(open, 1, "{what}");
    }
}

#[test]
fn whatever_breaks_during_a_reversal_the_money_is_back_or_known_not_to_be() {
    for options in options() {
        for accident in ACCIDENTS {
            for n in 1..=6 {
                let mut rig = Rig::new(options.clone());
                let (paid, outcome) = rig.pay(20);
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
                let what = format!("{options:?} {accident:?} at {n}: {told:?}");
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
