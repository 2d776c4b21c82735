//! kiosk-ui is killed while a note is on its way into the cash box.
//! Screen: it comes back with the same view, and the visit goes on. Paper: the receipt. Books: the
//! note is counted once; the screen has no part in it.

use e2e::{Bench, Money};

#[test]
fn the_note_is_counted_without_a_screen() {
    let bench = Bench::start_with(["--speed", "10", "--timing", "acceptor_silent=120"]);
    bench.open_slot("ana");
    bench.fault("validator", "stalled", true);
    bench.insert(20);
    bench.wait_slot("20 € stacking");
    bench.power("kiosk-ui", false);
    bench.fault("validator", "stalled", false);
    bench.wait_screen_with("inserting", &[("inserted", "2000"), ("escrowed", "null")]);
    bench.power("kiosk-ui", true);
    bench.wait_button("Finalizar");
    bench.finish();
    bench.credit(20);
    let receipt = bench.print();
    assert!(receipt.contains("20,00"), "{receipt}");
    let twenty = Money { boxed: 2000, credited: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), twenty);
}
