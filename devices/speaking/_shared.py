"""What the families' files share: who is spoken to, what is said, what comes back."""

from __future__ import annotations

import json
from dataclasses import dataclass

from devices.codecs._shared import BROKEN, Json, child, flag, is_object, load, load_object, plain, text
from devices.messages import Spoken

__all__ = [
    "BROKEN",
    "Json",
    "Reply",
    "Saying",
    "Speaker",
    "child",
    "flag",
    "is_object",
    "load",
    "load_object",
    "one",
    "plain",
    "text",
    "words",
]


@dataclass(frozen=True, slots=True)
class Speaker:
    """A device as it is spoken to. ``via``, ``means`` and ``part`` are those of gateway/hall/rows.py ``Voice``."""

    family: str
    address: str
    model: str = ""
    via: str = ""
    means: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Saying:
    """What is published, and how we shall know.

    ``shows``: what the device says when it does it ("on", "off", "blink", "steady", "beep"); ``token``: the network
    repeats this; both empty: it never says. ``level``: it stays so until it is told otherwise, and may be told again.
    """

    messages: tuple[Spoken, ...]
    shows: str = ""
    token: str = ""
    level: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. ``address``: the device, as its codec names it."""

    address: str
    token: str = ""
    ok: bool = True
    shows: str = ""


#: Made once: `json.dumps` with settings of its own makes an encoder each time.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def words(body: object) -> str:
    """A JSON payload."""
    return _encode(body)


def one(topic: str, payload: str, *, shows: str = "", token: str = "", level: bool = False) -> Saying:
    """The usual case: one message."""
    return Saying((Spoken(topic, payload),), shows, token, level)
