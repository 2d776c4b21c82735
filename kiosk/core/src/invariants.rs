//! What must hold after every step, whatever the world did. Asserted in release too.

use kiosk_records::{Account, Seq};

use driver_api::payment_terminal::Command;

use crate::{Act, Books, Effect, Step};

/// Sums taken before a step, to compare with those after.
pub(crate) struct Totals {
    seq: u64,
    cashbox: i64,
}

impl Totals {
    pub(crate) fn of(books: &Books) -> Self {
        Self { seq: books.seq().0, cashbox: books.ledger().balance(Account::Cashbox) }
    }
}

/// # Panics
/// When one does not hold.
pub(crate) fn assert_step(books: &Books, before: &Totals, step: &Step) {
    // M1, pair of the check in `Posting`.
    assert_eq!(books.ledger().total(), 0, "the ledger is off balance");
    // M6: the money in the box is the notes in the box.
    let counted = books.cashbox().value().cents();
    assert_eq!(books.ledger().balance(Account::Cashbox), counted, "ledger and count differ");
    // M8: the step's records are the next ones, without a gap.
    let seqs = step.records.iter().map(|entry| entry.seq.0);
    assert!(seqs.eq(before.seq + 1..=books.seq().0), "records are not in sequence");
    // M2: what moves value cites an intent that is open, on record, and fit for it.
    for effect in &step.effects {
        assert_allowed(books, step, effect);
    }
    // The box gains only by records that say so.
    let moved: i64 = step
        .records
        .iter()
        .filter_map(|entry| entry.record.posting())
        .map(|posting| posting.effect_on(Account::Cashbox))
        .sum();
    assert_eq!(before.cashbox + moved, books.ledger().balance(Account::Cashbox));
}

fn assert_allowed(books: &Books, step: &Step, effect: &Effect) {
    let Some(intent) = effect.intent() else {
        return;
    };
    let open = books.intent(intent).expect("an effect cites an intent that is not open (M2)");
    match (&open.act, effect) {
        (Act::Stack { .. }, Effect::Stack(_)) => {
            assert!(is_new(step, intent), "a note is stacked once, in the step that ordered it");
        }
        (Act::TopUp { .. }, Effect::Central(_)) => {}
        (
            Act::Payment { amount: ordered, .. },
            Effect::Terminal(Command::Authorise { amount, .. }),
        ) => {
            assert_eq!(ordered, amount, "a bank card is charged what was ordered");
            assert!(
                is_new(step, intent),
                "a bank card is charged once, in the step that ordered it"
            );
        }
        (Act::Reversal { .. }, Effect::Terminal(Command::Reverse { .. })) => {
            assert!(is_new(step, intent), "a payment is given back in the step that ordered it");
        }
        (Act::Stack { .. } | Act::TopUp { .. } | Act::Payment { .. } | Act::Reversal { .. }, _) => {
            panic!("effect and intent do not match")
        }
    }
}

fn is_new(step: &Step, intent: Seq) -> bool {
    step.records.iter().any(|entry| entry.seq == intent && entry.record.opens_intent())
}
