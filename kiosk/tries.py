"""So many tries a minute, five where nothing else is said: wrong codes, forged links, calls for help from who knows
where.

Those of a request's own code outlive a restart (kiosk/requests/tries.py).
"""

from __future__ import annotations

import threading
from collections import deque
from typing import cast

from flask import current_app

#: The brief of the queue: 5 tries a minute per screen.
WRONG_AT_MOST, WRONG_IN_MS = 5, 60_000
_GUESSERS_REMEMBERED = 500


class Tries:
    """What was tried in vain in the last minute, by whom. Kept in memory: a restart gives as many more, no harm."""

    def __init__(self, at_most: int = WRONG_AT_MOST) -> None:
        self._at_most = at_most
        self._lock = threading.Lock()
        self._wrong: dict[str, deque[int]] = {}

    def rest_ms(self, who: str, now_ms: int) -> int:
        """How long until the next try; 0: at once."""
        with self._lock:
            times = self._wrong.get(who, ())
            recent = [one for one in times if 0 <= now_ms - one < WRONG_IN_MS]
            return 0 if len(recent) < self._at_most else recent[-self._at_most] + WRONG_IN_MS - now_ms

    def wrong(self, who: str, now_ms: int) -> None:
        with self._lock:
            if len(self._wrong) > _GUESSERS_REMEMBERED:
                self._wrong.clear()
            self._wrong.setdefault(who, deque(maxlen=self._at_most)).append(now_ms)


def tries_of(room: str, at_most: int = WRONG_AT_MOST) -> Tries:
    """This application's, of one room: what is wrong there costs nothing elsewhere."""
    return cast(Tries, current_app.extensions.setdefault(f"linli_tries_{room}", Tries(at_most)))
