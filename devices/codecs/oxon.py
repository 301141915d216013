"""Oxon: Oxobutton, Oxobutton 2 and Buttonboard, LoRaWAN panels of one to six buttons.

Documented in Oxon's payload descriptions. The first byte names the frame: ``31`` Buttonboard: byte 1 one
bit a button, bit 7 a long press; byte 2 heartbeat; byte 6 battery %, byte 7 °C. ``30`` Oxobutton: byte 1
the button's number, 0 for none; byte 2 heartbeat; byte 6 battery %, byte 7 °C. ``39`` Oxobutton 2: byte 1
bits 0-3 the buttons, bit 4 heartbeat; byte 2 periodic, temperature, humidity, light; byte 5 battery %,
then temperature and humidity in hundredths.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, percent, s16, signed8, u16
from devices.reading import Reading

VENDORS = ("oxon", "oxobutton")
MODELS = re.compile(r"oxobutton|buttonboard")


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    kind = data[0]
    if kind == 0x31:
        buttons = _bits(data[1], 6)
        extras = known(temperature=celsius(signed8(data[7])))
        press_type = "long" if data[1] & 0x80 else "short"
        return _press_or(buttons, press_type, data[2] != 0, percent(data[6]), extras)
    if kind == 0x30:
        extras = known(temperature=celsius(signed8(data[7])))
        return _press_or([data[1]] if data[1] else [], None, data[2] != 0, percent(data[6]), extras)
    if kind == 0x39:
        extras = known(temperature=celsius(s16(data, 6) / 100), humidity=u16(data, 8) / 100)
        beat = bool(data[1] & 0x10 or data[2] & 0x01)
        return _press_or(_bits(data[1], 4), None, beat, percent(data[5]), extras)
    raise ValueError(f"no Oxon frame begins with {kind:02x}")


def _bits(byte: int, count: int) -> list[int]:
    return [index + 1 for index in range(count) if byte >> index & 1]


def _press_or(
    buttons: list[int], press_type: str | None, beat: bool, pct: float | None, extras: dict[str, object]
) -> Reading:
    if not buttons:
        return Reading("heartbeat" if beat else "none", battery_pct=pct, extras=extras)
    more = known(buttons=buttons, button=buttons[0] if len(buttons) == 1 else None, press_type=press_type)
    return Reading("press", True, battery_pct=pct, extras=extras | more)
