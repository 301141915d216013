"""A car park that is played, for figures that need more days than a hall has lived (`linli parking backtest`).

Cars come as a Poisson stream whose rate follows the hour and the weekday, each day with a mood of its own (more or
fewer cars, earlier or later); they stay as long as such cars do, and drive on where nothing is free. The numbers are
ours, made after what compounds of flats are like (full in the evening, emptier at noon); no real site is in them.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from gateway.hall.days import moment_ms

HOUR_MS = 3_600_000
#: Cars an hour and hundred bays, by hour: working days, days off.
WORKDAY = (0, 0, 0, 0, 0, 1, 3, 8, 12, 10, 8, 7, 9, 7, 7, 8, 12, 30, 42, 34, 20, 10, 5, 2)
DAY_OFF = (1, 0, 0, 0, 0, 0, 1, 3, 6, 10, 13, 13, 11, 11, 12, 13, 15, 20, 22, 18, 14, 10, 7, 3)
#: How a stay is drawn: from this hour on most stay the night, until about this hour of the morning.
NIGHT_FROM, LEAVES_AT_H = 16, 7.8
SHORT_MEDIAN_H = 1.3


def played_days(
    bays: list[str], first: date, days: int, timezone: str = "Asia/Shanghai", seed: int = 1
) -> Iterator[tuple[str, str, int]]:
    """Moves (bay, state, when) of these days, in the order of time; the same for the same seed."""
    dice = random.Random(seed)
    zone = ZoneInfo(timezone)
    free = list(bays)
    dice.shuffle(free)
    leaving: list[tuple[int, str]] = []
    begin_ms = moment_ms(zone, first)
    for bay in bays:
        yield bay, "free", begin_ms
    for number in range(days):
        day = first + timedelta(days=number)
        begin_ms = moment_ms(zone, day)
        rates = DAY_OFF if day.weekday() >= 5 else WORKDAY
        mood, late_ms = math.exp(dice.gauss(0, 0.10)), int(dice.gauss(0, 15 * 60_000))
        comings = sorted(
            begin_ms + hour * HOUR_MS + dice.randrange(HOUR_MS) + (late_ms if hour else 0)
            for hour, rate in enumerate(rates)
            for _ in range(_poisson(dice, rate * mood * len(bays) / 100))
        )
        for at_ms in [*(one for one in comings if begin_ms <= one), begin_ms + 24 * HOUR_MS - 1]:
            while leaving and leaving[0][0] <= at_ms:
                left_ms, bay = heapq.heappop(leaving)
                free.append(bay)
                yield bay, "free", left_ms
            if free and at_ms in comings:
                bay = free.pop(dice.randrange(len(free)))
                heapq.heappush(leaving, (at_ms + _stay_ms(dice, (at_ms - begin_ms) / HOUR_MS, day), bay))
                yield bay, "taken", at_ms


def _stay_ms(dice: random.Random, hour: float, day: date) -> int:
    if hour >= NIGHT_FROM and dice.random() < 0.75:
        off = 1.5 if (day + timedelta(days=1)).weekday() >= 5 else 0.0
        return int((24 - hour + max(0.5, dice.gauss(LEAVES_AT_H + off, 1.0))) * HOUR_MS)
    return max(120_000, int(SHORT_MEDIAN_H * math.exp(dice.gauss(0, 0.9)) * HOUR_MS))


def _poisson(dice: random.Random, mean: float) -> int:
    """Knuth's way; means here are below a thousand a step, so large ones are halved."""
    if mean > 30:
        return _poisson(dice, mean / 2) + _poisson(dice, mean / 2)
    edge, product, count = math.exp(-mean), dice.random(), 0
    while product > edge:
        product *= dice.random()
        count += 1
    return count
