"""Tasmota: ``cmnd/<topic>/POWER<n>`` and ``cmnd/<topic>/Buzzer``; it answers on ``stat/<topic>/RESULT``.

tasmota.github.io, "Commands" and "Buzzer": POWER takes ON, OFF and BLINK (as often as BlinkCount says); the buzzer
takes "count,beep,silence" in tenths of a second and answers ``{"Buzzer":"Done"}``.
"""

from __future__ import annotations

import re

from devices.messages import Word
from devices.speaking._shared import Reply, Saying, Speaker, load_object, one, text

FAMILIES = ("tasmota",)
MEANS = {
    "relay": ("继电器或灯（闪：听到了；亮：有人来）", "Relay or lamp (blinks: heard; on: coming)"),
    "buzzer": ("蜂鸣器（一声：听到了；三声：有人来）", "Buzzer (one beep: heard; three: coming)"),
}
_BEEPS = {"heard": "1,5", "coming": "3,5,3"}
_LIGHTS = {"heard": ("BLINK", "blink"), "coming": ("ON", "on"), "over": ("OFF", "off")}
_POWER = re.compile(r"POWER(\d?)")


def means_of(_model: str) -> str:
    return ""  # a Tasmota module says what it is called, not what is wired to it


def root(topic: str, address: str) -> str:
    parts = topic.split("/")
    # A device behind Tasmota's Zigbee bridge bears a name of its own: it cannot be told by the bridge's relay.
    own = "/".join(parts[1:-1])
    return f"cmnd/{own}" if own and own == address else ""


def say(speaker: Speaker, means: str, word: Word, _token: str) -> Saying | None:
    if means == "buzzer":
        if word == "over":
            return Saying(())
        return one(f"{speaker.via}/Buzzer", _BEEPS[word], shows="beep")
    which = speaker.part if speaker.part.isdecimal() and len(speaker.part) == 1 else ""
    command, shows = _LIGHTS[word]
    return one(f"{speaker.via}/POWER{which}", command, shows=shows, level=word != "heard")


def reply(topic: str, payload: bytes) -> Reply | None:
    parts = topic.split("/")
    if parts[0] != "stat" or parts[-1] != "RESULT":
        return None
    address = "/".join(parts[1:-1])
    for key, value in load_object(payload).items():
        if key == "Buzzer":
            return Reply(address, shows="beep")
        if _POWER.fullmatch(key):
            word = text(value).lower()
            if word.startswith("blink"):
                return Reply(address, shows="blink") if word.endswith("on") else None
            if word in ("on", "off"):
                return Reply(address, shows=word)
    return None
