use domain::Amount;
use serde::{Deserialize, Serialize};

/// An account of the kiosk's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Notes in the cash box of the acceptor (asset).
    Cashbox,
    /// Cash that an attendant took out of the cash box, on its way to the bank (asset).
    Collected,
    /// What the terminal took from bank cards since its last end of day, less what it gave back.
    /// Below zero when more was given back.
    CardTerminal,
    /// Of that, what days it has closed: with the acquirer, on its way to the bank.
    CardSettled,
    /// What the kiosk owes the customer who is here (liability).
    CustomerCredit,
    /// Ordered from central for a visit that is over, not answered yet (liability).
    TopUpsQueued,
    /// What the kiosk owes central for wallets it credited (liability).
    WalletPayable,
    /// What the office owes against claims (liability).
    ClaimsPayable,
    /// Value whose owner is not known (liability).
    Suspense,
    /// Differences found at a count.
    OverShort,
}

/// One line: debit positive, credit negative, in cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Where.
    pub account: Account,
    /// Debit positive, credit negative.
    pub cents: i64,
}

/// Lines that sum to zero (M1). Euro cents; one currency per network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Line>", into = "Vec<Line>")]
pub struct Posting(Vec<Line>);

/// The lines do not sum to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a posting is off by {off_cents} cents")]
pub struct PostingError {
    /// Debits less credits.
    pub off_cents: i64,
}

impl Posting {
    /// `amount` out of `credit`, into `debit`.
    pub fn transfer(debit: Account, credit: Account, amount: Amount) -> Self {
        let cents = amount.cents();
        Self(vec![Line { account: debit, cents }, Line { account: credit, cents: -cents }])
    }

    /// The lines, in the order written.
    pub fn lines(&self) -> &[Line] {
        &self.0
    }

    /// What it does to one account: debit positive.
    pub fn effect_on(&self, account: Account) -> i64 {
        self.0.iter().filter(|line| line.account == account).map(|line| line.cents).sum()
    }
}

impl TryFrom<Vec<Line>> for Posting {
    type Error = PostingError;

    fn try_from(lines: Vec<Line>) -> Result<Self, PostingError> {
        let off = lines.iter().fold(0i64, |sum, line| sum.saturating_add(line.cents));
        if off == 0 { Ok(Self(lines)) } else { Err(PostingError { off_cents: off }) }
    }
}

impl From<Posting> for Vec<Line> {
    fn from(posting: Posting) -> Self {
        posting.0
    }
}
