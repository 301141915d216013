"""Time for the loop: the one clock, and one heap of what is to be done when."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable


class Clock:
    """The only clock of the process; tests bring another."""

    def now_ms(self) -> int:
        """Wall time, UTC milliseconds: for what is stored."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """For deadlines: no clock jump touches it."""
        return time.monotonic()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


class Timers:
    """Jobs by the monotonic clock; run by the loop, in the loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, when_s: float, job: Callable[[], None]) -> None:
        """Once, at a monotonic time."""
        heapq.heappush(self._heap, (when_s, next(self._numbers), job))

    def every(self, seconds: float, job: Callable[[], None]) -> None:
        """Again and again; a late turn is not made up for."""

        def again() -> None:
            self.at(self._clock.monotonic_s() + seconds, again)
            job()

        self.at(self._clock.monotonic_s() + seconds, again)

    def wait_s(self, longest_s: float) -> float:
        """How long the loop may sleep."""
        if not self._heap:
            return longest_s
        return min(longest_s, max(0.0, self._heap[0][0] - self._clock.monotonic_s()))

    def next_in_s(self) -> float | None:
        """Seconds to the next one; None where nothing waits."""
        return max(0.0, self._heap[0][0] - self._clock.monotonic_s()) if self._heap else None

    def __len__(self) -> int:
        return len(self._heap)

    def run_due(self) -> int:
        """Run what is due; how many that were."""
        now_s = self._clock.monotonic_s()
        ran = 0
        while self._heap and self._heap[0][0] <= now_s:
            heapq.heappop(self._heap)[2]()
            ran += 1
        return ran
