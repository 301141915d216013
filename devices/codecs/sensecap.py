"""Seeed SenseCAP T1000-A/B: a credit-card tracker with one button.

Documented at wiki.seeedstudio.com ("T1000 payload"). Port 5; one frame is a packet id and its fields::

    09 000080 00 64b90908 0082355b 02d379e4 60
    |  |                                    battery %
    |  event status, 24 bits: bit 6 SOS, bit 7 pressed once, bits 0-5 movement, shock, temperature, light
    packet: 06-08 position with sensors, 09-0b position, 0f/10 Wi-Fi/BLE shards, 11 no position

The settings packets 01-05 carry "SOS mode", which says *how* an SOS would be reported (1: continuous), not
that there is one. Ports 192 and 199 are the chip maker's own services.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, percent, s16, u32
from devices.reading import Reading

VENDORS = ("sensecap", "seeed")
MODELS = re.compile(r"\bt1000|t1110")

_SOS, _ONCE = 1 << 6, 1 << 7

#: Per packet: where the event status begins, where the temperature is (-1: none), where the battery is.
_EVENTFUL = {
    0x06: (1, 17, 21),
    0x07: (1, 37, 41),
    0x08: (1, 30, 34),
    0x09: (1, -1, 17),
    0x0A: (1, -1, 37),
    0x0B: (1, -1, 30),
    0x0F: (1, 9, 13),
    0x10: (1, -1, 9),
    0x11: (2, 9, 13),
}


def read_frame(frame: Frame) -> Reading:
    data = frame.data
    if frame.port in (192, 199):
        return Reading("none")
    packet = data[0]
    if packet in _EVENTFUL:
        return _eventful(data, *_EVENTFUL[packet])
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
    return Reading("none")  # 0c, 0d errors of the positioning service, 0e its transport


def looks_like_ours(frame: Frame) -> bool:
    """A packet with an event status on port 5, exactly as long as its number says (the battery comes last)."""
    fields = _EVENTFUL.get(frame.data[0])
    return frame.port == 5 and fields is not None and len(frame.data) == fields[2] + 1


def _eventful(data: bytes, status_at: int, temperature_at: int, battery_at: int) -> Reading:
    status = int.from_bytes(data[status_at : status_at + 3], "big")
    pct = percent(data[battery_at]) if len(data) > battery_at else None
    extras = known(device_time=u32(data, 5) if len(data) >= 9 else None)
    if temperature_at > 0 and len(data) >= temperature_at + 2:
        extras |= known(temperature=celsius(s16(data, temperature_at) / 10))
    if status & _SOS:
        return Reading("sos", True, battery_pct=pct, extras=extras)
    if status & _ONCE:
        return Reading("press", True, battery_pct=pct, extras=extras | {"press_type": "once"})
    return Reading("position_failed" if data[0] == 0x11 else "position", battery_pct=pct, extras=extras)
