"""Shelly relays, both generations: a relay is on or off, so it can show that somebody is coming, and no more.

First generation: ``shellies/<id>/relay/<n>/command`` on, off; it repeats the state on ``shellies/<id>/relay/<n>``.
Second and later: ``Switch.Set`` on ``<id>/rpc``; the change comes back as NotifyStatus on ``<id>/events/rpc`` (Shelly's
API references, "MQTT").
"""

from __future__ import annotations

from devices.messages import Word
from devices.speaking._shared import Reply, Saying, Speaker, child, load_object, one, plain, text, words

FAMILIES = ("shelly",)
MEANS = {"relay": ("继电器（通：有人来）", "Relay (on: coming)")}


def means_of(_model: str) -> str:
    return ""  # what hangs on the relay, only the claim knows


def root(topic: str, _address: str) -> str:
    parts = topic.split("/")
    if parts[0] == "shellies":
        return "/".join(parts[:2]) if len(parts) > 2 else ""
    for tail in ("/events/rpc", "/online"):
        if topic.endswith(tail):
            return topic.removesuffix(tail)
    return topic.partition("/status/")[0] if "/status/" in topic else ""


def say(speaker: Speaker, _means: str, word: Word, _token: str) -> Saying | None:
    if word == "heard":
        return None
    number = int(speaker.part) if speaker.part.isdecimal() and len(speaker.part) == 1 else 0
    shows = "on" if word == "coming" else "off"
    if speaker.via.startswith("shellies/"):
        return one(f"{speaker.via}/relay/{number}/command", shows, shows=shows, level=True)
    request = {
        "id": 1,
        "src": "linli",
        "method": "Switch.Set",
        "params": {"id": number, "on": word == "coming"},
    }
    return one(f"{speaker.via}/rpc", words(request), shows=shows, level=True)


def reply(topic: str, payload: bytes) -> Reply | None:
    parts = topic.split("/")
    if parts[0] == "shellies":
        if len(parts) != 4 or parts[2] != "relay":
            return None
        word = plain(payload).lower()
        return Reply(parts[1], shows=word) if word in ("on", "off") else None
    if not topic.endswith("/events/rpc"):
        return None
    body = load_object(payload)
    if body.get("method") != "NotifyStatus":
        return None
    params = child(body, "params")
    for key in params:
        output = child(params, key).get("output") if key.startswith("switch:") else None
        if isinstance(output, bool):
            return Reply(text(body.get("src")) or parts[0], shows="on" if output else "off")
    return None
