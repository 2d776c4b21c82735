-- Accounts in double entry. Every table begins its key with the tenant (the municipality), so that
-- many towns can share one database and a town can be moved. Amounts are whole euro cents.
--
-- The statements keep to what SQLite and PostgreSQL share: TEXT and BIGINT, keys made by us,
-- ON CONFLICT, no functions of either.

-- An account carries the sums of its transfers, changed in the transaction that writes them.
-- A wallet is owed to its holder: never below nothing, never above its maximum, whatever the code
-- says.
CREATE TABLE accounts (
    tenant TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('wallet', 'kiosk_cash', 'card_terminal', 'card_settled', 'claims',
                        'other_top_ups', 'services')),
    debits BIGINT NOT NULL DEFAULT 0 CHECK (debits >= 0),
    credits BIGINT NOT NULL DEFAULT 0 CHECK (credits >= 0),
    max_cents BIGINT CHECK (max_cents >= 0),
    PRIMARY KEY (tenant, account),
    CHECK (kind <> 'wallet' OR max_cents IS NOT NULL),
    CHECK (kind <> 'wallet' OR credits >= debits),
    CHECK (kind <> 'wallet' OR credits - debits <= max_cents)
);

-- A transfer moves an amount out of one account (credit) into another (debit). It is never changed:
-- a correction is a transfer the other way. Its id is made from what caused it, so the same cause
-- cannot move money twice.
CREATE TABLE transfers (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    cents BIGINT NOT NULL CHECK (cents > 0),
    kind TEXT NOT NULL
        CHECK (kind IN ('cash_top_up', 'card_top_up', 'other_top_up', 'purchase', 'refund',
                        'claim', 'reversal', 'settlement')),
    at_ms BIGINT NOT NULL,
    at_offset_min BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, debit) REFERENCES accounts (tenant, account),
    FOREIGN KEY (tenant, credit) REFERENCES accounts (tenant, account),
    CHECK (debit <> credit)
);

-- For a wallet's statement.
CREATE INDEX transfers_by_credit ON transfers (tenant, credit, at_ms);
CREATE INDEX transfers_by_debit ON transfers (tenant, debit, at_ms);
