-- The kiosk's journal. What is written here is never changed: triggers refuse it, the hash chain
-- shows it. The triggers repeat, in code that shares nothing with the kiosk's, what must be true
-- of money: M1 (a posting sums to zero), M3 (one final outcome per intent), M8 (gapless, chained).

CREATE TABLE meta (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    schema INTEGER NOT NULL CHECK (schema > 0),
    kiosk  TEXT NOT NULL CHECK (length(kiosk) BETWEEN 1 AND 16)
) STRICT;

CREATE TRIGGER meta_is_final BEFORE UPDATE ON meta
BEGIN SELECT RAISE(ABORT, 'the journal''s identity is never changed'); END;

CREATE TRIGGER meta_stays BEFORE DELETE ON meta
BEGIN SELECT RAISE(ABORT, 'the journal''s identity is never deleted'); END;

CREATE TABLE record (
    seq       INTEGER PRIMARY KEY CHECK (seq > 0),
    prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
    hash      BLOB NOT NULL CHECK (length(hash) = 32),
    kind      TEXT NOT NULL CHECK (kind = body ->> '$.record.kind'),
    -- 1 where the record is an intent: its seq is the intent's name.
    opens     INTEGER NOT NULL CHECK (opens IN (0, 1)),
    -- The intent for which this record is the final outcome.
    closes    INTEGER REFERENCES record (seq) CHECK (closes = body ->> '$.record.intent'),
    body      TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX record_closes ON record (closes) WHERE closes IS NOT NULL;

-- BEFORE, so that it holds for each row of a batch and also against INSERT OR REPLACE, which would
-- get around the unique index and the DELETE trigger. Plain messages first to last: the first word
-- tells the writer what kind of refusal it is.
CREATE TRIGGER record_is_sound BEFORE INSERT ON record
BEGIN
    SELECT CASE
        WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM record)
            THEN RAISE(ABORT, 'chain: not the next sequence number')
        WHEN NEW.prev_hash <> coalesce(
            (SELECT hash FROM record WHERE seq = NEW.seq - 1), zeroblob(32))
            THEN RAISE(ABORT, 'chain: not the hash of the record before')
        WHEN NEW.closes IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM record WHERE seq = NEW.closes AND opens = 1)
            THEN RAISE(ABORT, 'intent: the record it closes is no intent')
        WHEN NEW.closes IS NOT NULL
            AND EXISTS (SELECT 1 FROM record WHERE closes = NEW.closes)
            THEN RAISE(ABORT, 'intent: it has a final outcome already')
        WHEN (SELECT sum(value ->> '$.cents')
            FROM json_each(NEW.body, '$.record.posting')) <> 0
            THEN RAISE(ABORT, 'posting: it does not sum to zero')
    END;
END;

CREATE TRIGGER record_is_final BEFORE UPDATE ON record
BEGIN SELECT RAISE(ABORT, 'a record is never changed'); END;

CREATE TRIGGER record_stays BEFORE DELETE ON record
BEGIN SELECT RAISE(ABORT, 'a record is never deleted'); END;

-- For auditors with nothing but a SQLite shell: SELECT account, sum(cents) ... GROUP BY account.
CREATE VIEW posting_line AS
SELECT record.seq, record.kind, line.value ->> '$.account' AS account,
       line.value ->> '$.cents' AS cents
FROM record, json_each(record.body, '$.record.posting') AS line
WHERE line.type = 'object';

-- The two things that do move: how far central has everything, and how often the log was folded
-- into the database (see Journal::idle).
CREATE TABLE cursor (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    synced INTEGER NOT NULL CHECK (synced >= 0),
    folds  INTEGER NOT NULL CHECK (folds >= 0)
) STRICT;

CREATE TRIGGER cursor_moves_forward BEFORE UPDATE ON cursor
WHEN NEW.synced < OLD.synced OR NEW.synced > (SELECT coalesce(max(seq), 0) FROM record)
BEGIN SELECT RAISE(ABORT, 'cursor: it goes back, or beyond the last record'); END;

CREATE TRIGGER cursor_stays BEFORE DELETE ON cursor
BEGIN SELECT RAISE(ABORT, 'the cursor is never deleted'); END;

-- The books as they were after record `seq`, so that a start need not fold the whole journal. It
-- is derived: `kioskd audit` compares it with the full fold.
CREATE TABLE checkpoint (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    seq    INTEGER NOT NULL REFERENCES record (seq),
    hash   BLOB NOT NULL CHECK (length(hash) = 32),
    state  BLOB NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;
