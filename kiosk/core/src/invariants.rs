//! What must hold after every step, whatever the world did. Asserted in release too.

use kiosk_records::{Account, Record};

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
            let ordered_now = step.records.iter().any(|entry| {
                entry.seq == intent && matches!(entry.record, Record::StackOrdered { .. })
            });
            assert!(ordered_now, "a note is stacked once, in the step that ordered it");
        }
        (Act::TopUp { .. }, Effect::Central(_)) => {}
        (Act::Stack { .. } | Act::TopUp { .. }, _) => panic!("effect and intent do not match"),
    }
}
