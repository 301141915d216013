"""JSON without a house style: Chinese GPS pendants, NB-IoT bay sensors, cities' parking feeds.

Pendants (askme's public MQTT description): ``info/alarm`` ``{"alarm_type": "SOS", …}``, ``info/heart``
``{"battery": 80, …}``. Domestic platforms push the alarm as a number: 1 and 7 SOS, 115 pull cord, 456
emergency button, 11 fall, 9 low battery, 51 tamper, 67 test. An alarm of an unknown kind is a doubtful
call: it alarms. Bays: ``{"parking_status": 0}``, ``{"occupied": false, "packettype": "Heartbeat"}``,
``{"parking_state": 0, "battery_voltage": 3.656, "Park_cnt": 52}`` (CTWing NB-IoT). 0 is free, 1 taken in
all feeds we met (an older description of one of them had it inverted). Sites: how many of how many are
free, under five different sets of names. What is neither free nor taken is *unknown* and is said so.
OpenMQTTGateway: its 433 MHz receiver says ``{"value": 1361}`` on ``…/433toMQTT`` (decimal; each code is a device of its
own, as in ``tasmota.py``), self-learning remotes ``{"address": …, "unit": …, "switchType": …}``, Bluetooth
``…/BTtoMQTT/<address>``, LoRa ``…/LORAtoMQTT``.
"""

from __future__ import annotations

from dataclasses import replace

from devices.codecs import _decoded
from devices.codecs._shared import (
    Json,
    celsius,
    child,
    flag,
    is_object,
    known,
    load_object,
    number,
    percent,
    taken,
    text,
    whole,
)
from devices.reading import Heard, Reading

TRANSPORT = "generic_json"

_ALARM_KINDS: dict[str, tuple[str, bool]] = {
    "sos": ("sos", True),
    "1": ("sos", True),
    "7": ("sos", True),
    "456": ("sos", True),
    "emergency": ("sos", True),
    "panic": ("sos", True),
    "pull": ("sos", True),
    "115": ("sos", True),
    "fall": ("man_down", True),
    "fall_down": ("man_down", True),
    "man_down": ("man_down", True),
    "11": ("man_down", True),
    "low_battery": ("heartbeat", False),
    "low_power": ("heartbeat", False),
    "9": ("heartbeat", False),
    "tamper": ("tamper", False),
    "51": ("tamper", False),
    "test": ("test", False),
    "67": ("test", False),
}
_PACKETS = {"heartbeat": "heartbeat", "status": "status", "startup": "startup", "restart": "startup"}
#: (capacity, free, taken) as the feeds spell them.
_SITES = (
    ("parkingCapacity", "vacantSpaces", "occupiedSpaces"),
    ("obs_max", "obs_free", "belegt"),
    ("maxcarparkfull", "", "currentcarparkfulltotal"),
    ("totalSpaceCount", "availableSpaceCount", "occupiedSpaceCount"),
    ("capacity", "free", "occupied"),
)


def read(heard: Heard) -> Reading:
    body = load_object(heard.payload)
    last = heard.topic.rpartition("/")[2]
    if last == "433toMQTT":
        return _radio(body)
    if "/BTtoMQTT/" in heard.topic:
        return replace(_decoded.read(body, heard.cls), device=text(body.get("id")).lower() or last.lower())
    if heard.topic == "info/alarm" or "alarm_type" in body:
        return _pendant_alarm(body)
    if heard.topic == "info/heart":
        return _pendant_heart(body)
    if last == "down" and heard.topic == "info/down":
        return Reading("none", device=_who(body))
    return _site(body) or _bay(body) or _decoded.read(body, heard.cls)


def _who(body: Json) -> str:
    for key in ("device_id", "deviceId", "imei", "IMEI", "mag_id", "user_id", "id"):
        value = body.get(key)
        if isinstance(value, str) and value:
            return text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(whole(value) or "")
    return ""


def _radio(body: Json) -> Reading:
    code = body.get("value", body.get("code"))
    word = str(code) if isinstance(code, int) and not isinstance(code, bool) else text(code)
    if not word and whole(body.get("address")) is not None:
        word = f"{whole(body.get('address'))}-{whole(body.get('unit')) or 0}"
    return Reading(
        "rf_code",
        alarm=None if word else False,
        device=f"433/{word}" if word else "",
        extras=known(code=word or None, bits=whole(body.get("length")), protocol=whole(body.get("protocol"))),
    )


def _pendant_alarm(body: Json) -> Reading:
    kind = body.get("alarm_type", body.get("type"))
    if not body:
        raise ValueError("an alarm that says nothing at all")
    word = str(kind)[:32].strip().lower() if isinstance(kind, (str, int)) else ""
    event, alarm = _ALARM_KINDS.get(word, ("sos", True))
    extras = known(
        device_time=number(body.get("timestamp")),
        device_event=text(kind) or None,
        doubtful=None if word in _ALARM_KINDS else True,
        battery_low=True if word in ("low_battery", "low_power", "9") else None,
    )
    return Reading(event, alarm, battery_pct=percent(body.get("battery")), device=_who(body), extras=extras)


def _pendant_heart(body: Json) -> Reading:
    return Reading(
        "heartbeat",
        battery_pct=percent(body.get("battery")),
        device=_who(body),
        extras=known(charging=flag(body.get("battery_charging")), device_time=number(body.get("timestamp"))),
    )


def _site(body: Json) -> Reading | None:
    counts = child(body, "actualStatus") or body
    for capacity_key, free_key, taken_key in _SITES:
        capacity = whole(counts.get(capacity_key))
        free = whole(counts.get(free_key))
        full = whole(counts.get(taken_key))
        if capacity is None or (free is None and full is None):
            continue
        unknown = None
        if free is None and full is not None:
            free = max(capacity - full, 0)
        elif free is not None and full is not None:
            unknown = max(capacity - free - full, 0)
        return Reading(
            "site",
            device=_who(body),
            extras=known(
                capacity=capacity,
                free=free,
                taken=full,
                unknown=unknown,
                display=whole(counts.get("displayValue")),
                full=flag(counts.get("full")),
            ),
        )
    return None


def _bay(body: Json) -> Reading | None:
    for key in ("parking_status", "parking_state", "occupied", "status"):
        if key in body and not is_object(body[key]):
            occupied = taken(body[key])
            break
    else:
        return None
    if "alarm" in body or "sos" in body or (key == "status" and occupied is None):
        return None
    packet = text(body.get("packettype")).lower()
    event = _PACKETS.get(packet, "keepalive" if flag(body.get("keep_alive")) else "status")
    return Reading(
        event,
        occupied=occupied,
        battery_pct=percent(body.get("battery")),
        device=_who(body),
        extras=known(
            temperature=celsius(body.get("temperature")),
            battery_v=number(body.get("battery_voltage")),
            vehicle_count=whole(body.get("Park_cnt")),
            measured_at=text(body.get("timestamp")) or None,
        ),
    )
