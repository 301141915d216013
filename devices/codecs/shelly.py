"""Shelly Wi-Fi buttons and relays, both generations.

First generation: ``shellies/<id>/input_event/<n>`` ``{"event": "S", "event_cnt": 12}`` with S short, L long,
SS double, SSS triple, SL/LS mixed, ``""`` nothing; ``event_cnt`` counts presses, so the same count twice is
one press (Shelly API reference, gen 1, MQTT).
Second generation and later: ``<id>/events/rpc``, JSON-RPC ``NotifyEvent`` with ``single_push``,
``double_push``, ``triple_push``, ``long_push``; ``btn_down`` and ``btn_up`` come about half a second before
and are not presses of their own (Shelly API reference, gen 2, Input). ``id`` counts from 0 and is kept so.
BLU buttons speak Bluetooth and are heard by a Shelly nearby: ``bthomedevice:200`` with the same words, or, from its
script, an event ``shelly-blu`` whose ``data`` has ``address`` and ``button``: 1 single, 2 double, 3 triple, 4 or 254
long.
"""

from __future__ import annotations

from devices.codecs._shared import (
    Json,
    child,
    doubtful_press,
    flag,
    is_object,
    known,
    load,
    load_object,
    number,
    offline,
    percent,
    plain,
    text,
    whole,
)
from devices.reading import Heard, Reading

TRANSPORT = "shelly"

_GEN1 = {
    "S": "short",
    "L": "long",
    "SS": "double",
    "SSS": "triple",
    "SL": "short_long",
    "LS": "long_short",
}


def read(heard: Heard) -> Reading:
    parts = heard.topic.split("/")
    if parts[0] == "shellies":
        return _gen1(parts[1] if len(parts) > 1 else "", parts[2:], heard.payload)
    device = parts[0]
    if parts[-1] == "online":
        return offline(device) if flag(plain(heard.payload)) is False else Reading("online", device=device)
    body = load_object(heard.payload)
    device = text(body.get("src")) or device
    if body.get("method") == "NotifyEvent":
        return _events(child(body, "params"), device)
    return _status(child(body, "params") or body, device, parts[-1])


def _gen1(device: str, rest: list[str], payload: bytes) -> Reading:
    what = rest[0] if rest else ""
    if what == "input_event":
        body = load_object(payload)
        count = whole(body.get("event_cnt"))
        word = body.get("event")
        if word == "":
            return Reading("none", device=device)
        if word is None and count is not None:
            return doubtful_press(device, "an input event without its word")
        if not isinstance(word, str):
            raise ValueError("an input event without a word or a count")
        which = text(rest[1]) if len(rest) > 1 else ""
        extras = known(
            press_type=_GEN1.get(word, text(word).lower()),
            counter=count,
            input=whole(which),
            doubtful=None if word in _GEN1 else True,
        )
        return Reading(
            "press",
            True,
            device=device,
            press_id="" if count is None else f"cnt:{which}:{count}",
            extras=extras,
        )
    if what == "online" and flag(plain(payload)) is False:
        return offline(device)
    if rest[:2] == ["sensor", "battery"]:
        return Reading("heartbeat", battery_pct=percent(load(payload)), device=device)
    if what == "info":  # everything at once, its last press among it: that was told when it happened
        bat = child(load_object(payload), "bat")
        volts = known(battery_v=number(bat.get("voltage")))
        return Reading(
            "heartbeat" if bat else "none", battery_pct=percent(bat.get("value")), device=device, extras=volts
        )
    if what == "announce" or device == "announce":
        said = load_object(payload)
        return Reading("lifecycle", device=text(said.get("id")) or device)
    if what in ("input", "relay") and len(rest) == 2:
        return Reading("state", device=device, extras={"state": text(plain(payload))})
    return Reading("online" if what == "online" else "none", device=device)


def _events(params: Json, device: str) -> Reading:
    """One notification may list several events; a press among them is the one that counts."""
    listed = params.get("events")
    best = Reading("none", device=device)
    for event in listed if isinstance(listed, list) else []:
        if not is_object(event):
            continue
        word = text(event.get("event"))
        component = text(event.get("component"))
        stamp = number(event.get("ts", params.get("ts")))
        extras = known(button=whole(event.get("id")), device_time=stamp)
        if word == "shelly-blu":
            reading = _blu(child(event, "data"), device)
            if reading.alarm:
                return reading
            best = reading
        if word.endswith(("_push", "_press")):
            kind = word.removesuffix("_push").removesuffix("_press")
            if component.startswith(
                ("bthomedevice", "blutrv")
            ):  # somebody else's voice: the gateway only lends it
                device = f"{device}/{component}"
            press_id = "" if stamp is None else f"ts:{stamp}:{component}"
            return Reading(
                "press", True, device=device, press_id=press_id, extras=extras | {"press_type": kind}
            )
        if word == "btn_up" and component.startswith("input"):
            best = Reading("release", device=device, extras=extras)
    return best


_BLU_KINDS = {1: "single", 2: "double", 3: "triple", 4: "long", 0x80: "hold", 254: "long"}


def _blu(data: Json, bridge: str) -> Reading:
    device = text(data.get("address")).lower() or bridge
    pct = percent(data.get("battery"))
    said = data.get("button")
    codes = [whole(code) or 0 for code in (said if isinstance(said, list) else [said])]
    pressed = [at + 1 for at, code in enumerate(codes) if code]
    if not pressed:
        return Reading("heartbeat" if pct is not None else "none", battery_pct=pct, device=device)
    kind = _BLU_KINDS.get(codes[pressed[0] - 1])
    extras = known(
        press_type=kind,
        button=pressed[0] if len(codes) > 1 else None,
        doubtful=None if kind else True,
    )
    return Reading("press", True, battery_pct=pct, device=device, extras=extras)


def _status(params: Json, device: str, component: str = "") -> Reading:
    """Where things stand: a battery's charge, an input that is a switch. Nobody presses by standing."""
    battery = child(child(params, "devicepower:0"), "battery")
    if battery:
        return Reading(
            "heartbeat",
            battery_pct=percent(battery.get("percent")),
            device=device,
            extras=known(battery_v=number(battery.get("V"))),
        )
    inputs = [params] if component.startswith("input:") else []
    inputs += [child(params, key) for key in params if key.startswith("input:")]
    for stands in inputs:
        state = flag(stands.get("state"))
        if state is not None:
            extras = known(state="ON" if state else "OFF", button=whole(stands.get("id")))
            return Reading("state", device=device, extras=extras)
    return Reading("none", device=device)
