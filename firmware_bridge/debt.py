"""What must be written and cannot be just now: owed to the notebook, and tried again every second."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from devices.faults import NotWritten
from gateway.log import say_once

AGAIN_MS = 1000


class Debt:
    """What is owed is written in order; as long as anything is, its owner begins nothing new."""

    def __init__(self, printer: str) -> None:
        self._printer = printer
        self._works: deque[Callable[[], object]] = deque()
        self._again_ms = 0

    @property
    def owed(self) -> bool:
        return bool(self._works)

    def owe(self, work: Callable[[], object], tick_ms: int) -> None:
        """Write it now, or as soon as the disk allows."""
        self._works.append(work)
        self._again_ms = 0
        self.settle(tick_ms)

    def settle(self, tick_ms: int) -> bool:
        """Whether nothing is owed now."""
        if not self._works:
            return True
        if tick_ms < self._again_ms:
            return False
        try:
            while self._works:
                self._works[0]()
                self._works.popleft()
        except NotWritten as wrong:
            self._again_ms = tick_ms + AGAIN_MS
            say_once(
                f"print_not_written:{self._printer}",
                "print_not_written",
                f"waits to be written: {wrong}; tried again every second",
                level=logging.ERROR,
                printer=self._printer,
            )
            return False
        return True
