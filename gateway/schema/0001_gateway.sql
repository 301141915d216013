-- gateway.db, first schema. Times are UTC milliseconds. Only the gateway writes here.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What hangs on the wall or lies in a pocket. device_id is its address on its network, prefixed by the family
-- for bought devices ("zigbee2mqtt:0x00158d…"), plain for our own ("btn-0302").
CREATE TABLE devices (
    device_id    TEXT PRIMARY KEY,
    kind         TEXT NOT NULL CHECK (kind IN ('call_button','bay_sensor','hall_button','unclaimed','ignored')),
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
    last_seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE calls (
    call_id       INTEGER PRIMARY KEY,
    state         TEXT NOT NULL CHECK (state IN ('HEARD','COMING','CLOSED')),
    kind          TEXT NOT NULL,
    device_id     TEXT NOT NULL,
    device_name   TEXT NOT NULL,
    claimed       INTEGER NOT NULL,
    place         TEXT NOT NULL,
    person        TEXT NOT NULL,
    presses       INTEGER NOT NULL CHECK (presses >= 1),
    button        INTEGER NOT NULL,
    opened_ms     INTEGER NOT NULL,
    last_press_ms INTEGER NOT NULL,
    accepted_ms   INTEGER,
    accepted_by   TEXT,
    closed_ms     INTEGER,
    closed_by     TEXT,
    outcome       TEXT,
    note          TEXT NOT NULL DEFAULT '',
    overdue       INTEGER NOT NULL DEFAULT 0,
    delayed       INTEGER NOT NULL DEFAULT 0,
    doubtful      INTEGER NOT NULL DEFAULT 0,
    CHECK ((state = 'CLOSED') = (closed_ms IS NOT NULL))
) STRICT;
CREATE INDEX calls_open ON calls(state) WHERE state <> 'CLOSED';

-- Each press that was acknowledged: the key by which a repeat is recognised, for ever.
CREATE TABLE presses (
    device_id TEXT NOT NULL,
    press_id  TEXT NOT NULL,
    call_id   INTEGER NOT NULL REFERENCES calls(call_id),
    at_ms     INTEGER NOT NULL,
    PRIMARY KEY (device_id, press_id)
) STRICT, WITHOUT ROWID;

-- An order with a key is carried out once: the key remembers what it made.
CREATE TABLE order_keys (
    key     TEXT PRIMARY KEY,
    call_id INTEGER NOT NULL REFERENCES calls(call_id),
    at_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE zones (
    zone_id  TEXT PRIMARY KEY,
    name_zh  TEXT NOT NULL,
    name_en  TEXT NOT NULL,
    free     INTEGER NOT NULL CHECK (free >= 0),
    taken    INTEGER NOT NULL CHECK (taken >= 0),
    unknown  INTEGER NOT NULL CHECK (unknown >= 0),
    closed   INTEGER NOT NULL CHECK (closed >= 0),
    total    INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    CHECK (free + taken + unknown + closed = total)
) STRICT, WITHOUT ROWID;

CREATE TABLE bays (
    bay_id       TEXT PRIMARY KEY,
    zone_id      TEXT NOT NULL REFERENCES zones(zone_id),
    state        TEXT NOT NULL CHECK (state IN ('free','taken','unknown','closed')),
    device_id    TEXT NOT NULL,
    since_ms     INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What each entrance panel is to show now: a level, for the bridge to read.
CREATE TABLE panels (
    panel    TEXT PRIMARY KEY,
    text     TEXT NOT NULL,
    free     INTEGER NOT NULL,
    taken    INTEGER NOT NULL,
    unknown  INTEGER NOT NULL,
    closed   INTEGER NOT NULL,
    total    INTEGER NOT NULL,
    certain  INTEGER NOT NULL,
    since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What happened, in order, never changed. Personal data stays out of it: it names rows, not people.
CREATE TABLE journal (
    line_id INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    event   TEXT NOT NULL,
    subject TEXT NOT NULL,
    actor   TEXT NOT NULL DEFAULT '',
    detail  TEXT NOT NULL DEFAULT ''
) STRICT;
