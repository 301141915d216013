"""What the fault trials have in common: a hall of broker and gateway, somebody who listens at its desk, and the books.

A case is a function ``(folder, given) -> Outcome``; its counts are printed, and ``bad`` says what it should not have
done. A case never ends before its fault is healed: the hall has to come back by itself.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign._buttons import Buttons, Press
from tests.campaign._shim import Shim
from tests.campaign._units import Units, units
from tests.parts import Json, wait_until

#: A fault that is healed must be forgotten after so many seconds (our aim, reliability guarantee R7).
HEALED_AIM_S = 5.0
NO_TOYS = "[virtual]\non = false\n"


@dataclass(slots=True)
class Outcome:
    """What a case has seen: its counts in words, and what should not have been."""

    counts: str
    bad: list[str] = field(default_factory=list)

    def expect(self, held: bool, otherwise: str) -> None:
        if not held:
            self.bad.append(otherwise)


class Ear(threading.Thread):
    """Somebody at the gateway's desk, as the kiosk is: hears the facts, comes back when the line breaks."""

    def __init__(self, desk: Path) -> None:
        super().__init__(name="ear", daemon=True)
        self.facts: list[tuple[float, Json]] = []
        self._desk = desk
        self._end = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._end.is_set():
            try:
                with socket.socket(socket.AF_UNIX) as line:
                    line.settimeout(0.2)
                    line.connect(str(self._desk))
                    line.sendall(b'{"id":"e","order":"hello","who":"ear"}\n')
                    self._listen(line)
            except OSError:
                self._end.wait(0.05)

    def _listen(self, line: socket.socket) -> None:
        waiting = b""
        while not self._end.is_set():
            try:
                data = line.recv(1 << 16)
            except TimeoutError:
                continue
            if not data:
                return
            *lines, waiting = (waiting + data).split(b"\n")
            now_s = time.monotonic()
            self.facts += [(now_s, json.loads(one)) for one in lines]

    def alarmed(self, device: str, since_s: float = 0.0) -> float | None:
        """When staff first heard of a call of this device, written or not."""
        for at_s, fact in list(self.facts):
            if at_s >= since_s:
                if fact.get("fact") == "CallChanged" and fact["call"]["device_id"] == device:
                    return at_s
                if fact.get("fact") == "Snapshot" and any(
                    one["device_id"] == device for one in fact["calls"]
                ):
                    return at_s
        return None

    def part(self, name: str) -> str:
        """The newest word on a part of the hall: "ready", "down", "degraded", or "" while nothing was said."""
        for _, fact in reversed(self.facts):
            if fact.get("fact") == "PartChanged" and fact["part"]["part"] == name:
                return str(fact["part"]["state"])
            if fact.get("fact") == "Snapshot":
                for part in fact["parts"]:
                    if part["part"] == name:
                        return str(part["state"])
        return ""

    def heard_part(self, name: str, states: tuple[str, ...], since_s: float) -> float | None:
        """When this part was first said to be so, since a moment."""
        for at_s, fact in list(self.facts):
            if at_s < since_s:
                continue
            parts = [fact["part"]] if fact.get("fact") == "PartChanged" else fact.get("parts", [])
            if any(part["part"] == name and part["state"] in states for part in parts):
                return at_s
        return None

    def close(self) -> None:
        self._end.set()
        self.join(5)


@dataclass(slots=True)
class Hall:
    """A hall under trial."""

    units: Units
    ear: Ear
    shim: Shim
    _named: int = 0
    buttons: list[Buttons] = field(default_factory=list)

    def press(self, presses: int, rate: float = 20.0) -> Buttons:
        """So many buttons nobody has met begin to press, one press each."""
        self._named += 1
        one = Buttons(self.units.mqtt_port, f"b{self._named}", presses, rate, presses)
        self.buttons.append(one)
        one.start()
        return one

    def all_written(self, buttons: Buttons, patience_s: float = 15.0) -> bool:
        """Whether every press is written within this time."""
        buttons.enough.wait(patience_s)
        buttons.finish(patience_s)
        return not buttons.unwritten

    def rows(self) -> set[tuple[str, str]]:
        """The presses in the notebook."""
        return rows_of(self.units.home / "gateway.db")

    def false_written(self) -> int:
        """Presses that heard "written" and are not in the notebook."""
        have = self.rows()
        return sum(
            (press.device, f"{buttons.boot}:{press.seq}") not in have
            for buttons in self.buttons
            for press in buttons.written
        )

    def doubled(self) -> int:
        """Calls that count a press twice, or none."""
        with closing(sqlite3.connect(f"file:{self.units.home}/gateway.db?mode=ro", uri=True)) as book:
            question = (
                "SELECT count(*) FROM calls c WHERE c.presses <> "
                "(SELECT count(*) FROM presses p WHERE p.call_id = c.call_id)"
            )
            return int(book.execute(question).fetchone()[0])

    def not_alarmed(self, buttons: Buttons, within_s: float) -> int:
        """Presses of which staff did not hear in time, written or not."""
        count = 0
        for press in buttons.presses.values():
            at_s = self.ear.alarmed(press.device)
            count += at_s is None or at_s - press.began_s > within_s
        return count

    def wait_alarmed(self, buttons: Buttons, patience_s: float = 10.0) -> bool:
        """Whether staff hear of every press that was made."""
        buttons.enough.wait(patience_s)
        try:
            wait_until(
                lambda: all(self.ear.alarmed(press.device) for press in list(buttons.presses.values())),
                lambda: "every press alarms",
                patience_s,
            )
        except AssertionError:
            return False
        return True

    def wait_part(self, name: str, *states: str, patience_s: float = 10.0) -> bool:
        try:
            wait_until(lambda: self.ear.part(name) in states, lambda: f"{name} is {states}", patience_s)
        except AssertionError:
            return False
        return True

    def restart(self) -> None:
        """SIGKILL, and wait until it is there again."""
        ready = sum("gateway ready" in line for line in self.units.lines["gateway"])
        self.units.kill("gateway")
        self.units.wait_said("gateway", "gateway ready", ready + 1)


def rows_of(path: Path) -> set[tuple[str, str]]:
    """The keys of all presses in a notebook."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as book:
        return set(book.execute("SELECT device_id, press_id FROM presses"))


def after(press: Press, moment_s: float) -> float:
    """How long after this moment the press was written, in seconds."""
    assert press.written_s is not None
    return press.written_s - moment_s


Wrap = Callable[[str, list[str], dict[str, str]], list[str]]


@contextmanager
def hall(
    folder: Path, hall_toml: str = NO_TOYS, *, boot: str = "", shimmed: bool = True, wrap: Wrap | None = None
) -> Iterator[Hall]:
    """A broker and a gateway with the shim in it; ``boot``: Python that is run before the gateway begins."""
    shim = Shim(folder / "shim")

    def dress(part: str, argv: list[str], environ: dict[str, str]) -> list[str]:
        if part == "gateway":
            if shimmed:
                environ.update(shim.environ())
            if boot:
                argv = [argv[0], "-c", f"{boot}\nimport gateway.__main__ as g\nraise SystemExit(g.main())"]
        return wrap(part, argv, environ) if wrap else argv

    with units(folder / "hall", hall_toml, only=("broker", "gateway"), wrap=dress) as running:
        ear = Ear(running.house.gateway_socket)
        try:
            running.wait_said("gateway", "gateway ready")
            one = Hall(running, ear, shim)
            assert one.wait_part("broker", "ready"), "the gateway did not find its broker"
            yield one
        finally:
            ear.close()
