"""RAKwireless: WisNode TrackIt (RAK2171), a tracker with an SOS button, and WisNode Button 4K (RAK612), four keys.

Documented at docs.rakwireless.com. TrackIt: byte 0 names the message: ``ca`` no position, ``cb`` a position, ``cc`` SOS
begins, ``cd`` SOS ends, ``ce`` its motion alarm (somebody moves what it guards); a counter and two ids follow in
bytes 1 to 9; battery in percent in byte 10 of ``ca`` and 20 of ``cb``. Button 4K: bytes 2 to 5 one key each, byte 7
battery in percent.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import known, percent, u32
from devices.reading import Reading

VENDORS = ("rak",)
MODELS = re.compile(r"rak.?2171|trackit|rak.?612|button 4k")

_BATTERY_AT = {0xCA: 10, 0xCB: 20}
_EVENTS = {0xCA: "position_failed", 0xCB: "position", 0xCD: "sos_end", 0xCE: "alarm"}
_KEYS_AT = range(2, 6)


def read_frame(frame: Frame) -> Reading:
    model = frame.model.lower()
    if re.search(r"612|4k", model):
        return _four_keys(frame.data)
    if not re.search(r"2171|trackit", model) and (model or frame.data[0] not in range(0xCA, 0xCF)):
        raise ValueError("a RAK model whose layout we do not have: the server's own decoding is better")
    data = frame.data
    kind = data[0]
    if kind == 0xCC:
        return Reading("sos", True)
    at = _BATTERY_AT.get(kind)
    if at is None:
        return Reading(_EVENTS.get(kind, "none"), None if kind == 0xCE else False)
    return Reading(
        _EVENTS[kind],
        battery_pct=percent(data[at]),
        extras=known(device_time=u32(data, at + 1) if len(data) >= at + 5 else None),
    )


def _four_keys(data: bytes) -> Reading:
    keys = [number for number, at in enumerate(_KEYS_AT, start=1) if data[at]]
    extras = known(buttons=keys or None, button=keys[0] if len(keys) == 1 else None)
    pct = percent(data[7]) if len(data) > 7 else None
    return Reading("press" if keys else "heartbeat", bool(keys), battery_pct=pct, extras=extras)
