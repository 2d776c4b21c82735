//! The bank says no, and then to another card yes.
//! Screen: nothing was charged, and why. Paper: none for what did not happen. Books: one payment.

use e2e::Money;

use crate::{pay_twenty, town};

#[test]
fn nothing_is_charged_and_another_card_does() {
    for terminal in ["zvt", "nexo"] {
        let bench = town(terminal);
        bench.cardholder("declined");
        pay_twenty(&bench, "ana");
        bench.wait_screen("payment_declined");
        assert_eq!(bench.audited_money(), Money::default(), "{terminal}");
        bench.cardholder("chip_and_pin");
        bench.wait_screen_with("payment_declined", &[("can_retry", "true")]);
        bench.press("Intentar de nuevo");
        bench.wait_screen_with("done", &[("done.credited.amount", "2000")]);
        assert_eq!(bench.receipt_count(), 0, "{terminal}");
        bench.leave();
        let twenty = Money { charged: 2000, credited: 2000, ..Money::default() };
        assert_eq!(bench.audited_money(), twenty, "{terminal}");
    }
}
