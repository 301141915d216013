"""Telling, the last of gather → decide → write → tell. Nothing here decides, and nothing here waits.

Order matters to a person: the lamp first (somebody is looking at it), with "written", PUBACK and what a siren or a lamp
beside a button is to say in the same packet; then the screens and the answers; panels, the beacon and the log last. How
late all that was, lateness.py knows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from devices.messages import Pressed, SayTo, SetLamp, ShowCount
from gateway.arrival import Arrival
from gateway.hall import answering, calls
from gateway.hall.rows import Row, RowGone
from gateway.hall.state import Bay, BayGone, Call, Change, Device, Effect, HallState, Zone
from gateway.log import say
from gateway.timers import Clock
from gateway.views import Json, bay_json, call_json, device_json, panel_json, zone_json


@dataclass(slots=True)
class Mouths:
    """Where words go; ``__main__`` chooses the real ones."""

    #: how a lamp's level and "written" (device, boot, seq) are said to a device, in bytes: they change nothing
    lamp_words: Callable[[SetLamp], bytes]
    written_words: Callable[[str, str, int], bytes]
    tell_devices: Callable[[bytes], None]
    show_count: Callable[[ShowCount], None]
    #: how a fact is said to the screens, in bytes: it changes nothing
    fact_words: Callable[[Json], bytes]
    tell_screens: Callable[[bytes], None]
    beacon: Callable[[HallState], None]
    #: what a bought device, or a siren or lamp beside a button, is to say
    say_to: Callable[[SayTo], None] = lambda _saying: None
    #: what is said between these leaves together: one call of the kernel for each listener
    hold_devices: Callable[[], None] = lambda: None
    let_go_devices: Callable[[], None] = lambda: None
    hold_screens: Callable[[], None] = lambda: None
    let_go_screens: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Words:
    """What is said of a batch, put together before it is on disk, and said after."""

    devices: bytes
    #: whether a lamp is among them
    lit: bool
    latest: list[Change]
    #: the facts for the screens, in one piece, and the number before the first of them and of the last
    facts: bytes
    rev_before: int
    rev: int


@dataclass(slots=True)
class Batch:
    """What one transaction was about: what came in, what was decided, what is to be answered."""

    arrivals: Sequence[Arrival]
    now_ms: int
    changes: list[Change] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    answers: list[tuple[Arrival, Json]] = field(default_factory=list)
    #: calls whose press came again: their lamp and "written" are told again
    copies: list[Call] = field(default_factory=list)
    #: when the last of it was decided, monotonic
    decided_ns: int = 0
    #: put together while the disk was writing; None: not yet
    words: Words | None = None


#: A button that is pressed again and again (or is stuck) has one line in the log in so long; each press of it is in the
#: journal. Measured: 1,500 presses/s cost 0.1 of a core less in the loop, and as much in the log's thread.
PRESSES_LOGGED_MS = 1_000


class Teller:
    """Tells what is written. ``rev`` numbers the facts, so that a screen notices a gap."""

    def __init__(self, mouths: Mouths, clock: Clock) -> None:
        self._mouths = mouths
        self._clock = clock
        self.parts: dict[str, Json] = {}
        self.rev = 0
        #: of calls that are open: what stood in the log last, but for the count of presses, and when
        self._logged: dict[int, tuple[Call, int]] = {}

    def put_together(self, batch: Batch) -> None:
        """Make the words of this batch, which is being written. Nobody hears them, and nothing else is changed.

        Run beside the COMMIT (gateway/meanwhile.py).
        """
        # A device that repeats gets its lamp told again too; what the broker sends twice does not: when the line was
        # broken all levels have been told anew, and a broker that is behind must not be given more to do.
        lamps = {call.device_id: calls.lamp_of(call, batch.now_ms) for call in batch.copies}
        for effect in batch.effects:
            if isinstance(effect, SetLamp):
                lamps[effect.device_id] = effect
        devices = [self._mouths.lamp_words(lamp) for lamp in lamps.values()]
        for arrival in batch.arrivals:
            devices += self._written(arrival)
        latest = _latest(batch.changes)
        facts = [
            self._mouths.fact_words({"fact": name, "rev": rev, **fields})
            for rev, (name, fields) in enumerate(_facts(latest), self.rev + 1)
        ]
        batch.words = Words(
            b"".join(devices), bool(lamps), latest, b"".join(facts), self.rev, self.rev + len(facts)
        )

    def _words_of(self, batch: Batch) -> Words:
        """Those put together while the disk wrote; anew where there are none, or where a part of the hall came up or
        went down meanwhile: the numbers have moved on."""
        if batch.words is None or batch.words.rev_before != self.rev:
            self.put_together(batch)
        assert batch.words is not None
        return batch.words

    def tell_devices(self, batch: Batch) -> None:
        """Lamps, "written" and PUBACK of this batch, now on disk, in one packet."""
        words = self._words_of(batch)
        self._mouths.hold_devices()
        try:
            self._mouths.tell_devices(words.devices)
            for arrival in batch.arrivals:
                if arrival.ack is not None:
                    arrival.ack()
            for saying in {one.device_id: one for one in batch.effects if isinstance(one, SayTo)}.values():
                self._mouths.say_to(saying)
        finally:
            self._mouths.let_go_devices()

    def tell_people(self, batch: Batch, state: HallState) -> None:
        """Tell everybody else what this batch has changed: screens, whoever gave an order, panels, beacon, log."""
        words = self._words_of(batch)
        self._mouths.hold_screens()
        try:
            self.rev = words.rev
            if words.facts:
                self._mouths.tell_screens(words.facts)
            for arrival, answer in batch.answers:
                if arrival.answer is not None:
                    arrival.answer(answer)
        finally:
            self._mouths.let_go_screens()
        for count in {one.panel: one for one in batch.effects if isinstance(one, ShowCount)}.values():
            self._mouths.show_count(count)
        if words.lit or any(isinstance(change, Call) for change in words.latest):
            self._mouths.beacon(state)
        # The log last: its thread takes the interpreter while we are in a call of the kernel.
        for change in words.latest:
            if isinstance(change, Call):
                self._log_call(change, batch.now_ms)
            elif isinstance(change, Device):
                _log_device(change)

    def fact(self, name: str, **fields: object) -> None:
        """One live fact to all screens."""
        self.rev += 1
        self._mouths.tell_screens(self._mouths.fact_words({"fact": name, "rev": self.rev, **fields}))

    def all_anew(self, snapshot: Json) -> None:
        """What the screens know is void (the notebook has only now been read): here is everything."""
        self._mouths.tell_screens(self._mouths.fact_words(snapshot))

    def levels(self, state: HallState, now_ms: int) -> None:
        """The broker is back: every level is told anew. Levels may be told again at any time."""
        for device in state.devices.values():
            if device.lamp and device.device_id not in state.newest_call:
                self._lamp(SetLamp(device.device_id, "off", 0, now_ms))
        for call_id in state.newest_call.values():
            if call_id in state.calls:
                self._lamp(calls.lamp_of(state.calls[call_id], now_ms))
        for saying in answering.levels(state):
            self._mouths.say_to(saying)
        for count in state.shown.values():
            self._mouths.show_count(count)
        self._mouths.beacon(state)

    def alarm_from_memory(self, unwritten: Sequence[Call], state: HallState) -> None:
        """Calls that are not on disk: staff hear them, the beacon shows them, no lamp is lit."""
        for call in unwritten:
            self.fact("CallChanged", call=call_json(call, written=False))
            say(
                "call_unwritten",
                f"call {call.call_id} of {call.device_id} is NOT on disk: alarmed from memory, its lamp stays dark",
                level=logging.ERROR,
                call_id=call.call_id,
                device=call.device_id,
            )
        self._mouths.beacon(state)

    def part_is(self, part: str, state: str, why_zh: str = "", why_en: str = "") -> None:
        """A part of the hall came up or went down; told when it changed."""
        old = self.parts.get(part)
        if old is not None and (old["state"], old["why_en"]) == (state, why_en):
            return
        self.parts[part] = {
            "part": part,
            "state": state,
            "since_ms": self._clock.now_ms(),
            "why_zh": why_zh,
            "why_en": why_en,
        }
        if old is not None or state != "ready":
            level = logging.INFO if state == "ready" else logging.WARNING
            say("part", f"{part} is {state}" + (f": {why_en}" if why_en else ""), level=level, part=part)
        self.fact("PartChanged", part=self.parts[part])

    # ---------------------------------------------------------------- pieces

    def _lamp(self, lamp: SetLamp) -> None:
        self._mouths.tell_devices(self._mouths.lamp_words(lamp))

    def _written(self, arrival: Arrival) -> Iterator[bytes]:
        """The device may stop repeating: it is on disk."""
        for one in arrival.facts:
            if isinstance(one, Pressed) and one.family == "linli":
                boot, _, seq = one.press_id.rpartition(":")
                if seq.isdecimal():
                    yield self._mouths.written_words(one.device_id, boot, int(seq))

    def _log_call(self, call: Call, now_ms: int) -> None:
        """One line for each change of a call. Of somebody who presses and presses, one a second."""
        before, at_ms = self._logged.get(call.call_id, (None, 0))
        only_pressed = before is not None and _stands(before) == _stands(call)
        if only_pressed and 0 <= now_ms - at_ms < PRESSES_LOGGED_MS:
            return
        if call.state == "CLOSED":
            self._logged.pop(call.call_id, None)
        else:
            self._logged[call.call_id] = (call, now_ms)
        where = call.place or call.device_name
        text = f"call {call.call_id} {call.state}: {where} ({call.device_id}), presses {call.presses}"
        if call.state == "COMING":
            text += f", {call.accepted_by} is on the way"
        elif call.state == "CLOSED":
            text += f", {call.outcome} by {call.closed_by}"
        elif call.overdue:
            text += ", nobody has answered for a minute"
        level = logging.WARNING if call.state == "HEARD" else logging.INFO
        say("call", text, level=level, call_id=call.call_id, device=call.device_id, state=call.state)


def _stands(call: Call) -> tuple[object, ...]:
    """What a line of the log says of a call besides its presses."""
    return (call.state, call.accepted_by, call.overdue, call.place, call.device_name)


def _facts(latest: Sequence[Change]) -> Iterator[tuple[str, Json]]:
    """The doorbell: one fact for each thing that changed, as it is now."""
    for change in latest:
        match change:
            case Call():
                yield "CallChanged", {"call": call_json(change)}
            case Device():
                yield "DeviceChanged", {"device": device_json(change)}
            case Bay():
                yield "BayChanged", {"bay": bay_json(change)}
            case Zone():
                yield "ZoneChanged", {"zone": zone_json(change)}
            case ShowCount():
                yield "PanelChanged", {"panel": panel_json(change)}
            case BayGone():
                yield "BayGone", {"bay_id": change.bay_id}
            case Row() if change.TOLD:
                # By its key: these tables know people, and everybody at the desk hears this.
                yield "RowChanged", {"table": change.TABLE, "key": change.key}
            case RowGone():
                yield "RowGone", {"table": change.table, "key": change.key}


def _latest(changes: Sequence[Change]) -> list[Change]:
    """Of several changes of one thing only the last is news; in the order in which the things first changed."""
    latest: dict[tuple[str, object], Change] = {}
    for change in changes:
        match change:
            case Call():
                latest["call", change.call_id] = change
            case Device():
                latest["device", change.device_id] = change
            case Bay():
                latest["bay", change.bay_id] = change
            case Zone():
                latest["zone", change.zone_id] = change
            case ShowCount():
                latest["panel", change.panel] = change
            case BayGone():
                latest["gone", change.bay_id] = change
            case Row():
                latest[change.TABLE, change.key] = change
            case RowGone():
                latest[change.table, change.key] = change
    return list(latest.values())


def _log_device(device: Device) -> None:
    why = f" ({device.why_en})" if device.why_en else ""
    say("device", f"device {device.device_id}: {device.kind}, {device.health}{why}", device=device.device_id)
