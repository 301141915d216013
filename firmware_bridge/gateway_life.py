"""Whether a gateway runs in this hall. Without one its last counts stand in gateway.db, and they grow old.

Asked of the kernel alone: a datagram socket that is pointed at the gateway's stream socket is refused as the wrong kind
(EPROTOTYPE) where somebody has it open, and as nobody's (ECONNREFUSED, or no such file) where nobody has. The gateway
itself is told nothing, so that nothing of it waits for us. One that hangs is ended by systemd's watchdog.
"""

from __future__ import annotations

import errno
import socket
from pathlib import Path

#: So often it is asked, and for so long it may be away: a restart takes 2 s, with a slow card 10.
ASK_EVERY_MS, AWAY_AT_MOST_MS = 5_000, 30_000


class GatewayLife:
    """Only the bridge's thread asks it. ``path``: the gateway's socket."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ask_ms = 0
        self._away_since_ms: int | None = None

    def gone(self, tick_ms: int) -> bool:
        """Whether there has been none for so long that its last word is not to be shown."""
        if tick_ms >= self._ask_ms:
            self._ask_ms = tick_ms + ASK_EVERY_MS
            if somebody_has(self._path):
                self._away_since_ms = None
            elif self._away_since_ms is None:
                self._away_since_ms = tick_ms
        return self._away_since_ms is not None and tick_ms - self._away_since_ms >= AWAY_AT_MOST_MS


def somebody_has(path: Path) -> bool:
    """Whether a process has this stream socket open."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(str(path))
        except OSError as answer:
            return answer.errno not in (errno.ECONNREFUSED, errno.ENOENT)
    return True
