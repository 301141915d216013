"""Buttons that speak the end-to-end protocol (docs/protocol.md), and keep the history of each press.

One thread, one raw line to the broker for all of them. A press is repeated every second until the gateway's
"written" for it is heard; where the line breaks, a new one is tried ten times a second, and what was not heard is
simply repeated at its time, as a button of ours does.
"""

from __future__ import annotations

import json
import random
import secrets
import select
import socket
import threading
import time
from dataclasses import dataclass, field

from tests.campaign import _wire

REPEAT_S = 1.0
#: How often a broken line is tried anew.
RECONNECT_S = 0.1


@dataclass(slots=True)
class Press:
    """One press: when it began, when it was sent, when "written" was heard (monotonic seconds; None: not yet)."""

    device: str
    seq: int
    began_s: float
    sent_s: list[float] = field(default_factory=list)
    written_s: float | None = None

    @property
    def waited_ms(self) -> float:
        assert self.written_s is not None
        return (self.written_s - self.began_s) * 1000


class Buttons(threading.Thread):
    """``number`` buttons "<name>-<n>" press in turn, ``rate`` presses a second together.

    Each presses again only when its last press is written. ``wanted`` presses at most (0: until :meth:`finish`).
    After :meth:`finish` nothing new is pressed, and the thread ends when all is written or ``patience_s`` is over.
    """

    def __init__(
        self, port: int, name: str, number: int, rate: float, wanted: int = 0, *, seed: int = 1
    ) -> None:
        super().__init__(name=f"buttons {name}", daemon=True)
        self.boot = secrets.token_hex(8)
        self.presses: dict[tuple[str, int], Press] = {}
        self.strangers = 0
        self.patience_s = 60.0
        self._port, self._rate, self._wanted = port, rate, wanted
        self._idle = [f"{name}-{count}" for count in range(number)]
        self._open: dict[str, Press] = {}
        self._dice = random.Random(seed)
        self._seq = 0
        self._mid = 0
        self._line: socket.socket | None = None
        self._packets = _wire.Packets()
        self._client_id = f"trial-{name}-{secrets.token_hex(3)}"
        self._finish = threading.Event()
        self.enough = threading.Event()

    def finish(self, patience_s: float = 60.0) -> None:
        """Press no more; wait until every press is written, at most ``patience_s``."""
        self.patience_s = patience_s
        self._finish.set()
        self.join(patience_s + 10)

    @property
    def written(self) -> list[Press]:
        return [press for press in list(self.presses.values()) if press.written_s is not None]

    @property
    def unwritten(self) -> list[Press]:
        return [press for press in list(self.presses.values()) if press.written_s is None]

    def run(self) -> None:
        next_press_s = next_line_s = time.monotonic()
        give_up_s = float("inf")
        while True:
            now_s = time.monotonic()
            if self._finish.is_set() and give_up_s == float("inf"):
                give_up_s = now_s + self.patience_s
            pressing = not self._finish.is_set() and not self.enough.is_set()
            if (not pressing and not self._open and self._finish.is_set()) or now_s > give_up_s:
                break
            if self._line is None and now_s >= next_line_s:
                self._connect()
                next_line_s = time.monotonic() + RECONNECT_S
            if pressing and now_s >= next_press_s and self._idle:
                self._press(now_s)
                next_press_s = max(next_press_s + self._dice.expovariate(self._rate), now_s - 0.5)
                if self._wanted and self._seq >= self._wanted:
                    self.enough.set()
            repeat_s = [press.sent_s[0] + REPEAT_S * len(press.sent_s) for press in self._open.values()]
            for press, due_s in zip(list(self._open.values()), repeat_s, strict=True):
                if now_s >= due_s:
                    self._send(press, now_s)
            due = [due_s for due_s in repeat_s if due_s > now_s]
            if pressing and self._idle:
                due.append(next_press_s)
            if self._line is None:
                due.append(next_line_s)
            self._listen(min(0.25, max(0.0, min(due, default=now_s + 0.25) - time.monotonic())))
        if self._line is not None:
            self._line.close()

    def _press(self, now_s: float) -> None:
        device = self._idle.pop(0)
        self._seq += 1
        press = Press(device, self._seq, now_s)
        self.presses[device, self._seq] = self._open[device] = press
        self._send(press, now_s)

    def _send(self, press: Press, now_s: float) -> None:
        press.sent_s.append(now_s)
        words = {
            "boot": self.boot,
            "seq": press.seq,
            "press": "short",
            "age_ms": int((now_s - press.began_s) * 1000),
        }
        self._mid = self._mid % 65535 + 1
        topic = f"linli/v1/button/{press.device}/press"
        self._say(_wire.publish(topic, json.dumps(words).encode(), mid=self._mid))

    def _say(self, data: bytes) -> None:
        if self._line is None:
            return
        try:
            self._line.sendall(data)
        except OSError:
            self._hang_up()

    def _connect(self) -> None:
        topics = [f"linli/v1/button/{device}/written" for device in (*self._idle, *self._open)]
        try:
            self._line, self._packets = _wire.open_line(self._port, self._client_id, *topics, timeout_s=1.0)
            self._line.settimeout(1.0)
        except OSError:
            self._line = None

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None

    def _listen(self, wait_s: float) -> None:
        if self._line is None:
            threading.Event().wait(min(wait_s, RECONNECT_S))
            return
        if not select.select([self._line], [], [], wait_s)[0]:
            return
        try:
            data = self._line.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            return
        now_s = time.monotonic()
        for kind, flags, body in self._packets.feed(data):
            if kind == _wire.PUBLISH:
                topic, mid, payload = _wire.published(flags, body)
                if mid:
                    self._say(_wire.puback(mid))
                self._heard(topic.split("/")[3], json.loads(payload), now_s)

    def _heard(self, device: str, words: dict[str, object], now_s: float) -> None:
        press = self.presses.get((device, int(str(words["seq"]))))
        if words["boot"] != self.boot or press is None:
            self.strangers += 1
        elif press.written_s is None:
            press.written_s = now_s
            del self._open[device]
            self._idle.append(device)


def spread(values_ms: list[float]) -> str:
    """p50, p99 and worst, for a person."""
    if not values_ms:
        return "none"
    ordered = sorted(values_ms)
    half, most = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return f"p50 {half:.1f} ms, p99 {most:.0f} ms, worst {ordered[-1]:.0f} ms"
