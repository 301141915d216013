"""Something small to do while the disk writes: in a thread of its own, for the length of one COMMIT.

SQLite gives the interpreter away while it waits for the disk, 0.3 ms here, 8 on a good card: time in which the words
for lamp, device and screens can be put together, so that they leave as soon as the transaction is on disk. Measured
(docs/measurements.md): from the disk's answer to the lamp's packet 103 us, now 52; to the screens 239, now 119. The
loop waits for the hand to end, so nothing of the loop's ever runs beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Meanwhile:
    """One helping hand. :meth:`begin` and :meth:`join` are the loop's, always in this order.

    A job that raises is found undone by the loop, which does it itself and hears the same; Python says here, too, what
    it was (``threading.excepthook``).
    """

    def __init__(self) -> None:
        # Two locks that are handed over: Python's cheapest way to wake a thread and to be woken.
        self._begun, self._ended = threading.Lock(), threading.Lock()
        self._begun.acquire()
        self._ended.acquire()
        self._job: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None

    def begin(self, job: Callable[[], None]) -> None:
        """Do this. It must touch nothing that the loop's thread is using."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="meanwhile", daemon=True)
            self._thread.start()
        self._job = job
        self._begun.release()

    def join(self) -> None:
        """Wait until it is done."""
        self._ended.acquire()

    def close(self) -> None:
        """The hand goes; what was begun has been joined."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._job = None
            self._begun.release()
            thread.join()

    def _work(self) -> None:
        while self._begun.acquire() and (job := self._job) is not None:
            done = False
            try:
                job()
                done = True
            finally:
                if not done:
                    self._thread = None  # this one ends here: the next job has a new one
                self._ended.release()
