"""What is compared, seen from outside: a program that stores presses and bays and lights lamps.

Every peer hears ``linli/v1/button/<id>/press`` (QoS 1) and ``linli/v1/bay/<id>/state`` (QoS 0) at one and the same
mosquitto, and publishes to ``linli/v1/lamp/<id>/set`` (QoS 1, retained) once a press's row is on the disk. It is killed
and started again on the same folder.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import IO

from tests.bench.machine import resident_mb
from tests.parts import PATIENCE_S, ROOT, Device

#: (device, boot, seq): what names a press for ever (docs/protocol.md).
PressKey = tuple[str, str, int]
#: Node-RED needs some 4 s on two busy cores until its flow runs.
_READY_S = 3 * PATIENCE_S
PROBE = "probe"


class Peer(ABC):
    """One of the compared programs, running on ``folder`` at the broker on ``mqtt_port``."""

    name: str

    def __init__(self, folder: Path, mqtt_port: int) -> None:
        self.folder = folder
        self.mqtt_port = mqtt_port
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self.start()

    @abstractmethod
    def command(self) -> tuple[list[str], Mapping[str, str]]:
        """What to run, and what to add to the environment."""

    @abstractmethod
    def bay_states(self) -> dict[str, bool]:
        """The bays in its table, occupied or not."""

    @abstractmethod
    def press_rows(self) -> Counter[PressKey]:
        """The presses in its table, and how many rows each has."""

    @property
    def pids(self) -> list[int]:
        return [] if self._process is None else [self._process.pid]

    def start(self) -> None:
        self._starts += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        words, environ = self.command()
        self._log = (self.folder / f"{self.name}.log").open("ab")
        self._process = subprocess.Popen(
            words, env={**os.environ, **environ}, cwd=ROOT, stdout=self._log, stderr=subprocess.STDOUT
        )

    def wait_ready(self) -> None:
        """Until a press lights its lamp and a bay's message is in the table: true for any program, whatever it logs.

        :raises AssertionError: it ended, or was not ready in time; with the end of its log.
        """
        device = Device(self.mqtt_port, f"linli/v1/lamp/{PROBE}/set")
        boot = f"start {self._starts}"
        seq = heard = 0

        def works() -> bool:
            nonlocal seq, heard
            if self._process is None or self._process.poll() is not None:
                raise AssertionError(f"{self.name} has ended:\n{self._last_lines()}")
            seq += 1
            device.press(PROBE, boot, seq)
            words = {"boot": boot, "seq": seq, "occupied": True, "every_s": 20}
            device.say(f"linli/v1/bay/{PROBE}/state", words, qos=0)
            heard += len(device.take_heard(0.25))
            stored = any(key[:2] == (PROBE, boot) for key in self.press_rows())
            return stored and heard > 0 and PROBE in self.bay_states()

        until_s = time.monotonic() + _READY_S
        try:
            while not works():
                if time.monotonic() > until_s:
                    raise AssertionError(
                        f"{self.name} was not ready in {_READY_S:.0f} s:\n{self._last_lines()}"
                    )
        finally:
            device.close()

    def doubled(self) -> int:
        """Rows too many: presses that it took for two."""
        return sum(count - 1 for count in self.press_rows().values())

    def peak_mb(self) -> float:
        """The most that was resident at any time since its last start, in MB (10^6 bytes)."""
        return sum(resident_mb(pid)[1] for pid in self.pids)

    def kill(self) -> None:
        """SIGKILL: no goodbye. :meth:`start` brings it back on the same folder."""
        assert self._process is not None
        self._process.kill()
        self._ended()

    def close(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # it has a long backlog and does not look up from it
        self._ended()

    def _ended(self) -> None:
        assert self._process is not None and self._log is not None
        self._process.wait()
        self._log.close()
        self._process = None

    def _last_lines(self) -> str:
        log = self.folder / f"{self.name}.log"
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


class TwoTables(Peer):
    """A peer with one file and two tables, ``presses(device, boot, seq)`` and ``bays(bay, seq, occupied)``."""

    file: str

    def bay_states(self) -> dict[str, bool]:
        found = rows(self.folder / self.file, "SELECT bay, occupied FROM bays")
        return {bay: bool(occupied) for bay, occupied in found}

    def press_rows(self) -> Counter[PressKey]:
        return Counter(rows(self.folder / self.file, "SELECT device, boot, seq FROM presses"))


def rows(file: Path, question: str) -> list[tuple]:
    """The answer of a foreign notebook, read beside its owner; nothing where it is not there yet."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=PATIENCE_S)) as book:
            return book.execute(question).fetchall()
    except sqlite3.OperationalError as wrong:
        if "unable to open" in str(wrong) or "no such table" in str(wrong):
            return []
        raise
