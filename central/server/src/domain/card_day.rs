//! A terminal's end of day against the journal of its kiosk.

use std::fmt;

use kiosk_records::IntentId;

/// What was taken from bank cards between two ends of day, less what was given back, as three say
/// it. In cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CardDay {
    /// What the terminal says.
    pub(crate) terminal_cents: i64,
    /// Its transactions, where it tells them.
    pub(crate) terminal_count: Option<u32>,
    /// What central counts in the journal.
    pub(crate) counted: Counted,
    /// What the kiosk posted as settled.
    pub(crate) posted_cents: i64,
}

/// A journal's payments and reversals since an end of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Payments less reversals.
    pub(crate) cents: i64,
    pub(crate) payments: u32,
    pub(crate) reversals: u32,
    /// Ends of day that were refused or not answered.
    pub(crate) not_closed: u32,
}

impl CardDay {
    /// Do all say the same?
    pub(crate) fn agrees(&self) -> bool {
        // A terminal that gave back more than it took has no figure for it and says nothing.
        self.terminal_cents == self.counted.cents.max(0)
            && self.posted_cents == self.counted.cents
            && self.terminal_count.is_none_or(|count| self.counted.is_told_by(count))
    }
}

impl Counted {
    /// Terminals differ in whether a payment that went back still counts.
    fn is_told_by(&self, count: u32) -> bool {
        let (payments, reversals) = (self.payments, self.reversals);
        count == payments.saturating_add(reversals) || count == payments.saturating_sub(reversals)
    }
}

impl fmt::Display for CardDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the terminal says {} cents", self.terminal_cents)?;
        if let Some(count) = self.terminal_count {
            write!(f, " in {count}")?;
        }
        let Counted { cents, payments, reversals, not_closed } = self.counted;
        write!(f, "; the journal has {cents} in {payments} payments and {reversals} reversals")?;
        write!(f, ", {} posted", self.posted_cents)?;
        if not_closed > 0 {
            write!(f, "; tried {not_closed} times before without knowing it closed")?;
        }
        Ok(())
    }
}

/// An order to the terminal that was open or closed in such a time: one of those to look at when
/// the sums differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// As on the receipt.
    pub(crate) id: IntentId,
    pub(crate) is_reversal: bool,
    /// Moved, or ordered where nothing moved.
    pub(crate) cents: i64,
    /// `None` = still open.
    pub(crate) outcome: Option<String>,
    pub(crate) in_doubt: bool,
    pub(crate) claimed: bool,
    pub(crate) is_late: bool,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_reversal { "reversal" } else { "payment" };
        let outcome = self.outcome.as_deref().unwrap_or("open");
        write!(f, "{} {what} {} {outcome}", self.id, self.cents)?;
        let marks =
            [(self.in_doubt, "in doubt"), (self.claimed, "claimed"), (self.is_late, "late")];
        let mut marks = marks.into_iter().filter_map(|(is_so, mark)| is_so.then_some(mark));
        marks.try_for_each(|mark| write!(f, ", {mark}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_agrees_when_all_say_the_same_as_far_as_they_can_say_it() {
        let day = |cents, terminal_cents, terminal_count, posted_cents| {
            let counted = Counted { cents, payments: 3, reversals: 1, not_closed: 0 };
            CardDay { terminal_cents, terminal_count, counted, posted_cents }.agrees()
        };
        assert!(day(700, 700, None, 700));
        assert!(day(700, 700, Some(4), 700));
        assert!(day(700, 700, Some(2), 700), "the pair that went back is not counted");
        assert!(day(-100, 0, Some(4), -100), "no figure below nothing");
        assert!(!day(700, 700, Some(3), 700));
        assert!(!day(700, 699, Some(4), 700));
        assert!(!day(700, 700, Some(4), 699));
        assert!(!day(-100, 100, None, -100));
    }
}
