"""The life of a ticket, on plain data: no clock, no notebook."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from itertools import product
from typing import get_args

import pytest

from devices.faults import OrderRefused
from kiosk.rules import queue
from kiosk.rules.policy import Policy
from kiosk.rules.queue import BESIDES, LIFE, State, Step, Ticket

SHANGHAI = timezone(timedelta(hours=8))
WAITING = Ticket(
    31, "2026-11-22", "B", 31, "ZW-01", "token", "zh", "kiosk-1", "WAITING", "normal", "", None,
    1_000_000, 0, 1000, 1000, None, None, 0, 1000
)  # fmt: skip
CALLED = queue.step(WAITING, "call", 2000, "W2")


def in_state(state: State) -> Ticket:
    return WAITING if state == "WAITING" else replace(CALLED, state=state)


def test_a_ticket_is_bound_to_a_window_only_when_it_is_called() -> None:
    assert WAITING.window_id is None
    assert (CALLED.state, CALLED.window_id, CALLED.called_ms, CALLED.calls) == ("CALLED", "W2", 2000, 1)


def test_a_recall_stays_at_its_window_and_counts() -> None:
    again = queue.step(CALLED, "recall", 3000)
    assert (again.state, again.window_id, again.called_ms, again.calls) == ("CALLED", "W2", 3000, 2)


def test_an_absent_person_may_come_back() -> None:
    absent = queue.step(CALLED, "no_show", 3000)
    assert queue.step(absent, "recall", 9000).state == "CALLED"


@pytest.mark.parametrize(("state", "step"), list(product(get_args(State), get_args(Step))))
def test_what_is_not_in_the_table_is_refused_and_changes_nothing(state: State, step: Step) -> None:
    ticket = in_state(state)
    if (state, step) in LIFE:
        for after in LIFE[(state, step)]:
            assert queue.step(ticket, step, 5000, "W2", to=after).state == after
        return
    with pytest.raises(OrderRefused) as refused:
        queue.step(ticket, step, 5000, "W2")
    assert ticket == in_state(state)
    assert refused.value.why_zh.startswith("B031 ")
    assert refused.value.why_en.startswith("B031 is ")


def test_refusals_speak_to_people() -> None:
    with pytest.raises(OrderRefused) as refused:
        queue.step(queue.step(CALLED, "done", 3000), "no_show", 4000)
    assert refused.value.why_zh == "B031 已办结，不能标为过号"
    assert refused.value.why_en == "B031 is done and cannot be marked as absent"


WITHIN_MS = 30_000


@pytest.mark.parametrize("late_ms", [0, 1, WITHIN_MS])
def test_a_wrong_tap_can_be_taken_back_while_it_is_fresh(late_ms: int) -> None:
    for event in (*get_args(Step), *BESIDES):
        queue.check_fresh(CALLED, event, 2000, 2000 + late_ms, WITHIN_MS)
    with pytest.raises(OrderRefused):
        queue.check_fresh(CALLED, "call", 2000, 2000 + WITHIN_MS + 1 + late_ms, WITHIN_MS)


@pytest.mark.parametrize("now_ms", [2000 + WITHIN_MS + 1, 1999])
def test_after_thirty_seconds_or_with_a_clock_set_back_it_cannot(now_ms: int) -> None:
    with pytest.raises(OrderRefused, match="Undo is possible for 30 seconds only"):
        queue.check_fresh(CALLED, "call", 2000, now_ms, WITHIN_MS)


@pytest.mark.parametrize("event", ["", "taken", "undo"])
def test_taking_a_number_and_undo_itself_cannot_be_undone(event: str) -> None:
    with pytest.raises(OrderRefused, match="B031: there is nothing to undo"):
        queue.check_fresh(CALLED, event, 2000, 2001, WITHIN_MS)


def test_a_number_is_called_again_three_times_at_most() -> None:
    ticket = CALLED
    for _ in range(3):
        ticket = queue.step(ticket, "recall", 3000)
    assert ticket.calls == 4
    with pytest.raises(OrderRefused) as refused:
        queue.step(ticket, "recall", 4000)
    assert refused.value.why_zh == "B031 已重呼 3 次，请标为过号；人来了可以顺延重新排队"
    absent = queue.step(ticket, "no_show", 5000)
    with pytest.raises(OrderRefused):
        queue.step(absent, "recall", 6000)
    assert queue.step(absent, "late", 6000, rank=7_000_000).calls == 0


def test_a_transfer_keeps_its_place_and_a_late_return_does_not() -> None:
    moved = queue.step(CALLED, "transfer", 9000, service_code="ZW-05")
    assert (moved.state, moved.rank, moved.taken_ms, moved.service_code) == (
        "WAITING",
        1_000_000,
        1000,
        "ZW-05",
    )
    assert (moved.window_id, moved.waits_ms, moved.called_ms, moved.calls) == (None, 9000, None, 0)
    line = [
        replace(WAITING, ticket_id=n, rank=n * 1_000_000, service_code="ZW-01") for n in (40, 41, 42, 43, 44)
    ]
    others = [replace(line[0], lane="priority", lane_why="elder"), replace(line[0], service_code="WY-04")]
    rank = queue.late_rank(WAITING, [*others, *line], {"ZW-01"}, 3, 9000)
    assert rank == 42_000_001, "behind three of his own lane and line"
    assert queue.late_rank(WAITING, line[:2], {"ZW-01"}, 3, 9000) == 41_000_001, (
        "behind all, where there are fewer"
    )
    assert queue.late_rank(WAITING, [], {"ZW-01"}, 3, 9000) == 9_000_000


def test_time_on_hold_is_not_time_of_service() -> None:
    served = queue.step(CALLED, "begin", 10_000)
    held = queue.step(served, "hold", 70_000)
    back = queue.step(held, "resume", 500_000, "W3")
    assert back.window_id == "W3"
    assert queue.served_ms(held, 400_000) == 60_000
    assert queue.served_ms(back, 520_000) == 80_000
    assert queue.served_ms(CALLED, 5000) == 3000, "who never tapped begin is counted from the call"
    assert queue.served_ms(WAITING, 5000) is None
    assert (queue.waited_ms(back, 0), queue.waited_ms(WAITING, 4000), queue.waited_ms(WAITING, 0)) == (
        1000,
        3000,
        0,
    )


def test_the_people_ahead_are_those_with_a_better_place_in_the_same_line() -> None:
    line = [
        replace(WAITING, ticket_id=n, rank=rank, service_code=code)
        for n, rank, code in ((4, 5, "ZW-01"), (2, 5, "WY-04"), (3, 5, "ZW-02"), (9, 4, "ZW-02"))
    ]
    assert queue.ahead_of(line[0], line, {"ZW-01", "ZW-02"}, Policy()) == 2
    assert queue.ahead_of(line[0], line, {"DW-01"}, Policy()) == 0


def test_elders_who_came_later_are_ahead_only_as_far_as_they_may_overtake() -> None:
    def one(ticket_id: int, lane: str, overtaken: int = 0) -> Ticket:
        why = "elder" if lane == "priority" else ""
        return queue.in_lane(replace(WAITING, ticket_id=ticket_id, rank=ticket_id, overtaken=overtaken), why)  # type: ignore[arg-type]

    serves = {WAITING.service_code}
    line = [one(1, "normal"), one(2, "normal", 5), *(one(number, "priority") for number in range(3, 13))]
    told = [queue.ahead_of(ticket, line, serves, Policy()) for ticket in line]
    assert told[:2] == [6, 1 + 1], "six at most overtake the first, one more the second"
    assert told[2:7] == [0, 1, 2 + 1, 3 + 1, 4 + 2], "after two elders comes a turn of the normal lane"


def test_a_hall_that_puts_nobody_back_puts_nobody_back() -> None:
    absent = replace(WAITING, ticket_id=1, rank=10, state="NO_SHOW", window_id="W2", called_ms=20, calls=1)
    line = [replace(WAITING, ticket_id=number, rank=number * 10) for number in (2, 3, 4)]
    assert queue.late_rank(absent, line, {WAITING.service_code}, 0, 60) == 10
    assert queue.late_rank(absent, line, {WAITING.service_code}, 2, 60) == 31


def test_a_day_ends_at_the_halls_midnight_and_never_comes_back() -> None:
    before_midnight_ms = 1_795_363_199_000  # 2026-11-22 23:59:59 in Shanghai, still the 22nd in UTC
    assert queue.business_day(before_midnight_ms, SHANGHAI, "") == "2026-11-22"
    assert queue.business_day(before_midnight_ms + 1000, SHANGHAI, "2026-11-22") == "2026-11-23"
    # A Pi without a battery wakes up in 1970: the numbers go on where they were.
    assert queue.business_day(0, SHANGHAI, "2026-11-23") == "2026-11-23"


def test_yesterdays_number_is_not_called_today() -> None:
    with pytest.raises(OrderRefused, match=r"B031 is of 2026-11-22 and no longer valid"):
        queue.check_day(WAITING, "2026-11-23")


@pytest.mark.parametrize(("number", "spelled"), [(1, "B001"), (31, "B031"), (999, "B999"), (1000, "B1000")])
def test_numbers_are_spelled_with_three_digits_and_more_only_when_needed(number: int, spelled: str) -> None:
    assert queue.spell("B", number) == spelled
