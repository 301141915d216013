"""Lansitec badge and asset trackers: a card with an SOS button and, in some, fall detection.

Documented in Lansitec's user guides ("Payload format"). The high four bits of byte 0 name the message: 1
registration, 2 heartbeat (``20 64 …``: battery 100 %), the others by the model. Where the alarm is:

* badge tracker, tracking label, helmet sensor: message 8, byte 1 (1 SOS, 2 fall; the helmet: 3 a special area,
  4 somebody searches it);
* asset management tracker: message 6, low four bits of byte 0 (1 SOS); its message 8 is an acknowledgement;
* NB-IoT trackers: message 5, low four bits of byte 1;
* container tracker: message 9, which is about the container;
* contact tracing badge: none. Its message 8 lists contacts of the last ten seconds.

An alarm message of another kind is a doubtful call and alarms. Message 5 of the asset tracker and message b of the
container tracker are stored positions: history.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from devices.codecs._lorawan import Frame
from devices.codecs._shared import known, percent
from devices.reading import Reading

VENDORS = ("lansitec",)
MODELS = re.compile(r"lansitec|contact.tracing badge|helmet")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which message is the alarm (None: there is none), and what the quiet ones are."""

    alarm: int | None
    quiet: dict[int, str] = field(default_factory=dict)
    stored: int | None = None


_BADGE = _Layout(8, {1: "lifecycle", 3: "position", 5: "position", 7: "position", 15: "config_reply"})
_LAYOUTS = (
    (re.compile(r"nb.?iot"), _Layout(5, {1: "lifecycle", 3: "position", 4: "position", 6: "config_reply"})),
    (re.compile(r"contact.?tracing"), _Layout(None, {1: "lifecycle", 15: "config_reply"})),
    (
        re.compile(r"asset"),
        _Layout(
            6, {1: "lifecycle", 3: "position", 4: "position", 7: "position", 8: "config_reply"}, stored=5
        ),
    ),
    (re.compile(r"container"), _Layout(9, {1: "lifecycle", 3: "position", 7: "position"}, stored=11)),
    (re.compile(r"gateway|temperature|platinum"), _Layout(None, {1: "lifecycle", 15: "config_reply"})),
)
#: "Special area" and "search" of the helmet: what happens to the one who wears it, not a call of theirs.
_HELMET_NOTICES = frozenset({3, 4})
_CHARGING = {0: False, 5: True, 6: False}


def read_frame(frame: Frame) -> Reading:
    data, model = frame.data, frame.model.lower()
    kind = data[0] >> 4
    layout = next((found for models, found in _LAYOUTS if models.search(model)), _BADGE)
    if kind == 2:
        return _heartbeat(data, model)
    if kind == layout.alarm:
        return _alarm(data, model, kind)
    if kind == layout.stored:
        return Reading("none", extras={"history": True})
    return Reading(layout.quiet.get(kind, "none"))


def _alarm(data: bytes, model: str, kind: int) -> Reading:
    if kind == 9:
        return Reading("alarm", None)
    code = data[0] & 0x0F if kind == 6 else data[1] if len(data) > 1 else 0
    if kind == 5:
        code &= 0x0F
    if code == 2:
        return Reading("man_down", True)
    if "helmet" in model and code in _HELMET_NOTICES:
        return Reading("alarm", None)
    return Reading("sos", True, extras=known(doubtful=None if code == 1 else True))


def _heartbeat(data: bytes, model: str) -> Reading:
    if re.search(r"nb.?iot", model):
        extras = known(battery_v=data[5] / 10 if len(data) > 5 else None)
        return Reading("heartbeat", battery_pct=percent(data[6]) if len(data) > 6 else None, extras=extras)
    if re.search(
        r"container|gateway", model
    ):  # hundredths of a volt above 1.5 V, or percent in the newer ones
        if data[1] > 100 or "container" in model:
            return Reading("heartbeat", extras={"battery_v": round(data[1] / 100 + 1.5, 2)})
        return Reading("heartbeat", battery_pct=percent(data[1]))
    charging = None
    if len(data) > 6 and "helmet" not in model:  # the helmet counts its searches there
        charging = _CHARGING.get(data[6] if "tracing" in model else data[6] >> 4)
    return Reading("heartbeat", battery_pct=percent(data[1]), extras=known(charging=charging))
