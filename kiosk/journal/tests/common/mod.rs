//! Records as a kiosk writes them.
#![allow(dead_code, reason = "each test file uses some")]
#![allow(clippy::unwrap_used, reason = "in tests")]

use std::path::{Path, PathBuf};

use domain::{Amount, Wall};
use kiosk_journal::{Journal, Opened};
use kiosk_records::{Account, Body, ClockTrust, Evidence, KioskId, Posting, Record, Sealed, Seq};
use tempfile::TempDir;

pub(crate) fn kiosk() -> KioskId {
    "K0001".parse().unwrap()
}

/// A directory of its own, and the journal's path in it.
pub(crate) fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    (directory, path)
}

pub(crate) async fn open(path: &Path) -> Opened {
    Journal::open(path, &kiosk()).await.unwrap()
}

pub(crate) fn body(record: Record) -> Body {
    Body {
        schema: Body::SCHEMA,
        boot: 1,
        mono_ms: 0,
        wall_ms: 0,
        clock_trust: ClockTrust::Free,
        business_date: Wall::default().business_date(),
        session: None,
        record,
    }
}

pub(crate) fn booted() -> Body {
    body(Record::Booted { version: "0.1.0".into() })
}

pub(crate) fn stack_ordered() -> Body {
    body(Record::StackOrdered { note: Amount::euro(20), stacked_total: None })
}

pub(crate) fn stacked(intent: Seq) -> Body {
    body(Record::Stacked {
        intent,
        evidence: Evidence::Reported,
        posting: Posting::transfer(Account::Cashbox, Account::CustomerCredit, Amount::euro(20)),
    })
}

pub(crate) fn returned(intent: Seq) -> Body {
    body(Record::NoteReturned { intent, evidence: Evidence::Reported })
}

/// A boot and `notes` notes: 1 + 2 × `notes` records.
pub(crate) async fn filled(path: &Path, notes: u64) -> Journal {
    let mut journal = open(path).await.journal;
    journal.append(vec![booted()]).await.unwrap();
    for _ in 0..notes {
        let intent = journal.tail().0.next();
        journal.append(vec![stack_ordered()]).await.unwrap();
        journal.append(vec![stacked(intent)]).await.unwrap();
    }
    journal
}

/// All lines, as anyone may read them.
pub(crate) async fn lines(path: &Path) -> Vec<Sealed> {
    let reader = kiosk_journal::open_read_only(path).await.unwrap();
    let mut pages = reader.all(Seq(1));
    let mut lines = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        lines.extend(page);
    }
    lines
}
