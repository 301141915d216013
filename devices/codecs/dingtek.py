"""Dingtek: DO200-family bay sensors (ultrasound and magnet), DC500 vehicle and people counters.

Documented in Dingtek's protocol sheets. Frames begin ``80 00`` and end ``81``; byte 3 is the report: 1
and 2 are data, 3 is the answer with the device's parameters, which must not touch the bay. DO200 data:
bytes 5-6 distance as the device says it (0: none), byte 7 high four bits bay taken, byte 8 low four bits
battery low, bytes 9-10 hundredths of a volt; DO201 and DO202 (23 bytes) add °C in byte 17. DC500 data: bytes
5-6 the count, byte 7 low four bits battery low, bytes 9-10 hundredths of a volt. DC510 (18 bytes): °C in byte 8,
byte 12 low four bits battery low, bytes 13-14 hundredths of a volt. DC520 (19 bytes): bytes 5-6 who is inside,
7-8 came in, 9-10 went out, byte 12 as before. Other DC models weigh rubbish bins.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, signed8, u16
from devices.reading import Reading

VENDORS = ("dingtek",)
MODELS = re.compile(r"\b(?:do\d\d\d|dc\d\d\d)")


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if data[3] == 3:
        return Reading("config", extras={"firmware": f"{data[5]}.{data[6]}"})
    if data[0] != 0x80:
        raise ValueError("a Dingtek frame begins with 80")
    if data[3] not in (1, 2):
        return Reading("none")
    if re.search(r"\bdc5", frame.model.lower()):
        return _count(data)
    if re.search(r"\bd[cft]", frame.model.lower()):
        return Reading("none")
    return Reading(
        "status",
        occupied={0: False, 1: True}.get(data[7] >> 4),
        extras=known(
            distance_raw=u16(data, 5),
            battery_v=u16(data, 9) / 100,
            battery_low=bool(data[8] & 0x0F),
            temperature=celsius(signed8(data[17])) if len(data) == 23 else None,
        ),
    )


def _count(data: bytes) -> Reading:
    if len(data) == 19:  # DC520
        inside = {"count": u16(data, 5), "in": u16(data, 7), "out": u16(data, 9)}
        return Reading("count", extras={**inside, "battery_low": bool(data[12] & 0x0F)})
    longer = len(data) == 18  # DC510
    return Reading(
        "count",
        extras=known(
            count=u16(data, 5),
            battery_v=u16(data, 13 if longer else 9) / 100,
            battery_low=bool(data[12 if longer else 7] & 0x0F),
            temperature=celsius(signed8(data[8])) if longer else None,
        ),
    )
