//! A file that is not as we left it: found, named, and not touched.

#![allow(clippy::unwrap_used, reason = "in tests")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{booted, filled, kiosk, lines, open, place};
use kiosk_journal::{Journal, OpenError, ReadError, open_read_only};
use kiosk_records::Sealed;

/// The files of a journal of some twenty records, as a power cut leaves them: most of it still in
/// the log if `in_log`, else all of it in the database.
async fn left_behind(in_log: bool) -> (PathBuf, tempfile::TempDir, Vec<Sealed>) {
    let (directory, path) = place();
    let mut journal = filled(&path, 10).await;
    if !in_log {
        journal.idle().await.unwrap();
        journal.close().await.unwrap();
        let written = lines(&path).await;
        return (path, directory, written);
    }
    let (copy_in, copy) = place();
    for suffix in ["", "-wal", ".lock"] {
        fs::copy(with(&path, suffix), with(&copy, suffix)).unwrap();
    }
    let written = lines(&path).await;
    (copy, copy_in, written)
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Damages a copy of `file` in each of the ways, and opens it. Whatever opens must be whole.
async fn try_each(
    path: &Path,
    suffix: &str,
    written: &[Sealed],
    damage: impl Iterator<Item = impl FnOnce(&mut Vec<u8>)>,
) -> (usize, usize) {
    let (mut found, mut harmless) = (0, 0);
    for damage in damage {
        let (_directory, copy) = place();
        for each in ["", "-wal", ".lock"] {
            if with(path, each).exists() {
                fs::copy(with(path, each), with(&copy, each)).unwrap();
            }
        }
        let mut bytes = fs::read(with(&copy, suffix)).unwrap();
        damage(&mut bytes);
        fs::write(with(&copy, suffix), &bytes).unwrap();
        match Journal::open(&copy, &kiosk()).await {
            Ok(opened) => {
                let read = opened.journal.reader().verify().await;
                if read.is_ok() {
                    assert_eq!(lines(&copy).await, written, "it opened, and is another");
                    harmless += 1;
                } else {
                    found += 1;
                }
            }
            Err(_) => {
                let after = fs::read(with(&copy, suffix)).unwrap();
                assert!(after == bytes, "a damaged file was written to");
                found += 1;
            }
        }
    }
    (found, harmless)
}

fn flips(len: usize, every: usize) -> impl Iterator<Item = impl FnOnce(&mut Vec<u8>)> {
    let bit = |at: usize| at % 8;
    (0..len).step_by(every).map(move |at| move |bytes: &mut Vec<u8>| bytes[at] ^= 1 << bit(at))
}

fn cuts(len: usize, every: usize) -> impl Iterator<Item = impl FnOnce(&mut Vec<u8>)> {
    (0..len).step_by(every).map(|at| move |bytes: &mut Vec<u8>| bytes.truncate(at))
}

#[tokio::test]
async fn a_bit_that_flips_in_the_database_changes_no_record_unseen() {
    let (path, _directory, written) = left_behind(false).await;
    let len = fs::read(&path).unwrap().len();
    // Pages are half empty, and a bit in their free space says nothing.
    let (found, harmless) = try_each(&path, "", &written, flips(len, 131)).await;
    assert!(found > 50, "{found} found, {harmless} harmless");
}

#[tokio::test]
async fn a_database_that_is_cut_short_is_not_opened() {
    let (path, _directory, written) = left_behind(false).await;
    let len = fs::read(&path).unwrap().len();
    let (found, harmless) = try_each(&path, "", &written, cuts(len, 1_024)).await;
    assert_eq!((found, harmless), (len.div_ceil(1_024), 0));
}

#[tokio::test]
async fn a_bit_that_flips_in_the_log_loses_no_record_unseen() {
    let (path, _directory, written) = left_behind(true).await;
    let wal = fs::read(with(&path, "-wal")).unwrap();
    // The last commit is the exception: damaged, it looks as a power cut would leave it.
    let before_the_last = wal.len() - 2 * (24 + 4096);
    let flips = flips(before_the_last, 509);
    let (found, harmless) = try_each(&path, "-wal", &written, flips).await;
    assert!(found > 10 * harmless, "{found} found, {harmless} harmless");
}

#[tokio::test]
async fn a_log_that_was_torn_by_a_power_cut_opens_without_its_last_commit() {
    let (path, _directory, written) = left_behind(true).await;
    let wal = with(&path, "-wal");
    let mut bytes = fs::read(&wal).unwrap();
    bytes.truncate(bytes.len() - 100);
    fs::write(&wal, bytes).unwrap();
    let mut opened = open(&path).await;
    let kept = lines(&path).await;
    assert!(kept.len() < written.len());
    assert_eq!(kept, written[..kept.len()]);
    opened.journal.append(vec![booted()]).await.unwrap();
    opened.journal.reader().verify().await.unwrap();
}

#[tokio::test]
async fn a_record_that_was_edited_with_care_is_found_by_its_hash() {
    let (path, _directory, _) = left_behind(false).await;
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(7).rposition(|window| window == b"cashbox").unwrap();
    bytes[at..at + 7].copy_from_slice(b"CASHBOX");
    fs::write(&path, &bytes).unwrap();
    let opened = Journal::open(&path, &kiosk()).await;
    assert!(matches!(opened, Err(OpenError::Read(ReadError::Seal(_)))), "{opened:?}");
    let audit = open_read_only(&path).await.unwrap().verify().await;
    assert!(matches!(audit, Err(ReadError::Seal(_))));
    assert!(fs::read(&path).unwrap() == bytes, "the evidence was changed");
}

#[tokio::test]
async fn a_damaged_checkpoint_costs_time_and_nothing_else() {
    let (_directory, path) = place();
    let mut journal = filled(&path, 2).await;
    let state = b"the books as they were";
    journal.save_checkpoint(journal.tail().0, state.into()).await.unwrap();
    journal.close().await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(state.len()).rposition(|window| window == state).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();

    let opened = open(&path).await;
    assert_eq!((opened.checkpoint, opened.since.len()), (None, 5));
    let audit = opened.journal.reader().verify().await;
    assert!(matches!(audit, Err(ReadError::Position { what: "checkpoint" })));
}

#[tokio::test]
async fn a_journal_that_is_gone_is_not_begun_anew() {
    for empty in [false, true] {
        let (_directory, path) = place();
        filled(&path, 1).await.close().await.unwrap();
        fs::remove_file(&path).unwrap();
        if empty {
            fs::write(&path, b"").unwrap();
        }
        let opened = Journal::open(&path, &kiosk()).await;
        assert!(matches!(opened, Err(OpenError::Lost)), "{opened:?}");
    }
}

#[tokio::test]
async fn what_is_no_journal_at_all_is_left_alone() {
    for bytes in [b"PDF-1.7 and so on".repeat(400), vec![0; 8_192], vec![0xFF; 100]] {
        let (_directory, path) = place();
        fs::write(&path, &bytes).unwrap();
        let opened = Journal::open(&path, &kiosk()).await;
        assert!(matches!(opened, Err(OpenError::Damaged { .. })), "{opened:?}");
        assert!(fs::read(&path).unwrap() == bytes);
    }
}
