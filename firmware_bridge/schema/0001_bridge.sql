-- bridge.db, first schema. Times are UTC milliseconds. Only the bridge writes here.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One slip on its way to one printer. UNIQUE(slip_id): a slip is a job once, however often it is read.
CREATE TABLE jobs (
    job_id       INTEGER PRIMARY KEY,
    slip_id      INTEGER NOT NULL UNIQUE,
    printer      TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('QUEUED','SENDING','PRINTED','UNSURE','FAILED','SETTLED')),
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    created_ms   INTEGER NOT NULL,
    changed_ms   INTEGER NOT NULL,
    why_zh       TEXT NOT NULL DEFAULT '',
    why_en       TEXT NOT NULL DEFAULT '',
    body         TEXT NOT NULL,                 -- PrintSlip, as it was read: kiosk.db may be away when paper returns
    -- what told us that it is printed: its number came back, or the printer had worked off everything
    confirmed_by TEXT CHECK (confirmed_by IN ('process_id','status'))
) STRICT;
CREATE INDEX jobs_waiting ON jobs(printer, job_id) WHERE state IN ('QUEUED','SENDING');

-- The jobs of a kiosk.db that was replaced (restored from a backup): kept for questions, never printed.
CREATE TABLE old_jobs (
    epoch TEXT NOT NULL, job_id INTEGER, slip_id INTEGER, printer TEXT, state TEXT, attempts INTEGER,
    created_ms INTEGER, changed_ms INTEGER, why_zh TEXT, why_en TEXT, body TEXT, confirmed_by TEXT
) STRICT;

CREATE TABLE printers (
    printer         TEXT PRIMARY KEY,
    state           TEXT NOT NULL CHECK (state IN
                    ('ready','paper_out','paper_low','cover_open','silent','port_missing','error')),
    since_ms        INTEGER NOT NULL,
    why_zh          TEXT NOT NULL DEFAULT '',
    why_en          TEXT NOT NULL DEFAULT '',
    last_printed_ms INTEGER,
    -- Bytes of a block that the printer may still be waiting for: > 0 from before a slip's first byte until the
    -- printer said "done". Whoever sends next begins with that many NULs, even after a crash.
    mend_bytes      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE panels (
    panel    TEXT PRIMARY KEY,
    state    TEXT NOT NULL CHECK (state IN ('ready','silent','port_missing')),
    shown    TEXT NOT NULL DEFAULT '',
    since_ms INTEGER NOT NULL,
    why_zh   TEXT NOT NULL DEFAULT '',
    why_en   TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE bridge_alive (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    pid        INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    beat_ms    INTEGER NOT NULL
) STRICT;
