"""Milesight (formerly Ursalink): WS buttons, VS and EM sensors, on LoRaWAN port 85.

All of them speak one language of channel, type, value, repeated: ``01 75 5c  ff 2e 03`` is battery 92 %,
double press. Documented model by model in the user guides ("Uplink Packet") and at
milesight.com/products/docs. Values are little-endian; temperature and humidity in tenths and halves,
distance in millimetres.

The same channel can mean different things in different models (``04 00`` is a tilt in EM310-UDL, daylight in
WS202), so meaning depends on the model, length does not. A channel we do not read is skipped by the table of
lengths; one that nobody has ever described ends the reading, and what was read so far is kept.

The NB-IoT models (EM400) send the same channels behind a head of 86 bytes that begins ``02 0001``: versions, serial
number, IMEI, IMSI, ICCID, signal, length.

Disputed: the WS136/156 panel's two bytes after the button number are a D2D id in the older manual and mode
and kind of press in the newer. Only the number is safe; the kind is told where the bytes can only be the new
form.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._milesight_lengths import LENGTHS, SETTINGS
from devices.codecs._shared import celsius, known, millimetres, no_echo, percent
from devices.reading import Reading

VENDORS = ("milesight", "ursalink")
MODELS = re.compile(
    r"\b(?:ws[1-5]\d\d|vs[1-3]\d\d|em[3-5]\d\d|am[1-3]\d\d|ts[1-6]\d\d|at101|gs[1-6]\d\d|ct[1-3]\d\d"
    r"|ds3604|wts?\d\d\d|cth\d\d|ft101|uc[1-5]\d)"
)

_BUTTONS = re.compile(r"ws1[0-5]\d|ds3604")
_BINARY_OCCUPANCY = re.compile(r"vs330|vs34[01]|vs370|ws202|ws203|am1\d\d|am3\d\d")
_ON_CHANNEL_3 = re.compile(r"vs34|vs370|ws202")  # the others have it on channel 5
_TILTS = re.compile(r"em310|em4\d\d|em500")
_LEAKS = re.compile(r"ws303|em300-[smz]ld")

_SHORT_LONG_DOUBLE = {1: "short", 2: "long", 3: "double"}
_PANEL_KINDS = {0: "short", 1: "double", 2: "long"}
#: VS373: what it saw (03 f8, byte 0), and its alarms (06 fb, bytes 2 and 3).
_SEEN_VACANT, _SEEN_FALL = 1, 4
_FALL, _TRIGGERED = 0, 1
_DISTRESS = frozenset({1, 6, 7, 8})  # lies motionless, breathes too slowly, too fast, lies on the floor
#: "Alarm released" among the values of a temperature alarm.
_RELEASED = frozenset({0, 4})

#: How long one stored record is after ``20 ce``, where the model tells (user guides, "Historical data").
_HISTORY = (
    (re.compile(r"ws203|vs373"), 9),
    (re.compile(r"em500-(?:udl|swl|pp)"), 6),
    (re.compile(r"em41[01]"), 11),
    (re.compile(r"em300"), 8),
)

_NB_IOT, _NB_IOT_HEAD = b"\x02\x00\x01", 86
#: A tracker's place, and the Wi-Fi networks it is to be found by.
_PLACED = frozenset({(0x04, 0x88), (0x06, 0x88), (0x06, 0xD9)})
#: Counters: how many stand in which region, how many walked from which side to which, the most at once.
_REGIONS = frozenset({0xD5, 0xDA, 0xE3, 0xCD})


class _Heap:
    """What one frame has told so far."""

    def __init__(self, frame: Frame) -> None:
        self.model = frame.model.lower()
        self.is_button = frame.is_button or bool(_BUTTONS.search(self.model))
        self.config_reply = frame.config_reply
        self.may_press = self.is_button or not MODELS.search(self.model)
        self.buttons: list[int] = []
        self.kinds: list[str] = []
        self.pressed = self.alarmed = self.measured = self.counted = self.about_itself = self.answered = False
        self.placed = False
        self.call: tuple[str, bool | None] | None = None
        self.occupied: bool | None = None
        self.battery: float | None = None
        self.extras: dict[str, object] = {}

    def note(self, **values: object) -> None:
        self.measured = True
        self.extras.update(known(**values))


#: type → length, where all channels of that type that are known agree; those of alarms (from 80 on) are longer.
_OF_TYPE = {
    kind: lengths.pop()
    for kind in {key[1] for key in LENGTHS if key[0] < 0x80}
    if len(lengths := {length for key, length in LENGTHS.items() if key[1] == kind and key[0] < 0x80}) == 1
}


def read_frame(frame: Frame) -> Reading:
    data, at, heap = frame.data, 0, _Heap(frame)
    if data[:3] == _NB_IOT and len(data) > _NB_IOT_HEAD:
        data = data[
            _NB_IOT_HEAD : _NB_IOT_HEAD + int.from_bytes(data[_NB_IOT_HEAD - 2 : _NB_IOT_HEAD], "big")
        ]
    while at + 2 <= len(data):
        key = (data[at], data[at + 1])
        if key[0] in (0x20, 0x21, 0x22, 0x23) and key[1] in (0xCE, 0xCD):
            length = _stored(heap.model, data, at + 2)
            heap.extras["history"] = True
        else:
            length = LENGTHS.get(key, SETTINGS.get(key[1]) if key[0] in (0xFE, 0xFF) else None)
            if length is None and key[0] < 0x80 and key[1] in _OF_TYPE:
                at += 2 + _OF_TYPE[key[1]]  # a channel that this Linli does not know, of a type that it does: skipped
                continue
            if key[0] in (0xF8, 0xF9) or (key[0] == 0xFE and length is None):
                heap.answered = (
                    True  # an answer to a command whose length differs by model: nothing follows it
                )
            elif length is not None and at + 2 + length <= len(data):
                _take(key, data[at + 2 : at + 2 + length], heap)
        if length is None and not heap.answered and "history" not in heap.extras:
            heap.extras["unread"] = f"from channel {key[0]:02x} {key[1]:02x}: {data[at : at + 30].hex()}"
        if length is None or at + 2 + length > len(data):
            break
        at += 2 + length
    if at == 0 and not heap.answered and "history" not in heap.extras:
        raise ValueError("no channel of the family at the beginning")
    return _sum_up(heap)


def _stored(model: str, data: bytes, at: int) -> int | None:
    """The length of a stored record, or None where the model does not tell: then the record ends the reading."""
    if re.search(r"vs35[01]|vs360", model):
        return {0: 9, 1: 13}.get(data[at + 4]) if at + 4 < len(data) else None
    return next((length for models, length in _HISTORY if models.search(model)), None)


def _sum_up(heap: _Heap) -> Reading:
    if heap.pressed:
        kinds = set(heap.kinds)
        extras = heap.extras | known(
            buttons=heap.buttons or None,
            button=heap.buttons[0] if len(heap.buttons) == 1 else None,
            press_type=heap.kinds[0] if len(kinds) == 1 and len(heap.kinds) >= len(heap.buttons) else None,
        )
        return Reading("press", True, battery_pct=heap.battery, extras=extras)
    alarm: bool | None = False
    if heap.call is not None:
        event, alarm = heap.call
    elif heap.alarmed:
        event = "alarm"
    elif heap.counted and heap.occupied is None:
        event = "count"
    elif heap.placed:
        event = "position"
    elif heap.measured:
        event = "status"
    elif heap.about_itself:
        event = "lifecycle" if heap.is_button else "startup"
    elif heap.answered:
        event = heap.config_reply
    elif "history" in heap.extras and heap.battery is None:
        event = "none"
    else:
        event = "heartbeat"
    return Reading(event, alarm, heap.occupied, heap.battery, extras=heap.extras)


def _le(value: bytes, signed: bool = False) -> int:
    return int.from_bytes(value, "little", signed=signed)


def _take(key: tuple[int, int], value: bytes, heap: _Heap) -> None:
    channel, kind = key
    if channel in (0xFE, 0xFF):
        _about_itself(channel, kind, value, heap)
    elif key == (0x01, 0x75):
        heap.battery = percent(value[0])
    elif kind == 0x00:
        _binary(channel, value[0], heap)
    elif key == (0x03, 0x8E):
        heap.measured, heap.occupied = True, {0: False, 1: True}.get(value[0])
    elif kind == 0x67 and len(value) >= 2:
        # 0xfffd and 0xffff are "collection failed" and "not connected": below -40 or just below zero degrees.
        heap.note(temperature=celsius(_le(value[:2], True) / 10) if _le(value[:2]) < 0xFFFD else None)
        if channel & 0x80 and value[-1] not in _RELEASED:
            heap.alarmed = True
    elif kind in (0x68, 0x9A) and channel < 0x80:
        humidity = value[0] / 2 if kind == 0x68 else _le(value) / 10
        heap.note(humidity=humidity if humidity <= 100 else None)
    elif kind in (0x82, 0xE9) and len(value) >= 2:
        heap.note(distance_mm=millimetres(_le(value[:2])), no_echo=no_echo(_le(value[:2])))
        if channel & 0x80:
            heap.extras["distance_alarm"] = bool(value[-1])
            heap.alarmed = heap.alarmed or bool(value[-1])
    elif key in ((0x03, 0xF8), (0x07, 0xB0), (0x06, 0xFB)):
        _fall_radar(key, value, heap)
    else:
        _count(key, value, heap)


def _fall_radar(key: tuple[int, int], value: bytes, heap: _Heap) -> None:
    """VS373. The alarm announces a fall; the periodic report says that somebody still lies there, which is left
    to the hall's policy, because the alarm itself has called."""
    heap.measured = True
    if key != (0x06, 0xFB):
        heap.occupied = value[0] != _SEEN_VACANT
        if value[0] == _SEEN_FALL and heap.call is None:
            heap.call = ("status", None)
            heap.extras["device_status"] = "fall"
        return
    what, state = value[2], value[3]
    if what == _FALL:
        heap.call = ("man_down", True) if state == _TRIGGERED else ("man_down_end", False)
    elif heap.call is None and state == _TRIGGERED:
        heap.call = ("alarm", None if what in _DISTRESS else False)


def _binary(channel: int, value: int, heap: _Heap) -> None:
    """The channels of type 0: one bit whose meaning is the model's."""
    heap.measured = True
    if _BINARY_OCCUPANCY.search(heap.model):
        if channel == (3 if _ON_CHANNEL_3.search(heap.model) else 5):
            heap.occupied = {0: False, 1: True}.get(value)
    elif _TILTS.search(heap.model):
        if channel in (4, 5):
            heap.extras["tilt"] = value == 1
    elif _LEAKS.search(heap.model):
        heap.extras["leak"] = value == 1
    elif channel in (3, 6):
        heap.extras["open"] = value == 1
    elif channel == 4 and "ws301" in heap.model:
        heap.extras["tamper"] = value == 1


def _count(key: tuple[int, int], value: bytes, heap: _Heap) -> None:
    """People and their ways in and out; with several lines the first is told."""
    if key == (0x05, 0xFD):
        heap.note(people_count=_le(value))
        heap.occupied = _le(value) > 0
    elif key == (0x06, 0xFE):  # VS321: which regions are watched, and which of them are taken
        heap.measured = True
        heap.occupied = bool(_le(value[:2]) & _le(value[2:4])) or bool(heap.occupied)
    elif key in ((0x03, 0xD2), (0x04, 0xD2)):
        heap.counted = True
        total = _le(value)
        heap.note(**{"in" if key[0] == 0x03 else "out": total if total < 1 << 31 else None})
    elif key in ((0x04, 0xCC), (0x84, 0xCC)) or (
        key in ((0x05, 0xCC), (0x85, 0xCC)) and "in" not in heap.extras
    ):
        heap.counted = True
        heap.note(**{"in": _le(value[:2]), "out": _le(value[2:4])})
        heap.alarmed = heap.alarmed or (key[0] & 0x80 != 0 and bool(value[-1]))
    elif key == (0x04, 0xC9):
        heap.counted = True
        heap.note(count=value[0])
    elif key[1] in _REGIONS and heap.model.startswith("vs"):
        heap.counted = heap.measured = True
    elif key in _PLACED and "at101" in heap.model:
        heap.placed = True
    else:
        heap.measured = True


def _about_itself(channel: int, kind: int, value: bytes, heap: _Heap) -> None:
    if channel == 0xFF and kind == 0x2E and heap.may_press:
        heap.pressed = True
        heap.kinds.append(_SHORT_LONG_DOUBLE.get(value[0], "unknown"))
    elif channel == 0xFF and kind == 0x34 and heap.may_press:
        heap.pressed = True
        heap.buttons.append(value[0])
        if value[1] in (0, 1) and value[2] in _PANEL_KINDS:
            heap.kinds.append(_PANEL_KINDS[value[2]])
    elif channel == 0xFE or (0xFF, kind) not in LENGTHS or kind in (0x2E, 0x34):
        heap.answered = True
    elif kind == 0x29:
        heap.measured = True
    else:
        heap.about_itself = True
        if kind in (0x08, 0x16):
            heap.extras["serial"] = value.hex()
        elif kind == 0x09:
            heap.extras["hardware"] = f"{value[0]}.{value[1] >> 4}"
        elif kind == 0x0A:
            heap.extras["firmware"] = f"{value[0]}.{value[1]}"


def looks_like_ours(frame: Frame) -> bool:
    """Port 85, which Milesight devices speak on out of the box, and a channel of theirs at the beginning.

    Whose bit of type 0 it is (a door's, a desk's) cannot be told without the model, so such a bay stays unknown.
    """
    key = tuple(frame.data[:2])
    return frame.port == 85 and (key in LENGTHS or (key[:1] in ((0xFE,), (0xFF,)) and key[-1] in SETTINGS))
