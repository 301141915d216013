"""A level is told at once when it rests, and of a flurry the last is always told."""

import queue

from kiosk.conflate import Conflated


def test_a_flurry_of_changes_is_told_first_and_last() -> None:
    bell, told, level = Conflated(every_s=0.02), queue.Queue[int](), [0]
    for number in range(1, 101):
        level[0] = number
        bell(lambda: told.put(level[0]))
    assert told.get(timeout=5) == 1
    last = told.get(timeout=5)
    while last != 100:
        last = told.get(timeout=5)
    assert told.qsize() == 0


def test_what_rests_is_told_at_once() -> None:
    bell, told = Conflated(every_s=0.0), queue.Queue[int]()
    for number in range(5):
        bell(lambda number=number: told.put(number))  # type: ignore[misc]
        assert told.get_nowait() == number
