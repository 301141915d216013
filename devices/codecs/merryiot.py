"""MerryIoT (Browan): DW10 door sensor and MS10 motion sensor, each with a small button; CD10, WL10.

Documented in MerryIoT's reference manuals. Byte 0 holds flags: bit 0 open/motion/water, bit 1 button, bit
2 tamper, bit 3 tilt; byte 1 is battery, (21 + x) tenths of a volt; then temperature and humidity. The
older format has temperature as one byte in °C, version 4 two bytes little-endian in tenths and one byte
more in all. The port names the model: 120 DW10, 122 MS10, 126 WL10, 127 CD10.

Browan's older Tabs (Browan's reference manuals; port 100 TBDW door, 102 TBMS motion, 106 TBWL water, 136 TBOL
object locator, 147 TBPB push button): byte 0 bit 0 open, motion, water or button, low half of byte 1 battery
in tenths above 2.5 V, byte 2 temperature + 32. The push button has two: which bit the second sets is not
public, so either of the two lowest is a press. The industrial tracker shares the locator's port but has no
button: its bit 0 says that it moves.

The button of a sensor that watches a place (MS10 at a bay) is a service button: nobody calls with it.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, signed8
from devices.reading import Reading

VENDORS = ("merryiot", "browan")
MODELS = re.compile(r"\b(?:dw10|ms10|cd10|wl10|tb(?:ms|dw|wl|ol|pb)\d+|object.?locator)")

#: Port: (length of the old frame, what bit 0 is called)
_PORTS = {120: (9, "open"), 122: (9, "motion"), 126: (4, "water"), 127: (6, "trigger")}
#: Port of a Tabs: the bits of its first byte that a finger sets.
_TABS = {100: 0, 102: 0, 106: 0, 136: 0x01, 147: 0x03}


def looks_like_ours(frame: Frame) -> bool:
    """Ports nobody else uses, and frames as long as theirs."""
    if frame.port in _PORTS:
        return len(frame.data) - _PORTS[frame.port][0] in (0, 1)
    return frame.port == 147 and len(frame.data) == 3


def read_frame(frame: Frame) -> Reading:
    data, port = frame.data, frame.port
    if port == 204:
        return Reading(frame.lifecycle)
    if port is None:
        port = 122 if "ms10" in frame.model.lower() else 120
    if port in _TABS:
        return _tabs(data, port, frame)
    if port not in _PORTS:
        return Reading("none")
    length, bit0 = _PORTS[port]
    newer = len(data) > length
    flags = data[0]
    degrees = int.from_bytes(data[2:4], "little", signed=True) / 10 if newer else signed8(data[2])
    humidity = data[4 if newer else 3]
    extras = known(
        battery_v=(21 + (data[1] & 0x1F)) / 10,
        temperature=celsius(degrees),
        humidity=humidity if humidity <= 100 else None,
    )
    extras[bit0] = bool(flags & 1)
    if port in (120, 122):
        extras["tamper"] = bool(flags & 4)
    # On the motion sensor the second bit is its pairing button, not a call.
    if flags & 2 and not frame.watches_a_place and port != 122:
        return Reading("press", True, extras=extras)
    if port == 122:
        return Reading("status", occupied=bool(flags & 1), extras=extras)
    return Reading("heartbeat", extras=extras)


def _tabs(data: bytes, port: int, frame: Frame) -> Reading:
    extras = known(battery_v=(25 + (data[1] & 0x0F)) / 10, temperature=celsius((data[2] & 0x7F) - 32))
    first = bool(data[0] & 1)
    moves_only = port == 136 and "industrial" in frame.model.lower()
    if data[0] & _TABS[port] and not moves_only and not frame.watches_a_place:
        return Reading("press", True, extras=extras)
    if port == 102:
        return Reading("status", occupied=first, extras=extras)
    if port in (100, 106):
        extras["open" if port == 100 else "water"] = first
        return Reading("status" if frame.watches_a_place else "heartbeat", extras=extras)
    return Reading("heartbeat", extras=extras)
