use e2e::Bench;

use crate::{at_home, cents, count_in};

#[test]
fn thirty_euro_go_from_the_hand_to_the_wallet() {
    let bench = Bench::start();
    bench.press("Castellano");
    bench.wait_screen("present_card");
    let ana = bench.card("ana");
    bench.tap(&ana);
    bench.wait_screen("pin");
    bench.type_pin(&ana);
    // The acceptor may still be setting itself up: the kiosk serves the card meanwhile.
    let home = bench.wait_screen_with("home", &[("recharge_off", "null")]);
    assert_eq!(home["balance"], 1240);
    assert_eq!(home["holder"], "Ana G. P.");
    assert!(home["movements"].as_array().is_some_and(|list| !list.is_empty()));
    assert!(!home.to_string().contains(ana.json["number"].as_str().expect("a number")));

    bench.press("Recargar con billetes");
    bench.wait_screen("inserting");
    count_in(&bench, 20, 20);
    count_in(&bench, 10, 30);
    bench.press("Finalizar");
    let review = bench.wait_screen("review");
    assert_eq!((&review["amount"], &review["balance_after"]), (&3000.into(), &4240.into()));
    bench.press("Abonar");
    let done = bench.wait_screen("done");
    assert_eq!(done["done"]["credited"]["balance"], 4240);

    bench.press("Imprimir recibo");
    bench.wait_screen_with("done", &[("receipt", "take")]);
    let receipt = bench.receipt_text();
    for words in ["Recarga de saldo", "30,00", "42,40", "K0001-"] {
        assert!(receipt.contains(words), "{words} is not in:\n{receipt}");
    }
    // The visit ends by itself.
    bench.wait_screen("goodbye");
    bench.remove_card();
    bench.wait_screen("attract");

    let books = bench.wait_books_agree();
    assert_eq!(cents(&books, "kiosk", "cashbox"), 3000);
    assert_eq!(cents(&books, "kiosk", "wallet_payable"), -3000);
    assert_eq!(books["physical"]["cashbox_cents"], 3000);

    // And the wallet shows it the next time.
    at_home(&bench, "ana");
    assert_eq!(bench.screen()["balance"], 4240);
}

#[test]
fn in_every_language() {
    let bench = Bench::start();
    for (name, code) in [("Català", "ca"), ("English", "en"), ("Deutsch", "de"), ("Français", "fr")]
    {
        bench.press(name);
        let screen = bench.wait_screen("present_card");
        assert_eq!(screen["lang"], code);
        bench.key("Escape");
        bench.wait_screen("attract");
    }
}
