"""How long an item takes at a window: a first guess from the catalogue, then learned per item and hour. Pure.

    times = Times(first=lambda code: 540_000)
    times.add("ZW-01", hour=10, took_ms=420_000)
    times.took_ms("ZW-01", 10)                      # between the guess and what came; more cases weigh more

What must not live here: the line and its windows (``play.py``), the notebook.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Protocol

from kiosk.rules.policy import MINUTE_MS


class _Limit(Protocol):
    @property
    def mode(self) -> str: ...


class _TimeLimit(Protocol):
    @property
    def promised(self) -> _Limit: ...


class Item(Protocol):
    """Of an item in the catalogue, what its first guess hangs on."""

    @property
    def kind(self) -> str: ...
    @property
    def time_limit(self) -> _TimeLimit: ...


def cold_ms(item: Item) -> int:
    """How long an item takes before anything was learned, from what the catalogue says of it.

    Our own guess, the walk to the window included: what is done on the spot 5 min, papers that are taken in and passed
    on 9 min, a talk 15 min.
    """
    if item.kind == "consult":
        return 15 * MINUTE_MS
    return (5 if item.time_limit.promised.mode == "instant" else 9) * MINUTE_MS


# ---------------------------------------------------------------- durations

#: So many cases of an hour weigh as much as the item's own mean; so many of the item as the first guess.
HOUR_WEIGHT, ITEM_WEIGHT = 25, 6
#: The part of the past that counts: each new case makes the others this much lighter (half after about 350).
FADES = 0.998
#: A window that was forgotten open says nothing about an item; the rest of the case is left out.
LONGEST_MS = 3 * 60 * MINUTE_MS

#: How much longer somebody stays who is there already: time there / item's mean → time left / item's mean.
#: Computed for log-normal times with a coefficient of variation of 0.6, the spread of service times that is usual.
_LEFT_AT = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
_LEFT = (1.0, 0.76, 0.58, 0.51, 0.50, 0.54, 0.61, 0.76)


#: Sixteen service times that are equally likely, as parts of the mean: log-normal, coefficient of variation 0.6.
FACTORS = (
    *(0.294, 0.412, 0.489, 0.557, 0.622, 0.686, 0.752, 0.821),
    *(0.896, 0.978, 1.072, 1.183, 1.321, 1.505, 1.792, 2.618),
)


@dataclass(slots=True)
class _Mean:
    weight: float = 0.0
    total_ms: float = 0.0

    def add(self, took_ms: int) -> None:
        self.weight = self.weight * FADES + 1
        self.total_ms = self.total_ms * FADES + took_ms

    def towards(self, prior_ms: float, prior_weight: float) -> float:
        return (self.total_ms + prior_ms * prior_weight) / (self.weight + prior_weight)


@dataclass(slots=True)
class Times:
    """How long the items take here, and how many of the priority lane come: learned case by case.

    :param first: the guess for an item of which nothing is known, ms (`cold_ms`, or what the hall has set).
    """

    first: Callable[[str], int]
    cases: int = 0
    _items: dict[str, _Mean] = field(default_factory=dict)
    _hours: dict[tuple[str, int], _Mean] = field(default_factory=dict)
    _elders: dict[tuple[int, str], float] = field(default_factory=dict)
    _days: dict[int, float] = field(default_factory=dict)
    _kept: dict[tuple[str, int], float] = field(default_factory=dict)

    def add(self, code: str, hour: int, took_ms: int) -> None:
        """Somebody was at a window for an item, the walk included, from the call to the next one."""
        if not 0 < took_ms <= LONGEST_MS:
            return
        self.cases += 1
        self._items.setdefault(code, _Mean()).add(took_ms)
        self._hours.setdefault((code, hour), _Mean()).add(took_ms)
        self._kept.clear()

    def took_ms(self, code: str, hour: int) -> float:
        """How long the item takes at that hour, as far as is known."""
        kept = self._kept.get((code, hour))
        if kept is None:
            item = self._items.get(code, _Mean()).towards(self.first(code), ITEM_WEIGHT)
            kept = self._kept[code, hour] = self._hours.get((code, hour), _Mean()).towards(item, HOUR_WEIGHT)
        return kept

    def usual_ms(self, code: str) -> float:
        """How long the item takes, whatever the hour."""
        return self._items.get(code, _Mean()).towards(self.first(code), ITEM_WEIGHT)

    def cases_of(self, code: str) -> int:
        """How many cases of it are remembered; old ones count for less."""
        return round(self._items.get(code, _Mean()).weight)

    def add_day(self, elders: Mapping[tuple[int, str], int], hours: Iterable[int]) -> None:
        """A day is over: how many of the priority lane came, by hour and item. ``hours``: those with anybody at all."""
        for hour in hours:
            self._days[hour] = self._days.get(hour, 0.0) * 0.95 + 1
            for key in [key for key in self._elders if key[0] == hour]:
                self._elders[key] *= 0.95
        for key, count in elders.items():
            self._elders[key] = self._elders.get(key, 0.0) + count

    def elders_an_hour(self, hour: int, codes: Set[str]) -> float:
        """How many of the priority lane come in that hour for these items."""
        days = self._days.get(hour, 0.0)
        if not days:
            return 0.0
        return sum(self._elders.get((hour, code), 0.0) for code in codes) / days

    def left_ms(self, code: str, hour: int, there_ms: int) -> float:
        """How much longer somebody stays who has been at the window for ``there_ms``."""
        mean = self.took_ms(code, hour)
        part = max(0.0, there_ms / mean)
        place = min(bisect_right(_LEFT_AT, part), len(_LEFT_AT) - 1)
        x0, x1, y0, y1 = _LEFT_AT[place - 1], _LEFT_AT[place], _LEFT[place - 1], _LEFT[place]
        return mean * (y0 + (y1 - y0) * (min(part, x1) - x0) / (x1 - x0))

    def left_by_chance_ms(self, code: str, hour: int, there_ms: int, draw: int) -> float:
        """As `left_ms`, one of the ways in which it may come; ``draw``: any number."""
        mean = self.took_ms(code, hour)
        longer = [one for one in FACTORS if one * mean > there_ms]
        return longer[draw % len(longer)] * mean - there_ms if longer else self.left_ms(code, hour, there_ms)
