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
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

_COLOURS = {0x00: "green", 0x01: "yellow", 0x02: "red"}
_FRAME_BYTES = 7


class VirtualSerialPanel:
    """One virtual panel; see the head of this file."""

    def __init__(self, panel_id: str, home: Path) -> None:
        self.panel_id = panel_id
        self.link = home / "virtual" / panel_id
        self.face = home / "virtual" / "panels" / f"{panel_id}.txt"
        self._changed = threading.Condition(threading.RLock())
        self._stopping = self._silent = False
        self._shown = ""
        self._told = self._rubbish = 0
        self._heard = b""
        self._frames: list[bytes] = []
        self._master = self._slave = self._wake_read = self._wake_write = -1
        self._thread = threading.Thread(target=self._turn_for_ever, name=f"panel {panel_id}", daemon=True)

    def start(self) -> None:
        """Switch it on. Dark until it is told something."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.link.parent.mkdir(parents=True, exist_ok=True)
        self.face.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.link.with_name(f".{self.link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.link)
        self._show("")
        self._thread.start()

    def stop(self) -> None:
        """Switch it off."""
        with self._changed:
            self._stopping = True
        os.write(self._wake_write, b"!")
        self._thread.join(timeout=5)
        self.link.unlink(missing_ok=True)
        for one in (self._master, self._slave, self._wake_read, self._wake_write):
            os.close(one)

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

    def wait_until(self, so: Callable[[dict[str, Any]], bool], timeout_s: float) -> dict[str, Any]:
        """Wait until ``so(state)``.

        :raises TimeoutError: it did not come true; the text has the state.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: so(self.state()), timeout_s):
                raise TimeoutError(f"not within {timeout_s} s: {self.state()}")
            return self.state()

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
