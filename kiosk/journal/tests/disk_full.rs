//! The disk is full: the end of the visit still fits, and then it is said plainly. On a tmpfs of
//! its own, in a mount namespace of its own; SKIPPED where the kernel allows no such thing.

#![allow(clippy::unwrap_used, reason = "in tests")]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{booted, open, stack_ordered, stacked};
use kiosk_journal::{CommitError, RESERVE_BYTES};

const DIRECTORY: &str = "FULL_DISK_OF_THE_CHILD";

#[test]
fn the_reserve_carries_the_visit_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-ec", script, "sh"])
            .arg(directory.path())
            .arg(std::env::current_exe().unwrap())
            .env(DIRECTORY, directory.path());
        command
    };
    let mount = "mount -t tmpfs -o size=24m tmpfs \"$1\"";
    let possible = namespace(mount).output().is_ok_and(|tried| tried.status.success());
    if !possible {
        // Past the test harness, which would hide it.
        let word = b"SKIPPED the_reserve_carries_the_visit_to_its_end: no mount namespace here\n";
        std::io::stderr().write_all(word).unwrap();
        return;
    }
    let child = format!("{mount}; exec \"$2\" --exact the_child --ignored --nocapture");
    let done = namespace(&child).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "is what the test above runs on the small disk"]
async fn the_child() {
    let directory = PathBuf::from(std::env::var_os(DIRECTORY).expect("the test above says where"));
    let path = directory.join("journal.db");
    let mut journal = open(&path).await.journal;
    journal.append(vec![booted()]).await.unwrap();
    assert!(!journal.is_disk_low());

    // Someone's log files eat the disk.
    fill(&directory.join("others.log"));
    let mut notes = 0;
    let refused = loop {
        let order = journal.tail().0.next();
        match journal.append(vec![stack_ordered(), stacked(order)]).await {
            Ok(_) => notes += 1,
            Err(error) => break error,
        }
    };
    assert!(notes > 100, "only {notes} notes found room after the disk was full");
    assert!(journal.is_disk_low());
    let CommitError::DiskFull { free_bytes } = refused else {
        panic!("{refused:?}");
    };
    assert!(free_bytes < RESERVE_BYTES);
    let tail = journal.tail();
    assert_eq!(tail.0.0, 1 + 2 * notes);
    journal.reader().verify().await.unwrap();

    // A technician makes room: the same writer goes on, and keeps a reserve again.
    fs::remove_file(directory.join("others.log")).unwrap();
    journal.append(vec![booted()]).await.unwrap();
    journal.idle().await.unwrap();
    assert!(!journal.is_disk_low());
    assert_eq!(journal.tail().0, tail.0.next());
    journal.reader().verify().await.unwrap();
}

/// Writes until nothing more fits.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    for chunk in [65_536, 4_096, 1] {
        let zeros = vec![0; chunk];
        while file.write_all(&zeros).is_ok() {}
    }
}
