//! The kiosk's books, central's, and what lies in the simulated cash box, side by side.

use std::collections::{BTreeMap, BTreeSet};

use central_api::{Difference, KioskBooks};
use kiosk_records::{Account, Seq};
use serde::{Deserialize, Serialize};

/// All three, compared.
#[derive(Clone, Debug, Serialize)]
pub struct Books {
    /// Do all three say the same, with nothing on its way?
    pub agree: bool,
    /// Something is on its way: an order is open, or central does not have the whole journal yet.
    pub settling: bool,
    /// What differs, in words.
    pub differences: Vec<String>,
    /// As `kioskd books` says; `None` = it cannot be read.
    pub kiosk: Option<KioskSide>,
    /// As central audits them; `None` = central does not answer.
    pub central: Option<KioskBooks>,
    /// What is in the simulated cash box, and at the bank behind the card terminal.
    pub physical: Physical,
    /// For people: one line per thing that is counted.
    pub lines: Vec<Line>,
}

/// What the workbench needs of `kioskd books`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KioskSide {
    /// The last record.
    pub seq: Seq,
    /// Up to here central has them.
    pub synced: Seq,
    /// The ledger.
    pub accounts: Vec<Balance>,
    /// What the kiosk counted into its cash box.
    pub cash_unit: CashUnit,
    /// Value-moving orders without an outcome.
    pub open_intents: Vec<OpenIntent>,
}

/// One account.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Balance {
    /// Which.
    pub account: Account,
    /// Debit positive.
    pub cents: i64,
}

/// Notes as the kiosk counted them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CashUnit {
    /// Per value.
    pub counts: Vec<NoteCount>,
}

/// How many notes of one value.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct NoteCount {
    /// The value.
    pub note_cents: i64,
    /// How many.
    pub count: u32,
}

/// A value-moving order without an outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenIntent {
    /// As on the receipt.
    pub number: String,
    /// `stack`, `top_up`, `payment` or `reversal`.
    pub act: String,
    /// How much.
    pub cents: i64,
    /// Nobody can say what became of it.
    pub in_doubt: bool,
}

/// What a hand would count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Physical {
    /// In the cash box, in cents.
    pub cashbox_cents: i64,
    /// In boxes that were taken out, in cents.
    pub collected_cents: i64,
    /// Charged to bank cards less given back, in cents.
    pub bank_cents: i64,
    /// In the cash box, by value in cents.
    pub notes: BTreeMap<i64, u32>,
}

impl Physical {
    /// Notes by value in cents: those in the cash box, and those in boxes that were taken out; and
    /// the town's account at the bank.
    pub fn of(
        cash_box: &BTreeMap<u32, u32>,
        collected: &BTreeMap<u32, u32>,
        bank_cents: i64,
    ) -> Self {
        let sum = |notes: &BTreeMap<u32, u32>| {
            let values = notes.iter();
            values.map(|(cents, count)| i64::from(*cents) * i64::from(*count)).sum()
        };
        let notes = cash_box.iter();
        Self {
            cashbox_cents: sum(cash_box),
            collected_cents: sum(collected),
            bank_cents,
            notes: notes.map(|(cents, count)| (i64::from(*cents), *count)).collect(),
        }
    }

    fn on(&self, accounts: &[Account]) -> Option<i64> {
        match accounts.first()? {
            Account::CardTerminal | Account::CardSettled => Some(self.bank_cents),
            Account::Cashbox => Some(self.cashbox_cents),
            Account::Collected => Some(self.collected_cents),
            Account::CustomerCredit
            | Account::TopUpsQueued
            | Account::WalletPayable
            | Account::ClaimsPayable
            | Account::Suspense
            | Account::OverShort => None,
        }
    }
}

/// One thing that is counted, in cents; `None` = this side does not know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What.
    pub title: &'static str,
    /// By the kiosk.
    pub kiosk: Option<i64>,
    /// By central.
    pub central: Option<i64>,
    /// By hand.
    pub physical: Option<i64>,
    /// Do those who know it disagree?
    pub differs: bool,
}

impl Books {
    /// Compares. An error is why that side is missing.
    pub fn compare(
        kiosk: Result<KioskSide, String>,
        central: Result<KioskBooks, String>,
        physical: Physical,
    ) -> Self {
        let mut differences = Vec::new();
        let kiosk = kept(kiosk, "the kiosk's books cannot be read", &mut differences);
        let central = kept(central, "central's books cannot be read", &mut differences);
        let lines = lines(kiosk.as_ref(), central.as_ref(), &physical);
        differences.extend(lines.iter().filter(|line| line.differs).map(Line::in_words));
        let mut settling = Vec::new();
        if let Some(kiosk) = &kiosk {
            let open = kiosk.open_intents.iter().filter(|open| !open.in_doubt);
            settling.extend(open.map(|open| {
                format!("{} {} of {} is open", open.act, open.number, euro(open.cents))
            }));
            differences.extend(kiosk.cash_unit.miscount(&physical));
        }
        if let (Some(kiosk), Some(central)) = (&kiosk, &central) {
            if central.last_seq < kiosk.seq {
                let (has, at) = (central.last_seq, kiosk.seq);
                settling.push(format!("central has the journal up to {has}, the kiosk is at {at}"));
            }
            if !central.in_transit.is_zero() {
                let amount = euro(central.in_transit.cents());
                settling.push(format!("{amount} answered by central, not yet in the journal"));
            }
            differences.extend(central.differences.iter().map(found_by_central));
        }
        let is_settling = !settling.is_empty();
        differences.extend(settling);
        Self {
            agree: differences.is_empty(),
            settling: is_settling,
            differences,
            kiosk,
            central,
            physical,
            lines,
        }
    }
}

impl KioskSide {
    fn balance(&self, account: Account) -> i64 {
        let of = self.accounts.iter().filter(|line| line.account == account);
        of.map(|line| line.cents).sum()
    }
}

impl CashUnit {
    /// Where the kiosk's count and a hand's differ.
    fn miscount(&self, real: &Physical) -> Vec<String> {
        let counted: BTreeMap<i64, u32> =
            self.counts.iter().map(|note| (note.note_cents, note.count)).collect();
        let values: BTreeSet<_> = counted.keys().chain(real.notes.keys()).copied().collect();
        let count = |of: &BTreeMap<i64, u32>, value| of.get(&value).copied().unwrap_or_default();
        values
            .into_iter()
            .map(|value| (value, count(&counted, value), count(&real.notes, value)))
            .filter(|(_, kiosk, real)| kiosk != real)
            .map(|(value, kiosk, real)| {
                format!("notes of {}: kiosk {kiosk}, cash box {real}", euro(value))
            })
            .collect()
    }
}

impl Line {
    fn in_words(&self) -> String {
        let side = |name, cents: Option<i64>| cents.map(|cents| format!("{name} {}", euro(cents)));
        let sides = [
            side("kiosk", self.kiosk),
            side("central", self.central),
            side("really", self.physical),
        ];
        let sides: Vec<_> = sides.into_iter().flatten().collect();
        format!("{}: {}", self.title, sides.join(", "))
    }
}

fn kept<T>(side: Result<T, String>, what: &str, differences: &mut Vec<String>) -> Option<T> {
    side.map_err(|why| differences.push(format!("{what}: {why}"))).ok()
}

fn lines(kiosk: Option<&KioskSide>, central: Option<&KioskBooks>, real: &Physical) -> Vec<Line> {
    ACCOUNTS
        .iter()
        .map(|&(accounts, title)| {
            let signed = |balance: &dyn Fn(Account) -> i64| -> i64 {
                accounts.iter().map(|account| sign(*account) * balance(*account)).sum()
            };
            let kiosk = kiosk.map(|side| signed(&|account| side.balance(account)));
            let central = central.map(|side| {
                signed(&|account| side.accounts.get(&account).copied().unwrap_or_default())
            });
            let physical = real.on(accounts);
            let mut known = [kiosk, central, physical].into_iter().flatten();
            let first = known.next();
            Line {
                title,
                kiosk,
                central,
                physical,
                differs: known.any(|cents| Some(cents) != first),
            }
        })
        .collect()
}

/// Assets stand as debits, what is owed as credits; people want both positive.
fn sign(account: Account) -> i64 {
    match account {
        Account::Cashbox
        | Account::Collected
        | Account::CardTerminal
        | Account::CardSettled
        | Account::OverShort => 1,
        Account::CustomerCredit
        | Account::TopUpsQueued
        | Account::WalletPayable
        | Account::ClaimsPayable
        | Account::Suspense => -1,
    }
}

fn found_by_central(difference: &Difference) -> String {
    match difference {
        Difference::TopUp { intent, journal_cents, central_cents } => format!(
            "top-up {intent}: the journal says {}, central {}",
            euro(*journal_cents),
            euro(*central_cents)
        ),
        Difference::RunningTotal { account, running_cents, postings_cents } => format!(
            "central's total of {account:?} is {}, its postings are {}",
            euro(*running_cents),
            euro(*postings_cents)
        ),
        Difference::WalletCredits { journal_cents, central_cents } => format!(
            "wallets credited: {} by the journal, {} by central",
            euro(*journal_cents),
            euro(*central_cents)
        ),
        Difference::Payment { intent, payment, ordered_cents, paid_cents } => format!(
            "top-up {intent} of {} delivers {payment:?}, which paid {}",
            euro(*ordered_cents),
            euro(*paid_cents)
        ),
        Difference::Reversal { intent, journal_cents, central_cents } => format!(
            "reversal {intent}: the journal says {}, central {}",
            euro(*journal_cents),
            euro(*central_cents)
        ),
        Difference::CardTerminal { journal_cents, central_cents } => format!(
            "with the card terminal: {} by the journal, {} by central",
            euro(*journal_cents),
            euro(*central_cents)
        ),
        Difference::CardSettled { journal_cents, central_cents } => format!(
            "closed days of the card terminal: {} by the journal, {} by central",
            euro(*journal_cents),
            euro(*central_cents)
        ),
        Difference::Unbalanced { off_cents } => {
            format!("central's copy of the books is off by {}", euro(*off_cents))
        }
    }
}

fn euro(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02} €", cents / 100, cents % 100)
}

/// In the order of the page.
const ACCOUNTS: [(&[Account], &str); 9] = [
    (&[Account::Cashbox], "Notes in the cash box"),
    (&[Account::Collected], "Taken by the attendant"),
    (&[Account::CardTerminal, Account::CardSettled], "Charged to bank cards"),
    (&[Account::WalletPayable], "Credited to wallets"),
    (&[Account::TopUpsQueued], "Waiting for central"),
    (&[Account::CustomerCredit], "Of the customer who is here"),
    (&[Account::ClaimsPayable], "Owed against claims"),
    (&[Account::Suspense], "In doubt"),
    (&[Account::OverShort], "Over or short at a count"),
];

#[cfg(test)]
mod tests {
    use domain::Amount;
    use kiosk_records::KioskId;

    use super::*;

    fn kiosk() -> KioskSide {
        let balance = |account, cents| Balance { account, cents };
        KioskSide {
            seq: Seq(12),
            synced: Seq(12),
            accounts: vec![balance(Account::Cashbox, 3000), balance(Account::WalletPayable, -3000)],
            cash_unit: CashUnit {
                counts: vec![
                    NoteCount { note_cents: 1000, count: 1 },
                    NoteCount { note_cents: 2000, count: 1 },
                ],
            },
            open_intents: Vec::new(),
        }
    }

    fn central() -> KioskBooks {
        KioskBooks {
            kiosk: KioskId::try_from("K0001".to_owned()).unwrap(),
            last_seq: Seq(12),
            accounts: [(Account::Cashbox, 3000), (Account::WalletPayable, -3000)].into(),
            wallet_credits: Amount::euro(30),
            claims: Amount::ZERO,
            card: Default::default(),
            in_doubt: Vec::new(),
            in_transit: Amount::ZERO,
            differences: Vec::new(),
        }
    }

    fn physical() -> Physical {
        Physical::of(&[(1000, 1), (2000, 1)].into(), &BTreeMap::new(), 0)
    }

    #[test]
    fn the_same_money_in_all_three_agrees() {
        let books = Books::compare(Ok(kiosk()), Ok(central()), physical());
        assert!(books.agree && !books.settling, "{:?}", books.differences);
        let credited = books.lines.iter().find(|line| line.title == "Credited to wallets");
        assert_eq!(credited.unwrap().kiosk, Some(3000), "what is owed is shown positive");
    }

    #[test]
    fn a_note_that_nobody_booked_is_named() {
        let real = Physical::of(&[(1000, 1), (2000, 2)].into(), &BTreeMap::new(), 0);
        let books = Books::compare(Ok(kiosk()), Ok(central()), real);
        assert!(!books.agree && !books.settling);
        let expected = [
            "Notes in the cash box: kiosk 30.00 €, central 30.00 €, really 50.00 €",
            "notes of 20.00 €: kiosk 1, cash box 2",
        ];
        assert_eq!(books.differences, expected);
    }

    #[test]
    fn what_central_has_not_seen_yet_is_settling() {
        let mut late = central();
        late.last_seq = Seq(9);
        late.accounts = BTreeMap::new();
        let books = Books::compare(Ok(kiosk()), Ok(late), physical());
        assert!(!books.agree && books.settling, "{:?}", books.differences);
    }

    #[test]
    fn a_side_that_is_away_never_agrees() {
        let away = || Err("nobody answers".to_owned());
        assert!(!Books::compare(Ok(kiosk()), away(), physical()).agree);
        let books = Books::compare(Err("off".to_owned()), Ok(central()), physical());
        assert!(!books.agree && books.kiosk.is_none());
    }

    #[test]
    fn an_open_order_is_settling_and_a_doubtful_one_is_not() {
        let with = |in_doubt| {
            let mut kiosk = kiosk();
            kiosk.open_intents.push(OpenIntent {
                number: "K0001-9".to_owned(),
                act: "stack".to_owned(),
                cents: 2000,
                in_doubt,
            });
            Books::compare(Ok(kiosk), Ok(central()), physical())
        };
        assert!(with(false).settling && !with(false).agree);
        assert!(with(true).agree, "{:?}", with(true).differences);
    }
}
