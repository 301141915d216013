"""Ladders, trains and releases on the real loop and a real notebook, in time that we hold: kills, refusing disks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.messages import DeviceSeen, Pressed
from gateway.arrival import Arrival
from gateway.entrance import Entrance
from gateway.hall.rows import Helper
from gateway.hall.state import Decision
from gateway.wire import Published
from tests.gateway.held_hall import NOON_MS, HeldClock, HeldHall
from tests.mouths import mouths

ROLES = ("grid", "building", "secretary")
ZIGBEE = "zigbee2mqtt/cord"
SOS = "zigbee2mqtt:cord"


class Night(HeldHall):
    """No console is open; three people can be reached by message."""

    def people(self) -> Night:
        helpers = [Helper(f"{role}-1", "某人", role, channels=(f"sms:{role}",)) for role in ROLES]
        assert self.loop.decide(lambda _state, _now_ms: Decision(changes=[*helpers]))
        return self

    def steps(self) -> list[tuple[object, ...]]:
        """As they are on the disk: turn, who, state, seconds since noon."""
        rows = self.book.connection.execute(
            "SELECT turn, who, state, at_ms FROM call_steps WHERE call_id = 1 ORDER BY turn, step"
        )
        return [(turn, who, state, (at_ms - NOON_MS) // 1000) for turn, who, state, at_ms in rows]

    def messages(self) -> list[tuple[str, str]]:
        rows = self.book.connection.execute("SELECT helper_id, state FROM messages ORDER BY created_ms, 1")
        return rows.fetchall()

    def sos(self) -> None:
        """The bought cord is pulled; it numbers nothing."""
        facts = (DeviceSeen(SOS, "zigbee2mqtt"), Pressed(SOS, family="zigbee2mqtt"))
        self.loop.take(Arrival(self.clock.monotonic_ns(), self.clock.now_ms(), "sos", facts))
        self.turn()

    def on_disk(self, what: str) -> list[tuple[object, ...]]:
        return self.book.connection.execute(f"SELECT {what} FROM calls ORDER BY call_id").fetchall()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def hall(tmp_path: Path, clock: HeldClock) -> Iterator[Night]:
    one = Night(tmp_path, clock)
    yield one
    one.die()


# ---------------------------------------------------------------- kills


def seconds_of_a_night(
    folder: Path, kills: set[int], length_s: int
) -> tuple[list[tuple[object, ...]], object]:
    """A call that nobody answers, second by second, killed and started anew at some of them."""
    folder.mkdir()
    hall = Night(folder, HeldClock()).people()
    hall.press()
    for second in range(1, length_s + 1):
        hall.after_s(1)
        if second in kills:
            hall.die()
            hall = Night(folder, hall.clock)
    told = hall.steps(), hall.messages()
    hall.die()
    return told


def test_killed_at_any_second_no_step_of_the_ladder_is_lost_or_doubled(tmp_path: Path) -> None:
    dice = random.Random(7)
    length_s = 500
    whole = seconds_of_a_night(tmp_path / "whole", set(), length_s)
    assert [step for step in whole[0] if step[2] == "told"] == [
        (1, "grid", "told", 0),
        (1, "building", "told", 60),
        (1, "secretary", "told", 120),
        (2, "secretary", "told", 240),
        (3, "secretary", "told", 360),
        (4, "secretary", "told", 480),
    ]
    around_steps = {59, 60, 61, 119, 120, 121, 239, 240, 241}
    for number, kills in enumerate((around_steps, set(dice.sample(range(1, length_s), 60)))):
        assert seconds_of_a_night(tmp_path / f"killed{number}", kills, length_s) == whole


def test_what_fell_due_while_the_gateway_was_dead_is_done_at_once(tmp_path: Path, clock: HeldClock) -> None:
    hall = Night(tmp_path, clock).people()
    hall.press()
    hall.die()
    clock.pass_s(75)
    again = Night(tmp_path, clock)
    again.after_s(0.01)
    assert again.steps()[-1] == (1, "building", "told", 75)
    again.die()


def test_an_acceptance_that_leads_to_nothing_expires_across_a_power_cut(
    tmp_path: Path, clock: HeldClock
) -> None:
    hall = Night(tmp_path, clock).people()
    hall.press()
    assert hall.order("accept_call", call_id=1, by="小李")["ok"] is True
    assert {state for _, state in hall.messages()} == {"void"}
    hall.after_s(600)
    hall.die()
    clock.power_cut(dark_s=200)
    again = Night(tmp_path, clock)
    again.after_s(90)
    assert again.loop.state.calls[1].state == "COMING"
    again.after_s(11)
    call = again.loop.state.calls[1]
    assert (call.state, call.turn, call.accepted_by) == ("HEARD", 2, None)
    assert again.journal("AcceptanceExpired") and again.steps()[-1][:3] == (2, "grid", "told")
    again.die()


def test_a_step_that_the_disk_refused_is_taken_once_when_it_writes_again(hall: Night) -> None:
    hall.people().press()
    hall.break_disk()
    for _ in range(90):
        hall.after_s(1)
    assert hall.loop.state.calls[1].step == 1 and len(hall.messages()) == 1
    hall.mend_disk()
    hall.after_s(1)
    hall.after_s(1)
    assert [step[1] for step in hall.steps() if step[2] == "told"] == ["grid", "building"]
    assert len(hall.messages()) == 2


def test_a_call_of_an_older_notebook_climbs_when_this_linli_starts(tmp_path: Path, clock: HeldClock) -> None:
    hall = Night(tmp_path, clock).people()
    hall.press()
    hall.book.write(lambda connection: connection.execute("DELETE FROM timers WHERE kind = 'step'"))
    hall.book.write(lambda connection: connection.execute("DELETE FROM call_steps"))
    hall.book.write(lambda connection: connection.execute("UPDATE calls SET turn = 0, step = -1, acts = ''"))
    hall.die()
    again = Night(tmp_path, clock)
    assert again.steps()[-1] == (1, "grid", "told", 0)
    again.after_s(61)
    assert again.steps()[-1][:3] == (1, "building", "told") and again.overdue()
    again.die()


# ---------------------------------------------------------------- who listens


def test_consoles_are_counted_in_memory_and_rung_at_once(tmp_path: Path, clock: HeldClock) -> None:
    hall = Night(tmp_path, clock)
    hall.press()
    commits = hall.loop.lateness.commits.total
    assert hall.order("consoles", live=1) == {"ok": True, "written": True}
    assert hall.steps()[-1][:3] == (2, "duty", "told")
    assert hall.order("consoles", live=2)["ok"] and hall.loop.lateness.commits.total == commits + 1
    assert hall.order("consoles", live="two")["fault"] == "refused" and hall.loop.state.consoles == 2
    hall.die()
    again = Night(tmp_path, clock)
    assert again.loop.state.consoles == 0, "nobody's memory"
    again.die()


def test_a_disk_that_refuses_does_not_hide_that_the_kiosk_hung_up(hall: Night) -> None:
    hall.people()
    hall.order("consoles", live=1)
    hall.break_disk()
    hall.press()
    assert hall.order("consoles", live=0)["fault"] == "not_written" and hall.loop.state.consoles == 0
    hall.mend_disk()
    hall.after_s(1)
    assert [step[1:3] for step in hall.steps()] == [("duty", "skipped"), ("grid", "told")]


def test_the_screens_hear_of_messages_by_their_key_and_of_steps_with_their_call(hall: Night) -> None:
    hall.people()
    hall.told.clear()
    hall.press()
    rows = [fact["table"] for fact in hall.told if fact.get("fact") == "RowChanged"]
    [call] = [fact["call"] for fact in hall.told if fact.get("fact") == "CallChanged"]
    assert rows == ["messages"] and isinstance(call, dict) and (call["step"], call["turn"]) == (1, 1)


def test_an_order_about_a_call_answers_with_the_call_and_with_nobodys_message(hall: Night) -> None:
    hall.people().press()
    answer = hall.order("accept_call", call_id=1, by="小李")
    assert "row" not in answer and isinstance(answer["call"], dict)


# ---------------------------------------------------------------- trains


def test_repeats_are_counted_in_memory_written_now_and_then_and_a_real_press_at_once(hall: Night) -> None:
    hall.sos()
    for _ in range(300):
        hall.clock.pass_s(2)
        hall.sos()
    assert hall.loop.state.calls[1].repeats == 300
    assert hall.loop.lateness.commits.total < 60, "the ladder's among them"
    [(presses, missing)] = hall.on_disk("presses, 300 - repeats")
    assert presses == 1 and isinstance(missing, int) and 0 < missing <= 30
    hall.clock.pass_s(15)
    hall.sos()
    assert hall.on_disk("presses, repeats") == [(2, 300)]


def test_a_restart_in_the_midst_of_a_stuck_buttons_train_does_not_ring(
    tmp_path: Path, clock: HeldClock
) -> None:
    hall = Night(tmp_path, clock)
    for _ in range(6):
        hall.sos()
        clock.pass_s(3)
    assert hall.order("close_call", call_id=1, by="小李", outcome="helped")["ok"] is True
    for _ in range(3):
        hall.sos()
        clock.pass_s(3)
    hall.die()
    again = Night(tmp_path, clock)
    again.sos()
    assert [call.state for call in again.loop.state.calls.values()] == ["CLOSED"]
    assert again.loop.state.devices[SOS].health == "fault"
    again.die()


def test_a_copy_while_the_disk_refuses_does_not_make_a_written_call_unwritten(hall: Night) -> None:
    hall.sos()
    hall.told.clear()
    hall.break_disk()
    hall.after_s(1)
    hall.sos()
    assert [fact for fact in hall.told if fact.get("fact") == "CallChanged"] == []
    hall.mend_disk()


def test_a_copy_of_an_old_press_shows_the_lamp_of_the_newest_call(hall: Night) -> None:
    lamps: list[str] = []
    hall.loop.teller._mouths = mouths(set_lamp=lambda lamp: lamps.append(lamp.light))
    hall.press(press_id="a:1")
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    hall.press(press_id="a:2")
    hall.press(press_id="a:1")
    assert lamps == ["blink", "off", "blink", "blink"]
    assert [call.state for call in hall.loop.state.calls.values()] == ["CLOSED", "HEARD"]


# ---------------------------------------------------------------- off the wire


@pytest.fixture
def door(hall: Night) -> Entrance:
    loop = hall.loop
    later = loop.telemetry.read_later
    return Entrance(
        hall.clock, loop.counts, loop.presences, lambda: loop.state, loop.take, later, lambda _topic: False
    )


def hear(hall: Night, door: Entrance, payload: bytes, *, retain: bool = False) -> None:
    message = Published(ZIGBEE.encode(), payload, 1, retain, False, 1)
    door.from_known(message, None)
    hall.after_s(0.01)


RELEASE = b'{"action": "release", "battery": 90}'


def test_the_same_release_twice_is_two_presses_that_were_lost(hall: Night, door: Entrance) -> None:
    hear(hall, door, RELEASE)
    hall.after_s(30)
    hear(hall, door, RELEASE)
    assert hall.on_disk("presses, repeats, doubtful") == [(2, 0, 0)]
    assert hall.loop.lateness._stages["call"]["told"].total == 2, "in the lane of the calls"


def test_a_retained_release_is_a_memory_of_the_broker(hall: Night, door: Entrance) -> None:
    hear(hall, door, RELEASE, retain=True)
    assert hall.loop.state.calls == {}


def test_hold_and_let_go_is_one_press(hall: Night, door: Entrance) -> None:
    hear(hall, door, b'{"action": "hold", "battery": 90}')
    hall.after_s(4)
    hear(hall, door, RELEASE)
    assert hall.on_disk("presses, repeats") == [(1, 0)]


def test_who_presses_and_presses_has_one_line_a_second_in_the_log(
    hall: Night, caplog: pytest.LogCaptureFixture
) -> None:
    """Each press is in the journal; the log is for whoever looks what happened, and its card is worn out by writing."""

    def lines() -> list[str]:
        said = [one.getMessage() for one in caplog.records if one.getMessage().startswith("call 1 ")]
        caplog.clear()
        return [words.partition(": ")[0] + " " + words.rpartition(", ")[2] for words in said]

    for number in range(1, 6):
        hall.press(press_id=f"a:{number}")
    assert lines() == ["call 1 HEARD presses 1"]
    hall.after_s(1.0)
    hall.press(press_id="a:6")
    hall.press(press_id="a:7")
    assert lines() == ["call 1 HEARD presses 6"]
    hall.order("accept_call", call_id=1, by="小李")
    hall.press(press_id="a:8")
    assert lines() == ["call 1 COMING 小李 is on the way"]
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    assert lines() == ["call 1 CLOSED helped by 小李"]
