//! The terminal charges, tells nobody, and never speaks again. A technician asks the acquirer and
//! writes down what it says: `kioskd settle`.
//! Screen: we are checking; then a claim. Paper: the claim. Books: charged; credited at the next
//! start. What is not in doubt, or under way, cannot be settled so.

use std::process::{Command, Output};

use e2e::{Bench, Money, program};
use kiosk_records::{Record, Seq};

use crate::pay_twenty;

#[test]
fn what_the_acquirer_reports_is_credited_at_the_next_start() {
    let bench = Bench::start_with(["--speed", "10", "--timing", "payment_unresolved=2"]);
    pay_twenty(&bench, "ana");
    bench.wait_screen_with("pay_at_terminal", &[("hint", "present_card")]);
    bench.fault("terminal", "unplugged", true);
    bench.wait_screen("checking_payment");
    bench.wait_screen("done");
    bench.wait_printed();
    bench.leave();
    bench.wait_books(|books| books["physical"]["bank_cents"] == 2000);
    let order = bench
        .records()
        .into_iter()
        .find_map(|(seq, record)| matches!(record, Record::PaymentOrdered { .. }).then_some(seq));
    let order = order.expect("an order");
    let carried_out = ["carried-out", "--code", "123456"];

    assert_refused(&settle(&bench, order, &carried_out), "kioskd runs");
    bench.power("kioskd", false);
    assert_refused(&settle(&bench, order, &["carried-out"]), "--code");
    assert_refused(&settle(&bench, Seq(1), &carried_out), "no open order");
    let settled = settle(&bench, order, &carried_out);
    assert!(settled.status.success(), "{}", String::from_utf8_lossy(&settled.stderr));
    assert_refused(&settle(&bench, order, &["not-carried-out"]), "no open order");
    bench.power("kioskd", true);

    bench.wait_screen("attract");
    let twenty = Money { charged: 2000, credited: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), twenty);
    bench.identify("ana");
    assert_eq!(bench.screen()["balance"], 3240);
}

fn settle(bench: &Bench, order: Seq, fate: &[&str]) -> Output {
    let mut kioskd = Command::new(program("kioskd"));
    let config = bench.dir().join("kioskd.toml");
    kioskd.arg("settle").arg("--config").arg(config).arg(order.to_string()).args(fate);
    kioskd.output().expect("kioskd runs")
}

fn assert_refused(done: &Output, why: &str) {
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && said.contains(why), "{said}");
}
