-- gateway.db, fifth schema: a journal in which no line can be changed or taken away unnoticed (gateway/journal.py).

-- when the line was written; at_ms is when what it tells happened. From the two: how long until a press was heard
ALTER TABLE journal ADD COLUMN written_ms INTEGER NOT NULL DEFAULT 0;
-- salt: of this line alone, so that an erased word cannot be guessed from its hash; '' where the words were erased
ALTER TABLE journal ADD COLUMN salt TEXT NOT NULL DEFAULT '';
-- seal: the hash of salt, actor and detail; chain: the hash of the line before, of this line's other columns and of seal
ALTER TABLE journal ADD COLUMN seal TEXT NOT NULL DEFAULT '';
ALTER TABLE journal ADD COLUMN chain TEXT NOT NULL DEFAULT '';

CREATE TRIGGER journal_stays BEFORE DELETE ON journal
BEGIN
    SELECT raise(ABORT, 'the journal is append-only');
END;
-- Who acted and what was said may be erased, on a person's demand; that there was something stays to be seen.
CREATE TRIGGER journal_is_not_changed BEFORE UPDATE ON journal
WHEN NOT (new.actor = '' AND new.detail = '' AND new.salt = '' AND new.line_id = old.line_id AND new.at_ms = old.at_ms
          AND new.written_ms = old.written_ms AND new.event = old.event AND new.subject = old.subject
          AND new.seal = old.seal AND new.chain = old.chain)
BEGIN
    SELECT raise(ABORT, 'the journal is append-only');
END;
