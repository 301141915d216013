"""The control socket of the virtual hall: tell a device to act or to misbehave (docs/protocol.md, 6)."""

from __future__ import annotations

import json
import socketserver
from pathlib import Path
from typing import Any, Protocol


class Virtual(Protocol):
    """What every virtual device can."""

    def do(self, command: str, **how: Any) -> dict[str, Any]: ...

    def state(self) -> dict[str, Any]: ...


class Control(socketserver.ThreadingUnixStreamServer):
    """``{"id":"1","device":"printer:hall","do":"paper_out"}`` → ``{"re":"1","ok":true,"state":{…}}``."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, path: Path, things: dict[str, Virtual]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.things = things
        super().__init__(str(path), _Visitor)
        path.chmod(0o660)


class _Visitor(socketserver.StreamRequestHandler):
    server: Control

    def handle(self) -> None:
        for line in self.rfile:
            answer = _answer(line, self.server.things)
            try:
                self.wfile.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            except OSError:
                return


def _answer(line: bytes, things: dict[str, Virtual]) -> dict[str, Any]:
    try:
        words = json.loads(line)
        command, number = words["do"], words.get("id")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {"re": None, "ok": False, "why_en": 'not an order: {"device":…,"do":…}', "why_zh": "指令不对"}
    if command == "list":
        return {"re": number, "ok": True, "devices": {name: thing.state() for name, thing in things.items()}}
    thing = things.get(str(words.get("device")))
    if thing is None:
        known = ", ".join(things)
        return {
            "re": number,
            "ok": False,
            "why_en": f"no such device; there are: {known}",
            "why_zh": "没有这个设备",
        }
    how = {key: value for key, value in words.items() if key not in ("id", "device", "do", "command")}
    try:
        return {"re": number, "ok": True, "state": thing.do(str(command), **how)}
    except (ValueError, TypeError) as wrong:
        return {"re": number, "ok": False, "why_en": str(wrong), "why_zh": "这个设备不会做这件事"}
