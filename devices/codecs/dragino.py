"""Dragino: TrackerD and LGT-92 pendants, PB01 and PB05 push buttons, LDDS distance sensors, LDS door contacts.

Documented in the manuals at wiki.dragino.com. Big-endian throughout.
TrackerD: ports 2 and 3 a position, 6 iBeacon, 7 alarm without position, 8 Wi-Fi, 9 and 10 several beacons; everywhere
one word whose bit 14 is the alarm and whose low 14 bits are the battery in millivolts. From firmware 1.5.4 on speed
and course stand before it. LGT-92 has roll and pitch where TrackerD has humidity and temperature.
PB01 and PB05, port 2: battery mV, sound flags, alarm (bit 0: pressed); PB01 then temperature and humidity in tenths,
PB05 one bit a key.
LDDS04: battery word (bit 15, in DDS04-LB bit 14: woken by the interrupt pin), four distances in millimetres, message
type. LDDS75/45/20: battery, one distance in millimetres (0: no sensor, 20: too close), interrupt flag. LLDS12 and
LDS12: a probe's temperature, distance in centimetres. LDS02, LWL02: battery word with bit 15 open, bit 14 leak;
LDS03A: bit 0 open. The NB-IoT models (NDDS75, NDDS20, DDS75-NB …): eight bytes of device number (f and the IMEI), two
of version, battery mV, signal, mode, interrupt, distance in millimetres, time.

Port 5 is the device about itself, port 4 its settings (in a tracker: positions); port 3 (in a tracker 4) replays what
was stored: history is never a call.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, millimetres, s16, u16, u32
from devices.reading import Reading

VENDORS = ("dragino",)
MODELS = re.compile(r"trackerd|lgt-?92|pb0[15]|ldds\d\d|dds\d\d|l?lds\d\d|ds03a|lwl0\d")

_NO_FIX = frozenset({0, 0x0FFFFFFF, 0xFFFFFFFF})
#: TrackerD: where the alarm-and-battery word lies on each port; a negative place is counted from the end.
_ALARM_AT = {2: 8, 3: 8, 6: 24, 7: 0, 8: 7, 9: 0, 10: -3}
_WITH_SPEED = 19  # bytes: from here on speed and course (eight bytes) precede the word
_SHORTEST_POSITION = 13  # bytes on port 2
_KEYS = 5
_NB_DISTANCE = 15  # where the distance stands behind the head of an NB-IoT message
_HISTORY = Reading("none", extras={"history": True})


def read_frame(frame: Frame) -> Reading:
    model = frame.model.lower()
    if model and not MODELS.search(model):
        raise ValueError("a Dragino model whose layout we do not have: the server's own decoding is better")
    if not re.search(r"pb0|dds|lds|ds03|lwl", model) and ("tracker" in model or not frame.watches_a_place):
        return _tracker(frame)
    if frame.port == 5:
        return Reading(
            frame.lifecycle,
            extras=known(battery_v=u16(frame.data, 5) / 1000 if len(frame.data) > 6 else None),
        )
    if frame.port == 4:
        return Reading(frame.config_reply)
    if frame.port == 3:
        return _HISTORY
    if "pb0" in model:
        return _push_button(frame)
    if "dds04" in model:
        return _four_distances(frame)
    if re.search(r"ndds|-nb\b", model) and len(frame.data) >= _NB_DISTANCE + 2:
        return _over_nb_iot(frame.data)
    if re.search(r"\bl?lds12", model):
        return _lidar(frame.data)
    if re.search(r"lds0|ds03|lwl", model):
        return _contact(frame)
    return _distance(frame.data)


def _tracker(frame: Frame) -> Reading:
    data, port = frame.data, frame.port
    if port == 5:
        return Reading("lifecycle", extras={"battery_v": u16(data, 5) / 1000})
    if port == 4:
        return _HISTORY
    if not frame.model and port == 2 and len(data) < _SHORTEST_POSITION:
        raise ValueError("too short for a tracker, and nobody knows what else it is")
    at = _ALARM_AT.get(port if port is not None else 2)
    if at is None:
        return Reading("none")
    a_tracker = "lgt" not in frame.model.lower()
    if at == 8 and a_tracker and len(data) >= _WITH_SPEED:
        at = 16
    elif at == 8 and not a_tracker and len(data) < 13:
        at = 6  # LGT-92 before firmware 1.4: three bytes a coordinate
    elif at < 0:
        at += len(data)
    word = u16(data, at)
    alarm = bool(word & 0x4000)
    extras = known(battery_v=(word & 0x3FFF) / 1000, sos_flag=alarm)
    if port == 7:
        return Reading("sos" if alarm else "heartbeat", alarm, extras=extras)
    if port == 2 and a_tracker and len(data) >= at + 7:
        extras |= known(humidity=u16(data, at + 3) / 10, temperature=celsius(s16(data, at + 5) / 10))
    lost = port in (2, 3, None) and at != 6 and (u32(data, 0) in _NO_FIX or u32(data, 4) in _NO_FIX)
    return Reading("position_failed" if lost else "position", alarm, extras=extras)


def _push_button(frame: Frame) -> Reading:
    data = frame.data
    pressed = bool(data[3] & 1)
    extras = known(battery_v=u16(data, 0) / 1000)
    if "pb05" in frame.model.lower():
        keys = [key + 1 for key in range(_KEYS) if len(data) > 4 and data[4] >> key & 1]
        extras |= known(buttons=keys or None, button=keys[0] if len(keys) == 1 else None)
        pressed = pressed or bool(keys)
    elif len(data) >= 8:
        extras |= known(temperature=celsius(s16(data, 4) / 10), humidity=u16(data, 6) / 10)
    return Reading("press" if pressed else "heartbeat", pressed, extras=extras)


def _contact(frame: Frame) -> Reading:
    data = frame.data
    if re.search(r"s03", frame.model.lower()):  # LDS03A, DS03A-LB: flags first, no battery
        extras: dict[str, object] = {"open": bool(data[0] & 1)}
    else:
        extras = {"open": bool(data[0] & 0x80), "battery_v": (u16(data, 0) & 0x3FFF) / 1000}
        if data[0] & 0x40:
            extras["leak"] = True
    return Reading("status" if frame.watches_a_place else "contact", extras=extras)


def _four_distances(frame: Frame) -> Reading:
    data = frame.data
    word = u16(data, 0)
    woken = 0x8000 if "ldds" in frame.model.lower() else 0x4000
    return Reading(
        "status",
        extras={
            "battery_v": (word & 0x3FFF) / 1000,
            "distances_cm": [u16(data, at) / 10 for at in (2, 4, 6, 8)],
            "interrupt": bool(word & woken),
        },
    )


def _over_nb_iot(data: bytes) -> Reading:
    return Reading(
        "status",
        extras=known(
            battery_v=u16(data, 10) / 1000,
            distance_mm=millimetres(u16(data, _NB_DISTANCE)),
            interrupt=bool(data[14]),
            device_time=u32(data, 17) if len(data) >= 21 else None,
        ),
    )


def _lidar(data: bytes) -> Reading:
    far = u16(data, 4)
    return Reading(
        "status",
        extras=known(
            battery_v=(u16(data, 0) & 0x3FFF) / 1000,
            distance_mm=millimetres(far * 10),
            interrupt=bool(data[8] & 1) if len(data) > 8 else None,
        ),
    )


def _distance(data: bytes) -> Reading:
    far = u16(data, 2)
    extras = known(
        battery_v=(u16(data, 0) & 0x3FFF) / 1000,
        distance_mm=millimetres(far) if far != 20 else None,
        interrupt=bool(data[4]) if len(data) > 4 else None,
        # without its probe it says 327.6 °C, which celsius drops
        temperature=celsius(s16(data, 5) / 10) if len(data) >= 8 and u16(data, 5) else None,
    )
    return Reading("status", extras=extras)
