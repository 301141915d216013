"""Arithmetic of the benches: percentiles, medians of rounds, the floor's sum, bars. Tested in tests/test_bench.py."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

#: Sums drawn for the floor's p99: enough that it differs by less than 2 % from draw to draw.
DRAWS = 20_000


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies (nearest rank, upwards). NaN of nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    return percentile(values, 0.5)


@dataclass(frozen=True, slots=True)
class Floor:
    """What no design can beat here: each necessary step measured alone, in the same run and at the presses' pace.

    ``p50_ms`` is the sum of the steps' medians. The p99 of a sum is less than the sum of p99s (the steps are not slow
    together), so it is drawn: one sample of each step, added, many times; the p99 of these sums.
    """

    hop_ms: tuple[float, ...]
    """publish → a subscriber, QoS 1, through a broker with the same settings"""
    commit_ms: tuple[float, ...]
    """one transaction of a press (call, press, journal), WAL and FULL, on the same disk"""
    push_ms: tuple[float, ...]
    """one server-sent event, socket to socket, between two processes"""

    @property
    def p50_ms(self) -> float:
        return sum(median(step) for step in self._steps)

    @property
    def p99_ms(self) -> float:
        return sum_percentile(self._steps, 0.99)

    @property
    def _steps(self) -> tuple[tuple[float, ...], ...]:
        return (self.hop_ms, self.commit_ms, self.push_ms)


def sum_percentile(steps: Sequence[Sequence[float]], share: float, *, seed: int = 1) -> float:
    """The percentile of sums of independent steps, by drawing one sample of each."""
    dice = random.Random(seed)
    return percentile([sum(dice.choice(step) for step in steps) for _ in range(DRAWS)], share)


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must not exceed. ``words`` say how it was worked out."""

    at_most: float
    words: str

    def verdict(self, value: float) -> str:
        return f"≤ {self.words} {'met' if value <= self.at_most else 'MISSED'}"


def press_bars(floors: Sequence[Floor], *, more_ms: float = 0.0) -> tuple[Bar, Bar]:
    """The bars of press → sign: p50 ≤ 1 ms and ≤ 2.3 x floor, p99 ≤ 8 ms or 3 x the floor's p99 if that is more.

    The floor is the median of the rounds'. ``more_ms``: what the kiosk's process may add (0.5 ms).
    """
    p50, p99 = median([one.p50_ms for one in floors]), median([one.p99_ms for one in floors])
    return (
        Bar(min(1.0, 2.3 * p50) + more_ms, f"{min(1.0, 2.3 * p50) + more_ms:.2f}"),
        Bar(max(8.0, 3 * p99) + more_ms, f"{max(8.0, 3 * p99) + more_ms:.1f}"),
    )


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median of the rounds, and their range: ``0.92 [0.88–1.01]``."""
    if not values:
        return "–"
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{median(values):.{digits}f} [{min(values):.{digits}f}–{max(values):.{digits}f}]"
