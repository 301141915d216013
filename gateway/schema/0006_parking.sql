-- gateway.db, sixth schema: the car park. One table for each dataclass of gateway/hall/parking_rows.py, column for
-- field; a tuple is JSON.

-- Two more kinds of device: one that counts cars at a gate, one that speaks for a whole site. SQLite changes no CHECK.
CREATE TABLE devices_anew (
    device_id    TEXT PRIMARY KEY,
    kind         TEXT NOT NULL CHECK (kind IN ('call_button','bay_sensor','hall_button','companion','gate_counter','site_feed','unclaimed','ignored')),
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

CREATE TABLE parking_sites (
    site_id TEXT PRIMARY KEY NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    capacity INTEGER NOT NULL,
    lat REAL,
    lon REAL,
    address TEXT NOT NULL,
    feed TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE zone_plans (
    zone_id TEXT PRIMARY KEY NOT NULL,
    site_id TEXT NOT NULL,
    residents_reserve INTEGER NOT NULL,
    disabled_reserve INTEGER NOT NULL,
    emergency_reserve INTEGER NOT NULL,
    full_at INTEGER NOT NULL,
    full_until INTEGER NOT NULL,
    almost_at INTEGER NOT NULL,
    almost_until INTEGER NOT NULL,
    stays_ms INTEGER NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('open','almost','full'))
) STRICT, WITHOUT ROWID;

CREATE TABLE bay_plans (
    bay_id TEXT PRIMARY KEY NOT NULL,
    zone_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('general','resident','visitor','disabled','emergency','charging','fire_lane')),
    label TEXT NOT NULL,
    x_m REAL NOT NULL,
    y_m REAL NOT NULL,
    long_m REAL NOT NULL,
    wide_m REAL NOT NULL,
    turn_deg REAL NOT NULL,
    permits TEXT NOT NULL,
    stays_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE parking_places (
    place_id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    x_m REAL NOT NULL,
    y_m REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE parking_entrances (
    device_id TEXT PRIMARY KEY NOT NULL,
    site_id TEXT NOT NULL,
    zone_id TEXT NOT NULL,
    name TEXT NOT NULL,
    turned INTEGER NOT NULL,
    ins INTEGER NOT NULL,
    outs INTEGER NOT NULL,
    last_in INTEGER,
    last_out INTEGER,
    heard_ms INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    counts TEXT NOT NULL CHECK (counts IN ('','totals','deltas'))
) STRICT, WITHOUT ROWID;

CREATE TABLE parking_reckonings (
    subject TEXT PRIMARY KEY NOT NULL,
    base INTEGER NOT NULL,
    base_ms INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    drift INTEGER NOT NULL,
    drift_since_ms INTEGER NOT NULL,
    by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE parking_feeds (
    device_id TEXT PRIMARY KEY NOT NULL,
    free INTEGER,
    taken INTEGER,
    total INTEGER,
    at_ms INTEGER NOT NULL,
    fault TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE parking_tasks (
    task_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('drift','stuck','impossible','overstay','permit','panel','map')),
    subject TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    why_zh TEXT NOT NULL,
    why_en TEXT NOT NULL,
    taken_by TEXT NOT NULL,
    cleared_ms INTEGER,
    done_ms INTEGER,
    done_by TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;

CREATE TABLE bay_tags (
    bay_id TEXT PRIMARY KEY NOT NULL,
    tag TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE vitals (
    device_id TEXT PRIMARY KEY NOT NULL,
    heard_ms INTEGER NOT NULL,
    battery_mv INTEGER,
    rssi_dbm INTEGER,
    snr_db REAL,
    temperature_c REAL,
    firmware TEXT NOT NULL,
    service_ms INTEGER NOT NULL,
    base REAL,
    base_ms INTEGER NOT NULL,
    a_month REAL
) STRICT, WITHOUT ROWID;

CREATE TABLE word_orders (
    device_id TEXT PRIMARY KEY NOT NULL,
    run TEXT NOT NULL,
    number INTEGER NOT NULL,
    over TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sensor_settings (
    device_id TEXT PRIMARY KEY NOT NULL,
    threshold_mm INTEGER NOT NULL,
    hold_ms INTEGER NOT NULL,
    readings INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When nobody listened to the sensors for long: the gateway was off. The history counts it as unknown.
CREATE TABLE parking_gaps (
    from_ms INTEGER PRIMARY KEY NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT;

-- A long plan that has passed and is being written (hall/parking_map.py); a row only while that lasts.
CREATE TABLE maps_under_way (
    one TEXT PRIMARY KEY NOT NULL,
    words TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Which state between free and taken a bay was in last, when it went there, and how often its zone's bays had turned
-- by then: a bay that stays as it is while its neighbours come and go may have a dead sensor (hall/reckoning.py).
ALTER TABLE bays ADD COLUMN last_known TEXT NOT NULL DEFAULT '' CHECK (last_known IN ('','free','taken'));
ALTER TABLE bays ADD COLUMN turned_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bays ADD COLUMN turned_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE zones ADD COLUMN turns INTEGER NOT NULL DEFAULT 0;

-- What a panel shows besides its counts (devices/messages.py, ShowCount).
ALTER TABLE panels ADD COLUMN level TEXT NOT NULL DEFAULT '' CHECK (level IN ('','open','almost','full'));
ALTER TABLE panels ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0;
ALTER TABLE panels ADD COLUMN arrow TEXT NOT NULL DEFAULT '';
ALTER TABLE panels ADD COLUMN text_en TEXT NOT NULL DEFAULT '';

CREATE UNIQUE INDEX one_open_task ON parking_tasks(kind, subject) WHERE done_ms IS NULL;
