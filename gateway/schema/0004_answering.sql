-- gateway.db, fourth schema: people, rosters, kinds of call, ladders, messages, visits, meals. One table for each
-- dataclass of gateway/hall/rows.py, column for field; a tuple is JSON. Personal data stands here and nowhere else.
ALTER TABLE calls ADD COLUMN person_id TEXT NOT NULL DEFAULT '';
-- the ladder: how often it was begun, and the step it stands on (-1: none)
ALTER TABLE calls ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN step INTEGER NOT NULL DEFAULT -1;
ALTER TABLE calls ADD COLUMN acts TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN arrived_ms INTEGER;
ALTER TABLE calls ADD COLUMN arrived_by TEXT;
-- what the elder's own device shows: '' nothing to show, 'cannot', 'sent', 'shown', 'unconfirmed'
ALTER TABLE calls ADD COLUMN heard TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN coming TEXT NOT NULL DEFAULT '';
-- copies and repeats that are not presses of their own
ALTER TABLE calls ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN person_id TEXT NOT NULL DEFAULT '';

-- one more kind of device, "companion": a siren or lamp that answers for a button beside it. SQLite changes no CHECK.
CREATE TABLE devices_anew (
    device_id    TEXT PRIMARY KEY,
    kind         TEXT NOT NULL CHECK (kind IN ('call_button','bay_sensor','hall_button','companion','unclaimed','ignored')),
    family       TEXT NOT NULL DEFAULT '',
    model        TEXT NOT NULL DEFAULT '',
    name         TEXT NOT NULL DEFAULT '',
    call_kind    TEXT NOT NULL DEFAULT 'emergency',
    place        TEXT NOT NULL DEFAULT '',
    person       TEXT NOT NULL DEFAULT '',
    bay_id       TEXT,
    zone_id      TEXT,
    lamp         INTEGER NOT NULL DEFAULT 0,
    every_ms     INTEGER NOT NULL,
    battery_pct  REAL,
    health       TEXT NOT NULL DEFAULT 'ok' CHECK (health IN ('ok','silent','offline','low_battery','fault')),
    why_zh       TEXT NOT NULL DEFAULT '',
    why_en       TEXT NOT NULL DEFAULT '',
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL,
    person_id    TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
INSERT INTO devices_anew SELECT * FROM devices;
DROP TABLE devices;
ALTER TABLE devices_anew RENAME TO devices;

CREATE TABLE kinds (
    kind       TEXT PRIMARY KEY,
    name_zh    TEXT NOT NULL,
    name_en    TEXT NOT NULL,
    priority   INTEGER NOT NULL,
    ladder     TEXT NOT NULL,
    coming_s   INTEGER NOT NULL CHECK (coming_s > 0),
    script_zh  TEXT NOT NULL,
    script_en  TEXT NOT NULL,
    outcomes   TEXT NOT NULL,
    enabled    INTEGER NOT NULL,
    position   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE people (
    person_id        TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    phone            TEXT NOT NULL,
    grid             TEXT NOT NULL,
    building         TEXT NOT NULL,
    unit             TEXT NOT NULL,
    room             TEXT NOT NULL,
    place            TEXT NOT NULL,
    access           TEXT NOT NULL,
    key_holder       TEXT NOT NULL,
    key_holder_phone TEXT NOT NULL,
    family           TEXT NOT NULL,
    family_phone     TEXT NOT NULL,
    medical          TEXT NOT NULL,
    note             TEXT NOT NULL,
    visit_tier       TEXT NOT NULL CHECK (visit_tier IN ('none','weekly','monthly','quarterly')),
    quiet_after_h    INTEGER NOT NULL,
    paused_until_ms  INTEGER NOT NULL,
    paused_why       TEXT NOT NULL,
    meal_free        INTEGER NOT NULL,
    active           INTEGER NOT NULL,
    since_ms         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE helpers (
    helper_id TEXT PRIMARY KEY,
    name      TEXT NOT NULL,
    role      TEXT NOT NULL,
    phone     TEXT NOT NULL,
    grid      TEXT NOT NULL,
    building  TEXT NOT NULL,
    unit      TEXT NOT NULL,
    account   TEXT NOT NULL,
    channels  TEXT NOT NULL,
    active    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE shifts (
    shift_id    TEXT PRIMARY KEY,
    helper_id   TEXT NOT NULL,
    weekdays    INTEGER NOT NULL CHECK (weekdays BETWEEN 0 AND 127),
    from_min    INTEGER NOT NULL CHECK (from_min BETWEEN 0 AND 1440),
    to_min      INTEGER NOT NULL CHECK (to_min BETWEEN 0 AND 1440),
    first_day   TEXT NOT NULL,
    last_day    TEXT NOT NULL,
    every_weeks INTEGER NOT NULL CHECK (every_weeks >= 1),
    week        INTEGER NOT NULL,
    holidays    TEXT NOT NULL CHECK (holidays IN ('too','only','not'))
) STRICT, WITHOUT ROWID;

CREATE TABLE substitutions (
    substitution_id TEXT PRIMARY KEY,
    helper_id       TEXT NOT NULL,
    by_helper_id    TEXT NOT NULL,
    first_day       TEXT NOT NULL,
    last_day        TEXT NOT NULL,
    why             TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE holidays (
    day  TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('holiday','workday')),
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE call_steps (
    call_id INTEGER NOT NULL,
    turn    INTEGER NOT NULL,
    step    INTEGER NOT NULL,
    who     TEXT NOT NULL,
    state   TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    helpers TEXT NOT NULL,
    why     TEXT NOT NULL,
    PRIMARY KEY (call_id, turn, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_steps_by_age ON call_steps(at_ms);

CREATE TABLE messages (
    message_id TEXT PRIMARY KEY,
    call_id    INTEGER NOT NULL,
    turn       INTEGER NOT NULL,
    step       INTEGER NOT NULL,
    helper_id  TEXT NOT NULL,
    channel    TEXT NOT NULL,
    text       TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('queued','sent','failed','answered','void')),
    attempts   INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    why        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_queued ON messages(state) WHERE state = 'queued';
CREATE INDEX messages_of ON messages(call_id);
CREATE INDEX messages_by_age ON messages(created_ms);
-- what the links in messages are signed with: 256 bits, never shown, never changed
INSERT OR IGNORE INTO meta(key, value) VALUES ('link_secret', lower(hex(randomblob(32))));

-- what tells a press from its copies and repeats, for each button
CREATE TABLE device_presses (
    device_id  TEXT NOT NULL,
    button     INTEGER NOT NULL,
    heard_ms   INTEGER NOT NULL,
    release_ms INTEGER NOT NULL,
    by_release INTEGER NOT NULL,
    train      INTEGER NOT NULL,
    beat_ms    INTEGER NOT NULL,
    jitter_ms  INTEGER NOT NULL,
    PRIMARY KEY (device_id, button)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_care (
    device_id           TEXT PRIMARY KEY,
    silent_after_ms     INTEGER NOT NULL,
    battery_low_ms      INTEGER NOT NULL,
    battery_reminded_ms INTEGER NOT NULL,
    battery_changed_ms  INTEGER NOT NULL,
    battery_worst       INTEGER NOT NULL,
    tested_ms           INTEGER NOT NULL,
    test_every_d        INTEGER NOT NULL,
    test_until_ms       INTEGER NOT NULL,
    fault               TEXT NOT NULL,
    fault_since_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE voices (
    device_id  TEXT PRIMARY KEY,
    answers    TEXT NOT NULL,
    means      TEXT NOT NULL,
    part       TEXT NOT NULL,
    via        TEXT NOT NULL,
    confirm_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tellings (
    device_id TEXT PRIMARY KEY,
    word      TEXT NOT NULL CHECK (word IN ('heard','coming','over')),
    call_id   INTEGER NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('sent','shown','unconfirmed')),
    token     TEXT NOT NULL,
    shows     TEXT NOT NULL,
    tries     INTEGER NOT NULL,
    since_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE paths (
    path_id  TEXT PRIMARY KEY,
    state    TEXT NOT NULL CHECK (state IN ('up','down')),
    since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE visits (
    visit_id   TEXT PRIMARY KEY,
    person_id  TEXT NOT NULL,
    reason     TEXT NOT NULL,
    opened_ms  INTEGER NOT NULL,
    due_ms     INTEGER NOT NULL,
    grid       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('due','missed','done','void')),
    step       INTEGER NOT NULL,
    tries      INTEGER NOT NULL,
    tried_ms   INTEGER NOT NULL,
    done_ms    INTEGER NOT NULL,
    done_by    TEXT NOT NULL,
    written_ms INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    note       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX visits_open ON visits(due_ms) WHERE state IN ('due','missed');
CREATE INDEX visits_of ON visits(person_id, opened_ms);
CREATE INDEX visits_by_due ON visits(due_ms);

CREATE TABLE hearths (
    person_id  TEXT PRIMARY KEY,
    periods    TEXT NOT NULL,
    stirred_ms INTEGER NOT NULL,
    watched_ms INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE menus (
    day        TEXT NOT NULL,
    meal       TEXT NOT NULL,
    dish       TEXT NOT NULL,
    price_fen  INTEGER NOT NULL CHECK (price_fen >= 0),
    cutoff_min INTEGER NOT NULL,
    PRIMARY KEY (day, meal)
) STRICT, WITHOUT ROWID;

CREATE TABLE meal_orders (
    call_id    INTEGER PRIMARY KEY,
    person_id  TEXT NOT NULL,
    device_id  TEXT NOT NULL,
    day        TEXT NOT NULL,
    meal       TEXT NOT NULL,
    dish       TEXT NOT NULL,
    price_fen  INTEGER NOT NULL,
    portions   INTEGER NOT NULL CHECK (portions >= 1),
    state      TEXT NOT NULL CHECK (state IN ('ordered','cancelled','delivered','over')),
    ordered_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    by         TEXT NOT NULL
) STRICT;
CREATE INDEX meal_orders_of ON meal_orders(day, meal);
CREATE INDEX meal_orders_open ON meal_orders(state) WHERE state = 'ordered';
