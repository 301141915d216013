"""While the disk writes, the words of what it writes are put together; nobody hears them before it has written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from devices.faults import NotWritten
from devices.messages import SetLamp
from gateway.meanwhile import Meanwhile
from gateway.teller import Batch
from tests.gateway.held_hall import HeldHall
from tests.mouths import mouths
from tests.parts import wait_until


@pytest.fixture
def hand() -> Iterator[Meanwhile]:
    one = Meanwhile()
    yield one
    one.close()


def test_what_was_begun_is_done_when_it_is_joined_each_time(hand: Meanwhile) -> None:
    did: list[tuple[int, str]] = []
    for number in range(200):
        hand.begin(lambda number=number: did.append((number, threading.current_thread().name)))  # type: ignore[misc]
        hand.join()
        assert did[-1] == (number, "meanwhile")
    hand.close()
    assert not any(one.name == "meanwhile" for one in threading.enumerate())


def test_a_job_that_fails_is_said_and_is_no_end_of_helping(
    hand: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[str] = []
    said: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda words: said.append(str(words.exc_value)))

    def fail() -> None:
        raise ValueError("a fault of ours")

    for _ in range(3):
        hand.begin(fail)
        hand.join()
    wait_until(lambda: len(said) == 3, lambda: f"what failed is said: {said}")
    assert said == ["a fault of ours"] * 3
    hand.begin(lambda: did.append("done"))
    hand.join()
    assert did == ["done"]


def test_the_words_of_a_press_are_ready_when_it_is_on_disk(hall: HeldHall) -> None:
    """And they are made in the hand's thread, not in the loop's."""
    teller, made = hall.loop.teller, []
    put_together = teller.put_together

    def watched(batch: Batch) -> None:
        made.append(threading.current_thread().name)
        put_together(batch)

    teller.put_together = watched  # type: ignore[method-assign]
    hall.press()
    assert made == ["meanwhile"]
    calls = [fact["call"]["state"] for fact in hall.told if fact.get("fact") == "CallChanged"]  # type: ignore[index]
    assert calls == ["HEARD"]


def test_words_of_what_the_disk_refuses_are_heard_by_nobody(hall: HeldHall) -> None:
    lamps: list[SetLamp] = []
    written: list[str] = []
    hall.loop.teller._mouths = mouths(
        set_lamp=lamps.append,
        tell_written=lambda device, _boot, _seq: written.append(device),
        tell_screens=hall.told.append,
    )
    whole, put_together = hall.book.write, hall.loop.teller.put_together
    batches: list[Batch] = []

    def refuse(_work: object, meanwhile: Callable[[], None] | None = None) -> None:
        assert meanwhile is not None
        meanwhile()  # as beside a COMMIT that fails in the end
        raise NotWritten("disk full", "磁盘满了")

    def watched(batch: Batch) -> None:
        batches.append(batch)
        put_together(batch)

    hall.loop.teller.put_together = watched  # type: ignore[method-assign]
    hall.book.write = refuse  # type: ignore[method-assign, assignment]
    hall.press()
    assert batches[0].words is not None and batches[0].words.lit
    assert (lamps, written) == ([], [])
    alarmed = [fact["call"]["written"] for fact in hall.told if fact.get("fact") == "CallChanged"]  # type: ignore[index]
    assert alarmed == [False]
    hall.book.write = whole  # type: ignore[method-assign]
    hall.after_s(1)
    assert ([lamp.light for lamp in lamps], written) == (["blink"], ["btn-01"])


def test_where_a_part_of_the_hall_comes_back_with_the_commit_the_screens_see_no_gap(hall: HeldHall) -> None:
    """Its fact goes out first and takes a number: those of the words were given before, and are given anew."""
    hall.loop.teller.part_is("notebook", "down", "坏了", "broken")
    hall.told.clear()
    first = hall.loop.teller.rev
    hall.press()
    facts = [(fact["fact"], fact["rev"]) for fact in hall.told if "fact" in fact]
    assert facts[0] == ("PartChanged", first + 1)
    assert "CallChanged" in [name for name, _ in facts]
    assert [rev for _, rev in facts] == list(range(first + 1, first + 1 + len(facts)))
