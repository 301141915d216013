"""A serial LED panel that is not there: it reads 讯鹏 frames from a pseudo-terminal, answers them, and shows a number.

    panel = VirtualSerialPanel("gate-count", home)
    panel.start()                        # <home>/virtual/gate-count is its port

What it shows stands in ``<home>/virtual/panels/gate-count.txt`` ("12 green"). It runs in a thread of its own; `do`
("silent", "talk"), `state` and `wait_until` may be called from any other. Its decoder is its own.
"""

from __future__ import annotations

import errno
import os
import select
import threading
from pathlib import Path
from typing import Any

from devices.virtual.port import OnASerialLine

_COLOURS = {0x00: "green", 0x01: "yellow", 0x02: "red"}
_FRAME_BYTES = 7


class VirtualSerialPanel(OnASerialLine):
    """One virtual panel; see the head of this file."""

    def __init__(self, panel_id: str, home: Path) -> None:
        super().__init__(home / "virtual" / panel_id)
        self.panel_id = panel_id
        self.face = home / "virtual" / "panels" / f"{panel_id}.txt"
        self._shown = ""
        self._told = self._rubbish = 0
        self._heard = b""
        self._frames: list[bytes] = []
        self._thread = threading.Thread(target=self._turn_for_ever, name=f"panel {panel_id}", daemon=True)

    def start(self) -> None:
        """Switch it on. Dark until it is told something."""
        self.face.parent.mkdir(parents=True, exist_ok=True)
        with self._changed:
            self._switch_on()
            self._show("")
        self._thread.start()

    def stop(self) -> None:
        """Switch it off."""
        with self._changed:
            self._stopping = True
            self._wake()
        self._thread.join(timeout=5)
        with self._changed:
            self._switch_off()

    def do(self, command: str, **args: Any) -> dict[str, Any]:
        """``silent`` or ``talk``. Gives the state after it.

        :raises ValueError: there is no such command.
        """
        if command not in ("silent", "talk") or args:
            raise ValueError(f"a panel knows silent and talk, not {command!r}")
        with self._changed:
            self._silent = command == "silent"
            self._changed.notify_all()
            return self.state()

    def state(self) -> dict[str, Any]:
        """What it shows, and what it has been told."""
        with self._changed:
            return {
                "device": f"panel:{self.panel_id}",
                "port": str(self.link),
                "silent": self._silent,
                "shown": self._shown,
                "told": self._told,
                "rubbish": self._rubbish,
                "frames": [frame.hex(" ") for frame in self._frames[-20:]],
            }

    def _turn_for_ever(self) -> None:
        while True:
            select.select([self._master, self._wake_read], [], [])
            with self._changed:
                if self._stopping:
                    return
                try:
                    self._hear(os.read(self._master, 256))
                except OSError as wrong:
                    if wrong.errno not in (errno.EAGAIN, errno.EIO):
                        raise
                self._changed.notify_all()

    def _hear(self, data: bytes) -> None:
        if self._silent:
            return  # switched off: what is said meanwhile is lost
        self._heard += data
        while self._heard:
            frame = self._heard[:_FRAME_BYTES]
            if frame[0] != 0x3A:
                self._rubbish += 1
                self._heard = self._heard[1:]
            elif len(frame) < _FRAME_BYTES:
                return
            elif frame[6] == 0x0A and frame[5] == sum(frame[:5]) & 0xFF and frame[1] in _COLOURS:
                self._heard = self._heard[_FRAME_BYTES:]
                self._obey(frame)
            else:
                self._rubbish += 1
                self._heard = self._heard[1:]

    def _obey(self, frame: bytes) -> None:
        self._told += 1
        self._frames.append(frame)
        self._show(f"{frame[2] + 256 * frame[3]} {_COLOURS[frame[1]]}")
        answer = b"\x2a" + frame[1:5]
        try:
            os.write(self._master, answer + bytes([sum(answer) & 0xFF, 0x0A]))
        except OSError:
            pass  # nobody reads

    def _show(self, text: str) -> None:
        self._shown = text
        fresh = self.face.with_name(f".{self.face.name}.new")
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(self.face)
