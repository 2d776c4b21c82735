//! Two cards lie on the reader at once, as in a purse.
//! Screen: one card only, please. Paper: none. Books: nothing; nobody is served by chance. One
//! card alone is served.

use e2e::{Bench, Money};

#[test]
fn neither_is_served() {
    let bench = Bench::start();
    bench.tap_together(&bench.card("ana"), &bench.card("joan"));
    bench.wait_screen_with("card_refused", &[("reason", "several")]);
    assert_eq!(bench.count_records("session_started"), 0);
    assert_eq!((bench.receipt_count(), bench.audited_money()), (0, Money::default()));
    bench.remove_card();
    bench.key("Escape");
    bench.wait_screen("attract");
    bench.identify("ana");
}
