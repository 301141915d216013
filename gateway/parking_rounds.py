"""The car park's rounds: entrances against bays, who stands too long, dead sensors, what devices say of themselves.

By the wall clock where it is known: how long a car stands outlives the process. In pieces, as all rounds (rounds.py).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gateway.hall import map_care, reckoning, vitals
from gateway.hall.parking_rows import BayPlan, Gap, ParkingTask, Site, Vitals
from gateway.hall.state import Change, Decision, HallState
from gateway.timers import Clock

if TYPE_CHECKING:
    from gateway.loop import Loop

#: How often entrances are reckoned and stays are looked at: a car in a fire lane is told of within a minute and this.
LOOK_S = 5.0
#: How often dead sensors are looked for: they are judged by days.
STUCK_S = 3600.0
#: How often plan and bays are compared: some milliseconds for 5,000 bays.
MAP_S = 60.0
#: Vitals are put on disk this often, so many rows in one transaction; the others in the next turns.
VITALS_S, VITALS_AT_ONCE = 15 * 60, 100
#: Words that turned nothing and must not come back (a lorry that passed, a join) are put on disk this often.
OWED_S = 60.0
#: An absence that is known to have been shorter is none for the history: as often the notebook is told that we are
#: there (rounds.py, PERSIST_SEEN_S), and a minute.
GAP_MS = (15 * 60 + 60) * 1000


class ParkingRounds:
    """What the loop does for the car park by the clock."""

    def __init__(self, loop: Loop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        #: when we began, monotonic; None: how long we were away has been noted
        self._began_s: float | None = clock.monotonic_s()
        loop.timers.every(LOOK_S, self._note_gap)
        loop.timers.every(LOOK_S, self._look)
        loop.timers.every(STUCK_S, self._look_for_dead)
        #: subject → since when plan and bays have not agreed, monotonic
        self._apart_since_s: dict[str, float] = {}
        loop.timers.every(MAP_S, self._look_at_map)
        loop.timers.every(VITALS_S, self.persist_vitals)
        loop.timers.every(VITALS_S, self.persist_words)
        loop.timers.every(OWED_S, partial(self.persist_words, owed=True))

    def _note_gap(self) -> None:
        """How long we were away, once, as soon as the clock is believed: a Pi may wake in another year."""
        loop, began_s = self._loop, self._began_s
        if began_s is None or not loop.rounds.believed.known:
            return
        came_ms = self._clock.now_ms() - round((self._clock.monotonic_s() - began_s) * 1000)
        bays = (bay.since_ms for bay in loop.state.bays.values() if bay.since_ms <= came_ms)
        went_ms = max(loop.state.newest_ms, max(bays, default=0))
        if went_ms and loop.state.bays and came_ms - went_ms > GAP_MS:
            changes: list[Change] = [Gap(went_ms, came_ms)]
            if (frame := loop.state.frame) is not None:  # from here on we are there, however soon we go again
                changes.append(replace(frame, at_ms=self._clock.now_ms()))
            if not loop.decide(lambda _state, _now_ms: Decision(changes=changes)):
                return  # the disk refuses: tried again
        self._began_s = None

    def _look(self) -> None:
        loop = self._loop
        if not (loop.state.bays or loop.state.table(Site)) or not loop.rounds.believed.known:
            return
        loop.decide(reckoning.drifts)
        loop.decide(reckoning.overfull)
        loop.decide(reckoning.stays)

    def _look_for_dead(self) -> None:
        if self._loop.rounds.believed.known:
            self._loop.decide(reckoning.stuck)

    def _look_at_map(self) -> None:
        loop, now_s = self._loop, self._clock.monotonic_s()
        has_tasks = any(task.kind == "map" for task in loop.state.table(ParkingTask).values())
        if not (has_tasks or loop.state.table(BayPlan)) or loop.long_orders.waits:
            return
        found = map_care.faults(loop.state)
        self._apart_since_s = {one: self._apart_since_s.get(one, now_s) for one in found}
        long = [one for one, since_s in self._apart_since_s.items() if now_s - since_s >= map_care.LONG_MS / 1000]
        if (long or has_tasks) and loop.rounds.believed.known:
            due = {one: found[one] for one in long}
            loop.decide(lambda state, now_ms: map_care.judged(state.child(), due, found, now_ms))

    def persist_vitals(self) -> None:
        """Put on disk what devices have said of themselves, where it is news."""
        loop = self._loop
        said = [one for one in loop.presences.spoken() if one[0] in loop.state.devices]
        some = said[:VITALS_AT_ONCE]

        def rule(state: HallState, now_ms: int) -> Decision:
            known = state.table(Vitals)
            rows = [vitals.after(known.get(name), name, one.vitals or {}, now_ms) for name, one in some]
            return Decision(changes=[row for row in rows if row is not None])

        if not loop.decide(rule):
            return
        for _, one in some:
            one.vitals = None
        if len(said) > VITALS_AT_ONCE:
            loop.timers.at(self._clock.monotonic_s(), self.persist_vitals)

    def persist_words(self, *, owed: bool = False) -> None:
        """Put on disk which word of each device is its newest, where none of its moves has done so."""
        loop = self._loop
        worded = [one for one in loop.presences.worded(owed=owed) if one[0] in loop.state.devices]
        said = [
            one
            for one in worded
            if not loop.telemetry.waits_for(one[0])
            # What is being settled dies with us: its word is to count if it comes again.
            and not _is_settling(loop.state, one[0])
        ]
        some = said[:VITALS_AT_ONCE]
        rows = [row for device_id, _ in some if (row := loop.word_of(device_id)) is not None]
        if rows and not loop.decide(lambda _state, _now_ms: Decision(changes=[*rows])):
            return
        for _, order in some:
            order.kept, order.owes = order.number, False
        if len(said) > VITALS_AT_ONCE:
            loop.timers.at(self._clock.monotonic_s(), partial(self.persist_words, owed=owed))
        elif owed and any(loop.telemetry.waits_for(device_id) for device_id, _ in worded):
            # Its word is decided with the next batch; what it owes is not to wait for the next minute.
            loop.timers.at(self._clock.monotonic_s() + 1.0, partial(self.persist_words, owed=True), "words owed")


def _is_settling(state: HallState, device_id: str) -> bool:
    settling = state.settling.get(device_id)
    return settling is not None and settling.wanted != ""
