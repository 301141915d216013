"""The herald's end of the gateway's unix socket (docs/protocol.md, 2): orders up, the doorbell down. Nobody waits.

One thread keeps the line: it connects, says hello, and hands on what matters. `order` writes one line and returns; the
answer comes as an event. While the line is down nothing can be ordered; whoever ordered says it again once it is up.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]

#: A gateway that restarts is back in about a second.
RECONNECT_FIRST_S, RECONNECT_LAST_S = 0.1, 2.0
#: Longer lines are not of our gateway: 2000 devices make a Snapshot of about 700 kB.
LINE_AT_MOST = 8 * 1024 * 1024
_SEND_TIMEOUT = struct.pack("ll", 2, 0)
#: Of all that the desk tells, these words are in the lines that are about messages; the rest is not even parsed.
_BELL = b'"messages"'


class DeskLine:
    """Begin with `start`, end with `stop`. The three callbacks are called in the line's thread."""

    def __init__(
        self,
        path: Path,
        *,
        on_up: Callable[[], None],
        on_bell: Callable[[], None],
        on_answer: Callable[[str, Json | None], None],
    ) -> None:
        self._path = path
        self._on_up, self._on_bell, self._on_answer = on_up, on_bell, on_answer
        self._send_lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._up = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="desk line", daemon=True)
        self._waiting: set[str] = set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._drop()
        self._thread.join(2)

    @property
    def up(self) -> bool:
        return self._up

    def order(self, order_id: str, name: str, /, **fields: Any) -> bool:
        """Say it; the answer is told by ``on_answer(order_id, answer)``, or None in its place when the line breaks.

        False: there is no line, or this one is under way already.
        """
        if not self._up or order_id in self._waiting:
            return False
        self._waiting.add(order_id)
        if self._send({"id": order_id, "order": name, **fields}):
            return True
        self._waiting.discard(order_id)
        return False

    def _send(self, message: Json) -> bool:
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

    def _drop(self) -> None:
        if (line := self._socket) is not None:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was closed already

    def _run(self) -> None:
        wait_s = RECONNECT_FIRST_S
        while not self._stopping.is_set():
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                    line.settimeout(2)
                    line.connect(str(self._path))
                    line.settimeout(None)
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
                    self._socket = line
                    self._send({"id": "hello", "order": "hello", "who": "herald"})
                    self._listen(line)
            except OSError:
                pass  # away: what was to be said is said when it is back
            if self._up:
                wait_s = RECONNECT_FIRST_S
            self._up, self._socket = False, None
            for order_id in list(self._waiting):
                self._waiting.discard(order_id)
                self._on_answer(order_id, None)
            self._stopping.wait(wait_s)
            wait_s = min(wait_s * 2, RECONNECT_LAST_S)

    def _listen(self, line: socket.socket) -> None:
        rest = bytearray()
        while chunk := line.recv(65536):
            rest += chunk
            *whole, last = rest.split(b"\n")
            rest = bytearray(last)
            if len(rest) > LINE_AT_MOST:
                return
            for one in whole:
                self._hear(bytes(one))

    def _hear(self, raw: bytes) -> None:
        if raw.startswith(b'{"re":'):
            try:
                answer = json.loads(raw)
            except (ValueError, RecursionError):
                return
            order_id = str(answer.get("re"))
            if order_id == "hello":
                self._up = True
                self._on_up()
            elif order_id in self._waiting:
                self._waiting.discard(order_id)
                self._on_answer(order_id, answer)
        elif _BELL in raw or b'"Snapshot"' in raw[:40]:
            self._on_bell()
