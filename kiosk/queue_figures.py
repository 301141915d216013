"""The queue's figures, from the tables ``serves`` and ``serve_days`` of kiosk.db. Reads only.

Theory of operation. A day that is over does not change, so what it was like is counted once, in an idle moment
(``close_day``, called by ``housekeeping.py``), and kept in ``serve_days``: some fifty rows instead of thousands. A
report adds up the closed days that it is asked for, and counts the others (today; days that nobody has closed yet)
from their rows; so it is always right, and fast once the days are closed. Percentiles are exact: what is kept are
all durations, not their percentiles (rules/spreads.py says how). Other ways were tried (docs/measurements.md).

A report is work for a processor, and the kiosk's process has touches to answer: pages ask for it through
``queue_reports.py``, which runs this file as a process of its own::

    echo '{"book": "var/kiosk.db", "first": "2026-11-01", "last": "2026-11-30"}' | python -m kiosk.queue_figures
"""

from __future__ import annotations

import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.notebook import open_reader
from kiosk.report_child import Json, Progress, answer
from kiosk.rules.spreads import OUTCOMES, PARTS, Line, Part, Spread, Tally, pack, rising_line, unpack

#: Rows that are fetched at once, so that progress can be told between them.
AT_ONCE = 20_000
#: The day that ends all days: "" as a last day means this.
NO_END = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of some days: every part's lines, in the order of `PARTS`; within a part by name."""

    first: str
    last: str
    target_s: int
    lines: tuple[Line, ...]

    def of(self, part: Part) -> list[Line]:
        return [one for one in self.lines if one.part == part]

    @property
    def whole(self) -> Line:
        return next(iter(self.of("all")), Tally().line("all", "", self.target_s))


def gather(
    notebook: sqlite3.Connection,
    first: str,
    last: str,
    target_s: int,
    progress: Progress = lambda done, of: None,
) -> Report:
    """The figures of these days (``business_day``, both included).

    :param target_s: nobody should wait longer; how many did is counted.
    :param progress: told (days done, days in all) now and then.
    """
    notebook.execute("BEGIN")  # one moment: a day that is being closed meanwhile is not counted twice
    try:
        closed = [
            row[0]
            for row in notebook.execute(
                "SELECT business_day FROM serve_days WHERE part = 'all' AND business_day BETWEEN ? AND ?",
                (first, last),
            )
        ]
        open_ = sorted(set(_days(notebook, first, last)) - set(closed))
        in_all = len(closed) + len(open_)
        lines = list(_closed_days(notebook, first, last, target_s))
        tallies = _closed_parts(notebook, first, last)
        progress(len(closed), in_all)
        for done, day in enumerate(open_, len(closed) + 1):
            counted = _count(notebook, day)
            lines.append(counted["all", ""].line("day", day, target_s))
            for key, tally in counted.items():
                if key[0] != "all":
                    tallies[key].merge(tally)
            progress(done, in_all)
    finally:
        notebook.execute("COMMIT")
    for (part, _), tally in list(tallies.items()):
        if part == "lane":  # each ticket is in one lane: they are all of it
            tallies["all", ""].merge(tally)
    lines += [tally.line(part, name, target_s) for (part, name), tally in tallies.items()]
    lines.sort(key=lambda one: (PARTS.index(one.part), *_in_order(one.name)))
    return Report(first, last, target_s, tuple(lines))


def _in_order(name: str) -> tuple[int, str]:
    """Hours and windows as people count: 9 before 10."""
    return len(name) if name.isdigit() else 0, name


def _days(notebook: sqlite3.Connection, first: str, last: str) -> Iterator[str]:
    """The days that have rows, each found by one look into the index (a million rows are not read for that)."""
    day: str | None = first
    sign = ">="
    while True:
        day = notebook.execute(
            f"SELECT min(business_day) FROM serves WHERE business_day {sign} ? AND business_day <= ?",
            (day, last),
        ).fetchone()[0]
        if day is None:
            return
        yield day
        sign = ">"


def _closed_days(notebook: sqlite3.Connection, first: str, last: str, target_s: int) -> Iterator[Line]:
    for day, *counts, waits, services in notebook.execute(
        f"SELECT business_day, {', '.join(OUTCOMES)}, waits, services FROM serve_days"
        " WHERE part = 'all' AND business_day BETWEEN ? AND ?",
        (first, last),
    ):
        outcomes = dict(zip(OUTCOMES, counts, strict=True))
        yield rising_line("day", day, outcomes, unpack(waits), unpack(services), target_s)


def _closed_parts(notebook: sqlite3.Connection, first: str, last: str) -> dict[tuple[Part, str], Tally]:
    """Items, windows, hours and lanes over all closed days. A day's durations are joined before they are counted."""
    tallies: dict[tuple[Part, str], Tally] = defaultdict(Tally)
    waits: dict[tuple[Part, str], list[bytes]] = defaultdict(list)
    services: dict[tuple[Part, str], list[bytes]] = defaultdict(list)
    for part, name, *counts, waited, served in notebook.execute(
        f"SELECT part, name, {', '.join(OUTCOMES)}, waits, services FROM serve_days"
        " WHERE part <> 'all' AND business_day BETWEEN ? AND ?",
        (first, last),
    ):
        waits[part, name].append(waited)
        services[part, name].append(served)
        tallies[part, name].outcomes.update(dict(zip(OUTCOMES, counts, strict=True)))
    for key, tally in tallies.items():
        tally.waits.update(unpack(b"".join(waits.pop(key))))
        tally.services.update(unpack(b"".join(services.pop(key))))
    return tallies


def _count(notebook: sqlite3.Connection, day: str) -> dict[tuple[Part, str], Tally]:
    """One day from its rows, for each part."""
    tallies: dict[tuple[Part, str], Tally] = defaultdict(Tally)
    rows = notebook.execute(
        "SELECT service_code, window_id, hour, lane, outcome, wait_ms, service_ms FROM serves WHERE business_day = ?",
        (day,),
    )
    while batch := rows.fetchmany(AT_ONCE):
        for item, window, hour, lane, outcome, wait_ms, service_ms in batch:
            keys: list[tuple[Part, str]] = [("all", ""), ("item", item), ("hour", str(hour)), ("lane", lane)]
            if window:  # else nobody ever called it
                keys.append(("window", window))
            for key in keys:
                tallies[key].add(outcome, wait_ms, service_ms)
    return tallies


# ---------------------------------------------------------------- closing a day (in the writer's transaction)


def next_to_close(notebook: sqlite3.Connection, today: str) -> str | None:
    """The earliest day before ``today`` that has rows and is not counted yet; None: all are."""
    closed = {
        row[0]
        for row in notebook.execute("SELECT business_day FROM serve_days WHERE part = 'all'").fetchall()
    }
    return next((day for day in _days(notebook, "", today) if day not in closed and day < today), None)


def day_rows(notebook: sqlite3.Connection, day: str) -> list[tuple[object, ...]]:
    """What ``serve_days`` is to hold of a day."""
    return [
        (day, part, name, *(tally.outcomes[one] for one in OUTCOMES), pack(tally.waits), pack(tally.services))
        for (part, name), tally in _count(notebook, day).items()
    ]


def close_day(notebook: sqlite3.Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Write what `day_rows` has counted."""
    notebook.executemany("INSERT OR REPLACE INTO serve_days VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


# ---------------------------------------------------------------- as a process of its own


def to_json(report: Report) -> dict[str, Any]:
    """For a program: every line with its figures, durations in seconds."""
    return {
        "first": report.first,
        "last": report.last,
        "target_s": report.target_s,
        "lines": [asdict(one) for one in report.lines],
    }


def from_json(told: dict[str, Any]) -> Report:
    lines = tuple(
        Line(**{**one, "wait": Spread(**one["wait"]), "service": Spread(**one["service"])})
        for one in told["lines"]
    )
    return Report(told["first"], told["last"], told["target_s"], lines)


def _told(wanted: Json, tell: Progress) -> Json:
    with closing(open_reader(Path(wanted["book"]))) as notebook:
        return to_json(gather(notebook, wanted["first"], wanted["last"], wanted["target_s"], tell))


if __name__ == "__main__":
    sys.exit(answer(_told, sys.stdin, sys.stdout.buffer, sys.stderr))
