"""Elders first, and fair: stories of single calls, and whatever a hall may come to (hypothesis)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.faults import OrderRefused
from kiosk.rules.fairness import Choice, arrival, choose, mode_words, overtaken_by, paces
from kiosk.rules.policy import DEFAULT, MINUTE_MS, Policy

NOON_MS = 1_795_320_000_000
ALL = frozenset({"a", "b"})


@dataclass
class Person:
    ticket_id: int
    came_min: float
    lane: str = "normal"
    service_code: str = "a"
    overtaken: int = 0
    rank: int = -1

    def __post_init__(self) -> None:
        if self.rank < 0:
            self.rank = self.taken_ms * 1000

    @property
    def taken_ms(self) -> int:
        return NOON_MS + int(self.came_min * MINUTE_MS)

    @property
    def waits_ms(self) -> int:
        return self.taken_ms


def at(
    minute: float, *line: Person, run: int = 0, policy: Policy = DEFAULT, pace_min: float = 0
) -> Choice[Person]:
    pace = {"a": pace_min * MINUTE_MS, "b": pace_min * MINUTE_MS}
    return choose(line, ALL, NOON_MS + int(minute * MINUTE_MS), policy, run, pace)


def test_who_came_first_is_next_where_nobody_has_priority() -> None:
    choice = at(5, Person(2, 1), Person(1, 0), Person(3, 2))
    assert (choice.ticket.ticket_id, choice.why, choice.mode, choice.overtakes) == (
        1,
        "first_come",
        "fair",
        (),
    )


def test_an_elder_goes_first_and_whom_that_overtakes_is_said() -> None:
    choice = at(5, Person(1, 0), Person(2, 1), Person(3, 2, "priority"), Person(4, 3))
    assert (choice.ticket.ticket_id, choice.why) == (3, "priority")
    assert [one.ticket_id for one in choice.overtakes] == [1, 2]


def test_after_two_elders_it_is_somebody_elses_turn() -> None:
    line = [Person(1, 0), Person(2, 1, "priority"), Person(3, 2, "priority")]
    assert [at(5, *line, run=run).why for run in (0, 1, 2)] == ["priority", "priority", "normal"]


def test_a_turn_never_puts_somebody_before_an_elder_who_was_there_first() -> None:
    assert at(5, Person(1, 0, "priority"), Person(2, 1), run=9).ticket.ticket_id == 1


def test_who_was_overtaken_six_times_is_overtaken_no_more() -> None:
    line = [Person(1, 0, overtaken=6), Person(2, 1, "priority")]
    assert (at(5, *line).ticket.ticket_id, at(5, *line).why) == (1, "overtaken")
    assert at(5, replace(line[0], overtaken=5), line[1]).ticket.ticket_id == 2


def test_who_has_passed_the_cap_is_next() -> None:
    policy = Policy(cap_ms=30 * MINUTE_MS)
    line = [Person(1, 0), Person(2, 20, "priority")]
    assert at(30, *line, policy=policy).ticket.ticket_id == 2
    assert (at(31, *line, policy=policy).ticket.ticket_id, at(31, *line, policy=policy).why) == (1, "cap")


def test_who_would_pass_the_cap_by_it_is_not_passed_over() -> None:
    policy = Policy(cap_ms=30 * MINUTE_MS)
    line = [Person(1, 0), Person(2, 20, "priority")]
    assert at(27, *line, policy=policy, pace_min=4).why == "cap"
    assert at(25, *line, policy=policy, pace_min=4).why == "priority"


def test_a_hall_of_elders_is_first_come_and_says_so() -> None:
    choice = at(5, Person(2, 1, "priority"), Person(1, 0, "priority"))
    assert (choice.ticket.ticket_id, choice.mode, choice.first_come) == (1, "all_priority", True)
    assert all(mode_words(choice.mode))


def test_an_overloaded_hall_is_first_come_and_says_so() -> None:
    choice = at(200, Person(1, 0), Person(2, 1), Person(3, 2), Person(4, 3, "priority"))
    assert (choice.ticket.ticket_id, choice.why, choice.mode) == (1, "first_come", "overload")
    assert "先来后到" in mode_words(choice.mode)[0] and "first come" in mode_words(choice.mode)[1]
    assert mode_words("fair") == ("", "")


def test_a_late_return_has_lost_its_place_and_is_not_overtaken_by_those_before_it() -> None:
    late = Person(1, 0, rank=(NOON_MS + 10 * MINUTE_MS) * 1000)
    choice = at(11, late, Person(2, 5))
    assert (choice.ticket.ticket_id, choice.overtakes) == (2, ())


def test_an_appointment_that_is_a_little_late_keeps_its_slot_and_that_counts_as_overtaking() -> None:
    slot = Person(9, 8, rank=NOON_MS * 1000)
    choice = at(10, Person(1, 4), slot)
    assert choice.ticket.ticket_id == 9
    assert [one.ticket_id for one in choice.overtakes] == [1]
    assert at(10, Person(1, 4, overtaken=6), slot).ticket.ticket_id == 1


def test_a_window_calls_only_what_it_can_serve() -> None:
    line = [Person(1, 0, service_code="b"), Person(2, 1)]
    choice = choose(line, {"a"}, NOON_MS + MINUTE_MS, DEFAULT, 0)
    assert (choice.ticket.ticket_id, choice.overtakes) == (2, ()), (
        "b waits for another window and is not overtaken"
    )
    with pytest.raises(OrderRefused):
        choose(line, {"c"}, NOON_MS, DEFAULT, 0)


def test_a_number_chosen_by_hand_overtakes_those_before_it() -> None:
    line = [Person(1, 0), Person(2, 1, service_code="b"), Person(3, 2)]
    assert [one.ticket_id for one in overtaken_by(line[2], line, {"a"})] == [1]


def test_the_pace_of_an_item_is_that_of_its_windows() -> None:
    assert paces([{"a", "b"}, {"a"}], lambda code: {"a": 4, "b": 8}[code]) == {"a": 2.5, "b": 6.0}


# ---------------------------------------------------------------- whatever may come


@st.composite
def halls(draw: st.DrawFn) -> tuple[list[Person], list[tuple[float, frozenset[str]]], Policy, float]:
    """Anybody in any lane at any time, windows that do a, b or both and call at any time; any policy."""
    people = [
        Person(number, minute, lane, code)
        for number, (minute, lane, code) in enumerate(
            draw(
                st.lists(
                    st.tuples(
                        st.integers(0, 120),
                        st.sampled_from(["normal", "priority"]),
                        st.sampled_from(["a", "b"]),
                    ),
                    min_size=1,
                    max_size=60,
                )
            )
        )
    ]
    windows = st.sampled_from([frozenset("a"), frozenset("b"), ALL])
    calls = draw(st.lists(st.tuples(st.integers(0, 240), windows), min_size=1, max_size=120))
    policy = Policy(
        weight_normal=draw(st.integers(1, 3)),
        weight_priority=draw(st.integers(1, 5)),
        cap_ms=draw(st.integers(10, 120)) * MINUTE_MS,
        overtaken_most=draw(st.integers(0, 8)),
    )
    return (
        people,
        sorted((minute + 0.5, window) for minute, window in calls),
        policy,
        draw(st.sampled_from([0.0, 3.0])),
    )


@settings(max_examples=120, deadline=None)
@given(halls())
def test_whatever_happens_nobody_is_pushed_too_far(
    hall: tuple[list[Person], list[tuple[float, frozenset[str]]], Policy, float],
) -> None:
    people, calls, policy, pace_min = hall
    gone: set[int] = set()
    overtaken = dict.fromkeys((one.ticket_id for one in people), 0)  # counted here, not by the rule
    runs: dict[frozenset[str], int] = {}
    pace = dict.fromkeys(ALL, pace_min * MINUTE_MS)
    for minute, serves in calls:
        waiting = [one for one in people if one.ticket_id not in gone and one.came_min <= minute]
        line = [one for one in waiting if one.service_code in serves]
        if not line:
            continue
        now_ms = NOON_MS + int(minute * MINUTE_MS)
        choice = choose(waiting, serves, now_ms, policy, runs.get(serves, 0), pace)
        called = choice.ticket
        passed = [one for one in line if arrival(one) < arrival(called)]
        assert called in line
        assert list(choice.overtakes) == sorted(passed, key=arrival)
        assert not any(now_ms - one.taken_ms > policy.cap_ms for one in passed), (
            "who has passed the cap is next"
        )
        if called.lane == "normal":
            assert not passed, "without appointments only the priority lane overtakes"
        if choice.first_come:
            assert not passed
        assert (choice.mode == "all_priority") == (
            len(line) > 1 and {one.lane for one in line} == {"priority"}
        )
        for one in passed:
            overtaken[one.ticket_id] += 1
            one.overtaken += 1
        runs[serves] = runs.get(serves, 0) + 1 if called.lane == "priority" else 0
        gone.add(called.ticket_id)
    assert max(overtaken.values()) <= policy.overtaken_most
