//! A note jams while it is being read.
//! Screen: what was counted before can be credited; the jammed note is not counted.
//! Paper: the receipt of what was credited.
//! Books: nothing of the jammed note, which comes back to the customer when it is freed.

use e2e::{Bench, Money};

#[test]
fn it_is_not_counted_and_comes_back_when_it_is_freed() {
    let bench = Bench::start();
    bench.open_slot("ana");
    bench.count_in(20, 20);
    bench.fault("validator", "jam_entering", true);
    bench.insert(10);
    let review = bench.wait_screen("review");
    assert_eq!((&review["amount"], &review["can_add"]), (&2000.into(), &false.into()));
    bench.credit(20);
    let receipt = bench.print();
    assert!(receipt.contains("20,00") && !receipt.contains("10,00"), "{receipt}");
    let twenty = Money { boxed: 2000, credited: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), twenty);

    bench.fault("validator", "jam_entering", false);
    assert_eq!(bench.wait_returned(), [1000]);
    bench.leave();
    assert_eq!(bench.audited_money(), twenty);
    bench.open_slot("joan");
}
