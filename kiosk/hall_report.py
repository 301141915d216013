"""A day, a week, a month of everything: numbers, calls, visits, meals, requests, parking, paper. Reads only.

Theory of operation. Each section asks the same functions as the page of its own (queue figures, `linli figures`, the
visits' coverage, the car park's history), so that two pages never say two things; a test compares them. It reads the
notebooks of all rooms, and one that cannot be read is a section with trouble, not a report that fails.

It is work for a processor and the kiosk has touches to answer: the page asks for it through ``queue_reports.py``, which
runs this file as a process of its own (``python -m kiosk.hall_report``, JSON in, JSON out).
"""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from devices.faults import NotWritten
from gateway import views, views_care
from gateway.hall.coverage import coverage_in
from gateway.hall.days import moment_ms
from gateway.hall.figures import FALSE_ALARM, figures, stories
from gateway.notebook import open_reader
from kiosk import parking_history, queue_figures
from kiosk.report_child import Json, Progress, answer
from kiosk.rules.parking_history import ZoneDay, cell_of
from kiosk.rules.parking_history import figures as parking_figures
from kiosk.rules.report_spans import compared, span
from kiosk.rules.request_life import answered_ms

#: Lines of a section's table: the most frequent (our choice: a day's report is one sheet of paper).
LINES_AT_MOST = 8

Values = dict[str, float | int | None]
#: "9" for the hour from nine, or "2026-11-22"
Course = dict[str, float]


@dataclass(slots=True)
class Part:
    """One section over one range of days. ``course``: hour by hour of a day, else day by day. ``lines``: by kind."""

    values: Values = field(default_factory=dict)
    course: Course = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Section:
    """``trouble``: why it could not be read, "" where it was."""

    name: str
    now: Part
    before: Part
    trouble: str = ""

    @property
    def empty(self) -> bool:
        return not any(self.now.values.values()) and not any(self.before.values.values())


@dataclass(slots=True)
class HallReport:
    """``before_first``, ``before_last``: the days with which it is compared."""

    kind: str
    first: str
    last: str
    before_first: str
    before_last: str
    sections: list[Section]

    def section(self, name: str) -> Section:
        return next(one for one in self.sections if one.name == name)


@dataclass(frozen=True, slots=True)
class Days:
    """A range of days as the sections want it. ``by_hour``: the course is told by hours."""

    zone: ZoneInfo
    first: date
    last: date
    by_hour: bool
    now_ms: int

    @property
    def first_ms(self) -> int:
        return moment_ms(self.zone, self.first)

    @property
    def end_ms(self) -> int:
        return moment_ms(self.zone, self.last, 1440)

    def key(self, at_ms: int) -> str:
        wall = datetime.fromtimestamp(at_ms / 1000, self.zone)
        return str(wall.hour) if self.by_hour else wall.date().isoformat()

    def count(self, moments: Iterable[int]) -> Course:
        return dict(Counter(self.key(at_ms) for at_ms in moments))


class Books:
    """The notebooks that a report reads, each opened when a section first asks for it."""

    def __init__(self, wanted: Json, first: date, last: date) -> None:
        self._wanted, self._first, self._last = wanted, first, last
        self._readers: dict[str, sqlite3.Connection] = {}
        self._parked: dict[date, list[ZoneDay]] | None = None
        self.target_s = int(wanted["target_s"])

    def reader(self, name: str) -> sqlite3.Connection:
        """:raises NotWritten: there is no such notebook yet."""
        if name not in self._readers:
            self._readers[name] = open_reader(Path(self._wanted[name]))
        return self._readers[name]

    def parked(self) -> dict[date, list[ZoneDay]]:
        """The car park's days of both ranges, walked once: each day its zones."""
        if self._parked is None:
            book, gateway = self.reader("book"), self.reader("gateway")
            for connection in (book, gateway):
                connection.execute("BEGIN")
            try:
                found = parking_history.days(
                    book,
                    gateway,
                    self._wanted["timezone"],
                    self._first,
                    self._last,
                    int(self._wanted["now_ms"]),
                )
                self._parked = {date.fromisoformat(zones[0].day): zones for zones in found if zones}
            finally:
                for connection in (gateway, book):
                    connection.execute("COMMIT")
        return self._parked

    def close(self) -> None:
        for connection in self._readers.values():
            connection.close()


def most(counts: Counter[str]) -> dict[str, int]:
    """All of them, the most frequent first; :func:`gather` cuts what is shown, and what it is compared with not."""
    return dict(counts.most_common())


# ---------------------------------------------------------------- the sections


def queue_part(books: Books, days: Days) -> Part:
    """As the page of the queue's figures."""
    report = queue_figures.gather(
        books.reader("book"), days.first.isoformat(), days.last.isoformat(), books.target_s
    )
    whole = report.whole
    values: Values = {
        "total": whole.total,
        "served": whole.served,
        "no_show": whole.no_show,
        "cancelled": whole.cancelled,
        "wait_p50_s": whole.wait.p50_s,
        "wait_p90_s": whole.wait.p90_s,
        "beyond_share": whole.beyond_share,
    }
    course = {line.name: line.total for line in report.of("hour" if days.by_hour else "day")}
    return Part(values, dict(course), most(Counter({line.name: line.total for line in report.of("item")})))


def calls_part(books: Books, days: Days) -> Part:
    """As ``linli figures``: a call belongs to the day on which it began."""
    told = [
        one
        for one in stories(views.journal_from(books.reader("gateway"), days.first_ms))
        if one.began_ms < days.end_ms
    ]
    whole = figures(told)
    real = [one for one in told if one.kind != "test" and one.outcome != "test"]

    def s(ms: int | None) -> float | None:
        return None if ms is None else round(ms / 1000, 1)

    values: Values = {
        "calls": whole.calls,
        "accepted": whole.accepted,
        "accept_p50_s": s(whole.spreads["accepted"].p50_ms),
        "accept_p90_s": s(whole.spreads["accepted"].p90_ms),
        "arrive_p50_s": s(whole.spreads["arrived"].p50_ms),
        "false_alarms": sum(one.outcome == FALSE_ALARM for one in real),
    }
    kinds = Counter(one.kind for one in real)
    return Part(values, days.count(one.began_ms for one in real), most(kinds))


def visits_part(books: Books, days: Days) -> Part:
    """As the visits' coverage: a visit belongs to the day of its due. The course counts those that were made."""
    found = views_care.visits_between(books.reader("gateway"), days.first_ms, days.end_ms)
    grids, whole = coverage_in(found, days.first_ms, days.end_ms)
    values: Values = {
        "due": whole.due,
        "in_time": whole.in_time,
        "late": whole.late,
        "missed": whole.missed,
        "waiting": whole.waiting,
        "seen_share": whole.share,
    }
    made = [
        one.done_ms for one in found if one.state == "done" and days.first_ms <= one.done_ms < days.end_ms
    ]
    return Part(values, days.count(made), most(Counter({one.grid: one.due for one in grids})))


def meals_part(books: Books, days: Days) -> Part:
    orders = views_care.meal_orders(books.reader("gateway"), days.first.isoformat(), days.last.isoformat())
    by_state: Counter[str] = Counter()
    by_meal: Counter[str] = Counter()
    course: Counter[str] = Counter()
    for one in orders:
        portions = int(str(one["portions"]))
        by_state[str(one["state"])] += portions
        if one["state"] != "cancelled":
            by_meal[str(one["meal"])] += portions
            course[days.key(int(str(one["ordered_ms"]))) if days.by_hour else str(one["day"])] += portions
    values: Values = {
        "portions": sum(by_meal.values()),
        "delivered": by_state["delivered"],
        "cancelled": by_state["cancelled"],
        "people": len({str(one["person_id"]) for one in orders if one["state"] != "cancelled"}),
    }
    return Part(values, dict(course), most(by_meal))


def requests_part(books: Books, days: Days) -> Part:
    """Requests by the day on which they were made; answered as in their list (`rules.request_life.answered_ms`)."""
    book, asked = books.reader("book"), (days.first.isoformat(), days.last.isoformat())
    rows = book.execute(
        "SELECT kind, urgent, state, made_ms, answer_by_ms, closed_ms, request_id FROM requests"
        " WHERE business_day BETWEEN ? AND ?",
        asked,
    ).fetchall()
    steps: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for request_id, event, at_ms in book.execute(
        "SELECT request_id, event, at_ms FROM request_steps WHERE request_id IN"
        " (SELECT request_id FROM requests WHERE business_day BETWEEN ? AND ?) ORDER BY step_id",
        asked,
    ):
        steps[request_id].append((event, at_ms))
    in_time = late = 0
    for _, _, state, _, answer_by_ms, _, request_id in rows:
        if answer_by_ms is None or state == "CANCELLED":
            continue
        at_ms = answered_ms(steps[request_id])
        in_time += at_ms is not None and at_ms <= answer_by_ms
        late += (days.now_ms if at_ms is None else at_ms) > answer_by_ms
    values: Values = {
        "requests": len(rows),
        "urgent": sum(row[1] for row in rows),
        "closed": sum(row[5] is not None for row in rows),
        "open": sum(row[5] is None for row in rows),
        "in_time": in_time,
        "late": late,
    }
    return Part(values, days.count(row[3] for row in rows), most(Counter(row[0] for row in rows)))


def parking_part(books: Books, days: Days) -> Part:
    """As the car park's history, all zones together; the course is the share of bays that were taken, without the
    hours or days of which too much is unknown."""
    mine = {day: zones for day, zones in books.parked().items() if days.first <= day <= days.last}
    everything = [one for zones in mine.values() for one in zones]
    whole = parking_figures("", everything)
    values: Values = {
        "bays": whole.bay_count,
        "occupied_share": whole.all.occupied,
        "arrivals": whole.arrivals,
        "turnover": None if whole.turnover is None else round(whole.turnover, 2),
        "stay_p50_s": whole.stay.p50_s,
        "unknown_share": whole.all.unknown,
    }
    areas: dict[str, list[int]] = {}
    for day, zones in mine.items():
        for one in zones:
            for number, area in enumerate(one.areas):
                if area:
                    key = str(number // 16) if days.by_hour else day.isoformat()
                    areas.setdefault(key, [0, 0, 0, 0])[number % 4] += area
    cells = {key: cell_of(areas_of) for key, areas_of in areas.items()}
    course = {
        key: round(100 * cell.occupied, 1)
        for key, cell in cells.items()
        if cell.certain and cell.occupied is not None
    }
    by_zone: Counter[str] = Counter()
    for one in everything:
        by_zone[one.zone_id] += sum(one.arrivals)
    return Part(values, course, most(by_zone))


def paper_part(books: Books, days: Days) -> Part:
    bridge = books.reader("bridge")
    rows = bridge.execute(
        "SELECT printer, state, created_ms FROM jobs WHERE created_ms >= ?1 AND created_ms < ?2"
        " UNION ALL SELECT printer, state, created_ms FROM old_jobs WHERE created_ms >= ?1 AND created_ms < ?2",
        (days.first_ms, days.end_ms),
    ).fetchall()
    states = Counter(row[1] for row in rows)
    troubles = bridge.execute(
        "SELECT count(*) FROM printer_moves WHERE at_ms >= ? AND at_ms < ? AND state NOT IN ('ready', 'paper_low')",
        (days.first_ms, days.end_ms),
    ).fetchone()[0]
    values: Values = {
        "slips": len(rows),
        "printed": states["PRINTED"],
        "unsure": states["UNSURE"] + states["SETTLED"],
        "failed": states["FAILED"],
        "troubles": troubles,
    }
    return Part(values, days.count(row[2] for row in rows), most(Counter(row[0] for row in rows)))


PARTS: dict[str, Callable[[Books, Days], Part]] = {
    "queue": queue_part,
    "calls": calls_part,
    "visits": visits_part,
    "meals": meals_part,
    "requests": requests_part,
    "parking": parking_part,
    "paper": paper_part,
}


# ---------------------------------------------------------------- gathering


def gather(wanted: Json, progress: Progress = lambda done, of: None) -> HallReport:
    """All sections of a span and of the one before it. What cannot be read is told in its section."""
    zone = ZoneInfo(wanted["timezone"])
    of = span(wanted["kind"], date.fromisoformat(wanted["day"]))
    first, last = compared(of, date.fromisoformat(wanted["today"]))
    now = Days(zone, of.first, of.last, of.kind == "day", int(wanted["now_ms"]))
    before = replace(now, first=first, last=last)
    sections: list[Section] = []
    with closing(Books(wanted, min(first, of.first), of.last)) as books:
        for done, (name, part) in enumerate(PARTS.items()):
            progress(done, len(PARTS))
            try:
                seen = part(books, now)
                shown = dict(list(seen.lines.items())[:LINES_AT_MOST])
                sections.append(Section(name, replace(seen, lines=shown), part(books, before)))
            except (NotWritten, sqlite3.Error) as wrong:
                sections.append(Section(name, Part(), Part(), str(wrong)))
    progress(len(PARTS), len(PARTS))
    return HallReport(
        of.kind, of.first.isoformat(), of.last.isoformat(), first.isoformat(), last.isoformat(), sections
    )


# ---------------------------------------------------------------- as a process of its own


@dataclass(frozen=True, slots=True)
class WantedHall:
    """A report of the hall, from a child. ``today`` also says until when a report that is not over is as it is."""

    kind: str
    day: str
    today: str
    gateway: str
    bridge: str
    timezone: str
    target_s: int
    now_ms: int = field(compare=False)

    def module(self) -> str:
        return "kiosk.hall_report"

    def asked(self, book: Path) -> Json:
        return {"book": str(book), **asdict(self)}

    def read(self, told: Json) -> HallReport:
        return from_json(told)


def from_json(told: Json) -> HallReport:
    sections = [
        Section(one["name"], Part(**one["now"]), Part(**one["before"]), one["trouble"])
        for one in told["sections"]
    ]
    return HallReport(**{**told, "sections": sections})


def _told(wanted: Json, tell: Progress) -> dict[str, Any]:
    return asdict(gather(wanted, tell))


if __name__ == "__main__":
    sys.exit(answer(_told, sys.stdin, sys.stdout.buffer, sys.stderr))
