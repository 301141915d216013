"""How long? An estimate with a range for somebody in the line: pure, and fast enough to be made with the number.

1. **The line is played forward** (``play.py``): open windows, what they are busy with, who stands before.
2. **Durations are learned** (``durations.py``) per item and hour from what happened at the windows. Few cases lean on
   the item's mean, that one on the hall's setting or the catalogue: a cold start says so (`Estimate.cold`).
3. **The range is what came before** (`Spread`): of earlier people in the same lane to whom the play promised about as
   much, one in ten waited less than the low end and one in ten longer than the high end (conformal calibration). So
   whatever the play leaves out, chance included, is in the range, and `linli queue backtest` says how often it held.

What must not live here: the notebook, the clock. Who reads history is ``replay.py``; who reads the notebook is
``kiosk/estimates.py``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kiosk.rules.durations import Times
from kiosk.rules.fairness import Waiting
from kiosk.rules.play import Desk, play
from kiosk.rules.policy import MINUTE_MS, Policy


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
    played = play(mine, waiting, desks, now_ms, hour, times, policy)
    if played is None:
        return None
    raw_ms, ahead, windows = played.wait_ms, played.ahead, played.windows
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
