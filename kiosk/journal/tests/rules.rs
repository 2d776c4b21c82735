//! What the journal refuses, whoever asks: our own writer, or a SQLite shell.

#![allow(clippy::unwrap_used, reason = "in tests")]

mod common;

use std::path::Path;

use common::{body, booted, filled, kiosk, lines, open, place, returned, stack_ordered, stacked};
use kiosk_journal::{CommitError, Journal, OpenError, ReadError, open_read_only};
use kiosk_records::{Hash, Record, Sealed, Seq};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};

/// Somebody with a SQLite shell.
async fn shell(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    options.connect().await.unwrap()
}

async fn refusal(path: &Path, sql: &'static str) -> String {
    let refused = sqlx::raw_sql(sql).execute(&mut shell(path).await).await;
    refused.unwrap_err().to_string()
}

fn reason(refused: Result<Vec<Sealed>, CommitError>) -> String {
    match refused {
        Err(CommitError::Refused { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn records_are_neither_changed_nor_deleted() {
    let (_directory, path) = place();
    let journal = filled(&path, 1).await;
    let before = lines(&path).await;
    for (sql, words) in [
        ("UPDATE record SET body = body", "never changed"),
        ("UPDATE record SET closes = NULL WHERE seq = 3", "never changed"),
        ("DELETE FROM record WHERE seq = 3", "never deleted"),
        ("INSERT OR REPLACE INTO record SELECT * FROM record WHERE seq = 3", "chain"),
        ("UPDATE meta SET kiosk = 'K0002'", "never changed"),
        ("DELETE FROM meta", "never deleted"),
        ("DELETE FROM cursor", "never deleted"),
    ] {
        let refused = refusal(&path, sql).await;
        assert!(refused.contains(words), "{sql}: {refused}");
    }
    assert_eq!(lines(&path).await, before);
    journal.reader().verify().await.unwrap();
}

#[tokio::test]
async fn an_intent_has_one_final_outcome() {
    let (_directory, path) = place();
    let mut journal = filled(&path, 1).await;
    let again = reason(journal.append(vec![booted(), returned(Seq(2))]).await);
    assert!(again.starts_with("intent: it has"), "{again}");
    assert_eq!(journal.tail().0, Seq(3), "half a batch was written");

    let both = vec![stack_ordered(), stacked(Seq(4)), returned(Seq(4))];
    assert!(reason(journal.append(both).await).starts_with("intent: it has"));

    for no_intent in [Seq(1), Seq(3), Seq(4), Seq(99)] {
        let refused = reason(journal.append(vec![returned(no_intent)]).await);
        assert!(refused.starts_with("intent: the record"), "{refused}");
    }
    journal.append(vec![stack_ordered()]).await.unwrap();
    journal.append(vec![returned(Seq(4))]).await.unwrap();
    journal.reader().verify().await.unwrap();
}

/// Seals a text as the writer would, and inserts it past the writer.
async fn insert_text(path: &Path, kind: &str, text: String) -> Result<(), sqlx::Error> {
    let (seq, prev_hash) = open_read_only(path).await.unwrap().tail().await.unwrap();
    let sql = "INSERT INTO record (seq, prev_hash, hash, kind, opens, closes, body)
        VALUES (?, ?, zeroblob(32), ?, 0, NULL, ?)";
    sqlx::query(sql)
        .bind(i64::try_from(seq.next().0).unwrap())
        .bind(prev_hash.0.to_vec())
        .bind(kind.to_owned())
        .bind(text)
        .execute(&mut shell(path).await)
        .await?;
    Ok(())
}

fn claim(cents: [i64; 2]) -> String {
    format!(
        r#"{{"record":{{"kind":"claim_issued","posting":[
            {{"account":"customer_credit","cents":{}}},
            {{"account":"claims_payable","cents":{}}}]}}}}"#,
        cents[0], cents[1]
    )
}

#[tokio::test]
async fn a_posting_sums_to_zero() {
    let (_directory, path) = place();
    let journal = filled(&path, 1).await;
    for off in [[2_000, -1_999], [1, 0], [i64::MAX, i64::MAX]] {
        let refused = insert_text(&path, "claim_issued", claim(off)).await;
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("sum to zero") || refused.contains("integer overflow"),
            "{off:?}: {refused}"
        );
    }
    drop(journal);
    insert_text(&path, "claim_issued", claim([5, -5])).await.unwrap();
}

#[tokio::test]
async fn the_columns_say_what_the_body_says() {
    let (_directory, path) = place();
    let _journal = filled(&path, 1).await;
    let lying = insert_text(&path, "receipt_printed", claim([5, -5])).await;
    assert!(lying.unwrap_err().to_string().contains("CHECK"));
    let no_json = insert_text(&path, "receipt_printed", "{".into()).await;
    assert!(no_json.unwrap_err().to_string().contains("malformed JSON"));
}

#[tokio::test]
async fn the_auditor_reads_postings_in_plain_sql() {
    let (_directory, path) = place();
    let _journal = filled(&path, 2).await;
    let sql = "SELECT account, sum(cents) FROM posting_line GROUP BY account ORDER BY account";
    let sums: Vec<(String, i64)> =
        sqlx::query_as(sql).fetch_all(&mut shell(&path).await).await.unwrap();
    assert_eq!(sums, [("cashbox".into(), 4_000), ("customer_credit".into(), -4_000)]);
}

#[tokio::test]
async fn a_line_that_someone_else_wrote_stops_the_writer_for_good() {
    let (_directory, path) = place();
    let mut journal = filled(&path, 1).await;
    insert_text(&path, "claim_issued", claim([5, -5])).await.unwrap();
    let forked = journal.append(vec![booted()]).await;
    assert!(matches!(forked, Err(CommitError::BrokenChain { seq: Seq(4) })));
    let after = journal.append(vec![booted()]).await;
    assert!(matches!(after, Err(CommitError::Failed)));
    drop(journal);
    let forged = Journal::open(&path, &kiosk()).await;
    assert!(matches!(forged, Err(OpenError::Read(ReadError::Seal(_)))));
}

#[tokio::test]
async fn a_line_that_does_not_chain_is_refused() {
    let (_directory, path) = place();
    let journal = filled(&path, 1).await;
    let stray = Sealed::seal(Seq(9), Hash::GENESIS, &body(Record::ReceiptPrinted));
    let sql = "INSERT INTO record VALUES (?, ?, ?, 'receipt_printed', 0, NULL, ?)";
    for (seq, words) in [(9, "next sequence number"), (4, "hash of the record before")] {
        let refused = sqlx::query(sql)
            .bind(seq)
            .bind(stray.prev_hash.0.to_vec())
            .bind(stray.hash.0.to_vec())
            .bind(stray.body.clone())
            .execute(&mut shell(&path).await)
            .await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    journal.reader().verify().await.unwrap();
}

#[tokio::test]
async fn the_cursor_moves_forward_and_not_beyond_the_tail() {
    let (_directory, path) = place();
    let mut journal = filled(&path, 2).await;
    journal.set_synced(Seq(3)).await.unwrap();
    for wrong in [Seq(2), Seq(6), Seq(u64::MAX)] {
        let refused = journal.set_synced(wrong).await;
        assert!(matches!(refused, Err(CommitError::Refused { .. })), "{wrong}");
    }
    journal.set_synced(Seq(3)).await.unwrap();
    journal.set_synced(Seq(5)).await.unwrap();
    assert_eq!(journal.reader().synced().await.unwrap(), Seq(5));
}

#[tokio::test]
async fn a_checkpoint_stands_after_a_record_that_exists() {
    let (_directory, path) = place();
    let mut journal = filled(&path, 1).await;
    for nowhere in [Seq(0), Seq(4)] {
        let refused = journal.save_checkpoint(nowhere, b"books".into()).await;
        assert!(matches!(refused, Err(CommitError::Refused { .. })));
    }
    assert_eq!(journal.reader().checkpoint().await.unwrap(), None);
}

#[tokio::test]
async fn one_writer_at_a_time() {
    let (_directory, path) = place();
    let first = open(&path).await.journal;
    let second = Journal::open(&path, &kiosk()).await;
    assert!(matches!(second, Err(OpenError::InUse)));
    first.close().await.unwrap();
    open(&path).await;
}

#[tokio::test]
async fn another_kiosks_journal_is_not_opened() {
    let (_directory, path) = place();
    filled(&path, 1).await.close().await.unwrap();
    let other = Journal::open(&path, &"K0002".parse().unwrap()).await;
    assert!(matches!(other, Err(OpenError::OtherKiosk { found }) if found == "K0001"));
}

#[tokio::test]
async fn a_later_layout_is_not_opened() {
    let (_directory, path) = place();
    filled(&path, 1).await.close().await.unwrap();
    let later = "DROP TRIGGER meta_is_final; UPDATE meta SET schema = 2";
    sqlx::raw_sql(later).execute(&mut shell(&path).await).await.unwrap();
    let opened = Journal::open(&path, &kiosk()).await;
    assert!(matches!(opened, Err(OpenError::Layout { found: 2, known: 1 })));
}
