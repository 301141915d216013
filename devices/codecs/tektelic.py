"""Tektelic on LoRaWAN: Smart Room sensors (Base, PIR, Door; Kona, Vivid, Comfort), the FINCH and STORK panic buttons,
the SEAL safety tracker.

Documented in Tektelic's technical reference manuals. Port 10: two bytes name the value, all big-endian. Smart Room:
``0a 00`` motion (0 none, ff motion), ``00 ff`` battery in hundredths of a volt, ``00 ba`` in thousandths, ``00 d3``
battery in percent, ``03 67`` temperature in tenths, ``04 68`` humidity in halves, ``01 00`` reed (0 or ff).
What is worn: ``00 ba`` battery (low seven bits hundredths above 2.5 V, bit 7 worn out), ``00 67`` temperature,
``02 95`` safety (bit 0 emergency button, bit 1 fall), ``00 04`` state of its state machine.
Port 25 lists beacons, ports 100 and 101 answer configuration commands.

Disputed: what the state machine's numbers of the panic buttons mean is not in the public text. That they speak of it
is left to the hall's policy.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, percent, s16
from devices.reading import Reading

VENDORS = ("tektelic",)
MODELS = re.compile(r"smart.?room|tektelic|\b(?:finch|stork|kona)\b")

_PANIC = re.compile(r"panic|finch|stork")
_WORN = re.compile(r"panic|finch|stork|seal|sparrow|orca|tracker")
_LENGTHS = {
    (0x00, 0xFF): 2,
    (0x00, 0xD3): 1,
    (0x00, 0xBA): 2,
    (0x00, 0xBD): 2,
    (0x01, 0x00): 1,
    (0x02, 0x00): 1,
    (0x03, 0x67): 2,
    (0x04, 0x68): 1,
    (0x05, 0x02): 2,
    (0x06, 0x00): 1,
    (0x07, 0x71): 6,
    (0x08, 0x04): 2,
    (0x09, 0x00): 1,
    (0x0A, 0x00): 1,
    (0x0B, 0x67): 2,
    (0x0C, 0x00): 1,
    (0x0D, 0x04): 2,
    (0x0E, 0x00): 1,
    (0x0F, 0x04): 2,
    (0x10, 0x02): 1,
    (0x11, 0x02): 2,
    (0x12, 0x04): 4,
}
_WORN_LENGTHS = {
    (0x00, 0x00): 1,
    (0x00, 0x04): 1,
    (0x00, 0x06): 1,
    (0x00, 0x67): 2,
    (0x00, 0x71): 6,
    (0x00, 0x73): 2,
    (0x00, 0x74): 2,
    (0x00, 0x85): 4,
    (0x00, 0x88): 8,
    (0x00, 0x92): 1,
    (0x00, 0x95): 1,
    (0x00, 0xBA): 1,
    (0x00, 0xBD): 2,
    (0x00, 0xD3): 1,
    (0x01, 0x95): 1,
    (0x01, 0xBA): 1,
    (0x02, 0x95): 1,
    (0x02, 0xBA): 1,
}


def read_frame(frame: Frame) -> Reading:
    if frame.port in (100, 101):
        return Reading("config")
    if frame.port == 25:
        return Reading("position")
    if _WORN.search(frame.model.lower()) or (not frame.model and frame.is_button):
        return _worn(frame)
    data, at = frame.data, 0
    occupied: bool | None = None
    pct: float | None = None
    extras: dict[str, object] = {}
    while at + 2 <= len(data):
        key = (data[at], data[at + 1])
        size = _LENGTHS.get(key, 0)
        at += 2
        if not size or at + size > len(data):
            break
        if key == (0x0A, 0x00):
            occupied = {0: False, 0xFF: True, 1: True}.get(data[at])
        elif key == (0x00, 0xFF):
            extras["battery_v"] = s16(data, at) / 100
        elif key == (0x00, 0xBA):
            extras["battery_v"] = s16(data, at) / 1000
        elif key == (0x00, 0xD3):
            pct = percent(data[at])
        elif key == (0x03, 0x67):
            extras |= known(temperature=celsius(s16(data, at) / 10))
        elif key == (0x04, 0x68):
            extras["humidity"] = data[at] / 2
        elif key == (0x01, 0x00):
            extras["open"] = data[at] == 0xFF
        at += size
    if occupied is None and pct is None and not extras:
        return Reading("none")
    return Reading(
        "status" if occupied is not None else "heartbeat", occupied=occupied, battery_pct=pct, extras=extras
    )


def _worn(frame: Frame) -> Reading:
    data, at = frame.data, 0
    event = "heartbeat"
    alarm: bool | None = False
    pct: float | None = None
    extras: dict[str, object] = {}
    while at + 2 <= len(data):
        key = (data[at], data[at + 1])
        size = _WORN_LENGTHS.get(key, 0)
        at += 2
        if not size or at + size > len(data):
            break
        if key == (0x02, 0x95):
            if data[at] & 3:
                event, alarm = ("sos", True) if data[at] & 1 else ("man_down", True)
        elif key == (0x00, 0x04) and _PANIC.search(frame.model.lower()) and alarm is False:
            event, alarm = "state", None
            extras["state"] = str(data[at])
        elif key == (0x00, 0x88) and event == "heartbeat":
            event = "position"
        elif key == (0x00, 0xBA):
            extras["battery_v"] = round(2.5 + (data[at] & 0x7F) / 100, 2)
            extras["battery_low"] = bool(data[at] & 0x80)
        elif key == (0x00, 0xD3):
            pct = percent(data[at])
        elif key == (0x00, 0x67):
            extras |= known(temperature=celsius(s16(data, at) / 10))
        at += size
    return Reading(event, alarm, battery_pct=pct, extras=extras)
