-- kiosk.db: what the faces promise to residents. Times are UTC milliseconds.

CREATE TABLE meta(
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- A number in the line. It carries no personal data. `business_day` (YYYY-MM-DD, the hall's zone) never decreases.
-- A ticket belongs to a window only from the moment it is called.
CREATE TABLE tickets(
    ticket_id    INTEGER PRIMARY KEY,
    business_day TEXT    NOT NULL,
    prefix       TEXT    NOT NULL,
    number       INTEGER NOT NULL CHECK (number > 0),
    service_code TEXT    NOT NULL,
    key          TEXT    NOT NULL UNIQUE,           -- the client's idempotency key: a double tap is one ticket
    token        TEXT    NOT NULL UNIQUE,           -- 96 random bits: who holds the paper may look at its place
    lang         TEXT    NOT NULL CHECK (lang IN ('zh', 'en')),
    screen       TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('WAITING', 'CALLED', 'NO_SHOW', 'DONE')),
    window_id    TEXT,
    taken_ms     INTEGER NOT NULL,
    called_ms    INTEGER,                           -- the latest call
    calls        INTEGER NOT NULL DEFAULT 0,        -- how often it was called
    changed_ms   INTEGER NOT NULL,
    UNIQUE (business_day, prefix, number),
    CHECK ((state = 'WAITING') = (window_id IS NULL))
) STRICT;
CREATE INDEX tickets_in_line ON tickets(business_day, ticket_id) WHERE state = 'WAITING';
CREATE INDEX tickets_called ON tickets(business_day, called_ms) WHERE called_ms IS NOT NULL;
CREATE UNIQUE INDEX one_person_at_a_window ON tickets(business_day, window_id) WHERE state = 'CALLED';

-- The windows as the catalogue of this run names them, so that the notebook can be read without it.
CREATE TABLE windows(
    window_id  TEXT PRIMARY KEY,
    name_zh    TEXT NOT NULL,
    name_en    TEXT NOT NULL
) STRICT;

-- The outbox of paper: the bridge reads it and prints each row once. Written in the ticket's own transaction.
CREATE TABLE slips(
    slip_id    INTEGER PRIMARY KEY,
    printer    TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    body       TEXT    NOT NULL,                     -- JSON, a PrintSlip
    created_ms INTEGER NOT NULL,
    reprint_of INTEGER REFERENCES slips(slip_id),
    ticket_id  INTEGER REFERENCES tickets(ticket_id)
) STRICT;
CREATE INDEX slips_of_ticket ON slips(ticket_id);

-- Staff's word on a slip of which nobody could know whether it came out.
CREATE TABLE slip_verdicts(
    verdict_id INTEGER PRIMARY KEY,
    slip_id    INTEGER NOT NULL REFERENCES slips(slip_id),
    verdict    TEXT    NOT NULL CHECK (verdict IN ('printed', 'reprinted', 'given_up')),
    by         TEXT    NOT NULL,
    at_ms      INTEGER NOT NULL
) STRICT;

-- What happened, in order, never changed. `before` is what undo goes back to.
CREATE TABLE journal(
    entry_id  INTEGER PRIMARY KEY,
    at_ms     INTEGER NOT NULL,
    by        TEXT    NOT NULL,
    event     TEXT    NOT NULL,
    ticket_id INTEGER REFERENCES tickets(ticket_id),
    before    TEXT    NOT NULL DEFAULT '{}',
    detail    TEXT    NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX journal_of_ticket ON journal(ticket_id, entry_id);
