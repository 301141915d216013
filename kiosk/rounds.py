"""A thread that comes round again and again, for what the kiosk does beside its pages.

    class Watch(Rounds):
        def round(self) -> float:
            look()
            return 5.0    # seconds until the next round; the bell brings it sooner
"""

from __future__ import annotations

import threading

#: Whoever closes the hall does not wait longer for a round under way: each leaves things whole or undone.
LEAVE_S = 2.0


class Rounds:
    """Begin with `start`, end with `stop`. Ring ``bell`` from any thread for a round at once.

    :param name: the thread's, for whoever looks at a dump.
    :param first_s: how long after `start` the first round is.
    """

    def __init__(self, name: str, first_s: float = 0.0) -> None:
        self.bell = threading.Event()
        self._first_s = first_s
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def round(self) -> float:
        """Once; how many seconds until the next one."""
        raise NotImplementedError

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No further round begins."""
        self._stopping = True
        self.bell.set()
        if self._thread.ident is not None:
            self._thread.join(LEAVE_S)

    def _run(self) -> None:
        wait_s = self._first_s
        while True:
            self.bell.wait(wait_s)
            self.bell.clear()
            if self._stopping:
                return
            wait_s = self.round()
