use e2e::Bench;

use crate::{cents, count_in, open_the_slot};

#[test]
fn with_notes_counted_they_are_credited() {
    let bench = Bench::start();
    open_the_slot(&bench, "ana");
    count_in(&bench, 20, 20);
    bench.fault("validator", "unplugged", true);
    bench.wait_screen("review");
    bench.press("Abonar");
    bench.wait_screen_with("done", &[("done.credited.amount", "2000")]);
    bench.fault("validator", "unplugged", false);
    let books = bench.wait_books_agree();
    assert_eq!(cents(&books, "kiosk", "wallet_payable"), -2000);
}
