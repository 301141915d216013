"""What bridge.db and the log say of a printer, and since when it cannot print."""

from __future__ import annotations

import logging

from devices.faults import NotWritten
from firmware_bridge.jobs import Jobs
from gateway.log import say


class PrinterReport:
    """One printer's row. Written only when something changed."""

    def __init__(self, printer: str, jobs: Jobs) -> None:
        #: What bridge.db says; None before the first word.
        self.state: str | None = None
        #: Since when it cannot print, None while it can.
        self.unable_since_ms: int | None = None
        self._printer = printer
        self._jobs = jobs
        self._words = ("", "")
        self._roll_ended = False

    def be(self, state: str, words: tuple[str, str], able: bool, tick_ms: int) -> None:
        """It is ``state`` now; ``words`` say what happened and what to do."""
        if able:
            self.unable_since_ms = None
        elif self.unable_since_ms is None:
            self.unable_since_ms = tick_ms
        if (state, words) == (self.state, self._words):
            return
        # Well after it had none, or little: somebody has put in a roll.
        new_roll = self._roll_ended and state == "ready"
        try:
            self._jobs.printer_is(self._printer, state, *words, new_roll=new_roll)
        except NotWritten:
            return  # told again with the next answer; jobs say aloud that the disk refuses
        self._roll_ended = state in ("paper_low", "paper_out") or (self._roll_ended and not new_roll)
        say(
            "printer_" + state,
            f"printer {self._printer}: {state.replace('_', ' ')}" + (f": {words[1]}" if words[1] else ""),
            level=logging.INFO if able or state == "unknown" else logging.WARNING,
            printer=self._printer,
        )
        self.state, self._words = state, words


class Held:
    """Watches whether bytes wait that nobody takes: the printer holds the line (XOFF, RTS/CTS, a full buffer)."""

    def __init__(self) -> None:
        self.since_ms = 0
        self._waiting = 0

    def look(self, waiting: int, tick_ms: int) -> int:
        """``waiting``: bytes that have not left. Gives for how long none could."""
        if not waiting or waiting < self._waiting:
            self.since_ms = tick_ms
        self._waiting = waiting
        return tick_ms - self.since_ms
