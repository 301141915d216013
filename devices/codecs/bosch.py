"""Bosch Parking Lot Sensor TPS110 (firmware 0.29 to 0.39): a puck glued on the bay.

Documented in Bosch's "Communication interface" document. The port names the message: 1 status (the bay has
changed), 2 heartbeat (once a day, newer firmware adds the temperature in °C), 3 startup (12 bytes of debug,
three of firmware, reset cause, bay), 4 device information, 5 usage. Byte 0, bit 0: 1 taken, 0 free.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, signed8
from devices.reading import Reading

VENDORS = ("bosch",)
MODELS = re.compile(r"tps1\d\d|parking.?lot.?sensor")

_RESET = {1: "watchdog", 2: "power_on", 3: "system_request", 4: "external_pin", 5: "lockup", 6: "brownout"}


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if frame.port in (1, 2):
        extras = known(temperature=celsius(signed8(data[1])) if len(data) > 1 else None)
        return Reading("status" if frame.port == 1 else "heartbeat", occupied=_bay(data[0]), extras=extras)
    if frame.port == 3:
        return Reading(
            "startup",
            occupied=_bay(data[16]),
            extras=known(firmware=f"{data[12]}.{data[13]}.{data[14]}", reset_cause=_RESET.get(data[15])),
        )
    return Reading("config" if frame.port in (4, 5) else "none")


def _bay(byte: int) -> bool | None:
    """Only 0 and 1 are described; anything else is a bay we know nothing of."""
    return {0: False, 1: True}.get(byte)
