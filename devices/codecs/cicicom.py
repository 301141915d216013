"""Cicicom S-LG-I3: a bay sensor that speaks ASCII.

The maker gave the bytes but keeps the driver private; the fields are read from the text, and that 1 means
taken is inferred. A letter, the bay, volts, degrees, version: ``R03.66+30.0V1.4.0`` and ``Q1…`` a start,
``C1`` a change, ``K13.55+22.0`` the heartbeat, ``E3.55`` and three raw bytes a fault. The safe side: a
fault makes the bay unknown, and so does any bay that is neither 0 nor 1.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known
from devices.reading import Reading

VENDORS = ("cicicom",)
MODELS = re.compile(r"s-lg-i\d")

_FRAME = re.compile(rb"([RQCK])(.)(?:(\d\.\d{1,2}))?(?:([+-]\d{1,2}\.\d))?(?:V([\d.]{1,12}))?", re.DOTALL)
_FAULT = re.compile(rb"E(\d\.\d{1,2})?")
_EVENTS = {b"R": "startup", b"Q": "startup", b"C": "status", b"K": "heartbeat"}


def read_frame(frame: Frame) -> Reading:
    fault = _FAULT.match(frame.data)
    if fault:
        return Reading("fault", extras=known(fault=True, battery_v=float(fault[1]) if fault[1] else None))
    match = _FRAME.match(frame.data)
    if not match:
        raise ValueError("no Cicicom letter")
    letter, bay, volts, degrees, version = match.groups()
    return Reading(
        _EVENTS[letter],
        occupied={b"0": False, b"1": True}.get(bay),
        extras=known(
            battery_v=float(volts) if volts else None,
            temperature=celsius(float(degrees)) if degrees else None,
            firmware=version.decode("ascii") if version else None,
        ),
    )
