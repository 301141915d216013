"""Netvox: the R312/R312A emergency buttons, RB02I, R718T push buttons, R718PE distance sensor.

Netvox publishes one application-command document per model. Every frame is 11 bytes; on port 6::

    01 4d 01 1e 01 000000000000
    |  |  |  |  alarm (button) or status (others)
    |  |  |  tenths of a volt, bit 7: battery low
    |  |  report type: 1 status, 0 versions
    |  device type (0x4d R312A, 0x55 R312, 0x10 RB02I, 0xb1 R718PE)
    version

Port 7 (and 13 for reset commands) answers a configuration command: byte 1 is the device type there too, and
bytes that look like an alarm are seconds. An answer is never a press.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import known, millimetres, u16
from devices.reading import Reading

VENDORS = ("netvox",)
MODELS = re.compile(r"\b(?:r312|r311|r313|r718|r72\d|ra0\d|rb02|rb11|r71\d)")

_BUTTON_TYPES = frozenset({0x10, 0x4D, 0x55})
_BUTTON_MODELS = re.compile(r"r312|rb02|r718t|r718tb|button|emergency")
_CONFIG_PORTS = frozenset({7, 13})
_DISTANCE_TYPE = 0xB1
#: The commands of configuration answers, byte 0: 0x81 config done, 0x82 config read … 0x8f.
_ANSWERS = range(0x80, 0xA0)


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if frame.port in _CONFIG_PORTS or data[0] in _ANSWERS:
        return _answer(data)
    device_type, report = data[1], data[2]
    if report == 0:
        return Reading("lifecycle", extras={"sw": data[3] / 10, "hw": data[4], "datecode": data[5:9].hex()})
    battery = known(battery_v=(data[3] & 0x7F) / 10, battery_low=True if data[3] & 0x80 else None)
    if report == 1 and _is_button(frame, device_type):
        pressed = data[4] != 0
        return Reading("sos" if pressed else "heartbeat", pressed, extras=battery)
    if report == 1 and (device_type == _DISTANCE_TYPE or "r718pe" in frame.model.lower()):
        far = millimetres(u16(data, 5))
        return Reading(
            "status", occupied={0: False, 1: True}.get(data[4]), extras=battery | known(distance_mm=far)
        )
    return Reading("status" if frame.watches_a_place else "heartbeat", extras=battery)


def looks_like_ours(frame: Frame) -> bool:
    """Eleven bytes on port 6 whose device type is one of the emergency buttons or the distance sensor."""
    data = frame.data
    return (
        frame.port == 6 and len(data) == 11 and data[0] == 1 and data[1] in _BUTTON_TYPES | {_DISTANCE_TYPE}
    )


def _is_button(frame: Frame, device_type: int) -> bool:
    """R311A and its like put a door contact where buttons put the alarm, so a known model decides; where the
    model says nothing, what the hall uses the thing for does."""
    model = frame.model.lower()
    if device_type in _BUTTON_TYPES or _BUTTON_MODELS.search(model):
        return True
    return frame.is_button and not MODELS.search(model)


def _answer(data: bytes) -> Reading:
    """0x82 reads back minimum and maximum report time in seconds; the rest only says "done"."""
    if data[0] == 0x82 and len(data) >= 6:
        return Reading("config_reply", extras={"min_time": u16(data, 2), "max_time": u16(data, 4)})
    return Reading("config_reply")
