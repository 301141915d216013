"""Home Assistant's MQTT discovery: what a device says of itself, and what its messages mean by that.

The messages are made after home-assistant.io ("MQTT Discovery", "MQTT Device trigger", "MQTT Event", "MQTT Binary
sensor"); a bridge that speaks to Home Assistant says them retained, once.
"""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codecs import Entity, decode_by, discover
from devices.reading import PRESS_EVENTS, Heard, Reading

DEVICE = {"ids": ["0x00158d0001"], "name": "Bell 302", "mdl": "PB-1", "mf": "Acme"}


def met(component: str, body: dict[str, object], node: str = "bell/push") -> Entity:
    found = discover(f"homeassistant/{component}/{node}/config", json.dumps({"dev": DEVICE, **body}).encode())
    assert len(found) == 1
    return found[0]


def says(entity: Entity, payload: object, topic: str = "", *, retained: bool = False) -> Reading:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return decode_by(entity, Heard(topic or entity.state_topic, raw, retained))


def test_a_record_says_who_speaks_where_and_how() -> None:
    entity = met(
        "binary_sensor",
        {
            "name": "Push button",
            "~": "hall/bell",
            "stat_t": "~/state",
            "val_tpl": "{{ value_json['push'].now | int }}",
            "pl_on": 1,
            "pl_off": 0,
            "avty": [{"topic": "~/x", "t": "hall/bridge", "val_tpl": "{{ value_json.state }}"}],
        },
    )
    assert entity.discovered_on == "homeassistant/binary_sensor/bell/push/config"
    assert (entity.device, entity.device_name, entity.model) == ("0x00158d0001", "Bell 302", "PB-1")
    assert (entity.state_topic, entity.path) == ("hall/bell/state", ("push", "now"))
    assert entity.topics == ("hall/bell/state", "hall/bridge")


def test_a_push_button_is_pressed_and_let_go_and_a_remembered_press_is_none() -> None:
    entity = met("binary_sensor", {"name": "Push button", "stat_t": "hall/bell"})
    press, release = says(entity, b"ON"), says(entity, b"OFF")
    assert [(one.event, one.alarm) for one in (press, release)] == [("press", True), ("release", False)]
    assert press.device == "0x00158d0001"
    remembered = says(entity, b"ON", retained=True)
    assert (remembered.event, remembered.alarm) == ("state", False)
    assert says(entity, b"unknown").event == "none"


@pytest.mark.parametrize(
    ("device_class", "payload", "event", "alarm", "occupied"),
    [
        ("occupancy", b"ON", "status", False, True),
        ("presence", b"OFF", "status", False, False),
        ("motion", b"ON", "state", None, None),
        ("safety", b"ON", "state", None, None),
        ("door", b"ON", "state", None, None),
        ("door", b"OFF", "state", False, None),
        ("problem", b"ON", "fault", False, None),
        ("tamper", b"ON", "tamper", False, None),
        ("battery", b"ON", "heartbeat", False, None),
        ("connectivity", b"OFF", "offline", False, None),
    ],
)
def test_what_watches_a_room_does_not_call_by_itself(
    device_class: str, payload: bytes, event: str, alarm: bool | None, occupied: bool | None
) -> None:
    entity = met(
        "binary_sensor", {"name": "Corridor", "dev_cla": device_class, "stat_t": "c"}, node="corridor"
    )
    reading = says(entity, payload)
    assert (reading.event, reading.alarm, reading.occupied) == (event, alarm, occupied)


def test_an_sos_button_that_is_filed_under_safety_is_a_button() -> None:
    entity = met("binary_sensor", {"name": "SOS", "dev_cla": "safety", "stat_t": "c"})
    assert (says(entity, b"ON").event, says(entity, b"ON").alarm) == ("press", True)


def test_an_event_entity_tells_its_kind_of_press() -> None:
    entity = met(
        "event", {"name": "Push", "dev_cla": "button", "stat_t": "bell/event", "evt_typ": ["single"]}
    )
    single = says(entity, {"event_type": "single"})
    assert (single.event, single.alarm, single.extras["press_type"]) == ("press", True, "single")
    assert says(entity, {"event_type": "sos"}).event == "sos"
    assert says(entity, {"event_type": "long_release"}).event == "release"
    assert says(entity, {"event_type": None}).alarm is False


@pytest.mark.parametrize(
    ("kind", "subtype", "event", "press_type", "button"),
    [
        ("button_short_press", "button_2", "press", "short", 2),
        ("button_long_press", "turn_on", "press", "long", None),
        ("button_long_release", "button_1", "release", "long", 1),
        ("action", "double", "press", "double", None),
        ("action", "emergency", "sos", "emergency", None),
        ("action", "hold_release", "release", "hold_release", None),
    ],
)
def test_a_trigger_fires_on_its_own_payload_only(
    kind: str, subtype: str, event: str, press_type: str, button: int | None
) -> None:
    body: dict[str, object] = {
        "atype": "trigger",
        "t": "bell/action",
        "pl": "GO",
        "type": kind,
        "stype": subtype,
    }
    entity = met("device_automation", body)
    reading = says(entity, b"GO")
    assert (reading.event, reading.alarm) == (event, event in PRESS_EVENTS)
    assert (reading.extras["press_type"], reading.extras.get("button")) == (press_type, button)
    assert says(entity, b"something else").event == "none"


def test_batteries_by_percentage_and_by_voltage() -> None:
    pct = met("sensor", {"dev_cla": "battery", "stat_t": "bell", "val_tpl": "{{ value_json.battery }}"})
    assert says(pct, {"battery": 12}).battery_pct == 12
    assert says(pct, {"battery": 12}).extras["battery_low"] is True
    volts = met(
        "sensor",
        {"dev_cla": "voltage", "unit_of_meas": "mV", "stat_t": "bell", "val_tpl": "{{ value_json.v }}"},
    )
    assert says(volts, {"v": 2950}).extras["battery_v"] == 2.95
    assert "battery_v" not in says(volts, {"v": 230_000}).extras


def test_availability_speaks_for_the_device_in_its_own_words() -> None:
    body: dict[str, object] = {"name": "Push", "stat_t": "bell", "avty_t": "bell/lwt", "pl_not_avail": "gone"}
    entity = met("binary_sensor", body)
    assert (says(entity, b"gone", "bell/lwt").event, says(entity, b"here", "bell/lwt").event) == (
        "offline",
        "online",
    )
    assert says(entity, b"ON", "some/other").event == "undecodable"


def test_a_whole_device_introduces_its_parts_at_once() -> None:
    body = {
        "dev": DEVICE,
        "o": {"name": "bridge"},
        "state_topic": "bell",
        "cmps": {
            "push": {"p": "event", "value_template": "{{ value_json.action }}", "unique_id": "a"},
            "batt": {"p": "sensor", "dev_cla": "battery", "val_tpl": "{{ value_json.battery }}"},
            "light": {"p": "light", "stat_t": "bell"},
        },
    }
    found = discover("homeassistant/device/bell/config", json.dumps(body).encode())
    assert [one.component for one in found] == ["event", "sensor"]
    assert {one.state_topic for one in found} == {"bell"}
    assert says(found[0], {"action": "double", "battery": 80}).extras["press_type"] == "double"
    assert says(found[0], {"battery": 80}).event == "none"


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("homeassistant/binary_sensor/bell/config", {"stat_t": "bell/+"}),
        (
            "homeassistant/binary_sensor/bell/config",
            {"stat_t": "bell", "val_tpl": "{% if value %}ON{% endif %}"},
        ),
        ("homeassistant/binary_sensor/bell/config", {"stat_t": "bell", "val_tpl": "{{ value_json.a == 1 }}"}),
        ("homeassistant/binary_sensor/bell/config", {"name": "no topic"}),
        ("homeassistant/light/bell/config", {"stat_t": "bell"}),
        ("homeassistant/sensor/bell/config", {"stat_t": "bell", "dev_cla": "temperature"}),
        ("homeassistant/binary_sensor/bell/state", {"stat_t": "bell"}),
        ("homeassistant/status", {"stat_t": "bell"}),
        ("elsewhere/binary_sensor/bell/config", {"stat_t": "bell"}),
    ],
)
def test_what_is_not_understood_is_left_out(topic: str, body: dict[str, object]) -> None:
    assert discover(topic, json.dumps(body).encode()) == ()


def test_an_empty_message_forgets() -> None:
    assert discover("homeassistant/binary_sensor/bell/config", b"") == ()


def test_another_prefix_is_another_house() -> None:
    body = json.dumps({"stat_t": "bell", "name": "Push"}).encode()
    assert discover("ha/binary_sensor/bell/config", body) == ()
    assert len(discover("ha/binary_sensor/bell/config", body, "ha")) == 1


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["~", "{{ value_json.a }}", "on"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        *(
            "stat_t",
            "state_topic",
            "~",
            "dev",
            "device",
            "ids",
            "cns",
            "avty",
            "avty_t",
            "val_tpl",
            "pl_on",
            "t",
        ),
        *("pl", "cmps", "name", "type", "stype", "dev_cla", "unit_of_meas", "evt_typ", "p", "uniq_id"),
    ]
)


@given(
    component=st.sampled_from(["binary_sensor", "event", "device_automation", "sensor", "device"]),
    body=st.dictionaries(KEYS, anything, max_size=8),
    payload=st.binary(max_size=20) | anything.map(lambda value: json.dumps(value).encode()),
)
def test_nothing_that_is_said_raises(component: str, body: dict[str, object], payload: bytes) -> None:
    for entity in discover(f"homeassistant/{component}/a/config", json.dumps(body).encode()):
        for topic in entity.topics:
            reading = decode_by(entity, Heard(topic, payload))
            json.dumps(reading.as_json(), allow_nan=False)
            assert reading.alarm in (True, False, None)


def test_random_bytes_introduce_nobody() -> None:
    dice = random.Random(20261122)
    for _ in range(2_000):
        assert discover("homeassistant/event/a/config", dice.randbytes(dice.randrange(40))) == ()
