//! The printer's cover is open.
//! Screen: credited; the receipt is offered on the screen. Paper: none, and the offer of paper
//! comes back when the cover is closed. Books: the same as ever.

use e2e::{Bench, Money};

#[test]
fn the_receipt_is_offered_on_the_screen_until_it_is_closed() {
    let bench = Bench::start();
    bench.fault("printer", "cover_open", true);
    bench.open_slot("ana");
    bench.count_in(20, 20);
    bench.finish();
    bench.credit(20);
    bench.wait_screen_with("done", &[("receipt.offer.can_print", "false")]);
    assert_eq!(bench.receipt_count(), 0);
    bench.fault("printer", "cover_open", false);
    bench.wait_screen_with("done", &[("receipt.offer.can_print", "true")]);
    let receipt = bench.print();
    assert!(receipt.contains("20,00"), "{receipt}");
    let twenty = Money { boxed: 2000, credited: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), twenty);
}
