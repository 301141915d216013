"""Thermokon: room controllers, reed contacts and buttons speaking its tag-value code.

Documented in Thermokon's "LoRaWAN payload" sheets. A tag is one byte up to ``7f``, else two; values are
big-endian. ``50 03`` is a reed contact: bit 0 its state, the rest a counter. ``85 50 xx`` and ``95 50
xx`` are buttons: 2 or more means pressed, bit 0 a long press.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, s16, u16
from devices.reading import Reading

VENDORS = ("thermokon",)
MODELS = re.compile(r"mcs.?lrw|sab07|joy lrw|thermokon")

_ONE_BYTE = frozenset(
    {
        0x01,
        0x11,
        0x41,
        0x50,
        0x54,
        0x63,
        0x9410,
        0x9500,
        0xC103,
        0xC120,
        0xC134,
        0x8415,
        0x8550,
        0x9550,
    }
)
_TWO_BYTES = frozenset(
    {
        0x00,
        0x10,
        0x12,
        0x13,
        0x30,
        0x31,
        0x32,
        0x40,
        0x51,
        0x8540,
        0x9510,
        0xC000,
        0xC100,
        0xC105,
        0xC106,
        0xC108,
        0xC10A,
        0xC10B,
        0xC121,
        0xC123,
        0xC125,
        0xC127,
        0xC129,
        0xC12B,
        0xC12D,
        0xC135,
        0xC136,
        0xC137,
        0xC138,
        0xC139,
        0xC230,
        0x9100,
        0x9140,
        0x9630,
        0xA100,
    }
)


def read_frame(frame: Frame) -> Reading:
    data, at = frame.data, 0
    extras: dict[str, object] = {}
    event, pressed = "none", None
    occupied: bool | None = None
    while at < len(data):
        tag = data[at] if data[at] <= 0x7F else u16(data, at)
        at += 1 if tag <= 0x7F else 2
        size = 1 if tag in _ONE_BYTE else 2 if tag in _TWO_BYTES else 0
        if not size or at + size > len(data):
            break
        if tag in (0x8550, 0x9550) and data[at] >= 2:
            pressed = "long" if data[at] & 1 else "short"
            extras["button"] = 1 if tag == 0x8550 else 2
        elif tag in (0x50, 0x9500):
            event = "contact"
            extras["open"] = not data[at] & 1
        elif tag == 0x54:
            extras["battery_v"] = data[at] * 20 / 1000
        elif tag == 0x8540:
            extras["battery_v"] = u16(data, at) / 1000
        elif tag == 0x10:
            extras |= known(temperature=celsius(s16(data, at) / 10))
        elif tag == 0x11:
            extras["humidity"] = data[at]
        elif tag in (0x41, 0x9410):
            occupied = bool(data[at] & 1)
        at += size
    if at == 0 or (at <= 2 and not extras and event == "none" and pressed is None and len(data) < 2):
        raise ValueError("no Thermokon tag")
    if pressed is not None:
        return Reading("press", True, extras=extras | {"press_type": pressed})
    if occupied is not None and event != "contact":
        event = "status"
    return Reading("heartbeat" if event == "none" and extras else event, occupied=occupied, extras=extras)
