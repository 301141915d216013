"""Our own protocol, ``linli/v1/…`` (docs/protocol.md): our firmware and the virtual devices speak it.

A press: ``linli/v1/button/<device>/press`` ::

    {"boot": "9f3a", "seq": 12, "press": "short", "button": 1, "battery_mv": 2950, "age_ms": 0}

``boot`` is new at every start of the device and ``seq`` counts within it: together they number the press,
and the device repeats it with the same numbers and a growing ``age_ms`` until the gateway says "written".
A bay: ``linli/v1/bay/<device>/state`` ``{"boot": …, "seq": …, "occupied": true, "battery_pct": 93}``.
``…/status`` is the heartbeat, and the last will ``offline``.
Other topics under ``linli/v1`` are orders of ours on their way out; hearing them means nothing.

A JSON object on a press topic that does not number the press is a doubtful press: it alarms and ``press_id`` is
empty. What is no JSON object at all is rubbish, and counted. So is a bay's word with a ``seq`` that cannot be one:
nobody knows whether it is the newest.
"""

from __future__ import annotations

from devices.codecs._shared import (
    Json,
    doubtful_press,
    known,
    load_object,
    number,
    offline,
    percent,
    plain,
    text,
    whole,
)
from devices.reading import Heard, Reading

TRANSPORT = "linli"

_PRESS_TYPES = frozenset({"short", "double", "long"})


def read(heard: Heard) -> Reading:
    parts = heard.topic.split("/")
    if len(parts) != 5:
        return Reading("none")
    _, _, kind, device, what = parts
    if kind == "button" and what == "press":
        return _press(device, load_object(heard.payload))
    if kind == "bay" and what == "state":
        return _bay(device, load_object(heard.payload))
    if kind in ("button", "bay") and what == "status":
        return _status(device, heard.payload)
    return Reading("none", device=device)


def _numbers(body: Json) -> tuple[str, dict[str, object]]:
    """What every message of ours may carry: its number, and how often the device promises to speak.

    :return: ``boot:seq``, or empty where either is missing: half a number would merge two presses into one; and all
        that is known of the three.
    """
    boot, seq = text(body.get("boot")), whole(body.get("seq"))
    press_id = f"{boot}:{seq}" if boot and seq is not None and seq >= 0 else ""
    return press_id, known(boot=boot or None, seq=seq, every_s=whole(body.get("every_s")))


def _press(device: str, body: Json) -> Reading:
    if not body.keys() & {"boot", "seq", "press"}:
        raise ValueError("nothing in it speaks of a press")
    press_id, extras = _numbers(body)
    kind = text(body.get("press"))
    if not press_id and kind not in _PRESS_TYPES:
        return doubtful_press(device, "neither numbered nor named as a press")
    extras |= known(
        press_type=kind or None,
        button=whole(body.get("button")),
        battery_mv=number(body.get("battery_mv")),
        age_ms=whole(body.get("age_ms")),
        doubtful=True if not press_id or kind not in _PRESS_TYPES else None,
    )
    return Reading(
        "press",
        alarm=True,
        battery_pct=percent(body.get("battery_pct")),
        device=device,
        press_id=press_id,
        extras=extras,
    )


def _bay(device: str, body: Json) -> Reading:
    occupied = body.get("occupied")
    if body.get("event") == "offline":
        return offline(device)
    event = "heartbeat" if body.get("event") == "heartbeat" else "status"
    press_id, extras = _numbers(body)
    if "seq" in body and (not press_id or type(body["seq"]) is not int):
        # A number that orders nothing would turn the bay at each replay.
        raise ValueError("seq is no whole number from 0 to 2147483647, or is without a boot")
    return Reading(
        event,
        occupied=occupied if isinstance(occupied, bool) else None,
        battery_pct=percent(body.get("battery_pct")),
        device=device,
        press_id=press_id,
        extras=extras,
    )


def _status(device: str, payload: bytes) -> Reading:
    if plain(payload).lower() == "offline":
        return offline(device)
    if plain(payload).lower() == "online":
        return Reading("heartbeat", device=device)
    body = load_object(payload)
    if body.get("state") == "offline":
        return offline(device)
    _, extras = _numbers(body)
    extras |= known(
        uptime_s=number(body.get("uptime_s")),
        firmware=text(body.get("firmware")) or None,
        battery_mv=number(body.get("battery_mv")),
        fault=text(body.get("fault")) or None,
    )
    return Reading("heartbeat", battery_pct=percent(body.get("battery_pct")), device=device, extras=extras)
