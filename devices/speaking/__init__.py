"""How a device is told "we have heard you" and "somebody is coming", and how it says that it shows it.

Belongs here: the makers' words for that, one file a family, found by its name (there is no list to edit).
Does not belong here: who is told what and when (``gateway/hall/answering.py``), clocks, sockets.
Begin reading at ``zigbee2mqtt.py``, then ``lorawan.py``.

A family's file has ``FAMILIES``, the families of device ids that it speaks for, ``MEANS`` (how such a device can be
told: the words that a claim may choose from), and four pure functions::

    means_of(model) -> str                                   by its model, "" where nobody has found out
    root(topic, address) -> str                              the beginning of the topics on which it listens
    say(speaker, word, token) -> Saying | None               None: it cannot show that
    reply(topic, payload) -> Reply | None                    what it says that it shows, or what became of a message

A device that nobody has found out how to tell is not told: the hall says "cannot" instead of pretending. Most LoRaWAN
buttons are class A: they listen for two seconds after they have spoken, and to a message sent later only with their
next word, hours later. A lamp that says then "somebody is coming" would lie.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from devices.messages import Spoken, Word
from devices.speaking._shared import BROKEN, Reply, Saying, Speaker

__all__ = [
    "Reply",
    "Saying",
    "Speaker",
    "Spoken",
    "Word",
    "can",
    "is_ours",
    "means",
    "reply",
    "root_of",
    "say",
]

_families: dict[str, ModuleType] = {}

for _found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
    if not _found.name.startswith("_"):
        _module = importlib.import_module(f"{__name__}.{_found.name}")
        for _family in _module.FAMILIES:
            _families[_family] = _module

#: The longest beginning of a topic that is kept. MQTT allows 64 KiB; a hall's topics have some fifty signs.
LONGEST_ROOT = 200


def means(family: str) -> dict[str, tuple[str, str]]:
    """How a device of this family can be told: a word for the claim → what it means, in Chinese and English."""
    module = _families.get(family)
    return dict(module.MEANS) if module else {}


def root_of(family: str, topic: str, address: str) -> str:
    """The beginning of the topics on which this device listens, "" where nobody can speak to it."""
    module = _families.get(family)
    root: str = module.root(topic, address) if module else ""
    return root if root.isprintable() and len(root) <= LONGEST_ROOT and not _WILD & set(root) else ""


#: MQTT's wildcards: nobody may publish to such a topic.
_WILD = frozenset("+#\x00")


def say(speaker: Speaker, word: Word, token: str = "") -> Saying | None:
    """What is to be published so that this device shows this word. None: it cannot.

    >>> say(Speaker("zigbee2mqtt", "plug", via="zigbee2mqtt/plug", means="switch"), "coming").messages[0].payload
    '{"state":"ON"}'
    """
    module = _families.get(speaker.family)
    if module is None or not speaker.via or _WILD & set(speaker.part):
        return None
    chosen = speaker.means or module.means_of(speaker.model.lower())
    if chosen not in module.MEANS:
        return None
    saying: Saying | None = module.say(speaker, chosen, word, token)
    return saying


def can(speaker: Speaker, word: Word) -> bool:
    """Whether this device can show this word."""
    return say(speaker, word) is not None


def reply(family: str, topic: str, payload: bytes) -> Reply | None:
    """What a device says that it shows, or a network of a message to it. None: neither. Total: nothing raises."""
    module = _families.get(family)
    if module is None or len(payload) > _LONGEST_REPLY:
        return None
    try:
        found: Reply | None = module.reply(topic, payload)
    except BROKEN:
        return None  # the codec counts and names it
    return found


_LONGEST_REPLY = 16 * 1024

#: How the topics end, or begin, on which we speak to bought devices; we hear ourselves, and nobody is calling.
_OUR_ENDS = ("/command/down", "/down/push", "/set", "/rpc", "/command")


def is_ours(topic: str) -> bool:
    """Whether this is a topic on which devices are told, not one on which they speak."""
    if topic.endswith("/events/rpc"):
        return False
    return topic.startswith("cmnd/") or topic.endswith(_OUR_ENDS)
