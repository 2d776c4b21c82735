//! The power goes while the customer pays: of kioskd alone, and of the whole cabinet.
//! Screen: after the start the outcome. Paper: what is owed. Books: charged once and credited, or
//! not charged.

use crate::{TERMINALS, pay_twenty, town};

#[test]
fn the_customer_is_charged_and_credited_or_not_charged() {
    for terminal in TERMINALS {
        let bench = town(terminal);
        for part in ["kioskd", "kiosk"] {
            pay_twenty(&bench, "ana");
            bench.wait_screen("pay_at_terminal");
            bench.power(part, false);
            bench.power(part, true);
            bench.remove_card();
            bench.wait_screen("attract,done");
            bench.wait_screen("attract");
            let money = bench.audited_money();
            assert_eq!(money.charged, money.credited, "{terminal}, {part}: {money:?}");
            assert_eq!(money.claimed + money.queued, 0, "{terminal}, {part}: {money:?}");
        }
    }
}
