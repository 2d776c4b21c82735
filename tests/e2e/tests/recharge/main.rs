//! A citizen recharges in cash, on the real programs: the story, and one file for each way in which
//! it goes differently. Each says what the customer sees, what is printed, and what the books say.

mod cancel;
mod cards_refused;
mod central_away;
mod no_paper;
mod note_over_the_maximum;
mod power_cut;
mod story;
mod validator_unplugged;
mod walks_off;
mod wrong_pin;

use e2e::{Bench, Card};

/// Card, PIN, and the slot is open.
fn open_the_slot(bench: &Bench, id: &str) -> Card {
    let card = at_home(bench, id);
    bench.wait_screen_with("home", &[("recharge_off", "null")]);
    bench.press("Recargar con billetes");
    bench.wait_screen("inserting");
    card
}

fn at_home(bench: &Bench, id: &str) -> Card {
    let card = bench.card(id);
    bench.tap(&card);
    bench.wait_screen("pin");
    bench.type_pin(&card);
    bench.wait_screen("home");
    card
}

/// A note goes in and is counted; `total` euro are in then.
fn count_in(bench: &Bench, euro: u32, total: u32) {
    bench.insert(euro);
    let cents = (total * 100).to_string();
    bench.wait_screen_with("inserting", &[("inserted", &cents), ("escrowed", "null")]);
}

fn cents(books: &serde_json::Value, side: &str, account: &str) -> i64 {
    let accounts = books[side]["accounts"].as_array().expect("accounts");
    accounts
        .iter()
        .find(|line| line["account"] == account)
        .map_or(0, |line| line["cents"].as_i64().expect("cents"))
}
