"""Elsys ERS and EMS: desk and room presence sensors, ELT-2 with an ultrasonic distance probe.

Documented in Elsys' "Sensor payload" sheet: one byte of type and a value of fixed length, repeated, on
port 5. ``01`` temperature in tenths, ``02`` humidity, ``07`` battery in millivolts, ``0e`` distance in
millimetres, ``0d`` a reed contact (1 closed), ``11`` presence (0 nobody, 1 somebody may still be there, 2
somebody). *May be* is unknown.
``3e`` begins settings.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, millimetres, s16, u16
from devices.reading import Reading

VENDORS = ("elsys",)
MODELS = re.compile(r"\b(?:ers|ems|elt)\b|\belt-2")

_LENGTHS = {
    0x01: 2,
    0x02: 1,
    0x03: 3,
    0x04: 2,
    0x05: 1,
    0x06: 2,
    0x07: 2,
    0x08: 2,
    0x09: 6,
    0x0A: 2,
    0x0B: 4,
    0x0C: 2,
    0x0D: 1,
    0x0E: 2,
    0x0F: 1,
    0x10: 4,
    0x11: 1,
    0x12: 1,
    0x13: 65,
    0x14: 4,
    0x15: 2,
    0x16: 2,
    0x17: 4,
    0x18: 2,
    0x19: 2,
    0x1A: 1,
    0x1B: 4,
    0x1C: 2,
    0x1D: 1,
    0x1E: 1,
    0x1F: 1,
    0x20: 2,
    0x21: 1,
    0x22: 2,
    0x23: 1,
    0x24: 1,
    0x3C: 4,
    0x3D: 4,
}


def read_frame(frame: Frame) -> Reading:
    data, at = frame.data, 0
    if data[0] == 0x3E:
        return Reading("config")
    occupied: bool | None = None
    extras: dict[str, object] = {}
    while at < len(data):
        kind = data[at]
        size = _LENGTHS.get(kind, 0)
        at += 1
        if not size or at + size > len(data):
            break
        if kind == 0x11:
            occupied = {0: False, 2: True}.get(data[at])
        elif kind == 0x01:
            extras |= known(temperature=celsius(s16(data, at) / 10))
        elif kind == 0x02:
            extras["humidity"] = data[at]
        elif kind == 0x07:
            extras["battery_v"] = u16(data, at) / 1000
        elif kind == 0x0D:
            extras["open"] = data[at] == 0
        elif kind == 0x0E:
            extras |= known(distance_mm=millimetres(u16(data, at)))
        at += size
    return Reading("status", occupied=occupied, extras=extras)
