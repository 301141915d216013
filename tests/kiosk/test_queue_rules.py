"""The life of a ticket, on plain data: no clock, no notebook."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from itertools import product
from typing import get_args

import pytest

from devices.faults import OrderRefused
from kiosk.rules import queue
from kiosk.rules.queue import LIFE, LastStep, State, Step, Ticket

SHANGHAI = timezone(timedelta(hours=8))
WAITING = Ticket(
    31, "2026-11-22", "B", 31, "ZW-01", "token", "zh", "kiosk-1", "WAITING", None, 1000, None, 0, 1000
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
        assert queue.step(ticket, step, 5000, "W2").state == LIFE[(state, step)]
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


BEFORE_CALL = LastStep("call", 2000, "WAITING", None, None, 0)


@pytest.mark.parametrize("late_ms", [0, 1, queue.UNDO_WITHIN_MS])
def test_a_wrong_tap_can_be_taken_back_while_it_is_fresh(late_ms: int) -> None:
    back = queue.undo(CALLED, BEFORE_CALL, 2000 + late_ms)
    assert back == replace(WAITING, changed_ms=2000 + late_ms)


@pytest.mark.parametrize("at_ms", [2000 + queue.UNDO_WITHIN_MS + 1, 1999])
def test_after_thirty_seconds_or_with_a_clock_set_back_it_cannot(at_ms: int) -> None:
    with pytest.raises(OrderRefused, match="Undo is possible for 30 seconds only"):
        queue.undo(CALLED, BEFORE_CALL, at_ms)


@pytest.mark.parametrize(
    "last", [None, replace(BEFORE_CALL, event="taken"), replace(BEFORE_CALL, event="undo")]
)
def test_taking_a_number_and_undo_itself_cannot_be_undone(last: LastStep | None) -> None:
    with pytest.raises(OrderRefused, match="B031: there is nothing to undo"):
        queue.undo(CALLED, last, 2001)


def test_who_has_waited_longest_for_this_window_is_next() -> None:
    line = [
        replace(WAITING, ticket_id=n, service_code=code)
        for n, code in ((4, "ZW-01"), (2, "WY-04"), (3, "ZW-02"))
    ]
    assert queue.next_in_line(line, {"ZW-01", "ZW-02"}).ticket_id == 3
    assert queue.ahead_of(line[0], line, {"ZW-01", "ZW-02"}) == 1
    with pytest.raises(OrderRefused, match="Nobody is waiting for this window"):
        queue.next_in_line(line, {"DW-01"})


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
