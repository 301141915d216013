"""Milesight (formerly Ursalink): WS buttons, VS and EM sensors, on LoRaWAN port 85.

All of them speak one language of channel, type, value, repeated: ``01 75 5c  ff 2e 03`` is battery 92 %,
double press. Documented model by model in the user guides ("Uplink Packet") and at
milesight.com/products/docs. Values are little-endian; temperature and humidity in tenths and halves,
distance in millimetres.

The same channel can mean different things in different models (``04 00`` is a tilt in EM310-UDL, daylight in
WS202), so meaning depends on the model, length does not. A channel we do not read is skipped by the table of
lengths; one that nobody has ever described ends the reading, and what was read so far is kept.

Disputed: the WS136/156 panel's two bytes after the button number are a D2D id in the older manual and mode
and kind of press in the newer. Only the number is safe; the kind is told where the bytes can only be the new
form.
"""

from __future__ import annotations

import re

from devices.codecs._lorawan import Frame
from devices.codecs._shared import celsius, known, millimetres, percent
from devices.reading import Reading

VENDORS = ("milesight", "ursalink")
MODELS = re.compile(
    r"\b(?:ws[1-5]\d\d|vs[1-3]\d\d|em[3-5]\d\d|am[1-3]\d\d|ts[1-6]\d\d|at101|gs[1-6]\d\d|ct[1-3]\d\d)"
)

_BUTTONS = re.compile(r"ws1[0-5]\d|ws52")
_BINARY_OCCUPANCY = re.compile(r"vs330|vs34[01]|vs370|ws202|ws203|am1\d\d|am3\d\d")
_ON_CHANNEL_3 = re.compile(r"vs34|vs370|ws202")  # the others have it on channel 5
_TILTS = re.compile(r"em310|em4\d\d|em500")
_COUNTERS = re.compile(r"vs121|vs13[235]|vs35[01]|vs360")

_SHORT_LONG_DOUBLE = {1: "short", 2: "long", 3: "double"}
_PANEL_KINDS = {0: "short", 1: "double", 2: "long"}

#: How many bytes of value follow each channel and type.
_LENGTHS: dict[tuple[int, int], int] = {
    (0x01, 0x75): 1,
    (0x02, 0x67): 2,
    (0x02, 0x75): 1,
    (0x02, 0x82): 2,
    (0x03, 0x00): 1,
    (0x03, 0x67): 2,
    (0x03, 0x68): 1,
    (0x03, 0x74): 2,
    (0x03, 0x77): 2,
    (0x03, 0x7B): 2,
    (0x03, 0x82): 2,
    (0x03, 0x8E): 1,
    (0x03, 0x94): 4,
    (0x03, 0x97): 4,
    (0x03, 0x9A): 2,
    (0x03, 0xA1): 8,
    (0x03, 0xCF): 7,
    (0x03, 0xD2): 4,
    (0x03, 0xD4): 6,
    (0x03, 0xED): 1,
    (0x03, 0xF4): 2,
    (0x03, 0xF8): 6,
    (0x04, 0x00): 1,
    (0x04, 0x67): 2,
    (0x04, 0x68): 1,
    (0x04, 0x7D): 2,
    (0x04, 0x80): 4,
    (0x04, 0x82): 2,
    (0x04, 0x8E): 1,
    (0x04, 0x98): 2,
    (0x04, 0x9A): 2,
    (0x04, 0xA2): 4,
    (0x04, 0xC9): 4,
    (0x04, 0xCA): 2,
    (0x04, 0xCC): 4,
    (0x04, 0xD2): 4,
    (0x04, 0xD6): 1,
    (0x04, 0xEE): 1,
    (0x04, 0xF9): 4,
    (0x05, 0x00): 1,
    (0x05, 0x5B): 7,
    (0x05, 0x6A): 2,
    (0x05, 0x6B): 1,
    (0x05, 0x7D): 2,
    (0x05, 0x7F): 2,
    (0x05, 0x81): 1,
    (0x05, 0x84): 2,
    (0x05, 0x8E): 1,
    (0x05, 0x9C): 1,
    (0x05, 0xA3): 1,
    (0x05, 0xC8): 4,
    (0x05, 0xCC): 4,
    (0x05, 0xE1): 8,
    (0x05, 0xFA): 8,
    (0x05, 0xFD): 2,
    (0x06, 0x00): 1,
    (0x06, 0x01): 1,
    (0x06, 0x65): 6,
    (0x06, 0x73): 2,
    (0x06, 0x7D): 2,
    (0x06, 0x83): 4,
    (0x06, 0xA4): 2,
    (0x06, 0xC7): 2,
    (0x06, 0xCB): 1,
    (0x06, 0xCD): 1,
    (0x06, 0xD9): 9,
    (0x06, 0xFB): 5,
    (0x06, 0xFE): 4,
    (0x07, 0x00): 1,
    (0x07, 0x01): 1,
    (0x07, 0x7D): 2,
    (0x07, 0x92): 2,
    (0x07, 0xB0): 8,
    (0x07, 0xC9): 2,
    (0x07, 0xD5): 8,
    (0x07, 0xEA): 5,
    (0x07, 0xFF): 1,
    (0x08, 0x29): 1,
    (0x08, 0x31): 2,
    (0x08, 0x77): 3,
    (0x08, 0x7D): 2,
    (0x08, 0x90): 4,
    (0x08, 0xB1): 3,
    (0x08, 0xD5): 8,
    (0x08, 0xE6): 2,
    (0x08, 0xEC): 5,
    (0x08, 0xF4): 2,
    (0x09, 0x67): 2,
    (0x09, 0x73): 2,
    (0x09, 0xB2): 6,
    (0x09, 0xDA): 8,
    (0x0A, 0x7D): 2,
    (0x0A, 0xB3): 5,
    (0x0A, 0xDA): 8,
    (0x0A, 0xEF): 4,
    (0x0B, 0x7D): 2,
    (0x0B, 0xB4): 9,
    (0x0B, 0xDA): 8,
    (0x0C, 0x7D): 2,
    (0x0C, 0xB4): 9,
    (0x0C, 0xDA): 8,
    (0x0D, 0x7D): 2,
    (0x0D, 0xCC): 4,
    (0x0E, 0x01): 1,
    (0x0E, 0xE4): 5,
    (0x0F, 0x7D): 2,
    (0x0F, 0x85): 4,
    (0x0F, 0xE3): 4,
    (0x10, 0x63): 4,
    (0x10, 0xE4): 5,
    (0x10, 0xF7): 4,
    (0x11, 0x63): 4,
    (0x12, 0x63): 4,
    (0x13, 0x75): 1,
    (0x1D, 0xE3): 4,
    (0x1E, 0xE4): 5,
    (0x50, 0xFC): 3,
    (0x81, 0xEE): 1,
    (0x83, 0x67): 3,
    (0x83, 0x9A): 3,
    (0x83, 0xD7): 5,
    (0x83, 0xE9): 5,
    (0x83, 0xED): 2,
    (0x84, 0x67): 3,
    (0x84, 0x68): 2,
    (0x84, 0x82): 3,
    (0x84, 0x98): 7,
    (0x84, 0x9A): 3,
    (0x84, 0xCC): 5,
    (0x85, 0x00): 2,
    (0x85, 0xCC): 5,
    (0x85, 0xE1): 9,
    (0x86, 0x73): 3,
    (0x87, 0x92): 3,
    (0x87, 0xC9): 3,
    (0x88, 0x29): 1,
    (0x88, 0xEC): 6,
    (0x89, 0x67): 3,
    (0x89, 0xDF): 1,
    (0x93, 0x67): 5,
    (0x93, 0x9A): 5,
    (0x93, 0xD7): 5,
    (0x94, 0x67): 5,
    (0x94, 0x68): 3,
    (0x94, 0x82): 5,
    (0x94, 0x9A): 5,
    (0x94, 0xD7): 5,
    (0x99, 0x67): 5,
    (0xB3, 0x67): 1,
    (0xB3, 0x74): 1,
    (0xB3, 0x9A): 1,
    (0xB4, 0x67): 1,
    (0xB4, 0x68): 1,
    (0xB4, 0x80): 1,
    (0xB4, 0x82): 1,
    (0xB4, 0x9A): 1,
    (0xB5, 0x81): 1,
    (0xB6, 0x83): 1,
    (0xB7, 0xC9): 1,
    # 0xff: the device about itself, and presses.
    (0xFF, 0x01): 1,
    (0xFF, 0x03): 2,
    (0xFF, 0x08): 6,
    (0xFF, 0x09): 2,
    (0xFF, 0x0A): 2,
    (0xFF, 0x0B): 1,
    (0xFF, 0x0F): 1,
    (0xFF, 0x10): 1,
    (0xFF, 0x11): 4,
    (0xFF, 0x16): 8,
    (0xFF, 0x17): 2,
    (0xFF, 0x18): 1,
    (0xFF, 0x25): 2,
    (0xFF, 0x26): 1,
    (0xFF, 0x29): 1,
    (0xFF, 0x2E): 1,
    (0xFF, 0x2F): 1,
    (0xFF, 0x34): 3,
    (0xFF, 0xFE): 1,
    (0xFF, 0xFF): 2,
}


class _Heap:
    """What one frame has told so far."""

    def __init__(self, frame: Frame) -> None:
        self.model = frame.model.lower()
        self.is_button = frame.is_button or bool(_BUTTONS.search(self.model))
        self.buttons: list[int] = []
        self.kinds: list[str] = []
        self.pressed = self.alarmed = self.measured = self.counted = self.about_itself = False
        self.occupied: bool | None = None
        self.battery: float | None = None
        self.extras: dict[str, object] = {}

    def note(self, **values: object) -> None:
        self.measured = True
        self.extras.update(known(**values))


def read_frame(frame: Frame) -> Reading:
    data, at, heap = frame.data, 0, _Heap(frame)
    while at + 2 <= len(data):
        key = (data[at], data[at + 1])
        length = _LENGTHS.get(key)
        if length is None or at + 2 + length > len(data):
            break
        _take(key, data[at + 2 : at + 2 + length], heap)
        at += 2 + length
    if at == 0:
        raise ValueError("no channel of the family at the beginning")
    return _sum_up(heap)


def _sum_up(heap: _Heap) -> Reading:
    if heap.pressed:
        kinds = set(heap.kinds)
        extras = heap.extras | known(
            buttons=heap.buttons or None,
            button=heap.buttons[0] if len(heap.buttons) == 1 else None,
            press_type=heap.kinds[0] if len(kinds) == 1 and len(heap.kinds) >= len(heap.buttons) else None,
        )
        return Reading("press", True, battery_pct=heap.battery, extras=extras)
    if heap.alarmed:
        event = "alarm"
    elif heap.counted and heap.occupied is None:
        event = "count"
    elif heap.measured:
        event = "status"
    elif heap.about_itself:
        event = "lifecycle" if heap.is_button else "startup"
    else:
        event = "heartbeat"
    return Reading(event, occupied=heap.occupied, battery_pct=heap.battery, extras=heap.extras)


def _le(value: bytes, signed: bool = False) -> int:
    return int.from_bytes(value, "little", signed=signed)


def _take(key: tuple[int, int], value: bytes, heap: _Heap) -> None:
    channel, kind = key
    if channel == 0xFF:
        _about_itself(kind, value, heap)
    elif key == (0x01, 0x75):
        heap.battery = percent(value[0])
    elif kind == 0x00:
        _binary(channel, value[0], heap)
    elif kind == 0x8E and channel == 0x03:
        heap.measured, heap.occupied = True, {0: False, 1: True}.get(value[0])
    elif kind == 0x67 and len(value) >= 2:
        # 0xfffd and 0xffff are "collection failed" and "not connected": below -40 or just below zero degrees.
        heap.note(temperature=celsius(_le(value[:2], True) / 10) if _le(value[:2]) < 0xFFFD else None)
        if channel & 0x80 and value[-1]:
            heap.alarmed = True
    elif kind in (0x68, 0x9A) and channel < 0x80:
        heap.note(humidity=value[0] / 2 if kind == 0x68 else _le(value) / 10)
    elif kind in (0x82, 0xE9) and len(value) >= 2:
        heap.note(distance_mm=millimetres(_le(value[:2])))
        if channel & 0x80:
            heap.extras["distance_alarm"] = bool(value[-1])
            heap.alarmed = heap.alarmed or bool(value[-1])
    elif kind in (0xCC, 0xD2, 0xC9, 0xFD):
        _count(key, value, heap)
    else:
        heap.measured = True


def _binary(channel: int, value: int, heap: _Heap) -> None:
    """The channels of type 0: one bit whose meaning is the model's."""
    heap.measured = True
    if _BINARY_OCCUPANCY.search(heap.model):
        if channel == (3 if _ON_CHANNEL_3.search(heap.model) else 5):
            heap.occupied = {0: False, 1: True}.get(value)
    elif _TILTS.search(heap.model):
        if channel in (4, 5):
            heap.extras["tilt"] = value == 1
    elif channel in (3, 6) and "magnet" not in heap.extras:
        heap.extras["open"] = value == 1


def _count(key: tuple[int, int], value: bytes, heap: _Heap) -> None:
    if key == (0x05, 0xFD):
        heap.note(people_count=_le(value))
        heap.occupied = _le(value) > 0
    elif key == (0x03, 0xD2) or key == (0x04, 0xD2):
        heap.counted = True
        total = _le(value)
        heap.note(**{"in" if key[0] == 0x03 else "out": total if total < 1 << 31 else None})
    elif key == (0x04, 0xCC) or (key == (0x05, 0xCC) and "in" not in heap.extras):
        heap.counted = True
        heap.note(**{"in": _le(value[:2]), "out": _le(value[2:4])})
    elif key == (0x04, 0xC9):
        heap.counted = True
        heap.note(count=value[0])
    else:
        heap.measured = True


def _about_itself(kind: int, value: bytes, heap: _Heap) -> None:
    if kind == 0x2E:
        heap.pressed = True
        heap.kinds.append(_SHORT_LONG_DOUBLE.get(value[0], "unknown"))
    elif kind == 0x34:
        heap.pressed = True
        heap.buttons.append(value[0])
        if value[1] in (0, 1) and value[2] in _PANEL_KINDS:
            heap.kinds.append(_PANEL_KINDS[value[2]])
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
    return frame.port == 85 and tuple(frame.data[:2]) in _LENGTHS
