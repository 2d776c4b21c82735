use axum::http::StatusCode;
use central_api::{Difference, ProblemKind};
use domain::{Amount, Lang};
use kiosk_records::{Account, Disposition, Evidence, Record, Seq};
use sqlx::Row;

use crate::kiosk::{Journal, assert_refused, assert_taken, send};
use crate::rig::Town;

#[tokio::test]
async fn after_a_visit_the_books_of_kiosk_and_central_agree() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.write(Record::SessionStarted {
        card_ref: town.card_ref("ana"),
        offline: false,
        lang: Lang::Ca,
    });
    journal.stack_twenty();
    let amount = Amount::euro(20);
    let intent = journal.order_top_up(&town, "ana", amount);
    let answer = town.top_up(&format!("K0001-{intent}"), "ana", amount).await;
    assert_taken(&town, &journal.lines, intent.0).await;

    let under_way = town.books("K0001").await;
    assert_eq!(under_way.in_transit, amount);
    assert_eq!(under_way.differences, []);

    journal.accepted(intent, answer.body["ledger_ref"].as_str().unwrap(), amount);
    assert_taken(&town, &journal.lines[5..], intent.0 + 1).await;
    let books = town.books("K0001").await;
    assert_eq!(books.last_seq, intent.next());
    assert_eq!(books.in_transit, Amount::ZERO);
    assert_eq!(books.wallet_credits, amount);
    assert_eq!(books.differences, []);
    let accounts: Vec<_> = books.accounts.into_iter().collect();
    let expected =
        [(Account::Cashbox, 2_000), (Account::CustomerCredit, 0), (Account::WalletPayable, -2_000)];
    assert_eq!(accounts, expected);
    assert_eq!(town.metric("central_incidents_total{kind=\"top_up_mismatch\"}").await, "0");
    town.assert_sound().await;
}

#[tokio::test]
async fn a_refused_top_up_is_a_claim_in_both_books() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.stack_twenty();
    let amount = Amount::euro(20);
    let intent = journal.order_top_up(&town, "lucia", amount);
    town.top_up(&format!("K0001-{intent}"), "lucia", amount).await;
    journal.refused(intent, amount);
    assert_taken(&town, &journal.lines, 5).await;
    let books = town.books("K0001").await;
    assert_eq!(books.claims, amount);
    assert_eq!(books.accounts[&Account::ClaimsPayable], -2_000);
    assert_eq!(books.differences, []);
}

#[tokio::test]
async fn lines_sent_again_are_counted_once() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.stack_twenty();
    journal.stack_twenty();
    assert_taken(&town, &[], 0).await;
    assert_taken(&town, &journal.lines[..3], 3).await;
    assert_taken(&town, &journal.lines[..3], 3).await;
    assert_taken(&town, &journal.lines[1..2], 3).await;
    assert_taken(&town, &journal.lines, 5).await;
    let books = town.books("K0001").await;
    assert_eq!(books.accounts[&Account::Cashbox], 4_000);
    assert_eq!(books.differences, []);
}

#[tokio::test]
async fn a_gap_is_told_with_the_place_to_go_on_from() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.stack_twenty();
    assert_taken(&town, &journal.lines[..1], 1).await;
    let answer = assert_refused(&town, &journal.lines[2..], ProblemKind::JournalGap).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.body["acked"], 1);
    assert_taken(&town, &journal.lines[1..], 3).await;
}

#[tokio::test]
async fn a_journal_that_contradicts_itself_overwrites_nothing() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.stack_twenty();
    assert_taken(&town, &journal.lines, 3).await;

    // Another past, from the second line on.
    let mut other = Journal::new();
    other.write(Record::CashUnitInserted);
    other.stack_twenty();
    let diverged = ProblemKind::JournalDiverged;
    let answer = assert_refused(&town, &other.lines, diverged).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    // The same, where only the join shows it.
    assert_refused(&town, &other.lines[3..], diverged).await;
    let counted = "central_incidents_total{kind=\"journal_diverged\"}";
    assert_eq!(town.metric(counted).await, "2");

    // The kiosk's true journal still goes on.
    journal.stack_twenty();
    assert_taken(&town, &journal.lines, 5).await;
    town.assert_sound().await;
}

#[tokio::test]
async fn a_line_changed_on_the_way_is_noticed() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.stack_twenty();
    assert_taken(&town, &journal.lines[..1], 1).await;
    let mut changed = journal.lines.clone();
    changed[1].body = changed[1].body.replace("2000", "1000");
    assert_refused(&town, &changed, ProblemKind::JournalInvalid).await;
    let mut swapped = journal.lines.clone();
    swapped.swap(1, 2);
    assert_refused(&town, &swapped, ProblemKind::JournalInvalid).await;
    assert_taken(&town, &journal.lines, 3).await;
}

#[tokio::test]
async fn an_intent_has_one_final_outcome() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.stack_twenty();
    assert_taken(&town, &journal.lines, 3).await;
    journal.write(Record::NoteReturned { intent: Seq(2), evidence: Evidence::Attendant });
    assert_refused(&town, &journal.lines, ProblemKind::JournalInvalid).await;

    // Nor may an outcome close what was never ordered, or something of another kind.
    for intent in [Seq(1), Seq(2), Seq(3), Seq(99)] {
        let mut journal = Journal { lines: journal.lines[..3].to_vec() };
        journal.refused(intent, Amount::euro(20));
        assert_refused(&town, &journal.lines, ProblemKind::JournalInvalid).await;
    }
}

#[tokio::test]
async fn a_posting_that_does_not_balance_is_refused() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.stack_twenty();
    assert_taken(&town, &journal.lines[..2], 2).await;
    let text = journal.lines.pop().unwrap().body;
    for (from, to) in [
        ("\"cents\":2000", "\"cents\":2001"),
        ("\"cents\":2000", "\"cents\":9223372036854775807"),
        ("\"cents\":-2000", "\"cents\":-9223372036854775808"),
        ("\"kind\":\"stacked\"", "\"kind\":\"invented\""),
        ("\"schema\":1", "\"schema\":2"),
    ] {
        assert!(text.contains(from), "{text}");
        let mut changed = Journal { lines: journal.lines.clone() };
        changed.write_text(&text.replace(from, to));
        assert_refused(&town, &changed.lines, ProblemKind::JournalInvalid).await;
    }
    // Balanced, but no sum of money.
    let mut huge = Journal { lines: journal.lines.clone() };
    let max = i64::MAX.to_string();
    huge.write_text(&text.replace("2000", &max));
    assert_refused(&town, &huge.lines, ProblemKind::JournalInvalid).await;
}

#[tokio::test]
async fn a_visit_that_does_not_account_for_all_it_was_given_is_refused() {
    let town = Town::new().await;
    let ended = |given_back, tendered| Record::SessionEnded {
        disposition: Disposition::Completed,
        tendered,
        credited: Amount::euro(10),
        queued: Amount::euro(5),
        claimed: Amount::euro(3),
        given_back,
    };
    for tendered in [Amount::euro(19), Amount::euro(21), Amount::MAX] {
        let mut journal = Journal::new();
        journal.write(ended(Amount::euro(2), tendered));
        assert_taken(&town, &journal.lines[..1], 1).await;
        assert_refused(&town, &journal.lines, ProblemKind::JournalInvalid).await;
    }
    let mut journal = Journal::new();
    journal.write(ended(Amount::MAX, Amount::euro(18)));
    assert_refused(&town, &journal.lines, ProblemKind::JournalInvalid).await;
    let mut journal = Journal::new();
    journal.write(ended(Amount::euro(2), Amount::euro(20)));
    assert_taken(&town, &journal.lines, 2).await;
}

#[tokio::test]
async fn an_acceptance_central_knows_nothing_of_is_kept_and_shows() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.stack_twenty();
    let amount = Amount::euro(20);
    let invented = journal.order_top_up(&town, "ana", amount);
    journal.accepted(invented, "TU-K0001-4", amount);
    assert_taken(&town, &journal.lines, 5).await;
    let books = town.books("K0001").await;
    let differences = [
        Difference::TopUp {
            intent: "K0001-4".parse().unwrap(),
            journal_cents: 2_000,
            central_cents: 0,
        },
        Difference::WalletCredits { journal_cents: 2_000, central_cents: 0 },
    ];
    assert_eq!(books.differences, differences);
    let query = "SELECT subject FROM incidents WHERE kind = 'top_up_mismatch'";
    let row = sqlx::query(query).fetch_one(&mut town.sql().await).await.unwrap();
    assert_eq!(row.get::<&str, _>("subject"), "K0001-4");
}

#[tokio::test]
async fn another_amount_or_another_transfer_than_centrals_shows() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let amount = Amount::euro(20);
    let [first, second] = [0, 1].map(|_| journal.order_top_up(&town, "ana", amount));
    for intent in [first, second] {
        town.top_up(&format!("K0001-{intent}"), "ana", amount).await;
    }
    journal.accepted(first, "TU-K0001-2", Amount::euro(10));
    journal.accepted(second, "TU-K0001-999", amount);
    assert_taken(&town, &journal.lines, 5).await;
    let mismatches = town.metric("central_incidents_total{kind=\"top_up_mismatch\"}").await;
    assert_eq!(mismatches, "2");
    let other = town.metric("central_incidents_total{kind=\"outcome_mismatch\"}").await;
    assert_eq!(other, "1");
    let books = town.books("K0001").await;
    assert!(books.differences.contains(&Difference::TopUp {
        intent: "K0001-2".parse().unwrap(),
        journal_cents: 1_000,
        central_cents: 2_000,
    }));
}

#[tokio::test]
async fn a_batch_too_long_is_refused() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    for _ in 0..500 {
        journal.write(Record::ReceiptPrinted);
    }
    let answer = send(&town, &journal.lines).await;
    assert_eq!(answer.problem(), Some(ProblemKind::Unprocessable));
    assert_taken(&town, &journal.lines[..500], 500).await;
}
