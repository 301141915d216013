"""Tektelic Smart Room sensors (Base, PIR, Door) on LoRaWAN.

Documented in Tektelic's technical reference manual. Port 10: two bytes name the value: ``0a 00`` motion
(0 none, ff motion), ``00 ff`` battery in hundredths of a volt, ``00 d3`` battery in percent, ``03 67``
temperature in tenths, ``04 68`` humidity in halves, ``01 00`` reed (0 or ff). Port 100 answers
configuration commands.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, percent, s16
from devices.reading import Reading

VENDORS = ("tektelic",)
MODELS = re.compile(r"smart.?room|tektelic")

_LENGTHS = {
    (0x00, 0xFF): 2,
    (0x00, 0xD3): 1,
    (0x00, 0xBA): 1,
    (0x01, 0x00): 1,
    (0x02, 0x00): 1,
    (0x03, 0x67): 2,
    (0x04, 0x68): 1,
    (0x05, 0x02): 2,
    (0x06, 0x00): 1,
    (0x07, 0x71): 6,
    (0x08, 0x04): 2,
    (0x09, 0x00): 1,
    (0x0A, 0x00): 1,
    (0x0B, 0x67): 2,
    (0x0C, 0x00): 1,
    (0x0D, 0x04): 2,
    (0x0E, 0x00): 1,
    (0x0F, 0x04): 2,
    (0x10, 0x02): 1,
    (0x11, 0x02): 2,
}


def read_frame(frame: Frame) -> Reading:
    if frame.port == 100:
        return Reading("config")
    data, at = frame.data, 0
    occupied: bool | None = None
    pct: float | None = None
    extras: dict[str, object] = {}
    while at + 2 <= len(data):
        key = (data[at], data[at + 1])
        size = _LENGTHS.get(key, 0)
        at += 2
        if not size or at + size > len(data):
            break
        if key == (0x0A, 0x00):
            occupied = {0: False, 0xFF: True, 1: True}.get(data[at])
        elif key == (0x00, 0xFF):
            extras["battery_v"] = s16(data, at) / 100
        elif key == (0x00, 0xD3):
            pct = percent(data[at])
        elif key == (0x03, 0x67):
            extras |= known(temperature=celsius(s16(data, at) / 10))
        elif key == (0x04, 0x68):
            extras["humidity"] = data[at] / 2
        elif key == (0x01, 0x00):
            extras["open"] = data[at] == 0xFF
        at += size
    if occupied is None and pct is None and not extras:
        return Reading("none")
    return Reading(
        "status" if occupied is not None else "heartbeat", occupied=occupied, battery_pct=pct, extras=extras
    )
