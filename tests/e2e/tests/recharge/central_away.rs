use e2e::Bench;

use crate::{cents, count_in, open_the_slot};

#[test]
fn before_the_visit_leaves_a_bounded_recharge_that_is_posted_once() {
    let bench = Bench::start();
    bench.power("central", false);
    bench.wait_screen_with("attract", &[("limited", "true")]);
    bench.tap(&bench.card("ana"));
    let home = bench.wait_screen_with("offline_home", &[("recharge_off", "null")]);
    assert_eq!(home["max"], 5000);
    bench.press("Recargar con billetes");
    bench.wait_screen("inserting");
    count_in(&bench, 20, 20);
    bench.press("Finalizar");
    bench.wait_screen("review");
    bench.press("Confirmar");
    bench.wait_screen_with("done", &[("done.pending.amount", "2000")]);
    bench.wait_screen_with("done", &[("receipt", "take")]);
    assert!(bench.receipt_text().contains("pendiente"), "{}", bench.receipt_text());

    bench.power("central", true);
    let books = bench.wait_books_agree();
    assert_eq!(cents(&books, "kiosk", "top_ups_queued"), 0);
    assert_eq!(cents(&books, "kiosk", "wallet_payable"), -2000);
}

#[test]
fn a_blocked_card_is_refused_without_central_too() {
    let bench = Bench::start();
    bench.power("central", false);
    bench.wait_screen_with("attract", &[("limited", "true")]);
    bench.tap(&bench.card("lucia"));
    assert_eq!(bench.wait_screen("card_refused")["reason"], "blocked");
}

#[test]
fn during_the_credit_leaves_a_pending_receipt() {
    let bench = Bench::start();
    open_the_slot(&bench, "joan");
    count_in(&bench, 50, 50);
    bench.press("Finalizar");
    bench.wait_screen("review");
    bench.power("central", false);
    bench.press("Abonar");
    bench.wait_screen("crediting");
    bench.wait_screen("done");
    bench.wait_screen_with("done", &[("done.pending.amount", "5000")]);
    bench.power("central", true);
    let books = bench.wait_books_agree();
    assert_eq!(cents(&books, "kiosk", "wallet_payable"), -5000);
}
