"""MClimate: HT-PIR-Lite presence sensor and Multipurpose Button.

Documented at docs.mclimate.eu. HT-PIR-Lite keep-alive ``51``: byte 1 bit 2 presence, its low two bits and
byte 2 temperature (x - 400) tenths, byte 3 humidity x / 256, byte 4 battery 1600 + x * 2200 / 255 mV.
Multipurpose Button: byte 1 battery 1600 + 8 x mV, bytes 2-3 temperature in tenths, byte 4 presses (0
none, 1 single, 2 double, 3 triple); the Open/Close Sensor begins like it. An answer to a command carries a
keep-alive at its end.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known
from devices.reading import Reading

VENDORS = ("mclimate",)
MODELS = re.compile(r"ht-?pir|co2-?pir|multipurpose.?button|open.?close|mclimate")

_PRESSES = {1: "single", 2: "double", 3: "triple"}


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if "button" in frame.model.lower() or (frame.is_button and len(data) == 5):
        return _button(data[-5:])
    if re.search(r"open.?close", frame.model.lower()):
        return Reading("status" if frame.watches_a_place else "contact", extras=_head(data[-8:]))
    if frame.model and not re.search(r"pir", frame.model.lower()) and data[0] != 0x51:
        raise ValueError("an MClimate model whose layout we do not have: the server's own decoding is better")
    tail = data if data[0] == 0x51 else data[-6:]
    tenths = (tail[1] & 3) << 8 | tail[2]
    volts = round((1600 + tail[4] * 2200 / 255) / 1000, 2)
    return Reading(
        "status",
        occupied=bool(tail[1] & 4),
        extras=known(
            battery_v=volts, temperature=celsius((tenths - 400) / 10), humidity=round(tail[3] * 100 / 256, 2)
        ),
    )


def _head(data: bytes) -> dict[str, object]:
    return known(
        battery_v=(1600 + data[1] * 8) / 1000,
        temperature=celsius(((data[2] & 3) << 8 | data[3]) / 10) if not data[2] & 4 else None,
    )


def _button(data: bytes) -> Reading:
    extras = _head(data)
    if data[4] == 0:
        return Reading("heartbeat", extras=extras)
    kind = _PRESSES.get(data[4])
    return Reading("press", True, extras=extras | known(press_type=kind, doubtful=None if kind else True))
