"""The measuring device: presses buttons and notes when each sign of it comes back. ``python -m tests.bench.presser``.

A process of its own with one ``select`` loop and no threads, so that nobody else's Python is in its milliseconds. A
press is sent (QoS 1) at jittered intervals, whether or not the one before was answered; its clock starts directly
before ``send`` and stops directly after the ``recv`` that brought the sign:

* ``lamp``: the message on ``linli/v1/lamp/<id>/set`` at a second MQTT connection;
* ``written``: the gateway's word on ``linli/v1/button/<id>/written``;
* ``doorbell``: ``CallChanged`` at the gateway's unix socket, where ``desk`` is given;
* ``console``: the event ``call`` of the staff console's live stream (SSE), where ``console`` is given.

Each button is pressed in turn. When all have been, the measurer pauses until all is answered, closes the open calls
at the desk, and goes on: so that every press opens a new call. The pause is not measured. Without a desk (or with
``close_calls`` false) there is no pause, and a button that is pressed again presses into its open call.
A lamp's message does not say which press it answers: where a button has several presses under way (a burst) a level
that is told twice may be taken for the next press's sign; ``written`` and ``doorbell`` name theirs.

Its one argument is a :class:`Plan` as JSON. It says "ready", begins at a line on its standard input, and reports one
line of JSON: ``{"sent": n, "ms": {"lamp": […], …}, "unanswered": {"lamp": 0, …}, "lag_ms": […], "cpu_s": …, …}``;
``lag_ms`` is how late each press was sent after its own plan: the measurer's own health.
"""

from __future__ import annotations

import gc
import json
import random
import select
import socket
import subprocess
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tests.bench.machine import run_first
from tests.bench.wire import Line, Message

Json = dict[str, Any]
Pending = dict[str, deque[tuple[int, int]]]

#: Where nothing has come for so long, at the end or in a closing pause, what is missing counts as unanswered.
PATIENCE_S = 10.0
#: A rest before the first press and after a pause.
QUIET_S = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """What to press, and where to look. ``desk``: path of the gateway's socket; ``console``: port and cookie."""

    port: int
    rate: float = 100.0
    presses: int = 500
    buttons: int = 200
    prefix: str = "press"
    boot: str = "00000000bench000"
    seed: int = 1
    desk: str = ""
    console_port: int = 0
    console_cookie: str = ""
    close_calls: bool = True
    written: bool = True
    """False: a peer that never says "written"."""


def button_ids(count: int, prefix: str = "press") -> list[str]:
    return [f"{prefix}-{number:04d}" for number in range(1, count + 1)]


class Measurer:
    """Sends the presses of a plan, collects their signs."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._dice = random.Random(plan.seed)
        self._names = button_ids(plan.buttons, plan.prefix)
        self.ms: dict[str, list[float]] = defaultdict(list)
        self.lag_ms: list[float] = []
        self.sent = self.breaks = 0
        self._open: dict[int, str] = {}
        self._alight: set[str] = set()
        self._pending: dict[str, Pending] = {"lamp": defaultdict(deque)}
        self._last_lamp: dict[str, int] = {}
        self._counted: dict[tuple[str, int], int] = {}
        self._presses = Line(plan.port, f"{plan.prefix}-out")
        self._ears = Line(
            plan.port, f"{plan.prefix}-in", ["linli/v1/lamp/+/set", "linli/v1/button/+/written"]
        )
        self._doors: dict[Any, Callable[[bytes, int], None]] = {
            self._presses: self._broker_said,
            self._ears: self._heard,
        }
        if plan.written:
            self._pending["written"] = defaultdict(deque)
        if plan.desk:
            self._pending["doorbell"] = defaultdict(deque)
            self._desk = Words(_desk_socket(plan.desk), b"\n")
            self._doors[self._desk] = self._desk_said
        if plan.console_port:
            self._pending["console"] = defaultdict(deque)
            self._open_console()
        self._quiet(QUIET_S)

    def run(self) -> None:
        """All presses of the plan, with pauses to close the calls; then the last answers."""
        plan = self.plan
        next_ns = time.monotonic_ns()
        for number in range(plan.presses):
            if number and number % plan.buttons == 0 and plan.desk and plan.close_calls:
                self.close_calls()
                next_ns = time.monotonic_ns()
            next_ns += int(self._dice.uniform(0.5, 1.5) / plan.rate * 1e9)
            while (left_ns := next_ns - time.monotonic_ns()) > 0:
                self._look(left_ns / 1e9)
            self._press(self._names[number % plan.buttons], number, next_ns)
        self.close_calls()

    def report(self) -> Json:
        return {
            "sent": self.sent,
            "ms": self.ms,
            "unanswered": {name: sum(map(len, one.values())) for name, one in self._pending.items()},
            "acknowledged": self._presses.acknowledged,
            "console_breaks": self.breaks,
            "lag_ms": self.lag_ms,
            "cpu_s": time.process_time(),
        }

    def close_calls(self) -> None:
        """Wait until all is answered, then close what is open. Outside of what is measured."""
        self._wait(
            lambda: (
                self._presses.acknowledged == self.sent
                and not any(queue for one in self._pending.values() for queue in one.values())
            )
        )
        if self.plan.desk and self.plan.close_calls and self._open:
            self._alight = set(self._open.values())
            for call_id in self._open:
                words = {
                    "id": call_id,
                    "order": "close_call",
                    "call_id": call_id,
                    "by": "bench",
                    "outcome": "test",
                }
                self._desk.socket.setblocking(True)
                self._desk.socket.sendall(json.dumps(words).encode() + b"\n")
                self._desk.socket.setblocking(False)
            # Their lamps too: a broker that still carries two hundred of them would make the next press wait.
            self._wait(lambda: not self._open and not self._alight)
            self._quiet(QUIET_S)

    # ---------------------------------------------------------------- the loop

    def _press(self, name: str, seq: int, planned_ns: int) -> None:
        words = f'{{"boot":"{self.plan.boot}","seq":{seq},"press":"short"}}'.encode()
        topic = f"linli/v1/button/{name}/press"
        sent_ns = time.monotonic_ns()
        self._presses.publish(topic, words)
        self.sent += 1
        self.lag_ms.append((sent_ns - planned_ns) / 1e6)
        for one in self._pending.values():
            one[name].append((seq, sent_ns))

    def _look(self, wait_s: float) -> None:
        """Read what has come; each door's time is noted before anything is understood."""
        ready, _, _ = select.select(list(self._doors), [], [], wait_s)
        come = [(door, door.recv(), time.monotonic_ns()) for door in ready]
        for door, chunk, at_ns in come:
            handle = self._doors.get(door)
            if handle is not None:
                handle(chunk, at_ns)

    def _wait(self, done: Callable[[], bool]) -> None:
        """Until it is done, or until nothing has come any more for ``PATIENCE_S``."""
        heard, since_s = self._heard_count(), time.monotonic()
        while not done() and (left_s := since_s + PATIENCE_S - time.monotonic()) > 0:
            self._look(min(left_s, 1.0))
            if (now := self._heard_count()) != heard:
                heard, since_s = now, time.monotonic()

    def _heard_count(self) -> int:
        return self._presses.acknowledged + sum(map(len, self.ms.values())) - len(self._open)

    def _quiet(self, for_s: float) -> None:
        """Listen for so long: what the broker remembered (retained lamps) is out of the way then."""
        until_s = time.monotonic() + for_s
        while (left_s := until_s - time.monotonic()) > 0:
            self._look(left_s)

    # ---------------------------------------------------------------- signs

    def _sign(self, kind: str, name: str, at_ns: int, *, count: int = 1, up_to: int | None = None) -> None:
        """``count`` presses of this button (or all up to a seq) have shown this sign."""
        waiting = self._pending[kind][name]
        while waiting and (count > 0 or (up_to is not None and waiting[0][0] <= up_to)):
            _seq, sent_ns = waiting.popleft()
            self.ms[kind].append((at_ns - sent_ns) / 1e6)
            count -= 1

    def _broker_said(self, chunk: bytes, _at_ns: int) -> None:
        self._presses.messages(chunk)  # its PUBACKs are counted; they prove nothing

    def _heard(self, chunk: bytes, at_ns: int) -> None:
        for message in self._ears.messages(chunk):
            self._message(message, at_ns)

    def _message(self, message: Message, at_ns: int) -> None:
        _, _, kind, name, _ = message.topic.split("/")
        words = json.loads(message.payload)
        if kind == "lamp":
            if words.get("light") == "off":
                self._alight.discard(name)
            elif not message.retained:
                self._last_lamp[name] = at_ns
                self._sign("lamp", name, at_ns)
        elif self.plan.written and words.get("boot") == self.plan.boot:
            # Two presses of one button that were written together light its lamp once, before this word.
            lamp_ns = self._last_lamp.get(name, 0)
            waiting = self._pending["lamp"][name]
            while waiting and waiting[0][0] <= words["seq"] and waiting[0][1] < lamp_ns:
                self._sign("lamp", name, lamp_ns)
            self._sign("written", name, at_ns, count=0, up_to=words["seq"])

    def _desk_said(self, chunk: bytes, at_ns: int) -> None:
        if not chunk:
            raise ConnectionResetError("the gateway hung up on the measurer")
        for line in self._desk.words(chunk):
            if b'"CallChanged"' in line[:40]:
                call = json.loads(line)["call"]
                if call["state"] == "CLOSED":
                    self._open.pop(call["call_id"], None)
                elif call["device_id"].startswith(self.plan.prefix):
                    self._open[call["call_id"]] = call["device_id"]
                self._call("doorbell", call, at_ns)

    def _console_said(self, chunk: bytes, at_ns: int) -> None:
        if not chunk:
            # Sent away (too far behind): as the page does, come again and draw everything anew.
            self.breaks += 1
            del self._doors[self._console]
            self._open_console()
            return
        for block in self._console.words(chunk):
            event, _, data = block.partition(b"\ndata: ")
            if event.endswith(b"event: call"):
                self._call("console", json.loads(data), at_ns)
            elif event.endswith((b"event: picture", b"event: snapshot")):
                for call in json.loads(data)["calls"]:
                    self._call("console", call, at_ns)

    def _call(self, kind: str, call: Json, at_ns: int) -> None:
        """A call's ``presses`` say how many of this button's presses it has heard."""
        if call["state"] == "CLOSED" or not call["device_id"].startswith(self.plan.prefix):
            return
        key = (kind, call["call_id"])
        news = call["presses"] - self._counted.get(key, 0)
        self._counted[key] = call["presses"]
        self._sign(kind, call["device_id"], at_ns, count=news)

    def _open_console(self) -> None:
        line = socket.create_connection(("127.0.0.1", self.plan.console_port), 5.0)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # HTTP/1.0: the stream comes as it is, without chunks.
        line.sendall(
            f"GET /console/live HTTP/1.0\r\nHost: 127.0.0.1:{self.plan.console_port}\r\n"
            f"Cookie: {self.plan.console_cookie}\r\n\r\n".encode()
        )
        first = line.recv(12)
        if not first.endswith(b" 200"):
            raise ConnectionRefusedError(f"the console's stream answered {first!r}")
        line.setblocking(False)
        self._console = Words(line, b"\n\n")
        self._doors[self._console] = self._console_said


class Words:
    """A socket whose words end with a mark: JSON lines, or server-sent events."""

    def __init__(self, line: socket.socket, mark: bytes) -> None:
        self.socket = line
        self._mark = mark
        self._rest = b""

    def fileno(self) -> int:
        return self.socket.fileno()

    def recv(self) -> bytes:
        try:
            return self.socket.recv(1 << 18)
        except ConnectionResetError:
            return b""

    def words(self, chunk: bytes) -> list[bytes]:
        *whole, self._rest = (self._rest + chunk).split(self._mark)
        return whole


class Presser:
    """The measurer as a child process."""

    def __init__(self, plan: Plan) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.presser", json.dumps(asdict(plan))],
            cwd=Path(__file__).parent.parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        if first.strip() != "ready":
            self._process.communicate()
            raise AssertionError(f"the measurer did not begin: {first!r}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def measure(self) -> Json:
        """Press now; the report once all is answered."""
        told, _ = self._process.communicate("go\n")
        if self._process.returncode != 0:
            raise AssertionError(f"the measurer ended with status {self._process.returncode}")
        report: Json = json.loads(told)
        return report


def _desk_socket(path: str) -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.connect(path)
    line.sendall(b'{"id":"hello","order":"hello","who":"bench"}\n')
    line.setblocking(False)
    return line


def main() -> int:
    given = json.loads(sys.argv[1])
    measurer = Measurer(Plan(**{one.name: given[one.name] for one in fields(Plan) if one.name in given}))
    gc.collect()
    run_first()
    gc.disable()  # a collection in the middle of a measurement would be measured
    print("ready", flush=True)
    sys.stdin.readline()
    measurer.run()
    print(json.dumps(measurer.report()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
