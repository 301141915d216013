"""Nexelec: room sensors and smoke detectors with a touch button (Aero CO2, Atmo, Insafe+, Feel+ …).

Documented in Nexelec's "Technical guide" of each product. First generation: byte 0 product, byte 1
message; ``a7 05`` is the button frame, ``a7 04`` a keep-alive. Insafe+ Pilot: byte 0 is product (6) and
message in four bits each; ``64 00`` is a short press. Second generation (Feel+, Rise+, Move+, Wave+,
Sign+): the periodic frame carries one bit "button was pressed".
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import known
from devices.reading import Reading

VENDORS = ("nexelec",)
MODELS = re.compile(r"insafe|\b(?:aero|atmo|pmi)\b|\b(?:sense|feel|rise|move|wave|sign)\+")

_FIRST = frozenset(range(0xA3, 0xA9))
_SECOND = frozenset({0xB9, 0xBA, 0xBB, 0xC6, 0xC7, 0xC8, 0xCD})
_FIRST_MESSAGES = {1: "heartbeat", 2: "lifecycle", 3: "lifecycle", 4: "heartbeat"}
_FIRST_PRESS = {0: "short", 1: "long", 2: "multiple_3", 3: "multiple_6"}
_PILOT_MESSAGES = {0: "lifecycle", 1: "heartbeat", 2: "none", 3: "lifecycle", 5: "none", 6: "heartbeat"}
_SECOND_MESSAGES = {1: "heartbeat", 5: "lifecycle", 6: "lifecycle", 7: "lifecycle"}


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if data[0] >> 4 == 6:
        return _pilot(data)
    message = data[1]
    if data[0] in _SECOND:
        # Only in the short frames does the bit lie here; longer ones belong to products without it.
        pressed = message == 1 and 10 <= len(data) <= 14 and bool(data[9] & 0x20)
        if pressed:
            return Reading("press", True, extras={"press_type": "short"})
        return Reading(_SECOND_MESSAGES.get(message, "none"))
    if data[0] in _FIRST:
        if message == 5:
            kind = _FIRST_PRESS.get(data[2] >> 6) if len(data) > 2 else None
            return Reading("press", True, extras=known(press_type=kind))
        return Reading(_FIRST_MESSAGES.get(message, "none"))
    return Reading("none")


def _pilot(data: bytes) -> Reading:
    message = data[0] & 0x0F
    if message == 4:
        # Only "short" is described; whatever else the three bits say, somebody touched it.
        short = len(data) > 1 and data[1] >> 5 == 0
        return Reading("press", True, extras={"press_type": "short"} if short else {"doubtful": True})
    return Reading(_PILOT_MESSAGES.get(message, "none"))
