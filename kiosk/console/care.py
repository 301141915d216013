"""What the pages about visits and meals share: their frame, reading gateway.db, orders whose refusal keeps the form."""

from __future__ import annotations

import csv
import io
import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from flask import Response, g, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused, OutsideDown
from gateway.hall.days import day_of
from gateway.log import say as log
from kiosk.console import door
from kiosk.console.words import WORDS, Lang, say
from kiosk.core import current_core
from kiosk.kinds import kinds_now
from kiosk.rules.kitchen import door_of

Json = dict[str, Any]
T = TypeVar("T")

#: What the script of these pages may have to say (static/console_care.js).
_SCRIPT = ("sound_on", "sound_tap", "sound_why", "sound_test", "care_ringing", "ended_title", "file_too_large")
#: and what its table of keys says (static/console_keys.js)
_KEYS = tuple(key for key in WORDS if key.startswith("keys_"))


class Unreadable(Exception):
    """gateway.db cannot be read just now; the page says so and shows nothing."""


def lang() -> Lang:
    return "en" if g.lang == "en" else "zh"


def pair(words: tuple[str, str] | None, otherwise: str = "") -> str:
    """(Chinese, English) in the page's language."""
    return otherwise if words is None else words[lang() == "en"]


def read(question: Callable[[sqlite3.Connection], T]) -> T:
    """:raises Unreadable: there is no gateway.db, or it cannot be read."""
    try:
        return question(current_core().gateway_reader())
    except (NotWritten, sqlite3.Error) as wrong:
        raise Unreadable(str(wrong)) from wrong


def order(name: str, /, **fields: Any) -> Json:
    """One order to the gateway by whoever is signed in.

    :raises OrderRefused: with words for the form; also where the gateway is away.
    """
    try:
        return current_core().link.order(name, by=door.me().name, **fields)
    except OutsideDown as wrong:
        log("console_refused", f"{name}: {wrong}", level=logging.WARNING)
        away = "outside_order" if current_core().link.connected else "outside_gateway"
        raise OrderRefused(say(away, "zh"), say(away, "en")) from wrong


def why(refused: OrderRefused) -> str:
    return refused.why_zh if lang() == "zh" else refused.why_en


def script_facts() -> Json:
    """What the script needs that makes a page of forms ring (static/console_care.js)."""
    return {
        "words": {key: WORDS[key] for key in (*_SCRIPT, *_KEYS)},
        "lang": lang(),
        "timezone": current_core().house.plan.hall.timezone,
        "console": url_for("console.page"),
        "kinds": [{name: one[name] for name in ("kind", "priority")} for one in kinds_now(current_core())],
    }


def page(template: str, status: int = 200, **filled: Any) -> ResponseReturnValue:
    """A page in the frame of these: it rings when somebody calls, and says so where the gateway is away."""
    core = current_core()
    heard = core.link.snapshot()
    ringing = sum(one.get("state") == "HEARD" for one in heard["calls"])
    shown = render_template(
        template,
        ringing=ringing,
        gateway_there=core.link.connected,
        care_facts=script_facts(),
        pair=pair,
        door_of=door_of,
        day_words=day_words,
        moment=moment,
        **{"why": "", "done": "", "unread": False, **filled},
    )
    answer = make_response(shown, status)
    return how_far(answer, filled["job"]) if status == 202 else answer


def how_far(answer: Response, job: Any) -> Response:
    """For the page's script, which asks for the head alone (static/console_working.js)."""
    answer.headers["X-Done"], answer.headers["X-Of"] = str(job.done), str(job.of)
    if stage := getattr(job, "stage", ""):
        answer.headers["X-Stage"] = stage
    return answer


def unreadable(template: str, **filled: Any) -> ResponseReturnValue:
    """The page without what it would show. ``unread``: it must not say that there is nothing, for nobody knows."""
    return page(template, 503, **{**filled, "why": say("care_unreadable", lang()), "unread": True})


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A table for a spreadsheet: UTF-8 with its mark, so that Excel shows Chinese. A cell never begins a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _plain(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def number(raw: str) -> int:
    """A row's number as a form or an address says it; 0 for what is none. Fifteen digits: no row of ours has more."""
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 16 else 0


def today() -> date:
    core = current_core()
    return day_of(core.zone, core.now_ms())


def day_words(day: str | date) -> str:
    """ "11-22（周日）", "Sun 11-22"."""
    found = date.fromisoformat(day) if isinstance(day, str) else day
    weekday = say(f"weekday_{found.weekday()}", lang())
    return say("care_of_day", lang(), day=f"{found:%m-%d}", weekday=weekday)


def moment(at_ms: int) -> str:
    """ "11-22 14:03" by the hall's clock."""
    return f"{datetime.fromtimestamp(at_ms / 1000, current_core().zone):%m-%d %H:%M}"
