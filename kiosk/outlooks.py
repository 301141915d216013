"""When each zone of the car park will be full today, for the faces of residents: worked out by a child, kept here.

Theory of operation. A forecast reads weeks of days, so it is made by the same child as the console's report
(``parking_history.py``), once in a quarter of an hour and only while somebody looks: `lines` gives what is known at
once and never waits; where that is of an earlier quarter, it has the next one made. A forecast is told only where its
back-test allows (rules/parking_forecast.py, `worth_telling`); elsewhere there is no line at all.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gateway.log import say_once
from kiosk import words
from kiosk.parking_history import WantedHistory, ZoneOutlook
from kiosk.queue_reports import Job, ReportFailed, run
from kiosk.rules import parking_forecast as forecasting
from kiosk.rules.parking_history import QUARTER_MS

if TYPE_CHECKING:
    from kiosk.core import Core

#: A forecast is told no longer than this after it was made: half an hour later half of what it knew of today is gone.
TOLD_FOR_MS = 2 * QUARTER_MS

#: zone → {"zh", "en"}
Lines = dict[str, dict[str, str]]


class Outlooks:
    """Any thread may ask. ``work`` makes the outlooks and is replaced by tests."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = threading.Lock()
        self._asked_quarter = 0
        self._made_ms = 0
        self._full_ms: dict[str, int] = {}
        self.work: Callable[[], tuple[ZoneOutlook, ...]] = self._by_child
        self.busy: threading.Thread | None = None
        """Who makes the newest; tests wait for it."""

    def lines(self) -> Lines:
        """Zone → when it will be full, in words; zones of which nothing can be told are not in it."""
        now_ms = self._core.now_ms()
        with self._lock:
            if now_ms // QUARTER_MS != self._asked_quarter and (
                self.busy is None or not self.busy.is_alive()
            ):
                self._asked_quarter = now_ms // QUARTER_MS
                if self._core.house.gateway_db.exists():
                    self.busy = threading.Thread(
                        target=self._make, args=(now_ms,), name="outlook", daemon=True
                    )
                    self.busy.start()
            if not self._made_ms <= now_ms <= self._made_ms + TOLD_FOR_MS:
                return {}
            told = {zone_id: full_ms for zone_id, full_ms in self._full_ms.items() if full_ms > now_ms}
        return {zone_id: self._words(full_ms) for zone_id, full_ms in told.items()}

    def _words(self, full_ms: int) -> dict[str, str]:
        clock = f"{datetime.fromtimestamp(full_ms / 1000, self._core.zone):%H:%M}"
        return {
            "zh": words.say("zone_full_at", "zh", clock=clock),
            "en": words.say("zone_full_at", "en", clock=clock),
        }

    def _make(self, now_ms: int) -> None:
        try:
            found = self.work()
        except ReportFailed as wrong:
            # Nothing is told of the hours to come; the counts themselves go on. Tried again in the next quarter.
            say_once("outlook", "outlook_failed", f"no forecast of the car park: {wrong}", level=logging.INFO)
            return
        at = datetime.fromtimestamp(now_ms / 1000, self._core.zone)
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        full_ms: dict[str, int] = {}
        for one in found:
            quarter = forecasting.worth_telling(one.forecast, one.errors)
            if quarter is not None:
                full_ms[one.zone_id] = round((midnight + timedelta(minutes=15 * quarter)).timestamp() * 1000)
        with self._lock:
            self._made_ms, self._full_ms = now_ms, full_ms
        # Screens that stand there look anew.
        self._core.hub.publish("hall", "hall", {})

    def _by_child(self) -> tuple[ZoneOutlook, ...]:
        """:raises ReportFailed: the child could not read."""
        core = self._core
        day = datetime.fromtimestamp(core.now_ms() / 1000, core.zone).date().isoformat()
        wanted = WantedHistory(
            str(core.house.gateway_db), core.house.plan.hall.timezone, day, day, core.now_ms()
        )
        return run(core.house.kiosk_db, wanted, Job(wanted)).outlook
