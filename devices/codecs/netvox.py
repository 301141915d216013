"""Netvox: R312/R312A emergency buttons, RB02, R718T push buttons, R315, R718PE/R718X distance, RB11E presence.

Netvox publishes one application-command document per model. Every frame is 11 bytes; on port 6::

    01 4d 01 1e 01 000000000000
    |  |  |  |  alarm (button) or status (others)
    |  |  |  tenths of a volt, bit 7: battery low
    |  |  report type: 1 status, 0 versions
    |  device type (0x4d R312A, 0x55 R312, 0x10 RB02I, 0x31 R718T, 0xb1 R718PE)
    version

R718T2 (0x48) has a second alarm in byte 5; RB02B and RB02C (0xa6, 0xa7) have one byte a key, two and three keys.
RB11E (0x03): hundredths of a degree, light, byte 8 occupied, byte 9 torn off the wall.
R315 (0xd2) carries up to eight sensors, an emergency button among them. Report 1: bytes 4-5 which are fitted,
6-7 their states, then °C in hundredths and humidity in halves; report 0x11, newer: 4-6 fitted, 7-8 states.
State bit 0 is the motion sensor, bit 1 the button; a seat sensor is bit 9 in the older, 11 in the newer.

Port 7 (and 13 for reset commands) answers a configuration command: byte 1 is the device type there too, and
bytes that look like an alarm are seconds. An answer is never a press.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, millimetres, s16, u16
from devices.reading import Reading

VENDORS = ("netvox",)
MODELS = re.compile(r"\b(?:r31[1235]|r6\d\d|r7[1237]\d|r9\d\d|ra\d\d|rb02|rb11)")

_BUTTON_TYPES = frozenset({0x10, 0x31, 0x48, 0x4D, 0x55})
_BUTTON_MODELS = re.compile(r"r312|rb02i?\b|r718t\b|r718t[2b]|button|emergency")
_TWO_ALARMS = 0x48
#: Panels: device type -> number of keys.
_KEYS = {0xA6: 2, 0xA7: 3}
_CONFIG_PORTS = frozenset({7, 13})
_DISTANCE_TYPES = frozenset({0x34, 0xB1, 0xDD})
_BEHIND_MODBUS_ID = 0xDD  # R315LA: one byte stands before its state
_WITH_TEMPERATURE = 0x34  # R718X
_PRESENCE = 0x03  # RB11E
_MULTISENSOR = 0xD2  # R315
_CALLED = 1 << 1
#: R315: report type -> end of the bits of what is fitted, bits fitted (motion, seat), state bit of the seat.
_FITTED: dict[int, tuple[int, int, int, int]] = {
    0x01: (6, 1 << 2, 1 << 12, 1 << 9),
    0x11: (7, 1 << 2, 1 << 14, 1 << 11),
}
_CONTACTS = frozenset({0x02, 0x1D, 0x7D})  # R311A, R718F, R730F: a reed contact
#: The commands of configuration answers, byte 0: 0x81 config done, 0x82 config read … 0x8f.
_ANSWERS = range(0x80, 0xA0)


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if frame.port in _CONFIG_PORTS or data[0] in _ANSWERS:
        return _answer(frame)
    device_type, report = data[1], data[2]
    if report == 0:
        return Reading(
            frame.lifecycle, extras={"sw": data[3] / 10, "hw": data[4], "datecode": data[5:9].hex()}
        )
    battery = known(battery_v=(data[3] & 0x7F) / 10, battery_low=True if data[3] & 0x80 else None)
    if device_type == _MULTISENSOR and report in _FITTED:
        return _multisensor(frame, battery)
    if report == 1 and device_type in _KEYS:
        pressed = [key + 1 for key in range(_KEYS[device_type]) if data[4 + key]]
        extras = battery | known(buttons=pressed or None, button=pressed[0] if len(pressed) == 1 else None)
        return Reading("press" if pressed else "heartbeat", bool(pressed), extras=extras)
    if report == 1 and _is_button(frame, device_type):
        called = data[4] != 0 or (device_type == _TWO_ALARMS and data[5] != 0)
        return Reading("sos" if called else "heartbeat", called, extras=battery)
    if report == 1 and (device_type in _DISTANCE_TYPES or "r718pe" in frame.model.lower()):
        return _distance(data, device_type, battery)
    if report == 1 and device_type == _PRESENCE:
        return Reading(
            "status",
            occupied={0: False, 1: True}.get(data[8]),
            extras=battery | known(temperature=celsius(s16(data, 4) / 100), tamper=data[9] != 0),
        )
    if report == 1 and device_type in _CONTACTS:
        battery["open"] = data[4] != 0
    return Reading("status" if frame.watches_a_place else "heartbeat", extras=battery)


def _distance(data: bytes, device_type: int, battery: dict[str, object]) -> Reading:
    at = 5 if device_type == _BEHIND_MODBUS_ID else 4
    extras = battery | known(distance_mm=millimetres(u16(data, at + 1)))
    if device_type == _WITH_TEMPERATURE:
        extras |= known(temperature=celsius(s16(data, 7) / 10))
    return Reading("status", occupied={0: False, 1: True}.get(data[at]), extras=extras)


def _multisensor(frame: Frame, battery: dict[str, object]) -> Reading:
    """Whatever the thing is used for, its emergency button is somebody asking for help."""
    data = frame.data
    end, motion, seat, seat_state = _FITTED[data[2]]
    fitted, states = u16(data, end - 2), u16(data, end)
    occupied = None
    if fitted & (motion | seat):
        occupied = bool((fitted & motion and states & 1) or (fitted & seat and states & seat_state))
    extras = battery
    if data[2] == 0x01 and fitted & 1:
        extras = battery | known(temperature=celsius(s16(data, 8) / 100), humidity=data[10] / 2)
    if states & _CALLED:
        return Reading("sos", True, occupied=occupied, extras=extras)
    event = "status" if frame.watches_a_place else "heartbeat"
    return Reading(event, occupied=occupied if frame.watches_a_place else None, extras=extras)


def looks_like_ours(frame: Frame) -> bool:
    """Eleven bytes on port 6 whose device type is one of the emergency buttons or the distance sensor."""
    data = frame.data
    return (
        frame.port == 6
        and len(data) == 11
        and data[0] == 1
        and data[2] in ((0, 1, 0x11) if data[1] == _MULTISENSOR else (0, 1))
        and data[1] in _BUTTON_TYPES | _DISTANCE_TYPES | _KEYS.keys() | {_MULTISENSOR}
    )


def _is_button(frame: Frame, device_type: int) -> bool:
    """R311A and its like put a door contact where buttons put the alarm, so a known model decides; where the
    model says nothing, what the hall uses the thing for does."""
    model = frame.model.lower()
    if device_type in _BUTTON_TYPES or _BUTTON_MODELS.search(model):
        return True
    return frame.is_button and device_type not in _DISTANCE_TYPES | _CONTACTS and not MODELS.search(model)


def _answer(frame: Frame) -> Reading:
    """On port 7, 0x82 reads back minimum and maximum report time in seconds; the rest only says "done"."""
    data = frame.data
    if frame.port != 13 and data[0] == 0x82 and len(data) >= 6:
        return Reading(frame.config_reply, extras={"min_time": u16(data, 2), "max_time": u16(data, 4)})
    return Reading(frame.config_reply)
