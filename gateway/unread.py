"""Devices that speak and say nothing that we can read: who, in the log and the counts; a claimed one is a fault.

Theory of operation. A codec marks what it could not read with the extra ``unread``: what stands there, for whoever
teaches Linli the model. One word of that kind is nothing (a device may answer a command in bytes of its own), but a
claimed device of which `UNREAD_FAULT` words in a row cannot be read is of no use: its bay stays unknown, its button may
call in vain. It is a fault on the console until something of it is read; an unclaimed one can be seen and claimed. A
word of which a part was read (a TLV channel that nobody has described ends it) is taken in as what was read.
"""

from __future__ import annotations

import json
from dataclasses import replace

from devices.reading import Reading
from gateway.hall.state import Device
from gateway.hall.supervision import FAULT_WORDS
from gateway.log import say_once
from gateway.presence import Presence
from gateway.translate import clean

#: What a codec says that found nothing to read.
NOTHING_READ = frozenset({"none", "heartbeat_or_unknown"})
#: So many in a row (our choice): a device's answers to one evening's settings come in ones and twos.
UNREAD_FAULT = 3


def unread(reading: Reading, presence: Presence, device_id: str, device: Device | None) -> Reading:
    """The reading of such a word as the hall takes it in: a sign of life, and a fault where it is time for one."""
    what = clean(str(reading.extras["unread"]))[:160]
    say_once(
        f"unread:{device_id}",
        "unread",
        f"{device_id} says what no codec reads ({what}). Name its model where it is claimed; for a model that "
        "Linli does not know see 'Adding something' in README.md, and try it with linli decode",
        device=device_id,
    )
    if reading.event not in NOTHING_READ:
        return reading
    presence.unread += 1
    extras = dict(reading.extras)
    named = device is not None and device.kind not in ("unclaimed", "ignored")
    told = device is not None and device.why_en == FAULT_WORDS["unread"][1]
    if named and (told or presence.unread >= UNREAD_FAULT):
        extras["fault"] = "unread"
    return replace(reading, event="heartbeat_or_unknown", extras=extras)


def keys_of(payload: bytes) -> str:
    """What a stranger's words are about, for whoever looks for him: the keys of a JSON object, and never the values."""
    try:
        said = json.loads(payload[:4096])
    except (ValueError, RecursionError):
        return ""
    return f"; it says {', '.join(map(clean, list(said)[:12]))[:120]}" if isinstance(said, dict) else ""
