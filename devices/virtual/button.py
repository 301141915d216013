"""A virtual call button with its lamp: presses, repeats until "written", bounces, falls silent.

It speaks the end-to-end protocol of docs/protocol.md: a press is repeated every second with the same
``(boot, seq)`` until the gateway says that it is on disk; only then does the button stop. Its lamp shows what the
gateway tells, nothing else; and it says so in its status, so that the hall knows what the elder sees.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import Any

from devices.clock import mono_s
from devices.virtual.line import Line, words_of

#: Repeat an unanswered press at this pace (docs/protocol.md).
REPEAT_S = 1.0
#: A word of life at this pace; the gateway calls three missed ones silence.
EVERY_S = 60
#: Edges of a worn contact come some 5-30 ms apart.
BOUNCE_GAP_S = 0.02


@dataclass(slots=True)
class _Press:
    seq: int
    press: str
    began_s: float
    sent: int = 0


class VirtualButton:
    """One button. ``do`` and ``state`` may be called from any thread."""

    def __init__(self, device_id: str, line: Line) -> None:
        self.device_id = device_id
        self._line = line
        self._boot = secrets.token_hex(8)
        self._seq = 0
        self._unwritten: dict[int, _Press] = {}
        self._silent = False
        self._battery_pct = 93
        self._light = "off"
        self._written_ms: float | None = None
        self._lock = threading.Lock()
        self._next_life_s = 0.0
        line.listen(f"linli/v1/lamp/{device_id}/set", self._lamp)
        line.listen(f"linli/v1/button/{device_id}/written", self._written)

    def do(self, command: str, **how: Any) -> dict[str, Any]:
        """``press`` (``press``: short, double, long), ``bounce`` (``times``), ``silent``, ``talk``, ``low_battery``."""
        match command:
            case "press":
                self._press(str(how.get("press", "short")))
            case "bounce":
                for _ in range(max(1, min(50, int(how.get("times", 5))))):
                    self._press("short")
                    threading.Event().wait(BOUNCE_GAP_S)
            case "silent":
                self._silent = True
            case "talk":
                self._silent, self._battery_pct, self._next_life_s = False, 93, 0.0
            case "low_battery":
                self._battery_pct, self._next_life_s = 9, 0.0
            case _:
                raise ValueError(f"a button can press, bounce, silent, talk, low_battery; not {command!r}")
        return self.state()

    def state(self) -> dict[str, Any]:
        with self._lock:
            return {
                "light": self._light,
                "silent": self._silent,
                "battery_pct": self._battery_pct,
                "unwritten": len(self._unwritten),
                "written_after_ms": self._written_ms,
            }

    def tick(self, now_s: float) -> None:
        """Repeat what is not written; show a sign of life."""
        with self._lock:
            again = [
                press for press in self._unwritten.values() if now_s - press.began_s >= REPEAT_S * press.sent
            ]
        for press in again:
            self._send(press)
        if now_s >= self._next_life_s and not self._silent and self._line.up:
            self._next_life_s = now_s + EVERY_S
            self._say_status()

    def _say_status(self) -> None:
        self._line.say(
            f"linli/v1/button/{self.device_id}/status",
            {
                "boot": self._boot,
                "battery_pct": self._battery_pct,
                "every_s": EVERY_S,
                "firmware": "virtual",
                "light": self._light,
            },
        )

    def _press(self, kind: str) -> None:
        with self._lock:
            self._seq += 1
            press = _Press(self._seq, kind, mono_s())
            self._unwritten[press.seq] = press
        self._send(press)

    def _send(self, press: _Press) -> None:
        press.sent += 1
        if self._silent:
            return
        self._line.say(
            f"linli/v1/button/{self.device_id}/press",
            {
                "boot": self._boot,
                "seq": press.seq,
                "press": press.press,
                "button": 1,
                "battery_pct": self._battery_pct,
                "age_ms": int((mono_s() - press.began_s) * 1000),
            },
        )

    def _written(self, payload: bytes) -> None:
        words = words_of(payload)
        if words.get("boot") != self._boot:
            return
        with self._lock:
            press = self._unwritten.pop(words.get("seq", -1), None)
            if press is not None:
                self._written_ms = round((mono_s() - press.began_s) * 1000, 2)

    def _lamp(self, payload: bytes) -> None:
        light = words_of(payload).get("light")
        if light in ("off", "blink", "steady") and light != self._light:
            self._light = light
            if not self._silent:
                self._say_status()
