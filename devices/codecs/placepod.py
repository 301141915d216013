"""PNI PlacePod: a magnetic bay sensor in or on the ground.

Documented in PNI's "PlacePod payload" sheet; channel, type, value as in Cayenne LPP: ``15 66`` the bay
has changed, ``37 66`` keep-alive with the bay, ``02 67`` temperature in tenths, ``03 02`` battery in
hundredths of a volt, ``21 00`` vehicle count (128: rebooted for recalibration), ``01``, ``1c`` and ``3f``
answers to commands.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, s16, u16
from devices.reading import Reading

VENDORS = ("pni", "placepod")
MODELS = re.compile(r"placepod")

_LENGTH_BY_TYPE = {0x00: 1, 0x01: 1, 0x02: 2, 0x66: 1, 0x67: 2, 0x68: 1, 0x71: 6}


def read_frame(frame: Frame) -> Reading:
    data, at = frame.data, 0
    event, occupied = "none", None
    extras: dict[str, object] = {}
    while at + 2 < len(data):
        channel, kind = data[at], data[at + 1]
        size = _LENGTH_BY_TYPE.get(kind, 0)
        at += 2
        if not size or at + size > len(data):
            break
        if kind == 0x66 and channel in (0x15, 0x37):
            event = "status" if channel == 0x15 else "keepalive"
            occupied = {0: False, 1: True}.get(data[at])
        elif channel == 0x02 and kind == 0x67:
            extras |= known(temperature=celsius(s16(data, at) / 10))
        elif channel == 0x03 and kind == 0x02:
            extras["battery_v"] = u16(data, at) / 100
        elif channel == 0x21:
            if data[at] == 128:
                event = "startup" if event == "none" else event
            else:
                extras["vehicle_count"] = data[at]
                event = "count" if event == "none" else event
        elif channel in (0x01, 0x1C, 0x3F) and event == "none":
            event = "config"
        at += size
    if event == "none" and extras:
        event = "heartbeat"
    return Reading(event, occupied=occupied, extras=extras)
