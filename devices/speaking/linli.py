"""A lamp of our own beside a bought button: the level of docs/protocol.md, retained, and its word that it shows it.

Our own button's lamp is a level that the gateway keeps anyway (``SetLamp``); here is only what comes back: ``light`` in
its status.
"""

from __future__ import annotations

from devices.messages import Spoken, Word
from devices.speaking._shared import Reply, Saying, Speaker, load_object, text, words

FAMILIES = ("linli",)
MEANS = {"lamp": ("邻里指示灯（闪：听到了；亮：有人来）", "Linli lamp (blinks: heard; lit: coming)")}
LIGHTS = {"heard": "blink", "coming": "steady", "over": "off"}


def means_of(_model: str) -> str:
    return "lamp"


def root(_topic: str, address: str) -> str:
    return f"linli/v1/lamp/{address}" if "/" not in address else ""


def say(speaker: Speaker, _means: str, word: Word, _token: str) -> Saying | None:
    light = LIGHTS[word]
    message = Spoken(f"{speaker.via}/set", words({"light": light}), retain=True)
    return Saying((message,), shows=light, level=True)


def reply(topic: str, payload: bytes) -> Reply | None:
    parts = topic.split("/")
    if len(parts) != 5 or parts[2] != "button" or parts[4] != "status" or b'"light"' not in payload:
        return None
    light = text(load_object(payload).get("light"))
    return Reply(parts[3], shows=light) if light in LIGHTS.values() else None
