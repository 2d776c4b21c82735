//! The PC/SC service dies and comes back, in the middle of a visit.
//! Screen: the visit goes on, since the card has done its part; afterwards cards are read again.
//! Paper: the receipt. Books: the same as ever.

use e2e::{Bench, Money};

#[test]
fn the_visit_goes_on_and_the_next_card_is_read() {
    let bench = Bench::start();
    bench.open_slot("ana");
    bench.count_in(20, 20);
    bench.power_cut("pcscd");
    bench.finish();
    bench.credit(20);
    let receipt = bench.print();
    assert!(receipt.contains("20,00"), "{receipt}");
    bench.leave();
    bench.identify("joan");
    let twenty = Money { boxed: 2000, credited: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), twenty);
}
