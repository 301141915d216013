"""The figures of a month, from a journal that a person could check by hand."""

from __future__ import annotations

import pytest

from gateway.hall.figures import Line, by_device, figures, stories

MINUTE = 60_000


class Book:
    """Writes lines as the gateway does: each on the disk 2 ms after it happened."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def say(self, at_ms: int, event: str, call: int, actor: str = "", detail: str = "", late_ms: int = 2) -> None:
        self.lines.append(
            (len(self.lines) + 1, at_ms, at_ms + late_ms, event, f"call:{call}", actor, detail)
        )

    def call(self, call: int, began_ms: int, accepted_after_ms: int | None, outcome: str = "helped") -> None:
        self.say(began_ms, "Pressed", call, "btn-1", f"emergency a:{call}")
        if accepted_after_ms is not None:
            self.say(began_ms + accepted_after_ms, "Accepted", call, "王五")
            self.say(began_ms + accepted_after_ms + MINUTE, "Arrived", call, "王五")
            self.say(began_ms + accepted_after_ms + 5 * MINUTE, "Closed", call, "王五", outcome)


def test_each_mark_is_measured_from_the_first_press() -> None:
    book = Book()
    book.say(1_000, "Pressed", 7, "btn-1", "emergency a:1", late_ms=3)
    book.say(11_000, "PressedAgain", 7, "btn-1", "emergency a:2")
    book.say(21_000, "Accepted", 7, "王五")
    book.say(200_000, "AcceptanceExpired", 7)
    book.say(220_000, "Accepted", 7, "李四")
    book.say(280_000, "Arrived", 7, "李四")
    book.say(400_000, "Closed", 7, "李四", "helped")
    (story,) = stories(book.lines)
    assert (story.heard_ms, story.accepted_ms, story.arrived_ms, story.closed_ms) == (3, 20_000, 279_000, 399_000)
    assert (story.kind, story.device_id, story.outcome, story.presses) == ("emergency", "btn-1", "helped", 2)


@pytest.mark.parametrize("undone", ["Reopened", "ReopenedUntaken"])
def test_a_close_made_by_mistake_is_none(undone: str) -> None:
    book = Book()
    book.call(1, 0, 10_000)
    book.say(320_000, undone, 1, "王五")
    (story,) = stories(book.lines)
    assert (story.closed_ms, story.outcome) == (None, "")
    book.say(900_000, "Closed", 1, "王五", "hospital")
    (story,) = stories(book.lines)
    assert (story.closed_ms, story.outcome) == (900_000, "hospital")


def test_a_call_closed_by_mistake_before_anybody_took_it_waits_for_an_answer_again() -> None:
    book = Book()
    book.say(0, "Pressed", 1, "btn-1", "emergency a:1")
    book.say(5_000, "Closed", 1, "王五", "false_alarm")
    book.say(25_000, "ReopenedUntaken", 1, "王五", "false_alarm")
    (story,) = stories(book.lines)
    assert (story.accepted_ms, story.closed_ms, story.outcome) == (None, None, "")
    book.say(90_000, "Accepted", 1, "李四")
    book.say(300_000, "Closed", 1, "李四", "helped")
    (story,) = stories(book.lines)
    assert (story.accepted_ms, story.closed_ms, story.outcome) == (90_000, 300_000, "helped")


def test_the_shares_count_whom_nobody_came_to() -> None:
    book = Book()
    for number in range(1, 98):
        book.call(number, number * 1_000_000, 20_000)
    book.call(98, 98_000_000, 61_000)
    book.call(99, 99_000_000, 181_000)
    book.call(100, 100_000_000, None)
    all_of_them = figures(stories(book.lines))
    assert (all_of_them.calls, all_of_them.accepted) == (100, 99)
    within_60, within_180 = all_of_them.shares
    assert (within_60.share, within_60.met) == (0.97, False)
    assert (within_180.share, within_180.met) == (0.98, False)
    accepted = all_of_them.spreads["accepted"]
    assert (accepted.count, accepted.p50_ms, accepted.p90_ms, accepted.p99_ms) == (99, 20_000, 20_000, 181_000)


def test_a_test_call_makes_no_figure_better() -> None:
    book = Book()
    book.call(1, 0, 400_000)
    book.say(900_000, "Pressed", 2, "btn-1", "test a:2")
    book.say(901_000, "Closed", 2, "王五", "test")
    book.call(3, 2_000_000, 1_000, outcome="test")
    told = stories(book.lines)
    assert figures(told).calls == 1
    assert figures(told, "test").calls == 1
    assert figures(told).shares[0].share == 0.0


def test_false_alarms_are_a_share_of_what_was_closed() -> None:
    book = Book()
    book.call(1, 0, 1_000, outcome="false_alarm")
    book.call(2, 1_000_000, 1_000)
    book.call(3, 2_000_000, None)
    (device,) = by_device(stories(book.lines))
    assert (device.calls, device.closed, device.false_alarms, device.rate) == (3, 2, 1, 0.5)


def test_an_empty_hall_has_no_figures_and_no_verdict() -> None:
    nothing = figures([])
    assert nothing.spreads["accepted"].p99_ms is None
    assert [one.met for one in nothing.shares] == [None, None]


def test_what_began_before_the_time_is_not_of_this_time() -> None:
    book = Book()
    book.call(1, 0, 1_000)
    assert stories(book.lines[1:]) == []
