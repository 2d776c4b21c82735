//! Central dies right after its answer.
//! Screen: credited, with the new balance. Paper: the receipt. Books: the kiosk's are complete;
//! central gets the journal when it is back, and agrees.

use e2e::{Bench, Money};

#[test]
fn the_visit_ends_as_usual_and_the_journal_follows() {
    let bench = Bench::start();
    bench.open_slot("ana");
    bench.count_in(20, 20);
    bench.finish();
    bench.credit(20);
    bench.power("central", false);
    let receipt = bench.print();
    assert!(receipt.contains("32,40"), "{receipt}");
    bench.leave();
    assert_eq!(bench.books()["central"], serde_json::Value::Null);
    bench.power("central", true);
    let twenty = Money { boxed: 2000, credited: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), twenty);
}
