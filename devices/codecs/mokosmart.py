"""MOKOSmart: LW006, LW010-CT, LW014-WB and LW004-PB pendants with an SOS button, LW013-SB smart button, LW001 to LW015
trackers, LW009-SM bay sensor, LW007-PIR presence sensor.

MOKO publishes the frames in each model's "Payload format" document.
LW006 (LW010 and LW014 speak the same): first byte battery in percent with bit 7 = charging; port 5 is an event (7
bytes: battery, UNIX time, half-hours of time zone, event), port 8 a position, port 9 a failed one; both carry the
device's status, so a position sent while an SOS lasts is itself a call: the frame that announced the SOS may have
been lost. Status "Man Down" in a position is left to the hall's policy: the man-down event itself has alarmed.
LW004-CT: a badge that lists whom it met; byte 0 is the kind of message, 5 its SOS.
LW004-PB: the same ideas in other places; port 1 is the event. Its firmware 1 and 2 (port 222) begin with battery and
alarm.
LW013-SB: three kinds of press; port 5 is the event, and from 1 on an odd one begins and an even one ends.
The trackers have no button, only man-down detection. Byte 0 is flags, byte 1 the temperature, the high half of byte
2 the battery in tenths of a volt; but which port is man-down, which flag low battery and from where the volts count
differ by model: a shock of one is the man-down of another.
LW007-PIR: time, then a byte of states, ten bits each of temperature and humidity. LW005-MP is a plug and is not read.
LW009-SM: a framed list of tag, length, value on port 1; the newer LW009-SM PRO has fixed fields.

Disputed: LW006 port 1 is "device information" in the manual but is also sent where a heartbeat is due;
it is called neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, percent, signed8, u16, u32
from devices.reading import Reading

VENDORS = ("moko",)
MODELS = re.compile(r"\blw0\d\d")

_EVENTS = (
    "Motion On Start",
    "Motion In Trip",
    "Motion On End",
    "Man Down Start",
    "Man Down End",
    "SOS Start",
    "SOS End",
    "Alert Start",
    "Alert End",
    "Ephemeris Start",
    "Ephemeris End",
    "Downlink Report",
)
_PB_EVENTS = (
    "Motion On Start",
    "Motion In Trip",
    "Motion On End",
    "SOS Start",
    "SOS End",
    "Alert Start",
    "Alert End",
    "Man Down Start",
    "Man Down End",
)
_EVENT_FRAMES = (7, 10)  # bytes: an event of LW006 or LW014, of LW010
_OFF_BY = ("Bluetooth", "LoRa", "Button", "Low Battery")
_STATUS = ("No", "Man Down", "Downlink", "Alert", "SOS")
_PB_STATUS = ("No", "Downlink", "Man Down", "Alert", "SOS")
_CALLS = {
    "SOS Start": ("sos", True),
    "Alert Start": ("sos", True),
    "Man Down Start": ("man_down", True),
    "SOS End": ("sos_end", False),
    "Alert End": ("sos_end", False),
    "Man Down End": ("man_down_end", False),
    "Motion On Start": ("motion_start", False),
    "Motion On End": ("motion_end", False),
}


def read_frame(frame: Frame) -> Reading:
    model = frame.model.lower()
    if "lw009" in model:
        return _bay_pro(frame) if "pro" in model else _bay(frame)
    if re.search(r"lw004-?ct", model):
        return _contact_tracer(frame.data)
    if "lw004" in model:
        return _panic_button(frame)
    for models, layout in _TRACKERS:
        if models.search(model):
            return _tracker(frame, layout)
    if re.search(r"lw006|lw010|lw014", model):
        return _pendant(frame)
    if "lw013" in model:
        return _smart_button(frame)
    if "lw007" in model:
        return _presence(frame)
    if not model and frame.is_button and frame.port == 5 and len(frame.data) in _EVENT_FRAMES:
        return _pendant(frame)
    raise ValueError("a MOKO model whose layout we do not have: the server's own decoding is better")


def _battery(data: bytes) -> tuple[float | None, dict[str, object]]:
    return percent(data[0] & 0x7F), {"charging": bool(data[0] & 0x80)}


def _status_alarm(status: str | None) -> bool | None:
    if status in ("SOS", "Alert"):
        return True
    return None if status == "Man Down" else False


def _named(names: tuple[str, ...], code: int) -> str | None:
    return names[code] if code < len(names) else None


def _happened(name: str | None, data: bytes, stamp_at: int) -> Reading:
    """An event frame. An event code nobody has described is not a press: presses are all described."""
    pct, extras = _battery(data)
    event, alarm = _CALLS.get(name or "", ("none", False))
    return Reading(
        event,
        alarm,
        battery_pct=pct,
        extras=extras | known(device_event=name, device_time=u32(data, stamp_at)),
    )


def _off(name: str | None, data: bytes) -> Reading:
    pct, extras = _battery(data)
    return Reading("device_off", battery_pct=pct, extras=extras | known(fault=True, device_event=name))


def _pendant(frame: Frame) -> Reading:
    data, port = frame.data, frame.port
    if port == 5:
        return _happened(_named(_EVENTS, data[6]), data, 1)
    if port not in (1, 2, 3, 4, 8, 9):
        return Reading("none")  # 6 raw GPS, 7 stored data on request, 10 answers to commands
    pct, extras = _battery(data)
    if port == 2:
        off = _off(_named(_OFF_BY, data[9]), data)
        return Reading(
            off.event,
            off.alarm,
            battery_pct=pct,
            extras={**off.extras, **known(temperature=celsius(signed8(data[1])), device_time=u32(data, 2))},
        )
    if port in (1, 3, 4):
        at = 5 if port == 1 or len(data) < 9 else 8  # LW014's heartbeat is as short as its port 1
        status = _named(_STATUS, data[at]) if len(data) > at else None
        extras |= known(
            temperature=celsius(signed8(data[1])),
            device_status=status,
            battery_low=True if port == 4 else None,
        )
        return Reading(
            "heartbeat_or_unknown" if port == 1 else "heartbeat",
            _status_alarm(status),
            battery_pct=pct,
            extras=extras,
        )
    status = _named(_STATUS, data[4] & 0x0F if port == 8 else data[3])
    return Reading(
        "position" if port == 8 else "position_failed",
        _status_alarm(status),
        battery_pct=pct,
        extras=extras | known(device_status=status),
    )


@dataclass(frozen=True, slots=True)
class _Tracker:
    """What differs between trackers: the ports' events, the flags of byte 0, from where the volts count."""

    ports: dict[int, str]
    low: int
    down: int
    tenths: int


_LW001 = {
    1: "heartbeat",
    2: "position",
    3: "position_failed",
    4: "device_off",
    6: "man_down",
    7: "tamper",
    8: "event",
}
_LATER = {
    1: "heartbeat",
    2: "position",
    3: "heartbeat",
    4: "position_failed",
    5: "device_off",
    7: "man_down",
    8: "event",
    13: "tamper",
}
_TRACKERS = (
    (re.compile(r"lw001-?bge|lw008-?[mp]te|lw011|lw012|lw015"), _Tracker(_LATER, 0x08, 0x10, 28)),
    (re.compile(r"lw008"), _Tracker(_LATER, 0x04, 0x08, 22)),
    (re.compile(r"lw001"), _Tracker(_LW001, 0x04, 0x10, 22)),
)
_TRACKER_OFF_BY = ("Bluetooth", "LoRa", "Magnet", "Low Battery")
_TRACKER_EVENTS = ("motion_start", "none", "motion_end")
_TRACKER_WORDS = ("Start of movement", "In movement", "End of movement")


def _tracker(frame: Frame, layout: _Tracker) -> Reading:
    data = frame.data
    event = layout.ports.get(
        frame.port or 0, "none"
    )  # shock, battery consumption, raw positions: nobody calls
    if frame.port is None or not 1 <= frame.port <= 14 or frame.port in (10, 11, 12):
        return Reading("none")
    happened = None
    if event == "event":
        event, happened = _named(_TRACKER_EVENTS, data[3]) or "none", _named(_TRACKER_WORDS, data[3])
    alarm: bool | None = False
    if event == "man_down":
        alarm = True
    elif data[0] & layout.down and event.startswith("position"):
        alarm = None
    return Reading(
        event,
        alarm,
        extras=known(
            battery_low=bool(data[0] & layout.low),
            battery_v=(layout.tenths + (data[2] >> 4)) / 10,
            temperature=celsius(signed8(data[1])),
            fault=True if event == "device_off" else None,
            tamper=True if event == "tamper" else None,
            device_event=happened or (_named(_TRACKER_OFF_BY, data[3]) if event == "device_off" else None),
            device_status="Man Down" if data[0] & layout.down and event.startswith("position") else None,
        ),
    )


def _smart_button(frame: Frame) -> Reading:
    data, port = frame.data, frame.port
    if port not in range(1, 6):
        return Reading("none")  # 6: what its battery was spent on
    extras = known(
        device_time=u32(data, 0), temperature=celsius(signed8(data[5])), battery_v=u16(data, 6) / 1000
    )
    code = data[8] if len(data) > 8 and port in (2, 4, 5) else data[10] if port == 1 and len(data) > 10 else 0
    if port == 4:
        return Reading("device_off", extras=extras | {"fault": True})
    if port == 5:
        extras |= known(button=(code + 1) // 2 if code else None)
        if not 0 < code <= 6:
            return Reading("none", extras=extras)
        return Reading("press" if code % 2 else "release", bool(code % 2), extras=extras)
    # A beat while a press lasts: its own message has called, and the hall decides whether this one does, too.
    extras |= known(button=code or None, battery_low=True if port == 3 else None)
    return Reading("lifecycle" if port == 1 else "heartbeat", None if code else False, extras=extras)


def _presence(frame: Frame) -> Reading:
    data, port = frame.data, frame.port
    stamp = known(device_time=u32(data, 0))
    if port == 7:
        return Reading("device_off", extras=stamp | {"fault": True, "battery_low": bool(data[5] & 1)})
    if port not in (5, 6):
        return Reading("none")
    word = int.from_bytes(data[6:9], "big")
    degrees, humidity = word >> 14 & 0x3FF, word >> 4 & 0x3FF
    return Reading(
        "heartbeat" if port == 5 else "status",
        occupied={0: False, 1: True}.get(data[5] >> 6),
        extras=stamp
        | known(
            open={0: False, 1: True}.get(data[5] >> 4 & 3),
            temperature=celsius(round(degrees / 10 - 30, 1)) if degrees != 0x3FF else None,
            humidity=humidity / 10 if humidity != 0x3FF else None,
            battery_low=bool(data[9] & 0x80),
        ),
    )


def _panic_button(frame: Frame) -> Reading:
    data, port = frame.data, frame.port
    if port == 222 or (port is None and len(data) >= 24):  # firmware 1 and 2
        called = data[1] != 0
        return Reading("sos" if called else "position", called, battery_pct=percent(data[0]))
    if port is None or not 1 <= port <= 13:
        return Reading("none")
    if port == 1:
        return _happened(_named(_PB_EVENTS, data[6]), data, 2)
    if port == 3:
        return _off(_named(("Bluetooth", "LoRa", "Button", "Low Battery"), data[7]), data)
    pct, extras = _battery(data)
    fixed = port in (6, 10)
    status = _named(_PB_STATUS, data[1] >> 2 & 7 if fixed else data[1] & 0x0F)
    event = {2: "lifecycle", 4: "heartbeat", 5: "heartbeat"}.get(port)
    if event is None:
        event = "position_failed" if port in (7, 9, 11, 13) else "position"
    return Reading(
        event,
        _status_alarm(status),
        battery_pct=pct,
        extras=extras | known(device_status=status, battery_low=True if port == 5 else None),
    )


#: LW004-CT: who was near, near for too long, about itself, acceleration, a place.
_TRACED = ("none", "none", "heartbeat", "none", "position")


def _contact_tracer(data: bytes) -> Reading:
    kind = data[0]
    pct = percent(data[1]) if kind in (0, 1, 2, 5) and len(data) > 1 else None
    if kind == 5:
        return Reading("sos", True, battery_pct=pct)
    return Reading(_named(_TRACED, kind) or "none", battery_pct=pct)


#: LW009-SM message types, tag 2: what made it speak.
_BAY_MESSAGES = {0x00: "heartbeat", 0x0B: "status", 0x0C: "status", 0x0E: "heartbeat"}


def _bay(frame: Frame) -> Reading:
    data = frame.data
    if data[0] != 0x7E:
        raise ValueError("a frame of LW009-SM begins with 7e")
    body = data[12 : 12 + u16(data, 8)]
    occupied: bool | None = None
    pct: float | None = None
    event, at = "config", 0
    extras: dict[str, object] = known(device_time=u32(data, 2))
    while at + 2 <= len(body):
        tag, value = body[at], body[at + 2 : at + 2 + body[at + 1]]
        at += 2 + body[at + 1]
        if not value:
            continue
        if tag == 0x02:
            event = _BAY_MESSAGES.get(value[-1], "fault")
            if value[-1] == 0x0E:
                extras["battery_low"] = True
        elif tag == 0x24:
            pct = percent(value[-1])
        elif tag == 0x29:
            extras["battery_v"] = int.from_bytes(value, "big") / 1000
        elif tag == 0x32:
            occupied = {0: False, 1: True}.get(value[-1])
        elif tag == 0x0B:
            extras |= known(temperature=celsius(signed8(value[-1])))
        elif tag == 0x35:
            extras["humidity"] = value[-1]
    if event == "fault":  # magnetic interference or a dead sensor: what it thinks of the bay is worthless
        occupied, extras["fault"] = None, True
    return Reading(event, occupied=occupied, battery_pct=pct, extras=extras)


def _bay_pro(frame: Frame) -> Reading:
    data, port = frame.data, frame.port
    if port not in range(1, 8):
        return Reading("none")
    extras = known(
        battery_v=u16(data, 1) / 1000,
        battery_low=data[0] == 1,
        device_time=u32(data, 3),
        temperature=celsius(signed8(data[8])) if data[8] != 0x7F else None,
    )
    if port == 1:
        return Reading("heartbeat", occupied=data[9] == 1, extras=extras)
    if port in (2, 3):
        broken = data[11] in (3, 4, 5)
        return Reading(
            "fault" if broken else "heartbeat" if data[11] == 0 else "status",
            occupied=None if broken else data[10] == 1,
            extras=extras | known(fault=True if broken else None),
        )
    if port == 5:
        return Reading("device_off", extras=extras | {"fault": True})
    if port == 7:
        count = u32(data, 9)
        return Reading("count", extras=extras | known(vehicle_count=count if count < 1 << 31 else None))
    return Reading("config" if port == 6 else "heartbeat", extras=extras)
