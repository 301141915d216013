"""Reads an object that somebody else has already decoded: a network server's script, a city's feed.

Nobody standardised the keys. Keys are compared in lower case without punctuation, so ``batt_level``,
``battLevel`` and ``Batt-Level`` are one. Where several press-like keys disagree, any clear press wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from devices.codecs._shared import (
    PARKING_CLASSES,
    celsius,
    flag,
    is_object,
    known,
    millimetres,
    no_echo,
    number,
    percent,
    taken,
    text,
    whole,
)
from devices.reading import Reading

_PUNCTUATION = re.compile(r"[^a-z0-9\u4e00-\u9fff]+")

_FALL_KEYS = ("mandown", "falldetected", "falldetection", "falldown", "fall")
_SOS_KEYS = ("sos", "sosevent", "sosflag", "sosalarm", "emergency", "panic", "help", "alarmstatus", "alarm")
_PRESS_KEYS = (
    "press",
    "pressed",
    "button",
    "buttonpressed",
    "buttonpress",
    "buttonevent",
    "buttonstatus",
    "click",
    "action",
    "pressevent",
    "presstype",
    "pushbutton",
    "pressonceevent",
    "doorbell",
)
#: Theengs' decoder, in OpenMQTTGateway: one number says how a Bluetooth button was pressed.
_THEENGS = {1: "single", 2: "double", 3: "triple", 4: "quadruple", 5: "quintuple", 9: "long", 11: "hold"}
_THEENGS_RELEASE = 10
_NUMBERED_PRESS = re.compile(r"(?:button|btn|key)(\d)(?:pressed|press|event|status|msgid)?\Z")
_EVENT_KEYS = ("eventtype", "event", "type", "messagetype", "msgtype")
_OCCUPIED_KEYS = (
    "occupied",
    "occupancy",
    "parkingstatus",
    "parkstatus",
    "parkingstate",
    "carparkingstate",
    "bayoccupied",
    "carstatus",
    "vehicledetected",
    "vehiclepresent",
    "vehicle",
    "slotstatus",
    "spacestatus",
    "isoccupied",
    "parkingoccupied",
    "parkingoccupancy",
    "occupancystatus",
    "occupancystate",
    "occupiedstatus",
    "carpresent",
    "baystatus",
    "baystate",
    "spotstatus",
    "spotstate",
    "parkflag",
    "车位状态",
    "泊位状态",
)
_BATTERY_KEYS = (
    "battery",
    "batterypct",
    "batterypercent",
    "batterypercentage",
    "batterylevel",
    "battlevel",
    "bat",
    "batlevel",
    "soc",
    "电量",
)
_VOLT_KEYS = (
    "batteryvoltage",
    "batteryv",
    "batv",
    "battv",
    "batvoltage",
    "voltage",
    "vbat",
    "volt",
    "batterymv",
    "battvolt",
)
#: ``"event": "button"`` is how The Things Node says that its button was pressed; a ``type`` only says what a thing is.
_PRESS_WORD = re.compile(r"\A(?:button|btn)(?: \d)?\Z|\b(?:press|pressed|pushed|click|clicked)\b")
#: Words that say a press key reports *no* press.
_QUIET = frozenset(
    {
        "",
        "none",
        "no",
        "nopress",
        "idle",
        "released",
        "release",
        "off",
        "false",
        "normal",
        "0",
    }
)
_END = re.compile(r"\b(end|off|clear|cleared|release|released|cancel|stop)\b")
_MODE = re.compile(r"\bmode\b|config|setting|enable")


def flatten(mapping: Mapping[str, object], depth: int = 2) -> dict[str, object]:
    """The keys in lower case without punctuation; nested objects are lifted, outer keys win."""
    found: dict[str, object] = {}
    inner: list[Mapping[str, object]] = []
    for key, value in mapping.items():
        if is_object(value):
            inner.append(value)
            lifted = value.get("value", value.get("status"))
            if lifted is None or is_object(lifted):
                continue
            value = lifted
        found.setdefault(_PUNCTUATION.sub("", key.lower()[:64]), value)
    if depth > 0:
        for value in inner:
            for key, item in flatten(value, depth - 1).items():
                found.setdefault(key, item)
    return found


def _pressed(value: object) -> tuple[bool, str]:
    """(was it a press?, which kind): ``"short_press"``, 1, true; not ``"none"``, 0, false, null."""
    if value is None or isinstance(value, (dict, list)):
        return False, ""
    if isinstance(value, str):
        word = value.strip().lower().replace("_", " ")
        if _PUNCTUATION.sub("", word) in _QUIET:
            return False, ""
        kind = word.replace("press", "").strip().replace(" ", "_")
        return True, "" if kind in {"true", "ed", "on", "yes", ""} or kind.isdigit() else text(kind)
    found = number(value)
    return value is True or (found is not None and found > 0), ""


def _call(flat: Mapping[str, object]) -> tuple[str, dict[str, object]] | None:
    """The call this object makes, if any: ``("sos", {})``, ``("press", {"button": 2})``."""
    word = text(next((flat[k] for k in _EVENT_KEYS if isinstance(flat.get(k), str)), "")).lower()
    word = word.replace("_", " ")
    if re.search(
        r"\bsos mode (?:start|end)", word
    ):  # Abeeway's names for the beginning and the end of a call
        word = word.replace("mode ", "")
    if not _MODE.search(word):
        if "man down" in word or "fall" in word:
            return ("none", {}) if _END.search(word) else ("man_down", {"device_event": text(word)})
        if re.search(r"\b(sos|alert|panic|emergency)\b", word):
            return ("sos_end" if _END.search(word) else "sos", {"device_event": text(word)})
    # A bay's "alarm" is about the bay: only the plain words for help count there.
    at_a_bay = any(key in flat for key in _OCCUPIED_KEYS)
    for key in _SOS_KEYS:
        if at_a_bay and key.startswith("alarm"):
            continue
        if key in flat and (flag(flat[key]) is True or text(flat[key]).lower() in {"sos", "alarm", "panic"}):
            return "sos", {}
    for key in _FALL_KEYS:
        if flag(flat.get(key)) is True:
            return "man_down", {}
    buttons: list[int] = []
    kind = ""
    for key, value in flat.items():
        match = _NUMBERED_PRESS.match(key)
        if match and _pressed(value)[0]:
            buttons.append(int(match[1]))
            kind = kind or _pressed(value)[1]
    if buttons:
        return "press", known(buttons=sorted(set(buttons)), press_type=kind or None)
    for key in _PRESS_KEYS:
        hit, kind = _pressed(flat.get(key))
        if hit:
            button = whole(flat[key]) if key == "button" and number(flat[key]) is not None else None
            return "press", known(press_type=kind or None, button=button)
    for key in ("event", "eventtype"):
        word = text(flat.get(key) if isinstance(flat.get(key), str) else "").lower().replace("_", " ")
        if _PRESS_WORD.search(word) and not (
            _END.search(word) or _MODE.search(word) or re.search(r"\bnot?\b", word)
        ):
            return "press", {}
    return None


def read(mapping: Mapping[str, object], cls: str = "") -> Reading:
    """A decoded object of unknown make, as well as it can be understood; never a guess at a press
    for things that watch a place."""
    flat = flatten(mapping)
    pct = next((p for k in _BATTERY_KEYS if (p := percent(flat.get(k))) is not None), None)
    volts = next((v for k in _VOLT_KEYS if (v := number(flat.get(k))) is not None), None)
    if volts is None and pct is None and (found := number(flat.get("battery"))) is not None and found >= 1000:
        volts = found
    if volts is not None and volts > 100:  # nobody builds a 100 V button: these are millivolts
        volts = volts / 1000
    occupied = next((taken(flat[k]) for k in _OCCUPIED_KEYS if flat.get(k) is not None), None)
    saw_bay = any(k in flat for k in _OCCUPIED_KEYS)
    extras = known(
        battery_v=volts,
        temperature=celsius(flat.get("temperature", flat.get("temp"))),
        humidity=number(flat.get("humidity")),
        distance_mm=millimetres(flat.get("distancemm", flat.get("distance"))),
        no_echo=no_echo(flat.get("distancemm", flat.get("distance"))),
        battery_low=flag(flat.get("batterylow", flat.get("lowbattery"))),
    )
    if cls not in PARKING_CLASSES and "modelid" in flat and flat.get("type") in ("BTN", "THB"):
        return _bluetooth(flat, percent(flat.get("batt")), extras, cls)
    if cls not in PARKING_CLASSES:
        call = _call(flat)
        if call is not None:
            event, more = call
            return Reading(
                event, alarm=event in {"press", "sos", "man_down"}, battery_pct=pct, extras={**extras, **more}
            )
    if saw_bay or (cls in PARKING_CLASSES and extras):
        return Reading("status", occupied=occupied, battery_pct=pct, extras=extras)
    if pct is not None or volts is not None:
        return Reading("heartbeat", battery_pct=pct, extras=extras)
    return Reading("none", extras=extras)


def _bluetooth(flat: Mapping[str, object], pct: float | None, extras: dict[str, object], cls: str) -> Reading:
    """``{"type": "BTN", "model_id": "SBBT-002C", "batt": 100, "button": 1}``; four keys say ``button1`` to ``button4``.
    A thermometer's button (type THB) only pairs it."""
    said = {key: whole(value) or 0 for key, value in flat.items() if re.fullmatch(r"button\d?", key)}
    keys = sorted(key for key, code in said.items() if code and code != _THEENGS_RELEASE)
    if not keys or flat.get("type") != "BTN":
        event = "release" if _THEENGS_RELEASE in said.values() else "heartbeat"
        return Reading(event, battery_pct=pct, extras=extras)
    kind = _THEENGS.get(said[keys[0]])
    buttons = [int(key[-1]) for key in keys if key[-1].isdigit()]
    more = known(
        press_type=kind,
        doubtful=None if kind else True,
        buttons=buttons or None,
        button=buttons[0] if len(buttons) == 1 else None,
    )
    return Reading("press", True, battery_pct=pct, extras=extras | more)
