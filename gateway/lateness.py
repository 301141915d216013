"""How late is the loop? Arrival → decided → written → told, for each fact; what it waited for; all since start.

A histogram with a hundred steps a decade would be exact and big; this one has 10 buckets a doubling from 15.6
microseconds to 262 s: an error of at most 7 %, 240 integers, no memory that grows. Its doublings fall on
0.25, 0.5, 1, 2 … ms, so that the cumulative buckets of a metrics page are exact.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

Json = dict[str, object]

_PER_DOUBLING = 10
_FIRST_US = 15.625
_BUCKETS = 24 * _PER_DOUBLING
#: The edges shown to a metrics page, in ms: each is the upper edge of a bucket.
EDGES_MS = tuple(0.25 * 2**step for step in range(17))
#: A call, an order or a pin told later than this after its arrival is named. Our choice: the bar of press → lamp is
#: p99 60 ms, and a person feels 100 ms.
LATE_MS = 100.0
#: What is kept of them: a technician reads a page, not a book.
_LATE_KEPT = 20
_MINUTES_KEPT = 60
#: Pieces of the loop's time that are worth remembering when somebody asks what a fact waited for.
_LONG_NS = 1_000_000
_PIECES_KEPT = 128

#: How an arrival came in.
LANES = ("call", "order", "pin", "telemetry")
#: How far it has come.
STAGES = ("decided", "written", "told")


@dataclass(slots=True)
class Histogram:
    """Durations in microseconds."""

    counts: list[int] = field(default_factory=lambda: [0] * _BUCKETS)
    total: int = 0
    sum_us: float = 0.0
    worst_us: float = 0.0
    worst_what: str = ""
    worst_at_ms: int = 0

    def add(self, us: float, what: str = "", at_ms: int = 0) -> None:
        """One duration; ``what`` names the fact, kept only for the worst."""
        # A bucket ends with its upper edge: what took 0.25 ms is in "up to and including 0.25 ms".
        steps = math.ceil(math.log2(us / _FIRST_US) * _PER_DOUBLING) if us > _FIRST_US else 1
        bucket = min(_BUCKETS, steps) - 1
        self.counts[bucket] += 1
        self.total += 1
        self.sum_us += us
        if us > self.worst_us:
            self.worst_us, self.worst_what, self.worst_at_ms = us, what, at_ms

    def percentile_ms(self, share: float) -> float | None:
        """The upper edge of the bucket in which ``share`` (0-1) of all durations lie below; None when empty."""
        if not self.total:
            return None
        wanted, seen = math.ceil(share * self.total), 0
        for bucket, count in enumerate(self.counts):
            seen += count
            if seen >= wanted:
                return round(_FIRST_US * 2 ** ((bucket + 1) / _PER_DOUBLING) / 1000, 3)
        return None

    def short(self) -> Json:
        """Count, p50, p99 and the worst."""
        return {
            "count": self.total,
            "p50_ms": self.percentile_ms(0.50),
            "p99_ms": self.percentile_ms(0.99),
            "max_ms": round(self.worst_us / 1000, 3),
        }

    def as_json(self) -> Json:
        """docs/protocol.md, HISTOGRAM: with the name of the worst, and cumulative buckets."""
        buckets: list[list[float | int | None]] = []
        below = 0
        for step, edge_ms in enumerate(EDGES_MS):
            last = (step + 4) * _PER_DOUBLING  # 0.25 ms is four doublings above the first edge
            below += sum(self.counts[0 if step == 0 else last - _PER_DOUBLING : last])
            buckets.append([edge_ms, below])
        buckets.append([None, self.total])
        return {
            **self.short(),
            "sum_ms": round(self.sum_us / 1000, 3),
            "worst": self.worst_what,
            "worst_at_ms": self.worst_at_ms,
            "buckets": buckets,
        }


class Lateness:
    """The loop's own watch. Every method is cheap: some microseconds a fact, nothing that grows."""

    def __init__(self) -> None:
        self._stages = {lane: {stage: Histogram() for stage in STAGES} for lane in LANES}
        self.commits = Histogram()
        self.away = Histogram()
        self._phases: dict[str, list[int]] = {}
        self._pieces: deque[tuple[int, int, str]] = deque(maxlen=_PIECES_KEPT)
        self._minute_ms = 0
        self._minute: dict[str, Histogram] = {}
        self._minutes: deque[Json] = deque(maxlen=_MINUTES_KEPT)
        self._late: deque[Json] = deque(maxlen=_LATE_KEPT)

    def spent(self, phase: str, began_ns: int, ended_ns: int) -> None:
        """The loop has spent this time with ``phase`` (read, timers, decide, commit, tell, telemetry, checkpoint)."""
        took_ns = ended_ns - began_ns
        count = self._phases.get(phase)
        if count is None:
            count = self._phases[phase] = [0, 0, 0]
        count[0] += 1
        count[1] += took_ns
        if took_ns > count[2]:
            count[2] = took_ns
        if took_ns > _LONG_NS:
            self._pieces.append((began_ns, ended_ns, phase))

    def refused(self, began_ns: int, ended_ns: int) -> None:
        """The disk refused from then till now: it is what those who were held waited for, and no work of the loop."""
        self._pieces.append((began_ns, ended_ns, "disk"))

    def told(
        self, lane: str, what: str, times_ns: tuple[int, int, int, int], at_ms: int
    ) -> tuple[float, str, float] | None:
        """One fact's way.

        :param times_ns: arrived, decided, written, told: monotonic.
        :return: None; for an urgent fact that was late: by how many ms it was told after its arrival, the phase that
            took most of that time ("disk": it refused; "processor": none of ours), and how much of it in ms.
        """
        arrived, decided, written, told = times_ns
        stages = self._stages[lane]
        stages["decided"].add((decided - arrived) / 1000, what, at_ms)
        stages["written"].add((written - arrived) / 1000, what, at_ms)
        told_us = (told - arrived) / 1000
        stages["told"].add(told_us, what, at_ms)
        minute_ms = at_ms - at_ms % 60_000
        if minute_ms != self._minute_ms:
            self._close_minute(minute_ms)
        minute = self._minute.get(lane)
        if minute is None:
            minute = self._minute[lane] = Histogram()
        minute.add(told_us)
        if lane == "telemetry" or told_us <= LATE_MS * 1000:
            return None
        waited_for, waited_ms = self._what_it_waited_for(arrived, told)
        self._late.append(
            {
                "at_ms": at_ms,
                "what": what,
                "lane": lane,
                "told_ms": round(told_us / 1000, 1),
                "waited_for": waited_for,
                "waited_ms": round(waited_ms, 1),
            }
        )
        return told_us / 1000, waited_for, waited_ms

    def _what_it_waited_for(self, arrived_ns: int, told_ns: int) -> tuple[str, float]:
        shares: dict[str, int] = {}
        for began, ended, phase in self._pieces:
            overlap = min(ended, told_ns) - max(began, arrived_ns)
            if overlap > 0:
                shares[phase] = shares.get(phase, 0) + overlap
        rest = told_ns - arrived_ns - sum(shares.values())
        # What no phase of ours accounts for: the process was not running (another program had the processor).
        shares["processor"] = max(0, rest)
        phase = max(shares, key=lambda one: shares[one])
        return phase, shares[phase] / 1e6

    def _close_minute(self, minute_ms: int) -> None:
        if self._minute:
            self._minutes.append(
                {"minute_ms": self._minute_ms, **{lane: one.short() for lane, one in self._minute.items()}}
            )
        self._minute, self._minute_ms = {}, minute_ms

    def as_json(self) -> Json:
        """docs/protocol.md, `statistics`: lateness, commits, away, phases, minutes, late."""
        running = {"minute_ms": self._minute_ms, **{lane: one.short() for lane, one in self._minute.items()}}
        return {
            "lateness": {
                lane: {stage: one.as_json() for stage, one in stages.items()}
                for lane, stages in self._stages.items()
                if stages["told"].total
            },
            "commits": self.commits.as_json(),
            "away": self.away.as_json(),
            "phases": {
                name: {"count": count, "total_ms": round(total / 1e6, 3), "max_ms": round(worst / 1e6, 3)}
                for name, (count, total, worst) in sorted(self._phases.items())
            },
            "minutes": [*self._minutes, *([running] if self._minute else [])],
            "late": list(self._late),
        }
