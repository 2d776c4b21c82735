//! Central credits the wallet, and its answer is lost on the line.
//! Screen: pending. Paper: a receipt that says pending, by itself. Books: asked again under the
//! same key, central answers what it answered: credited once.

use e2e::{Bench, Money};

/// Up to the moment when central has credited `ana`'s 20 euro and the kiosk does not know.
pub(crate) fn post_without_answer(bench: &Bench) {
    bench.open_slot("ana");
    bench.count_in(20, 20);
    bench.finish();
    bench.fault("uplink", "answers_lost", true);
    bench.press("Abonar");
    // Central has the order, the journal has no answer.
    bench.wait_books(|books| books["central"]["in_transit"] == 2000);
    assert_eq!(bench.count_records("top_up_accepted"), 0);
}

/// The kiosk has let the customer go with a receipt.
pub(crate) fn let_go(bench: &Bench) {
    bench.wait_screen_with("done", &[("done.pending.amount", "2000")]);
    let receipt = bench.wait_printed();
    assert!(receipt.contains("pendiente") && receipt.contains("20,00"), "{receipt}");
    bench.remove_card();
    bench.key("Escape");
}

/// Ana's wallet held 12.40.
pub(crate) fn credited_once(bench: &Bench) {
    let twenty = Money { boxed: 2000, credited: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), twenty);
    assert_eq!(bench.count_records("top_up_ordered"), 1);
    assert_eq!(bench.count_records("top_up_accepted"), 1);
    bench.wait_screen_with("attract", &[("limited", "false")]);
    bench.identify("ana");
    assert_eq!(bench.screen()["balance"], 3240);
}

#[test]
fn the_kiosk_asks_again_and_the_wallet_is_credited_once() {
    let bench = Bench::start_with(["--speed", "10", "--timing", "top_up_unanswered=4"]);
    post_without_answer(&bench);
    let_go(&bench);
    bench.fault("uplink", "answers_lost", false);
    credited_once(&bench);
}
