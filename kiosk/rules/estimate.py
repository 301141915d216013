"""How long? An estimate with a range for somebody in the line: pure, and fast enough to be made with the number.

1. **The line is played forward** (`project`): the windows that are open, what each is busy with and for how long still,
   who stands before this person by the rules of ``fairness.py``, and the elders who will still come meanwhile.
2. **Durations are learned** (`Times`) per item and hour from what happened at the windows. Few cases lean on the
   item's mean, that one on the hall's setting or the catalogue (`cold_ms`): a cold start says so (`Estimate.cold`).
3. **The range is what came before** (`Spread`): of earlier people in the same lane to whom the play promised about as
   much, one in ten waited less than the low end and one in ten longer than the high end (conformal calibration). So
   whatever the play leaves out, chance included, is in the range, and `linli queue backtest` says how often it held.

What must not live here: the notebook, the clock. Who reads history is ``replay.py``; who reads the notebook is
``kiosk/estimates.py``.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol

from kiosk.rules.fairness import Waiting, arrival
from kiosk.rules.policy import MINUTE_MS, Policy


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


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a person is told: eight in ten wait between ``low_ms`` and ``high_ms``, half of them less than ``mid_ms``.

    ``ahead``: people called before this one at windows that share its line, as things are. ``cold``: a guess, from too
    few cases.
    """

    low_ms: int
    mid_ms: int
    high_ms: int
    ahead: int
    open_windows: int
    cold: bool = False
    #: the play itself, before it was corrected by what came: what `Spread` compares
    raw_ms: int = 0


@dataclass(frozen=True, slots=True)
class Desk:
    """An open window. ``code`` is what it is busy with since ``since_ms``, None: it is free."""

    skills: Set[str]
    code: str | None = None
    since_ms: int = 0


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


# ---------------------------------------------------------------- the play


def project(
    mine: Waiting,
    waiting: Iterable[Waiting],
    desks: Sequence[Desk],
    now_ms: int,
    hour: int,
    times: Times,
    policy: Policy,
) -> tuple[int, int, int] | None:
    """The line played forward with what is known: (ms until the call, people ahead, open windows for the item).

    None: no open window serves the item. Of the rules of ``fairness.choose`` it keeps the lanes, the turns, and the
    limit of being overtaken; who comes later and has priority comes evenly, as many as usually do at this hour.
    """
    able = [desk for desk in desks if mine.service_code in desk.skills]
    if not able:
        return None
    here, is_old = arrival(mine), mine.lane == "priority"
    # Whoever cannot come before this person does not matter, nor who waits for other windows alone.
    shared = frozenset().union(*(desk.skills for desk in able))
    before = [
        _Place(arrival(one), one.service_code, one.overtaken, old=one.lane == "priority")
        for one in waiting
        if one.ticket_id != mine.ticket_id
        and (arrival(one) < here or (one.lane == "priority" and not is_old))
    ]
    ahead = 0
    me = _Place(here, mine.service_code, mine.overtaken, is_old)
    line = sorted([*before, me], key=_Place.when)
    olds, others = [one for one in line if one.old], [one for one in line if not one.old]
    if not is_old:
        olds += _elders_to_come(
            me, times.elders_an_hour(hour, shared), policy.overtaken_most - mine.overtaken
        )
    free = [
        (times.left_ms(desk.code, hour, now_ms - desk.since_ms) if desk.code else 0.0, place, 0)
        for place, desk in enumerate(desks)
    ]
    heapq.heapify(free)
    while free:
        at_ms, place, run = heapq.heappop(free)
        one = _pick(olds, others, desks[place].skills, at_ms, run, policy)
        if one is me:
            return int(at_ms), ahead, len(able)
        if one is not None:
            ahead += one.comes_ms == 0 and one.code in shared
            busy_ms = times.took_ms(one.code, hour)
            heapq.heappush(free, (at_ms + busy_ms, place, run + 1 if one.old else 0))
        # A window with nobody before this person, and which does not serve it, is out of the play.
    raise AssertionError("an open window serves the item, so the play ends with its call")


@dataclass(slots=True, eq=False)
class _Place:
    """Somebody in the line that is played; ``comes_ms`` from now, above 0 for who is not there yet."""

    key: tuple[int, int]
    code: str
    overtaken: int
    old: bool
    comes_ms: float = 0.0

    def when(self) -> tuple[int, int]:
        return self.key


def _elders_to_come(me: _Place, an_hour: float, most: int) -> list[_Place]:
    """Who will come and go before this person: evenly, as many as usually come, as many as may overtake it."""
    if an_hour <= 0:
        return []
    gap_ms = 3_600_000 / an_hour
    return [
        _Place((me.key[0] + turn + 1, -1), me.code, 0, old=True, comes_ms=(turn + 0.5) * gap_ms)
        for turn in range(max(0, most))
    ]


def _pick(
    olds: list[_Place], others: list[_Place], skills: Set[str], at_ms: float, run: int, policy: Policy
) -> _Place | None:
    """Whom a window takes from the two lines; None: nobody in them is for it."""
    old = next((one for one in olds if one.code in skills and one.comes_ms <= at_ms), None)
    other = next((one for one in others if one.code in skills), None)
    if old is not None and other is not None:
        passed = [one for one in others if one.code in skills and one.key < old.key]
        turn = run * policy.weight_normal >= policy.weight_priority
        if passed and (turn or any(one.overtaken >= policy.overtaken_most for one in passed)):
            old = None
        else:
            for one in passed:
                one.overtaken += 1
    if old is not None:
        olds.remove(old)
    elif other is not None:
        others.remove(other)
    return old or other


# ---------------------------------------------------------------- the range

#: Where one kind of promise ends and the next begins, minutes of the play.
EDGES_MS = tuple(minutes * MINUTE_MS for minutes in (1, 3, 6, 10, 16, 25, 40))
#: So many earlier cases make a range of their own; fewer lean on their neighbours, then on all.
ENOUGH = 60
#: The newest cases of a kind that are looked at.
KEPT = 400
#: A short play is off by minutes, a long one by a part of itself: misses are measured against play + this.
FLOOR_MS = 3 * MINUTE_MS
#: Before anything came: a wide range, as a part of play + `FLOOR_MS`. Our own guess.
COLD = (-0.45, 0.0, 0.65)
LOW, MID, HIGH = 0.10, 0.50, 0.90


#: Up to so many windows one long talk holds up the line.
FEW_WINDOWS = 2

_Kind = tuple[str, bool, int]


def _kind(lane: str, windows: int, raw_ms: int) -> _Kind:
    return lane, windows <= FEW_WINDOWS, bisect_right(EDGES_MS, raw_ms)


@dataclass(slots=True)
class Spread:
    """What came of earlier promises: by lane, by how long the play was, and whether few windows serve the item."""

    _misses: dict[_Kind, deque[float]] = field(default_factory=dict)
    _kept: dict[_Kind, tuple[float, float, float]] = field(default_factory=dict)

    def add(self, lane: str, windows: int, raw_ms: int, came_ms: int) -> None:
        """The play said ``raw_ms`` with ``windows`` open for the item; ``came_ms`` came."""
        miss = (came_ms - raw_ms) / (raw_ms + FLOOR_MS)
        self._misses.setdefault(_kind(lane, windows, raw_ms), deque(maxlen=KEPT)).append(miss)
        self._kept.clear()

    @property
    def cases(self) -> int:
        return sum(map(len, self._misses.values()))

    def of(self, lane: str, windows: int, raw_ms: int) -> tuple[int, int, int]:
        """(low, mid, high) in ms for a play of ``raw_ms`` with ``windows`` open for the item."""
        kind = _kind(lane, windows, raw_ms)
        parts = self._kept.get(kind)
        if parts is None:
            parts = self._kept[kind] = self._parts(*kind)
        low, mid, high = (max(0, int(raw_ms + part * (raw_ms + FLOOR_MS))) for part in parts)
        return low, mid, high

    def _parts(self, lane: str, few: bool, length: int) -> tuple[float, float, float]:
        for near in (
            [(lane, few, length)],
            [(lane, few, length + step) for step in (-1, 0, 1)],
            [(lane, each, length) for each in (few, not few)],
            [key for key in self._misses if key[0] == lane],
            list(self._misses),
        ):
            misses = sorted(miss for key in near for miss in self._misses.get(key, ()))
            if len(misses) >= ENOUGH:
                return quantile(misses, LOW), quantile(misses, MID), quantile(misses, HIGH)
        return COLD


def quantile(ordered: Sequence[float], part: float) -> float:
    """Of ascending values, with the small-sample correction of conformal prediction: (n + 1) · part."""
    place = min(max((len(ordered) + 1) * part - 1, 0.0), len(ordered) - 1.0)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def estimate(
    mine: Waiting,
    waiting: Iterable[Waiting],
    desks: Sequence[Desk],
    now_ms: int,
    hour: int,
    times: Times,
    spread: Spread,
    policy: Policy,
) -> Estimate | None:
    """How long this person still waits. None: no open window serves the item."""
    played = project(mine, waiting, desks, now_ms, hour, times, policy)
    if played is None:
        return None
    raw_ms, ahead, windows = played
    low, mid, high = (0, 0, 0) if raw_ms == 0 and ahead == 0 else spread.of(mine.lane, windows, raw_ms)
    return Estimate(
        low, mid, high, ahead, windows, cold=times.cases < ENOUGH or spread.cases < ENOUGH, raw_ms=raw_ms
    )


def fluid(
    mine: Waiting,
    waiting: Mapping[tuple[str, str], int],
    desks: Sequence[Desk],
    now_ms: int,
    hour: int,
    times: Times,
    spread: Spread,
) -> Estimate | None:
    """As `estimate`, for a line too long to be played while somebody waits for a number: the work before it, divided.

    :param waiting: (item, lane) → how many wait; whoever holds a number of the priority lane is before a normal one.
    """
    able = [desk for desk in desks if mine.service_code in desk.skills]
    if not able:
        return None
    shared = frozenset().union(*(desk.skills for desk in able))
    before: Counter[str] = Counter()
    for (code, lane), count in waiting.items():
        if code in shared and (mine.lane != "priority" or lane == "priority"):
            before[code] += count
    work_ms = 0.0
    for code, count in before.items():
        # Windows that serve the item share its work; those that cannot help this person take their part away, too.
        helpers = sum(code in desk.skills for desk in desks)
        work_ms += (
            count * times.took_ms(code, hour) * sum(code in desk.skills for desk in able) / max(1, helpers)
        )
    work_ms += sum(times.left_ms(desk.code, hour, now_ms - desk.since_ms) for desk in able if desk.code)
    raw_ms, ahead = int(work_ms / len(able)), sum(before.values())
    low, mid, high = spread.of(mine.lane, len(able), raw_ms)
    return Estimate(
        low, mid, high, ahead, len(able), cold=times.cases < ENOUGH or spread.cases < ENOUGH, raw_ms=raw_ms
    )
