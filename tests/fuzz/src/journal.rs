//! Rows of a journal: each line of the input is the body of one record.

use kiosk_core::Books;
use kiosk_records::{Account, Body, Hash, Sealed, Seq};

/// Were they all understood, and did the books take them?
pub(crate) fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let mut books = Books::default();
    let mut prev_hash = Hash::GENESIS;
    for (seq, line) in (1..).map(Seq).zip(text.lines()) {
        let found = Sealed { seq, prev_hash, hash: Hash::GENESIS, body: line.to_owned() };
        assert!(found.verify().is_err(), "nobody finds a body that hashes to zero");
        let Ok(body) = found.open() else { return false };
        prev_hash = reseal(seq, prev_hash, &body);
        if books.apply(seq, &body.record).is_err() {
            return false;
        }
        let sum: i64 = ACCOUNTS.iter().map(|account| books.ledger().balance(*account)).sum();
        assert_eq!(sum, 0, "M1: the books balance after each record");
        let saved = serde_json::to_vec(&books).expect("a checkpoint can be written");
        assert_eq!(serde_json::from_slice::<Books>(&saved).expect("and read"), books);
    }
    !text.is_empty()
}

/// Written again by us, it is what it was.
fn reseal(seq: Seq, prev_hash: Hash, body: &Body) -> Hash {
    let sealed = Sealed::seal(seq, prev_hash, body);
    sealed.verify().expect("we seal well");
    assert_eq!(&sealed.open().expect("our own words"), body);
    sealed.hash
}

const ACCOUNTS: [Account; 8] = [
    Account::Cashbox,
    Account::Collected,
    Account::CustomerCredit,
    Account::TopUpsQueued,
    Account::WalletPayable,
    Account::ClaimsPayable,
    Account::Suspense,
    Account::OverShort,
];
