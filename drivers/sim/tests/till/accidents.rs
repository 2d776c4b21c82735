//! What must be true of a payment or a reversal that was disturbed, whatever the protocol.

use domain::Amount;
use driver_api::payment_terminal::{Capture, DeclineReason, Outcome, Payment};

use super::{Accident, Line, Rig, reason};

/// A payment with an accident at its `n`-th message: charged once and known, or not at all; and the
/// `other_customer` pays when it was not.
pub(crate) fn pay<L: Line>(
    mut rig: Rig<L>,
    capture: Capture,
    (n, accident): (usize, Accident),
    what: &str,
    other_customer: impl FnOnce(&mut L),
) {
    rig.are_issued = Some(true);
    rig.accident = Some((rig.passed + n, accident));
    let (question, outcome) = rig.pay_with(20, capture);
    rig.assert_true(outcome.as_ref().unwrap_or(&Outcome::Unknown));
    rig.idle();
    let told = rig.settle(&question);
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
        other_customer(&mut rig.line);
        rig.idle();
        let (_, again) = rig.pay(20);
        assert!(matches!(again, Some(Outcome::Approved(_))), "{what}: {again:?}");
        let open = rig.line.charges().iter().filter(|it| !it.is_reversed).count();
        assert_eq!(open, 1, "{what}");
    }
}

/// A reversal with an accident at its `n`-th message: the money is back, or known not to be.
pub(crate) fn reverse<L: Line>(mut rig: Rig<L>, (n, accident): (usize, Accident), what: &str) {
    let (paid, outcome) = rig.pay(20);
    let Some(Outcome::Approved(approval)) = outcome else { panic!("{outcome:?}") };
    let (operation, amount) = (paid.operation, Amount::euro(20));
    let payment = Payment { operation, amount, reference: approval.reference };
    rig.idle();
    rig.accident = Some((rig.passed + n, accident));
    let (question, _) = rig.reverse(payment);
    rig.idle();
    let told = rig.settle(&question);
    let is_back = rig.line.charges()[0].is_reversed;
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
