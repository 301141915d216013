"""Our own protocol, linli/v1: numbered presses, bays that may be unknown, and what rubbish means.

A press that is not numbered is a doubtful press and alarms: the other mistake is an old man on the floor. What is no
message at all alarms nobody, wherever it arrives.
"""

from __future__ import annotations

import json

import pytest

from devices.codecs import decode
from devices.reading import Heard

PRESS = b'{"boot":"9f3a","seq":12,"press":"long","button":1,"battery_mv":2950,"age_ms":40}'


def test_our_button_numbers_its_presses() -> None:
    reading = decode(Heard("linli/v1/button/b-3/press", PRESS))
    assert (reading.event, reading.alarm) == ("press", True)
    assert (reading.device, reading.press_id) == ("b-3", "9f3a:12")
    assert reading.extras == {
        "boot": "9f3a",
        "seq": 12,
        "press_type": "long",
        "button": 1,
        "battery_mv": 2950,
        "age_ms": 40,
    }


@pytest.mark.parametrize("body", [b'{"boot":1,"seq":"x"}', b'{"seq":1}', b'{"boot":"a","press":"short"}'])
def test_a_press_that_is_not_numbered_is_doubtful_and_alarms(body: bytes) -> None:
    reading = decode(Heard("linli/v1/button/b-3/press", body))
    assert (reading.event, reading.alarm, reading.device, reading.press_id) == ("press", True, "b-3", "")
    assert reading.extras["doubtful"] is True


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"boot":',
        b"9" * 9000,
        b"[" * 90000,
        b"{}",
        b"12345",
        b"true",
        b"\x00" * 64,
        b"A" * 300,
        b"\xc3\x28",
        b'{"seq":1,"seq":2}',
    ],
)
@pytest.mark.parametrize(
    "topic",
    [
        "linli/v1/button/b-3/press",
        "linli/v1/button/b-3/status",
        "shellies/bell/input_event/0",
        "info/alarm",
        "zigbee2mqtt/bell",
        "zigbee2mqtt/bell/action",
        "tele/bell/SENSOR",
        "nobody/knows",
    ],
)
def test_rubbish_alarms_nobody_wherever_it_arrives(topic: str, rubbish: bytes) -> None:
    reading = decode(Heard(topic, rubbish))
    assert reading.alarm is False, reading


def test_our_bay_is_taken_free_or_unknown() -> None:
    def bay(body: dict[str, object]) -> tuple[str, bool | None]:
        reading = decode(Heard("linli/v1/bay/p-17/state", json.dumps(body).encode()))
        return reading.event, reading.occupied

    assert bay({"boot": "a", "seq": 1, "occupied": True}) == ("status", True)
    assert bay({"boot": "a", "seq": 2, "occupied": False}) == ("status", False)
    assert bay({"boot": "a", "seq": 3, "occupied": None}) == ("status", None)
    assert bay({"boot": "a", "seq": 4, "occupied": 1}) == ("status", None)
    assert bay({"boot": "a", "seq": 5}) == ("status", None)
    assert bay({"event": "heartbeat", "occupied": True}) == ("heartbeat", True)


def test_our_devices_say_when_they_are_gone() -> None:
    for topic in ("linli/v1/button/b-3/status", "linli/v1/bay/p-1/status"):
        for last_will in (b"offline", b'{"state":"offline"}'):
            reading = decode(Heard(topic, last_will, retained=True))
            assert (reading.event, reading.alarm, reading.extras) == ("offline", False, {"fault": True})
    beat = decode(Heard("linli/v1/button/b-3/status", b'{"battery_pct":18,"boot":"9f3a","uptime_s":60}'))
    assert (beat.event, beat.battery_pct, beat.extras["battery_low"]) == ("heartbeat", 18, True)


@pytest.mark.parametrize(
    "topic",
    [
        "linli/v1/lamp/b-3/set",
        "linli/v1/panel/gate/show",
        "linli/v1/gateway/status",
        "linli/v1/button/b-3/written",
        "linli/v1/button/b-3/press/extra",
    ],
)
def test_our_own_orders_overheard_mean_nothing(topic: str) -> None:
    reading = decode(Heard(topic, PRESS))
    assert (reading.event, reading.alarm) == ("none", False)


@pytest.mark.parametrize(
    ("name", "alarm"), [("sos", True), ("bedside_button", True), ("motion", None), ("window", None)]
)
def test_a_home_made_sensor_that_watches_a_room_rings_only_where_it_is_claimed(
    name: str, alarm: bool | None
) -> None:
    reading = decode(Heard(f"livingroom/binary_sensor/{name}/state", b"ON"))
    assert reading.alarm is alarm
