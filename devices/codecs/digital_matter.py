"""Digital Matter Oyster, Yabby (trackers without a button) and Guppy, which knows when the one who wears it lies.

Documented in Digital Matter's "LoRaWAN payload decoders". Oyster and Yabby, little-endian: port 1 place, byte 8 bit 1
no fix, byte 10 battery in 25 mV; ports 4 and 33 the same packed; port 2 answers commands; ports 3, 30 and 31 tell
statistics. Guppy, port 1: byte 0 bit 0 on the way, the other bits 14 mV above 2 V, byte 1 halves of a degree above -40;
where there are four bytes, byte 2 bit 0 says that its wearer lies.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known
from devices.reading import Reading

VENDORS = ("digital matter", "digital-matter", "digitalmatter")
MODELS = re.compile(r"\b(?:oyster|yabby|guppy)")


def read_frame(frame: Frame) -> Reading:
    data, port, model = frame.data, frame.port, frame.model.lower()
    if not MODELS.search(model):
        raise ValueError(
            "a Digital Matter model whose layout we do not have: the server's own decoding is better"
        )
    if "guppy" in model:
        return _guppy(frame)
    if port == 1 and len(data) >= 11:
        lost = bool(data[8] & 2)
        return Reading("position_failed" if lost else "position", extras={"battery_v": data[10] * 25 / 1000})
    if port in (4, 33):
        return Reading("position")
    return Reading("config_reply" if port == 2 else "heartbeat" if port in (3, 30, 31) else "none")


def _guppy(frame: Frame) -> Reading:
    data = frame.data
    if frame.port == 2:
        return Reading("config_reply")
    if frame.port not in (1, None):
        return Reading("none")
    extras = known(
        battery_v=round(2 + (data[0] >> 1) * 0.014, 3),
        temperature=celsius(data[1] / 2 - 40),
    )
    if len(data) >= 4 and data[2] & 1 and not frame.watches_a_place:
        return Reading("man_down", True, extras=extras)
    return Reading("heartbeat", extras=extras)
