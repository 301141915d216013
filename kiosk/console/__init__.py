"""The staff console: calls first, then the queue, bays, printers, devices. One blueprint.

``door.py`` decides who may do what (deny by default); ``pages.py`` are the pages with forms; ``acts.py`` is what
the console page orders; ``picture.py`` is what it shows, and what a locked screen may show; ``live.py`` is its
live line. Every other file is one subject with its pages and bears its name; ``tables.py`` reads and orders for the
forms, ``care.py`` is what visits, meals and upkeep share, ``words.py`` gathers every text.
The page itself is drawn by ``kiosk/static/console*.js``.
Does not belong here: the life of a call (the gateway's), the rules of the queue (``kiosk/line``).
Begin reading at ``door.py``.
"""

from __future__ import annotations

import logging
import sqlite3

from flask import Blueprint, Flask

from devices.faults import OutsideDown
from gateway.log import say
from kiosk import accounts

blueprint = Blueprint("console", __name__, url_prefix="/console")

# The views register themselves on the blueprint above, so they are imported after it.
from kiosk.console import (  # noqa: E402
    acts,
    appointments,
    call,
    check_up,
    commission,
    content,
    content_lists,
    content_service,
    desk,
    door,
    errors,
    figures,
    fleet,
    helpers,
    history,
    hours,
    imports,
    kinds,
    live,
    meals,
    menu,
    pages,
    parking,
    parking_forms,
    parking_history,
    parking_plan,
    people,
    policy,
    printers,
    queue,
    report_pages,
    reports,
    requests,
    rosters,
    running,
    screens,
    search,
    start,
    tokens,
    upkeep,
    visits,
    voice,
    windows,
)

blueprint.before_request(door.check)
blueprint.after_request(door.seal)


def begin(app: Flask) -> None:
    """Where nobody can sign in yet, leave the first administrator's token and say where (never what) it is."""
    core = app.extensions["linli"]
    try:
        if not accounts.needs_first(core.reader()):
            return
        path = core.house.first_token
        if not path.exists():
            path = accounts.make_first_token(core.house.home)
    except (OutsideDown, OSError, sqlite3.Error) as wrong:
        say(
            "first_token_failed",
            f"the first administrator's token cannot be made: {wrong}",
            level=logging.ERROR,
        )
        return
    say("first_token", f"no administrator yet: open /console/first with the token in {path}", path=path)


__all__ = [
    "acts",
    "appointments",
    "blueprint",
    "call",
    "check_up",
    "commission",
    "content",
    "content_lists",
    "content_service",
    "desk",
    "errors",
    "figures",
    "fleet",
    "helpers",
    "history",
    "hours",
    "imports",
    "kinds",
    "live",
    "meals",
    "menu",
    "pages",
    "parking",
    "parking_forms",
    "parking_history",
    "parking_plan",
    "people",
    "policy",
    "printers",
    "queue",
    "report_pages",
    "reports",
    "requests",
    "rosters",
    "running",
    "screens",
    "search",
    "start",
    "tokens",
    "upkeep",
    "visits",
    "voice",
    "windows",
]
