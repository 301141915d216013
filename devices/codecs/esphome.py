"""ESPHome: home-made Wi-Fi buttons, usually an ESP8266 with a bell push.

Topics ``<prefix>/binary_sensor/<id>/state`` with ``ON``/``OFF`` and ``<prefix>/status`` with
``online``/``offline`` (esphome.io, "MQTT Client Component"); an event entity says ``{"event_type": "single"}`` on
``<prefix>/event/<id>/state``, a text sensor what its owner made it say, and so does whoever publishes ``CLICK`` or
``RELEASED`` on ``<prefix>/button/<id>/state`` by an automation. States are **retained by default**: an ON that
the broker replays at our reconnect is the state of an old press, not a press.
"""

from __future__ import annotations

import re

from devices.codecs._shared import is_object, load, offline, percent, plain, text
from devices.reading import Heard, Reading

TRANSPORT = "esphome"

#: Binary sensors that watch a room, not a hand: ESPHome's device classes that turn up in their names. Where the hall
#: has claimed such a device as a call button (a pull cord on a "contact") it rings all the same.
_WATCHES = re.compile(
    r"motion|pir|presence|occupan|door|window|contact|moist|water|leak|smoke|gas|vibrat|light|tamper|battery|"
    r"connect|status|power|plug|rain|garage|lock|heat|cold|update|problem|running"
)


def read(heard: Heard) -> Reading:
    parts = heard.topic.split("/")
    word = plain(heard.payload)
    if parts[-1] == "status":
        device = "/".join(parts[:-1])
        return offline(device) if word.lower() == "offline" else Reading("online", device=device)
    if len(parts) < 4 or parts[-1] != "state":
        return Reading("none")
    component, name = parts[-3], parts[-2]
    device = "/".join(parts[:-3])
    extras: dict[str, object] = {"input": name}
    if component == "binary_sensor":
        if word.upper() == "ON":
            a_hand = not _WATCHES.search(name.lower())
            return Reading(
                "press" if a_hand else "state", True if a_hand else None, device=device, extras=extras
            )
        if word.upper() == "OFF":
            return Reading("release", device=device, extras=extras)
        raise ValueError(f"a binary sensor said {word[:20]!r}")
    if component == "event" and word:
        return _event(word, heard.payload, device, extras)
    if component in ("text_sensor", "button"):
        return _told(word, device, extras)
    if component == "sensor" and "batt" in name.lower():
        return Reading("heartbeat", battery_pct=percent(word), device=device, extras=extras)
    return Reading("state", device=device, extras=extras | {"state": text(word)})


def _told(word: str, device: str, extras: dict[str, object]) -> Reading:
    """A text sensor may tell anything; only the words of multi-click recipes are presses, and ``sos`` is a call."""
    word = text(word.lower())
    tokens = set(re.findall(r"[a-z]+", word))
    if tokens & {"sos", "emergency", "panic"}:
        return Reading("sos", True, device=device, extras=extras)
    if tokens and tokens <= {"released", "release", "button"}:
        return Reading("release", device=device, extras=extras)
    kinds = [kind for kind in ("single", "double", "triple", "long", "short", "hold") if kind in tokens]
    kinds = kinds or [kind for kind in ("click", "clicked", "press", "pressed") if kind in tokens]
    if kinds and tokens <= {*kinds, "click", "clicked", "press", "pressed", "push", "tap", "button"}:
        return Reading("press", True, device=device, extras=extras | {"press_type": kinds[0]})
    return Reading("state", device=device, extras=extras | {"state": word})


def _event(word: str, payload: bytes, device: str, extras: dict[str, object]) -> Reading:
    if word.startswith("{"):
        body = load(payload)
        word = text(body.get("event_type")) if is_object(body) else ""
    word = text(word.strip('"').lower())
    if not word:
        return Reading("none", device=device, extras=extras)
    extras = extras | {"press_type": word}
    if "release" in word:
        return Reading("release", device=device, extras=extras)
    return Reading("press", True, device=device, extras=extras)
