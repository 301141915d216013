"""A life: a Zigbee button and the siren beside it, on a real broker with a real gateway. The siren is played here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.parts import PATIENCE_S, Device, Gateway, Seat, gateway

#: How long the siren has to say that it sounds. Short, because this test waits for it by a real clock.
CONFIRM_MS = 400
TOLD = "zigbee2mqtt/siren-302/set"


def claim(seat: Seat, **how: object) -> None:
    answer = seat.order("claim_device", by="小李", **how)
    assert answer["ok"], answer


def hall_with_siren(hall: Gateway, seat: Seat, siren: Device) -> None:
    siren.say("zigbee2mqtt/siren-302", {"linkquality": 90, "battery": 100})
    seat.wait_fact("DeviceChanged", device_id="zigbee2mqtt:siren-302")
    siren.say("zigbee2mqtt/btn-302", {"battery": 88})
    seat.wait_fact("DeviceChanged", device_id="zigbee2mqtt:btn-302")
    how = {"means": "alarm", "confirm_ms": CONFIRM_MS}
    claim(seat, device_id="zigbee2mqtt:siren-302", kind="companion", name="302 警号", **how)
    answers = {"answers": "zigbee2mqtt:siren-302", "call_kind": "emergency"}
    claim(seat, device_id="zigbee2mqtt:btn-302", kind="call_button", name="3栋302", **answers)


@pytest.mark.slow
def test_a_press_is_answered_by_the_siren_and_what_it_does_not_confirm_is_not_called_shown(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path) as hall:
        seat, siren = hall.seat(), hall.device(TOLD)
        hall_with_siren(hall, seat, siren)

        siren.say("zigbee2mqtt/btn-302", {"action": "emergency", "battery": 88})
        heard = siren.wait_heard(TOLD)
        assert heard == {"duration": 2, "alarm": True}
        assert seat.wait_fact("CallChanged", heard="sent")["state"] == "HEARD"
        siren.say("zigbee2mqtt/siren-302", {"alarm": True, "linkquality": 90})
        call = seat.wait_fact("CallChanged", heard="shown")

        # Somebody is coming; this time the siren is deaf, and the hall says so after its time.
        assert seat.order("accept_call", call_id=call["call_id"], by="小李")["call"]["coming"] == "sent"
        assert siren.wait_heard(TOLD) == {"duration": 8, "alarm": True}
        assert seat.wait_fact("CallChanged", coming="unconfirmed")["heard"] == "shown"
        siren.wait_heard(TOLD, duration=8)  # it is told again, and now it answers
        siren.say("zigbee2mqtt/siren-302", {"alarm": True})
        assert seat.wait_fact("CallChanged", coming="shown")

        # The gateway hears its own words on the bus, and takes them for nobody's.
        counts = seat.order("statistics")["statistics"]["counts"]
        assert counts.get("our_own", 0) >= 3 and not counts.get("unknown_topic") and not counts.get("garbage")


@pytest.mark.slow
def test_a_bridge_that_goes_offline_is_one_fault_and_a_gateway_that_starts_later_knows_it(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path) as hall:
        seat, bridge = hall.seat(), hall.device()
        hall_with_siren(hall, seat, bridge)
        bridge.say("zigbee2mqtt/bridge/state", {"state": "online"}, retain=True)
        seat.wait_fact("RowChanged", table="paths")
        bridge.say("zigbee2mqtt/bridge/state", {"state": "offline"}, retain=True)
        part = seat.wait_fact("PartChanged", part="path:zigbee2mqtt")
        assert part["state"] == "down" and "zigbee2mqtt" in part["why_zh"]
        hall.process.kill()
        hall.start()
        seat = hall.seat()
        known = {one["part"]: one["state"] for one in seat.snapshot["parts"]}
        if known.get("path:zigbee2mqtt") != "down":
            seat.wait_fact("PartChanged", part="path:zigbee2mqtt", state="down")
        bridge.say("zigbee2mqtt/bridge/state", "online", retain=True)
        assert seat.wait_fact("PartChanged", part="path:zigbee2mqtt", state="ready")


@pytest.mark.slow
def test_our_own_button_says_that_its_lamp_blinks_and_a_lamp_left_lit_is_told_anew(tmp_path: Path) -> None:
    with gateway(tmp_path) as hall:
        seat, button = hall.seat(), hall.device("linli/v1/lamp/btn-01/set", "cmnd/lamp/POWER")
        claim(seat, device_id="btn-01", kind="call_button", name="3栋", call_kind="emergency")
        button.press("btn-01", "9f3a", 1)
        button.wait_heard("linli/v1/lamp/btn-01/set", light="blink")
        button.say("linli/v1/button/btn-01/status", {"boot": "9f3a", "every_s": 60, "light": "blink"})
        assert seat.wait_fact("CallChanged", heard="shown")

        # A Tasmota lamp beside a bought button: told while the broker is away, it is told when it is back.
        button.say("tele/lamp/STATE", {"POWER": "OFF"})
        seat.wait_fact("DeviceChanged", device_id="tasmota:lamp")
        claim(seat, device_id="tasmota:lamp", kind="companion", name="灯", means="relay")
        claim(
            seat,
            device_id="zigbee2mqtt:b2",
            kind="call_button",
            name="4栋",
            answers="tasmota:lamp",
            call_kind="help",
        )
        button.say("zigbee2mqtt/b2", {"action": "single"})
        assert _wait_word(button, "cmnd/lamp/POWER") == "BLINK"
        call = seat.wait_fact("CallChanged", device_id="zigbee2mqtt:b2", heard="sent")
        hall.broker.kill()
        seat.wait_fact("PartChanged", part="broker", state="down")
        assert seat.order("accept_call", call_id=call["call_id"], by="小李")["ok"]
        hall.broker.start()
        again = hall.device("cmnd/lamp/POWER")
        word = _wait_word(again, "cmnd/lamp/POWER")
        if word == "BLINK":  # the broker was killed before it had acknowledged it: said once more, and then what is
            word = _wait_word(again, "cmnd/lamp/POWER")
        assert word == "ON"


def _wait_word(device: Device, topic: str) -> str:
    """The next plain word on a topic."""
    for heard, word in device.take_heard(PATIENCE_S):
        if heard == topic:
            return word
    raise AssertionError(f"nothing on {topic}; heard {json.dumps(device.heard)}")
