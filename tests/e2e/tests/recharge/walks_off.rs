use e2e::Bench;

use crate::{cents, count_in, open_the_slot};

#[test]
fn the_credit_goes_to_the_wallet_after_a_warning() {
    let bench = Bench::start_with([
        "--speed",
        "10",
        "--timing",
        "customer_idle=3",
        "--timing",
        "warning=20",
    ]);
    open_the_slot(&bench, "ana");
    count_in(&bench, 20, 20);
    // The warning, at least 20 s long; more time takes it away.
    bench.wait_screen_with("inserting", &[("ends_in_s", "20")]);
    bench.press("Sí, más tiempo");
    bench.wait_screen_with("inserting", &[("ends_in_s", "null")]);
    bench.wait_screen_with("inserting", &[("ends_in_s", "20")]);
    bench.wait_screen("done");
    let books = bench.wait_books_agree();
    assert_eq!(cents(&books, "kiosk", "wallet_payable"), -2000);
    assert_eq!(books["physical"]["cashbox_cents"], 2000);
}
