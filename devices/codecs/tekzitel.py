"""Tekzitel TekziPark: a bay sensor with magnet, radar and a beacon reader.

From the maker's published description. Ports 1 and 2; byte 0: bit 7 taken, bit 0 keep-alive, bit 1 reset,
bit 4 obstruction (snow, leaves), bit 5 battery good; byte 1 °C, byte 2 the bay's number.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, signed8
from devices.reading import Reading

VENDORS = ("tekzitel",)
MODELS = re.compile(r"tekzi.?park")


def read_frame(frame: Frame) -> Reading:
    if frame.port not in (1, 2, None):
        return Reading("none")
    flags = frame.data[0]
    event = "startup" if flags & 0x02 else "keepalive" if flags & 0x01 else "status"
    return Reading(
        event,
        occupied=bool(flags & 0x80),
        extras=known(
            temperature=celsius(signed8(frame.data[1])),
            battery_low=not flags & 0x20,
            obstructed=True if flags & 0x10 else None,
        ),
    )
