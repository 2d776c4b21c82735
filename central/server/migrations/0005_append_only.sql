-- What is written stays written. Triggers are the one thing that each database spells in its own
-- way: this file is SQLite's.

CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers is append-only'); END;

CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers is append-only'); END;

CREATE TRIGGER top_ups_no_update BEFORE UPDATE ON top_ups
BEGIN SELECT RAISE(ABORT, 'top_ups is append-only'); END;

CREATE TRIGGER top_ups_no_delete BEFORE DELETE ON top_ups
BEGIN SELECT RAISE(ABORT, 'top_ups is append-only'); END;

CREATE TRIGGER card_status_changes_no_update BEFORE UPDATE ON card_status_changes
BEGIN SELECT RAISE(ABORT, 'card_status_changes is append-only'); END;

CREATE TRIGGER card_status_changes_no_delete BEFORE DELETE ON card_status_changes
BEGIN SELECT RAISE(ABORT, 'card_status_changes is append-only'); END;

CREATE TRIGGER journal_lines_no_update BEFORE UPDATE ON journal_lines
BEGIN SELECT RAISE(ABORT, 'journal_lines is append-only'); END;

CREATE TRIGGER journal_lines_no_delete BEFORE DELETE ON journal_lines
BEGIN SELECT RAISE(ABORT, 'journal_lines is append-only'); END;

CREATE TRIGGER journal_postings_no_update BEFORE UPDATE ON journal_postings
BEGIN SELECT RAISE(ABORT, 'journal_postings is append-only'); END;

CREATE TRIGGER journal_postings_no_delete BEFORE DELETE ON journal_postings
BEGIN SELECT RAISE(ABORT, 'journal_postings is append-only'); END;

-- An account keeps its sums, and they only grow.
CREATE TRIGGER accounts_no_delete BEFORE DELETE ON accounts
BEGIN SELECT RAISE(ABORT, 'accounts are not deleted'); END;

CREATE TRIGGER accounts_grow BEFORE UPDATE ON accounts
WHEN new.debits < old.debits OR new.credits < old.credits
BEGIN SELECT RAISE(ABORT, 'sums of an account only grow'); END;

-- An outcome is final.
CREATE TRIGGER journal_intents_final BEFORE UPDATE ON journal_intents
WHEN old.closed_seq IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an intent has one final outcome'); END;

CREATE TRIGGER journal_intents_no_delete BEFORE DELETE ON journal_intents
BEGIN SELECT RAISE(ABORT, 'journal_intents is append-only'); END;

CREATE TRIGGER card_days_no_update BEFORE UPDATE ON card_days
BEGIN SELECT RAISE(ABORT, 'card_days is append-only'); END;

CREATE TRIGGER card_days_no_delete BEFORE DELETE ON card_days
BEGIN SELECT RAISE(ABORT, 'card_days is append-only'); END;
