"""Who has spoken, and when. In memory: a heartbeat that were written each time would wear out the card.

50 devices' heartbeats committed every 30 s write 1.2 TB a year (measured, docs/measurements.md), so "last seen" goes
to disk every quarter of an hour. This is touched by every message, so it is a handful of plain fields.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.hall.sensing import Order

#: A compound has some hundreds of devices; a broken bridge that invents names has no end.
MOST_DEVICES = 20_000


class Presence:
    """One device's last word: ``seen_s`` monotonic, for judging silence; ``seen_ms`` wall time, for people."""

    __slots__ = ("by_distance", "door", "order", "read_s", "said", "seen_ms", "seen_s", "unread", "unsaved", "vitals")

    def __init__(self, seen_s: float, seen_ms: int) -> None:
        self.seen_s = seen_s
        self.seen_ms = seen_ms
        #: ``seen_s`` as it was reckoned from the notebook at the start; as long as they agree it has not spoken since
        self.read_s: float | None = None
        #: spoken since "last seen" was put on disk
        self.unsaved = False
        #: its last word, if nothing has happened to the device since: the same word again is a sign of life, no news
        self.said: tuple[object, ...] | None = None
        #: a door sensor's last word, open or shut; what it repeats by itself opens no door
        self.door: bool | None = None
        #: which of its words is the newest (hall/sensing.py); None: it numbers none
        self.order: Order | None = None
        #: it has told a distance: a word without one is then no echo
        self.by_distance = False
        #: words in a row that nobody could read (gateway/unread.py)
        self.unread = 0
        #: what it has said of itself since that was put on disk (gateway/vitals.py)
        self.vitals: dict[str, object] | None = None


class Presences:
    """All of them, by device."""

    def __init__(self) -> None:
        self._all: dict[str, Presence] = {}

    def of(self, device_id: str) -> Presence | None:
        return self._all.get(device_id)

    def begin(self, device_id: str, seen_s: float, seen_ms: int) -> Presence:
        """A device that the notebook knows, or that spoke for the first time."""
        one = self._all.get(device_id)
        if one is not None:
            # It has spoken already; whoever holds its record goes on with the same one.
            one.seen_s, one.seen_ms = max(one.seen_s, seen_s), max(one.seen_ms, seen_ms)
            return one
        one = Presence(seen_s, seen_ms)
        if len(self._all) < MOST_DEVICES:
            self._all[device_id] = one
        return one

    def known(self, device_id: str, now_s: float, now_ms: int) -> Presence:
        """Its record; a new one if it has none."""
        return self._all.get(device_id) or self.begin(device_id, now_s, now_ms)

    def heard(self, device_id: str, now_s: float, now_ms: int) -> None:
        """It spoke just now."""
        one = self.known(device_id, now_s, now_ms)
        one.seen_s, one.seen_ms, one.unsaved = now_s, now_ms, True

    def changed(self, device_id: str) -> None:
        """Something has happened to this device or its bay: whatever it says next is news."""
        one = self._all.get(device_id)
        if one is not None:
            one.said = None

    def owes(self, device_id: str) -> None:
        """Its newest word has turned nothing and still matters: it is to be put on disk within the minute."""
        one = self._all.get(device_id)
        if one is not None and one.order is not None:
            one.order.owes = True

    def worded(self, *, owed: bool) -> list[tuple[str, Order]]:
        """Those whose newest word is another than when it was put on disk; ``owed``: only those that owe it."""
        return [
            (device_id, order)
            for device_id, one in self._all.items()
            if (order := one.order) is not None and (order.owes or (not owed and order.number != order.kept))
        ]

    def all_anew(self) -> None:
        """Another notebook is open: what devices said to a hall that knew something else is news again."""
        for one in self._all.values():
            one.said = None

    def forget(self, device_id: str) -> None:
        """The hall does not know this device any more."""
        self.changed(device_id)
        self._all.pop(device_id, None)

    def spoken(self) -> list[tuple[str, Presence]]:
        """Those who have said something of themselves that is not on disk."""
        return [(device_id, one) for device_id, one in self._all.items() if one.vitals]

    def unsaved(self) -> Iterator[tuple[str, Presence]]:
        """Those whose "last seen" on disk is old."""
        return ((device_id, one) for device_id, one in self._all.items() if one.unsaved)
