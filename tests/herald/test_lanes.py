"""Work that hangs: each host has a lane, and nobody waits behind a stranger."""

from __future__ import annotations

import queue
import threading
from functools import partial

from herald.lanes import LOST_AT_MOST, MOST_LANES, Lanes
from tests.parts import PATIENCE_S


def test_a_lane_that_hangs_delays_no_other_and_gets_a_new_thread_when_its_own_is_lost():
    lanes, done, free = Lanes(), queue.Queue[str](), threading.Event()

    def hang() -> None:
        free.wait(PATIENCE_S)

    for n in range(2):
        lanes.give("slow", f"hang {n}", hang)
    lanes.give("slow", "behind", lambda: done.put("behind"))
    lanes.give("quick", "q", lambda: done.put("quick"))
    assert done.get(timeout=PATIENCE_S) == "quick"
    assert done.empty()
    lanes.overdue("hang 0")
    assert done.get(timeout=PATIENCE_S) == "behind"
    free.set()


def test_lost_threads_are_counted_and_a_lane_of_one_stays_a_lane_of_one():
    lanes, free = Lanes(), threading.Event()
    began = queue.Queue[int]()

    def hang(n: int) -> None:
        began.put(n)
        free.wait(PATIENCE_S)

    for n in range(LOST_AT_MOST + 4):
        lanes.give("modem", f"job {n}", partial(hang, n), width=1)
    for n in range(LOST_AT_MOST + 1):
        assert began.get(timeout=PATIENCE_S) == n
        assert began.empty(), "one at a time"
        lanes.overdue(f"job {n}")
    assert lanes.busy() == 3, "so many are lost that no more is begun: three wait"
    free.set()
    for n in range(LOST_AT_MOST + 1, LOST_AT_MOST + 4):
        assert began.get(timeout=PATIENCE_S) == n, "they come back, and the lane goes on"


def test_beyond_a_number_of_hosts_the_rest_share_and_still_everything_is_done():
    lanes, done = Lanes(), queue.Queue[int]()
    for n in range(3 * MOST_LANES):
        lanes.give(f"host {n}", f"job {n}", partial(done.put, n))
    assert {done.get(timeout=PATIENCE_S) for _ in range(3 * MOST_LANES)} == set(range(3 * MOST_LANES))
