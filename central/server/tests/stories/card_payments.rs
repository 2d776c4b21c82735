//! What bank cards pay at a kiosk: onto a wallet, or back to the card, or to be looked at.

use central_api::{Difference, Doubt, Doubted, ProblemKind};
use domain::Amount;
use kiosk_records::{Account, DoubtReason, Record, Seq};
use serde_json::json;

use crate::kiosk::{Journal, assert_refused, assert_taken, send};
use crate::rig::Town;

const TWENTY: Amount = Amount::euro(20);

#[tokio::test]
async fn a_recharge_by_bank_card_is_in_both_books() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    journal.recharge(&town, "ana", TWENTY).await;
    assert_taken(&town, &journal.lines, 5).await;
    let books = town.books("K0001").await;
    assert_eq!(books.differences, []);
    assert_eq!(books.accounts[&Account::CardTerminal], 2_000);
    assert_eq!(books.wallet_credits, TWENTY);
    assert_eq!(books.card.credited, TWENTY);
    assert_eq!(books.card.open_cents, 2_000);
    assert_eq!(books.card.undelivered_cents, 0);
    let newest = town.open_right("ana").await.body["movements"][0].clone();
    assert_eq!(newest, json!({"at": town.now(), "kind": "card_top_up", "cents": 2_000}));
    town.assert_sound().await;
}

#[tokio::test]
async fn whichever_arrives_first_order_or_journal_the_books_agree_at_each_step() {
    for lines_before in 0..=4 {
        let town = Town::new().await;
        let mut journal = Journal::new();
        let payment = journal.pay(TWENTY);
        let intent = journal.order_delivery(town.card_ref("ana"), TWENTY, payment);
        let (sent, rest) = journal.lines.split_at(lines_before);
        assert_taken(&town, sent, lines_before.try_into().unwrap()).await;
        if let Some(books) = town.books_if_known("K0001").await {
            assert_eq!(books.differences, [], "{lines_before} lines, then the order");
            let is_paid = lines_before >= 3;
            assert_eq!(books.card.undelivered_cents, if is_paid { 2_000 } else { 0 });
        }
        let key = format!("K0001-{intent}");
        let answer = town.top_up_by_card(&key, "ana", TWENTY).await;
        assert_eq!(town.books("K0001").await.differences, [], "{lines_before} lines, answered");
        assert_taken(&town, rest, 4).await;
        assert_eq!(town.books("K0001").await.differences, []);
        journal.accepted(intent, answer.body["ledger_ref"].as_str().unwrap(), TWENTY);
        assert_taken(&town, &journal.lines, 5).await;
        let books = town.books("K0001").await;
        assert_eq!(books.differences, []);
        assert_eq!(books.card.undelivered_cents, 0);
        assert_eq!(town.incidents("payment_mismatch").await, 0);
        town.assert_sound().await;
    }
}

#[tokio::test]
async fn what_central_will_not_credit_goes_back_to_the_bank_card() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let payment = journal.pay_in_vain(&town, TWENTY).await;
    let refused = journal.order_reversal(payment);
    journal.reversal_refused(refused);
    assert_taken(&town, &journal.lines, 7).await;
    let books = town.books("K0001").await;
    assert_eq!((books.claims, books.card.claims), (TWENTY, TWENTY), "the claim stands");
    assert_eq!(books.card.open_cents, 2_000);

    let reversal = journal.order_reversal(payment);
    journal.write(Record::PaymentInDoubt { intent: reversal });
    assert_taken(&town, &journal.lines, 9).await;
    let doubt = Doubt {
        intent: format!("K0001-{reversal}").parse().unwrap(),
        what: Doubted::Reversal,
        cents: 2_000,
        claimed: false,
    };
    assert_eq!(town.books("K0001").await.in_doubt, [doubt]);

    journal.reversed(reversal, TWENTY);
    assert_taken(&town, &journal.lines, 10).await;
    let books = town.books("K0001").await;
    assert_eq!(books.differences, []);
    assert_eq!(books.in_doubt, []);
    assert_eq!((books.claims, books.card.claims), (Amount::ZERO, Amount::ZERO));
    assert_eq!(books.card.given_back, TWENTY);
    assert_eq!(books.card.open_cents, 0);
    assert_eq!(town.incidents("reversal_mismatch").await, 0);
    town.assert_sound().await;
}

#[tokio::test]
async fn lines_sent_twice_or_out_of_order_give_back_once() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let payment = journal.pay_in_vain(&town, TWENTY).await;
    let reversal = journal.order_reversal(payment);
    journal.reversed(reversal, TWENTY);
    journal.close_day(0, Some(0), 0);
    assert_refused_gap(&town, &journal, 6).await;
    for sent in 1..=journal.lines.len() {
        let acked = sent.try_into().unwrap();
        assert_taken(&town, &journal.lines[..sent], acked).await;
        assert_taken(&town, &journal.lines[sent - 1..sent], acked).await;
        if sent + 1 < journal.lines.len() {
            assert_refused_gap(&town, &journal, sent + 1).await;
        }
        assert_eq!(town.books("K0001").await.differences, []);
    }
    let books = town.books("K0001").await;
    assert_eq!(books.card.given_back, TWENTY);
    assert_eq!(books.card.days.len(), 1);
    assert!(books.card.days[0].agrees);
    town.assert_sound().await;
}

async fn assert_refused_gap(town: &Town, journal: &Journal, from: usize) {
    let answer = send(town, &journal.lines[from..]).await;
    assert_eq!(answer.problem(), Some(ProblemKind::JournalGap), "{answer:?}");
}

#[tokio::test]
async fn giving_back_what_is_on_a_wallet_is_an_incident_and_moves_nothing() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let payment = journal.recharge(&town, "ana", TWENTY).await;
    let reversal = journal.order_reversal(payment);
    journal.reversed(reversal, TWENTY);
    assert_taken(&town, &journal.lines, 7).await;
    let (subject, detail) = town.incident("reversal_mismatch").await;
    assert_eq!(subject, format!("K0001-{reversal}"));
    assert_eq!(detail, format!("payment K0001-{payment} is on a wallet"));
    assert_eq!(town.balance("ana").await, 3_240);
    let books = town.books("K0001").await;
    assert_eq!(books.card.open_cents, 2_000);
    let differences = [
        Difference::Reversal {
            intent: format!("K0001-{reversal}").parse().unwrap(),
            journal_cents: 2_000,
            central_cents: 0,
        },
        Difference::CardTerminal { journal_cents: 0, central_cents: 2_000 },
    ];
    assert_eq!(books.differences, differences);
    town.assert_sound().await;
}

#[tokio::test]
async fn what_is_owed_once_is_not_given_back_twice() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let payment = journal.pay_in_vain(&town, TWENTY).await;
    for _ in 0..2 {
        let reversal = journal.order_reversal(payment);
        journal.reversed(reversal, TWENTY);
    }
    assert_taken(&town, &journal.lines, 9).await;
    let (_, detail) = town.incident("reversal_mismatch").await;
    assert_eq!(detail, format!("payment K0001-{payment} was given back before"));
    let books = town.books("K0001").await;
    assert_eq!(books.card.given_back, TWENTY);
    assert!(books.differences.contains(&Difference::Reversal {
        intent: "K0001-8".parse().unwrap(),
        journal_cents: 2_000,
        central_cents: 0,
    }));
    town.assert_sound().await;
}

#[tokio::test]
async fn giving_back_another_sum_or_for_no_payment_at_all_is_an_incident() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let payment = journal.pay_in_vain(&town, TWENTY).await;
    let less = journal.order_reversal(payment);
    journal.reversed(less, Amount::euro(10));
    let invented = journal.order_reversal(Seq(1));
    journal.reversed(invented, Amount::euro(10));
    assert_taken(&town, &journal.lines, 9).await;
    assert_eq!(town.incidents("reversal_mismatch").await, 2);
    assert_eq!(town.incidents("outcome_mismatch").await, 2);
    let books = town.books("K0001").await;
    assert_eq!(books.card.claims, TWENTY, "it is owed as before");
    assert_eq!(books.card.given_back, Amount::ZERO);
    town.assert_sound().await;
}

#[tokio::test]
async fn a_payment_is_delivered_once_and_whole() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let payment = journal.recharge(&town, "ana", TWENTY).await;
    let declined = journal.order_payment(TWENTY);
    journal.declined(declined);
    let other = journal.pay(TWENTY);
    let open = journal.order_payment(TWENTY);
    let ten = Amount::euro(10);
    for (named, amount, said) in [
        (payment, TWENTY, format!("payment K0001-{payment} is for another top-up")),
        (declined, TWENTY, format!("no payment K0001-{declined} was approved")),
        (open, TWENTY, format!("no payment K0001-{open} was approved")),
        (Seq(4), TWENTY, "no payment K0001-4 was approved".to_owned()),
        (Seq(999), TWENTY, "no payment K0001-999 was approved".to_owned()),
        (other, ten, format!("payment K0001-{other} took 2000 cents")),
    ] {
        let intent = journal.order_delivery(town.card_ref("ana"), amount, named);
        assert_taken(&town, &journal.lines, intent.0).await;
        let query = "SELECT detail FROM incidents WHERE kind = 'payment_mismatch' AND subject = $1";
        let detail: String = sqlx::query_scalar(query)
            .bind(format!("K0001-{intent}"))
            .fetch_one(&mut town.sql().await)
            .await
            .unwrap();
        assert_eq!(detail, said);
        let difference = town.books("K0001").await.differences.into_iter().find(|difference| {
            matches!(difference, Difference::Payment { intent: top_up, .. } if top_up.seq == intent)
        });
        assert!(difference.is_some(), "{said}: not found by the books");
    }
}

#[tokio::test]
async fn who_pays_while_another_payment_is_in_doubt_is_an_incident() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let doubted = journal.order_payment(TWENTY);
    journal.write(Record::PaymentInDoubt { intent: doubted });
    let second = journal.pay(TWENTY);
    assert_taken(&town, &journal.lines, 5).await;
    let (subject, detail) = town.incident("payment_mismatch").await;
    assert_eq!(subject, format!("K0001-{second}"));
    assert_eq!(detail, format!("K0001-{doubted} was still open at the terminal"));
}

#[tokio::test]
async fn a_kiosk_that_took_a_card_and_told_central_of_cash_is_found_out() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let payment = journal.pay(TWENTY);
    let intent = journal.order_delivery(town.card_ref("ana"), TWENTY, payment);
    let answer = town.top_up(&format!("K0001-{intent}"), "ana", TWENTY).await;
    journal.accepted(intent, answer.body["ledger_ref"].as_str().unwrap(), TWENTY);
    assert_taken(&town, &journal.lines, 5).await;
    assert_eq!(town.incidents("top_up_mismatch").await, 1);
    let differences = town.books("K0001").await.differences;
    assert!(differences.contains(&Difference::TopUp {
        intent: format!("K0001-{intent}").parse().unwrap(),
        journal_cents: 2_000,
        central_cents: 0,
    }));
}

#[tokio::test]
async fn the_operator_sees_what_is_in_doubt_until_it_is_not() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let note = journal.write(Record::StackOrdered { note: TWENTY, stacked_total: None });
    journal.write(Record::StackInDoubt { intent: note, reason: DoubtReason::Jam });
    let payment = journal.order_payment(TWENTY);
    journal.write(Record::PaymentInDoubt { intent: payment });
    journal.claim(payment, TWENTY);
    assert_taken(&town, &journal.lines, 6).await;
    let doubt = |intent: Seq, what, claimed| Doubt {
        intent: format!("K0001-{intent}").parse().unwrap(),
        what,
        cents: 2_000,
        claimed,
    };
    let expected = [doubt(note, Doubted::Note, false), doubt(payment, Doubted::Payment, true)];
    assert_eq!(town.books("K0001").await.in_doubt, expected);

    // It was paid after all; the customer has gone.
    journal.approved(payment, TWENTY, Account::TopUpsQueued);
    assert_taken(&town, &journal.lines, 7).await;
    let books = town.books("K0001").await;
    assert_eq!(books.in_doubt, [doubt(note, Doubted::Note, false)]);
    assert_eq!(books.card.undelivered_cents, 2_000);
    assert_eq!(books.differences, []);
}

#[tokio::test]
async fn only_what_is_open_can_be_in_doubt_and_only_that_be_claimed() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let payment = journal.order_payment(TWENTY);
    let other = journal.order_payment(TWENTY);
    journal.approved(payment, TWENTY, Account::CustomerCredit);
    journal.write(Record::PaymentInDoubt { intent: other });
    assert_taken(&town, &journal.lines, 5).await;
    let doubts: Vec<Record> = [payment, other, Seq(1), Seq(99)]
        .map(|intent| Record::PaymentInDoubt { intent })
        .into_iter()
        .collect();
    for record in doubts {
        let mut wrong = Journal { lines: journal.lines.clone() };
        wrong.write(record);
        assert_refused(&town, &wrong.lines, ProblemKind::JournalInvalid).await;
    }
    for intent in [payment, Seq(1), Seq(99)] {
        let mut wrong = Journal { lines: journal.lines.clone() };
        wrong.claim(intent, TWENTY);
        assert_refused(&town, &wrong.lines, ProblemKind::JournalInvalid).await;
    }
}

#[tokio::test]
async fn an_order_to_the_terminal_has_one_final_outcome_of_its_kind() {
    let town = Town::new().await;
    let mut journal = Journal::new();
    let payment = journal.pay_in_vain(&town, TWENTY).await;
    let reversal = journal.order_reversal(payment);
    assert_taken(&town, &journal.lines, 6).await;
    for close in 0..4 {
        let mut wrong = Journal { lines: journal.lines.clone() };
        match close {
            0 => wrong.declined(payment),
            1 => wrong.reversed(payment, TWENTY),
            2 => wrong.approved(reversal, TWENTY, Account::CustomerCredit),
            _ => wrong.declined(reversal),
        }
        assert_refused(&town, &wrong.lines, ProblemKind::JournalInvalid).await;
    }
}
