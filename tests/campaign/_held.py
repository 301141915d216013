"""A gateway's entrance and loop on a real notebook: the one place that knows how they are built.

Whatever changes inside, a trial asks only this of it: hear an MQTT message, obey an order, turn, be closed and opened
anew, and say how much it keeps.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence, Sized
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

from devices.messages import SetLamp
from devices.plan import Panel
from gateway.arrival import Arrival
from gateway.entrance import Entrance
from gateway.hall.state import HallState
from gateway.loop import Loop
from gateway.notebook import Notebook
from gateway.timers import Clock
from gateway.wire import Published
from tests.mouths import mouths
from tests.parts import ROOT, Json

SCHEMA = ROOT / "gateway" / "schema"
#: Telemetry may wait a quarter of a second for its turn; so many such waits, and it has been forgotten.
TURN_S, MOST_TURNS = 0.26, 40


class Message(Published):
    """A message as it comes off the broker's wire, at QoS 1."""

    def __init__(self, topic: str, payload: bytes | bytearray) -> None:
        super().__init__(topic.encode("utf-8", "replace"), bytes(payload), 1, False, False, 1)


class NoText(Message):
    """A message whose topic is not text."""

    def __init__(self, _topic: str, payload: bytes | bytearray) -> None:
        super().__init__("", payload)
        self.topic_bytes = b"\xff"


class HeldHall:
    """Entrance, loop, notebook; what it told: lamps as they stand, and how often each kind of thing was said."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        panels: tuple[Panel, ...] = (),
        watch: Callable[[Arrival], None] = lambda _arrival: None,
        zone: tzinfo = UTC,
    ) -> None:
        self.path, self.clock = path, clock
        self.lamps: dict[str, str] = {}
        self.said: Counter[str] = Counter()
        #: the newest "written": device, boot, seq
        self.written: deque[tuple[str, str, int]] = deque(maxlen=100)
        self.taken = self.acknowledged = 0
        #: sees every arrival that goes on to the loop
        self.watch = watch
        self._panels, self._zone = panels, zone
        self.open()

    def open(self) -> None:
        """Begin (again): the process starts."""
        self.book = Notebook(self.path, SCHEMA, patient=True)
        self.loop = Loop(
            self.book,
            self._panels,
            {},
            mouths(
                set_lamp=self._lamp,
                show_count=lambda _count: self.said.update(["panel"]),
                tell_written=lambda device, boot, seq: self.written.append((device, boot, seq)),
                tell_screens=lambda fact: self.said.update([str(fact["fact"])]),
                beacon=lambda _state: self.said.update(["beacon"]),
            ),
            self.clock,
            self._zone,
        )
        self.entrance = Entrance(
            self.clock,
            self.loop.counts,
            self.loop.presences,
            lambda: self.loop.state,
            self._take,
            self.loop.telemetry.read_later,
            lambda _topic: True,
        )

    def close(self, *, kill: bool = False) -> None:
        """The process ends; ``kill``: without a word (what it had not written is gone)."""
        if not kill:
            self.loop.stop()
            self.loop.run(lambda: None)
        self.loop.selector.close()
        self.book.close()

    @property
    def state(self) -> HallState:
        return self.loop.state

    @property
    def counts(self) -> Mapping[str, int]:
        return self.loop.counts

    def hear(self, message: Message) -> None:
        """A message comes in from the broker."""
        self.taken += 1
        self.entrance.from_known(message, self._acked)

    def tell(self, topic: str, words: object) -> None:
        """A device of ours says something."""
        self.hear(Message(topic, json.dumps(words).encode()))

    def order(self, name: str, settle: Callable[[], None], /, **fields: object) -> Json:
        """An order, and its answer once ``settle`` has turned the loop."""
        answers: list[dict[str, object]] = []
        self.loop.take(
            Arrival(
                self.clock.monotonic_ns(),
                self.clock.now_ms(),
                name,
                order=name,
                fields=fields,
                answer=answers.append,
            )
        )
        settle()
        if not answers:
            raise AssertionError(f"order {name} was never answered")
        return answers[0]

    def turn(self) -> None:
        self.loop.turn(longest_wait_s=0.0)

    def settle(self, pass_s: Callable[[float], None]) -> None:
        """Turn until everything that came in is decided and acknowledged; ``pass_s`` lets time pass.

        :raises AssertionError: something was not, in a time in which it should have been.
        """
        for _ in range(MOST_TURNS):
            self.turn()
            if self.acknowledged == self.taken and not self.waiting:
                return
            pass_s(TURN_S)
        raise AssertionError(f"{self.taken - self.acknowledged} messages were never acknowledged")

    def next_ms(self) -> int:
        """When the next timer that is a row falls due, by the wall clock; far in the future: none."""
        lapse_ms = self.loop.rounds.alarms.as_json()["next_in_ms"]
        waiting = [timer.due_ms for timer in self.loop.state.timers.values() if timer.by_wall]
        if isinstance(lapse_ms, int):
            waiting.append(self.clock.now_ms() + lapse_ms)
        return min(waiting, default=2**53)

    @property
    def waiting(self) -> int:
        """What is gathered and not yet decided or on disk."""
        return len(self.loop.urgent) + len(self.loop.telemetry) + len(self.loop.held)

    def sizes(self) -> dict[str, int]:
        """How much is kept in memory: the length of every table that the loop or one of its parts holds."""
        found: dict[str, int] = {}
        for part, thing in (
            ("state", self.loop.state),
            ("entrance", self.entrance),
            *vars(self.loop).items(),
        ):
            if type(thing).__module__.startswith("gateway."):
                for name in _names_of(thing):
                    value = getattr(thing, name, None)
                    if isinstance(value, Sized) and not isinstance(value, str | bytes | tuple):
                        found[f"{part.strip('_')}.{name.strip('_')}"] = len(value)
        return found

    def _take(self, arrival: Arrival) -> None:
        self.watch(arrival)
        self.loop.take(arrival)

    def _lamp(self, lamp: SetLamp) -> None:
        self.lamps[lamp.device_id] = lamp.light
        self.said["lamp"] += 1

    def _acked(self) -> None:
        self.acknowledged += 1


def _names_of(thing: Any) -> Sequence[str]:
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*slots, *vars(thing)] if hasattr(thing, "__dict__") else slots
