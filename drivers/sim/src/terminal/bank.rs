//! The customer's account and the terminal's log: what really happened.

/// What a customer was charged, and whether they have it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// In cents.
    pub cents: u64,
    /// The terminal's number of it.
    pub trace: u32,
    /// Given back.
    pub is_reversed: bool,
}

/// The customers' accounts: survives whatever happens to terminals.
#[derive(Clone, Debug, Default)]
pub(super) struct Bank {
    pub(super) charges: Vec<Charge>,
}

impl Bank {
    pub(super) fn charge(&mut self, cents: u64, trace: u32) {
        self.charges.push(Charge { cents, trace, is_reversed: false });
    }

    pub(super) fn give_back(&mut self, trace: u32) {
        for charge in self.charges.iter_mut().filter(|charge| charge.trace == trace) {
            charge.is_reversed = true;
        }
    }

    pub(super) fn is_reversed(&self, trace: u32) -> bool {
        self.charges.iter().any(|charge| charge.trace == trace && charge.is_reversed)
    }
}

/// A line of the terminal's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transaction {
    pub(super) receipt: u16,
    pub(super) trace: u32,
    pub(super) cents: u64,
    /// 0 = approved.
    pub(super) result: u8,
    /// Of the payment it reverses.
    pub(super) original: Option<u32>,
    /// 1 chip, 2 contactless.
    pub(super) technology: u8,
    /// 0 none, 2 PIN.
    pub(super) proof: u8,
}

/// Survives power cuts.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub(super) bank: Bank,
    pub(super) log: Vec<Transaction>,
    /// Where the day began in the log.
    pub(super) day: usize,
    /// What the days came to that have ended, in cents.
    pub(super) closed: i64,
    pub(super) receipt: u16,
    pub(super) trace: u32,
}

impl Memory {
    /// Numbers for a new transaction.
    pub(super) fn number(&mut self) -> (u16, u32) {
        self.receipt = self.receipt % 9999 + 1;
        self.trace = self.trace % 999_999 + 1;
        (self.receipt, self.trace)
    }

    pub(super) fn is_logged(&self, trace: u32) -> bool {
        self.log.iter().any(|transaction| transaction.trace == trace)
    }

    /// Payments less reversals since the last end of day, in cents, and how many of both.
    pub(super) fn totals(&self) -> (i64, u8) {
        let day = &self.log[self.day..];
        let cents = day.iter().filter(|it| it.result == 0).map(|it| {
            let cents = i64::try_from(it.cents).expect("twelve digits at most");
            if it.original.is_some() { -cents } else { cents }
        });
        (cents.sum(), u8::try_from(day.len()).unwrap_or(u8::MAX))
    }

    /// The bank has taken the day's turnover.
    pub(super) fn close_day(&mut self) {
        self.closed += self.totals().0;
        self.day = self.log.len();
    }
}
