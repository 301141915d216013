"""The touchscreen while nobody is there: what can be done here, and how the line stands, until somebody touches it.

It stands in the touchscreen's frame, in the two languages at once: help, large text and English are one touch away from
here too. It follows ``/live``; what changes by the clock alone (hours, notices, what is on today) it asks for at
``/attract/now``, with the word that tells it that the server is another one than it was loaded from.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Response, jsonify, redirect, render_template
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten
from gateway.log import say_once
from kiosk import hours, notices
from kiosk.api import state_view
from kiosk.core import Core, current_core
from kiosk.rules.hours import hall_spans, say_spans, spans_of
from kiosk.view import asked_view, frame

blueprint = Blueprint("attract", __name__)
blueprint.context_processor(frame)

#: A page that was loaded from another process than this one loads itself anew: its files may have changed.
BOOT = secrets.token_hex(6)
NOTICES_SHOWN = 3

T = TypeVar("T")


@blueprint.get("/attract")
def attract() -> ResponseReturnValue:
    view = asked_view()
    if view.lang != "zh" or view.large:
        # Somebody has touched "English" or "large text": he is there, and begins.
        return redirect(view.url("touch.home"))
    core = current_core()
    return render_template(
        "attract.html", catalogue=core.catalogue, state=_or_none(state_view, core), now=now_view(core)
    )


@blueprint.get("/attract/now")
def now() -> Response:
    return jsonify(now_view(current_core()))


def now_view(core: Core) -> dict[str, Any]:
    """What the screen shows besides `state_view`. What cannot be read is None, and what stood there stays."""
    hung = _or_none(notices.notices_now, core)
    return {
        "closed": _or_none(_closed, core),
        "open": _or_none(_open_today, core),
        "today": _or_none(today, core),
        "notices": None if hung is None else [notices.view(one) for one in hung[:NOTICES_SHOWN]],
        "boot": BOOT,
    }


def today(core: Core) -> list[dict[str, Any]]:
    """Items that have hours of their own and are on today: the day of the health cabin, the lawyer's afternoon."""
    book, day = hours.book(core.reader()), hours.wall(core).date()
    found = []
    for code in book.items:
        service, spans = core.catalogue.service(code), spans_of(book, code, day)
        if service is not None and spans and book.items[code].spans.keys() != book.hall.spans.keys():
            found.append({"zh": service.name_zh, "en": service.name_en, "hours": say_spans(spans)})
    return found


def _closed(core: Core) -> dict[str, str]:
    said = hours.closed_notice(core)
    return {"zh": said[0], "en": said[1]} if said else {"zh": "", "en": ""}


def _open_today(core: Core) -> str:
    """The hall's hours of today; "" where none were set (it is always open)."""
    book = hours.book(core.reader())
    return say_spans(hall_spans(book, hours.wall(core).date())) if book.hall else ""


def _or_none(read: Callable[[Core], T], core: Core) -> T | None:
    """The page is served whatever is ill: one that answered with an error would stand there for ever."""
    try:
        return read(core)
    except (NotWritten, sqlite3.Error) as wrong:
        say_once(
            "attract", "attract_unread", f"the attract screen cannot be told all: {wrong}", level=logging.INFO
        )
        return None
