"""A small real gateway for the kiosk's tests: a unix socket that speaks docs/protocol.md, 2. No MQTT, no notebook."""

from __future__ import annotations

import json
import queue
import socket
import socketserver
import threading
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ZONES: tuple[Json, ...] = (
    {
        "zone_id": "east", "name_zh": "东区", "name_en": "East",
        "free": 3, "taken": 4, "unknown": 1, "closed": 0, "total": 8, "since_ms": 0,
    },
    {
        "zone_id": "west", "name_zh": "西区", "name_en": "West",
        "free": 6, "taken": 2, "unknown": 0, "closed": 0, "total": 8, "since_ms": 0,
    },
)  # fmt: skip
PARTS: tuple[Json, ...] = tuple(
    {"part": name, "state": "ready", "since_ms": 0, "why_zh": "", "why_en": ""}
    for name in ("gateway", "broker", "notebook")
)


class FakeGateway:
    """Listens at ``path`` from the moment it is made. ``orders`` is every order heard; ``answers`` says what to
    reply to an order by name (a dict merged into the answer, or "silence"); ``tell`` sends a fact to everybody."""

    def __init__(self, path: Path) -> None:
        self.orders: queue.Queue[Json] = queue.Queue()
        self.answers: dict[str, Json | str] = {}
        self.zones: list[Json] = [dict(one) for one in ZONES]
        self.parts: list[Json] = [dict(one) for one in PARTS]
        self.calls: list[Json] = []
        self.rev = 0
        self._lines: list[socketserver.StreamRequestHandler] = []
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        fake = self

        class Visitor(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with fake._lock:
                    fake._lines.append(self)
                try:
                    for line in self.rfile:
                        fake._answer(self, json.loads(line))
                except OSError:
                    return
                finally:
                    with fake._lock:
                        fake._lines.remove(self)

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Visitor)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def tell(self, fact: str, **fields: Any) -> None:
        """Say a fact to everybody who listens, with the next ``rev``."""
        with self._lock:
            self.rev += 1
            line = json.dumps({"fact": fact, "rev": self.rev, **fields}, ensure_ascii=False).encode() + b"\n"
            for one in self._lines:
                one.wfile.write(line)

    def say_raw(self, line: bytes) -> None:
        with self._lock:
            for one in self._lines:
                one.wfile.write(line)

    def wait_order(self, name: str) -> Json:
        """The next order of this name."""
        while True:
            order = self.orders.get(timeout=5)
            if order["order"] == name:
                return order

    def stop(self) -> None:
        """Go away as a killed gateway does: every line is cut."""
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            for one in self._lines:
                one.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, visitor: socketserver.StreamRequestHandler, order: Json) -> None:
        self.orders.put(order)
        reply = self.answers.get(order["order"], {})
        if isinstance(reply, str):
            return
        answer: Json = {"re": order["id"], "ok": True, "written": True}
        if order["order"] == "raise_call" and not str(order["device_id"]).startswith("screen:"):
            # As the real one: a screen raises calls in its own name, never in a button's.
            answer = {**answer, "ok": False, "fault": "refused", "why_zh": "不是屏幕", "why_en": "no screen"}
        elif order["order"] == "raise_call" and "call" not in reply:
            answer["call"] = {
                "call_id": 7,
                "state": "HEARD",
                "kind": order["kind"],
                "device_id": order["device_id"],
            }
        lines = [{**answer, **reply}]
        if order["order"] == "hello":
            snapshot = {"calls": self.calls, "zones": self.zones, "parts": self.parts}
            empty: Json = {name: [] for name in ("bays", "devices", "panels", "lamps")}
            lines.append(
                {"fact": "Snapshot", "rev": self.rev, "now_ms": 0, "epoch": "fake", **empty, **snapshot}
            )
        with self._lock:
            for one in lines:
                visitor.wfile.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")
