//! The card leaves the reader: while it is read, and after the PIN.
//! Screen: "hold it still" in the first case; in the second the visit goes on, since the card has
//! done its part. Paper: the receipt. Books: nothing, and what was put in.

use e2e::{Bench, Money};

#[test]
fn while_it_is_read_it_is_asked_for_again() {
    let bench = Bench::start();
    bench.fault("reader", "torn", true);
    bench.tap(&bench.card("ana"));
    bench.wait_screen_with("card_refused", &[("reason", "torn")]);
    assert_eq!(bench.count_records("session_started"), 0);
    bench.fault("reader", "torn", false);
    bench.key("Escape");
    bench.wait_screen("attract");
    bench.identify("ana");
}

#[test]
fn after_the_pin_it_is_not_needed() {
    let bench = Bench::start();
    bench.open_slot("ana");
    bench.count_in(20, 20);
    bench.remove_card();
    bench.count_in(10, 30);
    bench.finish();
    bench.credit(30);
    let receipt = bench.print();
    assert!(receipt.contains("30,00"), "{receipt}");
    let thirty = Money { boxed: 3000, credited: 3000, ..Money::default() };
    assert_eq!(bench.audited_money(), thirty);
}
