"""How long? An estimate with a range for somebody in the line: pure, and fast enough to be made while a number is taken.

1. **The line is played forward** (`project`): the windows that are open, what each is busy with and for how long still, who
   stands before this person by the rules of ``fairness.py``, and the elders who will still come meanwhile.
2. **Durations are learned** (`learn_times`) per item and hour from what happened at the windows. Few cases lean on the item's
   mean, that one on the hall's setting or the catalogue (`cold_ms`): a cold start is a guess that says so (`Estimate.cold`).
3. **The range is what came before** (`Spread`): of earlier people to whom the play promised about as much, in the same lane,
   one in ten waited less than the low end and one in ten longer than the high end (conformal calibration). So
   whatever the play leaves out, chance included, is in the range, and `linli queue backtest` says how often it held.

What must not live here: the notebook, the clock. Who reads history is ``replay.py``; who reads the notebook ``kiosk/estimates.py``.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import deque
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
    """What a person is told: eight in ten wait between ``low_ms`` and ``high_ms``; half of them less than ``mid_ms``.

    ``ahead``: people before this one, at windows that serve the item. ``cold``: a guess from the catalogue, nothing learned.
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
    """How long an item takes before anything was learned, from what the catalogue says of it. Our own guess: what is done on
    the spot 5 min, papers that are taken in and passed on 9 min, a talk 15 min, each with the walk to the window."""
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
        """A day is over: how many of the priority lane came in each hour, by item. ``hours``: those in which anybody came."""
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
    """The line played forward with the durations that are known: (ms until the call, people ahead, windows for the item).

    None: no open window serves the item. Of the rules of ``fairness.choose`` it keeps the lanes, the turns, and the limit of
    being overtaken; who comes later and has priority comes evenly, as many as usually do at this hour.
    """
    code = mine.service_code
    able = [desk for desk in desks if code in desk.skills]
    if not able:
        return None
    here = arrival(mine)
    is_old = mine.lane == "priority"
    # Whoever cannot come before this person does not matter; neither do windows that share nobody with its line.
    before = [
        one for one in waiting if one.ticket_id != mine.ticket_id and (arrival(one) < here or one.lane == "priority")
    ]
    if is_old:
        before = [one for one in before if arrival(one) < here]
    shared = frozenset().union(*(desk.skills for desk in able))
    ahead = sum(
        one.service_code in shared and (one.lane == "priority" or not is_old) and arrival(one) < here for one in before
    ) + (0 if is_old else sum(one.lane == "priority" and one.service_code in shared and arrival(one) > here for one in before))
    olds = sorted(
        ((arrival(one), one.service_code, 0) for one in before if one.lane == "priority"), key=lambda one: one[0]
    )
    others = sorted(
        ((arrival(one), one.service_code, one.overtaken) for one in before if one.lane != "priority"),
        key=lambda one: one[0],
    )
    me = (here, code, mine.overtaken)
    if is_old:
        olds.append(me)
    else:
        others.append(me)
    old_line = [(0.0, *one) for one in olds]
    if not is_old:
        each_hour = times.elders_an_hour(hour, shared)
        if each_hour > 0:
            gap = 3_600_000 / each_hour
            old_line += [
                ((turn + 0.5) * gap, (here[0] + turn + 1, -1), code, 0)
                for turn in range(policy.overtaken_most - min(mine.overtaken, policy.overtaken_most))
            ]
    other_line = [list(one) for one in others]
    took: dict[str, float] = {}
    heap = [
        (times.left_ms(desk.code, hour, now_ms - desk.since_ms) if desk.code else 0.0, place, 0)
        for place, desk in enumerate(desks)
    ]
    heapq.heapify(heap)
    turn_after = policy.weight_priority / policy.weight_normal
    while heap:
        at_ms, place, run = heapq.heappop(heap)
        skills = desks[place].skills
        old = next((k for k, one in enumerate(old_line) if one[2] in skills and one[0] <= at_ms), None)
        other = next((k for k, one in enumerate(other_line) if one[1] in skills), None)
        if old is None and other is None:
            continue  # this window has nobody before this person, and does not serve it
        take_old = other is None
        if old is not None and other is not None:
            first_old = old_line[old][1]
            overtaken = [one for one in other_line if one[1] in skills and one[0] < first_old]  # type: ignore[operator]
            full = any(one[2] >= policy.overtaken_most for one in overtaken)  # type: ignore[operator]
            take_old = not full and not (run >= turn_after and overtaken)
            if take_old:
                for one in overtaken:
                    one[2] += 1  # type: ignore[operator]
        if take_old:
            assert old is not None
            picked_code, picked_key = old_line[old][2], old_line[old][1]
            del old_line[old]
            run += 1
        else:
            assert other is not None
            picked_key, picked_code = other_line[other][0], other_line[other][1]  # type: ignore[assignment]
            del other_line[other]
            run = 0
        if picked_key == here:
            return int(at_ms), ahead, len(able)
        busy = took.get(picked_code)
        if busy is None:
            busy = took[picked_code] = times.took_ms(picked_code, hour)
        heapq.heappush(heap, (at_ms + busy, place, run))
    raise AssertionError("an open window serves the item, so the play ends with its call")


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


@dataclass(slots=True)
class Spread:
    """What came of earlier promises, by lane and by how long the play was."""

    _misses: dict[tuple[str, int], deque[float]] = field(default_factory=dict)
    _kept: dict[tuple[str, int], tuple[float, float, float]] = field(default_factory=dict)

    def add(self, lane: str, raw_ms: int, came_ms: int) -> None:
        """The play said ``raw_ms``; ``came_ms`` came."""
        miss = (came_ms - raw_ms) / (raw_ms + FLOOR_MS)
        self._misses.setdefault((lane, bisect_right(EDGES_MS, raw_ms)), deque(maxlen=KEPT)).append(miss)
        self._kept.clear()

    @property
    def cases(self) -> int:
        return sum(map(len, self._misses.values()))

    def of(self, lane: str, raw_ms: int) -> tuple[int, int, int]:
        """(low, mid, high) in ms for a play of ``raw_ms``."""
        kind = bisect_right(EDGES_MS, raw_ms)
        parts = self._kept.get((lane, kind))
        if parts is None:
            parts = self._kept[lane, kind] = self._parts(lane, kind)
        low, mid, high = (max(0, int(raw_ms + part * (raw_ms + FLOOR_MS))) for part in parts)
        return low, mid, high

    def _parts(self, lane: str, kind: int) -> tuple[float, float, float]:
        for near in (
            [(lane, kind)],
            [(lane, kind - 1), (lane, kind), (lane, kind + 1)],
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
    low, mid, high = (0, 0, 0) if raw_ms == 0 and ahead == 0 else spread.of(mine.lane, raw_ms)
    return Estimate(low, mid, high, ahead, windows, cold=times.cases < ENOUGH or spread.cases < ENOUGH, raw_ms=raw_ms)
