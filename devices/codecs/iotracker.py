"""ioTracker 3: a tracker with a button.

From the maker's published payload description. Byte 0 says why it speaks (bit 0 the button, 1 it moves, 2 a wire) and
what follows (bit 3 a place, 4 its sensors), byte 1 a check, byte 2 battery in 254 steps. The sensors come first: a
byte of what is there, temperature in hundredths where its bit 0 is set.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, percent, s16
from devices.reading import Reading

VENDORS = ("iotracker",)
MODELS = re.compile(r"iotracker")

_BUTTON, _PLACED, _SENSED = 0x01, 0x08, 0x10


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    head = data[0]
    pct = percent(round(data[2] * 100 / 254))
    extras: dict[str, object] = {}
    if head & _SENSED and len(data) >= 6 and data[3] & 1:
        extras = known(temperature=celsius(s16(data, 4) / 100))
    if head & _BUTTON:
        return Reading("press", True, battery_pct=pct, extras=extras)
    return Reading("position" if head & _PLACED else "heartbeat", battery_pct=pct, extras=extras)
