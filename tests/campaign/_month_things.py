"""The things of the hall that lives a month: 300 buttons of three families and 40 movement sensors, as bytes.

Each says its words at its maker's real interval (``Thing.every_ms``); what it says when it is pressed comes as the
family brings it: our own with a number and a copy, zigbee2mqtt on two topics and with an empty word after it, a LoRaWAN
frame through two gateways.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass

from tests.campaign._held import Message

MIN_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 24 * 3_600_000
#: Intervals: our own button on mains a minute, on a battery four hours (devices/reference_button/settings.py); Aqara's
#: and IKEA's some 50 min; Milesight's WS101 18 h (its user guide).
OWN_MAINS_MS, OWN_BATTERY_MS, ZIGBEE_MS, WS101_MS = MIN_MS, 4 * HOUR_MS, 55 * MIN_MS, 18 * HOUR_MS
#: After so long a silence is a fault (docs/protocol.md: three of its own intervals; zigbee2mqtt 25 h; Milesight 37 h).
SILENT_MS = {"own": 3, "zigbee": 25 * HOUR_MS, "lora": 37 * HOUR_MS}
#: kind of call → how many buttons of (own, zigbee, lora) call it.
BUTTONS = {
    "emergency": (25, 130, 75),
    "meal": (20, 10, 0),
    "help": (0, 10, 10),
    "repair": (2, 5, 3),
    "company": (3, 5, 2),
}
#: Of our own buttons every twelfth hangs on mains.
MAINS = 12


@dataclass(slots=True)
class Thing:
    """One device. ``id``: as the hall calls it; ``person_id``: in whose home. Times in UTC ms."""

    id: str
    family: str
    name: str
    kind: str
    person_id: str
    every_ms: int
    phase_ms: int
    battery: int = 97
    seq: int = 0
    said_ms: int = 0
    silent_until_ms: int = 0

    @property
    def deadline_ms(self) -> int:
        """How long it may say nothing."""
        return 3 * self.every_ms if self.family == "own" else SILENT_MS[self.family]

    def beat(self) -> Message:
        """Its word of life."""
        match self.family:
            case "own":
                words = {"boot": "m0", "every_s": self.every_ms // 1000, "battery_pct": self.battery}
                return _json(f"linli/v1/button/{self.name}/status", words)
            case "zigbee":
                return _json(
                    f"zigbee2mqtt/{self.name}", {"battery": self.battery, "voltage": 3000, "linkquality": 76}
                )
            case _:
                self.seq += 1
                return self._uplink(bytes((0x01, 0x75, self.battery)))

    def press(self, how: str = "short") -> Iterator[Message]:
        """One press, as it comes. ``how``: short, long."""
        self.seq += 1
        match self.family:
            case "own":
                words = {"boot": "m0", "seq": self.seq, "press": how, "battery_pct": self.battery}
                yield _json(f"linli/v1/button/{self.name}/press", words)
                yield _json(f"linli/v1/button/{self.name}/press", {**words, "age_ms": 1000})
            case "zigbee":
                action = "hold" if how == "long" else "single"
                words = {"battery": self.battery, "voltage": 3000, "linkquality": 76}
                yield _json(f"zigbee2mqtt/{self.name}", {"action": action, **words})
                yield Message(f"zigbee2mqtt/{self.name}/action", action.encode())
                yield _json(f"zigbee2mqtt/{self.name}", {"action": "", **words})
            case _:
                frame = bytes((0xFF, 0x2E, 2 if how == "long" else 1))
                yield self._uplink(frame)
                yield self._uplink(frame)

    def moved(self) -> Message:
        """A movement sensor has seen somebody."""
        return _json(
            f"zigbee2mqtt/{self.name}", {"occupancy": True, "battery": self.battery, "linkquality": 90}
        )

    def still(self) -> Message:
        """A movement sensor sees nobody any more; also its word of life."""
        return _json(
            f"zigbee2mqtt/{self.name}", {"occupancy": False, "battery": self.battery, "linkquality": 90}
        )

    def _uplink(self, frame: bytes) -> Message:
        info = {"devEui": self.name, "deviceName": f"knopf {self.name[-4:]}", "deviceProfileName": "WS101"}
        body = {
            "deduplicationId": f"{self.name}-{self.seq}",
            "deviceInfo": info,
            "fCnt": self.seq,
            "fPort": 85,
            "data": base64.b64encode(frame).decode(),
        }
        return _json(f"application/1/device/{self.name}/event/up", body)


def _json(topic: str, words: dict[str, object]) -> Message:
    return Message(topic, json.dumps(words).encode())


def buttons() -> list[Thing]:
    """The 300 buttons. A person has one for help in need, and some a second one for the rest."""
    made: list[Thing] = []
    for kind, numbers in BUTTONS.items():
        place = 0
        for family, number in zip(("own", "zigbee", "lora"), numbers, strict=True):
            for _ in range(number):
                made.append(_button(len(made), family, kind, f"p-{place:03}"))
                place += 1
    return made


def sensors(number: int) -> list[Thing]:
    """Movement sensors, in the homes of the first so many people."""
    return [
        Thing(
            f"zigbee2mqtt:pir-{place:03}",
            "zigbee",
            f"pir-{place:03}",
            "motion",
            f"p-{place:03}",
            ZIGBEE_MS,
            place * 71_000 % ZIGBEE_MS,
        )
        for place in range(number)
    ]


def _button(number: int, family: str, kind: str, person_id: str) -> Thing:
    phase = number * 7919 * 1000
    if family == "own":
        name = f"btn-{number:03}"
        every_ms = OWN_MAINS_MS if number % MAINS == 0 else OWN_BATTERY_MS
        return Thing(name, family, name, kind, person_id, every_ms, phase % every_ms)
    if family == "zigbee":
        name = f"z-{number:03}"
        return Thing(f"zigbee2mqtt:{name}", family, name, kind, person_id, ZIGBEE_MS, phase % ZIGBEE_MS)
    name = f"24e124535d{number:06x}"
    return Thing(f"chirpstack_v4:{name}", family, name, kind, person_id, WS101_MS, phase % WS101_MS)
