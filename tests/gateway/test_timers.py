"""Timers that are rows: they survive a kill, are tried again when the disk refuses, and never fire twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway.hall import timers as timer_rules
from gateway.hall.state import Decision, HallState, JournalLine, TimerSet
from gateway.notebook import Notebook
from gateway.rounds import SWEEP_S
from gateway.timers import AT_A_TIME_S, DEAD_AT_MOST, Timers
from tests.gateway.held_hall import NOON_MS, SCHEMA, HeldClock, HeldHall

# ---------------------------------------------------------------- the heap


def test_a_job_set_again_is_done_once_at_its_new_time(clock: HeldClock) -> None:
    done: list[str] = []
    timers = Timers(clock)
    timers.at(1001.0, lambda: done.append("first"), "a")
    timers.at(1005.0, lambda: done.append("second"), "a")
    assert timers.wait_s(60.0) == 5.0, "the dead entry wakes nobody"
    clock.pass_s(2)
    timers.run_due()
    assert done == []
    clock.pass_s(4)
    timers.run_due()
    assert done == ["second"] and len(timers) == 0


def test_a_hundred_thousand_calls_that_were_taken_leave_no_heap_behind(clock: HeldClock) -> None:
    timers = Timers(clock)
    for number in range(100_000):
        timers.at(clock.mono_s + 60.0, lambda: None, f"call:{number}")
        if number >= 10:
            timers.cancel(f"call:{number - 10}")
    assert len(timers) == 10
    assert len(timers._heap) <= 10 + DEAD_AT_MOST + 1


def test_a_thousand_deadlines_that_fell_due_in_the_dark_do_not_keep_the_doors_shut(clock: HeldClock) -> None:
    done: list[int] = []
    timers = Timers(clock)

    def job(number: int) -> None:
        done.append(number)
        clock.mono_s += 0.001  # each takes a millisecond

    for number in range(1000):
        timers.at(clock.mono_s, lambda number=number: job(number))  # type: ignore[misc]
    timers.run_due()
    assert 1 <= len(done) <= AT_A_TIME_S * 1000 + 1
    assert timers.wait_s(60.0) == 0.0, "the rest is due at the next turn"
    while len(timers):
        timers.run_due()
    assert done == list(range(1000)), "in the order in which they were set"


# ---------------------------------------------------------------- rows


def test_the_minute_is_on_disk_with_the_call_and_gone_with_the_answer(hall: HeldHall) -> None:
    hall.press()
    assert hall.rows() == [("call:1:unanswered", NOON_MS + 60_000)]
    assert hall.loop.statistics()["timers"] == {"waiting": 2, "next_in_ms": 60_000}, "and the ladder's"
    assert hall.order("accept_call", call_id=1, by="小李")["ok"] is True
    assert hall.rows() == [], "what waits now is that nothing comes of it"
    assert hall.loop.statistics()["timers"] == {"waiting": 1, "next_in_ms": 900_000}
    hall.after_s(120)
    assert not hall.overdue()


def test_a_call_that_is_closed_at_once_leaves_no_timer(hall: HeldHall) -> None:
    hall.press()
    hall.order("close_call", call_id=1, by="小李", outcome="test")
    assert hall.rows() == []


def test_taken_and_forgotten_the_next_press_begins_a_new_minute(hall: HeldHall) -> None:
    hall.press()
    hall.order("accept_call", call_id=1, by="小李")
    hall.after_s(700)
    hall.press(press_id="a:2")
    hall.after_s(59)
    assert not hall.overdue()
    hall.after_s(2)
    assert hall.overdue() and hall.rows() == []


@pytest.mark.parametrize("killed_after_s", [0, 1, 30, 59])
def test_killed_at_any_second_the_minute_is_a_minute(
    tmp_path: Path, clock: HeldClock, killed_after_s: float
) -> None:
    hall = HeldHall(tmp_path, clock)
    hall.press()
    hall.after_s(killed_after_s)
    hall.die()
    again = HeldHall(tmp_path, clock)
    again.after_s(59 - killed_after_s)
    assert not again.overdue()
    again.after_s(2)
    assert again.overdue()
    assert [event for event, _ in again.journal("Unanswered")] == ["Unanswered"]
    again.die()


def test_killed_again_and_again_it_still_comes_once(tmp_path: Path, clock: HeldClock) -> None:
    hall = HeldHall(tmp_path, clock)
    hall.press()
    for _ in range(30):  # a crash every five seconds
        hall.die()
        clock.pass_s(5)
        hall = HeldHall(tmp_path, clock)
        hall.turn()
    assert hall.overdue()
    assert len(hall.journal("Unanswered")) == 1
    hall.die()


def test_a_due_timer_that_cannot_be_written_is_tried_again_and_comes_once(
    hall: HeldHall, clock: HeldClock
) -> None:
    hall.press()
    hall.break_disk()
    for _ in range(5):
        hall.after_s(30)
    assert not hall.overdue() and hall.part("notebook")["state"] == "down"
    hall.mend_disk()
    hall.after_s(1.1)
    assert hall.overdue() and hall.rows() == []
    hall.after_s(300)
    assert len(hall.journal("Unanswered")) == 1


def test_of_several_timers_of_one_subject_each_comes_at_its_time(
    hall: HeldHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an escalation ladder will: 30, 60, 180 s, and a deadline of ten days."""

    def step(_state: HallState, timer: TimerSet, now_ms: int) -> Decision:
        return Decision(changes=[JournalLine(now_ms, "Step", "test", "", timer.timer_id)])

    monkeypatch.setitem(timer_rules.DUE, "step", step)
    steps_s = {"a": 30, "b": 60, "c": 180, "d": 10 * 24 * 3600}
    for name, after_s in steps_s.items():
        hall.set_timer("step", after_s * 1000, name=name)
    came: dict[str, int] = {}
    for passed_s in [*range(1, 200), 10 * 24 * 3600 - 1, 10 * 24 * 3600]:
        hall.clock.pass_s(passed_s - (hall.clock.mono_s - 1000))
        hall.turn()
        for _, name in hall.journal("Step"):
            came.setdefault(name, passed_s)
    assert came == steps_s


def test_a_timer_may_set_itself_anew(hall: HeldHall, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(_state: HallState, timer: TimerSet, now_ms: int) -> Decision:
        return Decision(
            changes=[
                TimerSet(timer.timer_id, timer.kind, timer.subject, now_ms, timer.after_ms),
                JournalLine(now_ms, "Tick", "test"),
            ]
        )

    monkeypatch.setitem(timer_rules.DUE, "again", again)
    hall.set_timer("again", 10_000)
    for _ in range(35):
        hall.after_s(1)
    assert len(hall.journal("Tick")) == 3 and len(hall.rows()) == 1


def test_a_fault_of_ours_in_a_timers_rule_does_not_come_back_at_every_start(
    tmp_path: Path, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_state: HallState, _timer: TimerSet, _now_ms: int) -> Decision:
        raise KeyError("a mistake")

    monkeypatch.setitem(timer_rules.DUE, "stumble", stumble)
    hall = HeldHall(tmp_path, clock)
    hall.set_timer("stumble", 1000)
    hall.press()
    hall.after_s(2)
    assert hall.rows() == [("call:1:unanswered", NOON_MS + 60_000)], "the others wait on"
    assert hall.journal("TimerGivenUp") == [("TimerGivenUp", "KeyError: 'a mistake'")]
    hall.die()


def test_a_fault_of_ours_in_a_round_ends_nothing_and_is_said_once(
    hall: HeldHall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.log._repeats", {})
    monkeypatch.setattr("gateway.rounds.supervision.deadline_ms", lambda *_: [].pop())
    hall.order("claim_device", device_id="btn-01", kind="call_button", name="3栋", by="t")
    for _ in range(3):
        hall.after_s(SWEEP_S + 0.1)
    assert sum("by the clock" in line for line in caplog.messages) == 1
    hall.press()
    hall.after_s(61)
    assert hall.overdue(), "whatever else is due is done"


def test_a_timer_of_a_newer_linli_is_journalled_and_goes(hall: HeldHall) -> None:
    hall.set_timer("appointment", 1000)
    hall.after_s(2)
    assert hall.rows() == [] and hall.journal("TimerUnknown") == [("TimerUnknown", "appointment")]


def test_a_hall_of_before_keeps_its_ringing_call(tmp_path: Path, clock: HeldClock) -> None:
    """The first schema had no timers: a call that rings while the hall is brought up to date keeps its minute."""
    first = tmp_path / "schema"
    first.mkdir()
    (first / "0001_first.sql").write_text(
        next(SCHEMA.glob("0001_*")).read_text(encoding="utf-8"), encoding="utf-8"
    )
    book = Notebook(tmp_path / "gateway.db", first)

    def ring(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO calls(call_id, state, kind, device_id, device_name, claimed, place, person, presses, button,"
            " opened_ms, last_press_ms) VALUES (1, 'HEARD', 'emergency', 'b', 'b', 1, '', '', 1, 1, ?, ?)",
            (NOON_MS, NOON_MS),
        )

    book.write(ring)
    book.close()
    clock.pass_s(40)
    hall = HeldHall(tmp_path, clock)
    hall.after_s(19)
    assert not hall.overdue()
    hall.after_s(2)
    assert hall.overdue()
    hall.die()
