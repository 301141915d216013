"""Each family of parking sensors, counters and feeds reaches its bay, gate or site, by the gateway's own door.

The payloads are the captured and documented ones of tests/data/devices.jsonl; one that came without an envelope is put
into its network server's here, under the model that the hall's claim gives it.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from devices.codecs import decode, family_of
from devices.reading import Heard, Reading
from gateway.hall.parking_rows import Entrance, SiteSaid
from gateway.hall.sensing import DISTANCE, NEAR_MM, distance_mm
from gateway.translate import device_id_of
from tests.gateway.car_park import CarPark

VECTORS = [
    json.loads(line) for line in Path("tests/data/devices.jsonl").read_text(encoding="utf-8").splitlines()
]
PARKING = [one for one in VECTORS if one["kind"] == "parking"]
BAYS = [one for one in PARKING if one["cls"] in ("parking_sensor", "occupancy", "distance", "ngsi")]
COUNTERS = [one for one in PARKING if one["cls"] in ("vehicle_counter", "counter")]
SITES = [one for one in PARKING if one["cls"] == "facility_count"]
EUI = "a8404100000000fe"


def sent(vector: dict[str, Any], count: int = 5) -> tuple[str, bytes]:
    """Topic and payload as they come over MQTT."""
    payload, topic = vector["payload"], vector["topic"]
    if vector["transport"] == "raw_lorawan":
        words = {
            "deviceInfo": {"devEui": EUI, "deviceProfileName": f"{vector['vendor']} {vector['model']}"},
            "fCnt": count,
            "fPort": vector["fport"],
            "data": base64.b64encode(bytes.fromhex(payload)).decode(),
        }
        return f"application/1/device/{EUI}/event/up", json.dumps(words).encode()
    if not topic:
        payload = {"id": "somebody", **payload}
        topic = "v1/up/somebody"
    return topic, json.dumps(payload).encode()


def who(topic: str, payload: bytes) -> str:
    """As the hall knows it."""
    family = family_of(topic)
    assert family is not None
    return device_id_of(family, decode(Heard(topic, payload)), topic)


def understood(vector: dict[str, Any]) -> Reading:
    """What the codec makes of it, by itself."""
    payload = vector["payload"]
    raw = bytes.fromhex(payload) if isinstance(payload, str) else json.dumps(payload).encode()
    about = (vector["vendor"], vector["model"], vector["cls"], vector["fport"])
    return decode(Heard(vector["topic"] or "", raw, False, vector["transport"], *about))


@pytest.mark.parametrize("vector", BAYS, ids=[f"{one['id']} {one['vendor']} {one['model']}" for one in BAYS])
def test_a_sensors_word_reaches_its_bay(park: CarPark, vector: dict[str, Any]) -> None:
    reading = understood(vector)
    topic, payload = sent(vector)
    device = who(topic, payload)
    park.bay(device, "b1", model=f"{vector['vendor']} {vector['model']}")
    number = park.hear(topic, payload)
    park.turn()
    assert number in park.acked
    occupied = reading.occupied
    far_mm = distance_mm(reading.extras)
    if occupied is None and far_mm is not None:
        occupied = far_mm < (275 if vector["model"] == "WS201" else NEAR_MM)
    wanted = {True: "taken", False: "free", None: "unknown"}[occupied]
    assert park.state_of("b1") == wanted
    assert park.loop.counts["garbage"] == park.loop.counts["set_aside"] == 0


@pytest.mark.parametrize("vector", BAYS, ids=[f"{one['id']} {one['vendor']} {one['model']}" for one in BAYS])
def test_nobody_calls_through_a_parking_sensor(park: CarPark, vector: dict[str, Any]) -> None:
    topic, payload = sent(vector)
    park.bay(who(topic, payload), "b1", model=f"{vector['vendor']} {vector['model']}")
    park.hear(topic, payload)
    park.turn()
    assert park.loop.state.calls == {}


@pytest.mark.parametrize("vector", COUNTERS, ids=[f"{one['id']} {one['model']}" for one in COUNTERS])
def test_a_counters_word_reaches_its_gate(park: CarPark, vector: dict[str, Any]) -> None:
    topic, payload = sent(vector)
    device = who(topic, payload)
    model = f"{vector['vendor']} {vector['model']}"
    park.done("claim_device", device_id=device, kind="gate_counter", name="东门", model=model)
    assert park.loop.state.table(Entrance)[device].site_id == "site"
    number = park.hear(topic, payload)
    park.turn()
    assert number in park.acked
    reading = understood(vector)
    gate = park.loop.state.table(Entrance)[device]
    if reading.event == "count":
        assert (gate.last_in, gate.last_out) == (
            reading.extras.get("in", reading.extras.get("vehicle_count", reading.extras.get("count"))),
            reading.extras.get("out"),
        )
    assert (gate.ins, gate.outs) == (0, 0), "a first total is where counting begins"


@pytest.mark.parametrize("vector", SITES, ids=[f"{one['id']} {one['vendor']}" for one in SITES])
def test_a_feeds_word_reaches_its_site(park: CarPark, vector: dict[str, Any]) -> None:
    topic, payload = sent(vector)
    device = who(topic, payload)
    park.done("claim_device", device_id=device, kind="site_feed", name="市平台")
    park.done("put_site", site_id="city", name_zh="市停车场", name_en="City", feed=device)
    park.hear(topic, payload)
    park.turn()
    expect = understood(vector).extras
    said = park.loop.state.table(SiteSaid)[device]
    assert (said.free, said.taken, said.total) == (
        expect.get("free"),
        expect.get("taken"),
        expect.get("capacity"),
    )
    assert said.fault == ""


def test_a_channel_that_nobody_knows_is_skipped_and_never_the_frame(park: CarPark) -> None:
    """A city's parser threw such frames away, and five bays stood still for weeks."""
    device = "chirpstack_v4:ff00000000000021"
    park.bay(device, "b1", model="Milesight VS340")
    known = bytes([0x01, 0x75, 100]) + bytes([0x03, 0x00, 1])
    park.lorawan(device.partition(":")[2], known, 85, 1, "VS340")
    park.turn()
    assert park.state_of("b1") == "taken"
    # 2D 67 is a temperature on a channel that no VS340 has.
    strange = bytes([0x2D, 0x67, 0x10, 0x01]) + bytes([0x03, 0x00, 0])
    park.lorawan(device.partition(":")[2], strange, 85, 2, "VS340")
    park.after(11, 1)
    assert park.state_of("b1") == "free"


def test_a_sensor_that_alarms_at_its_threshold_measures_all_the_same(park: CarPark) -> None:
    """EM400-MUD says 83 82 at its own limit: an alarm of the probe, nobody's call, and a distance."""
    device = "chirpstack_v4:ff00000000000022"
    park.bay(device, "b1", model="Milesight EM400-MUD")
    frame = bytes.fromhex("8367e800018482410601")
    park.lorawan(device.partition(":")[2], frame, 85, 1, "EM400-MUD")
    park.after(DISTANCE.hold_ms / 1000 + 5, 30)
    assert park.loop.state.calls == {}
    assert park.state_of("b1") == "free", "1601 mm: nothing stands there"
