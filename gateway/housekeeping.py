"""What keeps gateway.db bounded for years: old moves of bays are folded into one row a bay and day, and the steps and
messages of ladders go.

Calls, presses and the journal are kept for ever (200 bytes a call with its press, 68 a line of the journal, measured:
17 MB a year at a hundred calls a day). A bay's move is 30 bytes; five hundred bays with ten moves a day are 55 MB a
year: after ``KEEP_DETAILS_DAYS`` what remains is how many came and went on each day. Whom a call's ladder told, and
the words of the message, are 64 bytes a step and 221 a message (measured, 10 MB a year at a hundred calls a day with
one each): they go after the same time, the journal's line of each step stays.

Pages that become free are used again by the rows that come; the file stays as large as it has once been, and never
grows beyond that. So there is no auto_vacuum: it would write every page that it moves, on a card, to win nothing.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: A year and a month, so that this December can be compared with the last, hour by hour.
KEEP_DETAILS_DAYS = 400
#: Rows folded at a time: 0.9 ms at the median, 3.3 ms with the commit (measured on a desk machine that was busy).
AT_A_TIME = 100
_DAY_MS = 24 * 3600 * 1000
_OPEN = "call_id IN (SELECT call_id FROM calls WHERE state <> 'CLOSED')"
#: table → (its key, the moment by which it is old, what stays however old it is: memory has it, too)
_DETAILS = {
    "call_steps": ("call_id, turn, step", "at_ms", _OPEN),
    "messages": ("message_id", "created_ms", f"state = 'queued' OR {_OPEN}"),
}


def anything_to_tidy(connection: sqlite3.Connection, now_ms: int) -> bool:
    """Is the oldest move, step or message old enough? A page of each is read."""
    return _old_moves(connection, now_ms) or any(
        _old_details(connection, table, now_ms) for table in _DETAILS
    )


def _old_details(connection: sqlite3.Connection, table: str, now_ms: int) -> bool:
    _, moment, stays = _DETAILS[table]
    until_ms = now_ms + _DAY_MS  # what a wrong clock put into the future says nothing
    newest = connection.execute(
        f"SELECT max({moment}) FROM {table} WHERE {moment} <= ?", (until_ms,)
    ).fetchone()[0]
    # As with moves: where even the newest is that old, there is no hurry.
    if newest is None or _is_old(newest, now_ms):
        return False
    before_ms = now_ms - KEEP_DETAILS_DAYS * _DAY_MS
    question = f"SELECT 1 FROM {table} WHERE {moment} < ? AND NOT ({stays}) LIMIT 1"
    return connection.execute(question, (before_ms,)).fetchone() is not None


def _old_moves(connection: sqlite3.Connection, now_ms: int) -> bool:
    oldest = connection.execute("SELECT at_ms FROM bay_moves ORDER BY move_id LIMIT 1").fetchone()
    newest = connection.execute("SELECT at_ms FROM bay_moves ORDER BY move_id DESC LIMIT 1").fetchone()
    # Where even the newest is that old, the hall was dark for a year or the clock is mad: there is no hurry.
    return oldest is not None and _is_old(oldest[0], now_ms) and not _is_old(newest[0], now_ms)


def tidy(connection: sqlite3.Connection, now_ms: int, timezone: str) -> bool:
    """One small step, in a transaction that is open: at most ``AT_A_TIME`` rows. True: there may be more.

    To be called in idle moments, where the clock is known. Rows are taken in the order in which they came, so one
    that was written under a wrong clock keeps nobody waiting for years: before its time it stops the folding only
    until those of its day go, and from the future it goes at once, to the day that it names.
    """
    if _old_moves(connection, now_ms):
        return _fold(connection, now_ms, timezone)
    for table, (key, moment, stays) in _DETAILS.items():
        if _old_details(connection, table, now_ms):
            gone = connection.execute(
                f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table}"
                f" WHERE {moment} < ? AND NOT ({stays}) ORDER BY {moment} LIMIT ?)",
                (now_ms - KEEP_DETAILS_DAYS * _DAY_MS, AT_A_TIME),
            )
            return gone.rowcount == AT_A_TIME
    return False


def _fold(connection: sqlite3.Connection, now_ms: int, timezone: str) -> bool:
    """The oldest moves become counts."""
    zone = ZoneInfo(timezone)
    days: dict[tuple[str, int], list[int]] = {}
    last_known: dict[str, str] = {}
    last_id = None
    day_ms = next_day_ms = 0
    rows = connection.execute(
        "SELECT move_id, bay_id, state, at_ms FROM bay_moves ORDER BY move_id LIMIT ?", (AT_A_TIME,)
    ).fetchall()
    for move_id, bay_id, state, at_ms in rows:
        if not _is_old(at_ms, now_ms):
            break
        last_id = move_id
        if not day_ms <= at_ms < next_day_ms:
            day_ms, next_day_ms = _day_of(at_ms, zone)
        counts = days.setdefault((bay_id, day_ms), [0, 0])
        if bay_id not in last_known:
            last_known[bay_id] = _last_known(connection, bay_id)
        if state in ("free", "taken"):
            # A sensor that speaks again after a silence has not moved: only what differs from before is a move.
            if state == "taken" and last_known[bay_id] != "taken":
                counts[0] += 1
            elif state == "free" and last_known[bay_id] == "taken":
                counts[1] += 1
            last_known[bay_id] = state
    if last_id is None:
        return False
    connection.executemany(
        "INSERT INTO bay_days(bay_id, day_ms, arrivals, departures, last_known) VALUES (?,?,?,?,?)"
        " ON CONFLICT(bay_id, day_ms) DO UPDATE SET arrivals = arrivals + excluded.arrivals,"
        " departures = departures + excluded.departures, last_known = excluded.last_known",
        [(bay_id, day_ms, came, went, last_known[bay_id]) for (bay_id, day_ms), (came, went) in days.items()],
    )
    connection.execute("DELETE FROM bay_moves WHERE move_id <= ?", (last_id,))
    return last_id == rows[-1][0] and len(rows) == AT_A_TIME


def _is_old(at_ms: int, now_ms: int) -> bool:
    return at_ms < now_ms - KEEP_DETAILS_DAYS * _DAY_MS or at_ms > now_ms + _DAY_MS


def _last_known(connection: sqlite3.Connection, bay_id: str) -> str:
    row = connection.execute(
        "SELECT last_known FROM bay_days WHERE bay_id = ? ORDER BY day_ms DESC LIMIT 1", (bay_id,)
    ).fetchone()
    return "" if row is None else str(row[0])


def _day_of(at_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    """The midnights of the hall's zone between which it lies."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    day = moment.astimezone(zone).date()
    begin, end = (datetime.combine(one, time.min, zone) for one in (day, day + timedelta(days=1)))
    return int(begin.timestamp() * 1000), int(end.timestamp() * 1000)
