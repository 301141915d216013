"""Every captured message of tests/data/devices.jsonl, read from the wire to its meaning.

The file is data from public logs, makers' examples and manuals; ``expect_by`` tells how far each is to be
trusted. ``alarm`` is the field that must never be wrong. Below the captured messages are the histories that
no capture holds: retained messages, unknown models, whole families side by side. Our own protocol is in
test_codecs_linli.py.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from devices.codecs import decode, families, family_of
from devices.reading import PRESS_EVENTS, Heard
from linli.decode import heard_of

CAPTURED = Path(__file__).parents[1] / "data" / "devices.jsonl"
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in CAPTURED.read_text(encoding="utf-8").splitlines() if line.strip()
]

#: Keys of ``expect`` that no codec can know from the message, and why.
NOT_IN_THE_MESSAGE = {
    "stale_at_2025-11-10T14:30Z": "depends on the hall's clock: a rule of the gateway",
    "stale_at_2025-04-11T07:33Z": "depends on the hall's clock: a rule of the gateway",
}
#: The feed carried the time of measurement beside the data, and only the data was captured.
TIME_BESIDE_THE_DATA = {"P-134", "P-135", "P-136"}


def expected(row: dict[str, Any]) -> dict[str, Any]:
    keys = {key: value for key, value in row["expect"].items() if key not in NOT_IN_THE_MESSAGE}
    if row["id"] in TIME_BESIDE_THE_DATA:
        del keys["measured_at"]
    return keys


def same(got: object, wanted: object) -> bool:
    if isinstance(wanted, bool) or wanted is None or isinstance(got, bool):
        return got is wanted
    if isinstance(wanted, (int, float)) and isinstance(got, (int, float)):
        return abs(got - wanted) <= 1e-3
    return got == wanted


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_captured_message_means_what_its_source_says(row: dict[str, Any]) -> None:
    said = decode(heard_of(row)).as_json()
    wrong = {
        key: (said.get(key, "absent"), wanted)
        for key, wanted in expected(row).items()
        if key not in said or not same(said[key], wanted)
    }
    assert wrong == {}, f"{row['id']} {row['vendor']} {row['model']}: key -> (got, wanted)"


def test_the_file_is_the_whole_file() -> None:
    assert len(ROWS) == 198
    assert len({row["id"] for row in ROWS}) == 198
    assert {row["transport"] for row in ROWS} | {"http_push", "linli", "rtl_433"} == families()


def test_nothing_that_watches_a_bay_ever_asks_for_help() -> None:
    bays = [row for row in ROWS if row["kind"] == "parking"]
    alarms = [row["id"] for row in bays if decode(heard_of(row)).alarm is not False]
    assert alarms == []


def test_a_burst_is_one_press_in_several_messages_and_only_presses_alarm() -> None:
    bursts: dict[str, list[str]] = defaultdict(list)
    for row in ROWS:
        if "burst" in row:
            bursts[row["burst"]].append(decode(heard_of(row)).event)
    assert dict(bursts) == {
        "wxkg11lm-1": ["press", "none", "press"],
        "wxkg01lm-1": ["press", "none", "press"],
    }


def test_topics_name_their_family_and_the_meaning_is_the_same_without_being_told() -> None:
    """A message on a real topic needs no transport: the gateway knows the family from the topic."""
    for row in ROWS:
        topic = row["topic"]
        if topic and row["transport"] not in ("raw_lorawan", "ngsi"):
            assert family_of(topic) == row["transport"], topic
            heard = heard_of(row)
            told = decode(heard)
            found = decode(heard_of({**row, "transport": ""}))
            assert found == told, row["id"]


def test_the_same_bytes_mean_the_same_raw_and_in_either_envelope() -> None:
    for row in ROWS:
        if row["transport"] != "raw_lorawan":
            continue
        heard = heard_of(row)
        raw = decode(heard)
        data = base64.b64encode(heard.payload).decode()
        profile = f"{row['vendor']} {row['model']}"
        chirp = {"deviceInfo": {"devEui": "A8", "deviceProfileName": profile}, "fCnt": 7, "data": data}
        version = {"brand_id": row["vendor"], "model_id": row["model"]}
        uplink = {"f_cnt": 7, "frm_payload": data, "version_ids": version}
        things = {"end_device_ids": {"dev_eui": "A8"}, "uplink_message": uplink}
        if row["fport"] is not None:
            chirp["fPort"] = uplink["f_port"] = row["fport"]
        for topic, body in (("application/1/device/a8/event/up", chirp), ("v3/a@t/devices/a8/up", things)):
            wrapped = decode(Heard(topic, json.dumps(body).encode(), cls=row["cls"]))
            assert wrapped.as_json() == raw.as_json(), f"{row['id']} {topic}"
            assert (wrapped.device, wrapped.press_id) == ("a8", "fcnt:7")


@pytest.mark.parametrize(
    ("topic", "family"),
    [
        ("zigbee2mqtt/door", "zigbee2mqtt"),
        ("zigbee2mqtt_p/3rd floor/door/action", "zigbee2mqtt"),
        ("zigbee2mqtt/", None),
        ("application/1/device/a8/event/up", "chirpstack_v4"),
        ("application/1/device/a8/command/down", "chirpstack_v4"),
        ("application/1/gateway/a8/event/up", None),
        ("v3/app@ttn/devices/dev-2/up", "ttn_v3"),
        ("v3/app@ttn/devices/dev-2/down/queued", "ttn_v3"),
        ("stat/bell/RESULT", "tasmota"),
        ("tele/hall/bell/LWT", "tasmota"),
        ("shellies/shelly1-1/input_event/0", "shelly"),
        ("shellyplus1pm-b2/events/rpc", "shelly"),
        ("shellyplus1pm-b2/online", "shelly"),
        ("bell-3/binary_sensor/push/state", "esphome"),
        ("hall/bell-3/binary_sensor/push/state", "esphome"),
        ("bell-3/status", "esphome"),
        ("info/alarm", "generic_json"),
        ("info/other", None),
        ("home/OpenMQTTGateway/433toMQTT", "generic_json"),
        ("home/OpenMQTTGateway/BTtoMQTT/BC026EAABBCC", "generic_json"),
        ("home/OpenMQTTGateway/RTL_433toMQTT/Generic-Remote/15203", "rtl_433"),
        ("rtl_433/hall/events", "rtl_433"),
        ("rtl_433/hall/devices/Generic-Remote/15203/cmd", "rtl_433"),
        ("rtl_433/hall/states", None),
        ("linli/v1/button/b1/press", "linli"),
        ("linli/v2/button/b1/press", None),
        ("", None),
        ("/", None),
        ("$SYS/broker/uptime", None),
    ],
)
def test_a_topic_has_one_owner_or_none(topic: str, family: str | None) -> None:
    assert family_of(topic) == family


# -- what must never alarm, what must always ----------------------------------------------------------


def test_a_retained_press_is_the_memory_of_a_press() -> None:
    for row in ROWS:
        heard = heard_of({**row, "retained": True})
        reading = decode(heard)
        assert reading.alarm is False, row["id"]
        assert reading.event not in PRESS_EVENTS, row["id"]


@pytest.mark.parametrize(
    ("model", "port", "frame", "event", "alarm"),
    [
        ("R312A", 6, "014d019e01000000000000", "sos", True),  # battery low flag set: still a call
        ("R311A", 6, "0102012001000000000000", "heartbeat", False),  # a door contact, whatever it is used for
        ("R312A", 7, "014d011e01000000000000", "config_reply", False),  # the same bytes on the answers' port
        ("LW006", 5, "6466db2fab0205", "sos", True),
        ("LW006", 5, "6466db2fab0206", "sos_end", False),
        ("LW006", 3, "641766dc8110020204", "heartbeat", True),  # a heartbeat while an SOS lasts
        ("LW004-PB", 1, "640266db2fab03", "sos", True),
        ("LW004-PB", 1, "640266db2fab04", "sos_end", False),
        ("WS101", 85, "ff2e02", "press", True),
        ("WS101", 85, "ff2e09", "press", True),  # a kind of press nobody has described is a press
        ("WS101", 85, "ff99aabb", "undecodable", False),
        ("WS101", 85, "ff2e01ff99aabb", "press", True),  # an unknown channel ends the reading, not the press
        ("TrackerD", 2, "015a706606cf3cf84fa23001ae00da", "position", True),
        ("TrackerD", 7, "4fa220", "sos", True),
        ("Badge tracker", None, "8001", "sos", True),
        ("Badge tracker", None, "8002", "man_down", True),
        ("PB01", 2, "0cea000100ec0236", "press", True),
        ("PB01", 2, "0cea000000ec0236", "heartbeat", False),
        ("Multipurpose Button", 2, "01b500f602", "press", True),
        ("Multipurpose Button", 2, "01b500f600", "heartbeat", False),
        ("Oxobutton 2", 1, "39050201006408c210b00000", "press", True),
        ("Buttonboard", 1, "31810000011c6418", "press", True),
        ("LW001-BG PRO", 6, "1317a0003c", "man_down", True),  # lies still for too long
        ("LW001-BG PRO", 2, "0317a000", "position", False),
        ("LW999", 5, "6466db2fab0205", "undecodable", False),  # a MOKO model whose layout we do not have
        ("TekziPark", 1, "a11501", "keepalive", False),
        ("ERS Desk", 5, "0100e11102070e2a", "status", False),
        ("Strips", 1, "ffff015f1201", "status", False),
        ("Compact tracker", 17, "0a10648600", "none", True),  # an event cut short, but the SOS bit is there
        ("MCS LRW", 1, "855003", "press", True),
        ("MCS LRW", 1, "855000", "none", False),
    ],
)
def test_the_documented_layouts_beyond_the_captures(
    model: str, port: int | None, frame: str, event: str, alarm: bool
) -> None:
    vendor = "Lansitec" if model == "Badge tracker" else ""
    heard = Heard("", bytes.fromhex(frame), transport="raw_lorawan", vendor=vendor, model=model, fport=port)
    reading = decode(heard)
    assert (reading.event, reading.alarm) == (event, alarm)


@pytest.mark.parametrize(
    ("body", "event"),
    [
        ({"action": "1_single"}, "press"),
        ({"action": "arrow_left_click"}, "press"),
        ({"action": "a word nobody has met"}, "press"),
        ({"action": "panic"}, "sos"),
        ({"sos": True, "battery": 3}, "sos"),
        ({"sos": False, "battery": 90}, "heartbeat"),
        ({"action": "brightness_stop"}, "release"),
        ({"action": "long_release"}, "release"),
        ({"action": "vibration"}, "none"),
        ({"occupancy": True, "battery": 90}, "status"),
        ({"contact": False}, "status"),
        ({"vibration": True, "battery": 90}, "status"),
        ({"state": "ON"}, "none"),
    ],
)
def test_zigbee_words(body: dict[str, object], event: str) -> None:
    reading = decode(Heard("zigbee2mqtt/bell", json.dumps(body).encode()))
    assert (reading.event, reading.alarm) == (event, event in PRESS_EVENTS)


def test_a_battery_that_calls_itself_good_at_six_percent_is_low() -> None:
    reading = decode(Heard("zigbee2mqtt/bell", b'{"action":"single","battery":6,"battery_low":false}'))
    assert reading.extras["battery_low"] is True


@pytest.mark.parametrize("battery", ["NaN", "1e999", "9" * 5000, '"100 %"', "null", "[]", "-5", "true"])
def test_an_absurd_battery_does_not_hide_the_press(battery: str) -> None:
    reading = decode(Heard("zigbee2mqtt/bell", f'{{"action":"single","battery":{battery}}}'.encode()))
    assert (reading.event, reading.alarm) == ("press", True)
    assert reading.battery_pct in (None, 100)


def test_zigbee_bridge_and_our_own_orders_to_it_mean_nothing() -> None:
    for topic in ("zigbee2mqtt/bridge/state", "zigbee2mqtt/bridge/logging", "zigbee2mqtt/bell/set"):
        assert decode(Heard(topic, b'{"action":"single"}')).event == "none", topic


@pytest.mark.parametrize(
    ("event", "meaning"),
    [
        ("join", "lifecycle"),
        ("ack", "none"),
        ("txack", "none"),
        ("log", "none"),
        ("location", "none"),
        ("status", "heartbeat"),
    ],
)
def test_a_network_servers_other_events_never_alarm(event: str, meaning: str) -> None:
    body = {"deviceInfo": {"devEui": "A8"}, "batteryLevel": 41.5, "object": {"sos": True}, "data": "/y4B"}
    reading = decode(
        Heard(f"application/1/device/a8/event/{event}", json.dumps(body).encode(), model="WS101")
    )
    assert (reading.event, reading.alarm, reading.device) == (meaning, False, "a8")
    assert reading.battery_pct == (41.5 if event == "status" else None)


@pytest.mark.parametrize(
    ("decoded", "event", "alarm"),
    [
        ({"press": "short", "battery": 16}, "press", True),
        ({"button_event": {"status": "double_press"}}, "press", True),
        ({"button_2": "pressed"}, "press", True),
        ({"ALARM_status": "TRUE", "BatV": 4.0}, "sos", True),
        ({"ALARM_status": "FALSE", "BatV": 4.0}, "heartbeat", False),
        ({"event_type": "SOS Start"}, "sos", True),
        ({"event_type": "SOS End"}, "sos_end", False),
        ({"sos_mode": 1, "battery": 80}, "heartbeat", False),
        ({"event_type": "SOS mode", "battery": 80}, "heartbeat", False),
        ({"pressed": False, "battery": 80}, "heartbeat", False),
        ({"occupied": True}, "status", False),
        ({"parking_status": "vacant"}, "status", False),
        ({}, "heartbeat_or_unknown", False),
    ],
)
def test_an_unknown_model_is_read_from_what_the_server_decoded(
    decoded: dict[str, object], event: str, alarm: bool
) -> None:
    body = {
        "deviceInfo": {"devEui": "A8", "deviceProfileName": "??"},
        "fPort": 9,
        "data": "AA==",
        "object": decoded,
    }
    reading = decode(Heard("application/1/device/a8/event/up", json.dumps(body).encode()))
    assert (reading.event, reading.alarm) == (event, alarm)


def test_bytes_damaged_on_the_way_leave_the_servers_decoding() -> None:
    body = {"deviceInfo": {"deviceProfileName": "WS101"}, "data": "?", "object": {"press": "short"}}
    assert decode(Heard("application/1/device/a8/event/up", json.dumps(body).encode())).event == "press"


def test_our_codec_wins_over_the_servers_script() -> None:
    body = {
        "deviceInfo": {"deviceProfileName": "WS101"},
        "fPort": 85,
        "data": "/y4B",
        "object": {"press": "none"},
    }
    assert decode(Heard("application/1/device/a8/event/up", json.dumps(body).encode())).event == "press"


def test_a_bay_says_unknown_rather_than_free() -> None:
    def raw(vendor: str, model: str, port: int | None, frame: str) -> bool | None:
        data = bytes.fromhex(frame)
        heard = Heard("", data, transport="raw_lorawan", vendor=vendor, model=model, fport=port)
        return decode(heard).occupied

    assert raw("Bosch", "TPS110", 1, "02") is None
    assert raw("Cicicom", "S-LG-I3", None, "4332") is None
    assert raw("Libelium", "Smart Parking v2", None, "03010000") is None
    assert raw("PNI", "PlacePod", 2, "156602") is None
    assert raw("MOKOSmart", "LW009-SM", 1, "7e1065fa322800040006010002010d3201017e") is None
    assert decode(Heard("", b'{"parking_status": null}', transport="generic_json")).occupied is None
    assert decode(Heard("", b'{"type":"ParkingSpot","status":"closed"}', transport="ngsi")).occupied is None


@pytest.mark.parametrize("degrees", [-41, 85.1, 6553.4])
def test_impossible_temperatures_are_dropped(degrees: float) -> None:
    body = json.dumps({"action": "single", "temperature": degrees}).encode()
    assert "temperature" not in decode(Heard("zigbee2mqtt/bell", body)).extras


@pytest.mark.parametrize(
    ("kind", "event", "alarm"),
    [
        ("SOS", "sos", True),
        (456, "sos", True),
        ("115", "sos", True),
        (11, "man_down", True),
        (9, "heartbeat", False),
        ("TEST", "test", False),
        (51, "tamper", False),
        ("a kind nobody has met", "sos", True),
        (None, "sos", True),
    ],
)
def test_a_pendants_alarm_of_an_unknown_kind_is_a_call(kind: object, event: str, alarm: bool) -> None:
    reading = decode(Heard("info/alarm", json.dumps({"alarm_type": kind}).encode()))
    assert (reading.event, reading.alarm) == (event, alarm)


@pytest.mark.parametrize(
    ("topic", "payload", "code"),
    [
        ("home/OpenMQTTGateway/433toMQTT", b'{"value":1361}', "1361"),
        ("tele/bridge/RESULT", b'{"RfReceived":{"Data":"0x7028D2"}}', "7028D2"),
    ],
)
def test_a_radio_code_is_for_the_hall_to_judge(topic: str, payload: bytes, code: str) -> None:
    reading = decode(Heard(topic, payload))
    assert (reading.event, reading.alarm, reading.extras["code"]) == ("rf_code", None, code)


def test_the_words_of_an_older_tasmota() -> None:
    reading = decode(Heard("stat/bell/BUTTON2", b'{"ACTION":"DOUBLE"}'))
    assert (reading.event, reading.extras["button"], reading.device) == ("press", 2, "bell")


def test_two_inputs_of_one_shelly_count_apart() -> None:
    said = b'{"event":"S","event_cnt":5}'
    ids = [decode(Heard(f"shellies/s/input_event/{n}", said)).press_id for n in (0, 1)]
    assert ids == ["cnt:0:5", "cnt:1:5"]


def test_a_shelly_press_after_its_down_and_up_is_one_press() -> None:
    def event(word: str) -> tuple[str, bool | None]:
        body = {
            "src": "shelly-1",
            "method": "NotifyEvent",
            "params": {"events": [{"component": "input:0", "id": 0, "event": word, "ts": 1.5}]},
        }
        reading = decode(Heard("shelly-1/events/rpc", json.dumps(body).encode()))
        return reading.event, reading.alarm

    assert [event(word) for word in ("btn_down", "btn_up", "long_push")] == [
        ("none", False),
        ("release", False),
        ("press", True),
    ]
