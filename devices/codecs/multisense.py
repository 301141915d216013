"""Swisscom Multisense: a room sensor with a button, a reed contact and a motion counter.

Documented in Swisscom's "LPN MultiSense payload". Byte 0 version, byte 1 mode (1 counts how often a thing is used),
byte 2 what made it speak, byte 3 battery 2 V + 6 mV a step. Port 3: then a list of number and value; port 100 tells
that the mode has changed. In mode 1 the button is bit 5 of byte 2, else bit 6.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, s16
from devices.reading import Reading

VENDORS = ("swisscom",)
MODELS = re.compile(r"multisense")

_LENGTHS = {1: 2, 2: 1, 3: 2, 4: 2, 5: 6, 6: 16, 7: 8}
_COUNTS_USE = 1


def read_frame(frame: Frame) -> Reading:
    data, at = frame.data, 4
    extras: dict[str, object] = {"battery_v": (2000 + data[3] * 6) / 1000}
    if frame.port == 100:
        return Reading("config_reply", extras=extras)
    while at < len(data):
        kind, at = data[at], at + 1
        size = _LENGTHS.get(kind, 0)
        if not size or at + size > len(data):
            break
        if kind in (1, 6):
            extras |= known(temperature=celsius(s16(data, at) / 100))
        elif kind in (2, 7):
            extras["humidity"] = data[at] / 2
        at += size
    if data[2] & (0x20 if data[1] == _COUNTS_USE else 0x40) and not frame.watches_a_place:
        return Reading("press", True, extras=extras)
    return Reading("status" if frame.watches_a_place else "heartbeat", extras=extras)
