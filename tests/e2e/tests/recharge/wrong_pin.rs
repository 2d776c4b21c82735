use e2e::Bench;

#[test]
fn five_wrong_pins_lock_it_for_a_while() {
    let bench = Bench::start();
    let ana = bench.card("ana");
    bench.tap(&ana);
    bench.wait_screen("pin");
    let wrong = if ana.pin.starts_with('9') { "100000" } else { "900000" };
    for left in (1..5).rev() {
        bench.type_digits(&wrong[..ana.pin.len()]);
        bench.key("Enter");
        bench.wait_screen_with("pin", &[("error.wrong.tries_left", &i32::to_string(&left))]);
    }
    bench.type_digits(&wrong[..ana.pin.len()]);
    bench.key("Enter");
    let refused = bench.wait_screen("card_refused");
    assert!(refused["reason"]["pin_locked"].is_object(), "{refused}");
    bench.wait_books_agree();
}

#[test]
fn a_card_unknown_to_central_is_answered_like_a_wrong_pin() {
    let bench = Bench::start();
    let nobody = bench.card("unregistered");
    bench.tap(&nobody);
    bench.wait_screen("pin");
    bench.type_pin(&nobody);
    bench.wait_screen_with("pin", &[("error.wrong.tries_left", "4")]);
}
