"""How fair the line is and how well its estimates hold, on simulated days; and what an estimate costs a touch."""

from __future__ import annotations

import sys
import time

from kiosk.rules.durations import Times, cold_ms
from kiosk.rules.estimate import Spread, estimate
from kiosk.rules.fairness import choose
from kiosk.rules.play import Desk
from kiosk.rules.policy import DEFAULT, MINUTE_MS
from linli import queue
from linli.simulated_hall import DESKS, SimulatedHall, Visitor
from tests.bench.figures import percentile
from tests.bench.loop import Options

#: Lines of people; a longer one is added up instead of played (kiosk/estimates.py).
LENGTHS = (1, 5, 20, 50, 60)
NOW_MS = 12 * 60 * MINUTE_MS


def estimates(options: Options) -> None:
    """A touch asks once: ≤ 1 ms for a line of 50. Then how well it holds, on simulated days."""
    hall, catalogue = SimulatedHall(queue.the_catalogue(), 1), queue.the_catalogue()
    first = {one.code: cold_ms(one) for one in catalogue.services}
    times = Times(first.__getitem__)
    times.add_day(dict.fromkeys(((12, code) for code in hall.codes), 1), [12])
    desks = [Desk(hall.skills[name], hall.codes[0], NOW_MS - 4 * MINUTE_MS) for name, _, _ in DESKS]
    for length in LENGTHS:
        waiting = people(hall, length)
        mine = Visitor(10_000, hall.codes[3], "normal", NOW_MS, 0, False)
        took = timed(
            lambda mine=mine, waiting=waiting: estimate(mine, waiting, desks, NOW_MS, 12, times, Spread(), DEFAULT),
            options,
        )
        print(f" a line of {length:>2}: an estimate p50 {took[0]:.2f} ms, p99 {took[1]:.2f} ms (bar 1 ms at 50)")
    queue.backtest(None, days=max(5, int(options.rounds * 40)), simulated=True, out=sys.stdout)


def fairness(options: Options) -> None:
    """What a call costs, and the table of ``linli queue fairness`` (1,000 days of each kind in a full run)."""
    hall = SimulatedHall(queue.the_catalogue(), 1)
    for length in LENGTHS:
        waiting = people(hall, length)
        took = timed(lambda waiting=waiting: choose(waiting, hall.skills["S5"], NOW_MS, DEFAULT, 0), options)
        print(f" a line of {length:>2}: who is next p50 {took[0]:.3f} ms, p99 {took[1]:.3f} ms")
    queue.fairness(days=1000 if options.rounds >= 3 else 20, out=sys.stdout)


def people(hall: SimulatedHall, length: int) -> list[Visitor]:
    """Somebody every minute, every third with priority, for all items in turn."""
    return [
        Visitor(
            number,
            hall.codes[number % len(hall.codes)],
            "priority" if number % 3 == 0 else "normal",
            NOW_MS - (length - number) * MINUTE_MS,
            0,
            False,
        )
        for number in range(length)
    ]


def timed(work: object, options: Options) -> tuple[float, float]:
    """(p50, p99) in ms of a few hundred goes."""
    assert callable(work)
    took = []
    for _ in range(100 * max(1, options.rounds)):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return percentile(took, 0.5), percentile(took, 0.99)
