"""A clock that cannot be trusted: it lies after a power cut, jumps while we run, and nobody is harmed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devices.faults import OrderRefused
from devices.messages import SetLamp
from gateway.hall import clock as rules
from gateway.hall import timers as timer_rules
from gateway.hall.clock import Witness
from gateway.hall.state import ClockFrame, Decision, HallState, JournalLine, TimerSet
from gateway.timekeeping import boot_id, read_witness
from gateway.timers import Clock
from tests.gateway.held_hall import DAY_MS, NOON_MS, YEAR_MS, HeldClock, HeldHall
from tests.mouths import mouths

PI = Witness(synchronised=False, own_clock=False)
SYNCHRONISED = Witness(synchronised=True, own_clock=False)
PC = Witness(synchronised=None, own_clock=True)


def clock_part(hall: HeldHall) -> tuple[object, object]:
    return hall.part("clock")["state"], hall.loop.statistics()["clock"]


# ---------------------------------------------------------------- who is believed


@pytest.mark.parametrize(
    ("witness", "now_ms", "newest_ms", "confirmed_by", "known", "why"),
    [
        (PC, NOON_MS, 0, "", True, "own_clock"),
        (PC, NOON_MS, NOON_MS - DAY_MS, "", True, "own_clock"),
        (PC, NOON_MS, NOON_MS + DAY_MS, "", False, "behind"),
        (PC, 1_000, 0, "", False, "too_early"),  # a PC with a dead battery
        (PI, NOON_MS, 0, "", False, "nobody"),
        (PI, 1_000, 0, "", False, "too_early"),
        (PI, NOON_MS, NOON_MS + YEAR_MS, "", False, "behind"),
        (SYNCHRONISED, NOON_MS, NOON_MS - DAY_MS, "", True, "synchronised"),
        # The notebook was once written under a clock ten years ahead: the network puts it right.
        (SYNCHRONISED, NOON_MS, NOON_MS + 10 * YEAR_MS, "", True, "synchronised"),
        (SYNCHRONISED, 1_000, 0, "", False, "too_early"),  # a time server that says 1970
        (PI, NOON_MS, NOON_MS + 10 * YEAR_MS, "小李", True, "confirmed"),
    ],
)
def test_who_is_believed(
    witness: Witness, now_ms: int, newest_ms: int, confirmed_by: str, known: bool, why: str
) -> None:
    standing = ClockFrame("this", 0, True, NOON_MS, confirmed_by) if confirmed_by else None
    judged = rules.judge(witness, now_ms, newest_ms, standing)
    assert (judged.known, judged.why) == (known, why)
    assert bool(judged.why_zh and judged.why_en) is not known, (
        "what is wrong is said in both languages, with what to do"
    )
    assert known or ("linli clock" in judged.why_zh and "linli clock" in judged.why_en)


def test_this_machine_says_something_of_its_clock_and_of_its_boot() -> None:
    witness = read_witness()
    assert witness.synchronised in (True, False, None) and isinstance(witness.own_clock, bool)
    assert boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    real = Clock()
    assert abs(real.offset_ms() - (time.time() - time.monotonic()) * 1000) < 50


# ---------------------------------------------------------------- a Pi without a clock battery


def test_a_pi_that_boots_in_1970_rings_as_ever_and_says_that_it_does_not_know_the_time(
    tmp_path: Path, clock: HeldClock
) -> None:
    clock.power_cut(0, wall_ms=12_000, says=PI)
    hall = HeldHall(tmp_path, clock)
    assert clock_part(hall) == ("degraded", {"known": False, "why": "too_early"})
    hall.press()
    hall.after_s(59)
    assert not hall.overdue()
    hall.after_s(2)
    assert hall.overdue()

    clock.wall_ms, clock.says = NOON_MS, SYNCHRONISED  # the network's time has come
    hall.after_s(1)
    assert clock_part(hall) == ("ready", {"known": True, "why": "synchronised"})
    assert [event for event, _ in hall.journal("ClockStepped", "ClockKnown")] == [
        "ClockStepped",
        "ClockKnown",
    ]
    hall.die()


def test_the_network_time_comes_while_a_call_rings_and_a_kill_later_the_minute_is_still_a_minute(
    tmp_path: Path, clock: HeldClock
) -> None:
    clock.power_cut(0, wall_ms=12_000, says=PI)
    hall = HeldHall(tmp_path, clock)
    hall.press()
    hall.after_s(20)
    clock.wall_ms, clock.says = NOON_MS, SYNCHRONISED
    hall.after_s(1)
    assert hall.rows() == [("call:1:unanswered", NOON_MS + 1000 + 39_000)], "the row stands to the new time"
    hall.die()
    clock.pass_s(10)
    again = HeldHall(tmp_path, clock)
    again.after_s(28)
    assert not again.overdue()
    again.after_s(2)
    assert again.overdue()
    again.die()


def test_the_clock_is_set_while_the_gateway_is_dead_and_the_minute_is_exact_all_the_same(
    tmp_path: Path, clock: HeldClock
) -> None:
    """In one run of the kernel the monotonic clock went on: nobody has to ask the wall."""
    for number, jump_ms in enumerate((DAY_MS, -DAY_MS, 10 * YEAR_MS, -10 * YEAR_MS)):
        folder = tmp_path / str(number)
        folder.mkdir()
        hall = HeldHall(folder, clock)
        hall.press()
        hall.after_s(20)
        hall.die()
        clock.pass_s(10)
        clock.wall_ms += jump_ms
        again = HeldHall(folder, clock)
        again.after_s(29)
        assert not again.overdue(), jump_ms
        again.after_s(2)
        assert again.overdue(), jump_ms
        again.die()
        clock.wall_ms -= jump_ms


def test_after_a_power_cut_with_a_known_clock_the_time_in_the_dark_counts(
    tmp_path: Path, clock: HeldClock
) -> None:
    hall = HeldHall(tmp_path, clock)
    hall.press()
    hall.after_s(20)
    hall.die()
    clock.power_cut(25)
    again = HeldHall(tmp_path, clock)
    again.after_s(14)
    assert not again.overdue()
    again.after_s(2)
    assert again.overdue()
    again.die()


def test_dark_for_a_week_the_call_is_overdue_at_once(tmp_path: Path, clock: HeldClock) -> None:
    hall = HeldHall(tmp_path, clock)
    hall.press()
    hall.die()
    clock.power_cut(7 * 24 * 3600)
    again = HeldHall(tmp_path, clock)
    again.turn()
    assert again.overdue()
    again.die()


@pytest.mark.parametrize(
    "wall_ms", [12_000, NOON_MS - DAY_MS, NOON_MS - 10 * YEAR_MS, NOON_MS + 40_000, NOON_MS + 10 * YEAR_MS]
)
def test_after_a_power_cut_with_an_unknown_clock_the_whole_minute_begins_again(
    tmp_path: Path, clock: HeldClock, wall_ms: int
) -> None:
    """Late by at most the time that had passed; never too early, never never."""
    hall = HeldHall(tmp_path, clock)
    hall.press()
    hall.after_s(30)
    hall.die()
    clock.power_cut(0, wall_ms=wall_ms, says=PI)
    again = HeldHall(tmp_path, clock)
    again.after_s(59)
    assert not again.overdue()
    again.after_s(2)
    assert again.overdue()
    again.die()


def test_killed_every_ten_seconds_under_an_unknown_clock_it_still_comes(
    tmp_path: Path, clock: HeldClock
) -> None:
    """The new frame is written at the first start, so that the next start goes on counting."""
    hall = HeldHall(tmp_path, clock)
    hall.press()
    hall.die()
    clock.power_cut(0, wall_ms=12_000, says=PI)
    for _ in range(7):
        hall = HeldHall(tmp_path, clock)
        hall.turn()
        hall.die()
        clock.pass_s(10)
    hall = HeldHall(tmp_path, clock)
    hall.turn()
    assert hall.overdue()
    hall.die()


def test_a_deadline_of_ten_days_that_was_set_under_an_unknown_clock_does_not_fire_when_the_power_comes_back(
    tmp_path: Path, clock: HeldClock
) -> None:
    clock.power_cut(0, wall_ms=12_000, says=PI)
    hall = HeldHall(tmp_path, clock)
    hall.set_timer("later", 10 * DAY_MS)
    hall.die()
    clock.power_cut(0, wall_ms=NOON_MS, says=SYNCHRONISED)
    again = HeldHall(tmp_path, clock)
    again.after_s(9 * 24 * 3600)
    assert again.journal("TimerUnknown") == [], "it would be 56 years late by its row"
    again.after_s(24 * 3600 + 1)
    assert len(again.journal("TimerUnknown")) == 1
    again.die()


def test_put_right_in_the_morning_the_clock_is_known_in_the_evening_without_a_network(
    tmp_path: Path, clock: HeldClock
) -> None:
    """The kernel takes its word back some hours after the last answer of a time server."""
    clock.says = SYNCHRONISED
    hall = HeldHall(tmp_path, clock)
    clock.says = PI
    hall.after_s(9 * 3600)
    assert clock_part(hall) == ("ready", {"known": True, "why": "kept"})
    hall.die()
    clock.pass_s(60)
    again = HeldHall(tmp_path, clock)
    assert clock_part(again) == ("ready", {"known": True, "why": "kept"})
    clock.wall_ms += 5_000
    again.after_s(1)
    assert clock_part(again)[0] == "degraded", "moved by nobody knows whom"
    again.die()


# ---------------------------------------------------------------- a person confirms


def test_a_person_confirms_the_clock_of_a_hall_without_network(tmp_path: Path, clock: HeldClock) -> None:
    clock.says = PI
    hall = HeldHall(tmp_path, clock)
    assert clock_part(hall) == ("degraded", {"known": False, "why": "nobody"})
    assert hall.order("confirm_clock", by="小李") == {"ok": True, "written": True}
    hall.after_s(1)
    assert clock_part(hall) == ("ready", {"known": True, "why": "confirmed"})
    hall.die()
    clock.pass_s(3600)
    again = HeldHall(tmp_path, clock)
    assert clock_part(again) == ("ready", {"known": True, "why": "confirmed"}), "a restart forgets no word"
    clock.wall_ms += 30_000
    again.after_s(1)
    assert clock_part(again)[0] == "degraded", (
        "somebody has moved it since: it was not this time that was confirmed"
    )
    again.order("confirm_clock", by="老王")
    again.after_s(1)
    again.die()
    clock.power_cut(60)
    after_cut = HeldHall(tmp_path, clock)
    assert clock_part(after_cut)[0] == "degraded", "what he saw was the time before the power cut"
    after_cut.die()


def test_what_cannot_be_confirmed(hall: HeldHall, clock: HeldClock) -> None:
    assert hall.order("confirm_clock", by=" ")["fault"] == "refused"
    assert hall.order("confirm_clock")["fault"] == "refused"
    clock.wall_ms = 12_000
    answer = hall.order("confirm_clock", by="小李")
    assert answer["fault"] == "refused" and answer["why_zh"] and answer["why_en"]
    with pytest.raises(OrderRefused):
        rules.confirmed(HallState(), "小李", NOON_MS)


def test_while_the_disk_refuses_the_clock_is_judged_all_the_same(hall: HeldHall, clock: HeldClock) -> None:
    hall.break_disk()
    clock.wall_ms, clock.says = 12_000, PI
    hall.after_s(1)
    assert clock_part(hall) == ("degraded", {"known": False, "why": "too_early"})
    hall.mend_disk()
    hall.after_s(1)
    frame = hall.loop.state.frame
    assert frame is not None and not frame.known and hall.journal("ClockStepped") != []


# ---------------------------------------------------------------- jumps while we run


@pytest.mark.parametrize("jump_ms", [DAY_MS, -DAY_MS, 10 * YEAR_MS, -10 * YEAR_MS, 2_000, -2_000, 3_600_000])
def test_the_wall_clock_jumps_and_is_journalled_and_the_minute_is_a_minute(
    tmp_path: Path, clock: HeldClock, jump_ms: int
) -> None:
    hall = HeldHall(tmp_path, clock)
    hall.press()
    hall.after_s(20)
    clock.wall_ms += jump_ms
    hall.after_s(1)
    assert hall.journal("ClockStepped") == [("ClockStepped", f"{jump_ms:+d} ms")]
    hall.after_s(1)
    assert len(hall.journal("ClockStepped")) == 1, "said once"
    hall.die()  # and a kill on top of it
    again = HeldHall(tmp_path, clock)
    again.after_s(37)
    assert not again.overdue()
    again.after_s(2)
    assert again.overdue()
    again.die()


def test_a_clock_that_is_slewed_is_no_step(hall: HeldHall, clock: HeldClock) -> None:
    for _ in range(100):
        clock.wall_ms += 10
        hall.after_s(1)
    assert hall.journal("ClockStepped") == []


def test_an_appointment_waits_for_a_known_clock_and_follows_its_steps(
    tmp_path: Path, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def came(_state: HallState, timer: TimerSet, now_ms: int) -> Decision:
        return Decision(changes=[JournalLine(now_ms, "Appointment", "test", "", str(now_ms - timer.due_ms))])

    monkeypatch.setitem(timer_rules.DUE, "appointment", came)
    clock.says = PI
    hall = HeldHall(tmp_path, clock)
    hall.set_timer("appointment", 3600_000, by_wall=True)
    hall.after_s(7200)
    assert hall.journal("Appointment") == [], "the time is not known: nothing is scheduled by it"
    clock.wall_ms, clock.says = NOON_MS + 1800_000, SYNCHRONISED
    hall.after_s(1)
    hall.after_s(1700)
    assert hall.journal("Appointment") == []
    clock.wall_ms += 100_000  # another step, over the appointed time
    hall.after_s(1)
    hall.after_s(0)
    assert len(hall.journal("Appointment")) == 1 and hall.rows() == []
    hall.die()


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("Asia/Shanghai", datetime(2026, 12, 31, 15, 59, 30, tzinfo=UTC)),  # midnight and new year in Beijing
        ("Europe/Berlin", datetime(2026, 10, 25, 0, 59, 30, tzinfo=UTC)),  # 03:00 becomes 02:00
        ("Europe/Berlin", datetime(2027, 3, 28, 0, 59, 30, tzinfo=UTC)),  # 02:00 becomes 03:00
        ("UTC", datetime(2028, 2, 28, 23, 59, 30, tzinfo=UTC)),  # a leap day begins
    ],
)
def test_midnight_and_daylight_change_are_moments_like_others(
    tmp_path: Path, zone: str, moment: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    clock = HeldClock(int(moment.timestamp() * 1000))
    hall = HeldHall(tmp_path, clock)
    hall.press()
    for _ in range(59):
        hall.after_s(1)
    assert not hall.overdue()
    hall.after_s(2)
    assert hall.overdue() and hall.journal("ClockStepped") == []
    hall.die()
    monkeypatch.undo()
    time.tzset()


def test_two_readings_that_a_stall_has_torn_apart_are_no_step() -> None:
    class Stalled(HeldClock):
        stalls = 1

        def now_ms(self) -> int:
            if self.stalls:
                self.stalls -= 1
                self.pass_s(5)  # put off the processor just before the wall clock was read
            return self.wall_ms

    clock = Stalled()
    calm = NOON_MS - 1_000_000
    assert clock.offset_ms() == calm


def test_a_lamp_is_lit_whatever_the_clock_says(tmp_path: Path, clock: HeldClock) -> None:
    clock.power_cut(0, wall_ms=12_000, says=PI)
    hall = HeldHall(tmp_path, clock)
    lamps: list[SetLamp] = []
    hall.loop.teller._mouths = mouths(set_lamp=lamps.append)
    hall.press()
    assert [lamp.light for lamp in lamps] == ["blink"]
    hall.die()


def test_a_frame_of_another_linli_is_as_none(tmp_path: Path, clock: HeldClock) -> None:
    hall = HeldHall(tmp_path, clock)
    hall.press()
    hall.book.write(lambda db: db.execute("UPDATE meta SET value = '{\"v\": 9}' WHERE key = 'clock_frame'"))
    hall.die()
    clock.pass_s(30)
    again = HeldHall(tmp_path, clock)
    again.after_s(31)
    assert again.overdue()
    again.die()


def test_what_is_left_is_never_more_than_the_whole_and_never_less_than_nothing() -> None:
    timer = TimerSet("t", "k", "s", NOON_MS, 60_000)
    frames = [
        ClockFrame(boot, offset_ms, known, NOON_MS)
        for boot in ("a", "b")
        for offset_ms in (0, NOON_MS, NOON_MS - DAY_MS, NOON_MS + 10 * YEAR_MS, -NOON_MS)
        for known in (True, False)
    ]
    left = {
        rules.left_ms(timer, then, now, mono_ms)
        for then in [None, *frames]
        for now in frames
        for mono_ms in (0, 30_000, DAY_MS)
    }
    assert min(left) == 0 and max(left) == 60_000 and 30_000 in left
