"""Nothing stirs in a home: what is a sign of a person, what is none, and what a silence leads to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devices.messages import DeviceSeen, Pressed
from gateway.hall import caring
from gateway.hall.days import DAY_MS, HOUR_MS
from gateway.hall.rows import Hearth, Helper
from gateway.hall.rules import decide
from gateway.hall.state import ClockFrame, Device, JournalLine
from tests.gateway.hall.caring_hall import HELPERS, Hall, press


@pytest.fixture
def hall() -> Iterator[Hall]:
    """Each hall is looked at afterwards: nobody's name is in the journal or in a message."""
    one = Hall()
    yield one
    assert "张奶奶" not in str(one.journal) + str(one.messages)


def test_nothing_stirs_for_a_day_and_a_visit_is_opened_once_and_told(hall: Hall) -> None:
    hall.row(*HELPERS, Helper("duty", "值班", "duty", channels=("sms:0",)))
    hall.person(quiet_after_h=24)
    hall.after(hours=23.5)
    hall.stir()
    hall.after(hours=23.9)
    assert hall.open == []
    hall.after(hours=0.2)
    assert [one[0] for one in hall.open] == ["inactivity"]
    assert [who for who, _ in hall.messages] == ["duty", "grid-1"]
    hall.after(hours=4)
    assert [one[1] for one in hall.open] == ["missed"] and len(hall.messages) == 3
    hall.after(days=3)
    assert len([one for one in hall.visits if one.reason == "inactivity"]) == 1, "once"
    hall.order("visit_done", visit_id=hall.visits[0].visit_id, by="李", outcome="well")
    hall.after(hours=23)
    assert hall.open == []
    hall.after(hours=2)
    assert [one[0] for one in hall.open] == ["inactivity"], "it is measured anew from the visit on"


def test_nobody_opens_a_silent_home_and_it_goes_up_at_once(hall: Hall) -> None:
    hall.row(*HELPERS)
    hall.person(quiet_after_h=12)
    hall.after(hours=12)
    before = len(hall.messages)
    hall.order("visit_done", visit_id=hall.visits[0].visit_id, by="李", outcome="nobody")
    assert [who for who, _ in hall.messages[before:]] == ["grid-1"]
    hall.order("visit_done", visit_id=hall.visits[0].visit_id, by="李", outcome="nobody")
    assert {who for who, _ in hall.messages[before:]} == {"grid-1", "head-3"}


def test_a_heartbeat_is_the_devices_life_and_a_doubtful_press_is_nobodys(hall: Hall) -> None:
    hall.person(quiet_after_h=12)
    hall.state.devices["btn-1"] = Device("btn-1", "call_button", 0, 0, 0, person_id="p-1")
    for _ in range(11):
        hall.after(hours=1)
        hall._did(decide(hall.state, DeviceSeen("btn-1", "linli", battery_pct=80), hall.now_ms))
    hall._did(decide(hall.state, Pressed("btn-1", "a:1", doubtful=True, family="x"), hall.now_ms))
    hall.after(hours=1)
    assert [one[0] for one in hall.open] == ["inactivity"]


def test_a_press_is_a_sign(hall: Hall) -> None:
    hall.person(quiet_after_h=12)
    hall.after(hours=11)
    press(hall)
    hall.after(hours=11)
    assert hall.open == []


def test_a_corridor_that_speaks_each_minute_writes_once_an_hour(hall: Hall) -> None:
    hall.person(quiet_after_h=12)
    hall.written = 0
    for _ in range(24 * 60):
        hall.after(hours=1 / 60)
        hall.stir()
    assert hall.written <= 24 + 2 * 12, "24 signs, and the timer that was set for the rest of the time"
    hearth = hall.state.table(Hearth)["p-1"]
    assert hearth.stirred_ms == hall.now_ms


def test_what_is_lost_with_a_power_cut_is_less_than_an_hour_to_the_careful_side(hall: Hall) -> None:
    hall.person(quiet_after_h=12)
    hall.after(hours=6)
    hall.stir()
    hall.after(hours=0.5)
    hall.stir()  # quiet: not on the disk
    last_ms = hall.now_ms
    hall.restart()
    hall._did(caring.begin(hall.state, hall.now_ms))
    hall.after(hours=12)
    assert hall.open and last_ms + 11 * HOUR_MS <= hall.visits[0].opened_ms <= last_ms + 12 * HOUR_MS


def test_after_a_dark_night_each_home_has_an_hour_to_show_itself(hall: Hall) -> None:
    for number in range(20):
        hall.person(f"p-{number}", quiet_after_h=12)
    hall.journal.append(JournalLine(hall.now_ms, "PersonPut", "person:p-0"))
    hall.restart()
    hall.now_ms += 14 * HOUR_MS
    hall._did(caring.begin(hall.state, hall.now_ms))
    hall.after(hours=0.9)
    assert hall.open == []
    hall.stir("pir-3", "p-3")
    hall.after(hours=0.2)
    assert len(hall.open) == 19 and all(one.person_id != "p-3" for one in hall.visits)


def test_a_hall_that_crashes_and_comes_back_at_once_puts_nothing_off(hall: Hall) -> None:
    hall.person(quiet_after_h=12)
    for _ in range(48):
        hall.after(hours=0.24)
        hall.journal.append(JournalLine(hall.now_ms, "Something", "else"))
        hall.restart()
        hall._did(caring.begin(hall.state, hall.now_ms))
    hall.after(hours=1)
    assert [one[0] for one in hall.open] == ["inactivity"]


def test_a_pause_stops_the_silence_and_its_end_begins_it_anew(hall: Hall) -> None:
    hall.person(quiet_after_h=12)
    hall.order("pause_visits", person_id="p-1", by="李", why="away", until_ms=hall.now_ms + 3 * DAY_MS)
    hall.after(days=3, hours=11)
    assert hall.open == []
    hall.after(hours=2)
    assert [one[0] for one in hall.open] == ["inactivity"]


def test_with_an_unknown_clock_nobody_is_called_silent(hall: Hall) -> None:
    hall.person(quiet_after_h=12)
    hall.state.frame = ClockFrame("boot", 0, False, 0)
    hall.after(days=2)
    assert hall.open == []
    hall.state.frame = ClockFrame("boot", 0, True, 0)
    hall.after(hours=1.1)
    assert [one[0] for one in hall.open] == ["inactivity"]
