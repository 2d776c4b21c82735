//! A citizen recharges by bank card, on the real programs and with a terminal of either protocol:
//! the story, and one file for each way in which it goes differently. Each says what the customer
//! sees, what is printed, and what the books and the bank say.

mod declined;
mod in_doubt;
mod power_cut;
mod refused_by_central;
mod settled_by_hand;
mod story;

use e2e::Bench;

/// The protocols there are; nothing but the configuration of kioskd differs.
const TERMINALS: [&str; 3] = ["zvt", "zvt-serial", "nexo"];

/// A town with this terminal.
fn town(terminal: &str) -> Bench {
    Bench::start_with(["--speed", "10", "--terminal", terminal])
}

/// Card and PIN, and twenty euro are asked for at the terminal.
fn pay_twenty(bench: &Bench, id: &str) {
    bench.identify(id);
    bench.wait_screen_with("home", &[("by_card", "open")]);
    bench.press("Recargar con tarjeta bancaria");
    bench.wait_screen("choose_amount");
    bench.press("20\u{a0}€");
}
