"""Ascoel PB868LR: a push button.

Documented in Ascoel's "LoRa protocol" sheet: the port names the message. 40 the button (byte 0 bit 0 pressed, two bytes
of counter), 8 and 9 the battery in percent, 5 to 7 the device about itself, 2 and 10 about a command.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import known, percent, u16
from devices.reading import Reading

VENDORS = ("ascoel",)
MODELS = re.compile(r"\bpb868")

_BUTTON = 40
_BATTERY = frozenset({8, 9})
_QUIET = {5: "lifecycle", 6: "lifecycle", 7: "lifecycle", 2: "config_reply", 10: "config_reply"}


def read_frame(frame: Frame) -> Reading:
    data, port = frame.data, frame.port
    if frame.model and not MODELS.search(frame.model.lower()):
        raise ValueError("an Ascoel model whose layout we do not have: the server's own decoding is better")
    if port == _BUTTON:
        pressed = bool(data[0] & 1)
        extras = known(counter=u16(data, 1) if len(data) >= 3 else None)
        return Reading("press" if pressed else "release", pressed, extras=extras)
    if port in _BATTERY:
        return Reading("heartbeat", battery_pct=percent(data[0] & 0x7F))
    return Reading(_QUIET.get(port or 0, "none"))
