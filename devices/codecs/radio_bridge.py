"""Radio Bridge (MultiTech): RBS301, RBS304, RBS305 and RBS306 push buttons, door contacts and their like.

Documented in Radio Bridge's "Common messages" and each model's user guide. Byte 0 is protocol and counter, byte 1 the
message: ``00`` it has started, ``01`` supervisory (byte 2 bit 1 battery low, byte 4 volts and tenths in four bits
each), ``02`` tamper (0 open), ``03`` door (1 open), ``06`` button: byte 2 which (1, 2, 3 the only one, ``12`` both),
byte 3 pressed, released, held; ``07`` contact (1 open), ``08`` water (0 present), ``09`` and ``0d`` temperature.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, signed8
from devices.reading import Reading

VENDORS = ("radio bridge", "radiobridge", "radio-bridge", "multitech")
MODELS = re.compile(r"\brbs30\d")

_QUIET = {0x00: "lifecycle", 0xFB: "none", 0xFC: "none", 0xFD: "test", 0xFF: "config_reply"}
_BUTTONS = {0x01: [1], 0x02: [2], 0x03: [1], 0x12: [1, 2]}
_RELEASED, _HELD = 1, 2
_OPENS = frozenset({0x03, 0x07})


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    message = data[1]
    if message == 0x00:
        return Reading(frame.lifecycle)
    if message == 0x01:
        return Reading(
            "heartbeat",
            extras={"battery_v": (data[4] >> 4) + (data[4] & 0x0F) / 10, "battery_low": bool(data[2] & 2)},
        )
    if message == 0x02:
        return Reading("tamper", extras={"tamper": data[2] == 0})
    if message == 0x06:
        return _button(data)
    place = "status" if frame.watches_a_place else "contact"
    if message in _OPENS:
        return Reading(place, extras={"open": data[2] != 0})
    if message == 0x08:
        return Reading(place, extras={"leak": data[2] == 0})
    if message in (0x09, 0x0D):
        return Reading("status", extras=known(temperature=celsius(signed8(data[3]))))
    return Reading(_QUIET.get(message, "none"))


def _button(data: bytes) -> Reading:
    keys = _BUTTONS.get(data[2])
    extras = known(buttons=keys, button=keys[0] if keys and len(keys) == 1 else None)
    state = data[3] if len(data) > 3 else 0
    if state == _RELEASED:
        return Reading("release", extras=extras)
    return Reading("press", True, extras=extras | ({"press_type": "hold"} if state == _HELD else {}))
