-- gateway.db, third schema: the bays' history, bounded for years (gateway/housekeeping.py).

-- One row for each change of a bay's state, in the order in which they came.
CREATE TABLE bay_moves (
    move_id INTEGER PRIMARY KEY,
    bay_id  TEXT NOT NULL,
    state   TEXT NOT NULL CHECK (state IN ('free','taken','unknown','closed')),
    at_ms   INTEGER NOT NULL
) STRICT;

-- What is left of them after their time: one row for each bay and day of the hall. day_ms is the hall's midnight.
-- last_known: free or taken, as the bay stood at the end of what was folded; it tells an arrival from a sensor that
-- has only spoken again.
CREATE TABLE bay_days (
    bay_id     TEXT NOT NULL,
    day_ms     INTEGER NOT NULL,
    arrivals   INTEGER NOT NULL CHECK (arrivals >= 0),
    departures INTEGER NOT NULL CHECK (departures >= 0),
    last_known TEXT NOT NULL DEFAULT '' CHECK (last_known IN ('','free','taken')),
    PRIMARY KEY (bay_id, day_ms)
) STRICT, WITHOUT ROWID;

-- What a start asks for: calls closed in the last day, keys of the last day's orders. Few rows a day, so cheap to keep.
CREATE INDEX calls_closed ON calls(closed_ms) WHERE closed_ms IS NOT NULL;
CREATE INDEX order_keys_at ON order_keys(at_ms);
