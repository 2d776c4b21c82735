-- The kiosks' journals as they arrived, and what central reads out of them by itself.

-- The line itself. A kiosk's lines are gapless from 1 and chained by hash; nothing is overwritten.
CREATE TABLE journal_lines (
    tenant TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    wall_ms BIGINT NOT NULL,
    business_date TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, kiosk, seq)
);

-- How far a journal has come.
CREATE TABLE journal_heads (
    tenant TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    last_seq BIGINT NOT NULL,
    last_hash TEXT NOT NULL,
    PRIMARY KEY (tenant, kiosk)
);

-- Its postings: debit positive, credit negative.
CREATE TABLE journal_postings (
    tenant TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    seq BIGINT NOT NULL,
    line BIGINT NOT NULL,
    account TEXT NOT NULL,
    cents BIGINT NOT NULL,
    PRIMARY KEY (tenant, kiosk, seq, line),
    FOREIGN KEY (tenant, kiosk, seq) REFERENCES journal_lines (tenant, kiosk, seq)
);

-- Their running totals by account.
CREATE TABLE journal_totals (
    tenant TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    account TEXT NOT NULL,
    cents BIGINT NOT NULL,
    PRIMARY KEY (tenant, kiosk, account)
);

-- Its intents: what was ordered, and what the one final outcome (M3) moved. A line closes one
-- intent only. payment is the bank-card payment that a top-up delivers or a reversal gives back;
-- the sum of a reversal is the payment's, 0 if there is no such payment. doubt_seq and claim_seq
-- are the lines that say that the outcome is not known, and that the customer holds a claim for it;
-- is_late says that the customer had gone when it turned out to be paid.
CREATE TABLE journal_intents (
    tenant TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('stack_ordered', 'top_up_ordered', 'payment_ordered', 'reversal_ordered')),
    cents BIGINT NOT NULL,
    payment BIGINT,
    doubt_seq BIGINT,
    claim_seq BIGINT,
    is_late BIGINT NOT NULL DEFAULT 0 CHECK (is_late IN (0, 1)),
    closed_seq BIGINT,
    closed_cents BIGINT,
    outcome TEXT,
    PRIMARY KEY (tenant, kiosk, seq),
    UNIQUE (tenant, kiosk, closed_seq),
    FOREIGN KEY (tenant, kiosk, seq) REFERENCES journal_lines (tenant, kiosk, seq),
    CHECK ((closed_seq IS NULL) = (outcome IS NULL)),
    CHECK ((closed_seq IS NULL) = (closed_cents IS NULL)),
    CHECK (closed_seq > seq),
    CHECK (doubt_seq > seq),
    CHECK (claim_seq > doubt_seq),
    CHECK (kind <> 'reversal_ordered' OR payment IS NOT NULL)
);

-- For the payment of a top-up or a reversal.
CREATE INDEX journal_intents_by_payment ON journal_intents (tenant, kiosk, payment);

-- Ends of day of a kiosk's terminal: what the terminal says it took since the one before, less what
-- it gave back; what central counts in the journal's payments and reversals of that time; and what
-- the kiosk posted.
CREATE TABLE card_days (
    tenant TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    seq BIGINT NOT NULL,
    terminal_cents BIGINT NOT NULL CHECK (terminal_cents >= 0),
    terminal_count BIGINT CHECK (terminal_count >= 0),
    counted_cents BIGINT NOT NULL,
    payments BIGINT NOT NULL CHECK (payments >= 0),
    reversals BIGINT NOT NULL CHECK (reversals >= 0),
    posted_cents BIGINT NOT NULL,
    agrees BIGINT NOT NULL CHECK (agrees IN (0, 1)),
    PRIMARY KEY (tenant, kiosk, seq),
    FOREIGN KEY (tenant, kiosk, seq) REFERENCES journal_lines (tenant, kiosk, seq)
);
