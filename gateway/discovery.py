"""Devices that introduce themselves: Home Assistant's MQTT discovery, kept as long as we run.

The introductions are retained: the broker tells them anew at each connection, so nothing of this is written down. What
is read by them are topics that no codec owns; where one does, it knows more. How a message is understood is
``devices/codecs/_discovery.py``'s business.
"""

from __future__ import annotations

from dataclasses import replace

from devices.codecs import decode_by, discover
from devices.codecs._discovery import Entity
from devices.reading import Heard, Reading

#: The family of what is read by an introduction; the device's id begins with it.
FAMILY = "homeassistant"
#: A house has some hundreds of entities; a broken bridge that introduces without end makes us deaf to more, never grow.
MOST_ENTITIES = 4000
_PREFIX = "homeassistant/"
_TAIL = "/config"


def is_introduction(topic: str) -> bool:
    """Whether a device speaks of itself there."""
    return topic.startswith(_PREFIX) and topic.endswith(_TAIL)


class Introductions:
    """Who has introduced himself, and on which topics he speaks."""

    def __init__(self) -> None:
        #: discovery topic → what was said there last
        self._said: dict[str, tuple[Entity, ...]] = {}
        #: topic → the entities that speak there
        self._speaking: dict[str, tuple[Entity, ...]] = {}
        self._count = 0

    def __len__(self) -> int:
        """Entities that are known."""
        return self._count

    def hear(self, topic: str, payload: bytes) -> set[str]:
        """An introduction; an empty one takes it back. Returns the topics of which something else is known now."""
        old = self._said.pop(topic, ())
        self._count -= len(old)
        new = discover(topic, payload)
        if self._count + len(new) > MOST_ENTITIES:
            new = ()
        if new:
            self._said[topic] = new
        self._count += len(new)
        changed = {name for entity in (*old, *new) for name in entity.topics}
        for name in changed:
            kept = tuple(one for one in self._speaking.get(name, ()) if one.discovered_on != topic)
            kept += tuple(one for one in new if name in one.topics)
            if kept:
                self._speaking[name] = kept
            else:
                self._speaking.pop(name, None)
        return changed

    def knows(self, topic: str) -> bool:
        return topic in self._speaking

    def read(self, heard: Heard) -> Reading:
        """What was said, by everybody who speaks on this topic: who asks for help goes first, a battery goes along."""
        readings = [decode_by(entity, heard) for entity in self._speaking.get(heard.topic, ())]
        if not readings:
            return Reading("none")
        best = min(readings, key=_rank)
        battery = next((one.battery_pct for one in readings if one.battery_pct is not None), None)
        return best if battery is None else replace(best, battery_pct=battery)


def _rank(reading: Reading) -> int:
    if reading.alarm:
        return 0
    if reading.alarm is None:
        return 1
    return 3 if reading.event == "none" else 2
