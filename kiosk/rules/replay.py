"""A hall's past, day by day as it was: what would have been estimated then, and what came. Pure.

Used three times: a hall learns from its own past (``kiosk/estimates.py``), `linli queue backtest` prints how good its
estimates would have been, and simulated days go the same way. A day is estimated with what the days before taught.

    student = Student(first=lambda code: 480_000, skills={"W2": frozenset({"ZW-01"})})
    for day in days:
        for case in student.live(day, spans): ...       # Case(served, estimate)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from kiosk.rules.durations import Times
from kiosk.rules.estimate import Estimate, Spread, estimate
from kiosk.rules.play import Desk
from kiosk.rules.policy import DEFAULT, Policy


@dataclass(frozen=True, slots=True)
class Served:
    """One wait and what came of it. ``called_ms``: the call that was answered; ``gone``: nobody came to the window.

    ``window_id`` "": given up while waiting, at ``ended_ms``; then ``called_ms`` is that moment, too.
    """

    arrived_ms: int
    called_ms: int
    ended_ms: int
    service_code: str
    lane: str
    window_id: str
    gone: bool = False

    @property
    def wait_ms(self) -> int:
        return self.called_ms - self.arrived_ms


@dataclass(frozen=True, slots=True)
class Span:
    """A window was open from ``opened_ms`` to before ``closed_ms``."""

    window_id: str
    opened_ms: int
    closed_ms: int


@dataclass(frozen=True, slots=True)
class Case:
    """What would have been told, and what came. ``estimate`` None: no window was open for the item."""

    served: Served
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class _InLine:
    """Somebody of the past, as the rules want to see them. Whom staff had overtaken by then nobody wrote down: 0."""

    ticket_id: int
    service_code: str
    lane: str
    taken_ms: int
    overtaken: int = 0

    @property
    def rank(self) -> int:
        return self.taken_ms * 1000

    @property
    def waits_ms(self) -> int:
        return self.taken_ms


@dataclass(slots=True)
class Student:
    """Learns from one day after the other.

    :param first: `Times.first`. :param skills: window → its items. :param hour_of: UTC ms → the hall's hour.
    """

    first: Callable[[str], int]
    skills: Mapping[str, Set[str]]
    hour_of: Callable[[int], int] = lambda at_ms: at_ms // 3_600_000 % 24
    policy: Policy = DEFAULT
    times: Times = field(init=False)
    spread: Spread = field(default_factory=Spread)

    def __post_init__(self) -> None:
        self.times = Times(self.first)

    def live(self, day: Sequence[Served], spans: Sequence[Span]) -> Iterator[Case]:
        """Go through a day in order; at its end everything about it is learned."""
        cases: list[Case] = []
        in_order = sorted(range(len(day)), key=lambda place: day[place].arrived_ms)
        present: list[int] = []
        for place in in_order:
            one = day[place]
            now_ms = one.arrived_ms
            present = [k for k in present if day[k].ended_ms > now_ms]
            told = self._ask(one, place, [(k, day[k]) for k in present], spans) if one.window_id else None
            present.append(place)
            if one.window_id:
                case = Case(one, told)
                cases.append(case)
                yield case
        self.learn(day, cases)

    def _ask(
        self, one: Served, place: int, present: list[tuple[int, Served]], spans: Sequence[Span]
    ) -> Estimate | None:
        now_ms = one.arrived_ms
        waiting = [
            _InLine(k, it.service_code, it.lane, it.arrived_ms) for k, it in present if it.called_ms > now_ms
        ]
        busy = {it.window_id: it for _, it in present if it.called_ms <= now_ms < it.ended_ms}
        nothing: frozenset[str] = frozenset()
        desks = []
        for name in sorted({span.window_id for span in spans if span.opened_ms <= now_ms < span.closed_ms}):
            at = busy.get(name)
            skills = self.skills.get(name, nothing)
            desks.append(Desk(skills) if at is None else Desk(skills, at.service_code, at.called_ms))
        mine = _InLine(place, one.service_code, one.lane, now_ms)
        return estimate(
            mine, waiting, desks, now_ms, self.hour_of(now_ms), self.times, self.spread, self.policy
        )

    def learn(self, day: Sequence[Served], cases: Sequence[Case]) -> None:
        """A day is over. What nobody waited for teaches nothing about ranges; who left early nothing about waits."""
        elders: Counter[tuple[int, str]] = Counter()
        for one in day:
            hour = self.hour_of(one.arrived_ms)
            if one.lane == "priority":
                elders[hour, one.service_code] += 1
            if one.window_id:
                self.times.add(one.service_code, self.hour_of(one.called_ms), one.ended_ms - one.called_ms)
        self.times.add_day(elders, sorted({self.hour_of(one.arrived_ms) for one in day}))
        for case in cases:
            told = case.estimate
            if told is not None and (told.raw_ms > 0 or told.ahead > 0):
                self.spread.add(case.served.lane, told.open_windows, told.raw_ms, case.served.wait_ms)
