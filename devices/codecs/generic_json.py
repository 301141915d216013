"""JSON without a house style: Chinese GPS pendants, NB-IoT bay sensors, cities' parking feeds.

Pendants (askme's public MQTT description): ``info/alarm`` ``{"alarm_type": "SOS", …}``, ``info/heart``
``{"battery": 80, …}``, ``info/position``, ``info/up`` (it is there), ``info/down`` (its last will), each also with the
tenant's number between. Its other alarms are ``FALL``, ``FENCE`` and ``FIELD`` (it left its place, it is near a live
wire: for the hall to judge), ``BATTERY`` and ``UNWEAR``. Domestic platforms push the alarm as a number: 1 and 7 SOS,
115 pull cord, 456 emergency button, 11 fall, 9 low battery, 51 tamper, 67 test. An alarm of an unknown kind is a
doubtful call: it alarms. Bays: ``{"parking_status": 0}``, ``{"occupied": false, "packettype": "Heartbeat"}``,
``{"parking_state": 0, "battery_voltage": 3.656, "Park_cnt": 52}`` (CTWing NB-IoT). 0 is free, 1 taken in
all feeds we met (an older description of one of them had it inverted). Sites: how many of how many are
free, under a dozen different sets of names. What is neither free nor taken is *unknown* and is said so.
OpenMQTTGateway: its 433 MHz receiver says ``{"value": 1361}`` on ``…/433toMQTT`` (decimal; each code is a device of its
own, as in ``tasmota.py``), self-learning remotes ``{"address": …, "unit": …, "switchType": …}``, Bluetooth
``…/BTtoMQTT/<address>``, LoRa ``…/LORAtoMQTT``. ``…/SRFBtoMQTT``, ``…/PilighttoMQTT`` and ``…/IRtoMQTT`` speak like the
first; old versions make the code a topic of its own below it.
"""

from __future__ import annotations

from dataclasses import replace

from devices.codecs import _decoded, ngsi
from devices.codecs._shared import (
    Json,
    celsius,
    child,
    flag,
    is_object,
    known,
    load_object,
    number,
    offline,
    percent,
    taken,
    text,
    whole,
)
from devices.reading import Heard, Reading

TRANSPORT = "generic_json"

ALARM_KINDS: dict[str, tuple[str, bool | None]] = {
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
    "fence": ("alarm", None),
    "field": ("alarm", None),
    "unwear": ("tamper", False),
    "battery": ("heartbeat", False),
    "呼救": ("sos", True),
    "求救": ("sos", True),
    "求助": ("sos", True),
    "紧急呼叫": ("sos", True),
    "拉绳": ("sos", True),
    "跌倒": ("man_down", True),
    "摔倒": ("man_down", True),
    "低电": ("heartbeat", False),
    "低电量": ("heartbeat", False),
    "电量低": ("heartbeat", False),
    "防拆": ("tamper", False),
    "测试": ("test", False),
    "low_battery": ("heartbeat", False),
    "low_power": ("heartbeat", False),
    "9": ("heartbeat", False),
    "tamper": ("tamper", False),
    "51": ("tamper", False),
    "test": ("test", False),
    "67": ("test", False),
}
#: OpenMQTTGateway's receivers of codes through the air.
_AIR = frozenset({"433toMQTT", "SRFBtoMQTT", "IRtoMQTT", "PilighttoMQTT"})
_PENDANT_WORDS = {"heart": "heartbeat", "position": "position", "up": "online", "down": "offline"}
_PACKETS = {"heartbeat": "heartbeat", "status": "status", "startup": "startup", "restart": "startup"}
#: (capacity, free, taken) as the feeds spell them.
_SITES = (
    ("parkingCapacity", "vacantSpaces", "occupiedSpaces"),
    ("obs_max", "obs_free", "belegt"),
    ("maxcarparkfull", "", "currentcarparkfulltotal"),
    ("totalSpaceCount", "availableSpaceCount", "occupiedSpaceCount"),
    ("capacity", "free", "occupied"),
    ("capacity", "available", "occupied"),
    ("max", "free", "occupied"),
    ("total", "free", "occupied"),
    ("maxPlaces", "freePlaces", "occupiedPlaces"),
    ("totalSpaces", "availableSpaces", "occupiedSpaces"),
    ("gesamte_parkplaetze", "freie_parkplaetze", ""),
    ("sum_boxes", "bookable", "occupied"),
    ("countLogicalBoxes", "countFreeLogicalBoxes", ""),
    ("realtime_capacity", "realtime_free_capacity", "realtime_occupied_capacity"),
    ("capacity", "free_capacity", ""),
    ("kurzparker_verfuegbar", "kurzparker_frei", ""),
    ("parkingNumberOfSpaces", "parkingNumberOfVacantSpaces", "parkingNumberOfOccupiedSpaces"),
    ("parkingNumberOfSpacesOverride", "parkingNumberOfVacantSpaces", "parkingNumberOfOccupiedSpaces"),
)
#: Where a feed keeps its counts, one level down.
_SITES_IN = ("actualStatus", "dynamisch", "parkingOccupancy")
_NGSI_TYPES = frozenset({"ParkingSpot", "OffStreetParking", "OnStreetParking", "ParkingGroup"})
#: Here a count of those taken is enough; anywhere else a lone "occupied": 1 beside some total is a bay's.
_COUNTS_TAKEN = frozenset({"maxcarparkfull", "obs_max", "parkingCapacity", "totalSpaceCount"})


def read(heard: Heard) -> Reading:
    before, _, last = heard.topic.rpartition("/")
    if before.endswith("toMQTT") and not heard.payload.lstrip().startswith(b"{"):
        return _radio({"value": last}, before)  # its older way: the code is the topic's last word
    body = load_object(heard.payload)
    if last in _AIR:
        return _radio(body, last)
    if "/BTtoMQTT/" in heard.topic:
        return replace(_decoded.read(body, heard.cls), device=text(body.get("id")).lower() or last.lower())
    if (
        is_object(body.get("payload")) and "messageType" in body
    ):  # CTWing's envelope round a device's own words
        inner = child(body, "payload")
        body = {"imei": body.get("IMEI", body.get("deviceId")), **inner}
    elif body.get("messageType") == "deviceOnlineOfflineReport":
        gone = whole(body.get("eventType")) == 0
        return offline(_who(body)) if gone else Reading("online", device=_who(body))
    what = last if heard.topic.startswith("info/") else ""
    if what == "alarm" or "alarm_type" in body:
        return _pendant_alarm(body)
    if what in _PENDANT_WORDS:
        return _pendant(what, body)
    if body.get("type") == "Feature" and is_object(body.get("properties")):  # GeoJSON
        body = child(body, "properties")
    if body.get("type") in _NGSI_TYPES:  # a city's FIWARE, asked over HTTP
        return ngsi.read(heard)
    if is_object(body.get("data")) and ("measured_at" in body or "eventType" in body):
        body = _unwrapped(body)
    return _touched(body) or _site(body) or _bay(body) or _decoded.read(body, heard.cls)


def _unwrapped(body: Json) -> dict[str, object]:
    """One measurement of a platform: what was said, and when, side by side."""
    said = child(body, "data")
    when = {"timestamp": body["measured_at"]} if "measured_at" in body else {}
    return {
        "id": body.get("device_id", body.get("targetName")),
        "eventType": body.get("eventType"),
        **said,
        **when,
    }


def _touched(body: Json) -> Reading | None:
    """Disruptive Technologies' sensors: ``{"eventType": "touch", "data": {"touch": {…}}}``; a desk's or a door's state,
    and what the sensor says of itself."""
    kind = text(body.get("eventType"))
    device = _who(body).rpartition("/")[2]
    stamp = known(measured_at=text(child(body, kind).get("updateTime")) or None)
    if kind == "touch":
        return Reading("press", True, device=device, extras=stamp)
    if kind == "deskOccupancy":
        taken_ = {"OCCUPIED": True, "NOT_OCCUPIED": False}.get(text(child(body, kind).get("state")))
        return Reading("status", occupied=taken_, device=device, extras=stamp)
    if kind in ("batteryStatus", "networkStatus", "labelsChanged"):
        pct = percent(child(body, kind).get("percentage"))
        return Reading("heartbeat", battery_pct=pct, device=device, extras=stamp)
    return None


def _who(body: Json) -> str:
    for key in ("device_id", "deviceId", "imei", "IMEI", "mag_id", "user_id", "id"):
        value = body.get(key)
        if isinstance(value, str) and value:
            return text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(whole(value) or "")
    return ""


def _radio(body: Json, receiver: str) -> Reading:
    kind = "ir" if receiver.endswith("IRtoMQTT") else "433"
    code = body.get("value", body.get("code"))
    word = str(code) if isinstance(code, int) and not isinstance(code, bool) else text(code)
    if word and receiver == "PilighttoMQTT":
        word = f"{text(body.get('protocol'))}-{word}"
    if not word and whole(body.get("address")) is not None:
        word = f"{whole(body.get('address'))}-{whole(body.get('unit')) or 0}"
    return Reading(
        "rf_code",
        alarm=None if word else False,
        device=f"{kind}/{word}" if word else "",
        extras=known(code=word or None, bits=whole(body.get("length")), protocol=whole(body.get("protocol"))),
    )


def _pendant_alarm(body: Json) -> Reading:
    kind = body.get("alarm_type", body.get("type"))
    if not body:
        raise ValueError("an alarm that says nothing at all")
    word = str(kind)[:32].strip().lower() if isinstance(kind, (str, int)) else ""
    event, alarm = ALARM_KINDS.get(word, ("sos", True))
    extras = known(
        device_time=number(body.get("timestamp")),
        device_event=text(kind) or None,
        doubtful=None if word in ALARM_KINDS else True,
        battery_low=True if event == "heartbeat" else None,
    )
    return Reading(event, alarm, battery_pct=percent(body.get("battery")), device=_who(body), extras=extras)


def _pendant(what: str, body: Json) -> Reading:
    if what == "down":
        return offline(_who(body))
    return Reading(
        _PENDANT_WORDS[what],
        battery_pct=percent(body.get("battery")),
        device=_who(body),
        extras=known(charging=flag(body.get("battery_charging")), device_time=number(body.get("timestamp"))),
    )


def _site(body: Json) -> Reading | None:
    counts = next((found for name in _SITES_IN if (found := child(body, name))), body)
    counters = body.get("counters")
    if isinstance(counters, list):  # one list of counters a site; the whole is the one named "total"
        counts = next((c for c in counters if is_object(c) and c.get("nativeId") == "total"), {})
    if is_object(body.get("free_capacity")) and is_object(body.get("capacity")):  # by kind of vehicle
        free_cars, cars = child(body, "free_capacity").get("car"), child(body, "capacity").get("car")
        counts = {"capacity": cars, "free_capacity": free_cars}
    for capacity_key, free_key, taken_key in _SITES:
        capacity = whole(counts.get(capacity_key))
        free = whole(counts.get(free_key))
        full = whole(counts.get(taken_key))
        if capacity is None or (free is None and (full is None or capacity_key not in _COUNTS_TAKEN)):
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
