"""Bridges and radio gateways: what stands between devices and the hall, and how it says that it is there.

Pure, like the codecs. When such a path is down none of its devices is heard: one fault, not three hundred.

* zigbee2mqtt: ``<base>/bridge/state`` ``{"state":"online"}`` or plain ``online``; ``offline`` is its last will
  (zigbee2mqtt.io, "MQTT topics and messages"). Retained: what the broker remembers is true until it says otherwise.
* LoRaWAN gateways as ChirpStack's gateway bridge speaks of them: ``[<region>/]gateway/<id>/event/stats`` every 30 s by
  default (the payload may be protobuf; that it comes is what counts).
* Tasmota's Zigbee bridge is a Tasmota device of its own and tells by its last will; so do its devices' codecs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: A gateway that has sent no statistics for so long is down: four times its 30 s, and told before 180 s are over.
STATS_SILENT_MS = 120_000
#: Families of devices behind a LoRaWAN gateway. Any gateway that is up will do for all of them.
RADIO_FAMILIES = frozenset({"chirpstack_v4", "ttn_v3"})

_STATS = re.compile(r"(?:[^/]+/)?gateway/(?P<gateway>[0-9a-fA-F]{16})/event/(?:stats|up)\Z")
_STATE = re.compile(r"(?P<base>zigbee2mqtt[^/]*)/bridge/state\Z")


@dataclass(frozen=True, slots=True)
class PathTopic:
    """A topic that tells of a path. ``beats``: its coming is the word; otherwise the payload says it."""

    path_id: str
    beats: bool


def path_of(topic: str) -> PathTopic | None:
    """Which path this topic tells of."""
    if "gateway/" in topic and (match := _STATS.match(topic)):
        return PathTopic(f"lorawan:{match['gateway'].lower()}", True)
    if topic.startswith("zigbee2mqtt") and (match := _STATE.match(topic)):
        return PathTopic(match["base"], False)
    return None


def says_up(payload: bytes) -> bool | None:
    """What a bridge's state says; None: nothing that anybody understands."""
    said = payload[:200].lower()
    if b"offline" in said:
        return False
    return True if b"online" in said else None


def beats(path_id: str) -> bool:
    """Whether this path shows by its own pulse that it is there."""
    return path_id.startswith("lorawan:")


def behind(path_id: str, family: str, via: str) -> bool:
    """Whether a device of this family, spoken to by ``via``, stands behind this path."""
    if path_id.startswith("lorawan:"):
        return family in RADIO_FAMILIES
    return family == "zigbee2mqtt" and (via.partition("/")[0] or "zigbee2mqtt") == path_id
