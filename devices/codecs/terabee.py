"""Terabee people counters L-XL and M over a door, and the occupancy counter POC over a room.

Documented in Terabee's LoRaWAN guides: a count is in and out, four bytes each, big-endian, and one byte
of flags in newer firmware; port 1 in L-XL, 82 in M. Other ports answer commands. Counts from 2**31 on are
a broken counter and are dropped. The POC speaks on port 83: flags (bit 0 stopped, bit 1 stuck, bit 3 warming
up), people in the whole view, then one byte for each of eight zones, ff for a zone not set.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import known, u32
from devices.reading import Reading

VENDORS = ("terabee",)
MODELS = re.compile(r"pc-l-xl|tb-p[co][mc]|people.?(?:occupancy.?)?counting")


_STOPPED_OR_STUCK = 0x03


def read_frame(frame: Frame) -> Reading:
    if frame.port == 83:
        broken = bool(frame.data[0] & _STOPPED_OR_STUCK)
        extras = known(people_count=None if broken else frame.data[1], fault=True if broken else None)
        return Reading("fault" if broken else "count", extras=extras)
    if frame.port not in (1, 82, None) or len(frame.data) not in (8, 9):
        return Reading("config")
    counts = {"in": u32(frame.data, 0), "out": u32(frame.data, 4)}
    return Reading("count", extras=known(**{key: n if n < 1 << 31 else None for key, n in counts.items()}))
