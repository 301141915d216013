-- The whole truth about a printer, and slips that took another way. Times are UTC milliseconds.
-- SQLite cannot change a CHECK: the tables are built anew.

CREATE TABLE jobs_new (
    job_id       INTEGER PRIMARY KEY,
    slip_id      INTEGER NOT NULL UNIQUE,
    printer      TEXT NOT NULL,                 -- the printer it is printed on
    state        TEXT NOT NULL CHECK (state IN ('QUEUED','SENDING','PRINTED','UNSURE','FAILED','SETTLED')),
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    created_ms   INTEGER NOT NULL,
    changed_ms   INTEGER NOT NULL,
    why_zh       TEXT NOT NULL DEFAULT '',
    why_en       TEXT NOT NULL DEFAULT '',
    body         TEXT NOT NULL,                 -- PrintSlip, as it was read: kiosk.db may be away when paper returns
    -- what told us that it is printed: its number came back; the printer had worked off everything; nothing but time
    confirmed_by TEXT CHECK (confirmed_by IN ('process_id','status','time')),
    meant_for    TEXT NOT NULL DEFAULT '',      -- the printer the slip asked for, where a spare stepped in; else ''
    voided       INTEGER NOT NULL DEFAULT 0,    -- how many attempts the printer proved unfinished
    -- the number of its latest sending: the name that the printer says it by, also to a bridge that began anew
    sending      INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO jobs_new SELECT job_id, slip_id, printer, state, attempts, created_ms, changed_ms, why_zh,
    why_en, body, confirmed_by, '', 0, 0 FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_new RENAME TO jobs;
ALTER TABLE old_jobs ADD COLUMN meant_for TEXT;
ALTER TABLE old_jobs ADD COLUMN voided INTEGER;
ALTER TABLE old_jobs ADD COLUMN sending INTEGER;
CREATE INDEX jobs_waiting ON jobs(printer, job_id) WHERE state IN ('QUEUED','SENDING');

CREATE TABLE printers_new (
    printer         TEXT PRIMARY KEY,
    state           TEXT NOT NULL CHECK (state IN
                    ('ready','paper_low','paper_out','cover_open','cutter_error','recoverable','unrecoverable','offline',
                     'silent','flow_stopped','garbage','port_missing','unknown')),
    since_ms        INTEGER NOT NULL,
    why_zh          TEXT NOT NULL DEFAULT '',
    why_en          TEXT NOT NULL DEFAULT '',
    last_printed_ms INTEGER,
    mend_bytes      INTEGER NOT NULL DEFAULT 0,
    paper_mm        INTEGER NOT NULL DEFAULT 0, -- printed since the roll was changed: predicts the end where no sensor does
    model           TEXT NOT NULL DEFAULT ''    -- what the printer says of itself (GS I), "" where it says nothing
) STRICT, WITHOUT ROWID;
INSERT INTO printers_new(printer, state, since_ms, why_zh, why_en, last_printed_ms, mend_bytes)
  SELECT printer, iif(state = 'error', 'recoverable', state), since_ms, why_zh, why_en, last_printed_ms, mend_bytes
  FROM printers;
DROP TABLE printers;
ALTER TABLE printers_new RENAME TO printers;

-- What a printer's state was, for "how often was the cover open this month": one row a change, 400 days.
CREATE TABLE printer_moves (
    move_id INTEGER PRIMARY KEY,
    printer TEXT NOT NULL,
    state   TEXT NOT NULL,
    at_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX printer_moves_of ON printer_moves(printer, at_ms);
