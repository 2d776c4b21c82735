//! What the books of a town say, for tests to assert.

use std::process::Command;

use kiosk_records::{Record, Seq};
use serde_json::Value;

use crate::{Bench, program};

/// Where the money is, in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Money {
    /// In the cash box.
    pub boxed: i64,
    /// Taken out with a cash box.
    pub collected: i64,
    /// Charged to bank cards, less what was given back.
    pub charged: i64,
    /// On wallets.
    pub credited: i64,
    /// Waits for central.
    pub queued: i64,
    /// Owed by the office.
    pub claimed: i64,
    /// In suspense.
    pub unexplained: i64,
}

impl Bench {
    /// Waits until kiosk, central and cash box agree, has `kioskd audit` verify the journal, and
    /// says where the money is.
    ///
    /// # Panics
    /// They do not agree, or the audit fails.
    pub fn audited_money(&self) -> Money {
        let books = self.wait_books_agree();
        self.audit();
        let of = |account| cents(&books, account);
        let money = Money {
            boxed: of("cashbox"),
            collected: of("collected"),
            charged: of("card_terminal") + of("card_settled"),
            credited: -of("wallet_payable"),
            queued: -of("top_ups_queued"),
            claimed: -of("claims_payable"),
            unexplained: -of("suspense"),
        };
        assert_eq!(books["physical"]["cashbox_cents"], money.boxed);
        assert_eq!(books["physical"]["collected_cents"], money.collected);
        assert_eq!(books["physical"]["bank_cents"], money.charged);
        money
    }

    /// Waits until the three sets of books, as `GET /api/books` tells them, are so.
    pub fn wait_books(&self, are: impl Fn(&Value) -> bool) {
        self.wait_until("books", || are(&self.books()));
    }

    /// The report of `kioskd audit`, the real program.
    ///
    /// # Panics
    /// Something does not hold.
    pub fn audit(&self) -> Value {
        let mut kioskd = Command::new(program("kioskd"));
        let config = self.dir().join("kioskd.toml");
        let done = kioskd.arg("audit").arg("--config").arg(config).output().expect("kioskd runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "kioskd audit: {said}");
        serde_json::from_slice(&done.stdout).expect("a report")
    }

    /// All records of the kiosk, oldest first.
    pub fn records(&self) -> Vec<(Seq, Record)> {
        self.records_from(Seq(1))
    }

    /// The records from `first` on, read from outside, whether kioskd runs or not.
    pub fn records_from(&self, first: Seq) -> Vec<(Seq, Record)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let path = self.dir().join("kiosk/journal.db");
            let reader = kiosk_journal::open_read_only(&path).await.expect("a journal");
            let mut pages = reader.all(first);
            let mut records = Vec::new();
            while let Some(page) = pages.next().await.expect("it reads") {
                let opened = page.into_iter().map(|line| (line.seq, line.open().expect("whole")));
                records.extend(opened.map(|(seq, body)| (seq, body.record)));
            }
            records
        })
    }

    /// Waits for the first record of this kind.
    pub fn wait_record(&self, kind: &str) {
        self.wait_until(kind, || self.count_records(kind) > 0);
    }

    /// How many records of this kind there are.
    pub fn count_records(&self, kind: &str) -> usize {
        self.records().iter().filter(|(_, record)| record.kind() == kind).count()
    }
}

/// An account of the kiosk, debit positive.
fn cents(books: &Value, account: &str) -> i64 {
    let accounts = books["kiosk"]["accounts"].as_array().expect("accounts");
    let line = accounts.iter().find(|line| line["account"] == account);
    line.map_or(0, |line| line["cents"].as_i64().expect("cents"))
}
