//! What is appended reads back, now and after a restart.

mod common;

use common::{booted, kiosk, lines, open, place, returned, stack_ordered, stacked};
use domain::{Amount, Wall};
use driver_api::FaultKind;
use kiosk_journal::{BATCH_MAX, CommitError, Journal, OpenError, open_read_only};
use kiosk_records::{Body, ClockTrust, Hash, Record, Seq};
use proptest::prelude::*;

#[tokio::test]
async fn a_new_journal_is_empty_and_the_next_start_is_the_second() {
    let (_directory, path) = place();
    let mut opened = open(&path).await;
    assert_eq!((opened.boot, opened.synced), (1, Seq(0)));
    assert_eq!(opened.journal.tail(), (Seq(0), Hash::GENESIS));
    assert!(opened.checkpoint.is_none() && opened.since.is_empty());
    opened.journal.append(vec![booted()]).await.unwrap();
    opened.journal.close().await.unwrap();

    let opened = open(&path).await;
    assert_eq!(opened.boot, 2);
    assert_eq!(opened.since, [(Seq(1), booted())]);
}

#[tokio::test]
async fn a_start_reads_only_what_came_after_the_checkpoint() {
    let (_directory, path) = place();
    let mut journal = common::filled(&path, 3).await;
    journal.save_checkpoint(Seq(4), b"four".into()).await.unwrap();
    journal.save_checkpoint(Seq(5), b"five".into()).await.unwrap();
    journal.set_synced(Seq(3)).await.unwrap();
    let tail = journal.tail();
    journal.close().await.unwrap();

    let opened = open(&path).await;
    assert_eq!(opened.checkpoint, Some((Seq(5), b"five".into())));
    assert_eq!(opened.since, [(Seq(6), stack_ordered()), (Seq(7), stacked(Seq(6)))]);
    assert_eq!(opened.synced, Seq(3));
    assert_eq!(opened.journal.tail(), tail);
}

#[tokio::test]
async fn a_checkpoint_at_the_very_end_leaves_nothing_to_read() {
    let (_directory, path) = place();
    let mut journal = common::filled(&path, 1).await;
    journal.save_checkpoint(Seq(3), vec![]).await.unwrap();
    let tail = journal.tail();
    journal.close().await.unwrap();

    let mut opened = open(&path).await;
    assert_eq!((opened.since.len(), opened.boot), (0, 2));
    assert_eq!(opened.journal.tail(), tail);
    opened.journal.append(vec![booted()]).await.unwrap();
    opened.journal.reader().verify().await.unwrap();
}

#[tokio::test]
async fn readers_see_what_is_committed_while_the_writer_works() {
    let (_directory, path) = place();
    let mut journal = open(&path).await.journal;
    let reader = open_read_only(&path).await.unwrap();
    for n in 1..=3 {
        let sealed = journal.append(vec![booted()]).await.unwrap();
        assert_eq!(reader.from(Seq(n), 10).await.unwrap(), sealed);
        assert_eq!(reader.tail().await.unwrap(), journal.tail());
        journal.idle().await.unwrap();
    }
    assert_eq!(reader.from(Seq(4), 10).await.unwrap(), []);
    assert_eq!(reader.from(Seq(9), 10).await.unwrap(), []);
    journal.set_synced(Seq(2)).await.unwrap();
    assert_eq!(reader.synced().await.unwrap(), Seq(2));
    assert_eq!(reader.kiosk().await.unwrap(), "K0001");
}

#[tokio::test]
async fn the_audit_names_the_intents_that_are_open() {
    let (_directory, path) = place();
    let mut journal = common::filled(&path, 1).await;
    journal.append(vec![stack_ordered(), stack_ordered()]).await.unwrap();
    journal.append(vec![returned(Seq(5))]).await.unwrap();
    journal.save_checkpoint(Seq(3), b"books".into()).await.unwrap();

    let audit = journal.reader().verify().await.unwrap();
    assert_eq!((audit.tail, audit.hash), journal.tail());
    assert_eq!(audit.open_intents, [Seq(4)].into());
    assert_eq!(audit.checkpoint, Some(Seq(3)));
    let state = journal.reader().checkpoint().await.unwrap();
    assert_eq!(state, Some((Seq(3), b"books".into())));
}

#[tokio::test]
async fn an_empty_batch_writes_nothing_and_a_huge_one_is_refused() {
    let (_directory, path) = place();
    let mut journal = open(&path).await.journal;
    assert_eq!(journal.append(vec![]).await.unwrap(), []);
    let huge = vec![booted(); BATCH_MAX + 1];
    let refused = journal.append(huge).await;
    assert!(matches!(refused, Err(CommitError::BatchTooLong { records: 65 })));
    let most = journal.append(vec![booted(); BATCH_MAX]).await.unwrap();
    assert_eq!(most.last().map(|line| line.seq), Some(Seq(64)));
}

#[tokio::test]
async fn nothing_to_read_where_there_is_no_journal() {
    let (_directory, path) = place();
    assert!(matches!(open_read_only(&path).await, Err(OpenError::Missing)));
    assert!(!path.exists(), "reading created a journal");
}

fn some_record() -> impl Strategy<Value = Record> {
    prop_oneof![
        ".*".prop_map(|version| Record::Booted { version }),
        (".{0,40}", any::<u32>()).prop_map(|(device, vendor)| Record::FaultRaised {
            device,
            fault: FaultKind::Jam,
            vendor,
        }),
        any::<i64>().prop_map(|by_ms| Record::ClockStepped { by_ms }),
        any::<u16>().prop_map(|euro| Record::StackOrdered {
            note: Amount::euro(euro),
            stacked_total: None,
        }),
        Just(Record::ReceiptPrinted),
    ]
}

prop_compose! {
    fn some_body()(
        record in some_record(), boot: u32, mono_ms: u64, wall_ms in -1i64 << 40..1i64 << 41,
        session in proptest::option::of(any::<u64>().prop_map(Seq)),
    ) -> Body {
        Body {
            schema: Body::SCHEMA,
            boot,
            mono_ms,
            wall_ms,
            clock_trust: ClockTrust::Synchronised,
            business_date: Wall { utc_ms: wall_ms, offset_min: 60 }.business_date(),
            session,
            record,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_appended_reads_back(
        batches in prop::collection::vec(prop::collection::vec(some_body(), 0..5), 1..8),
        restart_after in 0usize..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_directory, path) = place();
            let mut journal = open(&path).await.journal;
            let mut sealed = Vec::new();
            for (n, batch) in batches.iter().enumerate() {
                if n == restart_after {
                    journal.close().await.unwrap();
                    journal = open(&path).await.journal;
                }
                sealed.extend(journal.append(batch.clone()).await.unwrap());
            }
            assert_eq!(lines(&path).await, sealed);
            journal.reader().verify().await.unwrap();
            journal.close().await.unwrap();

            let since = Journal::open(&path, &kiosk()).await.unwrap().since;
            let written = batches.concat();
            let seqs = (1..=u64::try_from(written.len()).unwrap()).map(Seq);
            assert_eq!(since, seqs.zip(written).collect::<Vec<_>>());
        });
    }
}
