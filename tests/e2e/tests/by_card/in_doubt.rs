//! The terminal does what it is told and tells nobody, until the customer has gone.
//! Screen: we are checking, do not pay again; then a claim. Paper: the claim, asked for or not.
//! Books: charged and not credited, and nobody else may pay; once the terminal speaks again the
//! wallet is credited without anybody's doing.

use e2e::{Bench, Money};

use crate::pay_twenty;

#[test]
fn what_was_charged_is_credited_when_the_terminal_speaks_again() {
    let bench = Bench::start_with(["--speed", "10", "--timing", "payment_unresolved=2"]);
    pay_twenty(&bench, "ana");
    bench.wait_screen_with("pay_at_terminal", &[("hint", "present_card")]);
    bench.fault("terminal", "unplugged", true);
    bench.wait_screen("checking_payment");
    bench.wait_screen("done");
    let claim = bench.wait_printed();
    assert!(claim.contains("No vuelva a pagar"), "{claim}");
    bench.leave();
    bench.wait_books(|books| books["physical"]["bank_cents"] == 2000);

    bench.identify("joan");
    bench.wait_screen_with("home", &[("by_card.off", "checking")]);
    bench.fault("terminal", "unplugged", false);
    bench.wait_screen_with("home", &[("by_card", "open")]);
    bench.key("Escape");
    bench.leave_to("attract");
    let twenty = Money { charged: 2000, credited: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), twenty);
    bench.identify("ana");
    assert_eq!(bench.screen()["balance"], 3240);
}
