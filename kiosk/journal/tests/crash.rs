//! The process dies in the middle of its work. What it was told is on disk, is on disk.

#![allow(clippy::unwrap_used, reason = "in tests")]

mod common;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use common::{booted, lines, open, place, stack_ordered, stacked};
use kiosk_records::Seq;

const PATH: &str = "JOURNAL_OF_THE_CHILD";

#[tokio::test]
async fn killed_at_any_moment_the_journal_holds_all_it_promised() {
    let (_directory, path) = place();
    let mut promised = Seq(0);
    for start in 1..=8 {
        let mut child = child(&path);
        let told = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = told
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("committed ")?.parse().ok())
            .map(Seq);
        promised = told.take(7 * start).last().expect("the child commits");
        // SIGKILL, while the child goes on appending.
        child.kill().unwrap();
        child.wait().unwrap();

        let opened = open(&path).await;
        let tail = opened.journal.tail();
        assert!(tail.0 >= promised, "{promised} was promised, {} is there", tail.0);
        let audit = opened.journal.reader().verify().await.unwrap();
        assert_eq!((audit.tail, audit.hash), tail);
    }
    let written = lines(&path).await;
    assert!(written.len() >= usize::try_from(promised.0).unwrap());
    // A batch is all or nothing: after an order, its outcome, unless the order stands last.
    for pair in written.windows(2) {
        let ordered = pair[0].body.contains("stack_ordered");
        assert_eq!(ordered, pair[1].body.contains("\"stacked\""), "{pair:?}");
    }
}

#[tokio::test]
async fn the_lock_goes_with_the_process() {
    let (_directory, path) = place();
    let mut child = child(&path);
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    told.find(|line| line.as_ref().unwrap().starts_with("committed")).unwrap().unwrap();
    let second = kiosk_journal::Journal::open(&path, &common::kiosk()).await;
    assert!(matches!(second, Err(kiosk_journal::OpenError::InUse)));
    child.kill().unwrap();
    child.wait().unwrap();
    open(&path).await;
}

fn child(path: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_child", "--nocapture", "--ignored"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
#[ignore = "is the process that the tests above kill"]
async fn the_child() {
    let path = PathBuf::from(std::env::var_os(PATH).expect("the tests above say where"));
    let mut journal = open(&path).await.journal;
    journal.append(vec![booted()]).await.unwrap();
    loop {
        let order = journal.tail().0.next();
        let note = vec![stack_ordered(), stacked(order)];
        journal.append(note).await.unwrap();
        println!("committed {}", journal.tail().0);
        if order.0 % 16 == 0 {
            journal.idle().await.unwrap();
        }
    }
}
