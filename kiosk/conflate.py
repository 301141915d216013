"""Telling a level not oftener than anybody can look: of many changes at once only the last is told, and always told."""

from __future__ import annotations

import threading
from collections.abc import Callable

from devices.clock import mono_s

#: At most every 50 ms: a hall's screen shows a call within 300 ms, and nobody reads faster than that. Working out the
#: line costs several questions to the notebook, which a flurry of tickets should not pay for each of its members.
EVERY_S = 0.05


class Conflated:
    """Call it with the telling each time something has changed. The first is told at once, by whoever called.

    What comes sooner after it waits for one thread of our own, begun when it is first needed.
    """

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._lock = threading.Lock()
        self._told_s = float("-inf")
        self._next: Callable[[], None] | None = None
        self._wake = threading.Event()
        self._rest = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, tell: Callable[[], None]) -> None:
        with self._lock:
            now_s = mono_s()
            if self._next is not None or now_s < self._told_s + self._every_s:
                self._next = tell  # of what waits only the last is told
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="conflated", daemon=True)
                    self._thread.start()
                self._wake.set()
                return
            self._told_s = now_s
        tell()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            self._rest.wait(max(0.0, self._told_s + self._every_s - mono_s()))
            with self._lock:
                tell, self._next = self._next, None
                self._told_s = mono_s()
            if tell is not None:
                tell()
