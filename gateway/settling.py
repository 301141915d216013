"""When what a sensor says has stood long enough. The edge of ``hall/sensing.py``: it has the clock and the heap.

Nothing of it is written. A candidate is one job of the loop's own timers, by the monotonic clock; when it is due it
comes in again by the door of telemetry, as a fact like any other: decided, written and told with the batch in which
it falls, held where the disk refuses. It costs a bay that turns one job more, and a word that changes nothing, none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from devices.messages import BaySettled
from gateway.arrival import Arrival
from gateway.hall.state import Settling
from gateway.timers import Clock, Timers


class Settler:
    """Times candidates.

    :param take: the loop's door.
    """

    def __init__(self, timers: Timers, clock: Clock, take: Callable[[Arrival], None]) -> None:
        self._timers = timers
        self._clock = clock
        self._take = take

    def follow(self, begun: Iterable[Settling]) -> None:
        """These candidates have begun to be settled."""
        for one in begun:
            when_s = self._clock.monotonic_s() + one.hold_ms / 1000
            self._timers.at(when_s, partial(self._is_due, one), f"settle:{one.device_id}")

    def hurry(self, all_of_them: Iterable[Settling]) -> list[Arrival]:
        """The hall stops: what waits is taken as it is, for its sensor may not say it again for hours."""
        return [self._arrival(one) for one in all_of_them if one.wanted]

    def _is_due(self, one: Settling) -> None:
        self._take(self._arrival(one))

    def _arrival(self, one: Settling) -> Arrival:
        fact = BaySettled(one.device_id, "taken" if one.wanted == "taken" else "free", one.number)
        now_ns, now_ms = self._clock.monotonic_ns(), self._clock.now_ms()
        return Arrival(now_ns, now_ms, f"settled {one.device_id}", (fact,), source=one.device_id)
