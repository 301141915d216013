"""What waits for the disk: presses that could not be written, kept in order, alarmed from memory.

Staff hear them (``written: false``), no lamp is lit, nothing is acknowledged. Orders are not kept: whoever gave one is
standing there and is told at once. Telemetry waits in its own lane.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from devices.messages import Pressed
from gateway.arrival import Arrival
from gateway.hall.state import Call, HallState
from gateway.teller import Teller


class Held:
    """The presses that are not on disk, and the calls that staff see because of them."""

    def __init__(self, counts: Counter[str], teller: Teller) -> None:
        self._counts = counts
        self._teller = teller
        self._waiting: list[Arrival] = []
        self._news: list[Arrival] = []
        #: calls that exist in memory only, as they were shown to staff
        self.provisional: dict[int, Call] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Arrival]:
        return iter(self._waiting)

    def take(self) -> list[Arrival]:
        """All of them, to be tried again."""
        waiting, self._waiting, self._news = self._waiting, [], []
        return waiting

    def news(self) -> list[Arrival]:
        """Those kept since this was asked last."""
        news, self._news = self._news, []
        return news

    def keep(self, batch: list[Arrival]) -> None:
        """Keep presses; refuse orders; let go of copies."""
        waiting = {_key(arrival): arrival for arrival in self._waiting}
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
                waiting[key] = arrival
                self._waiting.append(arrival)
                self._news.append(arrival)
                continue
            self._counts["held_copies"] += 1
            original = waiting[key]
            redelivered = any(isinstance(fact, Pressed) and fact.redelivered for fact in arrival.facts)
            if arrival.ack is not None and (redelivered or original.ack is None):
                # The broker's own second sending, on a new line, is the original; and one that it will send again takes
                # the place of one that it will not. Acknowledged, it would be forgotten, and it is not on disk.
                original.ack = arrival.ack
            elif arrival.ack is not None:
                # The broker lends only so many unacknowledged messages; a copy must not use one up. The original stays
                # unacknowledged, and is what comes again if we die now.
                arrival.ack()

    def drop(self, arrival: Arrival) -> None:
        """This one cannot be decided: it waits no more."""
        self._waiting = [one for one in self._waiting if one is not arrival]

    def alarm(self, state: HallState, child: HallState) -> None:
        """``child`` is what the hall would be if they were written: whatever call is new or other there is shown."""
        # One more copy of a press that is written makes no call that is not.
        waiting = {
            call_id: call
            for call_id, call in child.calls.items()
            if (old := state.calls.get(call_id)) is None or replace(old, repeats=call.repeats) != call
        }
        news = [call for call_id, call in waiting.items() if call_id not in self.provisional]
        self.provisional = waiting
        self._teller.alarm_from_memory(news, child)


def _key(arrival: Arrival) -> tuple[str, str] | None:
    """A numbered press is known by its number, whichever way it came."""
    for fact in arrival.facts:
        if isinstance(fact, Pressed) and fact.press_id:
            return (fact.device_id, fact.press_id)
    return None
