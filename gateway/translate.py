"""From a reading to facts. Pure: what a device said becomes what has happened in the hall.

Two rules live here because only the wire knows them: a *retained* message is a memory of the broker and never
a press; a device's name is its family and its address, so that two networks never share one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from devices import speaking
from devices.messages import BayHeard, CarsCounted, DeviceSeen, Pressed, Released, SiteHeard
from devices.reading import PRESS_EVENTS, Reading
from gateway.hall.rules import Fact

#: A message that nobody understands makes no fact: it is counted.
NOT_UNDERSTOOD = frozenset({"undecodable", "invalid"})
#: May be a call for help: only the hall knows, by having claimed the device as a call button.
IF_CLAIMED = PRESS_EVENTS | {"rf_code", "state", "alarm"}
#: Only a person does these (hall/stirring.py). What a sensor says when nobody moves any more is no sign, nor is a
#: tracker's position, a tamper switch (it may have fallen from the wall) or anything that is said by the clock.
STIRS = frozenset({"motion_start", "test"})
#: The device, or whoever speaks for it, says that it is no longer there.
GONE = frozenset({"offline", "device_off"})
#: Said twice in the same words, these are two pieces of news: a press, a release whose press may have been lost,
#: another car.
NEVER_PLAIN = IF_CLAIMED | GONE | {"release", "count", "site"}
#: A device's own clock is believed to be one if it says a time after this (2020-01-01 UTC), in seconds or milliseconds.
_A_CLOCK_S = 1_577_836_800
_LATE_AT_MOST_MS = 30 * 24 * 3600 * 1000


#: The longest address that means anything: an MQTT friendly name of a few words.
LONGEST_NAME = 150


def device_id_of(family: str, reading: Reading, topic: str) -> str:
    """Our own devices go by their plain name, bought ones by family and address.

    A message that does not name its device goes by its topic, and a name without end is cut and told apart by its
    sum: whoever asks for help must have a name that staff can read.
    """
    address = clean(reading.device) or clean(topic)
    if len(address) > LONGEST_NAME:
        address = f"{address[: LONGEST_NAME - 13]}~{hashlib.sha256(address.encode()).hexdigest()[:12]}"
    return address if family == "linli" else f"{family}:{address}"


def clean(text: str) -> str:
    """A device's words, fit for a notebook and a screen: no control characters, no broken Unicode."""
    if text.isprintable():
        return text  # nearly always; going through it sign by sign costs 2 us
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def facts_of(
    family: str, reading: Reading, topic: str, *, retained: bool, redelivered: bool, arrived_ms: int = 0
) -> tuple[Fact, ...]:
    """What happened, in the order it is to be decided: first that the device was seen, then what it said.

    ``arrived_ms``: by the hall's clock, for a press that tells its time rather than its age; 0 where nobody knows.
    """
    if reading.event in NOT_UNDERSTOOD or (
        not reading.device and not reading.alarm and reading.occupied is None
    ):
        return ()
    device_id = device_id_of(family, reading, topic)
    if reading.event == "none" and reading.battery_pct is None and not reading.alarm:
        return ()
    if retained:
        # The broker's memory of a device that has gone is worth knowing; nothing else that it remembers is news.
        if reading.event == "offline":
            return (DeviceSeen(device_id, family, offline=True),)
        return ()
    model = reading.extras.get("model")
    facts: list[Fact] = [
        DeviceSeen(
            device_id,
            family,
            clean(model)[:LONGEST_NAME] if isinstance(model, str) else "",
            reading.battery_pct,
            offline=reading.event in GONE,
            fault=_fault(reading),
            battery_low=reading.extras.get("battery_low") is True,
            battery_mv=None if reading.battery_pct is not None else _millivolts(reading),
            # our own names are their topics
            via="" if family == "linli" else speaking.root_of(family, topic, clean(reading.device)),
        )
    ]
    asks = reading.alarm or reading.event == "test"  # a test is a call of that kind (hall/upkeep.py)
    if asks or (reading.alarm is None and reading.event in IF_CLAIMED):
        facts.append(
            Pressed(
                device_id,
                press_id=clean(reading.press_id)[:LONGEST_NAME],
                button=_whole(reading, "button", 1),
                press_type=clean(str(reading.extras.get("press_type", "short")))[:20],
                age_ms=_age_ms(reading, arrived_ms),
                doubtful=bool(reading.extras.get("doubtful")) or reading.alarm is None,
                family=family,
                event=clean(reading.event)[:40],
                redelivered=redelivered,
                if_claimed=not reading.alarm,
            )
        )
    elif reading.event == "release":
        facts.append(
            Released(
                device_id,
                _whole(reading, "button", 1),
                clean(reading.press_id)[:LONGEST_NAME],
                _age_ms(reading, arrived_ms),
                family,
                redelivered,
                level=_is_level(topic, reading),
            )
        )
    extras = reading.extras
    if reading.event == "count":
        passes = _count(extras, "vehicle_count")
        passes = _count(extras, "count") if passes is None else passes
        facts.append(CarsCounted(device_id, _count(extras, "in"), _count(extras, "out"), passes))
    elif reading.event == "site":
        numbers = (_count(extras, name) for name in ("free", "taken", "capacity"))
        facts.append(SiteHeard(device_id, *numbers))
    if reading.occupied is not None or reading.event in ("status", "fault"):
        tag = extras.get("tag_id")
        facts.append(
            BayHeard(
                device_id,
                reading.occupied,
                reading.press_id,
                by_distance="distance_mm" in extras or "distance_cm" in extras or "distances_cm" in extras,
                tag=clean(tag)[:40] if isinstance(tag, str) else "",
            )
        )
    return tuple(facts)


def stirs(reading: Reading) -> bool:
    """Whether this message tells of a person by itself: somebody moved, somebody pressed "test"."""
    return reading.event in STIRS or reading.extras.get("stirred") is True


def door_of(reading: Reading) -> bool | None:
    """Open (True) or shut, where a door or a drawer speaks: a person has moved it when that differs from before."""
    door = reading.extras.get("open")
    return door if isinstance(door, bool) else None


def every_ms_of(reading: Reading) -> int | None:
    """How often the device promises to speak, where it says so (our own protocol's ``every_s``)."""
    seconds = reading.extras.get("every_s")
    if type(seconds) is int and 1 <= seconds <= 7 * 24 * 3600:
        return seconds * 1000
    return None


def _is_level(topic: str, reading: Reading) -> bool:
    """Whether a release tells how things stand rather than that somebody let go.

    A binary sensor's state topic (ESPHome, Home Assistant's discovery) says "OFF" when the device starts and whenever
    it likes, and so does a wall switch. Codecs tell ``state`` with a release where it is one, or mark it (``level``).
    """
    extras = reading.extras
    return (
        extras.get("level") is True
        or extras.get("state") in ("ON", "OFF")
        or extras.get("press_type") == "off"
        or "/binary_sensor/" in topic
    )


def _age_ms(reading: Reading, arrived_ms: int) -> int:
    """How old the press was by the device's own clock. A clock that is ahead, or lost in the past, tells nothing."""
    if "age_ms" in reading.extras:
        return _whole(reading, "age_ms", 0)
    told = reading.extras.get("device_time")
    if not arrived_ms or not isinstance(told, int | float) or isinstance(told, bool) or not told > _A_CLOCK_S:
        return 0
    # Seconds or milliseconds: the smaller of the two readings that lies after 2020 is in seconds.
    told_ms = told * 1000 if told < _A_CLOCK_S * 100 else told
    age_ms = arrived_ms - told_ms
    return int(age_ms) if 0 <= age_ms <= _LATE_AT_MOST_MS else 0


def _fault(reading: Reading) -> str:
    if reading.event in GONE:
        return ""
    fault = reading.extras.get("fault")
    if fault is True:
        return reading.event
    return clean(fault)[:80] if isinstance(fault, str) else ""


def _millivolts(reading: Reading) -> int | None:
    """What it says of its battery in volts; mains, and readings that no battery has, say nothing."""
    volts, millivolts = reading.extras.get("battery_v"), reading.extras.get("battery_mv")
    if isinstance(millivolts, int | float):
        found = float(millivolts)
    elif isinstance(volts, int | float):
        found = 1000.0 * volts
    else:
        return None
    return int(found) if 500 <= found <= 15_000 else None


def _count(extras: Mapping[str, object], key: str) -> int | None:
    value = extras.get(key)
    return value if type(value) is int and -(2**31) <= value < 2**31 else None


def _whole(reading: Reading, key: str, otherwise: int) -> int:
    value = reading.extras.get(key)
    return value if type(value) is int and 0 <= value < 2**53 else otherwise
