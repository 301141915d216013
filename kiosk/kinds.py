"""The kinds of call as the hall has them now, for every face: names, scripts, outcomes, how urgent."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from devices.faults import NotWritten
from gateway import views_answering

if TYPE_CHECKING:
    from kiosk.core import Core

Json = dict[str, Any]


def kinds_now(core: Core) -> list[Json]:
    """Read anew each time: a dozen rows, 0.1 ms. Without gateway.db, those a hall begins with."""
    try:
        return views_answering.kinds(core.gateway_reader())
    except (NotWritten, sqlite3.Error):
        return views_answering.default_kinds()


def priorities_now(core: Core) -> dict[str, int]:
    """Kind → how urgent; 0 is the most urgent."""
    return {str(one["kind"]): int(one["priority"]) for one in kinds_now(core)}
