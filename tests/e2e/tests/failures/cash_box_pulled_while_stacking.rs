//! Someone pulls the cash box while a note is on its way into it.
//! Screen: the note is in doubt; then out of service until the box is back.
//! Paper: a claim, by itself. Books: the order stays open and in doubt; when the note drops into
//! the next box, it is owed by the office.

use e2e::{Bench, Money};

#[test]
fn the_note_is_claimed_and_found_in_the_next_box() {
    // The motor stands still for as long as this test wants; the kiosk is to wait for it.
    let bench = Bench::start_with(["--speed", "10", "--timing", "acceptor_silent=120"]);
    bench.open_slot("ana");
    bench.fault("validator", "stalled", true);
    bench.insert(20);
    bench.wait_slot("20 € stacking");
    bench.fault("validator", "cashbox_removed", true);
    bench.wait_screen_with("done", &[("done.in_doubt.amount", "2000")]);
    let claim = bench.wait_printed();
    assert!(claim.contains("20,00"), "{claim}");
    assert_eq!(bench.audited_money(), Money::default());
    bench.remove_card();
    bench.key("Escape");
    bench.wait_screen_with("out_of_service", &[("reason", "attendant")]);

    bench.fault("validator", "cashbox_removed", false);
    bench.fault("validator", "stalled", false);
    bench.wait_books(|books| books["physical"]["cashbox_cents"] == 2000);
    bench.wait_screen("attract");
    let owed = Money { boxed: 2000, claimed: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), owed);
}
