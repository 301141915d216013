"""A gateway's loop on a real notebook with the clock in our hand: the one place that knows how Loop is built.

Whatever changes inside the loop, a trial over many days asks only this of it: take what came in, turn, be closed and
opened anew, and say how much it keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sized
from pathlib import Path
from typing import Any

from devices.messages import BayHeard, DeviceSeen, Pressed, SetLamp
from devices.plan import Panel
from gateway.arrival import Arrival
from gateway.hall.state import HallState
from gateway.loop import Loop
from gateway.notebook import Notebook
from gateway.teller import Mouths
from gateway.timers import Clock
from tests.parts import ROOT, Json

SCHEMA = ROOT / "gateway" / "schema"
#: Telemetry may wait a quarter of a second for its turn; ten such waits, and it has been forgotten.
TURN_S, MOST_TURNS = 0.26, 10


class HeldClock(Clock):
    """Time stands still until somebody moves it. The wall may jump; the monotonic clock may not."""

    def __init__(self, wall_ms: int) -> None:
        self.wall_ms, self.mono_s = wall_ms, 1000.0

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic_s(self) -> float:
        return self.mono_s

    def monotonic_ns(self) -> int:
        return int(self.mono_s * 1e9)

    def pass_s(self, seconds: float) -> None:
        self.mono_s += seconds
        self.wall_ms += round(seconds * 1000)


class HeldHall:
    """The loop, its notebook, and what it told: lamps as they stand, and how often each kind of thing was said."""

    def __init__(self, path: Path, clock: HeldClock, panels: tuple[Panel, ...]) -> None:
        self.path, self.clock = path, clock
        self.lamps: dict[str, str] = {}
        self.said: Counter[str] = Counter()
        self.taken = self.acknowledged = 0
        self._panels = panels
        self.open()

    def open(self) -> None:
        """Begin (again): the process starts."""
        self.book = Notebook(self.path, SCHEMA, patient=True)
        self.loop = Loop(
            self.book,
            self._panels,
            {},
            Mouths(
                set_lamp=self._lamp,
                show_count=lambda _count: self.said.update(["panel"]),
                tell_written=lambda _device, _boot, _seq: self.said.update(["written"]),
                tell_screens=lambda fact: self.said.update([str(fact["fact"])]),
                beacon=lambda _state: self.said.update(["beacon"]),
            ),
            self.clock,
        )

    def close(self, *, kill: bool = False) -> None:
        """The process ends; ``kill``: without a word (what it had not written is gone)."""
        if not kill:
            self.loop.persist_seen()
        self.loop.selector.close()
        self.book.close()

    @property
    def state(self) -> HallState:
        return self.loop.state

    def hear(self, device: str, fact: Pressed | BayHeard | None = None, every_ms: int | None = None) -> None:
        """A device said something: a press, its bay, or only that it lives."""
        facts = (DeviceSeen(device, "linli"), *((fact,) if fact else ()))
        self.taken += 1
        clock = self.clock
        self.loop.take(
            Arrival(clock.monotonic_ns(), clock.now_ms(), f"word of {device}", facts, every_ms, self._acked)
        )

    def order(self, name: str, **fields: object) -> Json:
        """An order, and its answer."""
        answers: list[dict[str, object]] = []
        clock = self.clock
        self.loop.take(
            Arrival(
                clock.monotonic_ns(), clock.now_ms(), name, order=name, fields=fields, answer=answers.append
            )
        )
        for _ in range(MOST_TURNS):
            self.turn()
            if answers:
                return answers[0]
            clock.pass_s(TURN_S)
        raise AssertionError(f"order {name} was never answered")

    def turn(self) -> None:
        self.loop.turn(longest_wait_s=0.0)

    def settle(self) -> None:
        """Turn until everything that came in is decided and acknowledged.

        :raises AssertionError: something was not, in a time in which it should have been.
        """
        for _ in range(MOST_TURNS):
            self.turn()
            if self.acknowledged == self.taken:
                return
            self.clock.pass_s(TURN_S)
        raise AssertionError(f"{self.taken - self.acknowledged} messages were never acknowledged")

    def sizes(self) -> dict[str, int]:
        """How much is kept in memory: the length of every table in the state, and of whatever the loop holds."""
        found: dict[str, int] = {}
        for owner, thing in (
            ("state", self.loop.state),
            ("loop", self.loop),
            ("timers", self.loop.timers),
            ("teller", self.loop.teller),
        ):
            for name in _names_of(thing):
                value = getattr(thing, name, None)
                if isinstance(value, Sized) and not isinstance(value, str | bytes | tuple):
                    found[f"{owner}.{name.strip('_')}"] = len(value)
        return found

    def _lamp(self, lamp: SetLamp) -> None:
        self.lamps[lamp.device_id] = lamp.light
        self.said["lamp"] += 1

    def _acked(self) -> None:
        self.acknowledged += 1


def _names_of(thing: Any) -> list[str]:
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*slots, *vars(thing)] if hasattr(thing, "__dict__") else slots
