"""ChirpStack, the network server most halls with a LoRaWAN gateway run themselves: version 4, and 3 beside it.

Topics ``application/<id>/device/<devEui>/event/<event>``; the MQTT integration is described in
ChirpStack's documentation ("Integrations / MQTT", "Event types"). An uplink::

    {"deduplicationId": "…", "deviceInfo": {"devEui": "a8…", "deviceProfileName": "WS101"},
     "fCnt": 12, "fPort": 85, "data": "AXUQ/y4B", "object": {…}}

``data`` is base64 of the device's bytes; ``object`` (absent, null or empty unless somebody configured a
codec) is the server's own decoding. ``status`` carries the battery in percent (255 and -1: unknown).
Version 3 has the same topics and puts ``devEUI``, ``deviceName`` and ``deviceProfileName`` at the top, the address in
hexadecimal or base64, and its decoding as text in ``objectJSON``; its older topics end in ``/rx``. LoRaWAN gateways
with a network server of their own (Milesight's UG series) say the same on topics of the owner's choice: such a message
is known by its words (`looks_like_ours`). There the device's decoded values may lie beside its address.
"""

from __future__ import annotations

import re
from dataclasses import replace

from devices.codecs import _lorawan
from devices.codecs._shared import (
    BROKEN,
    Json,
    base64_bytes,
    child,
    known,
    load,
    load_object,
    number,
    percent,
    radio,
    text,
    whole,
)
from devices.reading import Heard, Reading

TRANSPORT = "chirpstack_v4"

_ADDRESS = re.compile(r"[0-9A-Fa-f]{16}")
#: What an uplink says of itself rather than of the device; and how it carries the device's bytes.
_ENVELOPE = frozenset(
    {"deduplicationId", "time", "timestamp", "gatewayTime", "deviceInfo", "devAddr", "devEUI", "devEui", "deviceName"}
    | {"deviceProfileName", "deviceProfileID", "applicationID", "applicationName", "tags", "type", "cellularIP"}
    | {"adr", "dr", "fCnt", "confirmed", "confirmedUplink", "rxInfo", "txInfo"}
)
_FRAME = frozenset({"fPort", "data", "object", "objectJSON"})


def read(heard: Heard) -> Reading:
    parts = heard.topic.split("/")
    ours = parts[0] == "application" and len(parts) > 4
    event = (parts[5] if len(parts) > 5 and parts[4] == "event" else "") if ours else "up"
    if ours and parts[4] == "rx":
        event = "up"
    body = load_object(heard.payload)
    info = child(body, "deviceInfo") or body
    address = text(info.get("devEui")) or _version_3_address(body)
    device = (address or (parts[3] if len(parts) > 3 else "")).lower()
    if event == "up":
        reading = _uplink(heard, body, info, beside=not ours)
        # The network gives another address at each join.
        session = known(session=text(body.get("devAddr")) or None)
        extras = {**reading.extras, **radio(body.get("rxInfo"), "loRaSNR"), **session}
        return replace(reading, device=device, press_id=_press_id(body), extras=extras)
    if event == "status":
        return Reading(
            "heartbeat",
            battery_pct=_status_battery(body),
            device=device,
            extras=known(margin_db=number(body.get("margin"))),
        )
    # join: it has just (re)started. ack, txack, log, location, integration and our own commands: nothing.
    return Reading("lifecycle" if event == "join" else "none", device=device)


def looks_like_ours(payload: bytes) -> bool:
    """Whether this is an uplink, whatever its topic: it names a DevEUI, and bytes with a port or values."""
    if b'"devEUI"' not in payload and b'"devEui"' not in payload:
        return False
    try:
        body = load_object(payload)
    except BROKEN:
        return False
    address = text(child(body, "deviceInfo").get("devEui")) or _version_3_address(body)
    return bool(_ADDRESS.fullmatch(address)) and bool(body.keys() - _ENVELOPE)


def _uplink(heard: Heard, body: Json, info: Json, *, beside: bool) -> Reading:
    port = whole(body.get("fPort"))
    tags = child(info, "tags")
    profile = text(info.get("deviceProfileName"))
    candidates = [
        (heard.vendor, heard.model or profile),
        ("", profile),
        (text(tags.get("vendor")), text(tags.get("model"))),
        ("", text(info.get("deviceName"))),
    ]
    port = port if port is not None else heard.fport
    decoded = body.get("object")
    if decoded is None:
        decoded = _object_of(body.get("objectJSON"))
    if beside and decoded is None:
        decoded = {key: value for key, value in body.items() if key not in _ENVELOPE and key not in _FRAME}
    return _lorawan.read_text(heard, candidates, body.get("data"), port, decoded)


def _object_of(words: object) -> object:
    if not isinstance(words, str) or not words:
        return None
    try:
        return load(words.encode("utf-8"))
    except BROKEN:
        return None  # the device's own bytes may still be good


def _version_3_address(body: Json) -> str:
    """``devEUI``: sixteen hexadecimal digits, or eight bytes in base64."""
    found = text(body.get("devEUI"))
    raw = base64_bytes(found) if len(found) == 12 else None
    return raw.hex() if raw is not None and len(raw) == 8 else found


def _press_id(body: Json) -> str:
    """The frame counter; copies of one frame through several gateways share it."""
    count = whole(body.get("fCnt"))
    if count is not None:
        return f"fcnt:{count}"
    return text(body.get("deduplicationId"))


def _status_battery(body: Json) -> float | None:
    if body.get("batteryLevelUnavailable") is True or body.get("externalPowerSource") is True:
        return None
    return percent(body.get("batteryLevel", body.get("battery")))
