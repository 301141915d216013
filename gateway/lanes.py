"""The lane of calls and orders: served first, and fair, so that one device cannot keep the others waiting.

A button that is stuck or hostile may press a thousand times a second. None of its presses is dropped (each is
written and answered "written"), but of one source at most ``SHARE`` go into a turn, so that whoever else presses waits
for one short turn and not for all of them.
"""

from __future__ import annotations

from collections import deque

from gateway.arrival import Arrival

#: Of one device or visitor in one turn. Sixteen presses are more than any finger makes while a slow card syncs.
SHARE = 16
#: In one turn together: a commit of 100 rows costs 0.6 ms, one of 1,000 rows 5 ms (measured); a burst from a whole
#: compound is split into commits of some 2 ms.
MOST_A_TURN = 256


class UrgentLane:
    """Calls and orders in the order they came."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Arrival]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, arrival: Arrival) -> None:
        self._count += 1
        source = arrival.source
        mine = self._waiting.get(source)
        if mine is None:
            self._waiting[source] = deque((arrival,))
        else:
            mine.append(arrival)

    def take(self) -> list[Arrival]:
        """What is decided in this turn. Who got its share and has more waits behind the others."""
        batch: list[Arrival] = []
        for source in list(self._waiting):
            mine = self._waiting.pop(source)
            batch += [mine.popleft() for _ in range(min(SHARE, len(mine)))]
            if mine:
                self._waiting[source] = mine
            if len(batch) >= MOST_A_TURN:
                break
        self._count -= len(batch)
        # Within the turn the order of arrival is the order of the hall: a call closed and pressed again stays so.
        batch.sort(key=_arrived)
        return batch


def _arrived(arrival: Arrival) -> int:
    return arrival.arrived_ns
