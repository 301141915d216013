"""Models that are in nobody's list: who says what is named, nothing is lost, and nothing is thrown."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest

from gateway.unread import UNREAD_FAULT
from tests.gateway.car_park import CarPark

EUI = "24e124713c000001"
FRAME = bytes.fromhex("01755c 0482e803 050001")
"""Milesight: battery 92 %, one metre, upright."""


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def test_a_claimed_sensor_that_nobody_can_read_is_a_fault_until_somebody_can(
    park: CarPark, caplog: pytest.LogCaptureFixture
) -> None:
    """An unknown model, claimed by its address: the technician is told which it is, and what it says."""
    name, eui = "chirpstack_v4:aabbccddeeff0011", "aabbccddeeff0011"
    park.lorawan(eui, b"\x01\x02\x03", 2, 1, "ACME-PARK-1")
    park.turn()
    assert park.loop.state.devices[name].kind == "unclaimed", "it can be claimed"
    park.bay(name, "e1")
    for number in range(2, UNREAD_FAULT + 2):
        park.lorawan(eui, bytes((1, 2, number)), 2, number, "ACME-PARK-1")
        park.after(60)
    device = park.loop.state.devices[name]
    assert (device.health, park.state_of("e1")) == ("fault", "unknown")
    assert "cannot read it" in device.why_en and "看不懂" in device.why_zh
    (line,) = [one.getMessage() for one in caplog.records if "no codec reads" in one.getMessage()]
    assert name in line and "port 2, 010203" in line and "linli decode" in line
    assert park.loop.counts["unread"] == UNREAD_FAULT + 1
    park.restart()
    park.lorawan(eui, b"\x01\x02\x09", 2, 90, "ACME-PARK-1")
    park.after(20)
    assert park.loop.state.devices[name].health == "fault", "a restart understands no more"
    for number in (91, 92):
        park.lorawan(eui, b"\x01\x02\x03", 2, number, "ACME-PARK-1", object={"parking": 1, "occupied": True})
        park.after(60)
    assert (park.loop.state.devices[name].health, park.state_of("e1")) == ("ok", "taken")


def test_an_answer_in_strange_bytes_now_and_then_is_no_fault(park: CarPark) -> None:
    name = f"chirpstack_v4:{EUI}"
    park.lorawan(EUI, FRAME, 85, 1, "EM310-UDL")
    park.turn()
    park.bay(name, "e1", model="EM310-UDL")
    for number in range(2, 12):
        park.lorawan(EUI, FRAME if number % 3 == 0 else b"\x77\x88\x99", 85, number, "EM310-UDL")
        park.after(60)
    assert park.loop.state.devices[name].health == "ok"
    assert park.state_of("e1") == "taken"


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        (f"milesight/uplink/{EUI}", {"devEUI": EUI.upper(), "deviceName": "b", "fPort": 85, "data": b64(FRAME)}),
        ("uplink", {"devEUI": b64(bytes.fromhex(EUI)), "applicationID": 1, "fPort": "85", "data": b64(FRAME)}),
        (f"application/1/device/{EUI}/rx", {"devEUI": EUI, "fPort": 85, "data": b64(FRAME), "deviceName": "b"}),
        (f"application/1/device/{EUI}/event/up", {"deviceInfo": {"devEui": EUI}, "fPort": 85, "data": FRAME.hex()}),
        ("hall/lora/up", {"devEUI": EUI, "deviceName": "b", "distance": 1000, "battery": 92}),
    ],
)
def test_the_same_uplink_on_the_ways_that_gateways_have(park: CarPark, topic: str, words: dict[str, Any]) -> None:
    name = f"chirpstack_v4:{EUI}"
    park.hear(topic, words)
    park.turn()
    assert park.loop.state.devices[name].battery_pct == 92
    park.bay(name, "e1")
    for number in range(4):
        park.hear(topic, {**words, "fCnt": 10 + number})
        park.after(20)
    assert park.state_of("e1") == "taken", "a metre away stands a car"


def test_two_sensors_on_one_topic_of_the_owners_choice_are_two(park: CarPark) -> None:
    for number in range(3):
        for eui, near in ((EUI, 400), ("24e124713c000002", 2600)):
            park.hear("uplink", {"devEUI": eui, "distance": near, "fCnt": number})
    park.turn()
    names = [one for one in park.loop.state.devices if one.startswith("chirpstack_v4:")]
    assert names == [f"chirpstack_v4:{EUI}", "chirpstack_v4:24e124713c000002"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("netvox/uplink", {"DevEUI": "00137a1000000001", "Data": "018501240164", "Fport": 6}),
        ("mqtt/things/x/uplink", {"DevEUI_uplink": {"DevEUI": EUI, "payload_hex": "0175"}}),
        ("loriot/x", {"cmd": "rx", "EUI": EUI, "port": 85, "data": "01755c"}),
        ("parking/bay7/state", {"bay": "7", "occupied": True}),
        ("uplink/x", {"devEUI": "no address", "data": "AQ=="}),
        ("uplink/y", {"devEUI": EUI}),
        ("uplink/z", [{"devEUI": EUI, "data": "AQ=="}]),
        ("uplink/w", b'{"devEUI": "' + b"a" * 40),
    ],
)
def test_a_stranger_is_counted_and_named_with_what_he_speaks_of(
    park: CarPark, caplog: pytest.LogCaptureFixture, topic: str, payload: Any
) -> None:
    with caplog.at_level(logging.INFO):
        number = park.hear(topic, payload)
    assert park.loop.counts["unknown_topic"] == 1 and number in park.acked
    (line,) = [one.getMessage() for one in caplog.records if "no family" in one.getMessage()]
    assert topic in line
    if isinstance(payload, dict):
        assert all(key in line for key in payload)
        assert json.dumps(payload)[1:-1] not in line, "its keys, and none of its values"


@pytest.mark.parametrize("cut", range(1, 14))
def test_a_frame_with_a_channel_that_nobody_has_described_keeps_what_was_before_it(park: CarPark, cut: int) -> None:
    """However long the rest is, and wherever it ends."""
    rest = bytes.fromhex("7ef1 0102030405060708090a0b")[:cut]
    park.lorawan(EUI, FRAME + rest, 85, 1, "EM310-UDL")
    park.turn()
    assert park.loop.state.devices[f"chirpstack_v4:{EUI}"].battery_pct == 92
    assert park.loop.counts["codec_failed"] == 0
    assert park.loop.counts["unread"] == (cut >= 2)
