//! The card is suspended while its holder pays: central does not credit it.
//! Screen: the money goes back to the bank card. Paper: that it did, asked for or not. Books: the
//! bank has given it back, and nobody owes anything.

use central_api::{CardStatus, Client, ClientConfig};
use e2e::{Bench, Card, Money};

use crate::{pay_twenty, town};

#[test]
fn the_money_goes_back_to_the_bank_card() {
    for terminal in ["zvt", "nexo"] {
        let bench = town(terminal);
        let ana = bench.card("ana");
        pay_twenty(&bench, "ana");
        bench.wait_screen("pay_at_terminal");
        suspend(&bench, &ana);
        let done = bench.wait_screen("done");
        assert_eq!(done["done"]["given_back"]["amount"], 2000, "{terminal}: {done}");
        let receipt = bench.wait_printed();
        assert!(receipt.contains("devuelto"), "{receipt}");
        bench.leave();
        assert_eq!(bench.audited_money(), Money::default(), "{terminal}");
    }
}

/// As somebody at the office would.
fn suspend(bench: &Bench, card: &Card) {
    let read = |name: &str| std::fs::read(bench.dir().join(name)).expect("the town has it");
    let config = String::from_utf8(read("kioskd.toml")).expect("it is text");
    let url = config.lines().find_map(|line| line.strip_prefix("url = "));
    let config = ClientConfig {
        url: url.expect("kioskd calls central").trim_matches('"').to_owned(),
        ca_pem: read("ca.pem"),
        certificate_pem: read("operator.pem"),
        key_pem: read("operator.key"),
        connect_timeout: ClientConfig::CONNECT_TIMEOUT,
        timeout: ClientConfig::TIMEOUT,
    };
    let client = Client::new(&config).expect("the operator's certificate is sound");
    let number = card.json["number"].as_str().expect("a number").replace(' ', "");
    let number = number.parse().expect("a card number");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let change = client.set_card_status(number, CardStatus::Suspended);
    runtime.expect("a runtime").block_on(change).expect("central suspends it");
}
