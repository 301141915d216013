"""Lansitec badge and asset trackers: a card with an SOS button and, in some, fall detection.

Documented in Lansitec's user guides ("Payload format"). The high four bits of byte 0 name the message: 1
registration, 2 heartbeat (``20 64 …``: battery 100 %), 3 GNSS position, 7 beacons, 8 alarm with byte 1 =
1 for SOS and 2 for a fall. An alarm message of another kind is a doubtful call and alarms.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import known, percent
from devices.reading import Reading

VENDORS = ("lansitec",)
MODELS = re.compile(r"lansitec|contact.tracing badge|helmet")

_CHARGING = {0: False, 5: True, 6: False}


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    kind = data[0] >> 4
    if kind == 8:
        code = data[1] if len(data) > 1 else 0
        if code == 2:
            return Reading("man_down", True)
        return Reading("sos", True, extras=known(doubtful=None if code == 1 else True))
    if kind == 2:
        charging = _CHARGING.get(data[6] >> 4) if len(data) > 6 else None
        return Reading("heartbeat", battery_pct=percent(data[1]), extras=known(charging=charging))
    return Reading({1: "lifecycle", 3: "position", 7: "position"}.get(kind, "none"))
