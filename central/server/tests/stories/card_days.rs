//! The terminal's end of day: what a treasurer finds in the morning.

use domain::Amount;
use kiosk_records::{Account, Record};
use sqlx::Executor;

use crate::kiosk::{Journal, assert_taken};
use crate::rig::Town;

const TWENTY: Amount = Amount::euro(20);

/// All of it; as many lines as there are.
async fn send_all(town: &Town, journal: &Journal) {
    assert_taken(town, &journal.lines, journal.lines.len().try_into().unwrap()).await;
}

#[tokio::test]
async fn a_day_with_a_reversal_that_everybody_counts_alike_is_settled() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.recharge(&town, "ana", TWENTY).await;
    let vain = journal.pay_in_vain(&town, Amount::euro(30)).await;
    let reversal = journal.order_reversal(vain);
    journal.reversed(reversal, Amount::euro(30));
    journal.recharge(&town, "omar", Amount::euro(50)).await;
    send_all(&town, &journal).await;
    assert_eq!(town.books("K0001").await.card.open_cents, 7_000);

    let close = journal.close_day(7_000, Some(4), 7_000);
    send_all(&town, &journal).await;
    let books = town.books("K0001").await;
    assert_eq!(books.differences, []);
    assert_eq!((books.card.open_cents, books.card.settled_cents), (0, 7_000));
    assert_eq!(books.accounts[&Account::CardTerminal], 0);
    assert_eq!(books.accounts[&Account::CardSettled], 7_000);
    let [day] = &books.card.days[..] else { panic!("{:?}", books.card.days) };
    assert_eq!((day.seq, day.agrees), (close, true));
    assert_eq!((day.terminal, day.terminal_count), (Amount::euro(70), Some(4)));
    assert_eq!((day.counted_cents, day.payments, day.reversals), (7_000, 3, 1));
    assert_eq!(town.incidents("card_day_mismatch").await, 0);

    // The next day counts from there.
    journal.recharge(&town, "omar", TWENTY).await;
    journal.close_day(2_000, None, 2_000);
    send_all(&town, &journal).await;
    let books = town.books("K0001").await;
    assert_eq!((books.card.open_cents, books.card.settled_cents), (0, 9_000));
    assert_eq!(books.card.days.len(), 2);
    assert!(books.card.days[0].agrees);
    assert_eq!(books.differences, []);
    town.assert_sound().await;
}

#[tokio::test]
async fn a_difference_names_the_operations_the_doubtful_first() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let good = journal.recharge(&town, "ana", TWENTY).await;
    let plain = journal.order_payment(Amount::euro(15));
    journal.declined(plain);
    // The terminal has charged this one, and told the kiosk that it had not.
    let doubted = journal.order_payment(Amount::euro(10));
    journal.write(Record::PaymentInDoubt { intent: doubted });
    journal.claim(doubted, Amount::euro(10));
    journal.declined(doubted);
    let late = journal.order_payment(Amount::euro(30));
    journal.approved(late, Amount::euro(30), Account::TopUpsQueued);
    let close = journal.close_day(6_000, Some(3), 5_000);
    send_all(&town, &journal).await;
    let (subject, detail) = town.incident("card_day_mismatch").await;
    assert_eq!(subject, format!("K0001-{close}"));
    let expected = format!(
        "the terminal says 6000 cents in 3; the journal has 5000 in 2 payments and 0 reversals, \
         5000 posted; operations: K0001-{doubted} payment 1000 declined, in doubt, claimed; \
         K0001-{late} payment 3000 approved, late; K0001-{good} payment 2000 approved; \
         K0001-{plain} payment 1500 declined"
    );
    assert_eq!(detail, expected);
    let books = town.books("K0001").await;
    assert!(!books.card.days[0].agrees);
    // Both books settle what they know of; the late payment's top-up is still to come.
    assert_eq!(books.differences, []);
    assert_eq!((books.card.open_cents, books.card.settled_cents), (-3_000, 5_000));
    assert_eq!(books.card.undelivered_cents, 3_000);
    town.assert_sound().await;

    // It has no part in the next day.
    journal.close_day(0, Some(0), 0);
    send_all(&town, &journal).await;
    assert!(town.books("K0001").await.card.days[0].agrees);
    assert_eq!(town.incidents("card_day_mismatch").await, 1);
}

#[tokio::test]
async fn a_close_whose_answer_was_lost_is_told_with_the_difference_it_makes() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.recharge(&town, "ana", TWENTY).await;
    journal.write(Record::CardDayNotClosed { vendor: Some(0x6c) });
    journal.write(Record::CardDayNotClosed { vendor: None });
    send_all(&town, &journal).await;
    assert_eq!(town.books("K0001").await.card.not_closed, 2);

    journal.close_day(0, Some(0), 2_000);
    send_all(&town, &journal).await;
    let (_, detail) = town.incident("card_day_mismatch").await;
    assert!(detail.contains("tried 2 times before"), "{detail}");
    assert_eq!(town.books("K0001").await.card.not_closed, 0);
}

#[tokio::test]
async fn a_count_or_a_posting_that_does_not_fit_is_a_difference_too() {
    for (total, count, posted) in [
        (2_000, Some(2), 2_000),
        (2_000, Some(1), 1_000),
        (2_000, None, 0),
        (2_000, None, -2_000),
        (1_999, Some(1), 2_000),
    ] {
        let town = Town::new().await;
        let mut journal = Journal::new();
        journal.recharge(&town, "ana", TWENTY).await;
        journal.close_day(total, count, posted);
        send_all(&town, &journal).await;
        let books = town.books("K0001").await;
        assert!(!books.card.days[0].agrees, "{total} {count:?} {posted}");
        assert_eq!(books.differences.is_empty(), posted == 2_000);
        assert_eq!(town.incidents("card_day_mismatch").await, 1);
        town.assert_sound().await;
    }
}

#[tokio::test]
async fn a_day_on_which_more_went_back_than_came_in_is_settled_the_other_way() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let payment = journal.pay_in_vain(&town, TWENTY).await;
    journal.close_day(2_000, Some(1), 2_000);
    let reversal = journal.order_reversal(payment);
    journal.reversed(reversal, TWENTY);
    send_all(&town, &journal).await;
    assert_eq!(town.books("K0001").await.card.open_cents, -2_000);
    // The terminal has no figure below nothing.
    journal.close_day(0, Some(1), -2_000);
    send_all(&town, &journal).await;
    let books = town.books("K0001").await;
    assert_eq!((books.card.open_cents, books.card.settled_cents), (0, 0));
    assert!(books.card.days.iter().all(|day| day.agrees));
    assert_eq!(books.differences, []);
    assert_eq!(town.incidents("card_day_mismatch").await, 0);
    town.assert_sound().await;
}

#[tokio::test]
async fn a_busy_day_is_told_in_few_words() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    for _ in 0..40 {
        journal.pay(TWENTY);
    }
    journal.close_day(0, None, 80_000);
    send_all(&town, &journal).await;
    let (_, detail) = town.incident("card_day_mismatch").await;
    assert_eq!(detail.matches(" approved").count(), 30);
    assert!(detail.ends_with("; and more"), "{detail}");
}

#[tokio::test]
async fn the_audit_finds_bank_card_money_moved_behind_centrals_back() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.recharge(&town, "ana", TWENTY).await;
    journal.pay_in_vain(&town, TWENTY).await;
    let close = journal.close_day(4_000, Some(2), 4_000);
    send_all(&town, &journal).await;
    town.assert_sound().await;
    let mut sql = town.sql().await;
    for forbidden in [
        "UPDATE card_days SET agrees = 1",
        "DELETE FROM card_days",
        "UPDATE journal_intents SET outcome = 'declined' WHERE kind = 'payment_ordered'",
        "INSERT INTO transfers VALUES ('vallserena', 'x', 'card_settled:K0001',
                                       'card_terminal:K0001', 1, 'transfer', 0, 0)",
    ] {
        assert!(sql.execute(forbidden).await.is_err(), "{forbidden}");
    }
    for (id, debit, credit, kind, fault) in [
        (
            "RV-K0001-6",
            "claims:K0001",
            "card_terminal:K0001",
            "reversal",
            "a bank card got back what no journal gave back, or no office owed: RV-K0001-6",
        ),
        (
            "CD-K0001-9999",
            "card_settled:K0001",
            "card_terminal:K0001",
            "settlement",
            "takings by bank card were settled without an end of day: CD-K0001-9999",
        ),
        (
            "TU-K0001-9999",
            "card_terminal:K0001",
            "wallet:ana",
            "card_top_up",
            "a kiosk's takings were booked without a top-up: TU-K0001-9999",
        ),
        (
            "x",
            "card_terminal:K0001",
            "services",
            "purchase",
            "an account of bank cards was moved by something else: x",
        ),
    ] {
        let insert = "INSERT INTO transfers VALUES ('vallserena', $1, $2, $3, 2000, $4, 0, 0)";
        let insert = sqlx::query(insert).bind(id).bind(debit).bind(credit).bind(kind);
        insert.execute(&mut sql).await.unwrap();
        let faults = town.faults().await;
        assert!(faults.iter().any(|found| found == fault), "{fault}: not in {faults:?}");
    }
    sql.execute("DROP TRIGGER card_days_no_delete").await.unwrap();
    sql.execute("DELETE FROM card_days").await.unwrap();
    let faults = town.faults().await;
    let lost = "a terminal's end of day is in a journal and not in the books";
    assert!(faults.contains(&format!("{lost}: K0001-{close}")), "{faults:?}");
}

#[tokio::test]
async fn the_audit_finds_an_end_of_day_that_settled_another_sum() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.recharge(&town, "ana", TWENTY).await;
    let close = journal.close_day(2_000, Some(1), 2_000);
    send_all(&town, &journal).await;
    let mut sql = town.sql().await;
    sql.execute("DROP TRIGGER transfers_no_update").await.unwrap();
    sql.execute("UPDATE transfers SET cents = 1000 WHERE kind = 'settlement'").await.unwrap();
    let faults = town.faults().await;
    let fault = format!("an end of day did not settle what the journal has of it: K0001-{close}");
    assert!(faults.contains(&fault), "{faults:?}");
}
