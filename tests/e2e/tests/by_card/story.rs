//! Twenty euro by contactless.
//! Screen: what to do at the terminal, then credited. Paper: on request, with what Cuaderno 64 §5
//! asks for. Books: the bank, the kiosk and central agree.

use e2e::Money;

use crate::{TERMINALS, pay_twenty, town};

#[test]
fn twenty_euro_go_from_the_bank_to_the_wallet() {
    for terminal in TERMINALS {
        let bench = town(terminal);
        pay_twenty(&bench, "ana");
        let done = bench.wait_screen("done");
        assert_eq!(done["done"]["credited"]["balance"], 3240, "{terminal}");
        let receipt = bench.print();
        let words = ["Recarga de saldo", "20,00", "32,40", "K0001-", "PAGADO", "autorización"];
        for words in words {
            assert!(receipt.contains(words), "{terminal}: {words} is not in:\n{receipt}");
        }
        let digits = receipt.split_whitespace().find(|word| word.contains("****"));
        assert!(digits.is_some(), "{terminal}: the card's number is masked:\n{receipt}");
        bench.leave();
        let twenty = Money { charged: 2000, credited: 2000, ..Money::default() };
        assert_eq!(bench.audited_money(), twenty, "{terminal}");
    }
}
