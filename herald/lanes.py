"""Lanes of work that may hang: one for each host, so that one that hangs delays nobody else.

A lane has at most `THREADS` threads at work. One that has been away too long (`overdue`) is not waited for: another
takes its place, up to `LOST_AT_MOST` lost ones; then the lane stands until one comes back. Threads are daemons: a
process that is to end does not wait for a host that does not answer.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

THREADS = 2
LOST_AT_MOST = 4
#: Beyond so many hosts the rest share one lane: a hall has a handful.
MOST_LANES = 24

Job = Callable[[], None]


@dataclass
class _Lane:
    name: str
    width: int
    jobs: deque[tuple[str, Job]] = field(default_factory=deque)
    at_work: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)


class Lanes:
    """All lanes. A job tells its own end; one that raises ends its thread and nobody else's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lanes: dict[str, _Lane] = {}

    def give(self, lane_name: str, job_id: str, job: Job, *, width: int = THREADS) -> None:
        """Have it done, in its turn. ``job_id`` names it for `overdue`."""
        with self._lock:
            if lane_name not in self._lanes and len(self._lanes) >= MOST_LANES:
                self._forget_idle()
            if lane_name not in self._lanes and len(self._lanes) >= MOST_LANES:
                lane_name = "others"
            lane = self._lanes.setdefault(lane_name, _Lane(lane_name, width))
            lane.jobs.append((job_id, job))
            self._man(lane)

    def overdue(self, job_id: str) -> None:
        """Nobody waits for this one any more; its thread may come back or not."""
        with self._lock:
            for lane in self._lanes.values():
                if job_id in lane.at_work:
                    lane.lost.add(job_id)
                    self._man(lane)

    def busy(self) -> int:
        """How many jobs are being done or wait."""
        with self._lock:
            return sum(len(lane.at_work - lane.lost) + len(lane.jobs) for lane in self._lanes.values())

    def _forget_idle(self) -> None:
        for name in [name for name, lane in self._lanes.items() if not lane.jobs and not lane.at_work]:
            del self._lanes[name]

    def _man(self, lane: _Lane) -> None:
        while (
            lane.jobs and len(lane.at_work) - len(lane.lost) < lane.width and len(lane.lost) <= LOST_AT_MOST
        ):
            job_id, job = lane.jobs.popleft()
            lane.at_work.add(job_id)
            threading.Thread(
                target=self._work, args=(lane, job_id, job), name=f"to {lane.name}"[:15], daemon=True
            ).start()

    def _work(self, lane: _Lane, job_id: str, job: Job) -> None:
        try:
            job()
        finally:
            with self._lock:
                lane.at_work.discard(job_id)
                lane.lost.discard(job_id)
                self._man(lane)
