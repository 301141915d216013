"""The entrance: each MQTT message is understood, or counted and named; then it goes into its lane.

The connections of the broker end here. What is a call goes to the loop at once; what is telemetry goes through the
sieves of ``telemetry.py``, the first two of which are here because they must cost next to nothing. All that can be
known of a topic is worked out once and kept (``_Topic``).

A message is never an exception and never lost without a count: ``counts`` says what, ``say_once`` from whom.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from devices import panel_words, paths, speaking
from devices.codecs import decode, family_by_words, family_of
from devices.messages import Answered, DeviceSeen, PathSeen, Pressed, Released, Stirred
from devices.panel_words import PanelSaid
from devices.reading import Heard, Reading
from gateway.arrival import Arrival
from gateway.discovery import FAMILY, Introductions, is_introduction
from gateway.hall.rows import Path, Telling, Voice
from gateway.hall.rules import Fact
from gateway.hall.state import HallState
from gateway.hall.supervision import LOW_MV
from gateway.log import say_once
from gateway.placing import Placing
from gateway.presence import Presence, Presences
from gateway.timers import Clock
from gateway.translate import (
    GONE,
    NEVER_PLAIN,
    NOT_UNDERSTOOD,
    clean,
    device_id_of,
    door_of,
    every_ms_of,
    facts_of,
    stirs,
)
from gateway.unread import keys_of, unread
from gateway.wire import Published

#: Longer than any device's message (zigbee2mqtt's longest, with its device block, has 4 KiB).
LONGEST_PAYLOAD = 64 * 1024
#: Network servers whose envelope may not say what the device is: there the claim's model decides how it is read.
NAMELESS = frozenset({"chirpstack_v4", "ttn_v3"})
#: Network servers whose topics belong to one device each, whatever address the message itself gives.
ONE_DEVICE_A_TOPIC = frozenset({"chirpstack_v4", "ttn_v3"})
#: What a claim says of how to read a device.
_CLASSES = {
    "bay_sensor": "parking_sensor",
    "call_button": "button",
    "gate_counter": "vehicle_counter",
    "site_feed": "facility_count",
}
#: What we say ourselves, and hear again because we listen to everything.
OUR_OWN = ("linli/v1/lamp/", "linli/v1/panel/", "linli/v1/gateway/")
#: Messages of one topic looked at one by one within a second. A parking sensor speaks once in minutes, its burst at a
#: passing lorry is five or six; fifty is a fault or an attack, and a hall of 500 such still costs half a core.
BUDGET_A_SECOND = 50
#: Topics remembered. A hall has some hundreds; whoever invents topics makes us forget, never grow.
MOST_TOPICS = 8192
#: A longer one (MQTT allows 64 KiB, a hall's have some fifty signs) is understood each time and not remembered.
LONGEST_TOPIC = 300
#: Devices over their budget that are named in the statistics.
_NAMED_OVER_BUDGET = 50
#: who pushes over HTTP: an id of hall.toml
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_HOUR_NS = 3600 * 1_000_000_000


Ack = Callable[[], None]


class _Topic:
    """All that is known of a topic, worked out at its first message."""

    __slots__ = (
        "address",
        "budget_s",
        "count",
        "device_id",
        "excess",
        "excess_since_ms",
        "excess_until_ns",
        "family",
        "introduces",
        "its_own",
        "known",
        "newest",
        "only_telemetry",
        "ours",
        "owner",
        "panel",
        "path",
        "presence",
        "shared",
        "topic",
    )

    def __init__(self, topic: str, known: bool) -> None:
        self.topic = topic
        #: the panel that says here what it shows, and whether it is there
        self.panel = panel_words.panel_of(topic)
        self.ours = self.panel is None and (
            topic.startswith(OUR_OWN)
            or (topic.startswith("linli/v1/button/") and topic.endswith("/written"))
            or speaking.is_ours(topic)
        )
        self.introduces = len(topic) <= LONGEST_TOPIC and is_introduction(topic)
        self.family = None if self.introduces else family_of(topic)
        #: the bridge or radio gateway that speaks here of itself
        self.path = paths.path_of(topic)
        self.known = known
        self.only_telemetry = topic.startswith("linli/v1/bay/")
        #: the device that spoke here last, and whether nobody else can: a bridge may put many on one topic
        self.device_id = ""
        #: its address as the message says it; and for which device ``its_own`` was worked out
        self.address = ""
        self.owner = ""
        self.its_own = False
        #: a topic of the owner's choice, on which many devices may speak
        self.shared = False
        self.presence: Presence | None = None
        #: this second, and messages in it
        self.budget_s = 0
        self.count = 0
        #: messages beyond the budget: how many, since when, until when; and the newest of them, not yet read
        self.excess = 0
        self.excess_since_ms = 0
        self.excess_until_ns = 0
        self.newest: _Unread | None = None


@dataclass(slots=True)
class _Unread:
    payload: bytes
    arrived_ns: int
    arrived_ms: int
    dup: bool
    ack: Ack | None


class Entrance:
    """Where messages become facts.

    :param state: what the hall knows now: a claim may say how a message is to be read.
    :param take: the loop's door.
    :param read_later: does what it is handed before the next batch of telemetry.
    :param is_known_topic: whether the connections for calls and telemetry bring this topic.
    :param panel_speaks: takes what a panel on MQTT says of itself; False: there is no such panel.
    """

    def __init__(
        self,
        clock: Clock,
        counts: Counter[str],
        presences: Presences,
        state: Callable[[], HallState],
        take: Callable[[Arrival], None],
        read_later: Callable[[Callable[[], None]], None],
        is_known_topic: Callable[[str], bool],
        panel_speaks: Callable[[str, PanelSaid], bool] = lambda _panel, _said: False,
    ) -> None:
        self._panel_speaks = panel_speaks
        self._clock = clock
        self._counts = counts
        self._presences = presences
        self._state = state
        self._take = take
        self._read_later = read_later
        self._is_known_topic = is_known_topic
        self._introductions = Introductions()
        self._placing = Placing(state)
        self._topics: dict[str, _Topic] = {}
        #: device -> its topics whose newest message has not been read
        self._unread: dict[str, list[_Topic]] = {}

    # ---------------------------------------------------------------- in

    def from_known(self, message: Published, ack: Ack | None) -> None:
        """A message of the connection for calls or of the one for telemetry."""
        self._hear(message, ack, stranger=False)

    def from_strangers(self, message: Published, ack: Ack | None) -> None:
        """A message of the connection that hears everything, so copies of the others' as well."""
        self._hear(message, ack, stranger=True)

    def report(self, order: Mapping[str, object], answer: Callable[[dict[str, object]], None]) -> None:
        """What a platform pushed over HTTP (docs/protocol.md, 4.1): answered "written" when it is, or why not."""
        source, fields = order.get("source"), order.get("fields")
        if not isinstance(source, str) or not _SOURCE.fullmatch(source) or not isinstance(fields, dict):
            answer(_refused("指令缺少 source 或 fields", "the order needs source and fields"))
            return
        topic = f"http/{source}"
        payload = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
        if len(payload) > LONGEST_PAYLOAD:
            answer(_refused("内容太长", "the push is too long"))
            return
        if decode(Heard(topic, payload, transport="http_push")).event in NOT_UNDERSTOOD:
            self._counts["garbage"] += 1
            answer(
                _refused(
                    "推送里没有设备编号（imei、deviceId、sn 等），不知道是谁：没有记录",
                    "the push names no device (imei, deviceId, sn …): nobody knows who it was, nothing is recorded",
                )
            )
            return
        message = Published(topic.encode(), payload, 1, False, False, 0)
        self._hear(message, lambda: answer({"ok": True, "written": True}), stranger=False)

    def _hear(self, message: Published, ack: Ack | None, *, stranger: bool) -> None:
        arrived_ns = self._clock.monotonic_ns()
        counts = self._counts
        try:
            name = message.topic
        except UnicodeDecodeError:
            name = ""
        topic = self._topics.get(name) or self._learn(name)
        if topic.ours or (stranger and topic.known):
            # Our own words, or a copy of what another connection brings.
            counts["our_own" if topic.ours else "copies"] += 1
            if ack is not None:
                ack()
            return
        counts["messages"] += 1
        try:
            self._sort(topic, message, arrived_ns, ack)
        except Exception as wrong:  # noqa: BLE001
            self._failed(topic, wrong, ack)

    def _sort(self, topic: _Topic, message: Published, arrived_ns: int, ack: Ack | None) -> None:
        counts, payload = self._counts, message.payload
        if topic.path is not None:
            self._path_speaks(topic.path, payload, arrived_ns)
            if ack is not None:
                ack()
        elif len(payload) > LONGEST_PAYLOAD:
            self._not_understood("oversized", topic.topic, f"a payload of {len(payload)} bytes", ack)
        elif topic.panel is not None:
            self._panel_says(topic, topic.panel, message, arrived_ns, ack)
        elif topic.introduces:
            # Who introduces himself is nobody who calls: his words are read by it from now on.
            counts["introductions"] += 1
            for changed in self._introductions.hear(topic.topic, payload):
                self._topics.pop(changed, None)
            if ack is not None:
                ack()
        elif topic.family is None and not self._by_words(topic, payload):
            why = f"no family of devices speaks there{keys_of(payload)}"
            self._not_understood("unknown_topic", topic.topic, why, ack)
        elif message.retain:
            counts["retained"] += 1
            self._read(topic, payload, arrived_ns, self._clock.now_ms(), ack, retained=True)
        elif not self._within_budget(topic, arrived_ns) and self._only_telemetry(topic):
            self._put_off_unread(topic, payload, arrived_ns, message.dup, ack)
        else:
            # What may be a call is always looked at; the lane of calls has a share for each device.
            self._read(topic, payload, arrived_ns, self._clock.now_ms(), ack, dup=message.dup)

    def _failed(self, topic: _Topic, wrong: Exception, ack: Ack | None) -> None:
        """Reading must not raise, and new code may. The message would come again at every start, and end us each time.

        Nothing of it is the hall's yet: it is counted, named aloud with what went wrong, and acknowledged.
        """
        self._counts["codec_failed"] += 1
        family = topic.family or "linli"
        say_once(
            f"codec_failed:{family}:{type(wrong).__name__}",
            "codec_failed",
            f"the codec of {family} failed on {topic.topic[:80]!r} ({type(wrong).__name__}: {wrong}): a fault "
            "of Linli: its messages are counted and not understood, all others are; please report this line",
            level=logging.ERROR,
            topic=topic.topic[:80],
        )
        if ack is not None:
            ack()

    def _learn(self, name: str) -> _Topic:
        if len(self._topics) >= MOST_TOPICS:
            self._topics.clear()
        topic = _Topic(name, self._is_known_topic(name))
        if len(name) <= LONGEST_TOPIC:
            self._topics[name] = topic
        if topic.family is None and self._introductions.knows(name):
            topic.family = FAMILY
        return topic

    def _by_words(self, topic: _Topic, payload: bytes) -> bool:
        """Whether a topic that none of the families owns is one's all the same, by what is said there."""
        if not topic.topic:
            return False  # a topic that is no text: nothing that a device of anybody's says
        topic.family = family_by_words(payload)
        topic.shared = topic.family is not None
        return topic.shared

    def _path_speaks(self, path: paths.PathTopic, payload: bytes, arrived_ns: int) -> None:
        """A bridge or radio gateway is there, or says by its last will that it has gone. Only a change is a fact."""
        up = True if path.beats else paths.says_up(payload)
        if up is None:
            self._counts["garbage"] += 1
            return
        now_ms = self._clock.now_ms()
        fact = PathSeen(path.path_id, up)
        if up:
            self._presences.heard(fact.device_id, arrived_ns / 1e9, now_ms)
        old = self._state().table(Path).get(path.path_id)
        if old is None or (old.state == "up") is not up:
            self._take(Arrival(arrived_ns, now_ms, f"word of the path {path.path_id}", (fact,)))

    def _panel_says(
        self, topic: _Topic, panel: tuple[str, str], message: Published, arrived_ns: int, ack: Ack | None
    ) -> None:
        """A panel tells what it shows. What the broker remembers of one is no sign of life; a last will is news."""
        if not self._within_budget(topic, arrived_ns):
            self._counts["over_budget"] += 1
        else:
            try:
                said = panel_words.read_panel(panel[1], message.payload)
            except ValueError as wrong:
                self._not_understood("garbage", topic.topic, f"the payload is not understood ({wrong})", ack)
                return
            if message.retain and not said.gone:
                self._counts["retained"] += 1
            elif not self._panel_speaks(panel[0], said):
                why = "hall.toml has no panel of that name that listens to MQTT and answers"
                self._not_understood("unknown_topic", topic.topic, why, ack)
                return
            self._counts["panel_words"] += 1
        if ack is not None:
            ack()

    # ---------------------------------------------------------------- the budget of a device

    def _within_budget(self, topic: _Topic, now_ns: int) -> bool:
        second = now_ns // 1_000_000_000
        if topic.budget_s != second:
            topic.budget_s, topic.count = second, 0
        topic.count += 1
        if topic.count <= BUDGET_A_SECOND:
            return True
        if now_ns > topic.excess_until_ns:
            topic.excess, topic.excess_since_ms = 0, self._clock.now_ms()
            say_once(
                f"over_budget:{topic.topic[:80]}",
                "over_budget",
                f"{topic.topic[:80]!r} says more than {BUDGET_A_SECOND} messages a second: of a bay's only the newest "
                "counts then, a press always; look at the device or its bridge",
                topic=topic.topic[:80],
            )
        topic.excess += 1
        topic.excess_until_ns = now_ns + _HOUR_NS
        return False

    def _only_telemetry(self, topic: _Topic) -> bool:
        """Whether nobody can call for help here: only then may a message be left unread."""
        if topic.only_telemetry:
            return True
        device = self._state().devices.get(topic.device_id)
        return device is not None and device.kind == "bay_sensor" and topic.its_own

    def _put_off_unread(
        self, topic: _Topic, payload: bytes, arrived_ns: int, dup: bool, ack: Ack | None
    ) -> None:
        now_ms = self._clock.now_ms()
        self._counts["over_budget"] += 1
        older = topic.newest
        if older is None:
            self._unread.setdefault(topic.device_id, []).append(topic)
            self._read_later(lambda: self._read_newest(topic))
        elif older.ack is not None:
            older.ack()
        topic.newest = _Unread(payload, arrived_ns, now_ms, dup, ack)

    def _read_newest(self, topic: _Topic) -> None:
        newest, topic.newest = topic.newest, None
        if newest is None:
            return
        unread = self._unread[topic.device_id]
        unread.remove(topic)
        if not unread:
            del self._unread[topic.device_id]
        try:
            self._read(topic, newest.payload, newest.arrived_ns, newest.arrived_ms, newest.ack, dup=newest.dup)
        except Exception as wrong:  # noqa: BLE001
            self._failed(topic, wrong, newest.ack)

    def _read_older(self, device_id: str, arrived_ns: int) -> None:
        """What this device said before, on another topic, is read before: order is part of the truth."""
        for topic in self._unread.get(device_id, [])[:]:
            if topic.newest is not None and topic.newest.arrived_ns <= arrived_ns:
                self._read_newest(topic)

    def over_budget(self) -> list[dict[str, object]]:
        """docs/protocol.md, `statistics`: who says more than its share now, or did in the last hour."""
        now_ns = self._clock.monotonic_ns()
        loud = [one for one in self._topics.values() if one.excess and one.excess_until_ns > now_ns]
        loud.sort(key=lambda one: -one.excess)
        return [
            {
                # Of a topic that many share nobody knows who it is.
                "device_id": (one.its_own and one.device_id) or one.topic[:80],
                "excess": one.excess,
                "since_ms": one.excess_since_ms,
            }
            for one in loud[:_NAMED_OVER_BUDGET]
        ]

    # ---------------------------------------------------------------- reading

    def _read(
        self,
        topic: _Topic,
        payload: bytes,
        arrived_ns: int,
        arrived_ms: int,
        ack: Ack | None,
        *,
        retained: bool = False,
        dup: bool = False,
    ) -> None:
        if topic.newest is not None:
            self._read_newest(topic)  # it is older than this message
        family = topic.family
        assert family is not None
        heard = Heard(topic.topic, payload, retained, transport=family)
        reading = decode(heard) if family != FAMILY else self._introductions.read(heard)
        if family not in ("linli", FAMILY):
            reading = self._as_claimed(heard, family, reading)
        if not retained:
            self._hear_answer(topic, payload, arrived_ns, arrived_ms)
        event = reading.event
        if event in NOT_UNDERSTOOD:
            error = reading.extras.get("error")
            why = f" ({clean(error)[:120]})" if isinstance(error, str) else ""
            self._not_understood("garbage", topic.topic, f"the payload is not understood{why}", ack)
            return
        if "unread" in reading.extras and not retained:
            device_id = device_id_of(family, reading, topic.topic)
            who = self._presences.known(device_id, arrived_ns / 1e9, arrived_ms)
            reading = unread(reading, who, device_id, self._state().devices.get(device_id))
            event = reading.event
            self._counts["unread"] += 1
        # What the device says besides the numbers that grow with each message.
        presence = topic.presence
        if reading.alarm is False and not retained and event != "none" and event not in GONE:
            if presence is None or reading.device != topic.address:
                # A bridge may put many devices on one topic; and this is the first word of many a topic.
                topic.address, topic.device_id = reading.device, device_id_of(family, reading, topic.topic)
                presence = self._presences.known(topic.device_id, arrived_ns / 1e9, arrived_ms)
                topic.presence = presence
            placed = self._placing.word(presence, topic.device_id, reading, arrived_ns / 1e9, arrived_ms, dup)
            if placed is None:
                self._counts["old_words"] += 1
                if ack is not None:
                    ack()
                return
            reading = placed
            if presence.unread and "unread" not in reading.extras:
                presence.unread = 0
            if event == "lifecycle" and topic.topic.endswith("/join"):
                self._placing.joined(presence)
        extras = reading.extras
        said = (
            topic.topic,
            reading.device,
            event,
            reading.occupied,
            reading.battery_pct,
            extras.get("every_s"),
            extras.get("fault"),
            extras.get("model"),
            extras.get("open"),
            extras.get("battery_low"),
        )
        plain = reading.alarm is False and event not in NEVER_PLAIN and not retained and not stirs(reading)
        plain = plain and len(topic.topic) <= LONGEST_TOPIC
        if presence is not None and plain and presence.said == said:
            presence.seen_s, presence.seen_ms, presence.unsaved = arrived_ns / 1e9, arrived_ms, True
            self._counts["signs_of_life"] += 1
            if ack is not None:
                ack()
            return
        facts = facts_of(
            family, reading, topic.topic, retained=retained, redelivered=dup, arrived_ms=arrived_ms
        )
        if not facts:
            self._counts["without_news"] += 1
            if ack is not None:
                ack()
            return
        device_id = facts[0].device_id
        if self._unread:
            self._read_older(device_id, arrived_ns)
        every_ms = every_ms_of(reading)
        if len(facts) > 1 and isinstance(facts[-1], Pressed | Released) and self._knows(facts[0], every_ms):
            # That the device is there needs no deciding: its presence says it, and the press goes on alone.
            facts = facts[1:]
        if not retained and self._tells_of_a_person(reading, device_id, arrived_ns, arrived_ms):
            facts = (*facts, Stirred(device_id))
        what = f"{event} from {device_id}"
        arrival = Arrival(arrived_ns, arrived_ms, what, facts, every_ms, ack, source=device_id)
        if topic.owner != device_id:
            topic.owner = topic.device_id = device_id
            topic.address = reading.device
            alone = family in ONE_DEVICE_A_TOPIC and not topic.shared
            topic.its_own = alone or _names(topic.topic, device_id)
        topic.presence = presence = self._presences.known(device_id, arrived_ns / 1e9, arrived_ms)
        if event not in GONE:
            self._presences.heard(device_id, arrived_ns / 1e9, arrived_ms)
        presence.said = said if plain and not arrival.urgent else None
        self._take(arrival)

    def _hear_answer(self, topic: _Topic, payload: bytes, arrived_ns: int, arrived_ms: int) -> None:
        """Does it say that it shows what it was told? Looked at only where somebody waits for that."""
        family, tellings = topic.family, self._state().table(Telling)
        if family is None:
            return
        if family == "linli":
            if b'"light"' not in payload:
                return
        elif not tellings or (topic.its_own and topic.device_id and topic.device_id not in tellings):
            return
        said = speaking.reply(family, topic.topic, payload)
        if said is None:
            return
        device_id = said.address if family == "linli" else f"{family}:{said.address}"
        telling = tellings.get(device_id)
        if telling is None and family != "linli":
            return
        if telling is not None and telling.state == "shown":
            return
        fact = Answered(device_id, said.token, said.ok, said.shows)
        # By a name of its own: what the device says besides must not take its place.
        what = f"answer of {device_id}"
        self._take(Arrival(arrived_ns, arrived_ms, what, (fact,), source=what))

    def _knows(self, seen: Fact, every_ms: int | None) -> bool:
        """Whether what a message tells of its device is what the hall knows of it already."""
        device = self._state().devices.get(seen.device_id)
        return (
            isinstance(seen, DeviceSeen)
            and device is not None
            and device.health == "ok"
            and not (seen.offline or seen.fault or seen.battery_low)
            and (seen.battery_mv is None or seen.battery_mv >= LOW_MV)
            and (not seen.via or self._speaks_by(seen))
            and seen.model in ("", device.model)
            and seen.battery_pct in (None, device.battery_pct)
            and every_ms in (None, device.every_ms)
        )

    def _tells_of_a_person(self, reading: Reading, device_id: str, arrived_ns: int, arrived_ms: int) -> bool:
        """Whether a sensor that is tied to a person has told of one: a movement, a door that was shut and is open."""
        device = self._state().devices.get(device_id)
        if device is None or not device.person_id:
            return False
        door, presence = door_of(reading), self._presences.known(device_id, arrived_ns / 1e9, arrived_ms)
        before, presence.door = presence.door, presence.door if door is None else door
        moved = door is not None and before is not None and door != before
        return moved or (stirs(reading) and reading.alarm is not True)

    def _speaks_by(self, seen: DeviceSeen) -> bool:
        voice = self._state().table(Voice).get(seen.device_id)
        return voice is not None and voice.via == seen.via

    def _as_claimed(self, heard: Heard, family: str, reading: Reading) -> Reading:
        """What the console's claim knows of the device helps to read it, where its maker's envelope does not tell."""
        device = self._state().devices.get(device_id_of(family, reading, heard.topic))
        if device is None:
            return reading
        cls = _CLASSES.get(device.kind, "")
        model = device.model if family in NAMELESS else ""
        return decode(replace(heard, model=model, cls=cls)) if model or cls else reading

    def _not_understood(self, kind: str, topic: str, why: str, ack: Ack | None) -> None:
        self._counts[kind] += 1
        source = topic[:80]
        say_once(f"{kind}:{source}", kind, f"{source!r}: {why}; counted, not repeated here", topic=source)
        if ack is not None:
            ack()


def _refused(zh: str, en: str) -> dict[str, object]:
    return {"ok": False, "fault": "refused", "why_zh": zh, "why_en": en}


def _names(topic: str, device_id: str) -> bool:
    """Whether a topic has the device's address in it, so that it is this device's alone."""
    address = device_id.partition(":")[2] or device_id
    return f"/{address.lower()}/" in f"/{topic.lower()}/"
