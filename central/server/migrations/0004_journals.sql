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
-- intent only.
CREATE TABLE journal_intents (
    tenant TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('stack_ordered', 'top_up_ordered')),
    cents BIGINT NOT NULL,
    closed_seq BIGINT,
    closed_cents BIGINT,
    outcome TEXT,
    PRIMARY KEY (tenant, kiosk, seq),
    UNIQUE (tenant, kiosk, closed_seq),
    FOREIGN KEY (tenant, kiosk, seq) REFERENCES journal_lines (tenant, kiosk, seq),
    CHECK ((closed_seq IS NULL) = (outcome IS NULL)),
    CHECK ((closed_seq IS NULL) = (closed_cents IS NULL)),
    CHECK (closed_seq > seq)
);
