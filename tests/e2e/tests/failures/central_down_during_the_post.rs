//! Central dies after it has credited the wallet and before its answer arrives.
//! Screen: pending. Paper: a receipt that says pending, by itself. Books: when central is back it
//! knows the key and answers what it would have answered: credited once.

use e2e::Bench;

use crate::ack_lost::{credited_once, let_go, post_without_answer};

#[test]
fn central_remembers_what_it_did() {
    let bench = Bench::start_with(["--speed", "10", "--timing", "top_up_unanswered=4"]);
    post_without_answer(&bench);
    bench.power("central", false);
    bench.fault("uplink", "answers_lost", false);
    let_go(&bench);
    bench.power("central", true);
    credited_once(&bench);
}
