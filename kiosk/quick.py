"""The six items that this hall's people ask for most: chosen by staff, first on the touchscreen's home."""

from __future__ import annotations

import json
import logging
import sqlite3

from devices.faults import NotWritten, OrderRefused
from gateway.log import say_once
from kiosk.catalogue import Catalogue
from kiosk.core import Core

QUICK = 6
#: Until staff have chosen: what community halls say they do most (our choice among the 31, two of each kind of need).
DEFAULT = ("ZW-10", "ZW-05", "ZW-06", "ZW-04", "ZW-12", "WY-06")


def quick_codes(core: Core) -> tuple[str, ...]:
    """The six items' codes, in the order in which staff have put them.

    Read from the newest ``content_edits`` row of subject "quick", field "codes" (a JSON list, null for "as it ships").
    A code that the catalogue does not have is left out, and the default ones fill the rest: six are always there.
    """
    chosen = [*_written(core), *DEFAULT]
    known = [code for code in dict.fromkeys(chosen) if core.catalogue.service(code) is not None]
    return tuple(known[:QUICK])


def _written(core: Core) -> list[str]:
    try:
        row = (
            core.reader()
            .execute(
                "SELECT value FROM content_edits WHERE subject = 'quick' AND field = 'codes'"
                " ORDER BY edit_id DESC LIMIT 1"
            )
            .fetchone()
        )
    except (NotWritten, sqlite3.Error) as wrong:
        say_once("quick-unread", "quick_unread", f"quick items cannot be read: {wrong}", level=logging.INFO)
        return []
    try:
        codes = json.loads(row[0]) if row is not None else None
    except json.JSONDecodeError:
        codes = None
    return [one for one in codes if isinstance(one, str)] if isinstance(codes, list) else []


def checked(catalogue: Catalogue, chosen: object) -> list[str]:
    """The codes as they are written.

    :raises OrderRefused: not six, one twice, or one that the catalogue does not have.
    """
    codes = [str(one) for one in chosen] if isinstance(chosen, list | tuple) else []
    for code in codes:
        if catalogue.service(code) is None:
            raise OrderRefused(f"没有编号为“{code[:20]}”的事项", f"There is no service {code[:20]!r}")
    if len(codes) != QUICK or len(set(codes)) != QUICK:
        raise OrderRefused(f"要选 {QUICK} 个不同的事项", f"Choose {QUICK} different services")
    return codes
