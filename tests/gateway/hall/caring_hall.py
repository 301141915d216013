"""A hall on paper for the stories of visits and silence: the clock is a number we hold, the rules are the real ones."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from devices.messages import DeviceSeen, Pressed, Stirred
from gateway.hall import caring, timers
from gateway.hall.days import DAY_MS, HOUR_MS, day_of
from gateway.hall.rows import Helper, Message, Person, Row, RowGone, Visit
from gateway.hall.rules import decide, obey
from gateway.hall.state import ClockFrame, Decision, Device, HallState, JournalLine

SHANGHAI = ZoneInfo("Asia/Shanghai")


def ms(word: str, zone: tzinfo = SHANGHAI) -> int:
    return int(datetime.fromisoformat(word).replace(tzinfo=zone).timestamp() * 1000)


class Hall:
    """A hall on paper. Orders and facts go in; :meth:`until` lets time pass and everything that is due happen."""

    def __init__(self, now: str = "2026-11-02T10:00", zone: tzinfo = SHANGHAI) -> None:
        self.state = HallState(zone=zone, frame=ClockFrame("boot", 0, True, 0))
        self.now_ms = ms(now, zone)
        self.journal: list[JournalLine] = []
        self.written = 0
        #: all rows that ever were, as the notebook keeps them
        self.book: dict[tuple[str, object], Row] = {}

    def _did(self, decision: Decision) -> Decision:
        self.state.begin()
        self.state.put(decision)
        self.state.keep()
        self.written += bool(decision.changes)
        for change in decision.changes:
            if isinstance(change, JournalLine):
                self.journal.append(change)
            elif isinstance(change, Row):
                self.book[change.TABLE, change.key] = change
            elif isinstance(change, RowGone):
                self.book.pop((change.table, change.key), None)
        return decision

    def order(self, name: str, /, **fields: object) -> Decision:
        return self._did(obey(self.state, name, fields, self.now_ms))

    def row(self, *rows: Row | RowGone) -> None:
        """Rows as the console's orders make them; what follows is decided as with any order."""
        decision = Decision(changes=list(rows))
        caring.follow(self.state, decision, self.now_ms)
        self._did(decision)

    def person(self, person_id: str = "p-1", **more: object) -> Person:
        old = self.state.table(Person).get(person_id) or Person(person_id, "张奶奶", grid="g1", building="3")
        person = Person(**{**{name: getattr(old, name) for name in Person.__slots__}, **more})
        self.row(person)
        return person

    def stir(self, device: str = "pir-1", person: str = "p-1") -> Decision:
        self.state.devices[device] = Device(device, "call_button", 0, 0, 0, person_id=person)
        return self._did(decide(self.state, Stirred(device), self.now_ms))

    def until(self, moment: str | int) -> None:
        """Time passes; each timer fires at its moment, as the loop's heap would let it."""
        end_ms = ms(moment, self.state.zone) if isinstance(moment, str) else moment
        while True:
            waiting = sorted(self.state.timers.values(), key=lambda one: one.due_ms)
            if not waiting or waiting[0].due_ms > end_ms:
                break
            self.now_ms = max(self.now_ms, waiting[0].due_ms)
            self._did(timers.due(self.state, waiting[0].timer_id, self.now_ms))
        self.now_ms = end_ms

    def after(self, *, days: float = 0, hours: float = 0) -> None:
        self.until(self.now_ms + round(days * DAY_MS + hours * HOUR_MS))

    def restart(self) -> None:
        """The process dies: what is written comes back, what is quiet does not."""
        state = HallState(zone=self.state.zone, frame=self.state.frame, timers=dict(self.state.timers))
        state.devices.update(self.state.devices)
        for row in self.book.values():
            if not row.settled:
                state.tables[row.TABLE][row.key] = row
        state.newest_ms = max([line.at_ms for line in self.journal] or [0])
        self.state = state

    @property
    def visits(self) -> list[Visit]:
        found = [row for row in self.book.values() if isinstance(row, Visit)]
        return sorted(found, key=lambda one: (one.opened_ms, one.visit_id))

    @property
    def open(self) -> list[tuple[str, str, str]]:
        """reason, state, last day on which it is in time."""
        return [
            (one.reason, one.state, day_of(self.state.zone, one.due_ms - 1).isoformat())
            for one in self.visits
            if not one.settled
        ]

    @property
    def messages(self) -> list[tuple[str, str]]:
        """Those of visits; an emergency's own ladder has others."""
        found = [row for row in self.book.values() if isinstance(row, Message) and not row.call_id]
        return [(one.helper_id, one.text) for one in found]


HELPERS = (
    Helper("grid-1", "李网格", "grid", grid="g1", channels=("sms:1",)),
    Helper("grid-2", "王网格", "grid", grid="g2", channels=("sms:2",)),
    Helper("head-3", "赵楼长", "building", building="3", channels=("sms:3", "wecom:3")),
    Helper("sec", "钱书记", "secretary", channels=("sms:4",)),
)


def press(hall: Hall, press_id: str = "a:1") -> None:
    hall.state.devices["btn-1"] = Device("btn-1", "call_button", 0, 0, 0, person_id="p-1")
    hall._did(decide(hall.state, DeviceSeen("btn-1", "linli"), hall.now_ms))
    hall._did(decide(hall.state, Pressed("btn-1", press_id, family="linli"), hall.now_ms))
