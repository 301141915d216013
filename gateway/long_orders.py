"""Orders that take long: a plan of thousands of bays. A step a turn, so that a call never waits for more than one.

Theory of operation. Such an order does not go with the others. It is read step by step (hall/parking_map.py); what is
wrong with it is answered before anything is written. Then one row says that it is under way, and it is written piece by
piece, each a transaction of its own; the last one takes that row away, and only then is the order answered. Whoever is
killed in between goes on at the next start: it is all of the map, or nothing. What a turn does besides, it does first.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from devices.faults import OrderRefused
from gateway.arrival import Arrival
from gateway.hall import parking_map
from gateway.hall.fields import Fields
from gateway.hall.parking_rows import MapUnderWay
from gateway.hall.rows import Row, RowGone
from gateway.hall.state import Change, Decision, HallState
from gateway.log import say
from gateway.timers import MISTAKES, Clock
from gateway.views import Json, row_json

if TYPE_CHECKING:
    from gateway.loop import Loop

#: A notebook that refused is tried again, as the loop does.
RETRY_S = 1.0
#: Maps that wait for their turn: they come from one page, one by one.
MOST_WAITING = 4


class LongOrders:
    """The loop's thread only. ``waits``: there is something to do in the next turn."""

    def __init__(self, loop: Loop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._arrivals: deque[Arrival] = deque()
        self._reading: parking_map.Steps | None = None
        self._pieces: deque[list[Change]] = deque()
        self._answer: Json = {}
        self._not_before_s = 0.0

    @property
    def waits(self) -> bool:
        return bool(self._arrivals) and self._clock.monotonic_s() >= self._not_before_s

    def takes(self, arrival: Arrival) -> bool:
        """Whether this is such an order; then it is ours from here on."""
        if arrival.order != "put_map" or not parking_map.is_long(arrival.fields):
            return False
        if len(self._arrivals) >= MOST_WAITING:
            self._say(arrival, _refused("已有几份平面图在排队，请稍后再试", "other plans wait: try again later"))
        else:
            self._arrivals.append(arrival)
        return True

    def resume(self, state: HallState) -> None:
        """A notebook has been read: go on with the map that was under way when it was left."""
        self._reading, self._pieces = None, deque()
        now_ns, now_ms = self._clock.monotonic_ns(), self._clock.now_ms()
        for one in state.table(MapUnderWay).values():
            arrival = Arrival(now_ns, now_ms, "a map that was under way", order="put_map", fields=json.loads(one.words))
            self._arrivals.appendleft(arrival)

    def step(self) -> None:
        """One bounded piece of work."""
        if not self.waits:
            return
        arrival = self._arrivals[0]
        try:
            if self._pieces:
                self._write()
            else:
                self._read(arrival)
        except MISTAKES as wrong:
            # Above all not at each start anew.
            self._end(replace(arrival, answer=None), _refused("", f"{type(wrong).__name__}: {wrong}"))
            self._loop.set_aside(arrival, wrong)

    def _read(self, arrival: Arrival) -> None:
        if self._reading is None:
            now_ms = self._clock.now_ms()
            self._reading = parking_map.read_map(self._loop.state, Fields(arrival.fields), now_ms)
        try:
            next(self._reading)
        except StopIteration as done:
            self._reading = None
            self._begin_writing(arrival, done.value)
        except OrderRefused as refused:
            self._end(arrival, _refused(refused.why_zh, refused.why_en))

    def _begin_writing(self, arrival: Arrival, decision: Decision) -> None:
        first = next((one for one in decision.changes if isinstance(one, Row) and one.TOLD), None)
        self._answer = {"ok": True, "written": True} | ({"row": row_json(first)} if first is not None else {})
        self._pieces = deque(parking_map.pieces(decision))
        self._pieces.appendleft([parking_map.under_way(arrival.fields)])

    def _write(self) -> None:
        if not self._loop.decide(partial(_piece, self._pieces[0])):
            self._not_before_s = self._clock.monotonic_s() + RETRY_S
            return
        self._pieces.popleft()
        if not self._pieces:
            self._end(self._arrivals[0], self._answer)

    def _end(self, arrival: Arrival, words: Json) -> None:
        self._arrivals.popleft()
        self._reading, self._pieces = None, deque()
        if words["ok"] is not True and self._loop.state.table(MapUnderWay):
            # One that had passed, was half written and is now wrong: the hall has changed under it. It is let be.
            self._loop.decide(lambda _state, _now_ms: Decision(changes=[RowGone(MapUnderWay.TABLE, "map")]))
            say(
                "map_given_up",
                f"a plan of the car park that was being written when we stopped cannot be finished "
                f"({words['why_en']}): some of it is drawn already; hand it in again",
                level=logging.WARNING,
            )
        self._say(arrival, words)

    @staticmethod
    def _say(arrival: Arrival, words: Json) -> None:
        if arrival.answer is not None:
            arrival.answer(words)


def _piece(changes: list[Change], state: HallState, _now_ms: int) -> Decision:
    return Decision(changes=parking_map.still_true(state, changes))


def _refused(zh: str, en: str) -> Json:
    return {"ok": False, "fault": "refused", "why_zh": zh, "why_en": en}
