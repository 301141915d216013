"""IMBuildings: people counters, comfort sensors and panels of up to five buttons.

Documented in IMBuildings' "Payload types". Byte 0 the kind (1 comfort, 2 people, 3 buttons), byte 1 its variant; the
fields are counted from the end. Comfort: hundredths of a volt, degree and percent, CO2, presence. People ``06``:
since the last message in, out, then a state, then both in all; ``07`` only in all; ``08`` a beat. Buttons ``03``: one
bit a button; ``04``: how often each was pressed since it began, which is no press of now.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, s16, u16
from devices.reading import Reading

VENDORS = ("imbuildings",)
MODELS = re.compile(r"imbuildings")

_BUTTONS = 5


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    kind, variant, end = data[0], data[1], len(data)
    if kind == 1:
        return Reading(
            "status",
            occupied={0: False, 1: True}.get(data[-1]),
            extras=known(
                battery_v=u16(data, end - 9) / 100,
                temperature=celsius(s16(data, end - 7) / 100),
                humidity=u16(data, end - 5) / 100,
            ),
        )
    if kind == 2:
        return _people(data, variant)
    if kind == 3 and variant == 3:
        keys = [key + 1 for key in range(_BUTTONS) if data[-1] >> key & 1]
        extras = known(battery_v=u16(data, end - 3) / 100, buttons=keys or None)
        if len(keys) == 1:
            extras["button"] = keys[0]
        return Reading("press" if data[-1] else "heartbeat", bool(data[-1]), extras=extras)
    if kind == 3 and variant == 4:
        return Reading("heartbeat", extras={"battery_v": u16(data, end - 12) / 100})
    return Reading("config_reply" if kind == 0xF1 else "none")


def _people(data: bytes, variant: int) -> Reading:
    end = len(data)
    if variant == 6:
        return Reading(
            "count",
            extras={
                "in": u16(data, end - 5),
                "out": u16(data, end - 3),
                "battery_v": u16(data, end - 12) / 100,
            },
        )
    if variant == 7:
        return Reading("count", extras={"in": u16(data, end - 4), "out": u16(data, end - 2)})
    if variant == 8:
        return Reading("heartbeat", extras={"battery_v": u16(data, end - 3) / 100})
    return Reading("none")
