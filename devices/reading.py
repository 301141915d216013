"""What a device said, in one vocabulary, whatever its maker calls it.

A codec is handed a :class:`Heard` (one message as it came off the wire) and gives back a
:class:`Reading`. Both are plain frozen data. A codec keeps nothing between two messages: pairing a
release with its press, bursts, repeats and replays are the gateway's rules, not the codec's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Events that mean "somebody touched the device to be heard".
PRESS_EVENTS = frozenset({"press", "sos", "man_down"})


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it came off the wire, before anybody has understood it.

    ``topic`` is the MQTT topic, or ``""`` where the message did not come over MQTT.
    ``payload`` is the bytes exactly as received; for ``transport == "raw_lorawan"`` they are the
    device's own bytes (already out of hexadecimal or base64).
    ``transport`` is a family's name (a module of :mod:`devices.codecs`) or ``""`` when the family is
    to be found from the topic. ``vendor``, ``model`` and ``cls`` are what the hall knows of the device,
    ``""`` where it knows nothing. ``fport`` is the LoRaWAN port.
    """

    topic: str
    payload: bytes
    retained: bool = False
    transport: str = ""
    vendor: str = ""
    model: str = ""
    cls: str = ""
    fport: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One message, understood.

    ``event`` is a word of the vocabulary in docs/protocol.md ("press", "sos", "release", "heartbeat",
    "status", "startup", "offline", "none", "undecodable" …).
    ``alarm`` is the field that must never be wrong: True, somebody asks for help; False, nobody does;
    None, a matter of the hall's policy.
    ``occupied`` is a bay's state: True taken, False free, None unknown or not a bay.
    ``battery_pct`` is 0-100 or None.
    ``device`` is the address the device is known by on its network (an IEEE address, a DevEUI, a topic's
    own name), ``""`` where the message does not tell.
    ``press_id`` tells one press from its copies where the device numbers them (``fCnt``, ``event_cnt``,
    ``boot``/``seq``), else ``""``.
    ``extras`` holds whatever else it said, each key named by its unit (``battery_v``, ``distance_mm``,
    ``press_type``, ``button`` …).
    """

    event: str
    alarm: bool | None = False
    occupied: bool | None = None
    battery_pct: float | None = None
    device: str = ""
    press_id: str = ""
    extras: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The vocabulary of ``linli decode``: one flat object, the four core keys always present."""
        return {
            "event": self.event,
            "alarm": self.alarm,
            "occupied": self.occupied,
            "battery_pct": self.battery_pct,
            **self.extras,
        }
