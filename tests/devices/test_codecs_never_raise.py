"""The promise: no message, however strange, makes decode do anything but return a Reading.

And three smaller ones kept by the same flood: the Reading can be written as JSON, its battery is within
0-100, and bytes that are no JSON never alarm but on a topic of presses. The seed is fixed: what fails once
fails again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from devices.codecs import decode, families, family_of
from devices.reading import Heard, Reading
from linli.decode import heard_of

SEED = 20261122
LINES = (Path(__file__).parents[1] / "data" / "devices.jsonl").read_text(encoding="utf-8").splitlines()
CAPTURED = [heard_of(json.loads(line)) for line in LINES]

TOPICS = [
    "",
    "/",
    "//",
    "linli",
    "linli/v1",
    "linli/v1/button",
    "linli/v1/button/b/press",
    "linli/v1/bay/p/state",
    "linli/v1/bay/p/status",
    "zigbee2mqtt",
    "zigbee2mqtt/",
    "zigbee2mqtt/b",
    "zigbee2mqtt/b/action",
    "zigbee2mqtt//action",
    "zigbee2mqtt/b/availability",
    "application/1/device/a8/event/up",
    "application/1/device/a8/event/status",
    "v3/a@t/devices/d/up",
    "v3/a@t/devices/d/join",
    "stat/t/RESULT",
    "tele/t/SENSOR",
    "tele/t/LWT",
    "stat//",
    "shellies/s/input_event/0",
    "shellies/s",
    "shellies//",
    "s/events/rpc",
    "shelly-1/online",
    "n/binary_sensor/b/state",
    "n/event/b/state",
    "n/status",
    "info/alarm",
    "info/heart",
    "v1/up/ad19",
    "home/OMG/433toMQTT",
    "\ud800/\udfff",
    "\x00",
    "电/binary_sensor/铃/state",
]


def check(heard: Heard) -> Reading:
    reading = decode(heard)
    assert isinstance(reading, Reading)
    assert isinstance(reading.event, str)
    assert reading.event
    assert reading.alarm in (True, False, None)
    assert reading.occupied in (True, False, None)
    assert reading.battery_pct is None or 0 <= reading.battery_pct <= 100
    assert not isinstance(reading.battery_pct, bool)
    assert isinstance(reading.device, str)
    assert isinstance(reading.press_id, str)
    json.dumps(reading.as_json(), allow_nan=False)
    return reading


def test_random_bytes_on_every_topic_and_transport() -> None:
    dice = random.Random(SEED)
    transports = ["", "no such family", *sorted(families())]
    for _ in range(20_000):
        payload = dice.randbytes(dice.choice((0, 1, 2, 3, 5, 9, 11, 22, 60)))
        port = dice.choice((None, 0, 1, 2, 3, 5, 6, 7, 8, 85, 125, 255, -1, 1 << 40))
        heard = replace(dice.choice(CAPTURED), payload=payload, fport=port)
        check(heard)
        check(Heard(dice.choice(TOPICS), payload, transport=dice.choice(transports), fport=port))


def test_captured_messages_cut_at_every_byte_and_with_bytes_behind() -> None:
    for heard in CAPTURED:
        step = 1 if len(heard.payload) < 120 else 41  # long envelopes are cut at every 41st byte
        for end in range(0, len(heard.payload), step):
            check(replace(heard, payload=heard.payload[:end]))
        for tail in (b"\x00", b"\xff", b"}", b"{}", b"\xff\x2e", b"\x00" * 300):
            check(replace(heard, payload=heard.payload + tail))


def test_captured_messages_with_bytes_changed() -> None:
    dice = random.Random(SEED)
    for _ in range(60):
        for heard in CAPTURED:
            if not heard.payload:
                continue
            changed = bytearray(heard.payload)
            for _ in range(dice.randint(1, 4)):
                changed[dice.randrange(len(changed))] = dice.randrange(256)
            check(replace(heard, payload=bytes(changed)))


STRANGE: list[object] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    255,
    1 << 31,
    1 << 63,
    10**30,
    0.5,
    -0.0,
    1e308,
    "",
    " ",
    "0",
    "on",
    "SOS",
    "NaN",
    "\ud800",
    "x" * 5000,
    [],
    [[]],
    [1, "single"],
    {},
    {"value": 1},
    {"Action": []},
    {"a": {"b": {"c": {}}}},
]


def _with_strange_values(value: object, dice: random.Random) -> object:
    """The same JSON with some values, at any depth, replaced by strange ones."""
    if dice.random() < 0.15:
        return dice.choice(STRANGE)
    if isinstance(value, dict):
        return {key: _with_strange_values(item, dice) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_strange_values(item, dice) for item in value]
    return value


def test_captured_json_with_values_of_the_wrong_type() -> None:
    dice = random.Random(SEED)
    bodies = []
    for heard in CAPTURED:
        try:
            bodies.append((heard, json.loads(heard.payload)))
        except ValueError:
            continue
    assert len(bodies) > 80
    for _ in range(60):
        for heard, body in bodies:
            strange = json.dumps(_with_strange_values(body, dice)).encode()
            check(replace(heard, payload=strange))


def test_every_key_alone_with_every_strange_value() -> None:
    keys = [
        "action",
        "click",
        "battery",
        "sos",
        "voltage",
        "event",
        "event_cnt",
        "params",
        "Button1",
        "Switch1",
        "ZbReceived",
        "RfReceived",
        "SR04",
        "alarm_type",
        "parking_status",
        "actualStatus",
        "status",
        "occupied",
        "object",
        "data",
        "fPort",
        "fCnt",
        "deviceInfo",
        "uplink_message",
        "boot",
        "seq",
        "press",
        "method",
        "value",
        "timestamp",
        "totalSpotNumber",
        "totalSpaceCount",
        "packettype",
        "keep_alive",
    ]
    for transport in sorted(families()):
        for key in keys:
            for value in STRANGE:
                check(Heard("a/b/c/d/e/f", json.dumps({key: value}).encode(), transport=transport))


def _monsters() -> Iterator[bytes]:
    yield b"[" * 100_000
    yield b'{"a":' * 100_000
    yield b'{"action":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    yield b'{"battery":' + b"9" * 10_000 + b"}"
    yield b'{"battery":-1e' + b"9" * 400 + b"}"
    yield b'{"battery":NaN,"voltage":Infinity,"action":-Infinity}'
    yield b'{"action":"single","action":"double"}'
    yield b'{"action":"\\ud800"}'
    yield b"\xed\xa0\x80"
    yield b"\xef\xbb\xbf{}"
    yield b"\x00" * 100_000
    yield b'{"action":"' + b"a" * 200_000 + b'"}'
    yield b'{"' + b"k" * 200_000 + b'":1}'
    yield b'{"data":"!!!!","fPort":85}'
    yield b'{"uplink_message":{"frm_payload":"A"}}'


def test_monsters_on_every_topic() -> None:
    for monster in _monsters():
        for topic in TOPICS:
            check(Heard(topic, monster))


def test_no_topic_upsets_the_search_for_its_family() -> None:
    dice = random.Random(SEED)
    pieces = [
        "linli",
        "v1",
        "button",
        "",
        "+",
        "#",
        "zigbee2mqtt",
        "event",
        "device",
        "state",
        "status",
        "binary_sensor",
        "\ud800",
        "a" * 300,
    ]
    owners = families() | {None}
    for _ in range(5_000):
        topic = "/".join(dice.choice(pieces) for _ in range(dice.randint(0, 9)))
        assert family_of(topic) in owners


def test_random_bytes_never_alarm_unless_the_topic_is_for_presses() -> None:
    """Bytes that are no JSON cannot be a press on a topic of many uses."""
    dice = random.Random(SEED)
    topics = [
        "zigbee2mqtt/b",
        "application/1/device/a8/event/up",
        "v3/a@t/devices/d/up",
        "tele/t/SENSOR",
        "s/events/rpc",
        "linli/v1/bay/p/state",
    ]
    for _ in range(3_000):
        reading = check(Heard(dice.choice(topics), b"\xff" + dice.randbytes(20)))
        assert reading.event == "undecodable"
        assert reading.alarm is False


@pytest.mark.parametrize(
    "heard",
    [
        Heard("zigbee2mqtt/b", b"", fport=-5),
        Heard("", b"", transport="raw_lorawan"),
        Heard("x", b"", transport="raw_lorawan", vendor="\ud800", model="\ud800" * 1000, fport=1 << 70),
    ],
)
def test_what_is_known_of_the_device_may_be_strange_too(heard: Heard) -> None:
    assert check(heard).event == "undecodable"
