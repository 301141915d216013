"""The herald's end of the gateway's unix socket (docs/protocol.md, 2): orders up, the doorbell down. Nobody waits.

One thread keeps the line (gateway/far_end.py) and hands on what matters. `order` writes one line and returns; the
answer comes as an event. While the line is down nothing can be ordered; whoever ordered says it again once it is up.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.far_end import FarEnd

Json = dict[str, Any]

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
        self._on_up, self._on_bell, self._on_answer = on_up, on_bell, on_answer
        self._up = False
        hello = {"id": "hello", "order": "hello", "who": "herald"}
        self._line = FarEnd(path, "desk line", hello, self._hear_all, self._lost)
        self._waiting: set[str] = set()

    def start(self) -> None:
        self._line.start()

    def stop(self) -> None:
        self._line.stop()

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
        if self._line.send({"id": order_id, "order": name, **fields}):
            return True
        self._waiting.discard(order_id)
        return False

    def _lost(self) -> None:
        self._up = False
        for order_id in list(self._waiting):
            self._waiting.discard(order_id)
            self._on_answer(order_id, None)

    def _hear_all(self, group: list[bytes]) -> None:
        for one in group:
            self._hear(one)

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
