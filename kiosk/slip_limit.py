"""How much paper one screen, or one address, may ask for: more than people can, and far less than a roll at a time.

A number and a request print a slip each, and whoever is in the hall's network may send them. So each screen has a
bucket of slips that fills again all the time: a queue of people, one every six seconds for a whole day, never finds it
empty; a child that leans on the glass, or a script, does after forty. Then staff see it, and who stands there waits
for seconds. What prints nothing new is never refused: a second touch, the same key again. A call for help is not
counted (kiosk/help_call.py).

Kept in memory: a restart gives forty more, no harm.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import ceil

from devices.faults import OrderRefused
from gateway.log import say_once

#: Our choice: a touch on the home page, one on the item's, the way of the paper, the next person: nobody needs less
#: than some seven seconds. Forty at once are the people who wait at the door in the morning.
AT_ONCE, ONE_IN_MS = 40, 6_000
#: How long staff are told of the last refusal.
TOLD_MS = 3_600_000
_ASKERS_REMEMBERED = 500


class TooManySlips(OrderRefused):
    """So many slips were asked for here that the next must wait. ``rest_ms``: how long."""

    def __init__(self, rest_ms: int) -> None:
        self.rest_ms = rest_ms
        self.wait_s = ceil(rest_ms / 1000)
        super().__init__(
            f"这里刚才要的小票太多了，为了留住纸，请等 {self.wait_s} 秒再试，或到服务台请工作人员办理",
            f"Too many slips were asked for here just now. To save paper, wait {self.wait_s} s and try again, or ask"
            " staff at the counter",
        )


@dataclass(frozen=True, slots=True)
class Refusals:
    """What staff are told. ``count``: since the start; ``who``: the last one, a screen or an address."""

    count: int = 0
    who: str = ""
    at_ms: int = 0


class SlipLimit:
    """Who has asked for how much paper lately. ``who`` "" is a program of this machine's own, and is not counted."""

    def __init__(self, at_once: int = AT_ONCE, one_in_ms: int = ONE_IN_MS) -> None:
        self._at_once, self._one_in_ms = at_once, one_in_ms
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, int]] = {}
        self._refusals = Refusals()

    def check(self, who: str, now_ms: int) -> None:
        """:raises TooManySlips: this one has had more than its share; it is counted, and said once a day."""
        if not who:
            return
        with self._lock:
            left = self._now(who, now_ms)
            if left >= 1:
                return
            self._refusals = Refusals(self._refusals.count + 1, who, now_ms)
        say_once(
            f"slips:{who}",
            "too_many_slips",
            f"{who} asks for more slips than people can: the next wait, and are counted; if nobody stands there, look"
            " for the device with this address",
        )
        raise TooManySlips(ceil((1 - left) * self._one_in_ms))

    def spend(self, who: str, now_ms: int) -> None:
        """A slip of this one is written."""
        if not who:
            return
        with self._lock:
            left = self._now(who, now_ms)
            if len(self._left) > _ASKERS_REMEMBERED:
                self._left.clear()
            self._left[who] = max(0.0, left - 1), now_ms

    def refusals(self) -> Refusals:
        with self._lock:
            return self._refusals

    def _now(self, who: str, now_ms: int) -> float:
        left, at_ms = self._left.get(who, (float(self._at_once), now_ms))
        # A clock that was set back begins to count anew from there: else it would be empty for as long.
        return min(float(self._at_once), left + max(0, now_ms - at_ms) / self._one_in_ms)
