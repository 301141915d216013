"""Small tools every codec uses: careful JSON, careful numbers, and the words of the vocabulary.

A codec never trusts a value's type: real brokers deliver ``null``, ``""``, ``"80%"``, ``true`` for 1 and
whole lists where a number should be. Each helper here takes *anything* and answers with the value or None.
"""

from __future__ import annotations

import base64
import json
import math
import re
import struct
from collections.abc import Iterable, Mapping
from typing import TypeGuard

from devices.reading import Reading

#: Whatever a codec may trip over in foreign bytes. Decoding is pure arithmetic and look-up on data we
#: already hold, so these mean "the thing spoke nonsense", never "we are broken outside": RecursionError
#: is JSON nested too deep, UnicodeError (a ValueError) bad UTF-8, LookupError a frame cut short or an
#: unknown code, ArithmeticError an absurd number. MemoryError or KeyboardInterrupt must still get through.
BROKEN = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    struct.error,
)

#: Classes of things that people press to be heard.
BUTTON_CLASSES = frozenset(
    {
        "button",
        "button_panel",
        "wearable_sos",
        "zigbee_button",
        "wifi_button",
        "rf433_button",
        "room_sensor_button",
        "door_sensor_button",
        "pull_cord",
        "call_button",
    }
)
#: Classes of things that watch a place; nobody asks for help through them.
PARKING_CLASSES = frozenset(
    {
        "parking",
        "parking_sensor",
        "vehicle_counter",
        "occupancy",
        "distance",
        "counter",
        "facility_count",
        "ngsi",
    }
)

#: At or below this a battery is called low even if the device itself says it is not: Zigbee buttons were
#: seen saying ``battery_low: false`` at 6 %.
LOW_BATTERY_PCT = 20

_LONGEST_INT = 32  # digits; nothing we read needs more, and int() of a megabyte of digits is slow
_LONGEST_TEXT = 64  # characters of foreign text we carry on into logs and screens
_HEX = re.compile(r"[0-9A-Fa-f]{4,512}")
_NUMBER = re.compile(r"\s*([+-]?\d{1,15}(?:\.\d{1,15})?)\s*(?:%|°C|C|V|mV|mm|cm|m|s)?\s*\Z")

_TRUE = frozenset({"true", "on", "yes", "1"})
_FALSE = frozenset({"false", "off", "no", "0"})
_TAKEN = frozenset(
    {
        "occupied",
        "taken",
        "busy",
        "besetzt",
        "parked",
        "full",
        "used",
        "parking",
        "car",
        "vehicle",
        "true",
        "1",
        "on",
        "yes",
        "detected",
        "有车",
        "占用",
    }
)
_FREE = frozenset(
    {
        "free",
        "vacant",
        "empty",
        "frei",
        "available",
        "unoccupied",
        "no parking",
        "no car",
        "false",
        "0",
        "off",
        "no",
        "none",
        "not occupied",
        "notoccupied",
        "idle",
        "无车",
        "空闲",
    }
)

Json = Mapping[str, object]


def _no_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object that names one key twice with two meanings is refused: which one is true?"""
    found = dict(pairs)
    if len(found) != len(pairs):
        for key, value in pairs:
            if found[key] != value:
                raise ValueError(f"the key {key[:_LONGEST_TEXT]!r} twice with two meanings")
    return found


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_INT else None


#: NaN and Infinity become null: a button with an absurd battery is still a button that was pressed.
_DECODER = json.JSONDecoder(object_pairs_hook=_no_twins, parse_int=_whole, parse_constant=lambda _word: None)


#: What JSON lets stand before and after a value.
_BLANKS = " \t\n\r"


def load(payload: bytes) -> object:
    """The payload as JSON; raises one of :data:`BROKEN` where it is none."""
    words = payload.decode("utf-8").strip(_BLANKS)
    value, end = _DECODER.raw_decode(words)  # ``decode`` looks for blanks with two regular expressions
    if end != len(words):
        raise ValueError("there is more behind the JSON")
    return value


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """True for a JSON object (json gives its keys as text, always)."""
    return isinstance(value, dict)


def load_object(payload: bytes) -> dict[str, object]:
    """The payload as a JSON object; anything else is refused with a ValueError."""
    value = load(payload)
    if not is_object(value):
        raise ValueError("not a JSON object")
    return value


def child(mapping: Json, key: str) -> dict[str, object]:
    """The object under ``key``, or an empty one."""
    value = mapping.get(key)
    return value if is_object(value) else {}


def plain(payload: bytes) -> str:
    """A short plain-text payload, stripped; raises UnicodeDecodeError for bytes that are not text."""
    return payload.decode("utf-8").strip()


def text(value: object) -> str:
    """A string's first 64 characters without lone surrogates; ``""`` for anything that is not a string."""
    if not isinstance(value, str):
        return ""
    if len(value) <= _LONGEST_TEXT and value.isascii():
        return value  # nearly always
    return value[:_LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")


def number(value: object) -> float | int | None:
    """A finite number, also from ``"80"``, ``"80%"``, ``"23°C"``; None for a bool or anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        match = _NUMBER.match(value)
        if match:
            found = float(match[1])
            return int(found) if found.is_integer() and "." not in match[1] else found
    return None


def whole(value: object) -> int | None:
    """A whole number below 2**31; counters beyond that are a device's wild guess, not a count."""
    if type(value) is int:
        return value if -(1 << 31) <= value < 1 << 31 else None
    found = number(value)
    if found is None or found != int(found) or not -(1 << 31) <= found < 1 << 31:
        return None
    return int(found)


def flag(value: object) -> bool | None:
    """True/False from a bool, 0/1, or the usual words; None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return None if value not in (0, 1) else value == 1
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None
    return None


def taken(value: object) -> bool | None:
    """A bay's state from a bool, 0/1 or a word; None is *unknown*, never free."""
    if isinstance(value, str):
        word = value.strip().lower().replace("_", " ")
        return True if word in _TAKEN else False if word in _FREE else None
    return flag(value)


def percent(value: object) -> float | int | None:
    """A battery in 0-100, as int where it is whole; None outside (255 often means "on mains")."""
    found = number(value)
    if found is None or not 0 <= found <= 100:
        return None
    return int(found) if found == int(found) else found


def celsius(value: object) -> float | int | None:
    """A temperature a hall can have: -40 to 85 °C; beyond it is a broken sensor and is dropped."""
    found = number(value)
    return found if found is not None and -40 <= found <= 85 else None


def millimetres(value: object) -> float | int | None:
    """A distance; 0 and 65535 are how sensors say "no echo" and are dropped."""
    found = number(value)
    return found if found is not None and 0 < found < 65535 else None


def no_echo(value: object) -> bool | None:
    """True where a distance was told that is none: nothing came back, or less than nothing."""
    return True if number(value) is not None and millimetres(value) is None else None


def radio(heard_by: object, snr_key: str = "snr") -> dict[str, object]:
    """How strongly the radio gateways heard it: the best of them, in dBm and dB."""
    found = [
        (rssi, number(one.get(snr_key, one.get("snr"))))
        for one in (heard_by if isinstance(heard_by, list) else ())
        if is_object(one) and (rssi := number(one.get("rssi"))) is not None
    ]
    if not found:
        return {}
    rssi, snr = max(found, key=lambda each: each[0])
    return known(rssi_dbm=rssi, snr_db=snr)


def base64_bytes(value: object) -> bytes | None:
    """The bytes behind base64, or None: a server's own decoding may still be good where they are not."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return None


def hex_bytes(value: object) -> bytes | None:
    """The bytes behind hexadecimal digits, or None."""
    if not isinstance(value, str) or len(value) % 2 or not _HEX.fullmatch(value):
        return None
    return bytes.fromhex(value)


def known(**values: object) -> dict[str, object]:
    """Only the extras that are known: None is left out, False and 0 stay."""
    return {key: value for key, value in values.items() if value is not None}


def first(mapping: Json, keys: Iterable[str]) -> object:
    """The value of the first of ``keys`` that is present and not null."""
    for key in keys:
        value = mapping.get(key)
        if value is not None:
            return value
    return None


def signed8(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def u16(data: bytes, at: int) -> int:
    """Big-endian; raises struct.error where the frame is too short (slicing would invent a number)."""
    return int(struct.unpack_from(">H", data, at)[0])


def s16(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">h", data, at)[0])


def u32(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">I", data, at)[0])


def undecodable(why: str = "", *, alarm: bool = False, device: str = "") -> Reading:
    """Nobody can say what this was; ``why`` is for the fault log."""
    return Reading("undecodable", alarm=alarm, device=device, extras=known(error=text(why) or None))


def doubtful_press(device: str = "", why: str = "") -> Reading:
    """Garbage where only presses arrive: the safe side is to alarm and to open a device fault."""
    return Reading("press", alarm=True, device=device, extras=known(doubtful=True, error=text(why) or None))


def offline(device: str) -> Reading:
    """The thing (or its bridge, speaking its last will) says it is gone: a fault, not a call."""
    return Reading("offline", device=device, extras={"fault": True})
