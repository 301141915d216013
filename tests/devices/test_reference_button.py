"""The reference button and a real hall: a real broker, a real gateway, the firmware's own code.

The whole button is led here, its time held. As a program of its own, in the chip's language, it is in
test_reference_button_desk.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.devices.held_button import DEVICE, HeldButton
from tests.parts import Device, Gateway, Json, gateway, wait_until

pytestmark = pytest.mark.slow
PRESS = f"linli/v1/button/{DEVICE}/press"
STATUS = f"linli/v1/button/{DEVICE}/status"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path / "hall") as running:
        yield running


def calls_of(hall: Gateway, device: str = DEVICE) -> list[Json]:
    return [call for call in hall.seat().snapshot["calls"] if call["device_id"] == device]


# ---------------------------------------------------------------- a press and its hall


def test_a_press_is_heard_somebody_comes_and_it_is_done(hall: Gateway, tmp_path: Path) -> None:
    seat = hall.seat()
    with closing(HeldButton(tmp_path / "b", hall.broker.port)) as button:
        button.until_up()
        button.press()
        button.until_written()
        button.until_light("blink")
        call = seat.wait_fact("CallChanged", device_id=DEVICE, state="HEARD")
        assert (call["presses"], call["delayed"], call["doubtful"], call["button"]) == (1, False, False, 1)
        seat.order("accept_call", call_id=call["call_id"], by="李姐")
        button.until_light("steady")
        seat.order("close_call", call_id=call["call_id"], by="李姐", outcome="test", note="")
        button.until_light("off")
        for _ in range(60):
            button.pass_s(0.1)
            button.turn()
        assert button.tunes == ["felt", "heard", "coming"]


def test_the_gateway_is_away_and_the_button_asks_each_second_until_it_is_back(
    hall: Gateway, tmp_path: Path
) -> None:
    with closing(HeldButton(tmp_path / "b", hall.broker.port)) as button:
        button.until_up()
        hall.process.kill()
        ear = hall.device(PRESS)
        button.press()
        for second in range(15):
            # The finger was down for 0.1 s before the first turn of a whole second.
            heard = ear_hears(button, ear, lambda age_ms, second=second: age_ms >= second * 1000)
            assert heard["seq"] == 1
            button.pass_s(1)
        assert "heard" not in button.tunes
        assert "not_yet" in button.tunes
        assert button.light == "off"
        hall.start()
        button.until_written()
        button.until_light("blink")
        assert [call["presses"] for call in calls_of(hall)] == [1]


def ear_hears(button: HeldButton, ear: Device, fits) -> Json:
    found: list[Json] = []

    def heard() -> bool:
        found.extend(json.loads(payload) for topic, payload in ear.take_heard(0.01) if topic == PRESS)
        return bool(found) and fits(found[-1]["age_ms"])

    button.turn_until(heard, "the press is said")
    return found[-1]


def test_the_broker_is_away_and_the_press_waits_for_it(hall: Gateway, tmp_path: Path) -> None:
    with closing(HeldButton(tmp_path / "b", hall.broker.port)) as button:
        button.until_up()
        hall.broker.kill()
        button.turn_until(lambda: not button.life.up, "it has noticed")
        button.press()
        button.pass_s(700)  # by its own clock it is an old press when it is heard
        button.turn()
        assert (button.light, button.unwritten) == ("off", 1)
        seat = hall.seat()
        hall.broker.start()
        button.until_written()
        button.until_light("blink")
        call = seat.wait_fact("CallChanged", device_id=DEVICE)
        assert (call["presses"], call["delayed"]) == (1, True)


def test_the_power_went_between_the_press_and_the_word_and_it_is_one_call(
    hall: Gateway, tmp_path: Path
) -> None:
    button = HeldButton(tmp_path / "b", hall.broker.port)
    button.until_up()
    first_boot = button.life.protocol.boot
    seat = hall.seat()
    # Said in one turn, and then it is dark before anything could be heard: a second turn might hear it.
    button.board.put_finger(True)
    button.turn()
    seat.wait_fact("CallChanged", device_id=DEVICE)
    assert button.unwritten == 1
    button.board.put_finger(False)
    button.power_cut()
    with closing(button):
        assert button.life.protocol.boot != first_boot
        assert button.unwritten == 1
        button.until_written()
        button.until_light("blink")
        assert [call["presses"] for call in calls_of(hall)] == [1], "the same key is the same press"
        button.pass_s(20)
        button.press()
        button.until_written()
        assert [call["presses"] for call in calls_of(hall)] == [2], "and another one is another"


def test_a_battery_button_sleeps_wakes_to_a_finger_and_is_one_device_to_the_hall(
    hall: Gateway, tmp_path: Path
) -> None:
    seat, ear = hall.seat(), hall.device(STATUS)
    with closing(HeldButton(tmp_path / "b", hall.broker.port, power="battery")) as button:

        def until_asleep() -> None:
            rests = len(button.rests)
            while len(button.rests) == rests:
                button.turn_until(lambda: button.turn() or button.life.up, "it sleeps")
                button.pass_s(0.05)

        until_asleep()
        boot = button.life.protocol.boot
        assert ear.wait_heard(STATUS, every_s=14_400)["battery_pct"] == 75
        for seq in (1, 2):
            button.wake(finger=True)
            button.turn()
            button.board.put_finger(False)
            button.until_written()
            button.until_light("blink")
            call = seat.wait_fact("CallChanged", device_id=DEVICE, state="HEARD")
            assert call["presses"] == 1
            seat.order("close_call", call_id=call["call_id"], by="李姐", outcome="test", note="")
            button.until_light("off")
            until_asleep()
            assert (button.life.protocol.boot, seq) == (boot, call["call_id"])
        assert button.rests[-1][1], "a finger may wake it"
        # Even where its goodbye is lost. (The broker lets it in again only after it has buried the one that it was.)
        button.wake()
        button.press()
        button.until_written()
        button.until_light("blink")
        button.die()
        button.board.charge_mv = 3_700
        button.until_up()
        button.turn()
        ear.wait_heard(STATUS, battery_mv=3_700)
        ear.close()
        assert (STATUS, "offline") not in ear.heard, "it fell asleep, it did not die"

        def known() -> tuple[object, ...]:
            device = next(one for one in hall.seat().snapshot["devices"] if one["device_id"] == DEVICE)
            return device["health"], device["battery_pct"], device["family"]

        # The gateway has its own time to read what the ear has heard.
        wait_until(lambda: known() == ("ok", 50, "linli"), lambda: f"the hall knows its charge: {known()}")


def test_a_button_on_mains_that_dies_is_missed(hall: Gateway, tmp_path: Path) -> None:
    seat = hall.seat()
    button = HeldButton(tmp_path / "b", hall.broker.port)
    ear = hall.device(STATUS)
    with closing(button):
        button.until_up()
        button.turn()
        assert ear.wait_heard(STATUS)["every_s"] == 60
        seat.wait_fact("DeviceChanged", device_id=DEVICE, health="ok")
        button.die()
        seat.wait_fact("DeviceChanged", device_id=DEVICE, health="offline")
