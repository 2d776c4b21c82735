//! The journal is not as it was left: a bit has flipped, a part is gone, all of it is gone.

use std::fs;
use std::path::PathBuf;

use e2e::Bench;

use crate::{TWENTY, assert_out_of_service, visit};

/// A kiosk that is switched off, with a visit in its journal.
fn switched_off() -> Bench {
    let bench = Bench::start();
    visit(&bench, "ana");
    assert_eq!(bench.audited_money(), TWENTY);
    // All of it is in the database itself, no more in SQLite's log.
    bench.wait_until("the log to be folded", || {
        fs::read(journal(&bench))
            .is_ok_and(|bytes| bytes.windows(13).any(|at| at == b"session_ended"))
    });
    bench.power("kioskd", false);
    bench
}

fn journal(bench: &Bench) -> PathBuf {
    bench.dir().join("kiosk/journal.db")
}

/// Journal and log, byte by byte; `None` = there is none.
fn evidence(bench: &Bench) -> [Option<Vec<u8>>; 2] {
    ["kiosk/journal.db", "kiosk/journal.db-wal"].map(|file| fs::read(bench.dir().join(file)).ok())
}

/// Damages the journal; puts the whole one back in the end.
fn story(damage: impl FnOnce(&Bench), words: &[&str]) {
    let bench = switched_off();
    let whole = evidence(&bench);
    damage(&bench);
    let damaged = evidence(&bench);
    assert!(damaged != whole);
    bench.power("kioskd", true);
    assert_out_of_service(&bench, words);
    // It tries again every few seconds, and a restart is no cure.
    bench.power_cut("kioskd");
    bench.wait_screen_with("out_of_service", &[("reason", "books")]);
    assert!(evidence(&bench) == damaged, "the evidence was changed");

    // The technician puts back what a copy of the disk still has.
    for (file, bytes) in ["kiosk/journal.db", "kiosk/journal.db-wal"].iter().zip(whole) {
        let path = bench.dir().join(file);
        match bytes {
            Some(bytes) => fs::write(path, bytes).expect("it is writable"),
            None => drop(fs::remove_file(path)),
        }
    }
    bench.wait_screen("attract");
    assert_eq!(bench.audited_money(), TWENTY);
    bench.open_slot("joan");
}

#[test]
fn a_flipped_bit_is_found_by_the_hash_chain() {
    let flip = |bench: &Bench| {
        let mut bytes = fs::read(journal(bench)).expect("it is there");
        let at = bytes.windows(7).rposition(|window| window == b"cashbox");
        bytes[at.expect("a note was stacked")] ^= 0x20;
        fs::write(journal(bench), bytes).expect("it is writable");
    };
    story(flip, &["does not match its hash", "kioskd audit"]);
}

#[test]
fn a_journal_cut_short_is_not_opened() {
    let cut = |bench: &Bench| {
        let file = fs::File::options().write(true).open(journal(bench)).expect("it is there");
        let len = file.metadata().expect("it has a length").len();
        file.set_len(len / 2).expect("it is writable");
    };
    story(cut, &["damaged", "kioskd audit"]);
}

#[test]
fn a_journal_that_is_gone_is_not_begun_anew() {
    let remove = |bench: &Bench| {
        for file in ["kiosk/journal.db", "kiosk/journal.db-wal", "kiosk/journal.db-shm"] {
            fs::remove_file(bench.dir().join(file)).ok();
        }
    };
    story(remove, &["the journal is lost", "kioskd audit"]);
}
