"""What every virtual thing on a serial line has: a pseudo-terminal with a name, a lock, a thread that hears.

Lives here: switching on, plugging in, pulling the cable, hearing, waiting for a state. Must not live here: what the
thing says.
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


class OnASerialLine:
    """One thing at the end of a line. ``link`` can be opened like /dev/ttyUSB0 while it is plugged in.

    Its fields and methods belong to whoever holds ``_changed``; the thing's own thread (``name``) waits in ``select``
    on ``_master`` and ``_wake_read``.
    """

    def __init__(self, link: Path, name: str) -> None:
        self.link = link
        self._changed = threading.Condition(threading.RLock())
        self._stopping = self._silent = False
        self._master = self._slave = -1
        self._wake_read, self._wake_write = -1, -1
        self._thread = threading.Thread(target=self._turn_for_ever, name=name, daemon=True)

    def start(self) -> None:
        """Switch it on and plug it in."""
        with self._changed:
            self._open()
            self._switch_on()
        self._thread.start()

    def stop(self) -> None:
        """Switch it off; what it has done is on disk when this returns."""
        with self._changed:
            self._stopping = True
            self._wake()
        self._thread.join(timeout=10)
        self._close()
        with self._changed:
            self._switch_off()

    def state(self) -> dict[str, Any]:
        """How it is, for the demo's page and for tests."""
        raise NotImplementedError

    def wait_until(self, so: Callable[[dict[str, Any]], bool], timeout_s: float) -> dict[str, Any]:
        """Wait until ``so(state)``.

        :raises TimeoutError: it did not come true; the text has the state.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: so(self.state()), timeout_s):
                raise TimeoutError(f"not within {timeout_s} s: {self.state()}")
            return self.state()

    def _open(self) -> None:
        """What it needs besides its line."""

    def _close(self) -> None:
        """The opposite of `_open`; without the lock, for what has to be waited for."""

    def _hear(self, data: bytes) -> None:
        """What came over the line, as much at a time as there was."""
        raise NotImplementedError

    def _turn_for_ever(self) -> None:
        while True:
            with self._changed:
                lines = [self._wake_read, *([self._master] if self._master >= 0 else [])]
            try:
                select.select(lines, [], [])
            except (OSError, ValueError):
                pass  # unplugged while we waited: looked at anew
            with self._changed:
                if self._stopping:
                    return
                for line in (self._wake_read, self._master):
                    if line >= 0 and (data := self._taken(line)) and line == self._master:
                        self._hear(data)
                self._changed.notify_all()

    def _taken(self, line: int) -> bytes:
        try:
            return os.read(line, 4096)
        except OSError as wrong:
            if wrong.errno not in (errno.EAGAIN, errno.EIO):
                raise
            return b""

    def _switch_on(self) -> None:
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._plug()

    def _switch_off(self) -> None:
        """Its thread has ended."""
        self._unplug()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _plug(self) -> None:
        self._master, self._slave = os.openpty()
        # Raw: such a thing neither echoes nor edits. Our own hold on the slave keeps the line up between owners.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.link.with_name(f".{self.link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.link)

    def _unplug(self) -> None:
        if self._master < 0:
            return
        self.link.unlink(missing_ok=True)
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"!")
        except BlockingIOError:
            pass  # it is awake already
