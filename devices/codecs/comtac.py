"""Comtac LPN CM-1: a climate sensor whose button makes it speak at once.

From Comtac's payload description. Port 3, 13 bytes: byte 0 flags (bit 4: sent because the button was pressed),
thresholds and interval, battery in millivolts in bytes 7-8, hundredths of a degree and of a percent.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, s16, u16
from devices.reading import Reading

VENDORS = ("comtac",)
MODELS = re.compile(r"\blpn.?cm-?1\b|\bcm-1\b")

_BY_BUTTON = 0x10


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if (frame.model and not MODELS.search(frame.model.lower())) or len(data) != 13:
        raise ValueError("a Comtac model whose layout we do not have: the server's own decoding is better")
    extras = known(
        battery_v=u16(data, 7) / 1000,
        temperature=celsius(s16(data, 9) / 100),
        humidity=u16(data, 11) / 100,
    )
    if data[0] & _BY_BUTTON and not frame.watches_a_place:
        return Reading("press", True, extras=extras)
    return Reading("status" if frame.watches_a_place else "heartbeat", extras=extras)
