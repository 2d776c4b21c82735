//! Central's books looked at as a whole, by SQL alone: nothing here shares a line with the code
//! that wrote them.

use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

/// Everything that may not be in central's books, each as a sentence. Empty = they are sound.
pub(crate) async fn find(db: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut found = Vec::new();
    for (what, query) in FAULTS {
        for row in sqlx::query(query).fetch_all(&mut *db).await? {
            found.push(format!("{what}: {}", row.try_get::<&str, _>("subject")?));
        }
    }
    Ok(found)
}

/// Each finds the rows that break a rule.
const FAULTS: [(&str, &str); 11] = [
    (
        "an account's sums are not those of its transfers",
        "SELECT a.account AS subject FROM accounts a
         WHERE a.debits <> (SELECT COALESCE(SUM(t.cents), 0) FROM transfers t
                            WHERE t.tenant = a.tenant AND t.debit = a.account)
            OR a.credits <> (SELECT COALESCE(SUM(t.cents), 0) FROM transfers t
                             WHERE t.tenant = a.tenant AND t.credit = a.account)",
    ),
    (
        "debits and credits of a town do not sum to the same",
        "SELECT tenant AS subject FROM accounts GROUP BY tenant
         HAVING SUM(debits) <> SUM(credits)",
    ),
    (
        "a wallet is out of its bounds",
        "SELECT account AS subject FROM accounts
         WHERE kind = 'wallet' AND (credits < debits OR credits - debits > max_cents)",
    ),
    (
        "a top-up's transfer is missing, or of another amount, kind or kiosk",
        "SELECT u.kiosk || '-' || u.seq AS subject FROM top_ups u LEFT JOIN transfers t
              ON t.tenant = u.tenant AND t.id = u.transfer
         WHERE t.cents IS NULL OR t.cents <> u.cents
            OR t.kind <> CASE WHEN u.outcome = 'refused' THEN 'claim'
                              WHEN u.tender = 'card' THEN 'card_top_up'
                              ELSE 'cash_top_up' END
            OR t.debit <> CASE WHEN u.tender = 'card' THEN 'card_terminal:' || u.kiosk
                               ELSE 'kiosk_cash:' || u.kiosk END",
    ),
    (
        "a kiosk's takings were booked without a top-up",
        "SELECT t.id AS subject FROM transfers t LEFT JOIN top_ups u
              ON u.tenant = t.tenant AND u.transfer = t.id
         WHERE t.kind IN ('cash_top_up', 'card_top_up', 'claim') AND u.transfer IS NULL",
    ),
    (
        "a bank card got back what no journal gave back, or no office owed",
        "SELECT t.id AS subject FROM transfers t
         WHERE t.kind = 'reversal' AND NOT EXISTS (
             SELECT 1 FROM journal_intents r
                  JOIN journal_postings p
                       ON p.tenant = r.tenant AND p.kiosk = r.kiosk AND p.seq = r.closed_seq
                          AND p.account = 'card_terminal' AND p.cents = -t.cents
                  JOIN journal_intents d
                       ON d.tenant = r.tenant AND d.kiosk = r.kiosk AND d.payment = r.payment
                          AND d.kind = 'top_up_ordered'
                  JOIN top_ups u
                       ON u.tenant = d.tenant AND u.kiosk = d.kiosk AND u.seq = d.seq
                          AND u.outcome = 'refused' AND u.tender = 'card' AND u.cents = t.cents
             WHERE r.tenant = t.tenant AND r.kind = 'reversal_ordered'
                   AND t.id = 'RV-' || r.kiosk || '-' || r.payment
                   AND t.debit = 'claims:' || r.kiosk
                   AND t.credit = 'card_terminal:' || r.kiosk)",
    ),
    (
        "a terminal's end of day is in a journal and not in the books",
        "SELECT l.kiosk || '-' || l.seq AS subject FROM journal_lines l LEFT JOIN card_days d
              ON d.tenant = l.tenant AND d.kiosk = l.kiosk AND d.seq = l.seq
         WHERE l.kind = 'card_day_closed' AND d.seq IS NULL",
    ),
    (
        "an end of day did not settle what the journal has of it",
        "SELECT d.kiosk || '-' || d.seq AS subject FROM card_days d LEFT JOIN transfers t
              ON t.tenant = d.tenant AND t.id = 'CD-' || d.kiosk || '-' || d.seq
         WHERE COALESCE(CASE WHEN t.debit = 'card_settled:' || d.kiosk THEN t.cents
                             ELSE -t.cents END, 0)
            <> (SELECT COALESCE(SUM(p.cents), 0) FROM journal_lines l JOIN journal_postings p
                     ON p.tenant = l.tenant AND p.kiosk = l.kiosk AND p.seq = l.seq
                WHERE l.tenant = d.tenant AND l.kiosk = d.kiosk AND l.seq < d.seq
                      AND l.seq > COALESCE((SELECT MAX(e.seq) FROM card_days e
                                            WHERE e.tenant = d.tenant AND e.kiosk = d.kiosk
                                                  AND e.seq < d.seq), 0)
                      AND l.kind IN ('payment_approved', 'payment_reversed')
                      AND p.account = 'card_terminal')",
    ),
    (
        "takings by bank card were settled without an end of day",
        "SELECT t.id AS subject FROM transfers t LEFT JOIN card_days d
              ON d.tenant = t.tenant AND 'CD-' || d.kiosk || '-' || d.seq = t.id
         WHERE t.kind = 'settlement' AND d.seq IS NULL",
    ),
    (
        "an account of bank cards was moved by something else",
        "SELECT t.id AS subject FROM transfers t JOIN accounts a
              ON a.tenant = t.tenant AND a.account IN (t.debit, t.credit)
         WHERE (a.kind = 'card_terminal'
                AND t.kind NOT IN ('card_top_up', 'claim', 'reversal', 'settlement'))
            OR (a.kind = 'card_settled' AND t.kind <> 'settlement')",
    ),
    (
        "a journal has a gap or a broken chain",
        "SELECT l.kiosk || '-' || l.seq AS subject FROM journal_lines l LEFT JOIN journal_lines p
              ON p.tenant = l.tenant AND p.kiosk = l.kiosk AND p.seq = l.seq - 1
         WHERE l.seq > 1 AND (p.hash IS NULL OR p.hash <> l.prev_hash)",
    ),
];
