"""A printer that cannot print hands its slips to its spare (hall.toml: ``spare``).

Only slips of which not one byte has left: what lies half printed at the first printer is not printed whole at the
second by itself. A slip is handed over once, so two printers that are each other's spare play no ball with it; and
never to a printer that cannot print either.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from devices.faults import NotWritten
from firmware_bridge.jobs import Jobs
from firmware_bridge.printer_desk import PrinterDesk
from gateway.log import say, say_once

#: Our choice: a cover that is opened to put in paper is closed within this; nobody waits longer for a slip.
SPARE_AFTER_MS = 10_000


class Spares:
    """All printers of one hall."""

    def __init__(self, desks: Sequence[PrinterDesk], jobs: Jobs) -> None:
        self._desks = {desk.printer.id: desk for desk in desks}
        self._jobs = jobs

    def turn(self, tick_ms: int) -> None:
        for desk in self._desks.values():
            since_ms, spare = desk.report.unable_since_ms, self._desks.get(desk.printer.spare)
            if since_ms is None or spare is None or tick_ms - since_ms < SPARE_AFTER_MS:
                continue
            if spare.state is None or spare.report.unable_since_ms is not None:
                continue
            try:
                slips = self._jobs.hand_over(desk.printer.id, spare.printer.id)
            except NotWritten as wrong:
                say_once("bridge_db", "not_written", f"{wrong}; slips wait meanwhile", level=logging.ERROR)
                return
            if slips:
                spare.nudge(tick_ms)
                say(
                    "slips_to_spare",
                    f"{len(slips)} slip(s) of {desk.printer.id} come out at {spare.printer.id}",
                    level=logging.WARNING,
                    printer=desk.printer.id,
                    spare=spare.printer.id,
                )
