use domain::{Amount, MovementKind, Wall, WalletMovement};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteExecutor};

/// What an account is for. Its name in the database is made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LedgerAccount<'a> {
    /// What the town owes a holder (credit).
    Wallet(&'a str),
    /// Cash in a kiosk for what central booked (debit).
    KioskCash(&'a str),
    /// What a kiosk's terminal took from bank cards for what central booked, less what it gave back
    /// and what its ends of day have closed (debit).
    CardTerminal(&'a str),
    /// What ends of day of a kiosk's terminal have closed: with the acquirer (debit).
    CardSettled(&'a str),
    /// What the office owes for refused top-ups of a kiosk (credit).
    Claims(&'a str),
    /// Money that came in elsewhere: web, office, shop (debit).
    OtherTopUps,
    /// What municipal services were paid (credit).
    Services,
}

impl LedgerAccount<'_> {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Wallet(id) => format!("wallet:{id}"),
            Self::KioskCash(kiosk) => format!("kiosk_cash:{kiosk}"),
            Self::CardTerminal(kiosk) => format!("card_terminal:{kiosk}"),
            Self::CardSettled(kiosk) => format!("card_settled:{kiosk}"),
            Self::Claims(kiosk) => format!("claims:{kiosk}"),
            Self::OtherTopUps => "other_top_ups".to_owned(),
            Self::Services => "services".to_owned(),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Wallet(_) => "wallet",
            Self::KioskCash(_) => "kiosk_cash",
            Self::CardTerminal(_) => "card_terminal",
            Self::CardSettled(_) => "card_settled",
            Self::Claims(_) => "claims",
            Self::OtherTopUps => "other_top_ups",
            Self::Services => "services",
        }
    }
}

/// Makes sure an account exists; `max` is for wallets.
pub(crate) async fn open_account(
    db: &mut SqliteConnection,
    tenant: &str,
    account: &LedgerAccount<'_>,
    max: Option<Amount>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO accounts (tenant, account, kind, max_cents) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, account) DO NOTHING",
    )
    .bind(tenant)
    .bind(account.name())
    .bind(account.kind())
    .bind(max.map(Amount::cents))
    .execute(db)
    .await
    .map(drop)
}

/// Wallets follow a new maximum; one that holds more than it keeps what it has.
pub(crate) async fn set_wallet_max(
    db: &mut SqliteConnection,
    tenant: &str,
    max: Amount,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE accounts
         SET max_cents = CASE WHEN credits - debits > $2 THEN credits - debits ELSE $2 END
         WHERE tenant = $1 AND kind = 'wallet'",
    )
    .bind(tenant)
    .bind(max.cents())
    .execute(db)
    .await
    .map(drop)
}

/// An amount out of one account and into another, for good.
#[derive(Clone, Debug)]
pub(crate) struct Transfer<'a> {
    /// Made from the cause: the same cause fails the second time.
    pub(crate) id: &'a str,
    pub(crate) debit: LedgerAccount<'a>,
    pub(crate) credit: LedgerAccount<'a>,
    /// Not zero.
    pub(crate) amount: Amount,
    pub(crate) kind: TransferKind,
    pub(crate) at: Wall,
}

/// Why money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransferKind {
    Movement(MovementKind),
    /// A refused top-up, owed by the office.
    Claim,
    /// A refused top-up that went back to the bank card: owed no longer.
    Reversal,
    /// An end of day of a terminal: with the acquirer.
    Settlement,
}

impl TransferKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Movement(MovementKind::CashTopUp) => "cash_top_up",
            Self::Movement(MovementKind::CardTopUp) => "card_top_up",
            Self::Movement(MovementKind::OtherTopUp) => "other_top_up",
            Self::Movement(MovementKind::Purchase) => "purchase",
            Self::Movement(MovementKind::Refund) => "refund",
            Self::Claim => "claim",
            Self::Reversal => "reversal",
            Self::Settlement => "settlement",
        }
    }
}

/// Writes a transfer and the sums of its two accounts. The accounts exist. Returns the balance of
/// the credited account (credits less debits).
///
/// # Errors
/// The database's, also when a wallet would leave its bounds: nothing of it stays when the caller
/// fails with it.
pub(crate) async fn transfer(
    db: &mut SqliteConnection,
    tenant: &str,
    transfer: &Transfer<'_>,
) -> Result<i64, sqlx::Error> {
    let (debit, credit) = (transfer.debit.name(), transfer.credit.name());
    sqlx::query(
        "INSERT INTO transfers (tenant, id, debit, credit, cents, kind, at_ms, at_offset_min)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tenant)
    .bind(transfer.id)
    .bind(&debit)
    .bind(&credit)
    .bind(transfer.amount.cents())
    .bind(transfer.kind.as_str())
    .bind(transfer.at.utc_ms)
    .bind(transfer.at.offset_min)
    .execute(&mut *db)
    .await?;
    sqlx::query("UPDATE accounts SET debits = debits + $3 WHERE tenant = $1 AND account = $2")
        .bind(tenant)
        .bind(&debit)
        .bind(transfer.amount.cents())
        .execute(&mut *db)
        .await?;
    sqlx::query_scalar(
        "UPDATE accounts SET credits = credits + $3 WHERE tenant = $1 AND account = $2
         RETURNING credits - debits",
    )
    .bind(tenant)
    .bind(&credit)
    .bind(transfer.amount.cents())
    .fetch_one(db)
    .await
}

/// The newest movements of a wallet, newest first.
pub(crate) async fn movements(
    db: impl SqliteExecutor<'_>,
    tenant: &str,
    wallet: &str,
    limit: u32,
) -> Result<Vec<WalletMovement>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT id, at_ms, at_offset_min, kind, cents AS signed_cents FROM transfers
         WHERE tenant = $1 AND credit = $2
         UNION ALL
         SELECT id, at_ms, at_offset_min, kind, -cents AS signed_cents FROM transfers
         WHERE tenant = $1 AND debit = $2
         ORDER BY at_ms DESC, id DESC LIMIT $3",
    )
    .bind(tenant)
    .bind(LedgerAccount::Wallet(wallet).name())
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(WalletMovement {
                at: Wall {
                    utc_ms: row.try_get("at_ms")?,
                    offset_min: row.try_get("at_offset_min")?,
                },
                kind: movement_kind(row.try_get("kind")?)?,
                cents: row.try_get("signed_cents")?,
            })
        })
        .collect()
}

fn movement_kind(word: &str) -> Result<MovementKind, sqlx::Error> {
    use MovementKind::{CardTopUp, CashTopUp, OtherTopUp, Purchase, Refund};
    [CashTopUp, CardTopUp, OtherTopUp, Purchase, Refund]
        .into_iter()
        .find(|kind| TransferKind::Movement(*kind).as_str() == word)
        .ok_or_else(|| unreadable("transfers.kind"))
}

/// An amount out of the database.
pub(crate) fn cents(value: i64) -> Result<Amount, sqlx::Error> {
    Amount::from_cents(value).map_err(|_| unreadable("cents"))
}

/// A column holds what we never wrote.
pub(crate) fn unreadable(column: &'static str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: "not a word central writes".into(),
    }
}
