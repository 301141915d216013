"""Finds the codec of a LoRaWAN device's own bytes, and reads a network server's uplink with it.

A family of devices is one file beside this one that says who it is::

    VENDORS = ("milesight",)                  # how a vendor's name, or a word of it, begins
    MODELS = re.compile(r"ws101|ws136")       # searched in the lower-case model name

    def read_frame(frame: Frame) -> Reading: ...

A family whose frames give themselves away adds ``def looks_like_ours(frame: Frame) -> bool``: it is asked where
nobody knows the model, because an unclaimed button's SOS must ring all the same.
There is no list to edit: :mod:`devices.codecs` imports every file of the folder and hands it to
:func:`register`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from devices.codecs import _decoded
from devices.codecs._shared import BROKEN, BUTTON_CLASSES, PARKING_CLASSES, base64_bytes, hex_bytes, is_object
from devices.reading import Heard, Reading


@dataclass(frozen=True, slots=True)
class Frame:
    """A LoRaWAN device's own bytes, its port, and what is known of the device (``""``: nothing)."""

    data: bytes
    port: int | None = None
    vendor: str = ""
    model: str = ""
    cls: str = ""

    @property
    def is_button(self) -> bool:
        return self.cls in BUTTON_CLASSES

    @property
    def watches_a_place(self) -> bool:
        return self.cls in PARKING_CLASSES

    @property
    def lifecycle(self) -> str:
        """The word for "I have started, and this is my version": bays have their own."""
        return "startup" if self.watches_a_place else "lifecycle"

    @property
    def config_reply(self) -> str:
        """The word for an answer to a command."""
        return "config" if self.watches_a_place else "config_reply"


@dataclass(frozen=True, slots=True)
class _Family:
    name: str
    vendors: re.Pattern[str]
    models: re.Pattern[str]
    read_frame: Callable[[Frame], Reading]
    looks_like_ours: Callable[[Frame], bool] | None


_families: list[_Family] = []


def register(
    name: str,
    vendors: tuple[str, ...],
    models: re.Pattern[str],
    read_frame: Callable[[Frame], Reading],
    looks_like_ours: Callable[[Frame], bool] | None = None,
) -> None:
    """Called once per family file, at import, in the order of the file names."""
    # Whole beginnings of words: "moko" is in "thermokon", too.
    starts = re.compile(r"\b(?:" + "|".join(map(re.escape, vendors)) + ")")
    _families.append(_Family(name, starts, models, read_frame, looks_like_ours))
    _find.cache_clear()


@lru_cache(maxsize=512)  # one entry per model in the hall; bounded because profile names are foreign text
def _find(vendor: str, model: str) -> _Family | None:
    vendor, model = vendor.lower(), model.lower()
    of_vendor = [f for f in _families if f.vendors.search(vendor) or f.vendors.search(model)]
    for family in of_vendor:
        if family.models.search(model):
            return family
    if of_vendor:
        return of_vendor[0]
    if not model:
        return None
    return next((f for f in _families if f.models.search(model)), None)


def knows(vendor: str, model: str) -> bool:
    """True where one of our family files claims this device."""
    return _find(vendor[:80], model[:80]) is not None


def read(frame: Frame) -> Reading | None:
    """The frame in our own words, or None where no family claims it or its bytes are nonsense."""
    family = _find(frame.vendor[:80], frame.model[:80])
    if family is None or not frame.data:
        return None
    try:
        return family.read_frame(frame)
    except BROKEN:
        # A network server may have decoded what we cannot; the caller then tries that.
        return None


def read_uplink(
    heard: Heard, candidates: list[tuple[str, str]], data: bytes | None, port: int | None, decoded: object
) -> Reading:
    """An uplink of any network server: our own codec first, the server's decoded object second.

    ``candidates`` are (vendor, model) pairs, the most trusted first. Where our codec and the server's
    object disagree ours wins: the object comes from a script somebody pasted years ago.
    """
    frame = Frame(data or b"", port, cls=heard.cls)
    for vendor, model in candidates:
        if (vendor or model) and knows(vendor, model):
            reading = read(replace(frame, vendor=vendor, model=model))
            if reading is not None and reading.event != "undecodable":
                return reading
            break
    if is_object(decoded) and decoded:
        reading = _decoded.read(decoded, heard.cls)
        return _marked(reading, f"keys {', '.join(sorted(decoded))[:80]}") if reading.event == "none" else reading
    reading = _guessed(frame) if data else Reading("heartbeat_or_unknown")
    if data and reading.event == "heartbeat_or_unknown" and port != 0:  # port 0 is the network's own
        return _marked(reading, f"port {port}, {data[:30].hex()}")
    return reading


def read_text(
    heard: Heard, candidates: list[tuple[str, str]], words: object, port: int | None, decoded: object
) -> Reading:
    """:func:`read_uplink` of a payload that is written in base64; of hexadecimal, where only that makes sense.

    Hexadecimal digits are base64, too, so they are tried second: whatever can be read as it should be is.
    """
    reading = read_uplink(heard, candidates, base64_bytes(words), port, decoded)
    raw = hex_bytes(words)
    if raw is None or reading.event not in ("heartbeat_or_unknown", "none"):
        return reading
    second = read_uplink(heard, candidates, raw, port, decoded)
    if "unread" not in second.extras:
        return second
    return second if "unread" in reading.extras or base64_bytes(words) is None else reading


def _marked(reading: Reading, what: str) -> Reading:
    """Nothing could be read; what stands there, for whoever teaches us the model."""
    return replace(reading, extras={**reading.extras, "unread": what})


def _guessed(frame: Frame) -> Reading:
    """A frame of nobody knows what. The first family that recognises its own reads it, and ``guessed`` says so."""
    for family in _families:
        if family.looks_like_ours is None:
            continue
        try:
            if family.looks_like_ours(frame):
                reading = family.read_frame(frame)
                return replace(reading, extras={**reading.extras, "guessed": family.name})
        except BROKEN:
            continue
    return Reading("heartbeat_or_unknown")
