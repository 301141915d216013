"""How long? The play, what is learned, the range, the words, the alert: all pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.catalogue import Catalogue
from kiosk.rules.durations import Times, cold_ms
from kiosk.rules.estimate import Estimate, Spread, estimate, fluid, quantile
from kiosk.rules.estimate_words import rounded, told, wait_alert
from kiosk.rules.play import Desk, play
from kiosk.rules.policy import DEFAULT, MINUTE_MS, Policy
from kiosk.rules.replay import Served, Span, Student

NOW_MS = 1_795_312_800_000
A, B, AB = frozenset("a"), frozenset("b"), frozenset("ab")


@dataclass(frozen=True)
class Person:
    ticket_id: int
    service_code: str = "a"
    lane: str = "normal"
    overtaken: int = 0

    @property
    def taken_ms(self) -> int:
        return NOW_MS - 3_600_000 + self.ticket_id * 1000

    @property
    def rank(self) -> int:
        return self.taken_ms * 1000

    @property
    def waits_ms(self) -> int:
        return self.taken_ms


def about(expected: float) -> object:
    """The play draws its service times: the mean of its plays is near."""
    return pytest.approx(expected, rel=0.12)


def ten_minutes(code: str) -> int:
    return 10 * MINUTE_MS


def minutes(mine: Person, *waiting: Person, desks: tuple[Desk, ...], times: Times | None = None) -> float:
    played = play(mine, waiting, desks, NOW_MS, 10, times or Times(ten_minutes), DEFAULT)
    assert played is not None
    return played.wait_ms / MINUTE_MS


def test_who_finds_a_free_window_is_called_now() -> None:
    assert minutes(Person(1), desks=(Desk(A),)) == 0


def test_two_people_before_me_and_one_window_are_two_services() -> None:
    line = [Person(1), Person(2), Person(3)]
    assert minutes(line[2], *line, desks=(Desk(A),)) == about(20)
    assert 5 < minutes(line[2], *line, desks=(Desk(A), Desk(A))) < 10, "the first of two windows is soon free"


def test_who_waits_for_another_window_is_not_before_me() -> None:
    line = [Person(1, "b"), Person(2, "b"), Person(3)]
    assert minutes(line[2], *line, desks=(Desk(A), Desk(B))) == 0
    assert minutes(line[2], *line, desks=(Desk(AB),)) == about(20)


def test_no_open_window_is_no_estimate() -> None:
    assert play(Person(1), [], [Desk(B)], NOW_MS, 10, Times(ten_minutes), DEFAULT) is None
    assert estimate(Person(1), [], [], NOW_MS, 10, Times(ten_minutes), Spread(), DEFAULT) is None
    assert fluid(Person(1), {}, [Desk(B)], NOW_MS, 10, Times(ten_minutes), Spread()) is None


def test_an_elder_who_came_after_me_is_before_me_but_no_more_than_the_rules_let() -> None:
    elders = [Person(10 + number, lane="priority") for number in range(3)]
    assert minutes(Person(1), *elders, desks=(Desk(A),)) == about(20), "two of them, then it is somebody else's turn"
    assert minutes(Person(1, overtaken=6), *elders, desks=(Desk(A),)) == 0
    assert minutes(elders[0], Person(1), *elders, desks=(Desk(A),)) == 0


def test_elders_who_will_still_come_are_thought_of() -> None:
    times = Times(ten_minutes)
    line = [Person(number) for number in range(1, 5)]
    before = minutes(line[3], *line, desks=(Desk(A),), times=times)
    times.add_day({(10, "a"): 4}, [10])
    assert times.elders_an_hour(10, A) == 4
    assert minutes(line[3], *line, desks=(Desk(A),), times=times) > before


def test_a_window_that_has_been_busy_for_long_may_take_longer_still() -> None:
    times = Times(ten_minutes)
    left = [times.left_ms("a", 10, there * MINUTE_MS) / MINUTE_MS for there in (0, 5, 10, 30, 500)]
    assert left[0] == 10 and left[0] > left[1] > left[2]
    assert left[3] > left[2], "who has stayed three times as long has a difficult case"
    assert all(one > 0 for one in left)


def test_durations_are_learned_for_item_and_hour_and_few_cases_lean_on_what_is_known() -> None:
    times = Times(ten_minutes)
    assert times.took_ms("a", 9) == 10 * MINUTE_MS
    times.add("a", 9, 40 * MINUTE_MS)
    assert 10 < times.took_ms("a", 9) / MINUTE_MS < 20, "one case is a hint"
    for _ in range(200):
        times.add("a", 9, 4 * MINUTE_MS)
        times.add("a", 15, 8 * MINUTE_MS)
    assert times.took_ms("a", 9) / MINUTE_MS == pytest.approx(4, abs=0.5)
    assert times.took_ms("a", 15) / MINUTE_MS == pytest.approx(8, abs=0.5)
    assert 4 < times.took_ms("a", 12) / MINUTE_MS < 8, "an hour without cases is like the item"
    assert times.took_ms("b", 9) == 10 * MINUTE_MS


def test_a_window_that_was_forgotten_teaches_nothing() -> None:
    times = Times(ten_minutes)
    times.add("a", 9, 9 * 3_600_000)
    times.add("a", 9, 0)
    assert times.cases == 0


def test_the_first_guess_is_the_catalogues(catalogue: Catalogue) -> None:
    guesses = {one.code: cold_ms(one) // MINUTE_MS for one in catalogue.services if one.needs_ticket}
    assert (guesses["ZW-12"], guesses["ZW-01"], guesses["ZW-13"]) == (5, 9, 15)


def test_the_range_is_what_came_of_earlier_promises() -> None:
    spread = Spread()
    low, mid, high = spread.of("normal", 3, 10 * MINUTE_MS)
    assert low < mid == 10 * MINUTE_MS < high, "a wide guess at first"
    for came in range(1, 101):
        spread.add("normal", 3, 12 * MINUTE_MS, came * MINUTE_MS // 5)
    low, mid, high = spread.of("normal", 3, 12 * MINUTE_MS)
    assert (low / MINUTE_MS, mid / MINUTE_MS, high / MINUTE_MS) == pytest.approx((2, 10, 18), abs=0.5)
    assert spread.of("priority", 3, 12 * MINUTE_MS) == (low, mid, high), (
        "nothing of its own yet: as everybody"
    )


def test_quantiles_are_between_what_was() -> None:
    assert quantile([1.0, 2.0, 3.0], 0.5) == 2.0
    assert quantile([1.0, 2.0, 3.0], 0.0) == 1.0 and quantile([1.0, 2.0, 3.0], 1.0) == 3.0


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["normal", "priority"]), st.integers(0, 8)),
        max_size=40,
    ),
    st.lists(
        st.tuples(st.sampled_from([A, B, AB]), st.sampled_from([None, "a", "b"])), min_size=1, max_size=5
    ),
    st.integers(0, 39),
)
def test_any_line_at_any_windows_has_an_answer_and_a_free_window_never_makes_it_longer(
    line: list[tuple[str, str, int]], windows: list[tuple[frozenset[str], str | None]], place: int
) -> None:
    people = [Person(number, code, lane, times) for number, (code, lane, times) in enumerate(line)]
    mine = people[place] if place < len(people) else Person(99)
    desks = [Desk(skills, code, NOW_MS - 60_000) for skills, code in windows]
    times = Times(ten_minutes)
    found = estimate(mine, people, desks, NOW_MS, 10, times, Spread(), DEFAULT)
    if found is None:
        assert not any(mine.service_code in skills for skills, _ in windows)
        return
    assert 0 <= found.low_ms <= found.mid_ms <= found.high_ms
    assert 0 <= found.ahead <= len(people)
    alone = play(mine, people, [*desks, *[Desk(AB)] * (len(people) + 1)], NOW_MS, 10, times, DEFAULT)
    assert alone is not None and alone.wait_ms == 0


def test_a_line_that_is_too_long_to_be_played_is_added_up() -> None:
    desks = [Desk(A), Desk(AB)]
    found = fluid(Person(900), {("a", "normal"): 80, ("a", "priority"): 20, ("b", "normal"): 9}, desks, NOW_MS, 10,
                  Times(ten_minutes), Spread())  # fmt: skip
    assert found is not None and found.ahead == 109 and found.open_windows == 2
    assert found.mid_ms / MINUTE_MS == pytest.approx((100 + 9) * 10 / 2)
    old = fluid(Person(900, lane="priority"), {("a", "normal"): 80, ("a", "priority"): 20}, desks, NOW_MS, 10,
                Times(ten_minutes), Spread())  # fmt: skip
    assert old is not None and old.ahead == 20


# ---------------------------------------------------------------- learning from days


def test_a_day_is_estimated_only_with_what_the_days_before_taught() -> None:
    student = Student(ten_minutes, {"W": A})
    hours = [hour * 3_600_000 for hour in range(9, 17)]
    day = [
        Served(hour + n * 60_000, hour + n * 300_000, hour + (n + 1) * 300_000, "a", "normal", "W")
        for hour in hours
        for n in range(12)
    ]
    spans = [Span("W", 0, 2**62)]
    first = [case.estimate for case in student.live(day, spans)]
    later = [case.estimate for _ in range(3) for case in student.live(day, spans)]
    assert all(one is not None and one.cold for one in first), "on its own first day nothing is known"
    error = [
        abs(told.mid_ms - one.wait_ms) for told, one in zip(later[-96:], day, strict=True) if told is not None
    ]
    guessed = [
        abs(told.mid_ms - one.wait_ms) for told, one in zip(first, day, strict=True) if told is not None
    ]
    assert sum(error) < sum(guessed) / 4, "five minutes each, every day: soon it is known"


def test_who_gave_up_teaches_nothing_and_a_closed_hall_is_no_estimate() -> None:
    student = Student(ten_minutes, {"W": A})
    gave_up = Served(0, 600_000, 600_000, "a", "normal", "")
    served = Served(1000, 700_000, 900_000, "a", "normal", "W")
    cases = list(student.live([gave_up, served], []))
    assert [case.served for case in cases] == [served] and cases[0].estimate is None
    assert student.times.cases == 1


# ---------------------------------------------------------------- words and alert

PLAIN = Estimate(12 * MINUTE_MS, 15 * MINUTE_MS, 20 * MINUTE_MS, 4, 2)


@pytest.mark.parametrize(
    ("low", "high", "zh", "en"),
    [
        (12, 20, "约 12–20 分钟", "about 12–20 min"),
        (0.2, 0.8, "马上就到", "any moment now"),
        (0.3, 6, "6 分钟以内", "within 6 min"),
        (4.6, 5.2, "约 5 分钟", "about 5 min"),
        (33, 52, "约 35–50 分钟", "about 35–50 min"),
        (200, 260, "3 小时以上", "more than 3 hours"),
    ],
)
def test_a_range_is_said_in_whole_minutes(low: float, high: float, zh: str, en: str) -> None:
    one = replace(PLAIN, low_ms=int(low * MINUTE_MS), high_ms=int(high * MINUTE_MS))
    assert (told(one, "zh"), told(one, "en")) == (zh, en)


def test_without_an_open_window_nothing_is_promised() -> None:
    assert told(None, "zh") == told(None, "en") == ""


@given(st.integers(0, 10**8), st.integers(0, 10**8))
def test_what_is_said_is_near_what_is_meant(low: int, more: int) -> None:
    first, last = rounded(replace(PLAIN, low_ms=low, high_ms=low + more))
    assert first <= last and last >= 1
    assert abs(first - low / MINUTE_MS) <= 2.5 and abs(last - (low + more) / MINUTE_MS) <= 2.5


def test_the_alert_names_the_longest_predicted_wait_and_what_to_do() -> None:
    policy = Policy(alert_wait_ms=30 * MINUTE_MS)
    long = replace(PLAIN, mid_ms=41 * MINUTE_MS)
    assert wait_alert([("ZW-01", PLAIN), ("ZW-02", None)], policy) is None
    alert = wait_alert(
        [("ZW-01", PLAIN), ("ZW-02", long), ("ZW-03", replace(long, mid_ms=35 * MINUTE_MS))], policy
    )
    assert alert is not None and (alert.key, alert.how_many) == ("ZW-02", 2)
    assert "41" in alert.why_zh and "窗口" in alert.why_zh and "Open another window" in alert.why_en
