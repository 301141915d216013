"""Telling the consoles, always after the change is on the disk. A level, so that who comes later is told the same."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from devices.faults import NotWritten
from gateway.log import say_once
from kiosk.core import Core
from kiosk.live import STAFF
from kiosk.requests import looking
from kiosk.requests.looking import Row

Json = dict[str, Any]


def box(core: Core) -> Json:
    """What the console's page says of requests: how many are open, urgent, new, overdue. Names nobody."""
    try:
        return {"known": True, **looking.open_counts(core.reader(), core.now_ms())}
    except (NotWritten, sqlite3.Error) as wrong:
        why = f"requests cannot be counted for the consoles just now: {wrong}"
        say_once("requests_not_told", "requests_not_told", why, level=logging.WARNING)
        return {"known": False, "open": 0, "urgent": 0, "new": 0, "overdue": 0}


def told_new(core: Core, row: Row) -> None:
    """Something new has come in: consoles sound, the urgent ones more."""
    came = {"request_id": row.request_id, "urgent": row.urgent, "kind_zh": row.kind.zh, "kind_en": row.kind.en}
    _tell(core, {"came": {**came, "building": row.building}})


def told_changed(core: Core, request_id: int) -> None:
    _tell(core, {"changed": request_id})


def _tell(core: Core, more: Json) -> None:
    if core.hub.listens(STAFF):
        core.hub.publish(STAFF, "requests", {**box(core), **more})
