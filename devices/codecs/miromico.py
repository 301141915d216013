"""Miromico FMLR button (REV2, "click"): four keys round a square.

Documented in Miromico's "LoRaWAN button" payload description. Byte 0 length, byte 1 the message: ``01`` a press: byte 2
has one bit a key in its high half (bit 4 first), in its low half which came first; a counter; ``02`` status: byte 8
battery in hundredths above 1.7 V, byte 9 °C; ``05`` firmware, sent after a join.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known
from devices.reading import Reading

VENDORS = ("miromico",)
MODELS = re.compile(r"fmlr|rev2.?v5|miro.?click")


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if re.search(r"insight|edge|cargo", frame.model.lower()):
        raise ValueError("a Miromico model whose layout we do not have: the server's own decoding is better")
    if data[1] == 1:
        keys = [key + 1 for key in range(4) if data[2] >> 4 >> key & 1 or data[2] >> key & 1]
        extras = known(buttons=keys or None, button=keys[0] if len(keys) == 1 else None)
        return Reading("press", True, extras=extras)
    if data[1] == 2:
        return Reading(
            "heartbeat",
            extras=known(battery_v=(data[8] + 170) / 100, temperature=celsius(data[9])),
        )
    return Reading("lifecycle" if data[1] == 5 else "none")
