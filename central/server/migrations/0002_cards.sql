-- The register of cards. One row is one physical card; a replacement is a new row with the next
-- issue. card_ref is the keyed pseudonym of number and chip. Expiry is a date, not a status.
CREATE TABLE cards (
    tenant TEXT NOT NULL,
    card_ref TEXT NOT NULL,
    number TEXT NOT NULL,
    issue BIGINT NOT NULL CHECK (issue BETWEEN 1 AND 255),
    uid TEXT NOT NULL,
    holder TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'blocked', 'suspended')),
    expires_day BIGINT NOT NULL,
    pin_hash TEXT NOT NULL,
    wallet TEXT NOT NULL,
    PRIMARY KEY (tenant, card_ref),
    UNIQUE (tenant, number, issue),
    FOREIGN KEY (tenant, wallet) REFERENCES accounts (tenant, account)
);

-- Who changed a card's status, and when. Never changed itself. The version is the hotlist's.
CREATE TABLE card_status_changes (
    tenant TEXT NOT NULL,
    version BIGINT NOT NULL,
    card_ref TEXT NOT NULL,
    status TEXT NOT NULL,
    operator TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, version),
    FOREIGN KEY (tenant, card_ref) REFERENCES cards (tenant, card_ref)
);

-- Wrong PINs in a row, for every card that was ever claimed, real or not: an answer must not tell
-- which cards exist. locked_until_ms 0 = not locked by time.
CREATE TABLE pin_guards (
    tenant TEXT NOT NULL,
    card_ref TEXT NOT NULL,
    failures BIGINT NOT NULL CHECK (failures >= 0),
    locked_until_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, card_ref)
);

-- What a person has to look at. The same thing again counts up instead of filling the disk.
CREATE TABLE incidents (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    detail TEXT NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    times BIGINT NOT NULL CHECK (times >= 1),
    PRIMARY KEY (tenant, kind, subject, kiosk)
);
