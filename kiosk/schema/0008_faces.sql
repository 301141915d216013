-- What the faces need: screens that know their own size, requests with their words, content that staff edit. Times are
-- UTC milliseconds.

-- Each screen by its name. `px_per_mm` is how many of its CSS pixels are a millimetre, measured with a bank card.
CREATE TABLE screens(
    screen     TEXT PRIMARY KEY,
    place_zh   TEXT    NOT NULL DEFAULT '',
    place_en   TEXT    NOT NULL DEFAULT '',
    px_per_mm  REAL    NOT NULL CHECK (px_per_mm BETWEEN 1 AND 20),
    low        INTEGER NOT NULL DEFAULT 0 CHECK (low IN (0, 1)),    -- everything to be touched in its lower half
    printer    TEXT    NOT NULL DEFAULT '',
    set_ms     INTEGER NOT NULL,
    set_by     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- What a resident asks of the community. Who asked is known only where the item may ask (`kiosk_fields`), and is masked
-- everywhere but on the one page that staff open for it.
CREATE TABLE requests(
    request_id   INTEGER PRIMARY KEY,
    code         TEXT    NOT NULL UNIQUE,            -- 8 signs without 0 O 1 I: who holds the slip may ask how it goes
    key          TEXT    NOT NULL UNIQUE,            -- idempotency: a second touch is the same request
    service_code TEXT    NOT NULL,
    kind         TEXT    NOT NULL,                   -- a word of kiosk/rules/requests.py: leak, noise, lift …
    urgent       INTEGER NOT NULL CHECK (urgent IN (0, 1)),
    state        TEXT    NOT NULL CHECK (state IN ('RECEIVED', 'ACCEPTED', 'DOING', 'DONE', 'REFERRED', 'CANCELLED')),
    place        TEXT    NOT NULL,                   -- home, stairs, yard, garage, lift, other
    building     TEXT    NOT NULL DEFAULT '',
    unit         TEXT    NOT NULL DEFAULT '',
    room         TEXT    NOT NULL DEFAULT '',
    name         TEXT    NOT NULL DEFAULT '',
    phone        TEXT    NOT NULL DEFAULT '',
    words        TEXT    NOT NULL DEFAULT '',
    extra        TEXT    NOT NULL DEFAULT '{}',      -- JSON: what only few items ask (skills, birth_year, meal_choice …)
    slip_id      INTEGER REFERENCES slips(slip_id),
    lang         TEXT    NOT NULL CHECK (lang IN ('zh', 'en')),
    screen       TEXT    NOT NULL,
    business_day TEXT    NOT NULL,
    made_ms      INTEGER NOT NULL,
    answer_by_ms INTEGER,                            -- the catalogue's first_response, as a moment
    changed_ms   INTEGER NOT NULL,
    closed_ms    INTEGER
) STRICT;
CREATE INDEX requests_open ON requests(state, made_ms) WHERE closed_ms IS NULL;
CREATE INDEX requests_by_day ON requests(business_day);

-- What happened to a request, in order. `told_zh`, `told_en`: what its resident reads on the progress page, '' for nothing.
CREATE TABLE request_steps(
    step_id    INTEGER PRIMARY KEY,
    request_id INTEGER NOT NULL REFERENCES requests(request_id),
    at_ms      INTEGER NOT NULL,
    by         TEXT    NOT NULL,
    event      TEXT    NOT NULL,
    told_zh    TEXT    NOT NULL DEFAULT '',
    told_en    TEXT    NOT NULL DEFAULT '',
    note       TEXT    NOT NULL DEFAULT ''           -- for staff
) STRICT;
CREATE INDEX request_steps_of ON request_steps(request_id, step_id);

-- A voice or a drawing, as a file beneath <home>/notes/. 30 days after the request is closed the file goes (`gone_ms`).
CREATE TABLE request_notes(
    note_id    INTEGER PRIMARY KEY,
    request_id INTEGER NOT NULL REFERENCES requests(request_id),
    kind       TEXT    NOT NULL CHECK (kind IN ('voice', 'drawing')),
    file       TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    sha256     TEXT    NOT NULL,
    made_ms    INTEGER NOT NULL,
    gone_ms    INTEGER
) STRICT;
CREATE INDEX request_notes_of ON request_notes(request_id);

-- Wrong query codes, by screen or address: five lock that one for a minute, also across a restart.
CREATE TABLE wrong_codes(
    wrong_id INTEGER PRIMARY KEY,
    asker    TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT;
CREATE INDEX wrong_codes_by_asker ON wrong_codes(asker, at_ms);

-- What staff have written in place of the catalogue's words, or besides: each edit is a row and stays; the newest of a
-- subject and field counts. `subject`: "service:ZW-01", "hall", "quick", "presets:leak"; `value`: JSON, null for "as it
-- ships". An unconfirmed field of the catalogue that was edited or confirmed here is confirmed.
CREATE TABLE content_edits(
    edit_id INTEGER PRIMARY KEY,
    subject TEXT    NOT NULL,
    field   TEXT    NOT NULL,
    value   TEXT    NOT NULL,
    by      TEXT    NOT NULL,
    at_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX content_edits_of ON content_edits(subject, field, edit_id);

CREATE TABLE notices(
    notice_id INTEGER PRIMARY KEY,
    title_zh  TEXT    NOT NULL,
    title_en  TEXT    NOT NULL DEFAULT '',
    body_zh   TEXT    NOT NULL DEFAULT '',
    body_en   TEXT    NOT NULL DEFAULT '',
    from_ms   INTEGER NOT NULL,
    until_ms  INTEGER,
    made_ms   INTEGER NOT NULL,
    made_by   TEXT    NOT NULL,
    gone_ms   INTEGER
) STRICT;

-- Plans of the car park that somebody has handed in, and how it was before each of them was used: undo is to use that one
-- again. `body` is the file as one JSON object (kiosk/plan_file.py).
CREATE TABLE parking_plans(
    plan_id    INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('draft', 'used', 'before')),
    bays       INTEGER NOT NULL,
    at_ms      INTEGER NOT NULL,
    by         TEXT    NOT NULL,
    body       TEXT    NOT NULL
) STRICT;

-- The car park's days that are over, counted once from gateway.db's bay_moves (parking_history.py): one row a zone and
-- day, so that a month of 2,000 bays is read in a moment. JSON, as ZoneDay.packed of kiosk/rules/parking_history.py.
CREATE TABLE parking_days(
    day     TEXT NOT NULL,
    zone_id TEXT NOT NULL,
    course  TEXT NOT NULL,
    bays    TEXT NOT NULL,
    ends    TEXT NOT NULL,
    PRIMARY KEY (day, zone_id)
) STRICT;

-- Which post a member of staff stands at: the page that signing in leads to.
CREATE TABLE posts(
    staff_id INTEGER PRIMARY KEY REFERENCES staff(staff_id),
    post     TEXT    NOT NULL,                          -- a word of kiosk/console/menu.py, POSTS
    set_ms   INTEGER NOT NULL
) STRICT;
