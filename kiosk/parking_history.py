"""What the car park was like on past days, from gateway.db's ``bay_moves``; when it will be full. Reads only.

Theory of operation. Moves are transitions in the order of time. A day that is over is walked once
(rules/parking_history.py) and kept in kiosk.db's ``parking_days``, a row a zone, together with how each bay stood at
its end; the next day is walked from there. So a report reads a few rows a day that is closed and walks only what is
left: today, and days that nobody has closed yet. Closing is done at night by ``housekeeping.py`` with a child of its
own, as are reports (queue_reports.py)::

    echo '{"book": "var/kiosk.db", "gateway": "var/gateway.db", …}' | python -m kiosk.parking_history

Moves that gateway.db has folded (older than 400 days) are known from ``parking_days`` as long as that is kept; days
that have neither are days without data, and a report says how many.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway import views_parking
from gateway.hall.bays import UNCLAIMED_ZONE
from gateway.hall.days import day_of, moment_ms
from gateway.notebook import open_reader
from gateway.views_parking_history import Move, bays_now, gaps, moves, oldest_ms
from kiosk.queue_reports import Job, run
from kiosk.report_child import Json, Progress, answer
from kiosk.rules import parking_forecast as forecasting
from kiosk.rules.parking_forecast import Course, Errors, Forecast
from kiosk.rules.parking_history import (
    FREE,
    QUARTER_MS,
    STATES,
    TAKEN,
    Cell,
    Standing,
    ZoneDay,
    ZoneFigures,
    curve,
    figures,
    quarters,
    unpacked,
    walk_day,
)
from kiosk.rules.spreads import Spread

#: Days of the back-test that stands beside a forecast: four weeks.
TESTED_DAYS = 28
#: How long a closed day is kept: two years, so that a December can be held beside the one before; 165 kB a day for
#: 2,000 bays (measured, docs/measurements.md).
KEEP_DAYS = 800
#: Days closed by one child.
DAYS_A_PIECE = 30

ClosedRow = tuple[str, str, str, str, str]
"""A row of ``parking_days``."""


@dataclass(frozen=True, slots=True)
class ZoneOutlook:
    """What is to come in a zone, and how well that is known. ``full_from``: occupancy from which on it is full."""

    zone_id: str
    full_from: float
    now: float | None
    usual_full: int | None
    """The quarter in which it usually becomes full on such a day, without looking at today; None: it does not, or
    nobody knows (``usual_known``)."""
    forecast: Forecast | None
    errors: Errors
    usual_known: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """The days from ``first`` to ``last``: all zones together (``zone_id`` ""), then each; and today's outlook.

    ``days_without``: days of the range, up to today, of which nothing is known.
    """

    first: str
    last: str
    days_without: int
    zones: tuple[ZoneFigures, ...]
    outlook: tuple[ZoneOutlook, ...]
    names: dict[str, tuple[str, str]]
    """Zone → (Chinese, English)."""


# ---------------------------------------------------------------- days


def days(
    book: sqlite3.Connection,
    gateway: sqlite3.Connection,
    timezone: str,
    first: date,
    last: date,
    now_ms: int,
    progress: Progress = lambda done, of: None,
    bays_from: date | None = None,
) -> Iterator[list[ZoneDay]]:
    """Every day from ``first`` to ``last`` of which something is known, as its zones. Today up to now.

    Closed days before ``bays_from`` come without their bays. ``book`` and ``gateway`` are read-only connections; a
    transaction is open on both while this runs.
    """
    zone = ZoneInfo(timezone)
    today = day_of(zone, now_ms)
    newest = newest_closed(book, today.isoformat())
    until = min(last, today - timedelta(days=1)).isoformat()
    for day, rows in _closed(book, first.isoformat(), until, (bays_from or first).isoformat()):
        yield [unpacked(day, zone_id, course, bays) for zone_id, course, bays in rows if zone_id]
    for day_walked, zones in _walked(book, gateway, zone, newest, min(last, today), now_ms, progress):
        if zones and day_walked >= first:
            yield zones


def newest_closed(book: sqlite3.Connection, before: str) -> date | None:
    """The newest closed day before that one."""
    day = book.execute("SELECT max(day) FROM parking_days WHERE day < ?", (before,)).fetchone()[0]
    return None if day is None else date.fromisoformat(day)


def _closed(
    book: sqlite3.Connection, first: str, last: str, bays_from: str
) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Day by day: zone, course, bays."""
    rows = book.execute(
        "SELECT day, zone_id, course, CASE WHEN day >= ? THEN bays ELSE '{}' END FROM parking_days"
        " WHERE day BETWEEN ? AND ? ORDER BY day, zone_id",
        (bays_from, first, last),
    )
    for day, of_day in groupby(rows, key=itemgetter(0)):
        yield day, [(zone_id, course, bays) for _, zone_id, course, bays in of_day]


def _walked(
    book: sqlite3.Connection,
    gateway: sqlite3.Connection,
    zone: ZoneInfo,
    newest: date | None,
    last: date,
    now_ms: int,
    progress: Progress,
) -> Iterator[tuple[date, list[ZoneDay]]]:
    """The days after the newest that is closed, from their moves; each leaves how the bays stand for the next."""
    bays = bays_now(gateway)
    zone_of = {bay: name for bay, (name, _, _) in bays.items() if name != UNCLAIMED_ZONE.zone_id}
    standing: dict[str, Standing] = {}
    if newest is None:
        oldest = oldest_ms(gateway)
        if oldest is None:
            return
        day = max(day_of(zone, oldest), day_of(zone, now_ms) - timedelta(days=KEEP_DAYS))
        begin_ms = moment_ms(zone, day)
        for bay, (_, state, since_ms) in bays.items():
            if 0 < since_ms < begin_ms:  # it has not moved since before the oldest move that is kept
                number = STATES.index(state)
                standing[bay] = Standing(number, number if number < 2 else -1)
    else:
        day = newest + timedelta(days=1)
        for (ends,) in book.execute("SELECT ends FROM parking_days WHERE day = ?", (newest.isoformat(),)):
            for bay, one in json.loads(ends).items():
                if bay in bays:
                    standing[bay] = Standing(*one)
    if day > last:
        return
    begin_ms = moment_ms(zone, day)
    rows = _with_gaps(moves(gateway, begin_ms), gaps(gateway, begin_ms), begin_ms, standing, bays)
    stream = _Stream(rows, now_ms)
    in_all = (last - day).days + 1
    for number in range(in_all):
        edges = quarters(day, zone, now_ms)
        found = walk_day(day.isoformat(), edges, stream.until(moment_ms(zone, day, 1440)), zone_of, standing)
        progress(number + 1, in_all)
        yield day, [found[name] for name in sorted(found)]
        day += timedelta(days=1)


def _with_gaps(
    rows: Iterator[Move],
    absent: list[tuple[int, int]],
    begin_ms: int,
    standing: Mapping[str, Standing],
    bays: Mapping[str, tuple[str, str, int]],
) -> Iterator[Move]:
    """Moves, and between them what the gateway's absences mean: bays that were free or taken are unknown meanwhile,
    and then as they stood before, until they move. A closed bay stays closed: that was said by a person."""
    now = {bay: STATES[one.state] for bay, one in standing.items()}
    known = (STATES[FREE], STATES[TAKEN])
    waiting = list(absent)

    def away(until_ms: int) -> Iterator[Move]:
        while waiting and waiting[0][0] <= until_ms:
            from_ms, back_ms = waiting.pop(0)
            if from_ms < begin_ms:
                # The day before ended in it. How a bay stood: as now, if it has not moved since; else as last known.
                for bay, one in standing.items():
                    _, state, since_ms = bays.get(bay, ("", "", 0))
                    if now[bay] == "unknown" and (since_ms < from_ms or one.last_known >= 0):
                        now[bay] = state if since_ms < from_ms else STATES[one.last_known]
            gone = [(bay, state) for bay, state in now.items() if state in known]
            yield from ((bay, "unknown", max(from_ms, begin_ms)) for bay, _ in gone)
            yield from ((bay, state, back_ms) for bay, state in gone)

    for bay, state, at_ms in rows:
        yield from away(at_ms)
        now[bay] = state
        yield bay, state, at_ms
    yield from away(waiting[-1][0] if waiting else 0)


class _Stream:
    """Moves day by day. One that names a later moment than now (a clock was wrong) counts as of the one before it."""

    def __init__(self, rows: Iterator[tuple[str, str, int]], now_ms: int) -> None:
        self._rows, self._now_ms = rows, now_ms
        self._next: tuple[str, str, int] | None = None
        self._before_ms = 0

    def until(self, end_ms: int) -> Iterator[tuple[str, str, int]]:
        while (one := self._next or next(self._rows, None)) is not None:
            self._next = None
            at_ms = one[2] if one[2] <= self._now_ms else self._before_ms
            if at_ms >= end_ms:
                self._next = one
                return
            self._before_ms = max(self._before_ms, at_ms)
            yield one[0], one[1], at_ms


# ---------------------------------------------------------------- the report


def gather(
    book: sqlite3.Connection,
    gateway: sqlite3.Connection,
    timezone: str,
    first: date,
    last: date,
    now_ms: int,
    progress: Progress = lambda done, of: None,
    tested_days: int = TESTED_DAYS,
) -> History:
    """The figures of these days, and what is to come today."""
    zone = ZoneInfo(timezone)
    today = day_of(zone, now_ms)
    back = today - timedelta(days=forecasting.LOOK_BACK_DAYS + tested_days)
    per_zone: dict[str, list[ZoneDay]] = {}
    courses: dict[str, dict[date, Course]] = {}
    with_data = set()
    for connection in (book, gateway):
        connection.execute("BEGIN")
    try:
        state = views_parking.known(gateway)
        shown = {
            one.zone_id: views_parking.zone(state, one)
            for one in state.zones.values()
            if one.zone_id != UNCLAIMED_ZONE.zone_id
        }
        for zones in days(book, gateway, timezone, min(first, back), max(last, today), now_ms, progress, first):
            for one in zones:
                day = date.fromisoformat(one.day)
                if first <= day <= last:
                    per_zone.setdefault(one.zone_id, []).append(one)
                    if any(any(one.areas[state::4]) for state in (FREE, TAKEN)):
                        with_data.add(day)
                if day >= back:
                    courses.setdefault(one.zone_id, {})[day] = Course(curve(one))
    finally:
        for connection in (gateway, book):
            connection.execute("COMMIT")
    at = (now_ms - moment_ms(zone, today)) // QUARTER_MS
    lived = max(0, (min(last, today) - first).days + 1)
    everything = [one for zone_days in per_zone.values() for one in zone_days]
    return History(
        first.isoformat(),
        last.isoformat(),
        lived - len(with_data),
        (
            figures("", everything),
            *(figures(name, per_zone[name]) for name in sorted(per_zone)),
        ),
        tuple(
            _outlook(shown[name], courses.get(name, {}), today, min(int(at), 95), tested_days)
            for name in sorted(shown)
        ),
        {name: (str(one["name_zh"]), str(one["name_en"])) for name, one in shown.items()},
    )


def _outlook(
    shown: Json, courses: dict[date, Course], today: date, at: int, tested_days: int
) -> ZoneOutlook:
    free, taken, unknown = (int(shown[name]) for name in ("free", "taken", "unknown"))
    full_from = forecasting.full_share(free + taken + unknown, int(shown["reserved"]), int(shown["full_at"]))
    now = taken / (free + taken) if shown["certain"] and free + taken else None
    before = {day: one for day, one in courses.items() if day < today}
    examples = forecasting.alike(today, before)
    usual_known, usual_full = forecasting.usual(examples, full_from)
    return ZoneOutlook(
        str(shown["zone_id"]),
        full_from,
        now,
        usual_full,
        forecasting.forecast(at, now, examples, full_from),
        forecasting.backtest(
            before, full_from, [today - timedelta(days=back) for back in range(tested_days, 0, -1)]
        ),
        usual_known,
    )


# ---------------------------------------------------------------- closing days


def rows_to_close(
    book: sqlite3.Connection, gateway: sqlite3.Connection, timezone: str, now_ms: int, at_most: int = DAYS_A_PIECE
) -> list[ClosedRow]:
    """The rows of the days that are over and not closed yet, the earliest first."""
    zone = ZoneInfo(timezone)
    yesterday = day_of(zone, now_ms) - timedelta(days=1)
    newest = newest_closed(book, (yesterday + timedelta(days=1)).isoformat())
    rows: list[ClosedRow] = []
    walked = _walked(book, gateway, zone, newest, yesterday, now_ms, lambda done, of: None)
    for day, zones in islice(walked, at_most):
        # A day without a bay is closed, too: nobody shall look at it again.
        rows += [
            (one.day, one.zone_id, *one.packed())
            for one in zones or [ZoneDay(day.isoformat(), "")]
        ]
    return rows


def close(notebook: sqlite3.Connection, rows: list[ClosedRow]) -> None:
    """Write what `rows_to_close` has counted, and let go what is too old; in the writer's transaction."""
    notebook.executemany("INSERT OR REPLACE INTO parking_days VALUES (?, ?, ?, ?, ?)", rows)
    if rows:
        oldest = date.fromisoformat(rows[-1][0]) - timedelta(days=KEEP_DAYS)
        notebook.execute("DELETE FROM parking_days WHERE day < ?", (oldest.isoformat(),))


def anything_to_close(
    book: sqlite3.Connection, gateway: sqlite3.Connection, timezone: str, now_ms: int
) -> bool:
    """Is a day over that nobody has closed? Two rows are read."""
    zone = ZoneInfo(timezone)
    today = day_of(zone, now_ms)
    oldest = oldest_ms(gateway)
    if oldest is None or day_of(zone, oldest) >= today:
        return False
    newest = newest_closed(book, today.isoformat())
    return newest is None or newest < today - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WantedClosed:
    """The rows of days to close, from a child (queue_reports.py)."""

    gateway: str
    timezone: str
    now_ms: int

    def module(self) -> str:
        return "kiosk.parking_history"

    def asked(self, book: Path) -> Json:
        return {"close": True, "book": str(book), **asdict(self)}

    def read(self, told: Json) -> list[ClosedRow]:
        return [(day, zone_id, course, bays, ends) for day, zone_id, course, bays, ends in told["rows"]]


def rows_by_child(book: Path, wanted: WantedClosed) -> list[ClosedRow]:
    """:raises ReportFailed: the child could not read."""
    return run(book, wanted, Job(wanted))


# ---------------------------------------------------------------- as a process of its own


@dataclass(frozen=True, slots=True)
class WantedHistory:
    """A report, from a child."""

    gateway: str
    timezone: str
    first: str
    last: str
    now_ms: int

    def module(self) -> str:
        return "kiosk.parking_history"

    def asked(self, book: Path) -> Json:
        return {"book": str(book), **asdict(self)}

    def read(self, told: Json) -> History:
        return from_json(told)


def to_json(history: History) -> Json:
    return asdict(history)


def from_json(told: Json) -> History:
    return History(
        told["first"],
        told["last"],
        told["days_without"],
        tuple(
            ZoneFigures(
                **{
                    **one,
                    "all": Cell(**one["all"]),
                    "heat": tuple(tuple(Cell(**cell) for cell in row) for row in one["heat"]),
                    "stay": Spread(**one["stay"]),
                    "bays": tuple((bay, came, taken, known) for bay, came, taken, known in one["bays"]),
                }
            )
            for one in told["zones"]
        ),
        tuple(
            ZoneOutlook(
                **{
                    **one,
                    "forecast": None if one["forecast"] is None else _forecast(one["forecast"]),
                    "errors": Errors(**one["errors"]),
                }
            )
            for one in told["outlook"]
        ),
        {name: (zh, en) for name, (zh, en) in told["names"].items()},
    )


def _forecast(told: Json) -> Forecast:
    return Forecast(**{**told, "ahead": tuple((number, share) for number, share in told["ahead"])})


def _told(wanted: Json, tell: Progress) -> Json:
    """One report, or the rows of days to close."""
    with (
        closing(open_reader(Path(wanted["book"]))) as book,
        closing(open_reader(Path(wanted["gateway"]))) as gateway,
    ):
        if wanted.get("close"):
            return {"rows": rows_to_close(book, gateway, wanted["timezone"], wanted["now_ms"])}
        first, last = date.fromisoformat(wanted["first"]), date.fromisoformat(wanted["last"])
        return to_json(gather(book, gateway, wanted["timezone"], first, last, wanted["now_ms"], tell))


if __name__ == "__main__":
    sys.exit(answer(_told, sys.stdin, sys.stdout.buffer, sys.stderr))
