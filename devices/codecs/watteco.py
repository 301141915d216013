"""Watteco (nke): Moveo presence sensor, Press'O and Closo contacts, speaking ZCL over LoRaWAN on port 125.

Documented at support.watteco.com. ``11 0a 0406 0000 18 01``: frame control, command (0a report, 01 read
response, which has a status byte more), cluster, attribute, type, value. Cluster 0406 is occupancy (bit
0), 000f a binary input, 0402 temperature and 0405 humidity in hundredths, 0050 the power supply. A frame whose
first byte is even is a batch of older measurements: history.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, s16, u16
from devices.reading import Reading

VENDORS = ("watteco", "nke")
MODELS = re.compile(r"moveo|press'?o|closo|vaqao")

#: What sets their binary input is no hand: a door's magnet, a lid that was opened.
_NO_HAND = re.compile(r"closo|moveo")

_REPORT, _ALARM_REPORT, _READ = 0x0A, 0x8A, 0x01
_BASIC, _BINARY_INPUT, _POWER, _OCCUPANCY = 0x0000, 0x000F, 0x0050, 0x0406
_TEMPERATURE, _HUMIDITY = 0x0402, 0x0405
_MEASURED = range(0x0400, 0x0410)
#: Sources of the power configuration (attribute 0006), bit by bit; each that is there has two bytes of millivolts.
_SOURCES, _BATTERIES = 5, 0b110  # bit 1: rechargeable, bit 2: disposable


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if not data[0] & 1:  # a batch: measurements collected over hours
        return Reading("none", extras={"history": True})
    command, cluster, attribute = data[1], u16(data, 2), u16(data, 4)
    if command not in (_REPORT, _ALARM_REPORT, _READ):
        return Reading(frame.config_reply)
    at = 7 if command in (_REPORT, _ALARM_REPORT) else 8
    value = data[at:]
    if not value:
        raise ValueError("a report without its value")
    if cluster == _OCCUPANCY and attribute == 0:
        return Reading("status", occupied=bool(value[0] & 1))
    if cluster == _BINARY_INPUT and attribute == 0x0055:
        pressed = bool(value[0])
        model = frame.model.lower()
        if "press" in model or (frame.is_button and not _NO_HAND.search(model)):
            return Reading("press" if pressed else "release", pressed)
        if "closo" in model and not frame.watches_a_place:
            return Reading("contact", extras={"open": pressed})
        if "moveo" in model:
            return Reading("status", extras={"tamper": pressed})
        return Reading("status", extras={"state": pressed})
    if cluster == _TEMPERATURE:
        return Reading("status", extras=known(temperature=celsius(s16(value, 0) / 100)))
    if cluster == _HUMIDITY:
        return Reading("status", extras={"humidity": u16(value, 0) / 100})
    if cluster == _POWER:
        return Reading("heartbeat", extras=known(battery_v=_volts(value) if attribute == 6 else None))
    if cluster == _BASIC:
        return Reading(frame.lifecycle if attribute == 2 else frame.config_reply)
    return Reading("status" if cluster in _MEASURED and frame.watches_a_place else "none")


def looks_like_ours(frame: Frame) -> bool:
    """Port 125 and a report of one of the clusters read here."""
    data = frame.data
    return (
        frame.port == 125
        and len(data) >= 8
        and data[0] & 1 == 1
        and data[1] in (_REPORT, _ALARM_REPORT)
        and u16(data, 2) in (_BINARY_INPUT, _POWER, _OCCUPANCY, _TEMPERATURE, _HUMIDITY)
    )


def _volts(value: bytes) -> float | None:
    """Length, present mode, which sources there are, their millivolts in the order of the bits, which one is used."""
    at = 3
    for source in range(_SOURCES):
        if not value[2] >> source & 1:
            continue
        if _BATTERIES >> source & 1:
            return u16(value, at) / 1000
        at += 2
    return None
