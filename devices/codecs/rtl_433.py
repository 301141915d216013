"""rtl_433: a USB radio that understands hundreds of 433, 868 and 915 MHz devices, and their remotes and pendants.

Its MQTT output (rtl_433's "Operation" and "Integration" pages) puts each reception as one JSON object on
``rtl_433/<host>/events``, and each key of it as a plain value below ``rtl_433/<host>/devices/<model>/…``; only the
whole is read. OpenMQTTGateway with the same decoder inside says it on ``…/RTL_433toMQTT[/<model>/<id>]``::

    {"time": "2026-11-22 10:00:00", "model": "Generic-Remote", "id": 15203, "cmd": 62, "tristate": "X1X0…"}

``model``, ``channel`` and ``id`` name the device; each press is sent, and so received, many times.
What says of itself that it is an alarm of a person (``panic``) calls. A remote's key is a matter of the hall's policy:
any neighbour's gate opener is heard, too, and only the hall knows which codes are its buttons. What measures or
watches (weather, tyres, doors, motion, meters) is nobody's press.
"""

from __future__ import annotations

import re

from devices.codecs._shared import Json, celsius, flag, known, load_object, number, percent, text, whole
from devices.reading import Heard, Reading

TRANSPORT = "rtl_433"

#: What a call for help is named in ``event``, ``subtype``, ``cmd``, ``state``, ``button_str``, ``extradata`` …
_CALLS = re.compile(r"\b(?:panic|emergency|sos)\b", re.IGNORECASE)
_SAID_IN = (
    "event",
    "subtype",
    "cmd",
    "state",
    "button_str",
    "button_name",
    "extradata",
    "device_type",
    "type",
)
#: Keys of remotes: which command, which button.
_PRESSED_IN = (
    "cmd",
    "button",
    "buttons",
    "button_code",
    "button_id",
    "code",
    "command",
    "event",
    "state",
    "unit",
    "data",
)
#: Makers' names for what people press (rtl_433's list of devices).
_REMOTES = re.compile(
    r"remote|doorbell|bell\b|hcs|keyfob|key2|key-|switch|nexa|proove|kaku|chuango|ev1527|x10|quhwa|elro|byron|activlink|"
    r"cardin|secplus|nice|somfy|markisol|dooya|intertechno|flipper|button|quinetic|ge-|interlogix",
    re.IGNORECASE,
)
#: A car's key has a panic button, too, and its own horn answers.
_CARS = re.compile(r"car.?remote|siemens-5wy|alps-fwb|tpms", re.IGNORECASE)
_NEVER = re.compile(r"weather|meter|thermo", re.IGNORECASE)
#: Receptions that tell what a sensor sees.
_WATCHES = (
    "temperature_C",
    "temperature_F",
    "humidity",
    "motion",
    "opened",
    "contact_open",
    "reed_open",
    "water",
    "pressure_kPa",
)


def read(heard: Heard) -> Reading:
    if "/devices/" in heard.topic:
        return Reading("none")  # the same reception, key by key
    body = load_object(heard.payload)
    model = text(body.get("model"))
    if not model:
        raise ValueError("a reception without its model")
    device = _address(body, model)
    low = flag(body.get("battery_ok"))
    extras = known(
        model=model,
        battery_low=None if low is None else not low,
        temperature=celsius(body.get("temperature_C")),
        humidity=percent(body.get("humidity")),
        tamper=True if flag(body.get("tamper")) else None,
    )
    words = " ".join(text(body.get(key)) for key in _SAID_IN)
    if _CALLS.search(words) and not _CARS.search(model):
        return Reading("sos", True, device=device, extras=extras | _what(body))
    if any(key in body for key in _WATCHES):
        return Reading("status", device=device, extras=extras)
    if _REMOTES.search(model) and not _NEVER.search(model) and not _CARS.search(model):
        code = "-".join(str(part) for part in (_plain(body.get("id")), _plain(body.get("cmd"))) if part)
        return Reading("rf_code", None, device=device, extras=extras | known(code=code or None) | _what(body))
    return Reading("heartbeat" if low is not None else "none", device=device, extras=extras)


def _plain(value: object) -> str:
    return text(value) if isinstance(value, str) else str(value) if isinstance(number(value), int) else ""


def _address(body: Json, model: str) -> str:
    parts = (_plain(body.get(key)) for key in ("subtype", "channel", "id", "unit"))
    return "/".join([model, *(part for part in parts if part)])


def _what(body: Json) -> dict[str, object]:
    """Which key, in the words of its maker."""
    said = next((found for key in _PRESSED_IN if (found := _plain(body.get(key)))), "")
    return known(button=whole(body.get("button")), device_event=said or None)
