"""A decision in the making: what is put into it is seen by whatever looks afterwards, before it is state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from gateway.hall.rows import Row, RowGone
from gateway.hall.state import Change, HallState, JournalLine, TimerGone, TimerSet

R = TypeVar("R", bound=Row)


class Draft:
    """What a rule has decided so far, over the state it decides on.

    :param before: what was decided already; it counts, and stands not in ``changes``.
    """

    def __init__(self, state: HallState, now_ms: int, before: Iterable[Change] = ()) -> None:
        self.state = state
        self.now_ms = now_ms
        self.changes: list[Change] = []
        self._rows: dict[str, dict[Any, Row | None]] = {}
        self._timers: dict[str, TimerSet | None] = {}
        #: (table, column) → value → keys of the rows that have or had it there; a key stays, its row is looked at
        self._found: dict[tuple[str, str], dict[Any, dict[Any, None]]] = {}
        for change in before:
            self._note(change)

    def put(self, *changes: Change) -> None:
        for change in changes:
            self._note(change)
            self.changes.append(change)

    def journal(self, event: str, subject: str, actor: str = "", detail: str = "") -> None:
        self.changes.append(JournalLine(self.now_ms, event, subject, actor, detail))

    def get(self, kind: type[R], key: Any) -> R | None:
        """That row as it is by now."""
        mine = self._rows.get(kind.TABLE, {})
        if key in mine:
            return mine[key]  # type: ignore[return-value]  # a row under its own table's name
        return self.state.table(kind).get(key)

    def rows(self, kind: type[R]) -> Iterator[R]:
        """All rows of a table as they are by now."""
        mine = dict(self._rows.get(kind.TABLE, {}))
        for key, row in list(self.state.table(kind).items()):
            if key not in mine:
                yield row
        for found in mine.values():
            if found is not None:
                yield found

    def having(self, kind: type[R], column: str, value: Any) -> Iterator[R]:
        """The rows with that value, as they are by now. The table is walked once, however often it is asked."""
        found = self._found.get((kind.TABLE, column))
        if found is None:
            found = self._found[kind.TABLE, column] = {}
            for row in self.rows(kind):
                found.setdefault(getattr(row, column), {})[row.key] = None
        for key in list(found.get(value, ())):
            now = self.get(kind, key)
            if now is not None and getattr(now, column) == value:
                yield now

    def timer(self, timer_id: str) -> TimerSet | None:
        return self._timers[timer_id] if timer_id in self._timers else self.state.timer(timer_id)

    def lapse(self, timer_id: str, kind: str, subject: str, after_ms: int) -> None:
        """Let something happen when so much time has passed."""
        self.put(TimerSet(timer_id, kind, subject, self.now_ms, max(0, after_ms)))

    def appoint(self, timer_id: str, kind: str, subject: str, at_ms: int) -> None:
        """Let something happen when the wall clock says so."""
        self.put(TimerSet(timer_id, kind, subject, self.now_ms, max(0, at_ms - self.now_ms), by_wall=True))

    def disarm(self, timer_id: str) -> None:
        if self.timer(timer_id) is not None:
            self.put(TimerGone(timer_id))

    def _note(self, change: Change) -> None:
        match change:
            case Row():
                self._rows.setdefault(change.TABLE, {})[change.key] = change
                for (table, column), found in self._found.items():
                    if table == change.TABLE:
                        found.setdefault(getattr(change, column), {})[change.key] = None
            case RowGone():
                self._rows.setdefault(change.table, {})[change.key] = None
            case TimerSet():
                self._timers[change.timer_id] = change
            case TimerGone():
                self._timers[change.timer_id] = None
            case _:
                pass
