"""Seeed SenseCAP T1000-A/B/E and T2000: a credit-card tracker with one button; T1110 without.

Documented at wiki.seeedstudio.com ("T1000 payload"). Port 5; one frame is a packet id and its fields::

    09 000080 00 64b90908 0082355b 02d379e4 60
    |  |                                    battery %
    |  event status, 24 bits: bit 6 SOS, bit 7 pressed once, bits 0-5 movement, shock, temperature, light
    packet: 06-08 position with sensors, 09-0b position, 0f/10 Wi-Fi/BLE shards, 11 no position;
            1a-1d the same with acceleration; 12-18 T1110; 1e-26 T1000-E; 27-32 T2000 (status in 16 bits)

One frame may hold several packets, told apart by their lengths; the one that calls is told.

The settings packets 01-05 carry "SOS mode", which says *how* an SOS would be reported (1: continuous), not
that there is one. Ports 192 and 199 are the chip maker's own services.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from devices.codecs._lorawan import Frame
from devices.codecs._shared import BROKEN, celsius, known, percent, s16, u32
from devices.reading import Reading

VENDORS = ("sensecap", "seeed")
MODELS = re.compile(r"\bt1000|t1110|wm1110|\bt2000")

_SOS, _ONCE = 1 << 6, 1 << 7


@dataclass(frozen=True, slots=True)
class _Where:
    """Where a packet's fields begin; -1 (0 for the clock) where it has none. ``wide``: bytes of the event status."""

    status: int
    temperature: int
    battery: int
    clock: int = 5
    wide: int = 3
    lost: bool = False


_EVENTFUL = {
    0x06: _Where(1, 17, 21),
    0x07: _Where(1, 37, 41),
    0x08: _Where(1, 30, 34),
    0x09: _Where(1, -1, 17),
    0x0A: _Where(1, -1, 37),
    0x0B: _Where(1, -1, 30),
    0x0F: _Where(1, 9, 13),
    0x10: _Where(1, -1, 9),
    0x11: _Where(2, 9, 13, lost=True),
    # with acceleration
    0x1A: _Where(1, 17, 27),
    0x1B: _Where(1, 37, 47),
    0x1C: _Where(1, 30, 40),
    0x1D: _Where(2, 9, 19, lost=True),
    # T1110
    0x13: _Where(1, -1, -1),
    0x14: _Where(1, -1, -1),
    0x15: _Where(1, -1, -1),
    0x16: _Where(2, -1, -1, lost=True),
    0x18: _Where(1, 8, -1, clock=4),
    # T1000-E: the event status is one byte, the battery follows it
    **{packet: _Where(1, 3, 2, clock=0, wide=1) for packet in range(0x1F, 0x25)},
    0x25: _Where(1, 3, 2, clock=0, wide=1, lost=True),
    0x26: _Where(1, 3, 2, clock=0, wide=1, lost=True),
    # T2000
    0x2B: _Where(1, -1, 22, clock=4, wide=2),
    0x2C: _Where(1, -1, 14, clock=4, wide=2),
    0x2D: _Where(1, -1, 14, clock=4, wide=2),
    0x2E: _Where(1, -1, 16, clock=4, wide=2),
    0x2F: _Where(1, -1, 8, clock=4, wide=2),
    0x30: _Where(1, -1, 8, clock=4, wide=2),
    0x31: _Where(2, -1, 14, clock=4, wide=2, lost=True),
    0x32: _Where(2, -1, 8, clock=4, wide=2, lost=True),
}


#: How long a packet of one length is, its number included; another packet may follow it.
_LENGTHS = {
    0x01: 47,
    0x02: 16,
    0x03: 32,
    0x04: 10,
    0x05: 5,
    0x06: 22,
    0x07: 42,
    0x08: 35,
    0x09: 18,
    0x0A: 38,
    0x0B: 31,
    0x0D: 5,
    0x0F: 17,
    0x10: 13,
    0x11: 14,
    0x13: 12,
    0x14: 37,
    0x15: 30,
    0x16: 9,
    0x18: 28,
    0x1A: 28,
    0x1B: 48,
    0x1C: 41,
    0x1D: 20,
    0x1E: 13,
    0x1F: 21,
    0x22: 15,
    0x25: 13,
    0x26: 7,
    0x27: 46,
    0x28: 30,
    0x29: 12,
    0x2A: 6,
    0x2B: 23,
    0x2E: 17,
    0x31: 15,
    0x32: 9,
}


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    elsewhere = frame.port not in (5, 192, 199, None) and not MODELS.search(frame.model.lower())
    if elsewhere or re.search(r"\b[as][12]\d\d", frame.model.lower()):
        raise ValueError("a SenseCAP sensor, which speaks another code than the trackers")
    if frame.port in (192, 199):
        return Reading("none")
    told = _packet(data)
    length = _LENGTHS.get(data[0], len(data))
    while length < len(data) and not told.alarm:
        data = data[length:]
        try:
            following = _packet(data)
        except BROKEN:
            break  # bytes behind a packet that are none: what was read stays
        told = following if following.alarm else told
        length = _LENGTHS.get(data[0], len(data))
    return told


def _packet(data: bytes) -> Reading:
    packet = data[0]
    if packet in _EVENTFUL:
        return _eventful(data, _EVENTFUL[packet])
    if packet in (0x01, 0x02):
        return Reading(
            "lifecycle",
            battery_pct=percent(data[1]),
            extras={"firmware": f"{data[2]}.{data[3]}", "sos_mode": data[15]},
        )
    if packet == 0x03:
        return Reading("config_reply")
    if packet == 0x04:
        return Reading("config_reply", extras={"sos_mode": data[9]})
    if packet == 0x05:
        return Reading("heartbeat", battery_pct=percent(data[1]), extras={"sos_mode": data[4]})
    if packet == 0x1E:  # T1000-E about itself
        return Reading("lifecycle", battery_pct=percent(data[1]), extras={"sos_mode": data[10]})
    if packet in (0x27, 0x2A):  # T2000 about itself, and its heartbeat
        return Reading("lifecycle" if packet == 0x27 else "heartbeat", battery_pct=percent(data[1]))
    if packet in (0x28, 0x29):
        return Reading("config_reply")
    return Reading("none")  # 0c, 0d errors of the positioning service, 0e its transport


def looks_like_ours(frame: Frame) -> bool:
    """A packet with an event status on port 5, exactly as long as its number says (the battery comes last)."""
    fields = _EVENTFUL.get(frame.data[0])
    return frame.port == 5 and fields is not None and len(frame.data) == fields.battery + 1 > 3


def _eventful(data: bytes, at: _Where) -> Reading:
    status = int.from_bytes(data[at.status : at.status + at.wide], "big")
    pct = percent(data[at.battery]) if 0 < at.battery < len(data) else None
    extras = known(device_time=u32(data, at.clock) if at.clock and len(data) >= at.clock + 4 else None)
    if at.temperature > 0 and len(data) >= at.temperature + 2:
        extras |= known(temperature=celsius(s16(data, at.temperature) / 10))
    if status & _SOS:
        return Reading("sos", True, battery_pct=pct, extras=extras)
    if status & _ONCE:
        return Reading("press", True, battery_pct=pct, extras=extras | {"press_type": "once"})
    return Reading("position_failed" if at.lost else "position", battery_pct=pct, extras=extras)
