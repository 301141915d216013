"""The hall display: who is called, who waits where, where one can park, what staff have to say.

It follows ``/live``; what changes by the clock alone (hours, notices, forecasts) it asks for at ``/display/now``, every
half minute and whenever the event ``hall`` says that something of it has changed. The page is served whatever is ill:
one that answered with an error would hang on the wall for ever, while one that is there mends itself.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from flask import Blueprint, Response, jsonify, render_template

from devices.faults import NotWritten
from gateway.log import say_once
from kiosk import hours, notices, words
from kiosk.api import state_view
from kiosk.core import Core, current_core

blueprint = Blueprint("screens", __name__)

Json = dict[str, Any]

T = TypeVar("T")

_ROOM = Path(__file__).parent


@blueprint.get("/display")
def display() -> str:
    core = current_core()
    return render_template(
        "display.html",
        state=_or_nothing(state_view, core),
        now=now_view(core),
        catalogue=core.catalogue,
        timezone=core.house.plan.hall.timezone,
        script_words=words.for_script("zh"),
        voice_by=core.house.plan.voice.by,
    )


@blueprint.get("/display/now")
def display_now() -> Response:
    return jsonify(now_view(current_core()))


def now_view(core: Core) -> Json:
    """What the display shows besides `state_view`: docs/protocol.md, 10. What cannot be read is None, and what stood
    there stays."""
    hung = _or_nothing(notices.notices_now, core)
    return {
        "hall": _or_nothing(hours.hall_view, core),
        "notices": None if hung is None else [notices.view(one) for one in hung],
        "outlook": core.outlooks.lines(),
        "build": build(),
        "now_ms": core.now_ms(),
    }


def _or_nothing(read: Callable[[Core], T], core: Core) -> T | None:
    try:
        return read(core)
    except (NotWritten, sqlite3.Error) as wrong:
        say_once("display", "display_unread", f"the display cannot be told all: {wrong}", level=logging.INFO)
        return None


@cache
def build() -> str:
    """What the display's own files are like: a page that was loaded before an update loads itself anew."""
    files = [
        *sorted((_ROOM / "static").glob("display*")),
        _ROOM / "static" / "live.js",
        _ROOM / "static" / "zones.js",
    ]
    files.append(_ROOM / "templates" / "display.html")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
