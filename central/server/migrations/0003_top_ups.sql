-- Every top-up order of a kiosk and its answer, for good. The key is the kiosk and the sequence
-- number of its intent; the same key and body bring the stored answer. What was paid for a refused
-- one is in the kiosk, or at its terminal, all the same: its transfer says that the office owes it.
CREATE TABLE top_ups (
    tenant TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    body_hash TEXT NOT NULL,
    card_ref TEXT NOT NULL,
    cents BIGINT NOT NULL CHECK (cents > 0),
    offline BIGINT NOT NULL CHECK (offline IN (0, 1)),
    tender TEXT NOT NULL CHECK (tender IN ('cash', 'card')),
    outcome TEXT NOT NULL CHECK (outcome IN ('accepted', 'refused')),
    transfer TEXT NOT NULL,
    answer TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, kiosk, seq),
    UNIQUE (tenant, transfer),
    FOREIGN KEY (tenant, transfer) REFERENCES transfers (tenant, id)
);
