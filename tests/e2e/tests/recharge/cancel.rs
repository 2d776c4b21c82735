use e2e::Bench;

use crate::{cents, count_in, open_the_slot};

#[test]
fn with_a_note_on_its_way_in_gives_it_back() {
    // At the pace of a real validator there is time to change one's mind.
    let bench = Bench::start_with(["--speed", "1"]);
    open_the_slot(&bench, "ana");
    bench.insert(20);
    bench.wait_screen_with("inserting", &[("news", "reading")]);
    bench.press("Cancelar");
    let goodbye = bench.wait_screen("goodbye");
    assert_eq!(goodbye["timed_out"], false);
    let books = bench.wait_books_agree();
    assert_eq!(bench.take_returned(), [2000]);
    assert_eq!(books["physical"]["cashbox_cents"], 0);
    assert_eq!(cents(&books, "kiosk", "cashbox"), 0);
}

#[test]
fn with_stacked_notes_says_what_happens_to_them_and_credits_them() {
    let bench = Bench::start();
    open_the_slot(&bench, "ana");
    count_in(&bench, 20, 20);
    bench.press("Cancelar");
    let sure = bench.wait_screen("confirm_cancel");
    assert_eq!(sure["inserted"], 2000);
    bench.press("Añadir más billetes");
    bench.wait_screen("inserting");
    bench.press("Cancelar");
    bench.wait_screen("confirm_cancel");
    bench.press("Abonar");
    bench.wait_screen_with("done", &[("done.credited.balance", "3240")]);
    let books = bench.wait_books_agree();
    assert_eq!(cents(&books, "kiosk", "wallet_payable"), -2000);
}

#[test]
fn before_anything_is_inserted_just_ends_the_visit() {
    let bench = Bench::start();
    open_the_slot(&bench, "ana");
    bench.press("Cancelar");
    bench.wait_screen("goodbye");
    bench.remove_card();
    bench.wait_screen("attract");
    bench.wait_books_agree();
}
