//! A note jams on its way from escrow into the cash box.
//! Screen: it is in doubt, and the office will see to it.
//! Paper: a claim with the number of the order, by itself.
//! Books: the order stays open and in doubt. Freed into the box, the note is owed by the office.
//! Freed from the front it is on record, but nobody saw whose hand took it: what the claim is worth
//! is the office's word.

use e2e::{Bench, Money};

/// Inserts a note that jams; the number of its order.
fn jam(bench: &Bench, fault: &str) -> String {
    bench.open_slot("ana");
    bench.fault("validator", fault, true);
    bench.insert(20);
    let done = bench.wait_screen_with("done", &[("done.in_doubt.amount", "2000")]);
    let number = done["done"]["in_doubt"]["number"].as_str().expect("a number").to_owned();
    let claim = bench.wait_printed();
    assert!(claim.contains(&number) && claim.contains("20,00"), "{claim}");
    assert_eq!(bench.audited_money(), Money::default());
    let open = &bench.audit()["open_intents"][0];
    assert_eq!((&open["number"], &open["in_doubt"]), (&number.clone().into(), &true.into()));
    number
}

#[test]
fn freed_into_the_box_it_is_owed_under_the_number_of_the_claim() {
    let bench = Bench::start();
    jam(&bench, "jam_safe");
    bench.fault("validator", "jam_safe", false);
    bench.leave();
    bench.wait_books(|books| books["physical"]["cashbox_cents"] == 2000);
    let owed = Money { boxed: 2000, claimed: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), owed);
    assert_eq!(bench.audit()["open_intents"], serde_json::json!([]));
}

#[test]
fn freed_from_the_front_it_is_on_record_beside_the_claim() {
    let bench = Bench::start();
    let number = jam(&bench, "jam_unsafe");
    bench.fault("validator", "jam_unsafe", false);
    assert_eq!(bench.wait_returned(), [2000]);
    bench.leave();
    bench.wait_record("unexplained_note");
    assert_eq!(bench.audited_money(), Money::default());
    let open = &bench.audit()["open_intents"][0];
    assert_eq!((&open["number"], &open["claimed"]), (&number.into(), &true.into()));
}
