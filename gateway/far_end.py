"""The far end of the gateway's unix socket, for the kiosk and the herald: whole JSON lines, up and down, for ever.

    line = FarEnd(house.gateway_socket, "desk line", {"id": "hello", "order": "hello", "who": "herald"}, hear, lost)
    line.start()
    line.send({"id": "a-1", "order": "consoles", "live": 2})     # False: there is no line just now

Theory of operation. One thread connects, says hello and hands on what it reads; when the gateway goes it tries again
after 0.1, 0.2 … 2 s. What the lines mean is not known here (docs/protocol.md, 2).
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

#: A gateway that restarts is back in about a second; faster tries only cost the Pi (our choice).
RECONNECT_FIRST_S, RECONNECT_LAST_S = 0.1, 2.0
#: Longer lines than this are not of our gateway: 2000 devices make a Snapshot of about 700 kB.
LINE_AT_MOST = 8 * 1024 * 1024
#: struct timeval, 2 s: as long as an order waits for its answer.
_SEND_TIMEOUT = struct.pack("ll", 2, 0)


class FarEnd:
    """Begin with `start`, end with `stop`. Both callbacks are called in the line's thread.

    :param hello: the first line of each connection.
    :param hear: whole lines, those of one reading together.
    :param lost: there is no line (any more); also after each try in vain.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        hello: Mapping[str, Any],
        hear: Callable[[list[bytes]], None],
        lost: Callable[[], None],
    ) -> None:
        self._path, self._hello, self._hear, self._lost = path, hello, hear, lost
        self._send_lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.leaving = threading.Event()
        """Set when we go: the line that is there stays until `stop`, no other is begun."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.leaving.set()
        self._drop()
        if self._thread.ident is not None:
            self._thread.join(2)

    def send(self, message: Mapping[str, Any]) -> bool:
        """One line, from any thread. False: there is no line, or it broke: what was said may have been heard or not."""
        line = self._socket
        if line is None:
            return False
        try:
            with self._send_lock:
                # Half a surrogate, as JSON may bring it, has no bytes: it becomes a question mark.
                line.sendall(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        except OSError:
            self._drop()  # half a line may be out: only a new connection is sound
            return False
        return True

    def again(self) -> bool:
        """Say hello once more, for a fresh Snapshot."""
        return self.send(self._hello)

    def _drop(self) -> None:
        """Close the line, so that the thread begins anew."""
        if (line := self._socket) is not None:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was closed already

    def _run(self) -> None:
        wait_s = RECONNECT_FIRST_S
        while not self.leaving.is_set():
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                    line.settimeout(2)
                    line.connect(str(self._path))
                    line.settimeout(None)
                    # A gateway that hangs must not hold the threads that answer touches: sending gives up.
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
                    self._socket = line
                    self.again()
                    for group in _groups(line):
                        wait_s = RECONNECT_FIRST_S
                        self._hear(group)
            except OSError:
                pass  # away: whoever asked for the line is told so below
            self._socket = None
            self._lost()
            self.leaving.wait(wait_s)
            wait_s = min(wait_s * 2, RECONNECT_LAST_S)


def _groups(line: socket.socket) -> Iterator[list[bytes]]:
    """Lines as they come, all of one reading together, until the other side closes. A line without end ends it."""
    rest = bytearray()
    while come := line.recv(65536):
        rest += come
        *whole, last = rest.split(b"\n")
        yield [bytes(one) for one in whole if one.strip()]
        rest = bytearray(last)
        if len(rest) > LINE_AT_MOST:
            raise OSError("a line without end")
