"""A hall that never was: days of a service hall with five windows, for trials of the line and of the estimates.

Whatever is printed from it must say so: these are simulated days. The numbers are chosen to be like a hall, and no hall
was asked: arrivals by the hour with a peak before noon, service times that vary much (log-normal, coefficient of
variation 0.6), a true duration of each item that the catalogue does not know, windows with overlapping skills that
pause for lunch one after another, people who took a number and left. Who is called next is the shipped rule,
`kiosk.rules.fairness.choose`.

    hall = SimulatedHall(catalogue, seed=1)
    day = hall.day(load=0.85, share=0.3)
    day.served[0].wait_ms

*Load* is exact: the day's work at windows divided by the time that windows are open.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from kiosk.catalogue import Catalogue
from kiosk.rules.durations import cold_ms
from kiosk.rules.fairness import Mode, choose, paces
from kiosk.rules.policy import DEFAULT, MINUTE_MS, Policy
from kiosk.rules.replay import Served, Span

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

#: How many people come in each hour, relative: a peak before noon, a smaller one after lunch.
ARRIVALS = {9: 1.20, 10: 1.25, 11: 1.0, 12: 0.55, 13: 0.75, 14: 1.2, 15: 1.1, 16: 0.9}
OPENS_MS, CLOSES_MS = 9 * HOUR_MS, 17 * HOUR_MS

#: Of the catalogue's windows (whose items belong together) what each of the five windows can do, and its pause.
DESKS: tuple[tuple[str, tuple[str, ...], tuple[int, int]], ...] = (
    ("S1", ("W1", "W2", "W4"), (11 * 60 + 30, 12 * 60)),
    ("S2", ("W2", "W3", "W4"), (12 * 60, 12 * 60 + 30)),
    ("S3", ("W3", "W4", "W1", "W6"), (12 * 60 + 30, 13 * 60)),
    ("S4", ("W5", "W4", "W3"), (12 * 60, 12 * 60 + 30)),
    ("S5", ("W1", "W2", "W3", "W4", "W5", "W6"), (13 * 60, 13 * 60 + 30)),
)
#: How often somebody comes for the items of a catalogue's window.
WANTED = {"W1": 0.12, "W2": 0.22, "W3": 0.26, "W4": 0.25, "W5": 0.12, "W6": 0.03}

#: Spread of a service time around its item's mean, and how far a person may exceed it.
VARIATION, LONGEST = 0.6, 4.0
#: Between the call and the first word: somebody old walks ten metres. Part of the time at the window.
WALK_MS = (10_000, 50_000)
#: Who took a number and left; their window waits this long for them.
LEFT, WAITED_FOR_MS = 0.03, 60_000
#: The same item takes longer at some hours: what an estimate may learn.
SLOWER = {9: 1.0, 10: 1.0, 11: 0.95, 12: 1.1, 13: 1.1, 14: 1.0, 15: 1.0, 16: 0.9}


@dataclass(slots=True)
class Visitor:
    """Somebody with a number; has what `choose` asks for."""

    ticket_id: int
    service_code: str
    lane: str
    taken_ms: int
    busy_ms: int
    left: bool
    rank: int = 0
    overtaken: int = 0
    called_ms: int = 0
    ended_ms: int = 0
    window: int = -1

    def __post_init__(self) -> None:
        self.rank = self.taken_ms * 1000

    @property
    def waits_ms(self) -> int:
        return self.taken_ms

    @property
    def wait_ms(self) -> int:
        return self.called_ms - self.taken_ms


@dataclass(slots=True)
class Day:
    """One day as it went. ``modes`` counts the calls by what the rule said of the line."""

    visitors: list[Visitor]
    spans: list[Span]
    modes: Counter[Mode] = field(default_factory=Counter)
    idle_while_wanted: int = 0

    @property
    def served(self) -> list[Served]:
        return [
            Served(
                one.taken_ms,
                one.called_ms,
                one.ended_ms,
                one.service_code,
                one.lane,
                DESKS[one.window][0],
                one.left,
            )
            for one in self.visitors
        ]


class SimulatedHall:
    """A hall and its chance; the same seed is the same hall and the same days."""

    def __init__(self, catalogue: Catalogue, seed: int = 1, policy: Policy = DEFAULT) -> None:
        self.policy = policy
        self._chance = random.Random(seed)
        items = [one for one in catalogue.services if one.needs_ticket]
        of_window = Counter(one.window for one in items)
        self.codes = [one.code for one in items]
        self._weights = [WANTED.get(one.window, 0.0) / of_window[one.window] for one in items]
        #: what an item really takes here; the catalogue's guess is up to a third off
        self.true_ms = {one.code: cold_ms(one) * self._chance.uniform(0.7, 1.35) for one in items}
        self.skills = {
            name: frozenset(one.code for one in items if one.window in windows) for name, windows, _ in DESKS
        }
        self._sigma = math.sqrt(math.log(1 + VARIATION**2))

    @property
    def mean_ms(self) -> float:
        """One service time: what a person takes at a window on average."""
        total = sum(self._weights)
        return (
            sum(weight * self.true_ms[code] for weight, code in zip(self._weights, self.codes, strict=True))
            / total
        )

    def day(self, load: float, share: float, number: int = 0, fair: bool = True) -> Day:
        """One day.

        :param load: work at windows / time that windows are open; exact but for the last person.
        :param share: the part of people who have priority, 0 … 1.
        :param number: the how-manieth day: its times lie that many days after the epoch.
        :param fair: False: first come, first served, for comparison.
        """
        start = number * DAY_MS
        spans = [
            span
            for name, _, (pause, back) in DESKS
            for span in (
                Span(name, start + OPENS_MS, start + pause * MINUTE_MS),
                Span(name, start + back * MINUTE_MS, start + DAY_MS),
            )
        ]
        open_ms = sum(min(one.closed_ms, start + CLOSES_MS) - one.opened_ms for one in spans)
        day = Day(self._visitors(load * open_ms, share, start), spans)
        self._run(day, start, fair)
        return day

    def _visitors(self, work_ms: float, share: float, start: int) -> list[Visitor]:
        chance, drawn, work = self._chance, [], 0.0
        hours, often = list(ARRIVALS), list(ARRIVALS.values())
        while True:
            code = chance.choices(self.codes, self._weights)[0]
            hour = chance.choices(hours, often)[0]
            taken = start + int((hour + chance.random()) * HOUR_MS)
            left = chance.random() < LEFT
            busy = WAITED_FOR_MS if left else self._busy_ms(code, hour)
            lane = "priority" if chance.random() < share else "normal"
            work += busy
            if work > work_ms:
                break
            drawn.append((taken, code, lane, busy, left))
        drawn.sort()
        return [
            Visitor(place, code, lane, taken, busy, left)
            for place, (taken, code, lane, busy, left) in enumerate(drawn)
        ]

    def _busy_ms(self, code: str, hour: int) -> int:
        mean = self.true_ms[code] * SLOWER[hour]
        drawn = self._chance.lognormvariate(math.log(mean) - self._sigma**2 / 2, self._sigma)
        return int(min(max(drawn, 30_000.0), mean * LONGEST)) + self._chance.randint(*WALK_MS)

    def _run(self, day: Day, start: int, fair: bool) -> None:
        """The day's events in order: somebody comes (0), a window is free or opens again (1)."""
        skills = [self.skills[name] for name, _, _ in DESKS]
        pauses = [(start + pause * MINUTE_MS, start + back * MINUTE_MS) for _, _, (pause, back) in DESKS]
        runs = [0] * len(DESKS)
        waiting: dict[int, Visitor] = {}
        idle = set(range(len(DESKS)))
        events = [(one.taken_ms, 0, place) for place, one in enumerate(day.visitors)]
        events += [(back, 1, window) for window, (_, back) in enumerate(pauses)]
        heapq.heapify(events)
        busy: set[int] = set()
        known: dict[frozenset[int], dict[str, float]] = {}

        def pace(now: int) -> dict[str, float]:
            """Of the windows that are not at lunch."""
            there = frozenset(k for k, (pause, back) in enumerate(pauses) if not pause <= now < back)
            if there not in known:
                known[there] = paces([skills[k] for k in there], lambda code: self.true_ms[code])
            return known[there]

        def call(window: int, now: int) -> None:
            if pauses[window][0] <= now < pauses[window][1]:
                idle.discard(window)
                return
            line = [one for one in waiting.values() if one.service_code in skills[window]]
            if not line:
                idle.add(window)
                return
            if fair:
                choice = choose(line, skills[window], now, self.policy, runs[window], pace(now))
                one = choice.ticket
                day.modes[choice.mode] += 1
                for other in choice.overtakes:
                    other.overtaken += 1
                runs[window] = runs[window] + 1 if one.lane == "priority" else 0
            else:
                one = line[0]
            del waiting[one.ticket_id]
            idle.discard(window)
            busy.add(window)
            one.called_ms, one.window, one.ended_ms = now, window, now + one.busy_ms
            heapq.heappush(events, (one.ended_ms, 1, window))

        while events:
            now, kind, which = heapq.heappop(events)
            if kind == 0:
                one = day.visitors[which]
                waiting[one.ticket_id] = one
                free = [window for window in idle if one.service_code in skills[window]]
                # Who can do least goes first: the others stay free for what only they can do.
                for window in sorted(free, key=lambda window: len(skills[window])):
                    call(window, now)
                    if one.ticket_id not in waiting:
                        break
            else:
                # A window that is back from its pause may still be at work: then the end of that work calls.
                if which in busy and now in (pauses[which][1],) and self._at_work(day, which, now):
                    continue
                busy.discard(which)
                call(which, now)

    @staticmethod
    def _at_work(day: Day, window: int, now: int) -> bool:
        return any(one.window == window and one.called_ms <= now < one.ended_ms for one in day.visitors)


def percentile(values: Sequence[int], part: float) -> float:
    """The value below which ``part`` of them lie, as it was (nearest rank); 0 of nothing."""
    ordered = sorted(values)
    return float(ordered[min(len(ordered) - 1, math.ceil(part * len(ordered)) - 1)]) if ordered else 0.0
