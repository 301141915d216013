-- The line as a hall needs it: a longer life of a ticket, several items on one, lanes, windows that open and close,
-- appointments, voice. Times are UTC milliseconds.

-- SQLite cannot change a CHECK: the table is built anew. Of a ticket that is called, the old notebook did not say
-- whether somebody came; it stays CALLED, and the window's next tap settles it.
CREATE TABLE tickets_new(
    ticket_id    INTEGER PRIMARY KEY,
    business_day TEXT    NOT NULL,
    prefix       TEXT    NOT NULL,
    number       INTEGER NOT NULL CHECK (number > 0),
    service_code TEXT    NOT NULL,                  -- the item that is being waited for or served now
    key          TEXT    NOT NULL UNIQUE,           -- the client's idempotency key: a double tap is one ticket
    token        TEXT    NOT NULL UNIQUE,           -- 96 random bits: who holds the paper may look at its place
    lang         TEXT    NOT NULL CHECK (lang IN ('zh', 'en')),
    screen       TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN
                 ('WAITING', 'CALLED', 'SERVING', 'HELD', 'NO_SHOW', 'DONE', 'CANCELLED')),
    lane         TEXT    NOT NULL DEFAULT 'normal' CHECK (lane IN ('normal', 'priority')),
    lane_why     TEXT    NOT NULL DEFAULT '' CHECK (lane_why IN ('', 'elder', 'disabled', 'veteran', 'child', 'staff')),
    window_id    TEXT,
    -- Who stands where, microseconds: taken_ms * 1000 for who came now, the same after a transfer, more for who
    -- returned late, the slot's for an appointment. The smallest of a lane is its first; equal ones go by ticket_id.
    rank         INTEGER NOT NULL,
    overtaken    INTEGER NOT NULL DEFAULT 0 CHECK (overtaken >= 0),  -- later arrivals that were called before it
    taken_ms     INTEGER NOT NULL,
    waits_ms     INTEGER NOT NULL,                  -- since when it waits for this item, or waited before its call
    called_ms    INTEGER,                           -- the latest call
    began_ms     INTEGER,                           -- since when it is being served; time on hold is left out
    calls        INTEGER NOT NULL DEFAULT 0,        -- how often it was called for this item
    changed_ms   INTEGER NOT NULL,                  -- when it came into this state
    UNIQUE (business_day, prefix, number),
    CHECK (state <> 'WAITING' OR window_id IS NULL),
    CHECK (state NOT IN ('CALLED', 'SERVING', 'HELD', 'NO_SHOW', 'DONE') OR window_id IS NOT NULL),
    CHECK ((lane = 'priority') = (lane_why <> ''))
) STRICT;
INSERT INTO tickets_new(ticket_id, business_day, prefix, number, service_code, key, token, lang, screen, state,
    window_id, rank, taken_ms, waits_ms, called_ms, calls, changed_ms)
  SELECT ticket_id, business_day, prefix, number, service_code, key, token, lang, screen, state, window_id,
    taken_ms * 1000, taken_ms, taken_ms, called_ms, calls, changed_ms FROM tickets;
DROP TABLE tickets;
ALTER TABLE tickets_new RENAME TO tickets;
CREATE INDEX tickets_in_line ON tickets(business_day, rank) WHERE state = 'WAITING';
CREATE INDEX tickets_called ON tickets(business_day, called_ms) WHERE called_ms IS NOT NULL;
CREATE UNIQUE INDEX one_person_at_a_window ON tickets(business_day, window_id) WHERE state IN ('CALLED', 'SERVING');

-- A second touch within 2 s that brought a key of its own was answered with the first one's ticket: that key again is
-- that ticket again. Kept for a day.
CREATE TABLE ticket_keys(
    key       TEXT PRIMARY KEY,
    ticket_id INTEGER NOT NULL REFERENCES tickets(ticket_id),
    at_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_keys_by_time ON ticket_keys(at_ms);

-- Several items on one ticket (一票到底), in the order in which they are to be done. The first has seq 1.
CREATE TABLE ticket_items(
    ticket_id    INTEGER NOT NULL REFERENCES tickets(ticket_id),
    seq          INTEGER NOT NULL CHECK (seq > 0),
    service_code TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('open', 'done', 'dropped')),
    PRIMARY KEY (ticket_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO ticket_items(ticket_id, seq, service_code, state)
  SELECT ticket_id, 1, service_code, iif(state = 'DONE', 'done', 'open') FROM tickets;

-- One row for each item of a ticket that came to an end: what all figures and the learning of waits are made of.
-- `hour` is the hall's hour in which the waiting began. Never holds anything of a person; outlives the ticket.
CREATE TABLE serves(
    serve_id     INTEGER PRIMARY KEY,
    ticket_id    INTEGER NOT NULL,
    business_day TEXT    NOT NULL,
    hour         INTEGER NOT NULL CHECK (hour BETWEEN 0 AND 23),
    service_code TEXT    NOT NULL,
    window_id    TEXT    NOT NULL DEFAULT '',       -- '' where no window ever called it
    lane         TEXT    NOT NULL,
    outcome      TEXT    NOT NULL CHECK (outcome IN ('done', 'no_show', 'cancelled', 'transferred')),
    wait_ms      INTEGER NOT NULL CHECK (wait_ms >= 0),     -- until the call that was answered (or the end)
    service_ms   INTEGER CHECK (service_ms >= 0),           -- NULL where nobody was served
    told_low_ms  INTEGER,                           -- the range that was told when the number was taken
    told_ms      INTEGER,
    told_high_ms INTEGER,
    ended_ms     INTEGER NOT NULL
) STRICT;
CREATE INDEX serves_by_day ON serves(business_day);
CREATE INDEX serves_of_ticket ON serves(ticket_id);

-- What the person was told when the number was taken: compared with what came, in `serves`.
CREATE TABLE estimates(
    ticket_id INTEGER PRIMARY KEY REFERENCES tickets(ticket_id),
    low_ms    INTEGER NOT NULL,
    mid_ms    INTEGER NOT NULL,
    high_ms   INTEGER NOT NULL,
    ahead     INTEGER NOT NULL,
    open_windows INTEGER NOT NULL
) STRICT;

-- The windows. Those of the catalogue are there from the first start; a hall adds its own. `number` is what the voice
-- says (三号窗口). A window that was retired keeps its row: history names it.
DROP TABLE windows;
CREATE TABLE windows(
    window_id  TEXT PRIMARY KEY,
    name_zh    TEXT    NOT NULL,
    name_en    TEXT    NOT NULL,
    number     INTEGER NOT NULL CHECK (number BETWEEN 1 AND 99),
    own        INTEGER NOT NULL DEFAULT 0 CHECK (own IN (0, 1)),     -- 1: made or changed here; the catalogue's words no longer matter
    printer    TEXT    NOT NULL DEFAULT '',
    sign       TEXT    NOT NULL DEFAULT '',                          -- the LED sign above it, a [[panels]] of hall.toml
    retired_ms INTEGER,
    -- how many of the priority lane were called here since the last normal one, for the weights of the lanes
    priority_run INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Which items a window serves (its skills). Filled from the catalogue for windows that have none of their own.
CREATE TABLE window_skills(
    window_id    TEXT NOT NULL REFERENCES windows(window_id),
    service_code TEXT NOT NULL,
    PRIMARY KEY (window_id, service_code)
) STRICT, WITHOUT ROWID;

-- When a window was open, and who sat there. `closed_ms` NULL: it is open. `why` of a pause.
CREATE TABLE window_spans(
    span_id      INTEGER PRIMARY KEY,
    window_id    TEXT    NOT NULL REFERENCES windows(window_id),
    business_day TEXT    NOT NULL,
    opened_ms    INTEGER NOT NULL,
    closed_ms    INTEGER CHECK (closed_ms >= opened_ms),
    by           TEXT    NOT NULL,
    why          TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX window_open_once ON window_spans(window_id) WHERE closed_ms IS NULL;
CREATE INDEX window_spans_by_day ON window_spans(business_day);

-- `meta.windows_rev` is another word after any change of the three tables: whoever has read them knows at once whether
-- to read them again, on whatever connection, and also after a transaction that was rolled back.
INSERT INTO meta(key, value) VALUES ('windows_rev', '');
CREATE TRIGGER windows_insert AFTER INSERT ON windows BEGIN
  UPDATE meta SET value = hex(randomblob(8)) WHERE key = 'windows_rev'; END;
CREATE TRIGGER windows_update AFTER UPDATE OF name_zh, name_en, number, own, printer, sign, retired_ms ON windows BEGIN
  UPDATE meta SET value = hex(randomblob(8)) WHERE key = 'windows_rev'; END;
CREATE TRIGGER window_skills_insert AFTER INSERT ON window_skills BEGIN
  UPDATE meta SET value = hex(randomblob(8)) WHERE key = 'windows_rev'; END;
CREATE TRIGGER window_skills_delete AFTER DELETE ON window_skills BEGIN
  UPDATE meta SET value = hex(randomblob(8)) WHERE key = 'windows_rev'; END;
CREATE TRIGGER window_spans_insert AFTER INSERT ON window_spans BEGIN
  UPDATE meta SET value = hex(randomblob(8)) WHERE key = 'windows_rev'; END;
CREATE TRIGGER window_spans_update AFTER UPDATE ON window_spans BEGIN
  UPDATE meta SET value = hex(randomblob(8)) WHERE key = 'windows_rev'; END;
CREATE TRIGGER window_spans_delete AFTER DELETE ON window_spans BEGIN
  UPDATE meta SET value = hex(randomblob(8)) WHERE key = 'windows_rev'; END;

-- Rules of the line that a hall sets in its console; a key that is missing has the default of kiosk/rules/policy.py.
CREATE TABLE queue_policy(
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL                              -- JSON
) STRICT, WITHOUT ROWID;

-- When the hall is open, and when an item is served. `service_code` '' is the hall. `weekday` 1 Monday … 7 Sunday;
-- minutes of the hall's day. A day without a row is closed, where the hall has any row at all; an item without rows
-- follows the hall. `hall_days`: exceptions (a holiday, a working Sunday), `spans` JSON [[540, 720], …], [] closed.
CREATE TABLE opening_hours(
    service_code TEXT    NOT NULL,
    weekday      INTEGER NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    from_min     INTEGER NOT NULL CHECK (from_min BETWEEN 0 AND 1439),
    to_min       INTEGER NOT NULL CHECK (to_min > from_min AND to_min <= 1440),
    PRIMARY KEY (service_code, weekday, from_min)
) STRICT, WITHOUT ROWID;
CREATE TABLE hall_days(
    day     TEXT PRIMARY KEY,
    spans   TEXT NOT NULL,
    why_zh  TEXT NOT NULL DEFAULT '',
    why_en  TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- A time that was promised. No name: who comes has the code.
CREATE TABLE appointments(
    appointment_id INTEGER PRIMARY KEY,
    code           TEXT    NOT NULL UNIQUE,          -- 8 signs without 0 O 1 I
    key            TEXT    NOT NULL UNIQUE,
    service_code   TEXT    NOT NULL,
    business_day   TEXT    NOT NULL,
    slot_ms        INTEGER NOT NULL,
    lane_why       TEXT    NOT NULL DEFAULT '',
    state          TEXT    NOT NULL CHECK (state IN ('BOOKED', 'ARRIVED', 'CANCELLED', 'MISSED')),
    ticket_id      INTEGER UNIQUE REFERENCES tickets(ticket_id),
    made_ms        INTEGER NOT NULL,
    made_by        TEXT    NOT NULL,
    changed_ms     INTEGER NOT NULL,
    CHECK ((state = 'ARRIVED') = (ticket_id IS NOT NULL))
) STRICT;
CREATE INDEX appointments_by_day ON appointments(business_day, slot_ms);
CREATE INDEX appointments_to_come ON appointments(slot_ms) WHERE state = 'BOOKED';

-- What the hall's voice is to say, in order: written with the call, so no call is forgotten and none is cut short.
CREATE TABLE announcements(
    announcement_id INTEGER PRIMARY KEY,
    ticket_id    INTEGER REFERENCES tickets(ticket_id),
    lang         TEXT    NOT NULL,                   -- the voice that says it: "zh", "en", a dialect
    words        TEXT    NOT NULL,                   -- JSON: what is said, as parts (kiosk/rules/calling_words.py)
    asked_ms     INTEGER NOT NULL,
    began_ms     INTEGER,
    ended_ms     INTEGER,
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'speaking', 'spoken', 'quiet', 'expired', 'failed')),
    why          TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX announcements_of_ticket ON announcements(ticket_id);
CREATE INDEX announcements_waiting ON announcements(announcement_id) WHERE state IN ('waiting', 'speaking');

-- A clip that the hall's own staff recorded: `part` is a word of the sentence ("digit:3", "word:window"), `voice` a
-- dialect ("zh", "en", "gy" …). Earlier takes stay, so that a swap can be taken back.
CREATE TABLE voice_clips(
    clip_id   INTEGER PRIMARY KEY,
    voice     TEXT    NOT NULL,
    part      TEXT    NOT NULL,
    file      TEXT    NOT NULL,                      -- beneath <home>/voice/, a WAV of 22,050 Hz mono
    made_ms   INTEGER NOT NULL,
    made_by   TEXT    NOT NULL,
    in_use    INTEGER NOT NULL CHECK (in_use IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX one_clip_in_use ON voice_clips(voice, part) WHERE in_use = 1;

-- What a hall has set about its voice; a key that is missing has the default of kiosk/rules/voice_policy.py.
CREATE TABLE voice_policy(
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL                              -- JSON
) STRICT, WITHOUT ROWID;

-- What the LED sign above a window shows: a level that the bridge reads and tells anew at any time.
CREATE TABLE signs(
    sign      TEXT PRIMARY KEY,                       -- a [[panels]] of hall.toml with kind = "window"
    window_id TEXT NOT NULL,
    text      TEXT NOT NULL,                          -- '' dark, else as it is called: "B031"
    blink     INTEGER NOT NULL DEFAULT 0 CHECK (blink IN (0, 1)),
    since_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who may use the HTTP interface besides screens and consoles. The token itself is shown once; here is its hash.
CREATE TABLE api_tokens(
    token_id   INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    token_hash TEXT    NOT NULL UNIQUE,
    scopes     TEXT    NOT NULL,                     -- words of kiosk/rules/scopes.py, with a space between
    made_ms    INTEGER NOT NULL,
    made_by    TEXT    NOT NULL,
    last_used_ms INTEGER,
    ended_ms   INTEGER
) STRICT;

-- Answers of requests that carried an idempotency key: the same key again has the same answer. Kept for a day.
CREATE TABLE api_answers(
    token_id INTEGER NOT NULL REFERENCES api_tokens(token_id),
    key      TEXT    NOT NULL,
    asked    TEXT    NOT NULL,                       -- SHA-256 of method, path and body
    status   INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (token_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX api_answers_by_time ON api_answers(at_ms);

-- A slip may go to another printer than the one it was written for, and be asked for again with a reason.
ALTER TABLE slips ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE slips ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';

-- What staff did at a printer and no printer can say of itself: read by the bridge, as slips are.
CREATE TABLE printer_acts(
    act_id  INTEGER PRIMARY KEY,
    printer TEXT    NOT NULL,
    act     TEXT    NOT NULL CHECK (act IN ('new_roll')),
    by      TEXT    NOT NULL,
    at_ms   INTEGER NOT NULL
) STRICT;

-- What a day that is over was like, counted from its rows in `serves`: a report over years reads these few rows instead
-- of all of those. Never holds anything of a person. `waits` and `services` are whole seconds, rising, 4 bytes each,
-- little-endian: of those who were served. `part` says what `name` is: an item's code, a window, an hour, a lane.
CREATE TABLE serve_days(
    business_day TEXT    NOT NULL,
    part         TEXT    NOT NULL CHECK (part IN ('all', 'item', 'window', 'hour', 'lane')),
    name         TEXT    NOT NULL,                  -- '' for part 'all'
    done         INTEGER NOT NULL,
    no_show      INTEGER NOT NULL,
    cancelled    INTEGER NOT NULL,
    transferred  INTEGER NOT NULL,
    waits        BLOB    NOT NULL,
    services     BLOB    NOT NULL,
    PRIMARY KEY (business_day, part, name)
) STRICT;
-- A row that comes late (a kiosk whose clock stood still) makes the count of its day void; it is counted again.
CREATE TRIGGER serve_days_late AFTER INSERT ON serves
  WHEN EXISTS (SELECT 1 FROM serve_days WHERE business_day = new.business_day)
BEGIN
    DELETE FROM serve_days WHERE business_day = new.business_day;
END;
