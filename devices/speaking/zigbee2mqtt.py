"""zigbee2mqtt: sirens, lamps and sockets listen on ``<base>/<friendly name>/set`` and repeat what they have taken on.

zigbee2mqtt.io, "MQTT topics and messages" and the pages of the devices named below. A socket or lamp that has carried
the command out says ``{"state": "ON"}`` on its own topic; ``alarm`` likewise. What is only sent (``warning``,
``effect``) is never repeated: nobody can know, and it stays unconfirmed.

No Zigbee button on the market has a lamp that can be told from outside: what answers is a thing beside it.
"""

from __future__ import annotations

import re

from devices.messages import Word
from devices.speaking._shared import Reply, Saying, Speaker, flag, is_object, load, one, text, words

FAMILIES = ("zigbee2mqtt",)
MEANS = {
    "siren": ("警号（短响：听到了；长响：有人来）", "Siren (short: heard; long: coming)"),
    "alarm": ("带回报的警号（短响、长响）", "Siren that reports back (short, long)"),
    "light": ("灯（闪：听到了；亮：有人来）", "Lamp (blinks: heard; lit: coming)"),
    "switch": ("插座或开关（通：有人来）", "Socket or switch (on: coming)"),
}

#: Model → means, each from its page at zigbee2mqtt.io/devices/: "warning" among its settable values, or an "alarm" that
#: can be set and is published too. Others are told how by their claim.
_MODELS = (
    (re.compile(r"\b(?:hs2wd-e|srhmp-i1|zr1-en)\b"), "siren"),
    (re.compile(r"\bnas-ab02b[02]\b"), "alarm"),
)

#: Two seconds are heard by whoever waits for it and wake nobody next door; eight cannot be taken for two (our choice).
HEARD_S, COMING_S = 2, 8
_PART = re.compile(r"[a-z0-9_]{1,20}")


def means_of(model: str) -> str:
    return next((means for models, means in _MODELS if models.search(model)), "")


def root(topic: str, address: str) -> str:
    return f"{topic.partition('/')[0]}/{address}" if address else ""


def say(speaker: Speaker, means: str, word: Word, _token: str) -> Saying | None:
    topic = f"{speaker.via}/set"
    if means in ("siren", "alarm"):
        # It falls silent by itself; that it is over is not worth a noise.
        if word == "over":
            return Saying(())
        duration_s = HEARD_S if word == "heard" else COMING_S
        if means == "alarm":
            return one(topic, words({"duration": duration_s, "alarm": True}), shows="on")
        warning = {
            "mode": "emergency",
            "level": "low",
            "strobe": True,
            "strobe_level": "low",
            "strobe_duty_cycle": 5,
            "duration": duration_s,
        }
        return one(topic, words({"warning": warning}))
    key = f"state_{speaker.part}" if _PART.fullmatch(speaker.part) else "state"
    if word == "heard":
        return one(topic, words({"effect": "blink"})) if means == "light" else None
    on = word == "coming"
    return one(topic, words({key: "ON" if on else "OFF"}), shows="on" if on else "off", level=True)


def reply(topic: str, payload: bytes) -> Reply | None:
    address = topic.partition("/")[2]
    if address.endswith("/availability") or (b'"state' not in payload and b'"alarm"' not in payload):
        return None
    body = load(payload)
    if not is_object(body):
        return None
    for key, value in body.items():
        if key == "alarm" or key == "state" or key.startswith("state_"):
            is_on = flag(text(value) or value)
            if is_on is not None:
                # "alarm: false" is the rest of every siren's days: only that it sounds is an answer.
                if key == "alarm" and not is_on:
                    continue
                return Reply(address, shows="on" if is_on else "off")
    return None
