"""What a person is told about the wait, from the kiosk's own notebook; and that a touch never waits for learning."""

from __future__ import annotations

import sqlite3

import pytest

from kiosk import estimates, line, windows
from kiosk.core import Core
from kiosk.rules.estimate import Estimate
from kiosk.rules.policy import MINUTE_MS
from tests.kiosk.conftest import HeldClock
from tests.parts import wait_until


def about(expected: float) -> object:
    """The play draws its service times: the mean of its plays is near."""
    return pytest.approx(expected, rel=0.12)


def take(core: Core, code: str, key: str, lane_why: str = "") -> line.Taken:
    return line.take_ticket(core, code, key, "zh", "kiosk-1", lane_why=lane_why)


def row(core: Core, ticket_id: int) -> tuple[int, ...] | None:
    found = (
        core.reader()
        .execute(
            "SELECT low_ms, mid_ms, high_ms, ahead, open_windows FROM estimates WHERE ticket_id = ?",
            (ticket_id,),
        )
        .fetchone()
    )
    return None if found is None else tuple(found)


def past(
    core: Core, days: int, service_min: float, code: str = "ZW-01", window: str = "W2", a_day: int = 40
) -> None:
    """Days on which everybody stayed so long at one window, and came as fast as they were served."""

    def work(notebook: sqlite3.Connection) -> None:
        for number in range(days):
            day, start = f"2026-10-{number + 1:02d}", core.now_ms() - (60 - number) * 86_400_000
            notebook.execute(
                'INSERT INTO window_spans(window_id, business_day, opened_ms, closed_ms, "by") VALUES (?, ?, ?, ?, ?)',
                (window, day, start, start + 86_000_000, "x"),
            )
            took = int(service_min * MINUTE_MS)
            notebook.executemany(
                "INSERT INTO serves(ticket_id, business_day, hour, service_code, window_id, lane, outcome, wait_ms,"
                " service_ms, ended_ms) VALUES (?, ?, 10, ?, ?, 'normal', 'done', ?, ?, ?)",
                [
                    (
                        10**6 + number * 1000 + n,
                        day,
                        code,
                        window,
                        min(n, 3) * took,
                        took,
                        start + (n + 1) * took,
                    )
                    for n in range(a_day)
                ],
            )

    core.writer.write(work)


def test_where_no_window_is_open_nothing_is_promised(core: Core) -> None:
    taken = take(core, "ZW-01", "a")
    assert taken.estimate is None and row(core, taken.ticket.ticket_id) is None


def test_a_first_estimate_is_a_guess_and_says_so_and_is_kept_for_comparison(core: Core) -> None:
    windows.open_window(core, "W2", "x")
    told = [take(core, "ZW-01", str(number)) for number in range(3)]
    last = told[2].estimate
    assert told[0].estimate == Estimate(0, 0, 0, 0, 1, cold=True)
    assert last is not None and last.cold and last.ahead == 2
    assert last.mid_ms == about(2 * 9 * MINUTE_MS), "two before, nine minutes each by the catalogue"
    assert row(core, told[2].ticket.ticket_id) == (last.low_ms, last.mid_ms, last.high_ms, 2, 1)


def test_what_the_hall_has_set_itself_goes_before_the_catalogue(core: Core) -> None:
    core.writer.write(
        lambda book: book.execute("INSERT INTO queue_policy VALUES ('expected_ms', '{\"ZW-01\": 180000}')")
    )
    windows.open_window(core, "W2", "x")
    past(core, 1, 3.0, code="ZW-02", a_day=1)
    estimates.learn(core)
    told = [take(core, "ZW-01", str(number)) for number in range(3)][2].estimate
    assert told is not None and told.raw_ms == about(2 * 3 * MINUTE_MS)


def test_the_past_teaches_how_long_it_takes(core: Core) -> None:
    past(core, 20, 4.0)
    memory = estimates.learn(core)
    assert memory.times.cases == 800
    windows.open_window(core, "W2", "x")
    told = [take(core, "ZW-01", str(number)) for number in range(4)][3].estimate
    assert told is not None and not told.cold
    assert abs(told.mid_ms - 12 * MINUTE_MS) < MINUTE_MS
    assert told.low_ms <= told.mid_ms <= told.high_ms <= 16 * MINUTE_MS


def test_who_is_being_served_takes_time_too(core: Core, clock: HeldClock) -> None:
    windows.open_window(core, "W2", "x")
    take(core, "ZW-01", "a")
    line.call_next(core, "W2", "x")
    told = take(core, "ZW-01", "b").estimate
    assert told is not None and told.ahead == 0 and told.mid_ms == about(9 * MINUTE_MS)
    clock.forward(seconds=240)
    later = core.writer.write(lambda book: estimates.newcomers(core, book))["ZW-01"]
    assert later is not None and later.ahead == 1 and later.mid_ms < 9 * MINUTE_MS + told.mid_ms


def test_an_elder_is_told_less(core: Core) -> None:
    windows.open_window(core, "W2", "x")
    for number in range(4):
        take(core, "ZW-01", str(number))
    told, old = take(core, "ZW-01", "n").estimate, take(core, "ZW-01", "p", lane_why="elder").estimate
    assert told is not None and old is not None
    assert old.mid_ms < told.mid_ms and old.ahead == 0


def test_a_line_of_hundreds_is_added_up_and_a_place_near_its_head_is_played(
    core: Core, clock: HeldClock
) -> None:
    windows.open_window(core, "W2", "x")
    told = [take(core, "ZW-01", str(number)) for number in range(estimates.PLAYED + 20)]
    last = told[-1].estimate
    assert last is not None and abs(last.raw_ms - (len(told) - 1) * 9 * MINUTE_MS) <= 9 * MINUTE_MS
    clock.forward(seconds=60)
    fifth, near_last = told[4].ticket, told[-2].ticket
    notebook = core.reader()
    again = [estimates.estimate_for(core, notebook, one) for one in (fifth, near_last)]
    assert again[0] is not None and again[0].raw_ms == about(4 * 9 * MINUTE_MS)
    assert again[1] is not None and again[1].raw_ms == (len(told) - 2) * 9 * MINUTE_MS


def test_learning_goes_on_beside_and_a_touch_does_not_wait_for_it(core: Core) -> None:
    past(core, 10, 4.0)
    windows.open_window(core, "W2", "x")
    memory = estimates.memory_of(core)
    with memory.learning:  # a learner is at work
        told = [take(core, "ZW-01", str(number)) for number in range(3)][2].estimate
    assert told is not None and told.cold, "it answered with what it knew"
    estimates.learn(core)
    assert memory.times.cases == 400


def test_the_thread_that_learns_is_started_by_a_touch(core: Core) -> None:
    past(core, 2, 4.0)
    windows.open_window(core, "W2", "x")
    take(core, "ZW-01", "a")
    wait_until(lambda: estimates.memory_of(core).times.cases == 80, lambda: "the past is learned")
    assert estimates.memory_of(core).learned_day == "2026-10-02"


def test_todays_own_services_are_learned_today(core: Core, clock: HeldClock) -> None:
    windows.open_window(core, "W2", "x")
    for number in range(30):
        take(core, "ZW-01", str(number))
    line.call_next(core, "W2", "x")
    for _ in range(29):
        clock.forward(seconds=120)
        line.call_next(core, "W2", "x")
    memory = estimates.learn(core)
    hour = 10
    assert memory.times.took_ms("ZW-01", hour) < 5 * MINUTE_MS, "two minutes each, not nine"
    assert estimates.learn(core).times.cases == memory.times.cases == 29, "each counted once"


def test_newcomers_are_told_for_every_item_with_a_number(core: Core) -> None:
    windows.open_window(core, "W2", "x")
    found = core.writer.write(lambda book: estimates.newcomers(core, book))
    assert set(found) == {one.code for one in core.catalogue.services if one.needs_ticket}
    assert found["ZW-01"] is not None and found["ZW-12"] is None, "W4 is closed"
