"""The line played forward: when would this person be called, if things go on as they usually do? Pure.

The windows that are open, what each is busy with, who stands before by the rules of ``fairness.py`` (lanes, turns, the
limit of being overtaken), the elders who will still come. Service times are drawn from how they usually spread, several
times over, each draw once with its mirror image (short for long); the mean of these plays is the answer. The draws are
arithmetic, not chance: the same line has the same answer.

    play(mine, waiting, [Desk(frozenset({"ZW-01"}))], now_ms, hour=10, times=times, policy=policy)
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from operator import attrgetter

from devices.faults import OwnRuleBroken
from kiosk.rules.durations import FACTORS, Times
from kiosk.rules.fairness import Waiting, arrival
from kiosk.rules.policy import Policy

#: So many calls are played in all: a long line a few times (its chances even out), a short one often. Some 0.5 ms.
CALLS = 120
LEAST, MOST = 2, 10


@dataclass(frozen=True, slots=True)
class Desk:
    """An open window. ``code`` is what it is busy with since ``since_ms``, None: it is free."""

    skills: Set[str]
    code: str | None = None
    since_ms: int = 0


@dataclass(frozen=True, slots=True)
class Played:
    """What came out: ms until the call, how many are called before at windows that share the line, open windows."""

    wait_ms: int
    ahead: int
    windows: int


def play(
    mine: Waiting,
    waiting: Iterable[Waiting],
    desks: Sequence[Desk],
    now_ms: int,
    hour: int,
    times: Times,
    policy: Policy,
) -> Played | None:
    """The line played forward for one person. None: no open window serves the item."""
    able = [desk for desk in desks if mine.service_code in desk.skills]
    if not able:
        return None
    stage = _Stage(mine, waiting, desks, now_ms, hour, times, policy)
    wait_ms, ahead = stage.once(None, 0)
    if wait_ms <= 0:
        return Played(0, ahead, len(able))
    times_over = max(LEAST, min(MOST, CALLS // (stage.size + 1)))
    plays = [stage.once(turn // 2 + 1, turn % 2 * (len(FACTORS) - 1)) for turn in range(times_over)]
    return Played(int(sum(one for one, _ in plays) / len(plays)), ahead, len(able))


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Somebody in the line that is played; ``comes_ms`` from now, above 0 for who is not there yet."""

    number: int
    key: tuple[int, int]
    code: str
    overtaken: int
    comes_ms: float = 0.0


class _Stage:
    """Everybody who may be called before one person, and the windows."""

    def __init__(
        self,
        mine: Waiting,
        waiting: Iterable[Waiting],
        desks: Sequence[Desk],
        now_ms: int,
        hour: int,
        times: Times,
        policy: Policy,
    ) -> None:
        self._desks, self._now_ms, self._hour, self._times, self._policy = desks, now_ms, hour, times, policy
        here, is_old = arrival(mine), mine.lane == "priority"
        self._shared = frozenset().union(*(desk.skills for desk in desks if mine.service_code in desk.skills))
        self._me = _Place(0, here, mine.service_code, mine.overtaken)
        olds, others = ([self._me], []) if is_old else ([], [self._me])
        self.size = 0
        for one in waiting:
            # Whoever came later cannot be called before, but for an elder.
            key, old = arrival(one), one.lane == "priority"
            if one.ticket_id != mine.ticket_id and (key < here or (old and not is_old)):
                self.size += 1
                place = _Place(self.size, key, one.service_code, one.overtaken)
                (olds if old else others).append(place)
        self._olds, self._others = sorted(olds, key=attrgetter("key")), sorted(others, key=attrgetter("key"))
        self._places = self.size + 1
        if not is_old:
            self._add_elders_to_come(
                times.elders_an_hour(hour, self._shared), policy.overtaken_most - mine.overtaken
            )

    def _add_elders_to_come(self, an_hour: float, most: int) -> None:
        """Evenly, as many as usually come, and no more than may overtake this person."""
        for turn in range(max(0, most) if an_hour > 0 else 0):
            comes_ms = (turn + 0.5) * 3_600_000 / an_hour
            key = (self._me.key[0] + turn + 1, -1)
            self._olds.append(_Place(self._places, key, self._me.code, 0, comes_ms))
            self._places += 1

    def once(self, draw: int | None, mirror: int) -> tuple[float, int]:
        """(ms until the call, called before). ``draw``: which of the possible courses; None: all takes its mean.

        :param mirror: 0, or the number of `FACTORS` less one: what was short is long.
        """
        times, hour, chance = self._times, self._hour, 0 if draw is None else draw * 7919
        free: list[tuple[float, int, int]] = []
        for place, desk in enumerate(self._desks):
            left = 0.0
            if desk.code is not None:
                there_ms = self._now_ms - desk.since_ms
                if draw is None:
                    left = times.left_ms(desk.code, hour, there_ms)
                else:
                    chance = _next(chance)
                    left = times.left_by_chance_ms(desk.code, hour, there_ms, (chance >> 27) ^ mirror)
            free.append((left, place, 0))
        heapq.heapify(free)
        olds, others, passed = self._olds[:], self._others[:], [0] * self._places
        ahead = 0
        while free:
            at_ms, place, run = heapq.heappop(free)
            one, old = self._pick(olds, others, self._desks[place].skills, at_ms, run, passed)
            if one is self._me:
                return at_ms, ahead
            if one is None:
                continue  # nobody before this person is for that window, and it does not serve the item itself
            busy_ms = times.took_ms(one.code, hour)
            if draw is not None:
                chance = _next(chance)
                busy_ms *= FACTORS[(chance >> 27) ^ mirror]
            ahead += one.comes_ms == 0 and one.code in self._shared
            heapq.heappush(free, (at_ms + busy_ms, place, run + 1 if old else 0))
        raise OwnRuleBroken("an open window serves the item, and yet the play ended without its call")

    def _pick(
        self,
        olds: list[_Place],
        others: list[_Place],
        skills: Set[str],
        at_ms: float,
        run: int,
        passed: list[int],
    ) -> tuple[_Place | None, bool]:
        """Whom a window takes from the two lines (None: nobody is for it), and whether from the priority lane."""
        policy = self._policy
        old = next((one for one in olds if one.code in skills and one.comes_ms <= at_ms), None)
        other = next((one for one in others if one.code in skills), None)
        if old is not None and other is not None and other.key < old.key:
            over = [one for one in others if one.key < old.key and one.code in skills]
            turn = run * policy.weight_normal >= policy.weight_priority
            if turn or any(one.overtaken + passed[one.number] >= policy.overtaken_most for one in over):
                old = None
            else:
                for one in over:
                    passed[one.number] += 1
        if old is not None:
            olds.remove(old)
            return old, True
        if other is not None:
            others.remove(other)
        return other, False


def _next(chance: int) -> int:
    """The next of a row of numbers below 2**31 whose upper bits look thrown (the constants of ISO C's own example)."""
    return (chance * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
