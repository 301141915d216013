"""How devices are told, family by family, and what they say back. Each payload is as the maker's documents have it."""

from __future__ import annotations

import json
import random

import pytest

from devices import paths, speaking
from devices.codecs import families
from devices.speaking import Reply, Speaker

PLUG = Speaker("zigbee2mqtt", "走廊灯", via="zigbee2mqtt/走廊灯", means="switch")
SIREN = Speaker("zigbee2mqtt", "siren-302", model="HS2WD-E", via="zigbee2mqtt/siren-302")
NEO = Speaker("zigbee2mqtt", "neo", model="NAS-AB02B2", via="zigbee2mqtt/neo")
RELAY = Speaker("chirpstack_v4", "a840", model="LT-22222-L", via="application/7/device/a840")
SOCKET = Speaker("ttn_v3", "24e1", model="WS523", via="v3/app@ttn/devices/socket-1")
TASMOTA = Speaker("tasmota", "bell", via="cmnd/bell", means="relay", part="2")
BUZZER = Speaker("tasmota", "bell", via="cmnd/bell", means="buzzer")
ESP = Speaker("esphome", "esp-302", via="esp-302", means="light", part="bedside")
SHELLY_1 = Speaker("shelly", "shelly1-AB", via="shellies/shelly1-AB", means="relay")
SHELLY_2 = Speaker("shelly", "shellyplus1-AB", via="shellyplus1-AB", means="relay")


@pytest.mark.parametrize(
    ("speaker", "word", "topic", "payload"),
    [
        (PLUG, "coming", "zigbee2mqtt/走廊灯/set", {"state": "ON"}),
        (PLUG, "over", "zigbee2mqtt/走廊灯/set", {"state": "OFF"}),
        (NEO, "heard", "zigbee2mqtt/neo/set", {"duration": 2, "alarm": True}),
        (NEO, "coming", "zigbee2mqtt/neo/set", {"duration": 8, "alarm": True}),
        (TASMOTA, "heard", "cmnd/bell/POWER2", "BLINK"),
        (TASMOTA, "coming", "cmnd/bell/POWER2", "ON"),
        (TASMOTA, "over", "cmnd/bell/POWER2", "OFF"),
        (BUZZER, "heard", "cmnd/bell/Buzzer", "1,5"),
        (ESP, "heard", "esp-302/light/bedside/command", {"state": "ON", "flash": 5}),
        (ESP, "over", "esp-302/light/bedside/command", {"state": "OFF"}),
        (SHELLY_1, "coming", "shellies/shelly1-AB/relay/0/command", "on"),
        (
            SHELLY_2,
            "over",
            "shellyplus1-AB/rpc",
            {"id": 1, "src": "linli", "method": "Switch.Set", "params": {"id": 0, "on": False}},
        ),
        (
            RELAY,
            "coming",
            "application/7/device/a840/command/down",
            {"id": "t-1", "devEui": "a840", "confirmed": True, "fPort": 2, "data": "AwER"},
        ),
        (
            SOCKET,
            "over",
            "v3/app@ttn/devices/socket-1/down/push",
            {
                "downlinks": [
                    {
                        "f_port": 85,
                        "frm_payload": "CAD//w==",
                        "priority": "HIGH",
                        "confirmed": True,
                        "correlation_ids": ["linli:t-1"],
                    }
                ]
            },
        ),
    ],
)
def test_a_word_in_the_makers_own(speaker: Speaker, word: speaking.Word, topic: str, payload: object) -> None:
    saying = speaking.say(speaker, word, "t-1")
    assert saying is not None
    (message,) = saying.messages
    assert message.topic == topic and not message.retain
    assert (message.payload if isinstance(payload, str) else json.loads(message.payload)) == payload


def test_a_siren_is_short_for_heard_and_long_for_coming_and_nobody_will_know_whether_it_sounded() -> None:
    said = [speaking.say(SIREN, word) for word in ("heard", "coming")]
    lengths = [json.loads(one.messages[0].payload)["warning"]["duration"] for one in said if one]
    assert lengths == [2, 8]
    assert all(one and not one.shows and not one.token and not one.level for one in said)
    over = speaking.say(SIREN, "over")
    assert over is not None and over.messages == ()


def test_what_can_only_be_on_or_off_does_not_pretend_to_say_two_things() -> None:
    for speaker in (PLUG, RELAY, SOCKET, SHELLY_1, SHELLY_2):
        assert [speaking.can(speaker, word) for word in ("heard", "coming", "over")] == [False, True, True]


@pytest.mark.parametrize("model", ["WS101", "R312A", "PB01", "LW006", "", "T1000-A"])
def test_a_class_a_button_cannot_hear_and_the_hall_knows(model: str) -> None:
    button = Speaker("chirpstack_v4", "24e1", model=model, via="application/7/device/24e1")
    assert not any(speaking.can(button, word) for word in ("heard", "coming", "over"))


def test_nobody_is_told_by_a_name_that_is_a_pattern() -> None:
    assert speaking.root_of("zigbee2mqtt", "zigbee2mqtt/#", "#") == ""
    assert speaking.say(Speaker("esphome", "e", via="e", means="switch", part="+"), "coming") is None
    assert speaking.say(Speaker("zigbee2mqtt", "plug", means="switch"), "coming") is None, (
        "never heard: no topic"
    )


@pytest.mark.parametrize(
    ("family", "topic", "address", "root"),
    [
        ("zigbee2mqtt", "zigbee2mqtt_p/hall/door/action", "hall/door", "zigbee2mqtt_p/hall/door"),
        ("chirpstack_v4", "application/7/device/a840/event/up", "a840", "application/7/device/a840"),
        ("ttn_v3", "v3/app@ttn/devices/socket-1/up", "24e1", "v3/app@ttn/devices/socket-1"),
        ("tasmota", "tele/home/bell/STATE", "home/bell", "cmnd/home/bell"),
        ("tasmota", "tele/bridge/SENSOR", "0x1234", ""),
        ("esphome", "home/esp/binary_sensor/cord/state", "home/esp", "home/esp"),
        ("shelly", "shellies/shelly1-AB/online", "shelly1-AB", "shellies/shelly1-AB"),
        ("shelly", "home/plus/events/rpc", "shellyplus1-AB", "home/plus"),
        ("ngsi", "v1/up/bay", "bay", ""),
    ],
)
def test_where_a_device_listens_its_own_topic_tells(family: str, topic: str, address: str, root: str) -> None:
    assert speaking.root_of(family, topic, address) == root


ACK = {"deduplicationId": "d", "deviceInfo": {"devEui": "A840"}, "queueItemId": "t-1", "acknowledged": True}
TTN = {
    "end_device_ids": {"device_id": "socket-1", "dev_eui": "24E1"},
    "correlation_ids": ["as:downlink:01", "linli:t-1"],
}


@pytest.mark.parametrize(
    ("family", "topic", "payload", "reply"),
    [
        ("zigbee2mqtt", "zigbee2mqtt/plug", {"state": "ON", "linkquality": 90}, Reply("plug", shows="on")),
        ("zigbee2mqtt", "zigbee2mqtt/neo", {"alarm": True, "volume": "low"}, Reply("neo", shows="on")),
        ("zigbee2mqtt", "zigbee2mqtt/neo", {"alarm": False}, None),
        ("zigbee2mqtt", "zigbee2mqtt/plug/availability", {"state": "online"}, None),
        ("zigbee2mqtt", "zigbee2mqtt/btn", {"action": "single"}, None),
        ("chirpstack_v4", "application/7/device/a840/event/ack", ACK, Reply("a840", "t-1")),
        (
            "chirpstack_v4",
            "application/7/device/a840/event/ack",
            {key: value for key, value in ACK.items() if key != "acknowledged"},
            Reply("a840", "t-1", ok=False),
        ),
        ("chirpstack_v4", "application/7/device/a840/event/txack", ACK, None),
        ("ttn_v3", "v3/app@ttn/devices/socket-1/down/ack", TTN, Reply("24e1", "t-1")),
        ("ttn_v3", "v3/app@ttn/devices/socket-1/down/nack", TTN, Reply("24e1", "t-1", ok=False)),
        ("ttn_v3", "v3/app@ttn/devices/socket-1/down/queued", TTN, None),
        ("tasmota", "stat/bell/RESULT", {"POWER2": "ON"}, Reply("bell", shows="on")),
        ("tasmota", "stat/bell/RESULT", {"POWER": "Blink ON"}, Reply("bell", shows="blink")),
        ("tasmota", "stat/bell/RESULT", {"Buzzer": "Done"}, Reply("bell", shows="beep")),
        ("tasmota", "stat/bell/RESULT", {"Button1": {"Action": "SINGLE"}}, None),
        ("esphome", "esp-302/light/bedside/state", {"state": "OFF"}, Reply("esp-302", shows="off")),
        ("esphome", "esp-302/switch/bell/state", "ON", Reply("esp-302", shows="on")),
        ("esphome", "esp-302/binary_sensor/cord/state", "ON", None),
        ("shelly", "shellies/shelly1-AB/relay/0", "on", Reply("shelly1-AB", shows="on")),
        (
            "shelly",
            "shellyplus1-AB/events/rpc",
            {"src": "shellyplus1-AB", "method": "NotifyStatus", "params": {"switch:0": {"output": True}}},
            Reply("shellyplus1-AB", shows="on"),
        ),
        ("linli", "linli/v1/button/btn-01/status", {"light": "blink"}, Reply("btn-01", shows="blink")),
        ("linli", "linli/v1/button/btn-01/status", {"uptime_s": 3}, None),
    ],
)
def test_what_comes_back(family: str, topic: str, payload: object, reply: Reply | None) -> None:
    data = payload if isinstance(payload, str) else json.dumps(payload)
    assert speaking.reply(family, topic, data.encode()) == reply


def test_whatever_comes_back_nothing_raises_and_our_own_words_are_known_for_ours() -> None:
    dice = random.Random(4)
    good = [b'{"state":"ON"}', b'{"POWER":"ON"}', json.dumps(ACK).encode(), json.dumps(TTN).encode(), b"on"]
    topics = [
        "zigbee2mqtt/x", "stat/x/RESULT", "application/7/device/x/event/ack", "v3/a/devices/x/down/ack",
        "shellies/x/relay/0", "x/events/rpc", "e/light/x/state", "linli/v1/button/x/status",
    ]  # fmt: skip
    heard = 0
    for _ in range(3000):
        payload = bytearray(dice.choice(good))
        for _ in range(dice.randrange(4)):
            payload[dice.randrange(len(payload))] = dice.randrange(256)
        for family in families():
            reply = speaking.reply(family, dice.choice(topics), bytes(payload))
            heard += reply is not None
    assert heard > 0
    for speaker in (PLUG, SIREN, RELAY, SOCKET, TASMOTA, BUZZER, ESP, SHELLY_1, SHELLY_2):
        saying = speaking.say(speaker, "coming")
        assert saying is not None and all(speaking.is_ours(one.topic) for one in saying.messages)
    for topic in topics:
        assert not speaking.is_ours(topic)


def test_every_way_of_telling_is_named_for_staff_in_both_languages() -> None:
    known = {family: speaking.means(family) for family in (*sorted(families()), "nobody")}
    assert known["nobody"] == {} and len(known["zigbee2mqtt"]) == 4
    for ways in known.values():
        assert all(zh and en and zh != en for zh, en in ways.values())


def test_bridges_and_gateways_speak_of_themselves() -> None:
    state = paths.path_of("zigbee2mqtt/bridge/state")
    assert state == paths.PathTopic("zigbee2mqtt", beats=False)
    words = [b'{"state":"online"}', b"online", b'{"state":"offline"}', b"offline", b"\xff"]
    assert [paths.says_up(word) for word in words] == [True, True, False, False, None]
    stats = paths.path_of("cn470_10/gateway/0016c001f1500812/event/stats")
    assert stats == paths.PathTopic("lorawan:0016c001f1500812", beats=True)
    assert paths.path_of("gateway/0016C001F1500812/event/stats") == stats
    for topic in (
        "zigbee2mqtt/bridge/devices",
        "zigbee2mqtt/btn",
        "application/1/device/0016c001f1500812/event/up",
    ):
        assert paths.path_of(topic) is None
    assert paths.behind("zigbee2mqtt_p", "zigbee2mqtt", "zigbee2mqtt_p/btn")
    assert not paths.behind("zigbee2mqtt_p", "zigbee2mqtt", "zigbee2mqtt/btn")
