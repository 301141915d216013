"""A serial LED panel or sign that is not there: it reads its maker's frames from a pseudo-terminal, answers, and shows.

    panel = VirtualSerialPanel("gate-count", home)            # a 讯鹏; driver="bx5k", address=2 for another
    panel.start()                                             # <home>/virtual/gate-count is its port

What it shows stands in ``<home>/virtual/panels/gate-count.txt`` ("12 green", "B031 blinking"). It runs in a thread of
its own; `do` ("silent", "talk", "refuse", "unplug", "plug"), `state` and `wait_until` may be called from any other.
What it understands is its own (`panel_ears.py`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from devices.virtual.panel_ears import EARS
from devices.virtual.port import OnASerialLine


class VirtualSerialPanel(OnASerialLine):
    """One virtual panel; see the head of this file."""

    def __init__(self, panel_id: str, home: Path, driver: str = "xunpeng", address: int = 1) -> None:
        super().__init__(home / "virtual" / panel_id, f"panel {panel_id}")
        self._ear = EARS[driver]
        self._address = address
        self._refuses = False
        self.panel_id = panel_id
        self.face = home / "virtual" / "panels" / f"{panel_id}.txt"
        self._shown = ""
        self._told = self._rubbish = 0
        self._heard = b""
        self._frames: list[bytes] = []

    def _open(self) -> None:
        # Dark until it is told something.
        self.face.parent.mkdir(parents=True, exist_ok=True)
        self._show("")

    def do(self, command: str, **args: Any) -> dict[str, Any]:
        """``silent``, ``talk``, ``refuse``, ``unplug``, ``plug``. Gives the state after it.

        :raises ValueError: there is no such command.
        """
        if command not in ("silent", "talk", "refuse", "unplug", "plug") or args:
            raise ValueError(f"a panel knows silent, talk, refuse, unplug and plug, not {command!r}")
        with self._changed:
            if command == "unplug":
                self._unplug()
            elif command == "plug" and self._master < 0:
                # It had no power meanwhile: dark, until it is told anew.
                self._heard = b""
                self._show("")
                self._plug()
            else:
                self._silent, self._refuses = command == "silent", command == "refuse"
            self._wake()
            self._changed.notify_all()
            return self.state()

    def state(self) -> dict[str, Any]:
        """What it shows, and what it has been told."""
        with self._changed:
            return {
                "device": f"panel:{self.panel_id}",
                "port": str(self.link),
                "silent": self._silent,
                "refuses": self._refuses,
                "plugged": self._master >= 0,
                "shown": self._shown,
                "told": self._told,
                "rubbish": self._rubbish,
                "frames": [frame.hex(" ") for frame in self._frames[-20:]],
            }

    def _hear(self, data: bytes) -> None:
        if self._silent:
            return  # switched off: what is said meanwhile is lost
        heard = self._ear(self._heard + data, self._address)
        self._heard = heard.rest
        self._rubbish += heard.rubbish
        for one in heard.frames:
            self._told += 1
            self._frames.append(one.raw)
            if not self._refuses:
                self._show(one.shown)
            try:
                os.write(self._master, one.refusal if self._refuses else one.answer)
            except OSError:
                pass  # nobody reads

    def _show(self, text: str) -> None:
        self._shown = text
        fresh = self.face.with_name(f".{self.face.name}.new")
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(self.face)
