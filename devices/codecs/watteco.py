"""Watteco (nke): Moveo presence sensor, Press'O and Closo contacts, speaking ZCL over LoRaWAN on port 125.

Documented at support.watteco.com. ``11 0a 0406 0000 18 01``: frame control, command (0a report, 01 read
response, which has a status byte more), cluster, attribute, type, value. Cluster 0406 is occupancy (bit
0), 000f a binary input, 0402 temperature and 0405 humidity in hundredths, 0050 the power supply.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, s16, u16
from devices.reading import Reading

VENDORS = ("watteco", "nke")
MODELS = re.compile(r"moveo|press'?o|closo|vaqao")

_REPORT, _ALARM_REPORT, _READ = 0x0A, 0x8A, 0x01


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    command, cluster, attribute = data[1], u16(data, 2), u16(data, 4)
    if command not in (_REPORT, _ALARM_REPORT, _READ):
        return Reading("config")
    at = 7 if command in (_REPORT, _ALARM_REPORT) else 8
    value = data[at:]
    if not value:
        raise ValueError("a report without its value")
    if cluster == 0x0406 and attribute == 0:
        return Reading("status", occupied=bool(value[0] & 1))
    if cluster == 0x000F and attribute == 0x0055:
        pressed = bool(value[0])
        if frame.is_button or "press" in frame.model.lower():
            return Reading("press" if pressed else "release", pressed)
        return Reading("status", extras={"state": pressed})
    if cluster == 0x0402:
        return Reading("status", extras=known(temperature=celsius(s16(value, 0) / 100)))
    if cluster == 0x0405:
        return Reading("status", extras={"humidity": u16(value, 0) / 100})
    return Reading("heartbeat" if cluster == 0x0050 else "none")
