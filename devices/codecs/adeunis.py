"""Adeunis Field Test Device: what installers walk about with; its button sends at once.

Documented in Adeunis' FTD user guide. Byte 0 says what follows, in this order: bit 7 temperature in °C, bit 6 woken by
movement, bit 5 woken by the button, bit 4 nine bytes of place, bit 3 and 2 the counters, bit 1 battery in millivolts,
bit 0 the radio's figures. Adeunis' other models have frames of their own and are not read.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, signed8, u16
from devices.reading import Reading

VENDORS = ("adeunis",)
MODELS = re.compile(r"\bftd|field.?test|network.?test|netwok")


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if not MODELS.search(frame.model.lower()):
        raise ValueError("an Adeunis model whose layout we do not have: the server's own decoding is better")
    head, at = data[0], 1
    extras: dict[str, object] = {}
    if head & 0x80:
        extras |= known(temperature=celsius(signed8(data[at])))
        at += 1
    at += (9 if head & 0x10 else 0) + (1 if head & 0x08 else 0) + (1 if head & 0x04 else 0)
    if head & 0x02 and len(data) >= at + 2:
        extras["battery_v"] = u16(data, at) / 1000
    if head & 0x20:
        return Reading("press", True, extras=extras)
    return Reading("position" if head & 0x10 else "heartbeat", extras=extras)
