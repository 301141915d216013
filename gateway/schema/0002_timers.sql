-- gateway.db, second schema: timers that outlive a restart.

-- What waits to happen. Written with the decision that asked for it, gone with the decision that fires it or makes it
-- void. due_ms = set_ms + after_ms, by the wall clock as meta.clock_frame describes it (gateway/hall/clock.py).
CREATE TABLE timers (
    timer_id TEXT PRIMARY KEY,
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    set_ms   INTEGER NOT NULL,
    after_ms INTEGER NOT NULL CHECK (after_ms >= 0),
    due_ms   INTEGER NOT NULL,
    by_wall  INTEGER NOT NULL DEFAULT 0 CHECK (by_wall IN (0, 1)),
    CHECK (due_ms = set_ms + after_ms)
) STRICT, WITHOUT ROWID;

-- Calls that were ringing when the hall was brought up to date keep their minute.
INSERT INTO timers(timer_id, kind, subject, set_ms, after_ms, due_ms)
SELECT 'call:' || call_id || ':unanswered', 'unanswered', 'call:' || call_id, opened_ms, 60000, opened_ms + 60000
FROM calls WHERE state = 'HEARD' AND overdue = 0;
