use e2e::Bench;

use crate::{count_in, open_the_slot};

#[test]
fn it_comes_back_from_escrow_with_the_reason() {
    let bench = Bench::start();
    open_the_slot(&bench, "merce");
    bench.insert(20);
    bench.wait_screen_with(
        "inserting",
        &[
            ("news.returned.value", "2000"),
            ("news.returned.why", "over_wallet_max"),
            ("inserted", "0"),
        ],
    );
    assert_eq!(bench.screen()["notes"], serde_json::json!([500, 1000]));
    assert_eq!(bench.take_returned(), [2000]);
    count_in(&bench, 10, 10);
    bench.press("Finalizar");
    bench.wait_screen("review");
    bench.press("Abonar");
    bench.wait_screen_with("done", &[("done.credited.balance", "15000")]);
    assert_eq!(bench.wait_books_agree()["physical"]["cashbox_cents"], 1000);
}

#[test]
fn a_note_the_town_does_not_take_is_refused_by_the_machine() {
    let bench = Bench::start();
    open_the_slot(&bench, "ana");
    bench.insert(100);
    bench.wait_screen_with("inserting", &[("news", "not_taken")]);
    assert_eq!(bench.take_returned(), [10_000]);
}

#[test]
fn a_note_that_is_not_recognised_may_be_tried_again() {
    let bench = Bench::start();
    open_the_slot(&bench, "ana");
    bench.fault("validator", "reject_notes", true);
    bench.insert(20);
    bench.wait_screen_with("inserting", &[("news", "not_recognised")]);
    assert_eq!(bench.take_returned(), [2000]);
    bench.fault("validator", "reject_notes", false);
    count_in(&bench, 20, 20);
}
