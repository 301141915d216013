"""Sensative Puck radar over a bay or a desk, and Strips on a door or under a seat.

Documented in Sensative's public description of its virtual machine's output. Port 1: a list of samples;
each head byte names the output in its low six bits (0 taken, 2 … others), whose bits 5-3 also tell how
long the value is, and its top two bits how many bytes of age come before the value (0, 1, 2, 4). Other
ports: the device itself.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, percent, s16
from devices.reading import Reading

VENDORS = ("sensative",)
MODELS = re.compile(r"puck|radar|\bstrips?\b|ms-guard|sensative")

#: Strips on port 1: two bytes of history number, then type (low seven bits) and value; how long each is.
_STRIPS = {
    1: 1,
    2: 2,
    3: 1,
    4: 2,
    5: 1,
    6: 1,
    7: 2,
    8: 2,
    9: 1,
    10: 1,
    11: 1,
    12: 1,
    13: 1,
    14: 1,
    16: 1,
    17: 2,
    18: 1,
    19: 2,
    20: 2,
    21: 1,
    22: 1,
    80: 3,
    81: 3,
    82: 3,
    110: 8,
    112: 2,
    113: 2,
    114: 2,
}
_STRIPS_MODELS = re.compile(r"strip|presence|guard|comfort|drip|lux")

_AGE_BYTES = (0, 1, 2, 4)
_VALUE_BYTES = (1, 1, 2, 4)
_OCCUPIED, _DISTANCE = 0x00, 0x11


def read_frame(frame: Frame) -> Reading:
    if frame.port == 2:
        return Reading("none", extras={"history": True})  # Strips replay what was not acknowledged
    if frame.port not in (1, None):
        return Reading(frame.lifecycle if frame.port != 11 else frame.config_reply)
    if _STRIPS_MODELS.search(frame.model.lower()):
        return _strips(frame.data)
    data, at = frame.data, 0
    occupied: bool | None = None
    extras: dict[str, object] = {}
    while at < len(data):
        head = data[at]
        size = _VALUE_BYTES[head >> 3 & 3]
        at += 1 + _AGE_BYTES[head >> 6]
        if at + size > len(data):
            break
        value = int.from_bytes(data[at : at + size], "big", signed=True)
        output = head & 0x3F
        if output == _OCCUPIED and occupied is None:  # newest first: later samples are older
            occupied = {0: False, 1: True}.get(value)
        elif output == _DISTANCE and value > 0:
            extras.setdefault("distance_mm", value * 10)
        at += size
    return Reading("status" if occupied is not None else "heartbeat", occupied=occupied, extras=extras)


def _strips(data: bytes) -> Reading:
    at = 2
    occupied: bool | None = None
    pct: float | None = None
    extras: dict[str, object] = {}
    while at < len(data):
        kind = data[at] & 0x7F
        size = _STRIPS.get(kind, 0)
        at += 1
        if not size or at + size > len(data):
            break
        if kind == 1:
            pct = percent(data[at])
        elif kind == 2:
            extras |= known(temperature=celsius(s16(data, at) / 10))
        elif kind in (9, 82):
            extras["open"] = bool(data[at])
        elif kind in (12, 11):
            extras["tamper"] = bool(data[at])
        elif kind == 18:
            occupied = bool(data[at])
        at += size
    event = "status" if occupied is not None or "open" in extras else "heartbeat"
    return Reading(event, occupied=occupied, battery_pct=pct, extras=extras)
