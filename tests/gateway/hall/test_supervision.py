"""Devices are looked after: silence, batteries, tests, broken paths. Told with a held clock, on paper and on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from devices.faults import OrderRefused
from devices.messages import DeviceSeen, PathSeen
from gateway import views
from gateway.arrival import Arrival
from gateway.hall import upkeep
from gateway.hall.kinds import DEFAULTS
from gateway.hall.rows import Care
from gateway.hall.rows import Path as Path_
from gateway.hall.state import Device
from gateway.hall.supervision import BOUGHT_EVERY_MS, MOST_PATHS, TROUBLE_PRIORITY, deadline_ms, for_long
from tests.gateway.hall.care_hall import DAY_S, PaperHall
from tests.gateway.held_hall import HeldClock, HeldHall

H_MS = 3_600_000
BTN = "zigbee2mqtt:btn"


def device(family: str, model: str = "", every_ms: int = BOUGHT_EVERY_MS, name: str = "x") -> Device:
    return Device(f"{family}:{name}", "call_button", 0, 0, every_ms, family, model)


# ---------------------------------------------------------------- deadlines


@pytest.mark.parametrize(
    ("one", "hours"),
    [
        (device("zigbee2mqtt", "TS0215A"), 25),
        (device("chirpstack_v4", "WS101"), 37),
        (device("ttn_v3", "R312A"), 3),
        (device("chirpstack_v4", "Abeeway Micro Tracker"), 72),
        (device("chirpstack_v4", "LW006"), 72),
        (device("chirpstack_v4", "LW009-SM"), 37),
        (device("generic_json", "", name="A1B2"), 72),
        (device("chirpstack_v4", "nobody knows"), 37),
        (device("esphome"), 0),
        (device("tasmota"), 25),
        (device("generic_json", "", name="home/gate/433toMQTT-1361"), 0),
    ],
)
def test_each_model_has_its_own_time_to_be_silent(one: Device, hours: int) -> None:
    assert deadline_ms(one, None) // H_MS == hours


def test_a_promise_comes_before_the_model_and_the_staffs_word_before_both() -> None:
    assert deadline_ms(device("linli", every_ms=60_000), None) == 180_000
    assert deadline_ms(device("zigbee2mqtt", every_ms=600_000), None) == 1_800_000
    assert deadline_ms(device("zigbee2mqtt"), Care("x", silent_after_ms=4 * H_MS)) == 4 * H_MS


def test_times_are_said_as_people_say_them() -> None:
    assert [for_long(ms)[0] for ms in (30_000, 180_000, 25 * H_MS, 96 * H_MS)] == [
        " 1 分钟", " 3 分钟", " 25 小时", " 4 天",
    ]  # fmt: skip


def test_trouble_comes_after_every_kind_of_call() -> None:
    assert all(kind.priority < TROUBLE_PRIORITY for kind in DEFAULTS.values())


# ---------------------------------------------------------------- batteries


@pytest.mark.parametrize(
    "word",
    [{"battery_low": True}, {"battery_pct": 9.0}, {"battery_mv": 2300}],
    ids=["flag", "percent", "volts"],
)
def test_a_low_battery_is_reminded_of_each_week_until_it_is_changed(word: dict[str, Any]) -> None:
    hall = PaperHall()
    hall.claim(BTN)
    hall.seen(BTN, **word)
    assert hall.state.devices[BTN].health == "low_battery"
    hall.pass_s(6 * DAY_S).seen(BTN, **word)
    assert hall.events("BatteryReminder") == []
    hall.pass_s(DAY_S)
    assert hall.events("BatteryReminder", "BatteryOverdue") == ["BatteryReminder"]
    hall.pass_s(7 * DAY_S)
    assert hall.events("BatteryReminder", "BatteryOverdue") == ["BatteryReminder", "BatteryOverdue"]
    assert "超期" in hall.state.devices[BTN].why_zh and hall.care(BTN).fault == "battery_overdue"
    hall.pass_s(7 * DAY_S)
    hall.order("care_device", device_id=BTN, by="小李", battery_changed=True)
    assert hall.state.devices[BTN].health == "ok" and hall.care(BTN).fault == ""
    hall.pass_s(30 * DAY_S)
    assert len(hall.events("BatteryOverdue")) == 2, "nobody is reminded of a battery that was changed"


def test_a_new_battery_is_seen_by_its_jump_and_a_warm_day_is_none() -> None:
    hall = PaperHall()
    hall.claim(BTN)
    hall.seen(BTN, battery_pct=18.0)
    hall.seen(BTN, battery_pct=27.0)
    hall.press(BTN)
    assert hall.state.devices[BTN].health == "low_battery"
    hall.seen(BTN, battery_pct=100.0)
    assert hall.state.devices[BTN].health == "ok" and hall.events("BatteryChanged") == ["BatteryChanged"]
    assert not [timer for timer in hall.state.timers.values() if timer.kind == "battery"]


def test_a_flag_stays_until_a_person_or_the_voltage_says_otherwise() -> None:
    hall = PaperHall()
    hall.claim(BTN)
    hall.seen(BTN, battery_low=True)
    hall.seen(BTN)
    hall.seen(BTN, battery_mv=2500)
    assert hall.state.devices[BTN].health == "low_battery"
    hall.seen(BTN, battery_mv=3000)
    assert hall.state.devices[BTN].health == "ok"


def test_a_stuck_button_is_a_fault_until_somebody_says_that_it_is_mended() -> None:
    hall = PaperHall()
    hall.claim(BTN)
    hall.state.table(Care)[BTN] = Care(BTN, fault="stuck", fault_since_ms=hall.now_ms)
    hall.seen(BTN)
    assert hall.state.devices[BTN].health == "fault" and "卡住" in hall.state.devices[BTN].why_zh
    hall.order("care_device", device_id=BTN, by="小李", repaired=True)
    assert hall.state.devices[BTN].health == "ok"


# ---------------------------------------------------------------- test calls


def test_an_announced_test_is_a_call_of_its_own_kind_and_is_recorded() -> None:
    hall = PaperHall()
    hall.claim(BTN, call_kind="emergency")
    hall.order("care_device", device_id=BTN, by="小李", expect_test=True)
    hall.pass_s(120).press(BTN)
    assert hall.call().kind == "test" and hall.care(BTN).tested_ms == hall.now_ms
    assert hall.care(BTN).test_until_ms == 0 and "DeviceTested" in hall.events()


def test_a_second_press_during_a_test_is_no_test() -> None:
    hall = PaperHall()
    hall.claim(BTN)
    hall.order("care_device", device_id=BTN, by="小李", expect_test=True)
    hall.press(BTN)
    hall.pass_s(1).press(BTN)
    assert len(hall.state.calls) == 1, "a copy of the same press"
    hall.pass_s(15).press(BTN)
    first, second = hall.call(1), hall.call(2)
    assert (first.state, first.outcome) == ("CLOSED", "test")
    assert (second.state, second.kind, second.presses) == ("HEARD", "emergency", 1)


@pytest.mark.parametrize("gap_s", [1, 3, 5, 7, 9])
@pytest.mark.parametrize(
    ("button", "numbered", "at_most_s"),
    [("btn-01", True, 10), ("chirpstack_v4:btn", True, 10), (BTN, False, 30)],
    ids=["ours", "numbered", "unnumbered"],
)
def test_who_presses_on_and_on_after_a_test_press_is_heard(
    button: str, numbered: bool, at_most_s: int, gap_s: int
) -> None:
    """However near each other: the elder fell while staff were testing, and does not wait between two presses."""
    hall = PaperHall()
    hall.claim(button)
    hall.order("care_device", device_id=button, by="小李", expect_test=True)
    began_ms = hall.now_ms
    hall.press(button, "a:0" if numbered else "")
    for number in range(1, 40):
        hall.pass_s(gap_s).press(button, f"a:{number}" if numbered else "")
        if len(hall.state.calls) > 1:
            break
    assert hall.now_ms - began_ms < (at_most_s + 2 * gap_s) * 1000
    first, second = hall.call(1), hall.call(2)
    assert (first.state, first.outcome) == ("CLOSED", "test")
    assert (second.state, second.kind, second.presses) == ("HEARD", "emergency", 1)


def test_copies_of_a_test_press_are_no_call_however_late_they_come() -> None:
    hall = PaperHall()
    hall.claim("btn-01")
    hall.order("care_device", device_id="btn-01", by="小李", expect_test=True)
    hall.press("btn-01", "a:1")
    for _ in range(20):
        assert hall.pass_s(7).press("btn-01", "a:1").duplicate
    assert (hall.call().call_id, hall.call().kind, hall.call().state) == (1, "test", "HEARD")


def test_who_goes_on_pressing_after_staff_have_closed_the_test_is_heard() -> None:
    hall = PaperHall()
    hall.claim(BTN)
    hall.order("care_device", device_id=BTN, by="小李", expect_test=True)
    for _ in range(4):
        hall.press(BTN)
        hall.pass_s(7)
    hall.order("close_call", call_id=1, by="小李", outcome="test")
    hall.press(BTN)
    assert (hall.call(2).state, hall.call(2).kind) == ("HEARD", "emergency")


@pytest.mark.parametrize("off_s", [-DAY_S, -60, 601, DAY_S], ids=str)
def test_an_announced_test_is_awaited_for_ten_minutes_by_the_clock_too(off_s: int) -> None:
    """Its timer has not fired, or the clock was set: what is not within the ten minutes is no test."""
    hall = PaperHall()
    hall.claim(BTN)
    hall.order("care_device", device_id=BTN, by="小李", expect_test=True)
    hall.now_ms += off_s * 1000
    hall.press(BTN)
    assert hall.call().kind == "emergency"


def test_a_test_that_nobody_presses_is_over_after_ten_minutes() -> None:
    hall = PaperHall()
    hall.claim(BTN)
    hall.order("care_device", device_id=BTN, by="小李", expect_test=True)
    hall.pass_s(601)
    assert hall.events("TestMissed") == ["TestMissed"]
    hall.press(BTN)
    assert hall.call().kind == "emergency"


def test_what_the_device_itself_calls_a_test_is_one() -> None:
    hall = PaperHall()
    hall.claim(BTN)
    hall.press(BTN, event="test", if_claimed=True)
    assert hall.call().kind == "test" and hall.care(BTN).tested_ms == hall.now_ms


def test_an_open_call_is_never_taken_for_a_test() -> None:
    hall = PaperHall()
    hall.claim(BTN)
    hall.press(BTN)
    with pytest.raises(OrderRefused, match="open call"):
        hall.order("care_device", device_id=BTN, by="小李", expect_test=True)
    hall.pass_s(60).press(BTN, event="test", if_claimed=True)
    assert hall.call().kind == "emergency"


def test_the_next_test_is_due_a_month_after_the_last() -> None:
    one = device("zigbee2mqtt")
    assert upkeep.test_due_ms(one, None) == 30 * DAY_S * 1000
    assert upkeep.test_due_ms(one, Care("x", tested_ms=5, test_every_d=7)) == 5 + 7 * DAY_S * 1000
    assert upkeep.test_due_ms(one, Care("x", test_every_d=0)) == 0


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"device_id": "nobody"}, "没有设备"),
        ({"device_id": BTN, "silent_after_ms": 5}, "最短"),
        ({"device_id": BTN, "test_every_d": -1}, "test_every_d"),
        ({"device_id": "bay", "expect_test": True}, "只有呼叫按钮"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(order: dict[str, object], why: str) -> None:
    hall = PaperHall()
    hall.claim(BTN)
    hall.claim("bay", "bay_sensor", bay_id="e-1", zone_id="east")
    with pytest.raises(OrderRefused) as refused:
        hall.order("care_device", **order)
    assert why in refused.value.why_zh


# ---------------------------------------------------------------- the loop, by a held clock


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldHall]:
    hall = HeldHall(tmp_path, HeldClock())
    yield hall
    hall.die()


def hear(hall: HeldHall, *facts: DeviceSeen | PathSeen) -> None:
    for fact in facts:
        arrival = Arrival(
            hall.clock.monotonic_ns(), hall.clock.now_ms(), "heard", (fact,), source=fact.device_id
        )
        hall.loop.take(arrival)
    for _ in range(len(facts) // 64 + 2):
        hall.after_s(0.3)


def buttons(hall: HeldHall, count: int) -> list[str]:
    names = [f"zigbee2mqtt:b{number}" for number in range(count)]
    for name in names:
        hall.order("claim_device", device_id=name, kind="call_button", name=name)
    hear(hall, *(DeviceSeen(name, "zigbee2mqtt", via=name.replace(":", "/")) for name in names))
    return names


def sweep(hall: HeldHall, seconds: float, *, step_s: float = 5.0) -> None:
    """Time passes in steps of the sweep."""
    for _ in range(round(seconds / step_s)):
        hall.after_s(step_s)


def health(hall: HeldHall) -> set[str]:
    return {one.health for one in hall.loop.state.devices.values()}


def silent_lines(hall: HeldHall) -> int:
    return hall.journal("DeviceHealth").count(("DeviceHealth", "silent"))


def test_a_silent_button_is_a_fault_within_a_minute_of_its_deadline_and_once(held: HeldHall) -> None:
    buttons(held, 1)
    held.after_s(25 * 3600 - 60)
    sweep(held, 30)
    assert health(held) == {"ok"}
    sweep(held, 90)
    assert health(held) == {"silent"}
    sweep(held, 3600, step_s=60)
    assert silent_lines(held) == 1


def test_a_start_gives_time_to_speak_and_forgets_no_silence(tmp_path: Path) -> None:
    clock = HeldClock()
    hall = HeldHall(tmp_path, clock)
    buttons(hall, 1)
    hall.after_s(24 * 3600)
    hall.loop.rounds.persist_seen()
    hall.after_s(1000)
    hall.die()
    clock.power_cut(14 * 3600)  # a night without power: nobody could hear it
    hall = HeldHall(tmp_path, clock)
    sweep(hall, 600)
    assert health(hall) == {"ok"}
    sweep(hall, 2 * 3600, step_s=60)
    assert health(hall) == {"silent"}, "the hours before the night count"
    hall.die()


def test_behind_a_broken_bridge_nobody_is_silent_and_it_is_said_once(held: HeldHall) -> None:
    buttons(held, 300)
    hear(held, PathSeen("zigbee2mqtt", True))
    held.after_s(24 * 3600)
    hear(held, PathSeen("zigbee2mqtt", False))
    sweep(held, 10)
    assert held.part("path:zigbee2mqtt")["state"] == "down"
    held.after_s(20 * 3600)
    sweep(held, 60)
    assert silent_lines(held) == 0 and health(held) == {"ok"}
    told = [fact for fact in held.told if fact["fact"] == "PartChanged" and "path" in str(fact)]
    assert len(told) == 1 and held.journal("PathDown") == [("PathDown", "")]
    fleet = views.fleet(held.book.connection, held.clock.now_ms())
    assert {one["trouble"] for one in fleet} == {"path"}
    # It is back; whoever is really gone is found, but not before it had time to speak.
    hear(
        held, PathSeen("zigbee2mqtt", True), DeviceSeen("zigbee2mqtt:b7", "zigbee2mqtt", via="zigbee2mqtt/b7")
    )
    sweep(held, 600)
    assert held.part("path:zigbee2mqtt")["state"] == "ready" and silent_lines(held) == 0
    sweep(held, 3700, step_s=60)
    for _ in range(20):
        sweep(held, 5)
    assert silent_lines(held) == 299


def test_a_broker_that_was_away_makes_nobody_silent(held: HeldHall) -> None:
    held.order("claim_device", device_id="btn-01", kind="call_button", name="3栋")
    hear(held, DeviceSeen("btn-01", "linli"))
    held.loop.teller.part_is("broker", "down", "断开", "away")
    sweep(held, 3600, step_s=60)
    assert silent_lines(held) == 0
    held.loop.teller.part_is("broker", "ready")
    sweep(held, 30)
    assert silent_lines(held) == 0
    sweep(held, 240)
    assert silent_lines(held) == 1


def test_a_radio_gateway_without_a_pulse_is_down_within_three_minutes(held: HeldHall) -> None:
    hear(held, PathSeen("lorawan:0016c001f1500812", True))
    name = "path:lorawan:0016c001f1500812"
    for _ in range(10):
        held.loop.presences.heard(name, held.clock.monotonic_s(), held.clock.now_ms())
        sweep(held, 30)
    assert held.journal("PathDown") == []
    sweep(held, 150)
    assert held.part(name)["state"] == "down" and held.journal("PathDown") == [("PathDown", "")]
    sweep(held, 3600, step_s=60)
    assert held.journal("PathDown") == [("PathDown", "")]
    assert held.order("forget_path", path_id="lorawan:0016c001f1500812", by="小李")["ok"]
    sweep(held, 10)
    assert held.part(name)["state"] == "ready"


def test_who_invents_gateways_gets_no_further_than_a_bound() -> None:
    hall = PaperHall()
    for number in range(500):
        hall.path(f"lorawan:{number:016x}", True)
    hall.path("lorawan:0000000000000007", False)
    assert len(hall.state.table(Path_)) == MOST_PATHS and hall.events("PathDown") == ["PathDown"]


def test_a_reminder_and_a_telling_survive_a_restart(tmp_path: Path) -> None:
    clock = HeldClock()
    hall = HeldHall(tmp_path, clock)
    hall.order("claim_device", device_id=BTN, kind="call_button", name="3栋")
    hear(hall, DeviceSeen(BTN, "zigbee2mqtt", battery_low=True, via="zigbee2mqtt/btn"))
    hall.die()
    clock.power_cut(3 * DAY_S)
    hall = HeldHall(tmp_path, clock)
    assert hall.loop.state.devices[BTN].health == "low_battery"
    hall.after_s(4 * DAY_S + 60)
    hall.after_s(1)
    assert hall.journal("BatteryReminder") == [("BatteryReminder", "")]
    assert [name for name, _ in hall.rows()] == [f"device:{BTN}:battery"]
    hall.die()


def test_thirty_days_of_quiet_buttons_write_next_to_nothing(held: HeldHall) -> None:
    names = buttons(held, 100)
    before = held.book.connection.total_changes
    for _ in range(30):
        held.clock.pass_s(24 * 3600)
        for name in names:
            held.loop.presences.heard(name, held.clock.monotonic_s(), held.clock.now_ms())
        held.after_s(5)
    assert health(held) == {"ok"} and silent_lines(held) == 0
    # "last seen" once a day, and nothing besides but the clock's note
    assert held.book.connection.total_changes - before < 30 * (100 + 10)


def test_the_fleet_is_listed_worst_first_with_its_deadlines(tmp_path: Path) -> None:
    hall = HeldHall(tmp_path, HeldClock())
    for name, place in (("zigbee2mqtt:low", "1栋"), ("zigbee2mqtt:well", "2栋"), ("esphome:gone", "3栋")):
        hall.order("claim_device", device_id=name, kind="call_button", name=name, place=place)
    hear(
        hall,
        DeviceSeen("zigbee2mqtt:low", "zigbee2mqtt", battery_pct=5.0),
        DeviceSeen("zigbee2mqtt:well", "zigbee2mqtt"),
        DeviceSeen("esphome:gone", "esphome", offline=True),
    )
    now_ms = hall.clock.now_ms()
    hall.die()
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as book:
        fleet = views.fleet(book, now_ms)
        later = views.fleet(book, now_ms + 31 * DAY_S * 1000)
    assert [one["trouble"] for one in fleet] == ["offline", "low_battery", ""]
    assert [one["deadline_ms"] for one in fleet] == [0, 25 * H_MS, 25 * H_MS]
    assert [one["trouble"] for one in later] == ["offline", "low_battery", "test_due"]
