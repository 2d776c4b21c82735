//! What the terminal's log says of an order. In ZVT the till cannot name its orders: a transaction
//! is the order's if it came soon after the mark, with the same amount. Nobody else begins payments
//! there; but numbers are also given to what never comes into the log.

use domain::Amount;
use driver_api::payment_terminal::{Decline, DeclineReason, Mark, Outcome, Question};

use crate::answer::Status;
use crate::code::{OK, decline};

/// One transaction, as the terminal numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogEntry {
    /// `1..=9999`, then again 1.
    pub(crate) receipt: u16,
    pub(crate) trace: u32,
}

impl LogEntry {
    /// As it stands in marks and references.
    pub(crate) fn to_text(self) -> String {
        format!("{:04}/{:06}", self.receipt, self.trace)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (receipt, trace) = text.split_once('/')?;
        Some(Self { receipt: receipt.parse().ok()?, trace: trace.parse().ok()? })
    }

    /// Has it come after the other, with no more numbers passed over than a terminal loses by power
    /// cuts? Further on it is another terminal, or another count.
    fn follows(self, other: Self) -> bool {
        is_soon_after(self.receipt.into(), other.receipt.into(), 9999)
    }
}

/// The last transaction in a terminal's log; `None` = there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log(pub(crate) Option<Status>);

/// A place in a log, behind the id of its terminal where that tells one: what marks and references
/// are. Terminals give the same numbers.
pub(crate) fn place(terminal: Option<&str>, entry: &str) -> String {
    terminal.map_or(entry.to_owned(), |terminal| format!("{terminal} {entry}"))
}

/// The entry that a mark or reference names; `None` = of another terminal than the one with this
/// id.
pub(crate) fn entry_at<'a>(terminal: Option<&str>, place: &'a str) -> Option<&'a str> {
    match (place.rsplit_once(' '), terminal) {
        (Some((other, _)), Some(terminal)) if other != terminal => None,
        (Some((_, entry)), _) => Some(entry),
        (None, _) => Some(place),
    }
}

/// Mark of an empty log.
const EMPTY: &str = "none";

impl Log {
    /// Of the terminal with this id, where it tells one.
    pub(crate) fn mark(&self, terminal: Option<&str>) -> Mark {
        Mark(place(terminal, &self.end()))
    }

    fn end(&self) -> String {
        let entry = self.0.as_ref().and_then(Status::log_entry);
        entry.map_or(EMPTY.to_owned(), LogEntry::to_text)
    }

    /// What became of an order, now that the terminal with this id is idle and this is its log.
    pub(crate) fn resolve(&self, question: &Question, terminal: Option<&str>) -> Outcome {
        let Some(mark) = &question.mark else { return Outcome::Unknown };
        // Another terminal's log proves nothing.
        let Some(end) = entry_at(terminal, &mark.0) else { return Outcome::Unknown };
        if self.end() == end {
            return Outcome::Declined(Decline::new(DeclineReason::NotCarriedOut));
        }
        let before = match LogEntry::parse(end) {
            None if end != EMPTY => return Outcome::Unknown,
            before => before,
        };
        // An empty log after a mark: another terminal, or one that was wiped.
        let Some(last) = &self.0 else { return Outcome::Unknown };
        match &question.reversal_of {
            None => payment(last, before, question.amount),
            Some(paid) => match entry_at(terminal, &paid.reference.0).and_then(LogEntry::parse) {
                Some(paid) if last.original_trace == Some(paid.trace) => {
                    transaction(last, question.amount)
                }
                Some(_) | None => Outcome::Unknown,
            },
        }
    }
}

fn payment(last: &Status, before: Option<LogEntry>, amount: Amount) -> Outcome {
    let Some(entry) = last.log_entry() else { return Outcome::Unknown };
    let is_reversal = last.original_trace.is_some();
    let is_ours = match before {
        // All there is came after the mark; receipts need not begin at 1.
        None => true,
        // The terminal's own reversal of a payment that came after the mark itself.
        Some(before) => {
            let is_new = |paid| is_soon_after(paid, before.trace, 999_999);
            entry.follows(before) && last.original_trace.is_none_or(is_new)
        }
    };
    match is_ours {
        true if is_reversal && last.amount == Some(amount) && last.result == Some(OK) => {
            Outcome::Declined(Decline::new(DeclineReason::Reversed))
        }
        true if !is_reversal => transaction(last, amount),
        true | false => Outcome::Unknown,
    }
}

/// In a count from 1 to `max`, and then again from 1.
fn is_soon_after(number: u32, other: u32, max: u32) -> bool {
    let steps = (i64::from(number) - i64::from(other)).rem_euclid(max.into());
    (1..=STEPS_MAX).contains(&steps)
}

/// A payment, its reversal, and two that a power cut took.
const STEPS_MAX: i64 = 4;

/// What a status information says of an order of `amount`, if it is about that order.
pub(crate) fn transaction(status: &Status, amount: Amount) -> Outcome {
    match (status.result, status.approval()) {
        (Some(OK), Some(approval)) if approval.amount == amount => {
            Outcome::Approved(Box::new(approval))
        }
        (Some(OK) | None, _) => Outcome::Unknown,
        (Some(code), _) => Outcome::Declined(decline(code)),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use driver_api::payment_terminal::{Operation, Payment, Reference};

    use super::*;
    use crate::bmp::to_bcd;

    fn entry(result: u8, euro: u64, receipt: u64, trace: u64, original: Option<u64>) -> Log {
        let mut data = vec![0x27, result, 0x04];
        data.extend(to_bcd::<6>(euro * 100));
        data.push(0x87);
        data.extend(to_bcd::<2>(receipt));
        data.push(0x0B);
        data.extend(to_bcd::<3>(trace));
        if let Some(original) = original {
            data.push(0x37);
            data.extend(to_bcd::<3>(original));
        }
        Log(Some(Status::parse(&data)))
    }

    fn short(outcome: Outcome) -> String {
        match outcome {
            Outcome::Approved(approval) => format!("Approved {}", approval.reference.0),
            Outcome::Declined(decline) => format!("Declined {:?}", decline.reason),
            Outcome::Unknown => "Unknown".to_owned(),
        }
    }

    const MARKS: [Option<&str>; 7] = [
        None,
        Some("none"),
        Some("0007/000070"),
        Some("9999/000070"),
        Some("?"),
        Some("28004869 0007/000070"),
        Some("11111111 0007/000070"),
    ];

    /// An order of 20 €, committed at a mark; and the log that the terminal then shows.
    #[test]
    fn every_mark_meets_every_log() {
        let logs = [
            ("empty", Log(None)),
            ("0007, 20 €", entry(0, 20, 7, 70, None)),
            ("0008, 20 €", entry(0, 20, 8, 71, None)),
            ("0008, 20 €, refused", entry(0x6C, 20, 8, 71, None)),
            ("0008, 30 €", entry(0, 30, 8, 71, None)),
            ("0009, 20 €", entry(0, 20, 9, 72, None)),
            ("0009, 20 €, reverses trace 71", entry(0, 20, 9, 72, Some(71))),
            ("0009, 20 €, reverses trace 70", entry(0, 20, 9, 72, Some(70))),
            ("0010, 20 €, reverses trace 72", entry(0, 20, 10, 73, Some(72))),
            ("0012, 20 €", entry(0, 20, 12, 75, None)),
            ("0008, 20 €, reverses trace 70", entry(0, 20, 8, 71, Some(70))),
            ("0008, 20 €, refused to reverse trace 70", entry(0xB5, 20, 8, 71, Some(70))),
            ("0001, 20 €", entry(0, 20, 1, 72, None)),
        ];
        let paid = Payment {
            operation: Operation(1),
            amount: Amount::euro(20),
            reference: Reference("0007/000070".to_owned()),
        };
        let mut table = String::new();
        for mark in MARKS {
            for reversal_of in [None, Some(paid.clone())] {
                let what = if reversal_of.is_some() { "reversal of 0007" } else { "payment" };
                writeln!(table, "{what} at mark {mark:?}").unwrap();
                for (name, log) in &logs {
                    let mark = mark.map(|text| Mark(text.to_owned()));
                    let question = Question {
                        operation: Operation(2),
                        amount: Amount::euro(20),
                        mark,
                        reversal_of: reversal_of.clone(),
                    };
                    let outcome = log.resolve(&question, Some("28004869"));
                    writeln!(table, "  {name} -> {}", short(outcome)).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }
}
