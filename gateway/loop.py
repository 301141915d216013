"""The loop: gather → decide → write → tell. The latency-critical core; everything else waits for it, never it.

Theory of operation. One thread owns the selector, the broker's socket, the desk's sockets and the notebook. A turn
gathers what is ready into two lanes (calls and orders; everything else), decides each fact on a child of the
state, writes all changes in one transaction, and only then tells: PUBACK and "written" to the device, lamps and
panels, the doorbell to the screens, answers to orders. Group commit needs no timer: while one commit runs, arrivals
gather.

If the notebook cannot be written, nothing of the batch becomes state: its arrivals wait, in order, and are tried
again every second; staff are alarmed from memory (``written: false``), no lamp is lit, nothing is acknowledged.
"""

from __future__ import annotations

import logging
import selectors
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from devices.faults import NotWritten, OrderRefused
from devices.messages import DeviceSeen, Pressed
from devices.plan import Panel
from gateway.arrival import Arrival
from gateway.hall import bays, calls, rules, things
from gateway.hall import clock as clock_rules
from gateway.hall import timers as timer_rules
from gateway.hall.state import Bay, Call, Change, ClockFrame, Decision, Device, HallState, Zone
from gateway.log import say
from gateway.notebook import Notebook
from gateway.store import find_press, load_state, write_changes
from gateway.teller import Batch, Mouths, Teller
from gateway.timers import Alarms, Clock, Timers
from gateway.views import Json, bay_json, call_json, device_json, panel_json, zone_json

#: Telemetry decided in one turn before calls are looked for again: some 10 ms of work (measured, 50 us each).
TELEMETRY_A_TURN = 200
#: How often a notebook that refused is tried again.
RETRY_S = 1.0
#: What waits for the disk at most, beside presses (which are never dropped): the bays of the largest hall, twice.
HELD_AT_MOST = 4000
#: How often silence is looked for; a device's own deadline is minutes or hours.
SWEEP_S = 5.0
#: "Last seen" goes to disk this often (docs/protocol.md: heartbeats stay in memory).
PERSIST_SEEN_S = 15 * 60
#: How often the wall clock is looked at: a step is noticed within this, and costs no timer anything meanwhile.
LOOK_AT_CLOCK_S = 1.0
#: What our own mistake with one odd message looks like. Not OwnRuleBroken (stop loudly) and not NotWritten (wait).
_MISTAKES = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, sqlite3.Error)


class Loop:
    """The hall's event loop.

    :param book: gateway.db; only this loop writes it. Where it could not be opened yet, the loop alarms from memory
        and begins with what the hall knew as soon as it can be read.
    :param hall_buttons: the buttons on our own pins, id → name: wiring, so nobody has to claim them.
    """

    def __init__(
        self,
        book: Notebook,
        panels: tuple[Panel, ...],
        hall_buttons: Mapping[str, str],
        mouths: Mouths,
        clock: Clock,
    ) -> None:
        self.selector = selectors.DefaultSelector()
        self.state = HallState()
        self.counts: Counter[str] = Counter()
        self.turns = 0
        self.teller = Teller(mouths, clock)
        self.timers = Timers(clock)
        self.alarms = Alarms(self.timers, clock, self._fire)
        self._book = book
        self._panels = panels
        self._clock = clock
        self._urgent: deque[Arrival] = deque()
        self._telemetry: deque[Arrival] = deque()
        self._unwritten: list[Arrival] = []
        self._provisional: dict[int, Call] = {}
        self._seen_s: dict[str, float] = {}
        self._unsaved: set[str] = set()
        self._stopping = False
        self.timers.every(SWEEP_S, self._sweep)
        self.timers.every(PERSIST_SEEN_S, self.persist_seen)
        self.timers.every(3600.0, lambda: self.state.forget_old(self._clock.now_ms()))
        self.timers.every(RETRY_S, self._retry)
        self.timers.every(LOOK_AT_CLOCK_S, self._look_at_clock)
        self.timers.every(PERSIST_SEEN_S, self._note_time)
        self.believed = clock_rules.Judgement(False, "not_looked")
        self._hall_buttons = hall_buttons
        self._epoch = ""
        if self._book_is_open():
            self._begin()

    def _begin(self) -> None:
        """Take up where the last commit left off."""
        now_s, now_ms = self._clock.monotonic_s(), self._clock.now_ms()
        self.state = load_state(self._book.connection, now_ms)
        self._epoch = self._book.epoch
        # Numbers given from memory, before the notebook could be read, may be those of calls that are in it.
        self._provisional.clear()
        for device in self.state.devices.values():
            # "Last seen" on disk may be a quarter of an hour old; whatever the wall clock did meanwhile, nobody
            # is called silent for what we did not write down.
            age_s = max(0, now_ms - device.last_seen_ms) / 1000 - PERSIST_SEEN_S
            self._seen_s[device.device_id] = now_s - max(0.0, age_s)
        self.alarms.resume(self.state.timers, self.state.frame, self._frame_now())
        self._look_at_clock()
        for device_id, name in self._hall_buttons.items():
            self._know_device(device_id, name)
        self._set_panels()

    def _book_is_open(self) -> bool:
        """False while the notebook could not even be opened; the moment it can, the hall's memory is read."""
        if self._epoch:
            return True
        if not self._book.try_open():
            self.teller.part_is(
                "notebook", "down", *_notebook_words(NotWritten(self._book.trouble, self._book.trouble_zh))
            )
            return False
        if self.teller.parts.get("notebook", {}).get("state") == "down":
            self._begin()
            self.teller.part_is("notebook", "ready")
            self.teller.all_anew(self.snapshot())
        return True

    # ---------------------------------------------------------------- gather

    def take(self, arrival: Arrival) -> None:
        """A door hands something in. Calls and orders go into the lane that is served first."""
        (self._urgent if arrival.urgent else self._telemetry).append(arrival)

    def stop(self) -> None:
        self._stopping = True

    def run(self, each_turn: Callable[[], None]) -> None:
        """Turn until :meth:`stop`; ``each_turn`` is the watchdog's beat."""
        while not self._stopping:
            self.turn()
            each_turn()
        self.persist_seen()

    def turn(self, longest_wait_s: float = 1.0) -> None:
        """One turn: wait for what is ready, then gather → decide → write → tell."""
        if self._urgent or self._telemetry:
            wait_s = 0.0
        else:
            wait_s = self.timers.wait_s(longest_wait_s)
        for key, mask in self.selector.select(wait_s):
            key.data(mask)
        self.turns += 1
        self.timers.run_due()
        batch = list(self._urgent)
        self._urgent.clear()
        quantum = min(TELEMETRY_A_TURN, len(self._telemetry))
        batch += [self._telemetry.popleft() for _ in range(quantum)]
        if batch:
            self._handle(batch)
        else:
            self._book.rest()

    # ---------------------------------------------------------------- decide

    def _handle(self, batch: list[Arrival]) -> None:
        if self._unwritten:
            # What waits for the disk goes first: order is part of the truth.
            self._hold(batch)
            return
        try:
            written = self._write(batch)
        except _MISTAKES as wrong:
            # A mistake of ours that one message brings out must not stop the hall, nor come back with every
            # redelivery: the others of the batch are decided alone, and this one is set aside aloud.
            if len(batch) > 1:
                for arrival in batch:
                    self._handle([arrival])
            else:
                self._set_aside(batch[0], wrong)
            return
        if written is None:
            self._hold(batch)
        else:
            self._tell(written)

    def _set_aside(self, arrival: Arrival, wrong: Exception) -> None:
        self.counts["set_aside"] += 1
        say(
            "set_aside",
            f"{arrival.what}: could not be decided ({type(wrong).__name__}: {wrong}); this is a fault of Linli, "
            "please report it with this line",
            level=logging.ERROR,
        )
        presses = [fact for fact in arrival.facts if isinstance(fact, Pressed)]
        if presses and not presses[0].doubtful:
            # Whatever was odd about it, somebody pressed: the plainest press of that device must still ring.
            plain = Pressed(str(presses[0].device_id), doubtful=True, family="set aside")
            self._handle([replace(arrival, facts=(plain,))])
            return
        if presses:
            self.teller.part_is(
                "gateway",
                "degraded",
                f"{arrival.what}：这条呼叫没能处理，请马上去看一下",
                f"{arrival.what}: this call could not be handled, please go and look",
            )
        if arrival.answer is not None:
            arrival.answer(
                {
                    "ok": False,
                    "fault": "refused",
                    "why_zh": "这个指令没能执行，请告诉技术员",
                    "why_en": "this order could not be carried out, please tell the technician",
                }
            )
        if arrival.ack is not None:
            arrival.ack()

    def _write(self, arrivals: list[Arrival]) -> Batch | None:
        """Decide and write a batch. None: nothing of it was written, and it is not state either."""
        if not self._book_is_open():
            return None
        child = self.state.child()
        batch = Batch(arrivals, self._clock.now_ms())
        for arrival in arrivals:
            if arrival.order:
                batch.answers.append((arrival, self._obey(arrival, child, batch)))
                continue
            for fact in arrival.facts:
                decision = self._decide(fact, arrival, child)
                child.put(decision)
                batch.changes += decision.changes
                batch.effects += decision.effects
                if decision.duplicate:
                    self.counts["press_copies"] += 1
                    if decision.call is not None:
                        batch.copies.append(decision.call)
        if not self._put_on_disk(batch.changes):
            return None
        self.state.absorb(child)
        self._provisional.clear()
        return batch

    def _put_on_disk(self, changes: list[Change]) -> bool:
        if not changes:
            return True
        try:
            self._book.write(lambda connection: write_changes(connection, changes))
        except NotWritten as wrong:
            self.teller.part_is("notebook", "down", *_notebook_words(wrong))
            return False
        if self.teller.parts.get("notebook", {}).get("state") == "down":
            self.teller.part_is("notebook", "ready")
        return True

    def _tell(self, batch: Batch) -> None:
        written_ns = self._clock.monotonic_ns()
        self.alarms.follow(batch.changes, batch.now_ms)
        self.teller.tell(batch, self.state, written_ns)

    def _decide(self, fact: rules.Fact, arrival: Arrival, child: HallState) -> Decision:
        if isinstance(fact, Pressed):
            # A press that had to wait for the disk keeps the time at which it came, and says that it is late.
            waited_ms = max(0, self._clock.now_ms() - arrival.arrived_ms)
            if waited_ms > calls.DELAYED_MS:
                fact = replace(fact, age_ms=fact.age_ms + waited_ms)
            key = (fact.device_id, fact.press_id)
            # A press of long ago may come again (a device that was in a drawer): the notebook remembers it.
            if (
                fact.press_id
                and key not in child.presses
                and (old := find_press(self._book.connection, *key)) is not None
            ):
                child.presses[key] = old
        elif isinstance(fact, DeviceSeen) and not fact.offline:
            self._seen_s[fact.device_id] = self._clock.monotonic_s()
            self._unsaved.add(fact.device_id)
        return rules.decide(child, fact, arrival.arrived_ms, arrival.every_ms, self._panels)

    def _obey(self, arrival: Arrival, child: HallState, batch: Batch) -> Json:
        try:
            decision = rules.obey(child, arrival.order, arrival.fields, batch.now_ms, self._panels)
        except OrderRefused as refused:
            return {"ok": False, "fault": "refused", "why_zh": refused.why_zh, "why_en": refused.why_en}
        child.put(decision)
        batch.changes += decision.changes
        batch.effects += decision.effects
        answer: Json = {"ok": True, "written": True}
        if decision.call is not None:
            answer["call"] = call_json(decision.call)
        for change in decision.changes:
            match change:
                case Device():
                    answer["device"] = device_json(change)
                case Bay():
                    answer["bay"] = bay_json(change)
                case Zone():
                    answer["zone"] = zone_json(change)
        return answer

    # ---------------------------------------------------------------- when the disk refuses

    def _hold(self, batch: list[Arrival]) -> None:
        """Keep what could not be written; alarm staff from memory. Orders are refused at once, not kept."""
        waiting = {_key(arrival) for arrival in self._unwritten}
        for arrival in batch:
            if arrival.order:
                if arrival.answer is not None:
                    arrival.answer(
                        {
                            "ok": False,
                            "fault": "not_written",
                            "why_zh": "记录本写不进去：请记在纸上，稍后再点",
                            "why_en": "the notebook cannot be written: note it on paper and try again",
                        }
                    )
                continue
            key = _key(arrival)
            if key is None or key not in waiting:
                if arrival.urgent or len(self._unwritten) < HELD_AT_MOST:
                    waiting.add(key)
                    self._unwritten.append(arrival)
                    continue
                self.counts["held_too_many"] += 1
            elif not arrival.urgent:
                # Of a bay's updates only the last is state: it takes the older one's place, and the older one need
                # not come again.
                older = next(one for one in self._unwritten if _key(one) == key)
                self._unwritten.remove(older)
                self._unwritten.append(arrival)
                arrival = older
            self.counts["held_copies"] += 1
            # The broker lends only so many unacknowledged messages; a copy must not use one up. The original stays
            # unacknowledged, and is what comes again if we die now.
            if arrival.ack is not None:
                arrival.ack()
        self._alarm_from_memory()

    def _alarm_from_memory(self) -> None:
        child = self.state.child()
        for arrival in self._unwritten:
            for fact in arrival.facts:
                child.put(self._decide(fact, arrival, child))
        waiting = {
            call_id: call for call_id, call in child.calls.items() if self.state.calls.get(call_id) != call
        }
        news = [call for call_id, call in waiting.items() if call_id not in self._provisional]
        self._provisional = waiting
        self.teller.alarm_from_memory(news, child)

    def _retry(self) -> None:
        if not self._book_is_open() or not self._unwritten:
            return
        waiting, self._unwritten = self._unwritten, []
        self._handle(waiting)
        if not self._unwritten:
            say(
                "notebook_back",
                f"the notebook is back: {len(waiting)} facts that waited are on disk",
                part="notebook",
            )

    # ---------------------------------------------------------------- timers

    def _fire(self, timer_id: str) -> bool:
        """A timer is due. False: it could not be written, and is to be asked again."""
        try:
            return self._decide_quietly(lambda child, now_ms: timer_rules.due(child, timer_id, now_ms))
        except _MISTAKES as wrong:
            why = f"{type(wrong).__name__}: {wrong}"
            say(
                "timer_given_up",
                f"timer {timer_id}: its rule failed ({why}); this is a fault of Linli, please report it with this line",
                level=logging.ERROR,
            )
            return self._decide_quietly(lambda _, now_ms: timer_rules.given_up(timer_id, why, now_ms))

    def _frame_now(self) -> ClockFrame:
        """How the wall clock stands to the monotonic one, and whether it is believed."""
        offset_ms = self._clock.offset_ms()
        boot, now_ms = self._clock.boot(), self._clock.now_ms()
        old = clock_rules.standing(self.state.frame, boot, offset_ms)
        self.believed = clock_rules.judge(self._clock.witness(), now_ms, self.state.newest_ms, old)
        return ClockFrame(boot, offset_ms, self.believed.known, now_ms, old.confirmed_by if old else "")

    def _look_at_clock(self) -> None:
        """Has it stepped, has it become known? If so the rows are written anew, as they stand to it."""
        now = self._frame_now()
        state = "ready" if now.known else "degraded"
        self.teller.part_is("clock", state, self.believed.why_zh, self.believed.why_en)
        if not clock_rules.same(self.state.frame, now):
            self.alarms.clock_is(now.known)
            rows = self.alarms.rows_in(now.offset_ms)
            self._decide_quietly(lambda child, now_ms: clock_rules.adopted(child, now, rows, now_ms))

    def _note_time(self) -> None:
        """The newest time that was believed: a clock that says less at the next start is wrong."""
        if self.believed.known and self.state.frame is not None:
            frame = replace(self.state.frame, at_ms=self._clock.now_ms())
            self._decide_quietly(lambda _child, _now_ms: Decision(changes=[frame]))

    def _sweep(self) -> None:
        """Who has been silent for three of its own intervals?"""
        now_s = self._clock.monotonic_s()
        for device in list(self.state.devices.values()):
            if device.kind not in ("call_button", "bay_sensor") or device.every_ms <= 0:
                continue
            silent_s = now_s - self._seen_s.get(device.device_id, now_s)
            if silent_s <= things.MISSED * device.every_ms / 1000 and device.health != "offline":
                continue
            self._decide_quietly(_silence_of(device))

    def _decide_quietly(self, rule: Callable[[HallState, int], Decision]) -> bool:
        """A decision that no arrival asked for: a timer's. False: it could not be written; ask again later."""
        if not self._book_is_open():
            return False
        child = self.state.child()
        now_ms = self._clock.now_ms()
        decision = rule(child, now_ms)
        if not decision.changes:
            return True
        child.put(decision)
        decision = rules.with_panels(child, decision, self._panels, now_ms)
        child.put(decision)
        if not self._put_on_disk(decision.changes):
            return False
        self.state.absorb(child)
        self._tell(Batch([], now_ms, decision.changes, decision.effects))
        return True

    def _know_device(self, device_id: str, name: str) -> None:
        """A button that hall.toml names: it is ours, and asks for help at the desk."""

        def rule(state: HallState, now_ms: int) -> Decision:
            old = state.devices.get(device_id)
            if old is not None and old.name:
                return Decision()
            return Decision(
                changes=[Device(device_id, "hall_button", now_ms, now_ms, 0, "gpio", "", name, "help", name)]
            )

        self._decide_quietly(rule)

    def persist_seen(self) -> None:
        """Put "last seen" on disk for those who spoke since; a quarter of an hour of it may be lost."""
        changes: list[Change] = [
            self.state.devices[device_id] for device_id in self._unsaved if device_id in self.state.devices
        ]
        if not self._book_is_open():
            return
        spoken = self._unsaved
        changes += [bay for bay in self.state.bays.values() if bay.device_id in spoken]
        if self._put_on_disk(changes):
            self._unsaved = set()

    def _set_panels(self) -> None:
        """At start every panel's level is worked out anew: hall.toml may have changed."""

        def rule(state: HallState, now_ms: int) -> Decision:
            counts = bays.shown(state, self._panels, now_ms)
            return Decision(changes=list(counts), effects=list(counts))

        self._decide_quietly(rule)

    # ---------------------------------------------------------------- what others ask

    def snapshot(self) -> Json:
        """Everything a screen needs to begin with."""
        state = self.state
        shown = {**state.calls, **self._provisional}
        newest_closed = [call.call_id for call in shown.values() if call.state == "CLOSED"][-20:]
        return {
            "fact": "Snapshot",
            "rev": self.teller.rev,
            "epoch": self._epoch,
            "now_ms": self._clock.now_ms(),
            "calls": [
                call_json(call, written=call_id not in self._provisional)
                for call_id, call in sorted(shown.items())
                if call.state != "CLOSED" or call_id in newest_closed
            ],
            "zones": [zone_json(zone) for _, zone in sorted(state.zones.items())],
            "bays": [bay_json(bay) for _, bay in sorted(state.bays.items())],
            "devices": [device_json(device) for _, device in sorted(state.devices.items())],
            "panels": [panel_json(count) for _, count in sorted(state.shown.items())],
            "lamps": {call.device_id: calls.LAMP[call.state] for call in state.calls.values()},
            "parts": list(self.teller.parts.values()),
        }

    def statistics(self) -> Json:
        return {
            "turns": self.turns,
            "counts": dict(self.counts),
            "arrival_to_written": self.teller.written.as_json(),
            "arrival_to_told": self.teller.told.as_json(),
            "waiting_for_disk": len(self._unwritten),
            "waiting": {"urgent": len(self._urgent), "telemetry": len(self._telemetry)},
            "timers": self.alarms.as_json(),
            "clock": {"known": self.believed.known, "why": self.believed.why},
        }


def _silence_of(device: Device) -> Callable[[HallState, int], Decision]:
    def rule(state: HallState, now_ms: int) -> Decision:
        decision = things.fell_silent(state.devices.get(device.device_id, device), now_ms)
        bay = state.bays.get(device.bay_id) if device.bay_id else None
        if bay is not None:
            silent = bays.fell_silent(state, bay, now_ms)
            decision.changes += silent.changes
        return decision

    return rule


def _key(arrival: Arrival) -> tuple[str, str, str] | None:
    """What makes two held arrivals one: the press's own key, or the device whose state it is."""
    for fact in arrival.facts:
        if isinstance(fact, Pressed):
            return ("press", fact.device_id, fact.press_id) if fact.press_id else None
    return ("state", arrival.facts[0].device_id, "") if arrival.facts else None


def _notebook_words(wrong: NotWritten) -> tuple[str, str]:
    return (
        f"呼叫记录写不进去（{wrong.why_zh}）：呼叫仍会响，但指示灯不亮、不算已收到",
        f"{wrong}. Calls still ring from memory, lamps stay dark, nothing is acknowledged",
    )
