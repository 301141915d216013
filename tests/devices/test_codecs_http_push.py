"""What wearables' platforms push: whoever asks for help is heard, and nobody is woken by a heart rate."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devices.codecs import decode
from devices.reading import Heard, Reading


def pushed(**fields: Any) -> Reading:
    return decode(Heard("http/watch", json.dumps(fields, ensure_ascii=False).encode()))


@pytest.mark.parametrize(
    ("fields", "event", "alarm"),
    [
        ({"imei": "8612", "type": 1}, "sos", True),
        ({"imei": "8612", "type": "7"}, "sos", True),
        ({"IMEI": "8612", "push_type": "115"}, "sos", True),
        ({"deviceId": 77, "pushType": 456}, "sos", True),
        ({"sn": "A-1", "alarm_type": "11"}, "man_down", True),
        ({"sn": "A-1", "alarm_type": "SOS"}, "sos", True),
        ({"sn": "A-1", "event": "拉绳"}, "sos", True),
        ({"device_no": "A-1", "data": {"alarmType": "fall"}}, "man_down", True),
        ({"imei": "8612", "type": 9, "battery": "12%"}, "heartbeat", False),
        ({"imei": "8612", "type": 51}, "tamper", False),
        ({"imei": "8612", "type": 67}, "test", False),
        ({"imei": "8612", "type": 3, "heartrate": 71}, "heartbeat", False),
        ({"imei": "8612", "type": 2, "lat": 26.6, "lng": 106.7}, "position", False),
        ({"imei": "8612", "type": "heartbeat"}, "heartbeat", False),
        ({"imei": "8612", "event": "offline"}, "offline", False),
        ({"imei": "8612"}, "heartbeat", False),
        ({"imei": "8612", "alarm": 0}, "heartbeat", False),
    ],
)
def test_a_known_push_means_what_its_platform_says(fields: dict[str, Any], event: str, alarm: bool) -> None:
    reading = pushed(**fields)
    assert (reading.event, reading.alarm) == (event, alarm)


@pytest.mark.parametrize(
    "fields",
    [
        {"imei": "8612", "alarm_type": "smoke_2"},
        {"imei": "8612", "type": 998, "content": "张奶奶按下了紧急按钮"},
        {"imei": "8612", "type": "SOS_LONG"},
        {"imei": "8612", "title": "跌倒报警", "type": 30},
        {"imei": "8612", "alarm": True},
    ],
)
def test_an_alarm_of_a_kind_we_do_not_know_is_a_doubtful_call(fields: dict[str, Any]) -> None:
    reading = pushed(**fields)
    assert (reading.alarm, reading.extras["doubtful"]) == (True, True)


@pytest.mark.parametrize(
    "fields", [{"type": 31, "content": "SOS报警解除"}, {"type": "sos_cancel"}, {"event": "alarm test"}]
)
def test_the_end_of_an_alarm_is_none(fields: dict[str, Any]) -> None:
    assert pushed(imei="8612", **fields).alarm is False


def test_a_number_nobody_knows_rings_nobody_and_is_told_on() -> None:
    reading = pushed(imei="8612", type=998)
    assert (reading.event, reading.alarm, reading.extras["device_event"]) == ("heartbeat", False, "998")


def test_a_retry_carries_the_same_key_and_another_press_another() -> None:
    first, again = pushed(imei="1", type=1, time=1700000000), pushed(imei="1", type=1, time=1700000000)
    later = pushed(imei="1", type=1, time=1700000060)
    assert first.press_id == again.press_id != later.press_id
    assert pushed(imei="1", type=1, msgId="m-7", time=3).press_id == "m-7"
    assert pushed(imei="1", type=1).press_id == ""


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"null", b'{"type": 1}', b'{"imei": ""}', b'{"imei": {}}', b"\xff\xfe", b'{"imei": [1]}']
)
def test_who_does_not_name_a_device_is_not_understood(payload: bytes) -> None:
    assert decode(Heard("http/watch", payload)).event == "undecodable"
