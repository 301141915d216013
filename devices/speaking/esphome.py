"""ESPHome: ``<prefix>/switch|light/<id>/command``, answered by ``…/state`` (esphome.io, "MQTT Client Component").

A light takes JSON and can flash for some seconds; a switch takes ON and OFF. ``part`` is the entity's id: without it
nobody knows what to switch.
"""

from __future__ import annotations

import re

from devices.messages import Word
from devices.speaking._shared import Reply, Saying, Speaker, load, one, plain, text, words

FAMILIES = ("esphome",)
MEANS = {
    "light": ("灯（闪：听到了；亮：有人来）", "Lamp (flashes: heard; lit: coming)"),
    "switch": ("开关（通：有人来）", "Switch (on: coming)"),
}
FLASH_S = 5
_PART = re.compile(r"[a-z0-9_-]{1,60}")


def means_of(_model: str) -> str:
    return ""  # home-made: only its maker knows


def root(_topic: str, address: str) -> str:
    return address


def say(speaker: Speaker, means: str, word: Word, _token: str) -> Saying | None:
    if not _PART.fullmatch(speaker.part):
        return None
    topic = f"{speaker.via}/{means}/{speaker.part}/command"
    on = word != "over"
    shows = "on" if on else "off"
    if means == "switch":
        return None if word == "heard" else one(topic, shows.upper(), shows=shows, level=True)
    if word == "heard":
        return one(topic, words({"state": "ON", "flash": FLASH_S}), shows="on")
    return one(topic, words({"state": shows.upper()}), shows=shows, level=True)


def reply(topic: str, payload: bytes) -> Reply | None:
    parts = topic.split("/")
    if len(parts) < 4 or parts[-1] != "state" or parts[-3] not in ("switch", "light"):
        return None
    word = plain(payload)
    if word.startswith("{"):
        body = load(payload)
        word = text(body.get("state")) if isinstance(body, dict) else ""
    word = word.lower()
    return Reply("/".join(parts[:-3]), shows=word) if word in ("on", "off") else None
