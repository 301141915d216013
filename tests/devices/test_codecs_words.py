"""What the envelopes say beyond the captured messages: key fobs, locks and cubes, zones, Bluetooth and radio remotes.

The words come from zigbee2mqtt's list of supported devices, Tasmota's "Zigbee" and "RF Protocol" pages, Shelly's API
reference, esphome.io, OpenMQTTGateway's and rtl_433's descriptions of their output.
"""

from __future__ import annotations

import base64
import json

import pytest

from devices.codecs import decode
from devices.reading import Heard, Reading


def said(topic: str, body: object, cls: str = "", model: str = "") -> Reading:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode(Heard(topic, payload, cls=cls, model=model))


# -- zigbee2mqtt ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "event", "press_type", "button"),
    [
        ("2_double", "press", "double", 2),
        ("button_2", "press", "single", 2),
        ("single_left", "press", "single", None),
        ("brightness_move_up", "press", "brightness_move_up", None),
        ("arm_all_zones", "press", "arm_all_zones", None),
        ("scene_3", "press", "scene_3", 3),
        ("on_hold_release", "release", "release", None),
        ("disarm", "release", "release", None),
        ("panic", "sos", None, None),
    ],
)
def test_a_remote_says_which_key_and_how(
    action: str, event: str, press_type: str | None, button: int | None
) -> None:
    reading = said("zigbee2mqtt/fob", {"action": action, "battery": 80})
    assert reading.event == event
    assert reading.alarm is (event in ("press", "sos"))
    assert (reading.extras.get("press_type"), reading.extras.get("button")) == (press_type, button)
    assert "doubtful" not in reading.extras


@pytest.mark.parametrize(
    "action",
    ["unlock", "rfid_unlock", "manual_open", "exit_delay", "identify", "screen_wake", "1_min_inactivity"],
)
def test_what_happens_to_a_lock_or_a_keypad_is_not_a_press(action: str) -> None:
    reading = said("zigbee2mqtt/front door", {"action": action, "battery": 80})
    assert (reading.event, reading.alarm) == ("none", False)


def test_a_cube_that_falls_is_for_the_hall_to_judge_and_a_fall_radar_is_not() -> None:
    assert said("zigbee2mqtt/cube", {"action": "fall"}).alarm is None
    radar = said("zigbee2mqtt/radar", {"fall_down_status": "fall", "presence": True})
    assert (radar.event, radar.alarm) == ("man_down", True)
    assert said("zigbee2mqtt/radar", {"fall_down_status": "maybe_fall", "presence": True}).alarm is None
    assert said("zigbee2mqtt/radar", {"fall_down_status": "none", "presence": True}).alarm is False


def test_each_attribute_on_a_topic_of_its_own_belongs_to_the_device_above_it() -> None:
    battery = said("zigbee2mqtt/hall/bell/battery", b"87")
    assert (battery.event, battery.battery_pct, battery.device) == ("heartbeat", 87, "hall/bell")
    call = said("zigbee2mqtt/bell/sos", b"true")
    assert (call.event, call.alarm, call.device) == ("sos", True, "bell")
    assert (
        said("zigbee2mqtt/bell/battery", {"action": "single"}).device == "bell/battery"
    )  # a device of that name


# -- Tasmota -------------------------------------------------------------------------------------------


def zigbee(inner: dict[str, object], topic: str = "tele/bridge/SENSOR") -> Reading:
    return said(
        topic, {"ZbReceived": {"0x099F": {"Device": "0x099F", **inner, "Endpoint": 1, "LinkQuality": 70}}}
    )


def test_a_plug_that_tells_where_it_stands_is_nobodys_press() -> None:
    assert zigbee({"Name": "SHP15", "Power": 1}).alarm is False
    assert zigbee({"0006!01": "", "Power": 1}).event == "press"


@pytest.mark.parametrize(("command", "event"), [("0501!02", "sos"), ("0501!04", "sos"), ("0501!00", "press")])
def test_the_alarm_console_of_a_zigbee_remote(command: str, event: str) -> None:
    reading = zigbee({command: ""})
    assert (reading.event, reading.alarm) == (event, True)


def test_an_alarm_zone_may_be_a_door_or_an_sos_button_and_the_claim_decides() -> None:
    on, off = zigbee({"0500!00": "010000FF0000"}), zigbee({"0500!00": "000000FF0000"})
    assert [(one.event, one.alarm) for one in (on, off)] == [("state", None), ("release", False)]
    assert zigbee({"0500!00": "0C0000FF0000"}).extras["battery_low"] is True


def test_zigbee_without_its_prefix_is_the_same() -> None:
    with_it = zigbee({"0006!01": ""})
    inner = {"0x099F": {"Device": "0x099F", "0006!01": "", "Endpoint": 1, "LinkQuality": 70}}
    assert said("tele/bridge/SENSOR", inner) == with_it
    assert said("tele/bridge/ZbReceived", inner) == with_it


def test_a_radio_code_is_one_device_whichever_receiver_heard_it() -> None:
    body = {"RfReceived": {"Data": "0x7028D2", "Bits": 24, "RfKey": "None"}}
    heard = [said(f"tele/{bridge}/RESULT", body) for bridge in ("east", "west")]
    assert {one.device for one in heard} == {"433/7028D2"}
    assert [one.extras["bridge"] for one in heard] == ["east", "west"]
    other = said("tele/east/RESULT", {"RfReceived": {"Data": "0x7028D4", "Bits": 24, "RfKey": 2}})
    assert (other.device, other.extras["button"]) == ("433/7028D4", 2)


# -- OpenMQTTGateway and rtl_433 -----------------------------------------------------------------------

OMG = "home/OpenMQTTGateway"


def test_openmqttgateways_codes_and_learning_remotes_have_names_of_their_own() -> None:
    plain = said(f"{OMG}/433toMQTT", {"value": 1361, "protocol": 1, "length": 24, "delay": 348})
    assert (plain.event, plain.alarm, plain.device) == ("rf_code", None, "433/1361")
    learning = said(f"{OMG}/433toMQTT", {"unit": 3, "groupBit": 0, "address": 8233378, "switchType": 1})
    assert (learning.event, learning.alarm, learning.device) == ("rf_code", None, "433/8233378-3")
    assert said(f"{OMG}/433toMQTT", {"raw": "…"}).alarm is False


BLU = {"id": "BC:02:6E:AA:BB:CC", "brand": "Shelly", "model_id": "SBBT-002C", "type": "BTN", "batt": 100}


@pytest.mark.parametrize(
    ("keys", "event", "press_type", "button"),
    [
        ({"button": 0}, "heartbeat", None, None),
        ({"button": 1}, "press", "single", None),
        ({"button": 9}, "press", "long", None),
        ({"button": 10}, "release", None, None),
        ({"button1": 0, "button2": 0, "button3": 2, "button4": 0}, "press", "double", 3),
    ],
)
def test_a_bluetooth_button_counts_its_kinds_of_press(
    keys: dict[str, object], event: str, press_type: str | None, button: int | None
) -> None:
    reading = said(f"{OMG}/BTtoMQTT/BC026EAABBCC", {**BLU, **keys})
    assert (reading.event, reading.alarm, reading.battery_pct) == (event, event == "press", 100)
    assert (reading.extras.get("press_type"), reading.extras.get("button")) == (press_type, button)
    assert reading.device == "bc:02:6e:aa:bb:cc"


def test_the_pairing_button_of_a_bluetooth_thermometer_calls_nobody() -> None:
    body = {**BLU, "model_id": "SBHT-003C", "type": "THB", "button": 1, "tempc": 22.3}
    assert said(f"{OMG}/BTtoMQTT/AABBCCAABBCC", body).alarm is False


@pytest.mark.parametrize(
    ("body", "event", "alarm"),
    [
        ({"model": "Interlogix-Security", "subtype": "panic", "id": "a1b2c3", "battery_ok": 1}, "sos", True),
        ({"model": "X10-Security", "id": "12", "code": "26", "event": "KR15 PANIC-3SECOND"}, "sos", True),
        (
            {"model": "SimpliSafe-Keypad", "id": "1SX", "seq": 3, "extradata": "Keypad Panic Button"},
            "sos",
            True,
        ),
        ({"model": "GM-CarRemote", "id": 7, "button_str": "Panic"}, "none", False),
        ({"model": "Generic-Remote", "id": 15203, "cmd": 62, "tristate": "X1X0"}, "rf_code", None),
        ({"model": "Microchip-HCS200", "id": "01A2B3C", "battery_ok": 0, "button": 4}, "rf_code", None),
        (
            {"model": "Kerui-Security", "id": "0x1", "cmd": "0xa", "motion": 1, "state": "motion"},
            "status",
            False,
        ),
        (
            {"model": "Prologue-TH", "id": 9, "channel": 1, "battery_ok": 1, "temperature_C": 21.4},
            "status",
            False,
        ),
        ({"model": "Renault-TPMS", "id": "a1", "pressure_kPa": 230.0}, "status", False),
    ],
)
def test_what_rtl_433_understands(body: dict[str, object], event: str, alarm: bool | None) -> None:
    for topic in ("rtl_433/hall/events", f"{OMG}/RTL_433toMQTT"):
        reading = said(topic, body)
        assert (reading.event, reading.alarm) == (event, alarm)
        assert reading.device.startswith(str(body["model"]))


def test_rtl_433s_keys_one_by_one_are_the_same_reception_and_stay_silent() -> None:
    assert said("rtl_433/hall/devices/Generic-Remote/15203/cmd", b"62").event == "none"


# -- Shelly and ESPHome --------------------------------------------------------------------------------


def notified(component: str, word: str, **more: object) -> Reading:
    event = {"component": component, "id": 200, "event": word, "ts": 1.5, **more}
    return said(
        "shellygw/events/rpc", {"src": "shellygw", "method": "NotifyEvent", "params": {"events": [event]}}
    )


def test_a_blu_button_is_a_device_of_its_own_behind_its_shelly() -> None:
    native = notified("bthomedevice:200", "long_push")
    assert (native.event, native.alarm, native.device) == ("press", True, "shellygw/bthomedevice:200")
    assert native.extras["press_type"] == "long"
    script = notified("script:1", "shelly-blu", data={"address": "BC:02:6E:C3", "battery": 77, "button": 2})
    assert (script.alarm, script.device, script.battery_pct) == (True, "bc:02:6e:c3", 77)
    assert script.extras["press_type"] == "double"
    four = notified("script:1", "shelly-blu", data={"address": "38:39", "button": [0, 0, 1, 0]})
    assert four.extras["button"] == 3
    quiet = notified("script:1", "shelly-blu", data={"address": "bc:02", "battery": 77, "button": 0})
    assert (quiet.event, quiet.alarm) == ("heartbeat", False)


def test_an_event_entity_of_esphome_speaks_json() -> None:
    press = said("bell-3/event/push/state", {"event_type": "double_click"})
    assert (press.event, press.alarm, press.extras["press_type"]) == ("press", True, "double_click")
    assert said("bell-3/event/push/state", {"event_type": "button_release"}).event == "release"
    assert said("bell-3/event/push/state", {"event_type": ""}).alarm is False


@pytest.mark.parametrize(
    ("word", "event"),
    [
        ("Single Clicked", "press"),
        ("Long Press", "press"),
        ("SOS", "sos"),
        ("sunny", "state"),
        ("long wave", "state"),
    ],
)
def test_a_text_sensor_of_esphome_is_a_press_only_in_the_words_of_one(word: str, event: str) -> None:
    reading = said("bell-3/text_sensor/push/state", word.encode())
    assert (reading.event, reading.alarm) == (event, event in ("press", "sos"))


# -- network servers -----------------------------------------------------------------------------------


def test_chirpstack_3_puts_its_names_at_the_top() -> None:
    eui = bytes.fromhex("a840410000000001")
    body: dict[str, object] = {
        "applicationID": "1",
        "deviceName": "room 302",
        "deviceProfileName": "WS101",
        "devEUI": base64.b64encode(eui).decode(),
        "fCnt": 9,
        "fPort": 85,
        "data": base64.b64encode(bytes.fromhex("ff2e01")).decode(),
    }
    for address in (body["devEUI"], eui.hex()):
        reading = said("application/1/device/x/event/up", {**body, "devEUI": address})
        assert (reading.event, reading.alarm) == ("press", True)
        assert (reading.device, reading.press_id) == (eui.hex(), "fcnt:9")
    unknown = {
        **body,
        "deviceProfileName": "??",
        "deviceName": "x",
        "data": "AA==",
        "objectJSON": '{"press":"short"}',
    }
    assert said("application/1/device/x/event/up", unknown).event == "press"
    assert said("application/1/device/x/event/up", {**unknown, "objectJSON": "{"}).alarm is False


def test_the_things_stacks_normalized_words_are_read_where_nothing_else_was_decoded() -> None:
    up = {
        "f_port": 1,
        "f_cnt": 3,
        "frm_payload": "AA==",
        "normalized_payload": [{"battery": 3.1, "air": {"temperature": 21.5}}],
    }
    reading = said("v3/a@t/devices/d/up", {"end_device_ids": {"device_id": "d"}, "uplink_message": up})
    assert (reading.event, reading.alarm) == ("heartbeat", False)
    assert (reading.extras["battery_v"], reading.extras["temperature"]) == (3.1, 21.5)


# -- pendants of Chinese platforms, and cities' feeds ---------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "event", "alarm"),
    [
        ("FALL", "man_down", True),
        ("FENCE", "alarm", None),
        ("BATTERY", "heartbeat", False),
        ("UNWEAR", "tamper", False),
        ("求救", "sos", True),
        ("电量低", "heartbeat", False),
        ("新词", "sos", True),
    ],
)
def test_a_pendants_other_alarms_are_not_calls(kind: str, event: str, alarm: bool | None) -> None:
    for topic in ("info/alarm", "info/17/alarm"):
        reading = said(topic, {"user_id": 1, "tenant_id": 17, "alarm_type": kind, "additional": ""})
        assert (reading.event, reading.alarm) == (event, alarm)


@pytest.mark.parametrize(
    ("what", "event"),
    [("heart", "heartbeat"), ("position", "position"), ("up", "online"), ("down", "offline")],
)
def test_a_pendant_comes_and_goes(what: str, event: str) -> None:
    reading = said(f"info/17/{what}", {"user_id": 1, "tenant_id": 17, "battery": 80})
    assert (reading.event, reading.alarm, reading.device) == (event, False, "1")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"name": "P1", "status": "geöffnet", "free": 5, "max": 170, "occupied": 165}, (170, 5, 165, 0)),
        ({"title": "P2", "free": 286, "total": 750}, (750, 286, None, None)),
        ({"maxPlaces": 692, "occupiedPlaces": 440, "freePlaces": 250, "status": "FREE"}, (692, 250, 440, 2)),
        ({"type": "Feature", "properties": {"obs_max": "105", "obs_free": "56"}}, (105, 56, None, None)),
    ],
)
def test_a_site_is_counted_under_many_names(body: dict[str, object], wanted: tuple[int | None, ...]) -> None:
    reading = decode(Heard("", json.dumps(body).encode(), transport="generic_json"))
    assert reading.event == "site"
    assert tuple(reading.extras.get(key) for key in ("capacity", "free", "taken", "unknown")) == wanted


def test_a_lone_bay_beside_some_total_is_a_bay() -> None:
    reading = decode(Heard("", b'{"occupied": 1, "total": 57}', transport="generic_json"))
    assert (reading.event, reading.occupied) == ("status", True)


def test_a_bay_in_ctwings_envelope_is_the_bay_inside() -> None:
    inner = {"parking_state": 1, "battery_voltage": 3.656, "mag_id": 127763, "Park_cnt": 52, "type": 32}
    outer = {"messageType": "dataReport", "IMEI": "864016059485616", "topic": "v1/up/ad19", "payload": inner}
    bare, wrapped = said("v1/up/ad19", inner), said("v1/up/ad19", outer)
    assert (wrapped.event, wrapped.occupied, wrapped.extras["vehicle_count"]) == ("status", True, 52)
    assert wrapped.extras == bare.extras
    gone = {"messageType": "deviceOnlineOfflineReport", "eventType": 0, "deviceId": "87f4"}
    assert said("v1/up/ad19", gone).event == "offline"


@pytest.mark.parametrize(
    ("decoded", "event", "alarm"),
    [
        ({"event_type": "SOS_MODE_START"}, "sos", True),
        ({"event_type": "SOS_MODE_END"}, "sos_end", False),
        ({"sosMode": 1, "battery": 80}, "heartbeat", False),
        ({"manDown": True}, "man_down", True),
        ({"Device": "R312", "Volt": 3, "Doorbell": 1}, "press", True),
    ],
)
def test_what_other_servers_scripts_say(decoded: dict[str, object], event: str, alarm: bool) -> None:
    body = {
        "deviceInfo": {"devEui": "A8", "deviceProfileName": "??"},
        "fPort": 9,
        "data": "AA==",
        "object": decoded,
    }
    reading = said("application/1/device/a8/event/up", body)
    assert (reading.event, reading.alarm) == (event, alarm)
