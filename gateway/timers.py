"""Time for the loop: the one clock, one heap of what is to be done when, and the timers that are rows."""

from __future__ import annotations

import heapq
import itertools
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from devices.clock import mono_ns, mono_s, wall_ms
from gateway.hall import clock as clock_rules
from gateway.hall.state import Change, ClockFrame, TimerGone, TimerSet
from gateway.log import say_once
from gateway.timekeeping import boot_id, read_witness

#: After this much work the loop looks at its doors again before the next job that is due: a thousand deadlines
#: that fell due while the hall was dark must not keep a call waiting.
AT_A_TIME_S = 0.005
#: Two readings that lie no further apart than this are one moment.
AT_ONE_MOMENT_S = 0.05
#: Cancelled entries that may lie in the heap beside as many live ones before it is made anew.
DEAD_AT_MOST = 64
#: A timer whose decision could not be written is tried again: as often as the loop tries the disk.
TRY_AGAIN_S = 1.0
#: What our own mistake looks like, with one odd message or row. Not OwnRuleBroken (stop loudly), not NotWritten (wait).
MISTAKES = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, sqlite3.Error)


class Clock:
    """The only clock of the process; tests bring another."""

    def now_ms(self) -> int:
        """Wall time, UTC milliseconds: for what is stored."""
        return wall_ms()

    def monotonic_s(self) -> float:
        """For deadlines: no clock jump touches it."""
        return mono_s()

    def monotonic_ns(self) -> int:
        return mono_ns()

    def offset_ms(self) -> int:
        """Wall time minus monotonic time, read as one moment."""
        for _ in range(10):
            before_s, wall_ms, after_s = self.monotonic_s(), self.now_ms(), self.monotonic_s()
            # Put off the processor between two readings, we would see a step of the clock that there was not.
            if after_s - before_s < AT_ONE_MOMENT_S:
                break
        return wall_ms - int(after_s * 1000)

    def boot(self) -> str:
        """Which run of the kernel the monotonic clock belongs to."""
        return boot_id()

    def witness(self) -> clock_rules.Witness:
        """What the machine says of its wall clock."""
        return read_witness()


class Timers:
    """Jobs by the monotonic clock; run by the loop, in the loop. A job with a name can be cancelled or replaced."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, str, Callable[[], None]]] = []
        self._numbers = itertools.count()
        #: name -> the number of its entry that counts; any other entry of that name is dead
        self._named: dict[str, int] = {}
        self._dead = 0

    def __len__(self) -> int:
        """Jobs that wait."""
        return len(self._heap) - self._dead

    def at(self, when_s: float, job: Callable[[], None], name: str = "") -> None:
        """Once, at a monotonic time. With a name it replaces the job of that name."""
        number = next(self._numbers)
        if name:
            self.cancel(name)
            self._named[name] = number
        heapq.heappush(self._heap, (when_s, number, name, job))

    def cancel(self, name: str) -> None:
        """That job is not to be done; nothing happens if there is none. Its entry is passed over when it comes up."""
        if self._named.pop(name, None) is None:
            return
        self._dead += 1
        if self._dead > DEAD_AT_MOST and self._dead > len(self._heap) // 2:
            self._heap = [entry for entry in self._heap if self._lives(entry)]
            heapq.heapify(self._heap)
            self._dead = 0

    def every(self, seconds: float, job: Callable[[], None]) -> None:
        """Again and again; a late turn is not made up for."""

        def again() -> None:
            self.at(self._clock.monotonic_s() + seconds, again)
            job()

        self.at(self._clock.monotonic_s() + seconds, again)

    def wait_s(self, longest_s: float) -> float:
        """How long the loop may sleep."""
        while self._heap and not self._lives(self._heap[0]):
            heapq.heappop(self._heap)
            self._dead -= 1
        if not self._heap:
            return longest_s
        return min(longest_s, max(0.0, self._heap[0][0] - self._clock.monotonic_s()))

    def run_due(self) -> int:
        """Do what is due: at least one job, then only as long as ``AT_A_TIME_S`` lasts; the rest next turn.

        :return: how many jobs were done.
        """
        now_s = self._clock.monotonic_s()
        until_s = now_s + AT_A_TIME_S
        done = 0
        while self._heap and self._heap[0][0] <= now_s:
            entry = heapq.heappop(self._heap)
            if not self._lives(entry):
                self._dead -= 1
                continue
            self._named.pop(entry[2], None)
            try:
                entry[3]()
            except MISTAKES as wrong:
                # The calls go on; and a round comes again in its time.
                say_once(
                    f"round_failed:{type(wrong).__name__}:{wrong}"[:200],
                    "round_failed",
                    f"something the hall does by the clock failed ({type(wrong).__name__}: {wrong}): a fault of "
                    "Linli; calls ring as ever, it is tried again in its time; please report this line",
                    level=logging.ERROR,
                )
            done += 1
            if self._clock.monotonic_s() > until_s:
                break
        return done

    def _lives(self, entry: tuple[float, int, str, Callable[[], None]]) -> bool:
        return not entry[2] or self._named.get(entry[2]) == entry[1]


class Alarms:
    """The timers that are rows, in the heap. What is on disk is told to :meth:`follow`, after the commit.

    :param fire: decides and writes what it means that this timer is due; False if it could not be written. Then it
        is asked again, every ``TRY_AGAIN_S``, until it can.
    """

    def __init__(self, timers: Timers, clock: Clock, fire: Callable[[str], bool]) -> None:
        self._timers = timers
        self._clock = clock
        self._fire = fire
        self._rows: dict[str, TimerSet] = {}
        #: lapses only: when each is due by the monotonic clock. This is the truth while we run.
        self._due_s: dict[str, float] = {}
        self._known = False

    def resume(self, rows: Mapping[str, TimerSet], then: ClockFrame | None, now: ClockFrame) -> None:
        """After a start: take up what was waiting. ``then`` is the frame in which the rows were written."""
        for name in self._rows:
            self._timers.cancel(name)
        self._rows, self._due_s, self._known = {}, {}, now.known
        mono_s = self._clock.monotonic_s()
        for row in rows.values():
            left_ms = 0 if row.by_wall else clock_rules.left_ms(row, then, now, int(mono_s * 1000))
            self._arm(row, mono_s + left_ms / 1000)

    def follow(self, changes: Iterable[Change], now_ms: int) -> None:
        """These changes are on disk; they were decided at wall time ``now_ms``, a moment ago."""
        for change in changes:
            if isinstance(change, TimerGone):
                self._rows.pop(change.timer_id, None)
                self._due_s.pop(change.timer_id, None)
                self._timers.cancel(change.timer_id)
            elif isinstance(change, TimerSet):
                # A fact that had to wait for the disk has used up some of its time; a clock that jumped has not.
                left_ms = min(max(0, change.due_ms - now_ms), change.after_ms)
                self._arm(change, self._clock.monotonic_s() + left_ms / 1000)

    def clock_is(self, known: bool) -> None:
        """The wall clock has become known, unknown, or has stepped: appointments go by it."""
        self._known = known
        for row in [row for row in self._rows.values() if row.by_wall]:
            self._arm(row, 0.0)

    def rows_in(self, offset_ms: int) -> list[TimerSet]:
        """The lapses as they stand to a wall clock with this offset to the monotonic one."""
        return [
            replace(self._rows[name], set_ms=int(due_s * 1000) + offset_ms - self._rows[name].after_ms)
            for name, due_s in self._due_s.items()
        ]

    def as_json(self) -> dict[str, object]:
        """For ``statistics``."""
        waiting = list(self._due_s.values())
        next_ms = round(max(0.0, min(waiting) - self._clock.monotonic_s()) * 1000) if waiting else None
        return {"waiting": len(self._rows), "next_in_ms": next_ms}

    def _arm(self, row: TimerSet, when_s: float) -> None:
        name = row.timer_id
        self._rows[name] = row
        if row.by_wall:
            self._due_s.pop(name, None)
            if not self._known:
                self._timers.cancel(name)
                return
            when_s = self._clock.monotonic_s() + (row.due_ms - self._clock.now_ms()) / 1000
        else:
            self._due_s[name] = when_s
        self._timers.at(when_s, lambda: self._is_due(name), name)

    def _is_due(self, name: str) -> None:
        if not self._fire(name) and name in self._rows:
            self._timers.at(self._clock.monotonic_s() + TRY_AGAIN_S, lambda: self._is_due(name), name)
