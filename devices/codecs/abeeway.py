"""Abeeway trackers and badges (Micro, Compact, Badge): a pendant with one button and an SOS mode.

Documented in Abeeway's "Trackers Reference Guide", firmware 1 and 2. Common head::

    0a 00 f9 86 00 07
    |  |  |  |  |  event (7: SOS mode starts, 8: it ends)
    |  |  |  |  acknowledge token, low four bits: kind of position
    |  |  |  temperature, -44 to 85 °C in 256 steps
    |  |  battery: 1-100 percent (newer firmware) or 2.8-4.2 V in steps (older); 0 charging, 255 unknown
    |  status: bit 4 SOS, bit 2 moving, bits 7-5 mode
    message type

The two battery codings cannot be told apart below 101, where the voltage would be below 3.36 V, which
is an empty cell: so up to 100 it is read as percent.
A position frame with the SOS bit is a call: the frame that announced the SOS mode may have been lost.

Firmware 3 ("AT3", ports 19 and 199) begins anew: byte 0 is multiframe, SOS, three bits of type and the token; byte 1
battery in percent with bit 7 = sent from the buffer; two bytes of clock (four from the buffer); then a notification's
class and type in four bits each. A buffered SOS is a call all the same, with the time of its own clock; a buffered
position is only history.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, percent, signed8, u16, u32
from devices.reading import Reading

VENDORS = ("abeeway",)
# "Badge tracker" alone is not ours to claim: Lansitec sells one, too.
MODELS = re.compile(r"micro/compact|(?:compact|micro|industrial|combo|asset)[ -]tracker|smart.?badge")

_EVENTS = (
    "GEOLOC_START",
    "MOTION_START",
    "MOTION_END",
    "BLE_CONNECTED",
    "BLE_DISCONNECTED",
    "TEMPERATURE_ALERT",
    "BLE_BOND_DELETED",
    "SOS_MODE_START",
    "SOS_MODE_END",
    "ANGLE_DETECTION",
    "GEOFENCING",
)
_SHUTDOWN = ("USER_ACTION", "LOW_BATTERY", "DOWNLINK_REQUEST", "BLE_REQUEST", "BLE_CONNECTED")
#: Position, energy, heartbeat, activity or configuration, shutdown, event, scans, text, extended position, debug.
_KINDS = frozenset({0x03, 0x04, 0x05, 0x07, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F})
_FAILED_POSITIONS = frozenset({1, 3, 4, 8})  # GPS timeout, Wi-Fi timeout, Wi-Fi failure, BLE failure
_QUIET = {0x04: "heartbeat", 0x0B: "none", 0x0C: "none", 0x0D: "none", 0x0F: "lifecycle"}


#: Firmware 3: ports nobody else of the family uses, and how its models are called.
_THIRD_PORTS = frozenset({19, 199})
_THIRD_MODELS = re.compile(r"\bat-?3\b|tracker[ -]?3\b|\(?(?:fw|firmware) ?3|micro.tracker.v3|combo")
_NOTIFICATION, _POSITION = 1, 2
_THIRD_SYSTEM = {0: "heartbeat", 1: "heartbeat", 3: "tamper", 4: "heartbeat", 5: "device_off"}
_THIRD_MOTION = {0: "motion_start", 1: "motion_end"}


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if frame.port in _THIRD_PORTS or (
        frame.port not in (17, 18) and _THIRD_MODELS.search(frame.model.lower())
    ):
        return _third(data)
    if len(data) < 2:
        return Reading("invalid")
    kind = data[0]
    if kind == 0x00:
        return Reading("none")  # "frame pending": asks for a downlink
    if len(data) < 5 or kind not in _KINDS:
        return Reading("invalid")
    sos = bool(data[1] & 0x10)
    pct, extras = _head(data)
    event = _QUIET.get(kind, "none")
    alarm: bool | None = sos
    if kind in (0x03, 0x0E):
        event = "position_failed" if data[4] & 0x0F in _FAILED_POSITIONS else "position"
        extras["sos_flag"] = sos
    elif kind == 0x05:
        event = "heartbeat"
    elif kind == 0x07:
        event = "config_reply" if data[5:6] == b"\x02" else "heartbeat"
    elif kind == 0x09:
        cause = _SHUTDOWN[data[5]] if len(data) > 5 and data[5] < len(_SHUTDOWN) else None
        event, alarm = "device_off", False
        extras |= known(fault=True, shutdown_cause=cause)
    elif kind == 0x0A:
        event, alarm = _event(data[5] if len(data) > 5 else 255, sos, extras)
    return Reading(event, alarm, battery_pct=pct, extras=extras)


def _head(data: bytes) -> tuple[float | None, dict[str, object]]:
    level = data[2]
    extras = known(temperature=celsius(round(data[3] * 129 / 255 - 44, 1)))
    if level == 0:
        return None, extras | {"charging": True}
    if level == 255:
        return None, extras
    if level > 100:
        return None, extras | {"battery_v": round((level - 1) * 1.4 / 253 + 2.8, 2)}
    return percent(level), extras


def _event(code: int, sos: bool, extras: dict[str, object]) -> tuple[str, bool | None]:
    if code >= len(_EVENTS):
        return "none", sos
    name = _EVENTS[code]
    extras["device_event"] = name
    if name == "SOS_MODE_START":
        return "sos", True
    if name == "SOS_MODE_END":
        return "sos_end", False
    if name == "ANGLE_DETECTION":  # somebody may have fallen, or a door may have opened: the hall decides
        return "angle", True if sos else None
    return name.lower(), sos


def _third(data: bytes) -> Reading:
    if len(data) < 4:
        return Reading("invalid")
    sos, kind = bool(data[0] & 0x40), data[0] >> 3 & 7
    level, buffered = data[1] & 0x7F, bool(data[1] & 0x80)
    at = (6 if buffered else 4) + (1 if data[0] & 0x80 else 0)
    extras: dict[str, object] = known(
        charging=True if level == 0 else None,
        history=True if buffered else None,
        device_time=u32(data, 2) if buffered else None,
    )
    pct = percent(level) if level else None
    now: bool | None = sos and not buffered
    if kind == _NOTIFICATION and at < len(data):
        event, alarm = _notified(data[at:], now, extras)
        return Reading(event, alarm, battery_pct=pct, extras=extras)
    if kind == _POSITION and at < len(data):
        extras["sos_flag"] = sos
        lost = data[at] >> 5 & 3 in (1, 2)
        return Reading("position_failed" if lost else "position", now, battery_pct=pct, extras=extras)
    return Reading("config_reply" if kind == 4 else "none", now, battery_pct=pct, extras=extras)


def _notified(data: bytes, sos: bool | None, extras: dict[str, object]) -> tuple[str, bool | None]:
    group, kind = data[0] >> 4, data[0] & 0x0F
    if group == 1:
        extras["device_event"] = "SOS_OFF" if kind == 1 else "SOS_ON"
        return ("sos_end", False) if kind == 1 else ("sos", True)
    if group == 0:
        if kind in (0, 4) and len(data) > 1:
            extras |= known(temperature=celsius(signed8(data[1])))
        if kind == 1:
            extras |= known(battery_low=True, battery_v=u16(data, 3) / 1000 if len(data) >= 5 else None)
        if kind == 5:
            cause = _SHUTDOWN[data[1] - 1] if len(data) > 1 and 1 <= data[1] <= 2 else None
            extras |= known(fault=True, shutdown_cause=cause)
            return "device_off", False
        return _THIRD_SYSTEM.get(kind, "none"), sos
    if group == 2 and len(data) > 1:
        extras |= known(temperature=celsius(signed8(data[1])))
    return (_THIRD_MOTION.get(kind, "none") if group == 3 else "none"), sos


def looks_like_ours(frame: Frame) -> bool:
    """The messages that carry an SOS: an event, six bytes on port 17; firmware 3's notification on port 19."""
    data = frame.data
    if frame.port == 19:
        return len(data) == 5 and data[0] & 0xB8 == 0x08 and data[4] in (0x10, 0x11)
    return frame.port == 17 and len(data) == 6 and data[0] == 0x0A
