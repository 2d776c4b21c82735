use e2e::Bench;

#[test]
fn each_card_that_cannot_be_served_is_told_why() {
    let bench = Bench::start();
    for (id, reason) in [
        ("lucia", "blocked"),
        ("pere", "suspended"),
        ("ingrid", "expired"),
        ("foreign", "foreign"),
        ("forged", "not_genuine"),
        ("blank", "foreign"),
        ("bank", "foreign"),
    ] {
        bench.tap(&bench.card(id));
        let refused = bench.wait_screen("card_refused");
        assert_eq!(refused["reason"], reason, "{id}");
        bench.remove_card();
        bench.key("Escape");
        bench.wait_screen("attract");
    }
    let books = bench.wait_books_agree();
    assert_eq!(books["physical"]["cashbox_cents"], 0);
}
