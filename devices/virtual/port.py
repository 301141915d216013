"""What every virtual thing on a serial line has: a pseudo-terminal with a name, a lock, a way to wake its thread.

Lives here: plugging in, pulling the cable, waiting for a state. Must not live here: what the thing says.
"""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any


class OnASerialLine:
    """One thing at the end of a line. ``link`` can be opened like /dev/ttyUSB0 while it is plugged in.

    Its fields and methods belong to whoever holds ``_changed``; the thing's own thread waits in ``select`` on
    ``_master`` and ``_wake_read``.
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        self._changed = threading.Condition(threading.RLock())
        self._stopping = self._silent = False
        self._master = self._slave = -1
        self._wake_read, self._wake_write = -1, -1

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
