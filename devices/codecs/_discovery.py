"""Home Assistant's MQTT discovery: a device says itself on which topics it speaks, and what its words mean.

Documented at home-assistant.io ("MQTT", "MQTT Discovery"). A retained message on
``homeassistant/<component>/[<node>/]<object>/config`` (or, newer, one for a whole device on
``homeassistant/device/<object>/config``) names a state topic, a template that finds the value, and which value means
"on"; keys may be abbreviated (``stat_t``), and ``~`` stands for the base topic::

    {"name": "Bell", "dev_cla": "occupancy", "stat_t": "~/state", "~": "hall/bell", "pl_on": "1",
     "dev": {"ids": ["0x1234"], "mdl": "PB-1", "mf": "Acme"}}

Codecs keep nothing, so this is two pure functions: :func:`parse` makes small records of such a message, and
:func:`read` reads a later message by one of them. Whoever calls keeps the records: by the discovery topic, where a new
message replaces what was there and an empty one forgets it.

Templates are a language; only the plain ones are read: ``{{ value_json.a.b }}``, ``{{ value_json['a'] }}``,
``{{ value }}``, with harmless filters. An entity with another template is left out: better unheard than misheard, and
nearly all of them also speak to one of our codecs.

What may be a hand and what watches a room: a trigger of the kind ``button_short_press`` and an event entity are
presses. A binary sensor is one where it is named like one; else it is a state that rings only where the hall has
claimed its device as a call button.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from devices.codecs._shared import (
    BROKEN,
    Json,
    is_object,
    known,
    load,
    number,
    offline,
    percent,
    text,
)
from devices.reading import Heard, Reading

_ABBREVIATIONS = {
    "avty": "availability",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "atype": "automation_type",
    "cmps": "components",
    "cns": "connections",
    "dev": "device",
    "dev_cla": "device_class",
    "evt_typ": "event_types",
    "ids": "identifiers",
    "mdl": "model",
    "mf": "manufacturer",
    "p": "platform",
    "pl": "payload",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_t": "state_topic",
    "stype": "subtype",
    "t": "topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
_COMPONENTS = frozenset({"binary_sensor", "event", "device_automation", "sensor"})
_TOPIC = re.compile(r"/(?P<component>[a-z_]+)/(?:[^/]+/)?[^/]+/config\Z")
_TEMPLATE = re.compile(
    r"\s*\{\{-?\s*(?P<value>value(?:_json(?:\.\w+|\[\s*['\"][^'\"\]]+['\"]\s*\])*)?)"
    r"(?:\s*\|\s*(?:int|float|string|lower|upper|trim|is_defined|round|default|bool)(?:\([^(){}]*\))?)*\s*-?\}\}\s*\Z"
)
_STEP = re.compile(r"\.(\w+)|\[\s*['\"]([^'\"\]]+)['\"]\s*\]")
_TRIGGER = re.compile(r"(?:button_)?(short|long|double|triple|quadruple|quintuple)_(press|release)\Z")
_A_HAND = re.compile(
    r"button|press|push|\bsos\b|\bcall\b|emergenc|panic|bell\b|\bhelp\b|pull|按钮|按键|呼叫|求助|报警|拉绳",
    re.I,
)
_SOS = re.compile(r"\b(?:sos|emergency|panic|help)\b")
_PLACES = frozenset({"occupancy", "presence"})


@dataclass(frozen=True, slots=True)
class Availability:
    """Where a device, or its bridge, says whether it is there."""

    topic: str
    path: tuple[str, ...]
    gone: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing a device can say.

    ``discovered_on`` is the discovery topic: the record's name. ``device`` is the device's own identifier and stays
    the same for all its entities. ``path`` leads to the value inside the JSON (empty: the payload is the value).
    ``on`` and ``off`` are the values' words in lower case; for a trigger ``on`` is its payload (empty: any).
    """

    discovered_on: str
    component: str
    device: str
    state_topic: str
    path: tuple[str, ...] = ()
    on: str = "on"
    off: str = "off"
    device_class: str = ""
    unit: str = ""
    kind: str = ""
    subtype: str = ""
    name: str = ""
    device_name: str = ""
    model: str = ""
    manufacturer: str = ""
    availability: tuple[Availability, ...] = ()

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics a hall must hear to know of this entity."""
        return (self.state_topic, *(one.topic for one in self.availability))


# -- what a device says of itself ----------------------------------------------------------------------


def parse(topic: str, payload: bytes, prefix: str = "homeassistant") -> tuple[Entity, ...]:
    """The entities a discovery message names; none for one that is empty, of another component, or not understood."""
    match = _TOPIC.match(topic.removeprefix(prefix)) if topic.startswith(f"{prefix}/") else None
    if match is None or not payload.strip():
        return ()
    try:
        body = load(payload)
        if not is_object(body):
            return ()
        body = _long(body)
        if match["component"] != "device":
            found = _entity(topic, match["component"], body, body)
            return (found,) if found else ()
        parts = body.get("components")
        entities = [
            _entity(topic, text(part.get("platform")), part, body)
            for part in (map(_long, filter(is_object, parts.values())) if is_object(parts) else ())
        ]
        return tuple(entity for entity in entities if entity)
    except BROKEN:
        return ()


def _long(body: Json) -> dict[str, object]:
    """The keys written out, and the base topic put in for ``~``."""
    found = {_ABBREVIATIONS.get(key, key): value for key, value in body.items()}
    base = found.pop("~", None)
    if isinstance(base, str):
        for key, value in found.items():
            if key.endswith("topic") and isinstance(value, str):
                found[key] = base + value[1:] if value.startswith("~") else value
                found[key] = value[:-1] + base if value.endswith("~") else found[key]
    return found


def _entity(topic: str, component: str, part: Json, whole: Json) -> Entity | None:
    if component not in _COMPONENTS:
        return None
    about = whole.get("device")
    about = _long(about) if is_object(about) else {}
    state_topic = _topic(part.get("topic" if component == "device_automation" else "state_topic"))
    state_topic = state_topic or _topic(whole.get("state_topic"))
    path = _path(part.get("value_template"))
    if not state_topic or path is None:
        return None
    device = _identity(about) or text(part.get("unique_id")) or state_topic
    device_class = text(part.get("device_class")).lower()
    if component == "sensor" and device_class not in ("battery", "voltage"):
        return None
    on = "" if component == "device_automation" else "on"
    return Entity(
        discovered_on=topic,
        component=component,
        device=device,
        state_topic=state_topic,
        path=path,
        on=_word(part.get("payload" if component == "device_automation" else "payload_on", on)),
        off=_word(part.get("payload_off", "off")),
        device_class=device_class,
        unit=text(part.get("unit_of_measurement")),
        kind=text(part.get("type")).lower(),
        subtype=text(part.get("subtype")).lower(),
        name=text(part.get("name")) or text(part.get("unique_id")),
        device_name=text(about.get("name")),
        model=text(about.get("model")),
        manufacturer=text(about.get("manufacturer")),
        availability=_availability(part) or _availability(whole),
    )


def _identity(about: Json) -> str:
    """The first identifier, or the first connection's address (``[["mac", "02:5b:…"]]``)."""
    found = about.get("identifiers")
    if isinstance(found, list):
        found = next((one for one in found if isinstance(one, str) and one), "")
    if not found:
        listed = about.get("connections")
        pair = listed[0] if isinstance(listed, list) and listed else None
        found = pair[1] if isinstance(pair, list) and len(pair) == 2 else ""
    return text(found)


def _topic(value: object) -> str:
    """A topic one can subscribe to and nothing more: no wildcards, no control characters."""
    good = (
        isinstance(value, str)
        and 0 < len(value) <= 200
        and value.isprintable()
        and not set("+#") & set(value)
    )
    return str(value) if good else ""


def _path(template: object) -> tuple[str, ...] | None:
    """``{{ value_json.a['b'] }}`` → ``("a", "b")``; no template → (); None: a template we do not read."""
    if template is None or template == "":
        return ()
    match = _TEMPLATE.match(template) if isinstance(template, str) and len(template) <= 200 else None
    if match is None:
        return None
    return tuple(first or second for first, second in _STEP.findall(match["value"]))


def _availability(part: Json) -> tuple[Availability, ...]:
    listed = part.get("availability")
    ways = [_long(one) for one in listed if is_object(one)] if isinstance(listed, list) else []
    if not ways and "availability_topic" in part:
        ways = [
            {**part, "topic": part["availability_topic"], "value_template": part.get("availability_template")}
        ]
    found = []
    for one in ways[:4]:
        topic, path = _topic(one.get("topic")), _path(one.get("value_template"))
        if topic and path is not None:
            found.append(Availability(topic, path, _word(one.get("payload_not_available", "offline"))))
    return tuple(found)


# -- what it says later ----------------------------------------------------------------------------------


def read(entity: Entity, heard: Heard) -> Reading | None:
    """The message, by this record; None where the topic is none of the entity's."""
    for way in entity.availability:
        if heard.topic == way.topic != entity.state_topic:
            gone = _word(_value(heard.payload, way.path)) == way.gone
            return offline(entity.device) if gone else Reading("online", device=entity.device)
    if heard.topic != entity.state_topic:
        return None
    value = _value(heard.payload, entity.path)
    if value is None:
        return Reading("none", device=entity.device)
    extras = known(model=entity.model or None, input=entity.name or None)
    if entity.component == "sensor":
        return _battery(entity, value, extras)
    if entity.component == "binary_sensor":
        return _binary(entity, _word(value), extras)
    if entity.component == "event":
        said = _value(heard.payload, ("event_type",)) if not entity.path else value
        return _press(entity, _word(said), extras)
    if entity.on and _word(value) != entity.on:
        return Reading("none", device=entity.device, extras=extras)
    return _trigger(entity, extras)


def _value(payload: bytes, path: tuple[str, ...]) -> object:
    """What stands at the end of the path, or None; without a path the payload itself as text."""
    if not path:
        return payload.decode("utf-8").strip()
    found = load(payload)
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return (
        text(value if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else "")
        .strip()
        .lower()
    )


def _battery(entity: Entity, value: object, extras: dict[str, object]) -> Reading:
    found = number(value)
    if entity.device_class == "battery":
        return Reading("heartbeat", battery_pct=percent(value), device=entity.device, extras=extras)
    if found is not None and entity.unit == "mV":
        found = found / 1000
    # Mains, too, is a voltage: no battery of a button has ten volts.
    volts = found if found is not None and 0 < found < 10 else None
    return Reading("heartbeat", device=entity.device, extras=extras | known(battery_v=volts))


def _binary(entity: Entity, word: str, extras: dict[str, object]) -> Reading:
    on = True if word == entity.on else False if word == entity.off else None
    kind, device = entity.device_class, entity.device
    if on is None:
        return Reading("none", device=device, extras=extras)
    if kind == "battery":
        return Reading("heartbeat", device=device, extras=extras | {"battery_low": on})
    if kind == "connectivity":
        return Reading("online", device=device, extras=extras) if on else offline(device)
    if kind == "tamper":
        return Reading("tamper" if on else "state", device=device, extras=extras | {"tamper": on})
    if kind == "problem":
        return Reading(
            "fault" if on else "state", device=device, extras=extras | known(fault=True if on else None)
        )
    if kind in _PLACES:
        return Reading("status", occupied=on, device=device, extras=extras)
    extras = extras | {"state": "ON" if on else "OFF"}
    if kind in ("", "safety") and _A_HAND.search(f"{entity.name} {entity.discovered_on}"):
        return Reading("press" if on else "release", on, device=device, extras=extras)
    # A door may be a pull cord, and "safety" says "unsafe": the hall's claim decides.
    return Reading("state", None if on else False, device=device, extras=extras)


def _press(entity: Entity, word: str, extras: dict[str, object]) -> Reading:
    if not word or word in ("none", "null", "unknown") or entity.device_class == "motion":
        return Reading("none", device=entity.device, extras=extras)
    extras = extras | {"press_type": word}
    if "release" in word:
        return Reading("release", device=entity.device, extras=extras)
    called = bool(_SOS.search(word.replace("_", " ")))
    return Reading("sos" if called else "press", True, device=entity.device, extras=extras)


def _trigger(entity: Entity, extras: dict[str, object]) -> Reading:
    """``type: button_short_press, subtype: button_1``; zigbee bridges say ``type: action, subtype: single``."""
    which = re.search(r"\d{1,2}", entity.subtype)
    extras = extras | known(button=int(which[0]) if which else None)
    match = _TRIGGER.match(entity.kind)
    if match is None:
        return _press(entity, entity.subtype or entity.kind or "trigger", extras)
    extras = extras | {"press_type": match[1]}
    pressed = match[2] == "press"
    return Reading("press" if pressed else "release", pressed, device=entity.device, extras=extras)
