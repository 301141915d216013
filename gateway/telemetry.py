"""The lane of telemetry: what devices say of themselves and of bays, kept small however much it is.

Of a device's messages between two commits only transitions are history and only the last is state (conflation), so
the cost of a message falls with their rate. Measured on 500 bays: 10,000 updates written one by one in one
transaction take 23.9 ms, conflated 2.35 ms.

Three sieves, in the order of their price:

1. a device over its budget is not looked at message by message: only its newest one is kept, unread, and read when
   the next batch is due (counted, and said aloud);
2. a message that says what the device said last is a sign of life and nothing else (``Entrance``);
3. a step that changes nothing but numbers takes the place of the step before it (here).

Nothing here is dropped that would be the hall's state: the newest word of every device always comes through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

from devices.messages import (
    Answered,
    BayHeard,
    BaySettled,
    CarsCounted,
    DeviceSeen,
    PathSeen,
    SiteHeard,
    Stirred,
)
from gateway.arrival import Arrival
from gateway.hall.rules import Fact

#: Devices decided in one batch: some 2 ms of deciding and writing (measured, 30 us each) …
DEVICES_A_BATCH = 64
DEVICE_NS = 30_000
#: … or, on a slow disk, as many as take a quarter of what its commit takes; and never more than this, 20 ms.
MOST_DEVICES_A_BATCH = 640
#: Transitions kept of one device between two commits. A bay on which a car comes and goes twenty times within the
#: 250 ms that a commit may wait is a broken sensor; its last word is kept all the same.
MOST_STEPS = 20
#: Commits of telemetry take at most a tenth of the disk's time …
PAUSE_PER_COMMIT = 10
#: … are at least this far apart, so that there is something to conflate; a first one after a pause waits for nothing …
SHORTEST_PAUSE_NS = 10_000_000
#: … and never further apart than this: a panel at the gate may be this much behind.
LONGEST_PAUSE_NS = 250_000_000


class Telemetry:
    """What waits for its commit, by device, oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Arrival]] = {}
        self._unread: list[Callable[[], None]] = []
        self._last_batch_ns = -LONGEST_PAUSE_NS
        #: steps that took the place of an older one, and steps beyond MOST_STEPS
        self.conflated = 0
        #: the disk refuses: of each device only the newest word is kept, because what is kept is unacknowledged, and
        #: the broker lends only so many such messages
        self.squeezed = False

    def __len__(self) -> int:
        return len(self._waiting) + len(self._unread)

    def waits_for(self, device_id: str) -> bool:
        """Whether something that this device said has been read and not been decided."""
        return device_id in self._waiting

    def read_later(self, read: Callable[[], None]) -> None:
        """Something whose reading was put off until the next batch; ``read`` puts it here."""
        self._unread.append(read)

    def put(self, arrival: Arrival) -> None:
        """One more word of a device."""
        steps = self._waiting.get(arrival.source)
        if steps is None:
            self._waiting[arrival.source] = [arrival]
            return
        last = steps[-1]
        if _counts_cars(arrival.facts):
            # Each is so many cars; a counter speaks once a minute, and once is not twice.
            steps.append(arrival)
            return
        same = _kind(last.facts) == _kind(arrival.facts)
        if same or self.squeezed or len(steps) >= MOST_STEPS:
            # It stands for both: the newest words, the wait of the older one.
            self.conflated += 1
            arrival.arrived_ns = last.arrived_ns
            if arrival.every_ms is None:
                arrival.every_ms = last.every_ms
            if not same:
                arrival.facts = _both(last.facts, arrival.facts)
            steps[-1] = arrival
            if last.ack is not None:
                last.ack()
        else:
            steps.append(arrival)

    def due_in_s(self, now_ns: int, commit_ns: float) -> float | None:
        """Seconds until the next batch may go; None: nothing waits. ``commit_ns``: what a commit costs these days."""
        if not self._waiting and not self._unread:
            return None
        pause = min(LONGEST_PAUSE_NS, max(SHORTEST_PAUSE_NS, PAUSE_PER_COMMIT * commit_ns))
        return max(0.0, (self._last_batch_ns + pause - now_ns) / 1e9)

    def waits_too_long(self, now_ns: int) -> bool:
        """Whether the last batch was so long ago that the next one waits for nobody."""
        return now_ns - self._last_batch_ns >= LONGEST_PAUSE_NS

    def take(self, now_ns: int, commit_ns: float) -> list[Arrival]:
        """The next batch: those who have waited longest."""
        unread, self._unread = self._unread, []
        for read in unread:
            read()
        batch: list[Arrival] = []
        devices = min(MOST_DEVICES_A_BATCH, max(DEVICES_A_BATCH, int(commit_ns / 4 / DEVICE_NS)))
        for device_id in list(islice(self._waiting, devices)):
            steps = self._waiting.pop(device_id)
            if len(steps) > devices:  # a counter that floods, whose words are never conflated: the rest goes on after
                self._waiting[device_id] = steps[devices:]  # the others
            batch += steps[:devices]
        if not self._waiting:
            # Only then: a backlog is worked off batch by batch, with a look at the doors between them.
            self._last_batch_ns = now_ns
        return batch

    def put_back(self, batch: list[Arrival]) -> None:
        """It could not be written: it waits again, before whatever has come since; squeezed, if that is called for."""
        newer, self._waiting = self._waiting, {}
        for steps in (batch, *newer.values()):
            for arrival in steps:
                self.put(arrival)


def _both(older: tuple[Fact, ...], newer: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """The newer facts, with what they leave out: a heartbeat takes no car away, a bay's state no battery."""
    facts = list(newer)
    for said in older:
        again = next((place for place, fact in enumerate(facts) if type(fact) is type(said)), None)
        if again is None:
            facts.append(said)
            continue
        fact = facts[again]
        if isinstance(fact, DeviceSeen) and isinstance(said, DeviceSeen):
            battery_pct = said.battery_pct if fact.battery_pct is None else fact.battery_pct
            battery_mv = said.battery_mv if fact.battery_mv is None else fact.battery_mv
            facts[again] = replace(
                fact, model=fact.model or said.model, battery_pct=battery_pct, battery_mv=battery_mv
            )
    return tuple(facts)


def _counts_cars(facts: tuple[Fact, ...]) -> bool:
    return any(isinstance(fact, CarsCounted) for fact in facts)


def _kind(facts: tuple[Fact, ...]) -> tuple[object, ...]:
    """What makes a step a transition: whether the bay is taken, whether the device is there and well."""
    kind: list[object] = []
    for fact in facts:
        if isinstance(fact, DeviceSeen):
            kind += [fact.offline, fact.fault, fact.model, fact.battery_pct is None]
            kind += [fact.battery_low, fact.battery_mv is None]
        elif isinstance(fact, BayHeard):
            kind += ["bay", fact.occupied]
        elif isinstance(fact, Stirred):
            kind.append("stirred")
        elif isinstance(fact, Answered | PathSeen | BaySettled | CarsCounted | SiteHeard):
            kind.append(fact)
    return tuple(kind)
