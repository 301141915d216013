"""Nexelec: room sensors and smoke detectors with a touch button (Aero CO2, Atmo, Insafe+, Feel+, Origin+ …).

Documented in Nexelec's "Technical guide" of each product. First generation: byte 0 product, byte 1
message; ``a7 05`` is the button frame, ``a7 04`` a keep-alive. Insafe+ Pilot: byte 0 is product (6) and
message in four bits each; ``64 00`` is a short press. Second generation (Feel, Rise, Move, Wave, Sign, and the
same with a plus, Sense+, Atmo+): the periodic frame carries one bit "button was pressed" in byte 9; temperature
and humidity are ten bits each. Origin and Guard are smoke detectors; their central button only silences smoke.

A smoke alarm is nobody's press, and somebody may still need help: it is left to the hall's policy.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known
from devices.reading import Reading

VENDORS = ("nexelec",)
MODELS = re.compile(
    r"insafe|\b(?:aero|atmo|pmi|origin|guard)\b|\b(?:sense|feel|rise|move|wave|sign|atmo|origin|guard)\+"
)

_FIRST = frozenset(range(0xA3, 0xA9))
_SECOND = frozenset({0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xB9, 0xBA, 0xBB, 0xC6, 0xC7, 0xC8, 0xCD})
#: Smoke detectors: product -> (its message about smoke, what its other messages are).
_OTHERS = {0: "lifecycle", 1: "lifecycle", 2: "heartbeat", 3: "heartbeat", 4: "heartbeat", 5: "none"}
_SMOKE = {
    0xA2: (3, {**_OTHERS, 5: "heartbeat"}),
    **dict.fromkeys(range(0xB1, 0xB5), (2, _OTHERS)),
}
_FIRST_MESSAGES = {1: "heartbeat", 2: "lifecycle", 3: "lifecycle", 4: "heartbeat"}
_FIRST_PRESS = {0: "short", 1: "long", 2: "multiple_3", 3: "multiple_6"}
_PILOT_MESSAGES = {0: "lifecycle", 1: "heartbeat", 2: "none", 3: "lifecycle", 5: "none", 6: "heartbeat"}
#: 2 to 4 replay stored measurements, 8 is presence.
_SECOND_MESSAGES = {1: "heartbeat", 5: "lifecycle", 6: "lifecycle", 7: "lifecycle"}
_INVALID = 0x3FD  # from here on the ten bits say "switched off", "not connected", "error"


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if data[0] >> 4 == 6:
        return _pilot(data)
    message = data[1]
    if data[0] in _SMOKE:
        smoke, others = _SMOKE[data[0]]
        if message == smoke and data[2] >> 6:
            return Reading("alarm", None, extras={"smoke": True})
        return Reading("heartbeat" if message == smoke else others.get(message, "none"))
    if data[0] in _SECOND:
        return _second(data, message)
    if data[0] in _FIRST:
        if message == 5:
            kind = _FIRST_PRESS.get(data[2] >> 6) if len(data) > 2 else None
            return Reading("press", True, extras=known(press_type=kind))
        return Reading(_FIRST_MESSAGES.get(message, "none"))
    return Reading("none")


def _second(data: bytes, message: int) -> Reading:
    if message == 8:
        return Reading("status", occupied=bool(data[2] & 0x80))
    if message != 1 or len(data) < 10:
        return Reading(_SECOND_MESSAGES.get(message, "none"))
    tenths = int.from_bytes(data[2:4], "big") >> 6
    humidity = int.from_bytes(data[3:5], "big") >> 4 & 0x3FF
    extras = known(
        temperature=celsius(round(tenths / 10 - 30, 1)) if tenths < _INVALID else None,
        humidity=humidity / 10 if humidity <= 1000 else None,
    )
    if data[9] & 0x20:
        return Reading("press", True, extras=extras | {"press_type": "short"})
    return Reading("heartbeat", extras=extras)


def _pilot(data: bytes) -> Reading:
    message = data[0] & 0x0F
    if message == 4:
        # Only "short" is described; whatever else the three bits say, somebody touched it.
        short = len(data) > 1 and data[1] >> 5 == 0
        return Reading("press", True, extras={"press_type": "short"} if short else {"doubtful": True})
    extras = (
        known(temperature=celsius(data[1] / 5), humidity=data[2] / 2)
        if message == 1 and len(data) > 2
        else {}
    )
    return Reading(_PILOT_MESSAGES.get(message, "none"), extras=extras)
