"""When the hall is open and when each item is served: the only file that reads `opening_hours` and `hall_days`.

The rules are in ``rules/hours.py``. No rows at all: always open.

    hours.must_be_open(core, notebook, services, now_ms)    # in the transaction that gives a number
    hours.standing(core, "ZW-01")                           # before the touch: what the screens show
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from devices.faults import OrderRefused
from kiosk import content
from kiosk.catalogue import Service
from kiosk.core import Core
from kiosk.rules import hours as rules
from kiosk.rules.hours import Book, HallDay, Span, Standing, Week

#: A pasted list is a year of holidays, not a book.
DAYS_AT_MOST = 400
WHY_AT_MOST = 40


def book(notebook: sqlite3.Connection, day: str = "") -> Book:
    """All hours as they stand. ``day``: of the exceptional days only this one."""
    weeks: dict[str, dict[int, tuple[Span, ...]]] = {}
    for code, weekday, first, last in notebook.execute(
        "SELECT service_code, weekday, from_min, to_min FROM opening_hours ORDER BY service_code, weekday, from_min"
    ):
        of_day = weeks.setdefault(code, {})
        of_day[weekday] = (*of_day.get(weekday, ()), (first, last))
    days = {
        row[0]: HallDay(tuple((first, last) for first, last in json.loads(row[1])), row[2], row[3])
        for row in notebook.execute(
            "SELECT day, spans, why_zh, why_en FROM hall_days" + (" WHERE day = ?" if day else ""),
            (day,) if day else (),
        )
    }
    paused = content.pauses(notebook)
    return Book(Week(weeks.pop("", {})), days, {code: Week(of_day) for code, of_day in weeks.items()}, paused)


def wall(core: Core, now_ms: int | None = None) -> datetime:
    """The hall's wall clock."""
    return datetime.fromtimestamp((core.now_ms() if now_ms is None else now_ms) / 1000, core.zone)


def must_be_open(core: Core, notebook: sqlite3.Connection, services: Sequence[Service], now_ms: int) -> None:
    """:raises rules.HallClosed: / :raises rules.ItemClosed: no number for one of these items now."""
    now = wall(core, now_ms)
    # Each touch comes by here: today alone is read, and all days only to say when it opens next.
    today = book(notebook, now.date().isoformat())
    if all(rules.is_open(today, service.code, now) for service in services):
        return
    whole = book(notebook)
    for service in services:
        rules.must_be_open(whole, service.code, now, service.name_zh, service.name_en)


def standing(core: Core, service_code: str = "") -> Standing:
    """How it stands with an item ("" is the hall) now."""
    return rules.standing(book(core.reader()), service_code, wall(core))


def closed_notice(core: Core, service: Service | None = None) -> tuple[str, str] | None:
    """What a screen says before anybody touches in vain, in both languages; None while it is open."""
    now_is = standing(core, service.code if service is not None else "")
    if now_is.open:
        return None
    return rules.closed_words(
        now_is, wall(core), service.name_zh if service else "", service.name_en if service else ""
    )


def hall_view(core: Core) -> dict[str, Any]:
    """What the hall's display says of the hours: whether it is open, else why and from when, and the week's hours."""
    whole, now = book(core.reader()), wall(core)
    now_is = rules.standing(whole, "", now)
    words = None if now_is.open else rules.closed_words(now_is, now)
    return {
        "open": now_is.open,
        "closed": None if words is None else {"zh": words[0], "en": words[1]},
        "hours": [{"zh": zh, "en": en} for zh, en in rules.week_words(whole.hall)],
    }


# ---------------------------------------------------------------- what staff set


def set_week(core: Core, service_code: str, week: Mapping[int, Sequence[Span]]) -> None:
    """The whole week of the hall ("") or of an item; an empty one: no hours of its own any more."""
    if service_code and core.catalogue.service(service_code) is None:
        raise OrderRefused(
            f"没有编号为“{service_code[:20]}”的事项", f"There is no service {service_code[:20]!r}"
        )
    rows = [
        (service_code, weekday, first, last)
        for weekday, spans in week.items()
        for first, last in rules.merged(spans)
    ]

    def work(notebook: sqlite3.Connection) -> None:
        notebook.execute("DELETE FROM opening_hours WHERE service_code = ?", (service_code,))
        notebook.executemany("INSERT INTO opening_hours VALUES (?, ?, ?, ?)", rows)

    core.writer.write(work)


def put_days(core: Core, days: Mapping[str, HallDay]) -> None:
    """Exceptional days, each overruling what stood for it."""
    if len(days) > DAYS_AT_MOST:
        raise OrderRefused(f"一次最多 {DAYS_AT_MOST} 天", f"At most {DAYS_AT_MOST} days at once")
    rows = [
        (
            day,
            json.dumps([list(span) for span in one.spans]),
            one.why_zh[:WHY_AT_MOST],
            one.why_en[:WHY_AT_MOST],
        )
        for day, one in days.items()
    ]
    core.writer.write(
        lambda notebook: notebook.executemany(
            "INSERT INTO hall_days(day, spans, why_zh, why_en) VALUES (?, ?, ?, ?) ON CONFLICT(day) DO UPDATE SET"
            " spans = excluded.spans, why_zh = excluded.why_zh, why_en = excluded.why_en",
            rows,
        )
    )


def drop_day(core: Core, day: str) -> None:
    core.writer.write(lambda notebook: notebook.execute("DELETE FROM hall_days WHERE day = ?", (day,)))


def typical_spans(of: Book) -> tuple[Span, ...]:
    """A working weekend's hours where the list names none: those of the hall's first working weekday."""
    if not of.hall:
        return rules.ALL_DAY
    return rules.merged(of.hall.spans[min(number for number, spans in of.hall.spans.items() if spans)])
