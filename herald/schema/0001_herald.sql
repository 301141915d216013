-- herald.db, first schema. Times are UTC milliseconds. Only the herald writes here. What is needed for ever (what became
-- of a message) is told to the gateway; this notebook may be lost: then what gateway.db calls queued is sent (again).
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One message of gateway.db on its way. Its text and address stay there; `channel` is the address's scheme alone.
CREATE TABLE sendings (
    message_id TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,                -- the message's: an id may come again in a gateway.db begun anew
    channel    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting','sending','sent','failed','void')),
    attempts   INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_ms    INTEGER NOT NULL DEFAULT 0,      -- when it is tried again, for people; the process counts by itself
    changed_ms INTEGER NOT NULL,
    why        TEXT NOT NULL DEFAULT '',
    told       INTEGER NOT NULL DEFAULT 0       -- whether the gateway has written what stands here
) STRICT;
CREATE INDEX sendings_untold ON sendings(told) WHERE told = 0;

-- What came in by SMS. open: the gateway has not been asked yet.
CREATE TABLE replies (
    reply_id  INTEGER PRIMARY KEY,
    at_ms     INTEGER NOT NULL,
    number    TEXT NOT NULL,
    text      TEXT NOT NULL,
    helper_id TEXT NOT NULL,                    -- '': nobody of the hall's
    call_id   INTEGER NOT NULL,
    token     TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('open','accepted','refused','not_understood','stranger')),
    why       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX replies_open ON replies(state) WHERE state = 'open';

-- The hall's modem, for the staff's screen.
CREATE TABLE modems (
    modem    TEXT PRIMARY KEY,
    state    TEXT NOT NULL CHECK (state IN ('ready','no_sim','no_network','silent','port_missing','error')),
    since_ms INTEGER NOT NULL,
    why_zh   TEXT NOT NULL,
    why_en   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE herald_alive (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    pid        INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    beat_ms    INTEGER NOT NULL
) STRICT;
