"""Nwave: NPS310SM and NPS405 bay sensors, NCC405 vehicle counter.

Documented in Nwave's payload descriptions. Port 1 status or count, 2 heartbeat, 3 startup (firmware in three
bytes, reset cause, bay), 6 debug, 10 a driver's tag. Battery is 2500 mV + 4 mV a step.

The bay is bit 0 everywhere; in a 405's status the seven bits above it are how long the last state lasted. One
stored decoder of the 405 reads bit 7 instead, against Nwave's own manual and against the durations that the
catalogue's examples expect (0x95 is 74, not 21), so it is not followed.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, signed8, u16
from devices.reading import Reading

VENDORS = ("nwave",)
MODELS = re.compile(r"nps\d\d\d|ncc\d\d\d")

# The NPS310 counts 4 and 5 where the 405 counts 6 and 7.
_RESET = {0: "rejoin", 1: "watchdog", 2: "power_on", 3: "user_request"}
_RESET |= {4: "brownout", 5: "other", 6: "brownout", 7: "other"}


def read_frame(frame: Frame) -> Reading:
    data, port = frame.data, frame.port
    model = frame.model.lower()
    if port == 3:
        extras = known(firmware=f"{data[0]}.{data[1]}.{data[2]}", reset_cause=_RESET.get(data[3]))
        return Reading("startup", occupied=bool(data[4] & 1) if len(data) > 4 else None, extras=extras)
    if "ncc" in model:
        if port == 1:
            return Reading("count", extras={"vehicle_count": u16(data, 0)})
        if port == 2:
            return Reading("heartbeat", extras={"battery_v": _volts(data[1])})
        return Reading("none")
    if port == 1:
        return Reading("status", occupied=bool(data[0] & 1))
    if port == 2:
        extras = {}
        if len(data) >= 3:
            extras = known(battery_v=_volts(data[1]), temperature=celsius(signed8(data[2]) / 2 + 10))
        return Reading("heartbeat", occupied=bool(data[0] & 1), extras=extras)
    if port == 10:
        # A driver's tag: in newer firmware its battery in tenths of a volt, then its number.
        newer = len(data) >= 6
        extras = known(
            tag_battery_v=data[1] / 10 if newer else None, tag_id=data[1 + newer : 5 + newer].hex()
        )
        return Reading("status", occupied=True if data[0] & 1 else None, extras=extras)
    return Reading("none")


def looks_like_ours(frame: Frame) -> bool:
    """One byte, 0 or 1, on port 1: a bay's status as Nwave and Bosch both spell it, and nobody else means less."""
    return frame.port == 1 and frame.data in (b"\x00", b"\x01")


def _volts(step: int) -> float:
    return (2500 + step * 4) / 1000
