use domain::{CardNumber, CardRef};
use sqlx::sqlite::SqliteConnection;

/// What a person has to look at; `docs/ops/central.md` says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Incident {
    /// A card's number came with a chip it was not made for.
    CloneSuspected,
    /// A kiosk's journal contradicts what central holds of it.
    JournalDiverged,
    /// A kiosk's journal lines fail the audit.
    JournalInvalid,
    /// A journal says of a top-up what central does not.
    TopUpMismatch,
    /// A journal's outcome moved another amount than was ordered.
    OutcomeMismatch,
    /// A journal's top-up delivers a bank-card payment that does not fit it, or not it alone; or a
    /// payment was ordered out of turn.
    PaymentMismatch,
    /// A bank card got back what central does not owe.
    ReversalMismatch,
    /// A terminal's end of day says another sum than its kiosk's journal.
    CardDayMismatch,
    /// A kiosk used a key again for something else.
    KeyReused,
    /// A kiosk used another kiosk's key.
    KeyForeign,
}

impl Incident {
    pub(crate) const ALL: [Self; 10] = [
        Self::CloneSuspected,
        Self::JournalDiverged,
        Self::JournalInvalid,
        Self::TopUpMismatch,
        Self::OutcomeMismatch,
        Self::PaymentMismatch,
        Self::ReversalMismatch,
        Self::CardDayMismatch,
        Self::KeyReused,
        Self::KeyForeign,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CloneSuspected => "clone_suspected",
            Self::JournalDiverged => "journal_diverged",
            Self::JournalInvalid => "journal_invalid",
            Self::TopUpMismatch => "top_up_mismatch",
            Self::OutcomeMismatch => "outcome_mismatch",
            Self::PaymentMismatch => "payment_mismatch",
            Self::ReversalMismatch => "reversal_mismatch",
            Self::CardDayMismatch => "card_day_mismatch",
            Self::KeyReused => "key_reused",
            Self::KeyForeign => "key_foreign",
        }
    }
}

/// Writes an incident down, or counts it up. `subject` and `detail` hold no personal data.
pub(crate) async fn report(
    db: &mut SqliteConnection,
    tenant: &str,
    incident: Incident,
    kiosk: &str,
    subject: &str,
    detail: &str,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO incidents (tenant, kind, subject, kiosk, detail, first_ms, last_ms, times)
         VALUES ($1, $2, $3, $4, $5, $6, $6, 1)
         ON CONFLICT (tenant, kind, subject, kiosk) DO UPDATE SET
             detail = excluded.detail, last_ms = excluded.last_ms, times = incidents.times + 1",
    )
    .bind(tenant)
    .bind(incident.as_str())
    .bind(subject)
    .bind(kiosk)
    .bind(detail)
    .bind(now_ms)
    .execute(db)
    .await
    .map(drop)
}

/// Is this number in the register, though not on this chip? Then it is a copy, or someone made a
/// card up. One statement, whatever the answer: it must not be heard in the time of the reply.
/// Returns whether it is.
pub(crate) async fn report_if_clone(
    db: &mut SqliteConnection,
    tenant: &str,
    kiosk: &str,
    number: CardNumber,
    claimed: CardRef,
    now_ms: i64,
) -> Result<bool, sqlx::Error> {
    let written = sqlx::query(
        "INSERT INTO incidents (tenant, kind, subject, kiosk, detail, first_ms, last_ms, times)
         SELECT $1, $2, $3, $4, 'known as ' || MAX(c.card_ref), $5, $5, 1 FROM cards c
         WHERE c.tenant = $1 AND c.number = $6
         HAVING COUNT(*) > 0 AND SUM(CASE WHEN c.card_ref = $3 THEN 1 ELSE 0 END) = 0
         ON CONFLICT (tenant, kind, subject, kiosk) DO UPDATE SET
             last_ms = excluded.last_ms, times = incidents.times + 1",
    )
    .bind(tenant)
    .bind(Incident::CloneSuspected.as_str())
    .bind(claimed.to_string())
    .bind(kiosk)
    .bind(now_ms)
    .bind(number.to_string())
    .execute(db)
    .await?;
    Ok(written.rows_affected() > 0)
}
