//! `kioskd audit`, the real program, on journals that hold and on journals that do not: its exit
//! code is 0 only if everything holds, and what it says names the fault and who must do what.

#![allow(clippy::unwrap_used, reason = "in tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use domain::{Amount, CardRef, Lang, Wall};
use kiosk_core::{Books, fold};
use kiosk_journal::Journal;
use kiosk_records::{
    Account, Body, ClaimBasis, ClockTrust, Disposition, DoubtReason, Evidence, KioskId, Posting,
    Record, Seq,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const TWENTY: Amount = Amount::euro(20);

/// A kiosk that only has a configuration and a journal.
struct Kiosk {
    dir: TempDir,
}

impl Kiosk {
    async fn with(records: Vec<Record>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("kioskd.toml"), CONFIG).unwrap();
        let kiosk = Self { dir };
        let mut journal = kiosk.journal().await;
        journal.append(bodies(records)).await.unwrap();
        journal.close().await.unwrap();
        kiosk
    }

    async fn journal(&self) -> Journal {
        let id: KioskId = "K0001".parse().unwrap();
        Journal::open(&self.path(), &id).await.unwrap().journal
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("journal.db")
    }

    fn audit(&self) -> Output {
        self.says("audit")
    }

    fn says(&self, command: &str) -> Output {
        let config: &Path = &self.dir.path().join("kioskd.toml");
        let mut kioskd = Command::new(env!("CARGO_BIN_EXE_kioskd"));
        kioskd.arg(command).arg("--config").arg(config).output().unwrap()
    }

    fn report(&self) -> Value {
        let Output { status, stdout, stderr } = self.audit();
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        serde_json::from_slice(&stdout).unwrap()
    }

    /// It fails, prints no totals, and says all of `words`.
    fn assert_refused(&self, words: &[&str]) {
        let Output { status, stdout, stderr } = self.audit();
        assert_eq!(status.code(), Some(1));
        assert!(stdout.is_empty(), "totals of a journal that does not hold");
        let said = String::from_utf8_lossy(&stderr);
        for word in words {
            assert!(said.contains(word), "{word:?} is not in {said}");
        }
        assert!(said.contains("technician:"), "{said}");
    }
}

#[tokio::test]
async fn totals_are_told_per_cash_unit_and_per_open_intent() {
    let report = Kiosk::with(visit()).await.report();
    assert_eq!((&report["kiosk"], &report["seq"]), (&json!("K0001"), &json!(10)));
    let unit = &report["cash_unit"];
    assert_eq!((&unit["notes"], &unit["cents"]), (&json!(1), &json!(2000)));
    assert_eq!(unit["counts"], json!([{"note_cents": 2000, "count": 1}]));
    assert_eq!(unit["accuracy"], "inaccurate", "a note is in doubt");
    let (doubted, queued) = (&report["open_intents"][0], &report["open_intents"][1]);
    assert_eq!((&doubted["number"], &doubted["act"]), (&json!("K0001-5"), &json!("stack")));
    assert_eq!((&doubted["in_doubt"], &doubted["claimed"]), (&json!(true), &json!(true)));
    assert_eq!((&queued["number"], &queued["act"]), (&json!("K0001-7"), &json!("top_up")));
    assert_eq!((&queued["queued"], &queued["cents"]), (&json!(true), &json!(2000)));
    assert_eq!(report["queued_cents"], 2000);
}

#[tokio::test]
async fn a_checkpoint_that_is_not_what_the_records_say_is_refused() {
    let kiosk = Kiosk::with(visit()).await;
    let at = |seq: u64| {
        let records = visit();
        let numbered = (1..=seq).map(Seq).zip(&records);
        fold(Books::default(), numbered).unwrap()
    };
    let mut journal = kiosk.journal().await;
    let right = serde_json::to_vec(&at(8)).unwrap();
    journal.save_checkpoint(Seq(8), right).await.unwrap();
    kiosk.report();
    // The digest of a wrong one is right, too: a bug of ours wrote it.
    let wrong = serde_json::to_vec(&at(6)).unwrap();
    journal.save_checkpoint(Seq(8), wrong).await.unwrap();
    journal.close().await.unwrap();
    kiosk.assert_refused(&["the checkpoint at 8", "M10"]);
}

/// As after an update that changed what the books hold.
#[tokio::test]
async fn a_checkpoint_of_another_version_is_left_aside() {
    let kiosk = Kiosk::with(visit()).await;
    for state in [r#"{"seq":8}"#, r#"{"what":"books once were"}"#] {
        let mut journal = kiosk.journal().await;
        journal.save_checkpoint(Seq(8), state.into()).await.unwrap();
        journal.close().await.unwrap();
        let (audited, read) = (kiosk.report(), kiosk.says("books"));
        assert_eq!(audited["seq"], 10);
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        assert_eq!(serde_json::from_slice::<Value>(&read.stdout).unwrap(), audited);
    }
}

#[tokio::test]
async fn records_that_do_not_make_books_are_refused_though_their_chain_holds() {
    let mut records = visit();
    let Some(Record::SessionEnded { tendered, .. }) = records.last_mut() else {
        panic!("a visit ends");
    };
    *tendered = Amount::euro(50);
    Kiosk::with(records).await.assert_refused(&["session_ended", "M5"]);
}

#[tokio::test]
async fn a_flipped_bit_in_a_record_is_found_by_the_chain() {
    let kiosk = Kiosk::with(visit()).await;
    let mut bytes = fs::read(kiosk.path()).unwrap();
    let at = bytes.windows(7).rposition(|window| window == b"cashbox").unwrap();
    bytes[at] ^= 0x20;
    fs::write(kiosk.path(), &bytes).unwrap();
    kiosk.assert_refused(&["the journal", "kioskd audit"]);
    assert!(fs::read(kiosk.path()).unwrap() == bytes, "the evidence was changed");
}

#[tokio::test]
async fn a_journal_cut_short_is_refused() {
    let kiosk = Kiosk::with(visit()).await;
    let len = fs::metadata(kiosk.path()).unwrap().len();
    fs::File::options().write(true).open(kiosk.path()).unwrap().set_len(len / 2).unwrap();
    kiosk.assert_refused(&["damaged"]);
}

#[tokio::test]
async fn another_kiosks_journal_and_none_at_all_are_refused() {
    let kiosk = Kiosk::with(visit()).await;
    let other = CONFIG.replace("K0001", "K0002");
    fs::write(kiosk.dir.path().join("kioskd.toml"), other).unwrap();
    kiosk.assert_refused(&["K0001"]);
    fs::remove_file(kiosk.path()).unwrap();
    kiosk.assert_refused(&["there is no journal"]);
}

/// Two notes: one is stacked and queued for central, of the other nobody knows where it is.
fn visit() -> Vec<Record> {
    use Account::{Cashbox, CustomerCredit, TopUpsQueued};
    let stacked = Posting::transfer(Cashbox, CustomerCredit, TWENTY);
    let queued = Posting::transfer(CustomerCredit, TopUpsQueued, TWENTY);
    vec![
        Record::Booted { version: "0.1.0".into() },
        Record::SessionStarted { card_ref: CardRef([7; 16]), offline: false, lang: Lang::Es },
        Record::StackOrdered { note: TWENTY, stacked_total: None },
        Record::Stacked { intent: Seq(3), evidence: Evidence::Reported, posting: stacked },
        Record::StackOrdered { note: TWENTY, stacked_total: None },
        Record::StackInDoubt { intent: Seq(5), reason: DoubtReason::Jam },
        Record::TopUpOrdered {
            card_ref: CardRef([7; 16]),
            amount: TWENTY,
            offline: false,
            at: Wall::default(),
            payment: None,
        },
        Record::TopUpQueued { intent: Seq(7), posting: queued },
        Record::ClaimIssued { amount: TWENTY, basis: ClaimBasis::InDoubt(Seq(5)), posting: None },
        Record::SessionEnded {
            disposition: Disposition::Faulted,
            tendered: TWENTY,
            credited: Amount::ZERO,
            queued: TWENTY,
            claimed: Amount::ZERO,
            given_back: Amount::ZERO,
        },
    ]
}

fn bodies(records: Vec<Record>) -> Vec<Body> {
    let records = records.into_iter();
    records
        .map(|record| Body {
            schema: Body::SCHEMA,
            boot: 1,
            mono_ms: 0,
            wall_ms: 0,
            clock_trust: ClockTrust::Free,
            business_date: Wall::default().business_date(),
            session: None,
            record,
        })
        .collect()
}

const CONFIG: &str = r#"
[kiosk]
id = "K0001"
data_dir = "."
language = "es"
[central]
url = "https://central.example"
ca = "ca.pem"
certificate = "K0001.pem"
key = "K0001.key"
card_ref_key = "card_ref.key"
card_keys = "card_keys.json"
[acceptor]
protocol = "ssp"
port = "validator"
[printer]
port = "printer"
[reader]
name = ""
[ui]
socket = "ui.sock"
"#;
