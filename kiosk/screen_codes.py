"""The technician's codes: who is signed in at the console makes one, who stands at the screen types it."""

from __future__ import annotations

import secrets
import threading

#: A code is for the technician who stands at the screen now.
CODE_FOR_MS = 15 * 60_000
_CODES_AT_MOST = 100


class Codes:
    """The technician's codes: made at the console by who is signed in, typed at the screen, gone after 15 minutes.

    Kept in memory: after a restart one makes a new one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, tuple[str, int, str]] = {}

    def make(self, screen: str, by: str, now_ms: int) -> str:
        """Six digits for this screen; the one before is worth nothing from now on."""
        code = f"{secrets.randbelow(1_000_000):06d}"
        with self._lock:
            if len(self._made) >= _CODES_AT_MOST:
                self._made.clear()
            self._made[screen] = (code, now_ms + CODE_FOR_MS, by)
        return code

    def whose(self, screen: str, code: str, now_ms: int) -> str:
        """Who made this code; "" where it is wrong or too old."""
        with self._lock:
            right, until_ms, by = self._made.get(screen, ("", 0, ""))
        # A clock that was set back must not make a code last for ever.
        fresh = 0 <= until_ms - now_ms <= CODE_FOR_MS
        return by if right and fresh and secrets.compare_digest(code.encode(), right.encode()) else ""

    def spend(self, screen: str) -> None:
        """It has been used."""
        with self._lock:
            self._made.pop(screen, None)
