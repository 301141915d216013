"""A thread that comes round: the bell brings it at once, and its end is its end."""

from __future__ import annotations

import queue

from kiosk.rounds import Rounds


class Walk(Rounds):
    def __init__(self) -> None:
        super().__init__("walk", first_s=3600)
        self.come: queue.Queue[int] = queue.Queue()
        self.rounds = 0

    def round(self) -> float:
        self.rounds += 1
        self.come.put(self.rounds)
        return 0 if self.rounds == 2 else 3600


def test_the_bell_brings_a_round_and_the_round_says_when_the_next_one_is() -> None:
    walk = Walk()
    walk.start()
    walk.bell.set()
    assert walk.come.get(timeout=10) == 1
    walk.bell.set()
    assert [walk.come.get(timeout=10) for _ in range(2)] == [2, 3], "the third came by itself"
    walk.stop()
    assert not walk._thread.is_alive()
    assert walk.rounds == 3


def test_one_that_never_began_is_ended_without_a_word() -> None:
    Walk().stop()
