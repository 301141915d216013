"""Libelium Smart Parking, first and second version: a magnetic sensor on the bay.

Documented in Libelium's "Smart Parking Technical Guide". Byte 0: bit 7 the bay (1 taken), bit 6 battery
low, low four bits the frame: 0 information, 1 keep-alive, 2 daily update, 3 error, 4 and 5 start, 6
service, 7 asking for the time. In the second version byte 1 counts frames.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import known
from devices.reading import Reading

VENDORS = ("libelium",)
MODELS = re.compile(r"smart.?parking|libelium")

_EVENTS = {
    0: "status",
    1: "keepalive",
    2: "heartbeat",
    3: "fault",
    4: "startup",
    5: "startup",
    6: "config",
    7: "config",
}


def read_frame(frame: Frame) -> Reading:
    head = frame.data[0]
    event = _EVENTS.get(head & 0x0F, "none")
    extras = known(
        battery_low=bool(head & 0x40),
        counter=frame.data[1] if len(frame.data) > 1 else None,
        fault=True if event == "fault" else None,
    )
    # A sensor that reports its own error, or talks of something else, says nothing of the bay.
    occupied = None if event in ("fault", "config", "none") else bool(head & 0x80)
    return Reading(event, occupied=occupied, extras=extras)
