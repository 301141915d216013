"""MacnMan ParkOMate: a magnetic bay sensor.

From the maker's published description: device id, message (1 event, else heartbeat), bay (1 taken), six
signed 16-bit magnetometer words, UNIX time in the last four of 19 bytes or fewer.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import known, u32
from devices.reading import Reading

VENDORS = ("macnman",)
MODELS = re.compile(r"parkomate")


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    stamp = u32(data, len(data) - 4) if len(data) >= 7 else None
    return Reading(
        "status" if data[1] == 1 else "heartbeat",
        occupied={0: False, 1: True}.get(data[2]),
        extras=known(device_time=stamp),
    )
