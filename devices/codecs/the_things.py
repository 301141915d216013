"""The Things Node and Generic Node Sensor Edition: the two boards that every LoRaWAN course hands out.

Documented in their device profiles. The Node: the port is the reason (1 start, 2 its interval, 3 motion, 4 button);
battery in mV, light, temperature in hundredths. The Generic Node: tenths of a volt, tenths of a degree above -50,
humidity in tenths, and 1 while its button is down.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, s16, u16
from devices.reading import Reading

VENDORS = ("the things products", "the things industries", "the-things-products", "the-things-industries")
MODELS = re.compile(r"the.things.node|generic.node|\bgnse\b")

_REASON = {1: "lifecycle", 2: "heartbeat", 3: "motion", 4: "press"}


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if re.search(r"generic|gnse", frame.model.lower()):
        pressed = data[5] == 1
        extras = known(
            battery_v=data[0] / 10,
            temperature=celsius((u16(data, 1) - 500) / 10),
            humidity=u16(data, 3) / 10,
        )
        return Reading("press" if pressed else "heartbeat", pressed, extras=extras)
    if not re.search(r"node", frame.model.lower()):
        raise ValueError("an Uno sends what its owner programs: the server's own decoding is better")
    event = _REASON.get(frame.port or 0, "none")
    extras = known(battery_v=u16(data, 0) / 1000, temperature=celsius(s16(data, 4) / 100))
    return Reading(event, event == "press", extras=extras)
