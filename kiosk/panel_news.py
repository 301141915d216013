"""Tells the gateway how the panels on serial lines are, so that one that is silent for long becomes a task.

The bridge writes it into its notebook and speaks with nobody; the gateway decides and reads no notebook but its own
(gateway/hall/panel_care.py). One thread carries it from the one to the other. While the bridge is away nothing is
carried: its last word is no news.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from devices.faults import NotWritten, OrderRefused, OutsideDown
from gateway.log import say_once
from kiosk.core import Core
from kiosk.health import bridge_part
from kiosk.rounds import Rounds

#: How often: a task is about a quarter of an hour.
CARRY_S = 30.0


class PanelNews(Rounds):
    """The thread that carries it."""

    def __init__(self, core: Core) -> None:
        super().__init__("panel-news", CARRY_S)
        self._core = core

    def round(self) -> float:
        try:
            carry(self._core)
        except (NotWritten, OrderRefused, OutsideDown, sqlite3.Error) as wrong:
            say_once(
                f"panel_news:{type(wrong).__name__}",
                "panel_news_waits",
                f"how the panels are cannot be passed on just now ({wrong}): the console shows it all the same; "
                "tried again every half minute",
                level=logging.INFO,
            )
        return CARRY_S


def carry(core: Core) -> int:
    """Once; how many panels were told of. Signs above windows are no panels of the car park.

    :raises NotWritten: bridge.db cannot be read. :raises OutsideDown: the gateway cannot be told.
    """
    mine = {one.id for one in core.house.plan.panels if one.via == "serial" and one.kind == "count"}
    if not mine or not core.link.connected or bridge_part(core)["state"] != "ready":
        return 0
    rows: list[dict[str, Any]] = [
        dict(row)
        for row in core.bridge_reader().execute("SELECT panel, state, since_ms, why_zh, why_en FROM panels")
        if row["panel"] in mine
    ]
    if rows:
        core.link.order("panels", panels=rows)
    return len(rows)
