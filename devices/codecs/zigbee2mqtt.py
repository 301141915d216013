"""Zigbee2MQTT: Zigbee buttons (Aqara, Tuya, IKEA, SONOFF …) behind one USB stick.

Topics ``<base>/<friendly name>`` (the base is ``zigbee2mqtt`` unless configured), described at
zigbee2mqtt.io under "MQTT topics and messages". A press::

    {"action": "single", "battery": 100, "voltage": 3015, "linkquality": 76}

``battery`` is percent (also float, null or text), ``voltage`` millivolts. Old versions say ``click`` instead
of ``action``; early Develco buttons ``sos: true``. The same press also arrives as plain text on
``…/action`` or ``…/click``, and is followed by ``action: ""``, which is not a press. ``…/availability`` is
``{"state": "offline"}`` or plain ``offline``.

With ``output: attribute`` each key has a topic of its own (``…/battery``, ``…/sos``) and a plain value.

Heiman's and ORVIBO's emergency buttons say ``off`` when their alarm zone is quiet again: the end of a press, where a
remote's ``off`` is a key. An alarm zone of no known kind says ``alarm``, ``alarm_1`` or ``alarm_2``: a call where the
hall uses the thing as a button.

An action word we have never met is taken for a press (``doubtful``): makers invent one with each model. Locks, cubes
that fall and sensors say what happened to *them* in ``action``; that is not a press. A key fob's ``disarm`` ends what
its ``emergency`` began. Fall radars say ``fall_down_status``.
"""

from __future__ import annotations

import re

from devices.codecs._shared import (
    BUTTON_CLASSES,
    PARKING_CLASSES,
    Json,
    celsius,
    flag,
    is_object,
    known,
    load,
    number,
    offline,
    percent,
    plain,
    taken,
    text,
)
from devices.reading import Heard, Reading

TRANSPORT = "zigbee2mqtt"

_SOS = frozenset({"emergency", "sos", "panic", "help"})
_PRESSES = frozenset(
    {
        "single",
        "double",
        "triple",
        "quadruple",
        "quintuple",
        "tripple",
        "many",
        "hold",
        "long",
        "short",
        "shake",
        "on",
        "off",
        "toggle",
        "click",
        "press",
        "pressed",
        "push",
        "tap",
        "initial",
        "start",
        "open",
        "close",
        "held",
        "slide",
        "throw",
    }
)
#: Words of remote controls and key fobs that say which key rather than how it was pressed: the whole word is told.
_KEYS = frozenset(
    {
        "scene",
        "recall",
        "store",
        "select",
        "arm",
        "brightness",
        "color",
        "colour",
        "hue",
        "saturation",
        "temperature",
        "rotate",
        "rotation",
        "dial",
        "flip",
        "flip90",
        "flip180",
        "track",
        "volume",
        "play",
        "arrow",
        "dots",
        "bell",
        "center",
        "home",
        "away",
    }
)
_DIRECTIONS = frozenset({"up", "down", "left", "right"})
_ENDS = frozenset({"release", "released", "stop", "clear", "disarm", "end"})
#: What sensors, not people, put into ``action``.
_NOT_A_HAND = frozenset(
    {
        *(
            "vibration",
            "tilt",
            "drop",
            "occupancy",
            "motion",
            "idle",
            "none",
            "moving",
            "stopped",
            "identify",
        ),
        *("lock", "unlock", "manual", "keypad", "rfid", "fingerprint", "zigbee", "region", "screen", "delay"),
        *("approach", "leave", "enter", "inactivity", "error", "movement", "request"),
    }
)
_FALLS = frozenset({"fall", "fallen"})
#: Buttons on an alarm zone (Heiman HS1EB, ORVIBO SE20 and SE21): their "off" is the end of a press.
_ZONE_BUTTONS = re.compile(r"hs1eb|sos-e[mf]|se2[01]\b|emergency", re.IGNORECASE)
#: Cubes to play with: they fall all day.
_CUBES = re.compile(r"mfkzq|ctp-r01|cube", re.IGNORECASE)
_ZONE_ALARMS = ("alarm", "alarm_1", "alarm_2")
#: What a fall radar says of the person it watches (Tuya: "none", "maybe_fall", "fall"; OWON: "sitting", "falling" …).
_FALL_STATUS = ("fall_down_status", "fall_status", "fall_detection_status", "status")
#: Topics of their own with ``output: attribute``; the payload is the plain value.
_ATTRIBUTES = frozenset(
    {"battery", "voltage", "linkquality", "last_seen", "battery_low", "tamper", "sos", "emergency"}
)
_SENSES = ("occupancy", "presence", "contact", "vibration", "water_leak", "smoke", "illuminance")
_LAST_WORDS = frozenset({"action", "click", "availability", "set", "get"})
_WORDS = re.compile(r"[a-z]+|\d+")
#: What an action can look like. zigbee2mqtt's longest is "recall_scene_…"; JSON's own words are nobody's action.
_AN_ACTION = re.compile(r"(?!(?:null|true|false|nan)\Z)(?=.*[a-z])[a-z0-9_\- ]{1,60}")


def read(heard: Heard) -> Reading:
    _, _, name = heard.topic.partition("/")
    if name == "bridge" or name.startswith("bridge/"):
        return Reading("none")
    device, _, last = name.rpartition("/")
    if last not in _LAST_WORDS or not device:
        device, last = name, ""
    if last in ("set", "get"):
        return Reading("none", device=device)
    if last in ("action", "click"):
        # "duplicate_of" tells the gateway that the same press is due on the main topic as well.
        return _action(heard, plain(heard.payload).strip('"'), device, None, {"duplicate_of": "main topic"})
    if last == "availability":
        return _availability(heard.payload, device)
    place, _, attribute = device.rpartition("/")
    if place and attribute in _ATTRIBUTES and not heard.payload.lstrip().startswith(b"{"):
        return _state(heard, {attribute: plain(heard.payload).strip('"')}, place)
    body = load(heard.payload)
    if not is_object(body):
        raise ValueError("not a JSON object")
    return _state(heard, body, device)


def _availability(payload: bytes, device: str) -> Reading:
    word = plain(payload)
    if word.startswith("{"):
        body = load(payload)
        word = text(body.get("state")) if is_object(body) else ""
    if word.strip('"').lower() == "offline":
        return offline(device)
    return Reading("online", device=device)


def _state(heard: Heard, body: Json, device: str) -> Reading:
    pct = percent(body.get("battery"))
    volts = number(body.get("voltage"))
    if volts is not None and volts > 100:  # mains sockets report 230 here, in volts: not a battery
        volts = volts / 1000 if volts >= 1000 else None
    extras = known(
        battery_v=volts,
        temperature=celsius(body.get("temperature", body.get("device_temperature"))),
        battery_low=flag(body.get("battery_low")),
        tamper=flag(body.get("tamper")),
    )
    zone = _ZONE_ALARMS if heard.cls in BUTTON_CLASSES else ()
    for key in ("sos", "emergency", "panic", *zone):
        if flag(body.get(key)) is True:
            return Reading("sos", True, battery_pct=pct, device=device, extras=extras)
    fallen = next((text(body[key]).lower() for key in _FALL_STATUS if body.get(key)), "")
    if fallen in ("fall", "fallen", "falling", "maybe_fall"):
        sure = fallen != "maybe_fall"
        extras |= {"device_status": fallen}
        return Reading("man_down", True if sure else None, battery_pct=pct, device=device, extras=extras)
    for key in ("action", "click"):
        word = body.get(key)
        if isinstance(word, str) and word.strip():
            return _action(heard, word, device, pct, extras)
    if "action" in body or "click" in body:
        return Reading("none", battery_pct=pct, device=device, extras=extras)
    if any(key in body for key in _SENSES):
        occupied = None
        if heard.cls in PARKING_CLASSES:
            occupied = taken(body.get("occupancy", body.get("presence")))
        # For whoever measures silence (docs/protocol.md): a movement, and a door; "contact" true is shut.
        shut = flag(body.get("contact"))
        extras |= known(open=None if shut is None else not shut)
        if any(flag(body.get(key)) for key in ("occupancy", "presence", "vibration")):
            extras["stirred"] = True
        return Reading("status", occupied=occupied, battery_pct=pct, device=device, extras=extras)
    beats = pct is not None or volts is not None or "battery" in body
    return Reading("heartbeat" if beats else "none", battery_pct=pct, device=device, extras=extras)


def _action(heard: Heard, word: str, device: str, pct: float | None, extras: dict[str, object]) -> Reading:
    """``single``, ``button_1_hold``, ``1_single``, ``arrow_left_click``, ``brightness_stop`` …"""
    word = text(word.strip().lower())
    if not word or word in ("null", "none"):
        return Reading("none", battery_pct=pct, device=device, extras=extras)
    if not _AN_ACTION.fullmatch(word):
        raise ValueError("not an action's word")
    tokens = _WORDS.findall(word)
    digits = [token for token in tokens if token.isdigit()]
    button = int(digits[0]) if digits and len(digits[0]) <= 2 else None
    several = [int(token) for token in digits] if "and" in tokens else None
    extras = extras | (known(button=button) if not several else {"buttons": several})
    if not _SOS.isdisjoint(tokens):
        return Reading("sos", True, battery_pct=pct, device=device, extras=extras)
    if not _FALLS.isdisjoint(tokens):
        if _CUBES.search(heard.model):
            return Reading("none", battery_pct=pct, device=device, extras=extras | {"device_event": word})
        # Where nobody knows the model it may be a cube, too: the hall decides.
        return Reading("man_down", None, battery_pct=pct, device=device, extras=extras)
    words = [
        token for token in tokens if not token.isdigit() and token not in ("button", "btn", "key", "and")
    ]
    if word == "off" and _ZONE_BUTTONS.search(heard.model):
        return Reading("release", battery_pct=pct, device=device, extras=extras)
    if not _ENDS.isdisjoint(tokens):
        return Reading("release", battery_pct=pct, device=device, extras=extras | {"press_type": "release"})
    if words and not _NOT_A_HAND.isdisjoint(words):
        return Reading("none", battery_pct=pct, device=device, extras=extras | {"device_event": word})
    if not _KEYS.isdisjoint(words):
        kinds = [token for token in words if token in _PRESSES and token != "off"][:1] or [word]
    else:
        kinds = [token for token in words if token in _PRESSES] or [t for t in words if t in _DIRECTIONS]
    if not kinds and not words and digits:  # "button_2": which one, and nothing of how
        kinds = ["single"]
    extras = extras | ({"press_type": kinds[0]} if kinds else {"press_type": word, "doubtful": True})
    return Reading("press", True, battery_pct=pct, device=device, extras=extras)
