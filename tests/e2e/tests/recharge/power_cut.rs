//! The whole cabinet loses its power at some moment of the story, and gets it back.

use std::time::Duration;

use e2e::Bench;

use crate::{cents, count_in, open_the_slot};

/// After the cut: back in service by itself, the books agree, and what is in the cash box is on the
/// wallet.
fn everything_is_right_again(bench: &Bench) {
    bench.remove_card();
    bench.power("kiosk", true);
    bench.wait_screen("attract,done");
    let books = bench.wait_books_agree();
    let boxed = books["physical"]["cashbox_cents"].as_i64().expect("cents");
    assert_eq!(cents(&books, "kiosk", "cashbox"), boxed);
    let owed = cents(&books, "kiosk", "wallet_payable") + cents(&books, "kiosk", "claims_payable");
    assert_eq!(owed, -boxed, "{books}");
    if bench.screen()["name"] == "done" {
        bench.key("Enter");
        bench.wait_screen("attract");
    }
    open_the_slot(bench, "joan");
}

#[test]
fn while_a_note_is_on_its_way() {
    // Between the slot and the cash box a note takes some hundred ms here: cut at several points.
    for after_ms in [0, 100, 200, 300, 400] {
        let bench = Bench::start_with(["--speed", "4"]);
        open_the_slot(&bench, "ana");
        bench.insert(20);
        // Not a wait for anything: the moment of the cut is what is varied.
        std::thread::sleep(Duration::from_millis(after_ms));
        bench.power("kiosk", false);
        everything_is_right_again(&bench);
    }
}

#[test]
fn with_credit_and_before_it_is_posted() {
    let bench = Bench::start();
    open_the_slot(&bench, "ana");
    count_in(&bench, 20, 20);
    count_in(&bench, 10, 30);
    bench.press("Finalizar");
    bench.wait_screen("review");
    bench.power("kiosk", false);
    everything_is_right_again(&bench);
}

#[test]
fn of_kioskd_alone_while_crediting() {
    let bench = Bench::start();
    open_the_slot(&bench, "ana");
    count_in(&bench, 50, 50);
    bench.press("Finalizar");
    bench.wait_screen("review");
    bench.press("Abonar");
    bench.power("kioskd", false);
    bench.power("kioskd", true);
    bench.remove_card();
    bench.wait_screen("attract,done");
    let books = bench.wait_books_agree();
    assert_eq!(cents(&books, "kiosk", "wallet_payable"), -5000);
}

#[test]
fn of_the_screen_alone_does_not_touch_the_visit() {
    let bench = Bench::start();
    open_the_slot(&bench, "ana");
    count_in(&bench, 20, 20);
    bench.power_cut("kiosk-ui");
    bench.wait_button("Finalizar");
    bench.press("Finalizar");
    bench.wait_screen("review");
    bench.press("Abonar");
    bench.wait_screen_with("done", &[("done.credited.amount", "2000")]);
    bench.wait_books_agree();
}
