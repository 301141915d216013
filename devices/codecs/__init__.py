"""What each device says, in one vocabulary: one file per family, found by its name.

Belongs here: the layout of a maker's messages, and nothing else. A codec is handed one
:class:`~devices.reading.Heard` and answers with one :class:`~devices.reading.Reading`; it keeps nothing
between two messages. Pairing a release with its press, bursts, repeats and replays are the gateway's rules.
Does not belong here: clocks, sockets, files, logs.
A new family is one new file; there is no list to edit. A file with ``TRANSPORT`` reads an *envelope* (how
the message came: zigbee2mqtt, ChirpStack …); a file with ``MODELS`` reads a LoRaWAN device's own bytes.
Begin reading at ``linli.py`` (our own protocol), then ``zigbee2mqtt.py``, then ``netvox.py``.

The promise of :func:`decode`: **no message whatever raises.** What cannot be understood is
``undecodable`` and alarms nobody: no device in order sends rubbish, and whoever does must not be able to wake the
hall. What *can* be read and may be a press is a doubtful press, and alarms.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Callable

from devices.codecs import _discovery, _lorawan, chirpstack_v4
from devices.codecs._discovery import Entity
from devices.codecs._shared import BROKEN, LOW_BATTERY_PCT, PARKING_CLASSES, undecodable
from devices.reading import PRESS_EVENTS, Heard, Reading

__all__ = ["Entity", "decode", "decode_by", "discover", "families", "family_by_words", "family_of"]

_envelopes: dict[str, Callable[[Heard], Reading]] = {}

for _found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
    if not _found.name.startswith("_"):
        _module = importlib.import_module(f"{__name__}.{_found.name}")
        if hasattr(_module, "TRANSPORT"):
            _envelopes[_module.TRANSPORT] = _module.read
        if hasattr(_module, "MODELS"):
            _lorawan.register(
                _found.name,
                _module.VENDORS,
                _module.MODELS,
                _module.read_frame,
                getattr(_module, "looks_like_ours", None),
            )


def families() -> frozenset[str]:
    """The names of all envelope families there are, as ``Heard.transport`` spells them."""
    return frozenset(_envelopes)


# -- which family owns a topic -----------------------------------------------------------------------
#
# Called for every message on the hot path: one partition and one look-up for nearly all of them, one
# precompiled pattern for the families whose topics begin with a name of the user's choosing.

_BY_FIRST = {
    "linli": re.compile(r"linli/v1/.+"),
    "application": re.compile(r"application/[^/]+/device/[^/]+/(?:event|command|state)/[^/]+\Z"),
    "v3": re.compile(r"v3/[^/]+/devices/[^/]+/.+"),
    "stat": re.compile(r"stat/.+/[^/]+\Z"),
    "tele": re.compile(r"tele/.+/[^/]+\Z"),
    "shellies": re.compile(r"shellies/.+"),
    "http": re.compile(r"http/[^/]+\Z"),
    "info": re.compile(r"info/(?:[^/]+/)?(?:alarm|heart|position|up|down)\Z"),
    "rtl_433": re.compile(r"rtl_433/(?:.+/)?(?:events|devices/.+)\Z"),
}
_OWNER = {
    "linli": "linli",
    "application": "chirpstack_v4",
    "v3": "ttn_v3",
    "stat": "tasmota",
    "tele": "tasmota",
    "shellies": "shelly",
    "info": "generic_json",
    "http": "http_push",
    "rtl_433": "rtl_433",
}
_BY_TAIL = re.compile(
    r"(?P<shelly>[^/]+(?:/[^/]+)*/events/rpc|shelly[^/]*/(?:online|status/[^/]+))\Z"
    r"|(?P<esphome>.+/(?:binary_sensor|sensor|text_sensor|event|switch|button)/[^/]+/state|(?!zigbee2mqtt).+/status)\Z"
    r"|(?P<generic_json>.+/(?:(?:433|SRFB|IR|Pilight)toMQTT(?:/[0-9A-Fa-f]+)?|LORAtoMQTT(?:/[^/]+)?|BTtoMQTT/[^/]+)"
    r"|v1/up/[^/]+)\Z"
    r"|(?P<rtl_433>.+/RTL_433toMQTT(?:/.+)?)\Z"
)


def family_of(topic: str) -> str | None:
    """The envelope family that owns this topic, or None: ``zigbee2mqtt/hall/door`` → ``zigbee2mqtt``."""
    first = topic.partition("/")[0]
    if first.startswith("zigbee2mqtt"):  # the base topic is configurable: zigbee2mqtt_p was seen
        return "zigbee2mqtt" if len(topic) > len(first) + 1 else None
    shape = _BY_FIRST.get(first)
    if shape is not None and shape.match(topic):
        return _OWNER[first]
    match = _BY_TAIL.match(topic)
    return match.lastgroup if match else None


def family_by_words(payload: bytes) -> str | None:
    """The family of a message on a topic that none owns, where its words give it away: topics of an owner's choice."""
    return chirpstack_v4.TRANSPORT if chirpstack_v4.looks_like_ours(payload) else None


# -- decode ------------------------------------------------------------------------------------------


def decode(heard: Heard) -> Reading:
    """One message, understood. Total: whatever the bytes, the topic or the port, it returns a Reading.

    >>> decode(Heard("zigbee2mqtt/door", b'{"action": "single", "battery": 80}')).event
    'press'
    """
    try:
        family = heard.transport if heard.transport in _envelopes else family_of(heard.topic)
        family = family or family_by_words(heard.payload)
        read = _envelopes.get(family) if family else None
        if read is None:
            return undecodable(f"no family owns the topic {heard.topic!r}")
        reading = read(heard)
    except BROKEN as problem:
        # The one place where foreign nonsense ends (see BROKEN for why these and no others).
        reading = undecodable(f"{type(problem).__name__}: {problem}")
    return _settle(heard, reading)


#: What a device says of itself in Home Assistant's way: topic and payload to records. Total, as :func:`decode` is.
discover = _discovery.parse


def decode_by(entity: Entity, heard: Heard) -> Reading:
    """One message of a device that has introduced itself by :func:`discover`. Total, as :func:`decode` is."""
    try:
        reading = _discovery.read(entity, heard)
        if reading is None:
            reading = undecodable(f"{heard.topic!r} is no topic of {entity.discovered_on!r}")
    except BROKEN as problem:
        reading = undecodable(f"{type(problem).__name__}: {problem}", device=entity.device)
    return _settle(heard, reading)


def _settle(heard: Heard, reading: Reading) -> Reading:
    """The rules that hold for every family, applied last so that no codec can forget them."""
    if heard.retained and (reading.alarm is not False or reading.event in PRESS_EVENTS):
        # The broker's memory of an old press, replayed at every reconnect: nobody is pressing now.
        event = "state" if reading.event in PRESS_EVENTS else reading.event
        reading = dataclasses.replace(reading, event=event, alarm=False)
    if reading.alarm is not False and heard.cls in PARKING_CLASSES:
        reading = dataclasses.replace(reading, alarm=False)
    pct = reading.battery_pct
    if pct is not None and pct <= LOW_BATTERY_PCT and reading.extras.get("battery_low") is not True:
        reading = dataclasses.replace(reading, extras={**reading.extras, "battery_low": True})
    return reading
