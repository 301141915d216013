"""When the hall is open: its week, the weeks of single items, holidays and working weekends.

Kept in kiosk.db and read by ``kiosk/hours.py``; none of it needs the gateway, except to take over the roster's
holidays.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from gateway.hall.rows import Holiday
from kiosk import hours
from kiosk.console import acts, blueprint, door
from kiosk.console.helpers import WEEKDAYS
from kiosk.console.rosters import read_holidays
from kiosk.console.tables import Trouble, lang, now, read, why_of
from kiosk.console.words import Lang, say
from kiosk.core import current_core
from kiosk.rules.hours import Book, HallDay, Span, read_spans, say_spans

Typed = dict[str, str]


@blueprint.get("/hours")
@door.allow("admin", "staff")
def hall_hours() -> ResponseReturnValue:
    return _page(request.args.get("item", ""))


@blueprint.post("/hours")
@door.allow("admin", "staff")
def hall_hours_saved() -> ResponseReturnValue:
    do, form, core = request.form.get("do", ""), request.form, current_core()
    item = form.get("item", "")
    try:
        if do == "week":
            hours.set_week(core, item, read_week(form))
            acts.did("hours_set", item)
        elif do == "drop":
            hours.drop_day(core, form.get("day", ""))
            acts.did("hall_days", form.get("day", ""))
        elif do in ("days", "roster"):
            days = _of_roster() if do == "roster" else _read_days(form.get("list", ""))
            hours.put_days(core, days)
            acts.did("hall_days", f"{len(days)}")
        else:
            return door.refuse(400, "bad_request")
    except OrderRefused as refused:
        return _page(item, Trouble(why_of(refused), 409), dict(form.items()))
    return redirect(url_for("console.hall_hours", saved=1), 303)


def read_week(form: Mapping[str, str]) -> dict[int, tuple[Span, ...]]:
    """Seven lines; what is wrong is named by its day."""
    week, wrong = {}, []
    for weekday in range(1, 8):
        try:
            week[weekday] = read_spans(form.get(f"day-{weekday}", ""))
        except OrderRefused as refused:
            wrong.append((weekday, refused))
    if wrong:
        raise OrderRefused(
            *(
                "\n".join(
                    say(
                        "hours_wrong",
                        language,
                        day=say(f"weekday_{weekday - 1}", language),
                        why=one.why_zh if language == "zh" else one.why_en,
                    )
                    for weekday, one in wrong
                )
                for language in _LANGUAGES
            )
        )
    return week


_LANGUAGES: tuple[Lang, Lang] = ("zh", "en")


def _read_days(typed: str) -> dict[str, HallDay]:
    """As the roster's holidays are pasted, with hours at the end of a line where a day is open only then."""
    rows, wrong = read_holidays(typed)
    if wrong or not rows:
        raise OrderRefused(
            *(
                "\n".join(say("hours_line_wrong", language, n=number, line=text) for number, text in wrong)
                or say("hours_none_typed", language)
                for language in _LANGUAGES
            )
        )
    book = hours.book(current_core().reader())
    return {row["day"]: _day(book, row["kind"], row["name"]) for row in rows}


def _day(book: Book, kind: str, name: str) -> HallDay:
    words = name.split()
    timed = [word for word in words if any(sign.isdigit() for sign in word) and (":" in word or "-" in word)]
    spans = read_spans(" ".join(timed))
    if not spans and kind == "workday":
        spans = hours.typical_spans(book)
    why = " ".join(word for word in words if word not in timed)
    return HallDay(spans, why, why)


def _of_roster() -> dict[str, HallDay]:
    """The country's holidays as the roster knows them, from today on."""
    today = now().date().isoformat()
    try:
        holidays = read(Holiday).table(Holiday)
    except (NotWritten, sqlite3.Error):
        holidays = {}
    book = hours.book(current_core().reader())
    days = {day: _day(book, one.kind, one.name) for day, one in holidays.items() if day >= today}
    if not days:
        raise OrderRefused(say("hours_no_roster", "zh"), say("hours_no_roster", "en"))
    return days


def _page(item: str, trouble: Trouble | None = None, typed: Typed | None = None) -> ResponseReturnValue:
    core = current_core()
    book, today = hours.book(core.reader()), now().date().isoformat()
    chosen, kept = core.catalogue.service(item), typed or {}

    def week_of(code: str) -> list[str]:
        """Seven lines as they stand, or as they were typed a moment ago."""
        if kept.get("do") == "week" and kept.get("item", "") == code:
            return [kept.get(f"day-{number}", "") for number in range(1, 8)]
        week = book.items.get(code) if code else book.hall
        return [say_spans(week.spans.get(number, ())) if week else "" for number in range(1, 8)]

    days: list[dict[str, Any]] = [
        {
            "day": day,
            "weekday": date.fromisoformat(day).weekday(),
            "spans": say_spans(one.spans),
            "why": one.why_zh if lang() == "zh" else one.why_en,
        }
        for day, one in sorted(book.days.items())
        if day >= today
    ]
    page = render_template(
        "console/hours.html",
        hall_week=week_of(""),
        item_week=week_of(item) if chosen is not None else None,
        chosen=chosen,
        services=[one for one in core.catalogue.services if one.needs_ticket],
        items=[(one, book.items[one.code]) for one in core.catalogue.services if one.code in book.items],
        say_spans=say_spans,
        weekdays=WEEKDAYS,
        days=days,
        notice=hours.closed_notice(core),
        typed=kept.get("list", ""),
        gateway_there=True,  # nothing here needs it
        why=trouble.why if trouble else "",
    )
    return page, trouble.status if trouble else 200
