"""What a second look at the documents of zigbee2mqtt, Tasmota, Shelly and the cities' feeds showed.

Sources: zigbee-herdsman-converters' models, Tasmota's "Zigbee", "IR", "LoRaWAN" and "Buttons and Switches" pages,
Shelly's API reference, Disruptive Technologies' event documents, and the feeds that ParkAPI reads.
"""

from __future__ import annotations

import json

import pytest

from devices.codecs import decode
from devices.reading import Heard, Reading


def said(topic: str, body: object, cls: str = "", model: str = "", transport: str = "") -> Reading:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode(Heard(topic, payload, cls=cls, model=model, transport=transport))


# -- zigbee2mqtt ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["HS1EB/HS1EB-E", "SOS-EM", "SE20-O", "SE21"])
def test_an_emergency_buttons_off_ends_its_press_and_a_remotes_off_is_a_key(model: str) -> None:
    for topic, body in (
        ("zigbee2mqtt/b", {"action": "off", "battery": 90}),
        ("zigbee2mqtt/b/action", b"off"),
    ):
        ended = said(topic, body, "zigbee_button", model)
        assert (ended.event, ended.alarm) == ("release", False)
        key = said(topic, body, "zigbee_button", "E1743")
        assert (key.event, key.alarm) == ("press", True)
    assert said("zigbee2mqtt/b", {"action": "single"}, "zigbee_button", model).alarm is True


@pytest.mark.parametrize("key", ["alarm", "alarm_1", "alarm_2"])
def test_an_alarm_zone_of_no_known_kind_calls_where_it_is_a_button(key: str) -> None:
    body = {key: True, "tamper": False, "battery_low": False, "battery": 80}
    assert (said("zigbee2mqtt/cord", body, "pull_cord").event) == "sos"
    assert said("zigbee2mqtt/cord", body, "pull_cord").alarm is True
    assert said("zigbee2mqtt/cord", {**body, key: False}, "pull_cord").alarm is False
    assert said("zigbee2mqtt/gate", body, "parking_sensor").alarm is False


def test_a_fall_radar_that_says_falling_calls_and_a_cube_does_not() -> None:
    assert said("zigbee2mqtt/radar", {"status": "falling", "location_x": 30}).event == "man_down"
    assert said("zigbee2mqtt/radar", {"status": "falling", "location_x": 30}).alarm is True
    assert said("zigbee2mqtt/radar", {"status": "sitting", "location_x": 30}).alarm is False
    assert said("zigbee2mqtt/cube", {"action": "fall"}, "zigbee_button", "MFKZQ01LM").alarm is False


@pytest.mark.parametrize("action", ["movement", "W100_PMTSD_request"])
def test_what_a_thing_asks_or_feels_is_not_a_press(action: str) -> None:
    assert said("zigbee2mqtt/w", {"action": action}, "zigbee_button").alarm is False


def test_two_keys_at_once_are_both_told() -> None:
    both = said("zigbee2mqtt/hue tap", {"action": "press_1_and_2"})
    assert (both.event, both.alarm, both.extras["buttons"]) == ("press", True, [1, 2])
    assert said("zigbee2mqtt/hue tap", {"action": "release_1_and_2"}).alarm is False


# -- Tasmota -------------------------------------------------------------------------------------------


def zigbee(words: dict[str, object], cls: str = "") -> Reading:
    body = {"ZbReceived": {"0xF72F": {"Device": "0xF72F", "Name": "r", **words, "Endpoint": 1}}}
    return said("tele/bridge/SENSOR", body, cls)


def test_letting_a_dimmers_key_go_is_not_a_press() -> None:
    for command in ("0008!03", "0008!07", "0102!02"):
        assert zigbee({command: "", "DimmerStop": True}).event == "release"
    up = zigbee({"0008!06": "002B0500", "DimmerUp": True})
    assert (up.event, up.alarm, up.extras["press_type"]) == ("press", True, "dimmer_up")


def test_an_alarm_zone_behind_tasmota_calls_where_the_hall_uses_it_as_a_button() -> None:
    alarmed = {"0500!00": "010000FF0000", "ZoneStatusChange": 1}
    assert zigbee(alarmed, "pull_cord").alarm is True
    assert zigbee(alarmed).alarm is None
    assert zigbee(alarmed, "door_sensor_button").alarm is None
    assert zigbee({"0500!00": "000000FF0000"}, "pull_cord").alarm is False


def test_a_zone_may_be_written_in_three_ways_and_a_door_says_that_it_is_one() -> None:
    later = zigbee({"0500<00": "010000000000", "ZoneStatusChange": 1}, "zigbee_button")
    assert (later.event, later.alarm) == ("sos", True)
    assert zigbee({"Panic": 1}, "wifi_button").alarm is True
    window = zigbee({"0500<00": "010000000000", "ZoneStatusChange": 1, "Contact": 1}, "wifi_button")
    assert (window.event, window.alarm, window.extras["open"]) == ("contact", False, True)


@pytest.mark.parametrize(
    ("words", "event", "press_type"),
    [
        ({"0006/8000": 2}, "press", "double"),
        ({"0006/8000": 9}, "press", "many"),
        ({"Power": False}, "press", "single"),
        ({"MultiInValue": 0}, "press", "hold"),
        ({"MultiInValue": 255}, "release", "release"),
        ({"0006!FD": "02"}, "press", "hold"),
        ({"0005!07": "00010D00", "ArrowClick": 0}, "press", "arrow_click"),
    ],
)
def test_an_aqara_button_behind_tasmota_reports_a_value(
    words: dict[str, object], event: str, press_type: str
) -> None:
    pressed = zigbee(words, "zigbee_button")
    assert (pressed.event, pressed.alarm, pressed.extras["press_type"]) == (
        event,
        event == "press",
        press_type,
    )
    older = {"ZigbeeReceived": {"0x368F": words}}
    assert said("tele/zigbee001/SENSOR", older, "zigbee_button").event == event


def test_a_plugs_power_behind_tasmota_is_no_press() -> None:
    for cls in ("", "wifi_button", "parking_sensor"):
        assert zigbee({"Power": True}, cls).alarm is False
        assert zigbee({"MultiInValue": 1}, cls).alarm is False


def test_a_zigbee_sensor_behind_tasmota_tells_its_battery() -> None:
    kitchen = zigbee({"Voltage": 2.995, "Battery": 98, "Temperature": 21.01, "Humidity": 53.68})
    assert (kitchen.event, kitchen.alarm, kitchen.battery_pct) == ("heartbeat", False, 98)
    assert (kitchen.extras["battery_v"], kitchen.extras["temperature"]) == (2.995, 21.01)


def test_an_infrared_code_is_the_halls_to_judge() -> None:
    nec = {"Protocol": "NEC", "Bits": 32, "Data": "0x02FD807F", "DataLSB": "0x40BF01FE", "Repeat": 0}
    heard = said("tele/tasmota/IR1/RESULT", {"IrReceived": nec})
    assert (heard.event, heard.alarm, heard.device) == ("rf_code", None, "ir/02FD807F")


def test_a_relay_that_tells_where_it_stands_is_nobodys_press() -> None:
    for topic, body in (
        ("stat/plug/RESULT", {"POWER": "ON"}),
        ("stat/plug/POWER", b"ON"),
        ("stat/plug/POWER1", b"ON"),
    ):
        state = said(topic, body, "wifi_button")
        assert (state.event, state.alarm, state.extras["state"]) == ("state", False, "ON")


def test_tasmotas_lorawan_bridge_speaks_of_doors_and_buttons() -> None:
    door = {"Node": 1, "RSSI": -50.0, "DoorOpen": 1, "Alarm": 0, "Battery": 3.0}
    opened = said("tele/core2/SENSOR", {"LwReceived": {"0x4AD6": door}})
    assert (opened.event, opened.alarm, opened.extras["open"]) == ("contact", False, True)
    pressed = said("tele/core2/SENSOR", {"LwReceived": {"0x4AD6": {**door, "ButtonPress": 1}}})
    assert (pressed.event, pressed.alarm) == ("press", True)


# -- ESPHome -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "event"),
    [
        (b"PRESSED", "press"),
        (b"CLICK", "press"),
        (b"DOUBLE CLICK", "press"),
        (b"RELEASED", "release"),
        (b"7", "state"),
    ],
)
def test_what_an_automation_of_esphome_publishes_of_a_button_is_heard(word: bytes, event: str) -> None:
    heard = said("wall_kitchen/button/tl/state", word, "wifi_button")
    assert (heard.event, heard.alarm) == (event, event == "press")


# -- Shelly --------------------------------------------------------------------------------------------


def test_an_input_that_is_a_switch_tells_where_it_stands() -> None:
    notify = {
        "src": "s",
        "method": "NotifyStatus",
        "params": {"ts": 1.5, "input:0": {"id": 0, "state": True}},
    }
    for topic, body in (
        ("s/events/rpc", notify),
        ("shellyplusi4-a8/status/input:0", {"id": 0, "state": True}),
    ):
        stands = said(topic, body, "wifi_button")
        assert (stands.event, stands.alarm, stands.extras["state"]) == ("state", False, "ON")


# -- cities' feeds and clouds --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "capacity", "free", "taken"),
    [
        (
            {
                "facilityId": 2483,
                "counters": [
                    {"nativeId": "total", "maxPlaces": 643, "occupiedPlaces": 205, "freePlaces": 438},
                    {"nativeId": "totalWithReservation", "maxPlaces": 0, "occupiedPlaces": 0},
                ],
            },
            643,
            438,
            205,
        ),
        (
            {
                "free_capacity": {"truck": 0, "car": 31},
                "capacity": {"truck": 0, "car": 111},
                "status": "ACTIVE",
            },
            111,
            31,
            None,
        ),
        ({"countLogicalBoxes": 16, "countFreeLogicalBoxes": 16}, 16, 16, None),
        ({"capacity": 60, "realtime_capacity": 60, "realtime_free_capacity": 27}, 60, 27, None),
        ({"dynamisch": {"kurzparker_frei": 50, "kurzparker_verfuegbar": 100}}, 100, 50, None),
        (
            {
                "parkingOccupancy": {
                    "parkingNumberOfSpacesOverride": 120,
                    "parkingNumberOfVacantSpaces": 20,
                    "parkingNumberOfOccupiedSpaces": 100,
                },
                "parkingSiteStatus": "spacesAvailable",
            },
            120,
            20,
            100,
        ),
        (
            {
                "type": "OffStreetParking",
                "totalSpotNumber": {"type": "Number", "value": 39},
                "availableSpotNumber": {"type": "Number", "value": 1},
                "occupiedSpotNumber": {"type": "Number", "value": 38},
            },
            39,
            1,
            38,
        ),
    ],
)
def test_sites_of_more_cities_are_counted(
    body: dict[str, object], capacity: int, free: int, taken: int | None
) -> None:
    site = said("", body, "facility_count", transport="generic_json")
    assert site.event == "site"
    assert (site.extras["capacity"], site.extras["free"], site.extras.get("taken")) == (capacity, free, taken)


def test_a_platforms_measurement_is_the_bay_inside_with_its_time() -> None:
    body = {
        "data": {"keep_alive": 1, "parking_status": 1},
        "device_id": "1b95",
        "measured_at": "2025-11-10T14:20:39Z",
    }
    bay = said("", body, "parking_sensor", transport="generic_json")
    assert (bay.event, bay.occupied, bay.device) == ("keepalive", True, "1b95")
    assert bay.extras["measured_at"] == "2025-11-10T14:20:39Z"


def test_a_touch_sensors_cloud_event_is_a_press_and_its_network_report_is_not() -> None:
    name = "projects/c3t7/devices/emuc4ah9"
    when = {"updateTime": "2021-05-16T08:13:15.361624Z"}
    touch = {"targetName": name, "eventType": "touch", "data": {"eventType": "touch", "touch": when}}
    pressed = said("", touch, "button", transport="generic_json")
    assert (pressed.event, pressed.alarm, pressed.device) == ("press", True, "emuc4ah9")
    network = {
        "targetName": name,
        "eventType": "networkStatus",
        "data": {"networkStatus": {"rssi": 10, **when}},
    }
    assert said("", network, "button", transport="generic_json").alarm is False
    desk = {
        "data": {
            "deskOccupancy": {"state": "OCCUPIED", **when},
            "eventType": "deskOccupancy",
            "targetName": name,
        }
    }
    seat = said("", {**desk, "eventType": "deskOccupancy"}, "occupancy", transport="generic_json")
    assert (seat.event, seat.occupied) == ("status", True)


def test_a_button_that_tells_everything_about_itself_does_not_press_again() -> None:
    info = {
        "inputs": [{"input": 0, "event": "S", "event_cnt": 2820}],
        "bat": {"value": 53, "voltage": 3.79},
        "charger": False,
    }
    told = said("shellies/shellybutton1-A4CF12F45174/info", info, "wifi_button")
    assert (told.event, told.alarm, told.battery_pct) == ("heartbeat", False, 53)
    assert told.extras["battery_v"] == 3.79
    hello = said("shellies/announce", {"id": "shellybutton1-A4CF12F45174", "new_fw": False}, "wifi_button")
    assert (hello.event, hello.alarm, hello.device) == ("lifecycle", False, "shellybutton1-A4CF12F45174")


@pytest.mark.parametrize(
    ("topic", "body", "device"),
    [
        ("home/OpenMQTTGateway/433toMQTT/5535011", b"5535011", "433/5535011"),
        ("home/OpenMQTTGateway/SRFBtoMQTT", {"raw": "1c52011802a8", "value": 14554004}, "433/14554004"),
        ("home/OMG/PilighttoMQTT", {"value": "E3", "protocol": "clarus_switch"}, "433/clarus_switch-E3"),
        ("home/OpenMQTTGateway/IRtoMQTT", {"value": 551489775, "protocol": 3, "bits": 32}, "ir/551489775"),
    ],
)
def test_each_receiver_of_openmqttgateway_names_the_code_it_heard(
    topic: str, body: object, device: str
) -> None:
    code = said(topic, body)
    assert (code.event, code.alarm, code.device) == ("rf_code", None, device)


# -- what a network server has decoded -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "event"),
    [
        ("button", "press"),
        ("short_press", "press"),
        ("button_release", "heartbeat"),
        ("button_config", "heartbeat"),
        ("no press", "heartbeat"),
        ("interval", "heartbeat"),
    ],
)
def test_an_event_that_is_called_button_is_a_press(word: str, event: str) -> None:
    """The Things Node's decoder says ``"event": "button"``, with its battery in mV."""
    body = {
        "end_device_ids": {"device_id": "node"},
        "uplink_message": {
            "f_port": 4,
            "decoded_payload": {"event": word, "battery": 4705, "temperature": 21.5},
        },
    }
    reading = said("v3/app@t/devices/node/up", body, cls="call_button")
    assert (reading.event, reading.alarm) == (event, event == "press")
    assert reading.extras["battery_v"] == 4.705


def test_a_thing_of_type_button_has_not_been_pressed() -> None:
    body = {
        "end_device_ids": {"device_id": "b"},
        "uplink_message": {"f_port": 1, "decoded_payload": {"type": "button", "battery": 90}},
    }
    assert said("v3/app@t/devices/b/up", body, cls="call_button").event == "heartbeat"
