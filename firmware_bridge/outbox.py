"""The kiosk's outbox, read-only: a slip's row in kiosk.db is the order to print it. Nothing is written there.

kiosk.db may not exist yet, may be replaced by a restored one, may be unreadable for a while: then there is
nothing to print, `why_en` says why, and it is tried again every second.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices.faults import NotWritten
from gateway.notebook import data_version, open_reader

#: Between two tries to open a kiosk.db that is not there, and two looks whether it is still the same file.
LOOK_AGAIN_MS = 1000
#: Slips taken at once: bounds the memory after a long time away.
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Slip:
    """A row of kiosk.db's ``slips``. ``body`` is PrintSlip as JSON text."""

    slip_id: int
    printer: str
    body: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """A member of staff's word on an UNSURE or FAILED job: printed, reprinted, given_up."""

    verdict_id: int
    slip_id: int
    verdict: str


@dataclass(frozen=True, slots=True)
class PrinterAct:
    """What a member of staff has done at a printer: ``new_roll``."""

    act_id: int
    printer: str
    act: str


class Watched:
    """Another process's notebook, looked at without waiting. ``changed`` costs 3 microseconds when nothing has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.why_en = ""
        self.connection: sqlite3.Connection | None = None
        self._version = -1
        self._file = (0, 0)
        self._look_ms: float = 0

    def changed(self, tick_ms: int) -> bool:
        """Whether somebody has committed, or the file is another one, since the last call."""
        if tick_ms >= self._look_ms:
            self._look_ms = tick_ms + LOOK_AGAIN_MS
            self._see_file()
        if self.connection is None:
            return False
        try:
            version = data_version(self.connection)
        except sqlite3.Error as wrong:
            self.lost(wrong)
            return False
        if version == self._version:
            return False
        self._version = version
        return True

    def again(self) -> None:
        """What was seen could not be dealt with: `changed` shall say True once more."""
        self._version = -1

    def lost(self, wrong: Exception) -> None:
        self.why_en = f"{self.path.name}: {wrong}"
        self.close()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def _see_file(self) -> None:
        try:
            seen = os.stat(self.path)
        except OSError as wrong:
            self.lost(wrong)
            return
        if self.connection is not None and (seen.st_dev, seen.st_ino) == self._file:
            return
        self.close()
        try:
            self.connection = open_reader(self.path)
        except NotWritten as wrong:
            self.lost(wrong)
            return
        self._file = (seen.st_dev, seen.st_ino)
        self._version = -1
        self.why_en = ""


class Signs:
    """What the LED signs above the windows show: the level that the kiosk keeps in ``signs``.

    A connection of its own, so that a sign never waits for a printer that is busy with slips.
    """

    def __init__(self, path: Path) -> None:
        self.file = Watched(path)

    def levels(self) -> dict[str, tuple[str, bool]]:
        """Each sign's text and whether it blinks.

        :raises sqlite3.Error: the file cannot be read just now, or is of an older kiosk.
        """
        assert self.file.connection is not None
        rows = self.file.connection.execute("SELECT sign, text, blink FROM signs").fetchall()
        return {str(row[0]): (str(row[1]), bool(row[2])) for row in rows}


class Outbox:
    """The slips and verdicts of kiosk.db."""

    def __init__(self, path: Path) -> None:
        self.file = Watched(path)

    def epoch(self) -> str:
        row = self._ask("SELECT value FROM meta WHERE key = 'epoch'")
        return str(row[0][0]) if row else ""

    def restored_slip(self) -> int | None:
        """The newest slip that a restored kiosk.db had in it (`linli restore` writes it); None: never restored."""
        row = self._ask("SELECT value FROM meta WHERE key = 'restored_slip_id'")
        return int(row[0][0]) if row else None

    def newest_slip(self) -> int:
        """The largest number of a slip; 0 where there is none."""
        return int(self._ask("SELECT coalesce(max(slip_id), 0) FROM slips")[0][0])

    def slips_after(self, slip_id: int) -> list[Slip]:
        rows = self._ask(
            "SELECT slip_id, printer, body, created_ms FROM slips WHERE slip_id > ? ORDER BY slip_id LIMIT ?",
            slip_id,
            MOST_AT_ONCE,
        )
        return [Slip(int(row[0]), str(row[1]), str(row[2]), int(row[3])) for row in rows]

    def verdicts_after(self, verdict_id: int) -> list[Verdict]:
        rows = self._ask(
            "SELECT verdict_id, slip_id, verdict FROM slip_verdicts WHERE verdict_id > ? ORDER BY verdict_id LIMIT ?",
            verdict_id,
            MOST_AT_ONCE,
        )
        return [Verdict(int(row[0]), int(row[1]), str(row[2])) for row in rows]

    def acts_after(self, act_id: int) -> list[PrinterAct]:
        rows = self._ask(
            "SELECT act_id, printer, act FROM printer_acts WHERE act_id > ? ORDER BY act_id LIMIT ?",
            act_id,
            MOST_AT_ONCE,
        )
        return [PrinterAct(int(row[0]), str(row[1]), str(row[2])) for row in rows]

    def _ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """:raises sqlite3.Error: the file cannot be read just now."""
        assert self.file.connection is not None
        return self.file.connection.execute(question, values).fetchall()
