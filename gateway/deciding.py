"""Deciding: from what arrived to what is to be written and told. The rules themselves are pure and live in ``hall/``.

What is here is what they cannot know: that a press waited for the disk, that the notebook remembers a press of long
ago, that of many zones' changes in a batch the panels need only the last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from devices.faults import OrderRefused
from devices.messages import BayHeard, BaySettled, DeviceSeen, Pressed, Released
from devices.plan import Panel
from gateway.arrival import Arrival
from gateway.hall import calls, rules, showing
from gateway.hall.parking_rows import Entrance, SiteSaid, WordOrder
from gateway.hall.rows import Row
from gateway.hall.state import Bay, BayMove, Decision, Device, HallState, Settling, Zone
from gateway.notebook import Notebook
from gateway.presence import MOST_DEVICES, Presences
from gateway.store import find_press, newest_press
from gateway.teller import Batch
from gateway.timers import Clock
from gateway.views import Json, bay_json, call_json, device_json, row_json, zone_json

#: Moves of one bay kept in an hour: a car that comes and goes every minute. 500 such bays fill 0.4 GB a year.
MOVES_AN_HOUR = 120


class Decider:
    """Asks the rules, in order, for each fact and order of a batch."""

    def __init__(
        self,
        book: Notebook,
        panels: Sequence[Panel],
        clock: Clock,
        presences: Presences,
        counts: Counter[str],
        waits_for: Callable[[str], bool],
    ) -> None:
        self._book = book
        self._panels = panels
        self._clock = clock
        self._presences = presences
        self._counts = counts
        self._waits_for = waits_for
        #: device_id -> (boot, seq) of its newest press, on disk or heard since
        self._newest: dict[str, tuple[str, int]] = {}
        #: candidates that have begun to be settled and are not yet timed (gateway/settling.py)
        self.settling: list[Settling] = []
        #: device_id -> the running hour, and how many moves its bay has made in it
        self._moves: dict[str, tuple[int, int]] = {}

    def batch(self, batch: Batch, state: HallState) -> None:
        """Decide all of it on ``state``; what is to be written, told and answered is put into ``batch``."""
        for arrival in batch.arrivals:
            if arrival.order:
                batch.answers.append((arrival, self._obey(arrival, state, batch)))
                continue
            for fact in arrival.facts:
                decision = self.fact(fact, arrival, state)
                state.put(decision)
                batch.changes += decision.changes
                batch.effects += decision.effects
                if decision.duplicate:
                    self._counts["press_copies"] += 1
                    redelivered = isinstance(fact, Pressed) and fact.redelivered
                    if decision.call is not None and not redelivered:
                        # A lamp shows the newest call, also where a press of an older one came again.
                        newest = state.newest_call.get(decision.call.device_id, 0)
                        batch.copies.append(state.calls.get(newest, decision.call))
        self.panels_follow(batch, state, batch.now_ms)
        self.words_follow(batch, state)

    def fact(self, fact: rules.Fact, arrival: Arrival, state: HallState) -> Decision:
        """What one fact means; nothing is changed but the memory of keys."""
        if isinstance(fact, Pressed | Released):
            # A press that had to wait for the disk keeps the time at which it came, and says that it is late.
            waited_ms = max(0, self._clock.now_ms() - arrival.arrived_ms)
            if waited_ms > calls.DELAYED_MS:
                fact = replace(fact, age_ms=fact.age_ms + waited_ms)
            key = (fact.device_id, fact.press_id)
            # A press of long ago may come again (a device that was in a drawer): the notebook remembers it.
            if (
                fact.press_id
                and key not in state.presses
                and not self._surely_new(fact)
                and (old := find_press(self._book.connection, *key)) is not None
            ):
                state.presses[key] = old
        elif isinstance(fact, DeviceSeen) and not fact.offline:
            self._presences.heard(fact.device_id, arrival.arrived_ns / 1e9, arrival.arrived_ms)
        decision = rules.decide(state, fact, arrival.arrived_ms, arrival.every_ms)
        for quiet in decision.quiet:
            if isinstance(quiet, Settling) and quiet.wanted:
                if quiet.counted:
                    # The same word again is no mere sign of life: it is one reading more.
                    self._presences.changed(quiet.device_id)
                if quiet.readings == 1:
                    self.settling.append(quiet)
            elif isinstance(quiet, Settling):
                # A lorry has passed. After a crash its word, said again, would be a car.
                self._presences.owes(quiet.device_id)
        if isinstance(fact, BayHeard | BaySettled) and decision.changes:
            self._bound_history(fact.device_id, arrival, decision)
        return decision

    def _bound_history(self, device_id: str, arrival: Arrival, decision: Decision) -> None:
        """A flapping sensor would fill the card with moves that no car has made: beyond some they are only counted, and
        history says that nobody knows. Else it would end in whichever state was kept last."""
        hour = arrival.arrived_ns // 3_600_000_000_000
        known, count = self._moves.get(device_id, (hour, 0))
        moves = [change for change in decision.changes if isinstance(change, BayMove)]
        if known != hour:
            count = 0
        if count >= MOVES_AN_HOUR and moves:
            decision.changes = [change for change in decision.changes if not isinstance(change, BayMove)]
            self._counts["moves_not_kept"] += len(moves)
            if count == MOVES_AN_HOUR:
                decision.changes.append(replace(moves[-1], state="unknown"))
        if len(self._moves) > MOST_DEVICES:
            self._moves.clear()
        self._moves[device_id] = (hour, count + len(moves))

    def panels_follow(self, decided: Batch | Decision, state: HallState, now_ms: int) -> None:
        """The panels that add the zones up follow in the same transaction, once for all that was decided."""
        if showing.concerned(decided.changes):
            follows = showing.follow(state, self._panels, now_ms)
            decided.changes += follows.changes
            decided.effects += follows.effects
            state.put(follows)

    def words_follow(self, decided: Batch | Decision, state: HallState) -> None:
        """Whoever has turned something: which word was its newest goes to disk in the same transaction."""
        turned = {
            change.device_id: None
            for change in decided.changes
            if isinstance(change, Bay | Entrance | SiteSaid) and change.device_id
        }
        rows = [row for device_id in turned if (row := self.word_of(device_id, state)) is not None]
        if rows:
            decided.changes += rows
            state.put(Decision(changes=[*rows]))

    def word_of(self, device_id: str, state: HallState) -> WordOrder | None:
        """Its newest word, where that is not on disk. None, too, while a word of its is read and not decided."""
        presence = self._presences.of(device_id)
        if presence is None or presence.order is None or self._waits_for(device_id):
            return None
        row = presence.order.row(device_id)
        return None if row == state.table(WordOrder).get(device_id) else row

    def _surely_new(self, fact: Pressed | Released) -> bool:
        """Our own buttons count on: a number above all that the notebook holds of this life need not be looked up.

        The look-up costs 12 us, more when the page is cold. We begin with what is on disk, not with what is heard
        first: after a restart the broker may bring an old press, and then a newer one that was written long since.
        """
        if fact.family != "linli":
            return False
        boot, _, seq = fact.press_id.rpartition(":")
        if not boot or not seq.isdecimal():
            return False
        number, (known_boot, newest) = int(seq), self._newest.get(fact.device_id, ("", -1))
        if known_boot != boot:
            on_disk = None if self._book.trouble else newest_press(self._book.connection, fact.device_id, boot)
            if on_disk is None:
                return False
            newest = on_disk
            if len(self._newest) > MOST_DEVICES:
                self._newest.clear()
        self._newest[fact.device_id] = (boot, max(number, newest))
        return number > newest

    def forget(self) -> None:
        """Another notebook is open, or the same one anew: what is on disk is asked for again."""
        self._newest.clear()

    def _obey(self, arrival: Arrival, state: HallState, batch: Batch) -> Json:
        try:
            decision = rules.obey(state, arrival.order, arrival.fields, batch.now_ms)
        except OrderRefused as refused:
            return {"ok": False, "fault": "refused", "why_zh": refused.why_zh, "why_en": refused.why_en}
        state.put(decision)
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
                case Row() if decision.call is None and change.TOLD and "row" not in answer:
                    # The row that the order is about comes first; what follows from it (a ladder's messages) later.
                    answer["row"] = row_json(change)
        return answer
