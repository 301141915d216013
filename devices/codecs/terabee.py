"""Terabee people counters L-XL and M over a door.

Documented in Terabee's LoRaWAN guides: a count is in and out, four bytes each, big-endian, and one byte
of flags in newer firmware; port 1 in L-XL, 82 in M. Other ports answer commands. Counts from 2**31 on are
a broken counter and are dropped.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import known, u32
from devices.reading import Reading

VENDORS = ("terabee",)
MODELS = re.compile(r"pc-l-xl|tb-pcm|people.?counting")


def read_frame(frame: Frame) -> Reading:
    if frame.port not in (1, 82, None) or len(frame.data) not in (8, 9):
        return Reading("config")
    counts = {"in": u32(frame.data, 0), "out": u32(frame.data, 4)}
    return Reading("count", extras=known(**{key: n if n < 1 << 31 else None for key, n in counts.items()}))
