"""One step and everything that it changes, written so that undo can take all of it back.

Within one transaction an `Act` keeps the image of each row before it is touched, and the rows it has added; its line
in the journal carries both. The line also says how the ticket is afterwards, so that the journal alone tells the whole
life of every ticket (``rules/retelling.py``).

What undo does not take back: the journal itself, the keys of answered orders, what the voice has already said.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devices.faults import OrderRefused
from kiosk import windows
from kiosk.core import Core
from kiosk.line import rows
from kiosk.rules import queue
from kiosk.rules.queue import Ticket
from kiosk.voice import asking

Row = dict[str, Any]

#: table → (its key, the columns that a step may change). Nothing else is ever put back.
_IMAGED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "tickets": (("ticket_id",), queue.CHANGING),
    "ticket_items": (("ticket_id", "seq"), ("service_code", "state")),
    "windows": (("window_id",), ("priority_run",)),
    "signs": (("sign",), ("window_id", "text", "blink", "since_ms")),
}
#: table → its key, and what must still hold for an added row to go again.
_ADDED: dict[str, tuple[str, str]] = {
    "serves": ("serve_id", ""),
    "announcements": ("announcement_id", " AND state = 'waiting'"),  # what was said was said
    "window_spans": ("span_id", " AND closed_ms IS NULL"),
}


@dataclass
class Act:
    """A step under way, in the writer's transaction."""

    core: Core
    notebook: sqlite3.Connection
    by: str
    now_ms: int
    #: everybody whose ticket is another now, for the screens
    touched: list[Ticket] = field(default_factory=list)
    #: windows that are open now and were not, for the screens
    opened: list[str] = field(default_factory=list)
    _images: list[Row] = field(default_factory=list)
    _added: list[tuple[str, int]] = field(default_factory=list)
    _overtook: list[int] = field(default_factory=list)

    # ---------------------------------------------------------------- changing

    def change(self, before: Ticket, after: Ticket) -> Ticket:
        """Write a ticket as it is now.

        :raises OrderRefused: the window has somebody else already (one_person_at_a_window).
        """
        self._keep("tickets", ticket_id=before.ticket_id)
        put = ", ".join(f"{name} = ?" for name in queue.CHANGING)
        try:
            self.notebook.execute(
                f"UPDATE tickets SET {put} WHERE ticket_id = ?",
                (*(getattr(after, name) for name in queue.CHANGING), after.ticket_id),
            )
        except sqlite3.IntegrityError as wrong:
            raise OrderRefused(
                "这个窗口正在办理另一个号，请先办结", "This window is serving another number; finish it first"
            ) from wrong
        self.touched.append(after)
        return after

    def item(self, ticket_id: int, code: str, state: str) -> None:
        """The first open item of this code is done, or dropped; or a new one is open."""
        items = rows.items_of(self.notebook, ticket_id)
        if state == "open":
            seq = max((one[0] for one in items), default=0) + 1
            self._images.append({"table": "ticket_items", "key": [ticket_id, seq], "row": None})
            self.notebook.execute("INSERT INTO ticket_items VALUES (?, ?, ?, 'open')", (ticket_id, seq, code))
            return
        seq = next((one[0] for one in items if one[1] == code and one[2] == "open"), 0)
        if seq:
            self._keep("ticket_items", ticket_id=ticket_id, seq=seq)
            self.notebook.execute(
                "UPDATE ticket_items SET state = ? WHERE ticket_id = ? AND seq = ?", (state, ticket_id, seq)
            )

    def drop_items(self, ticket_id: int) -> None:
        """Nobody will do what is left of it."""
        for seq, _, state in rows.items_of(self.notebook, ticket_id):
            if state == "open":
                self._keep("ticket_items", ticket_id=ticket_id, seq=seq)
                self.notebook.execute(
                    "UPDATE ticket_items SET state = 'dropped' WHERE ticket_id = ? AND seq = ?",
                    (ticket_id, seq),
                )

    def run(self, window_id: str, lane: str) -> None:
        """How many of the priority lane the window has called since the last normal one."""
        self._keep("windows", window_id=window_id)
        self.notebook.execute(
            "UPDATE windows SET priority_run = iif(?, priority_run + 1, 0) WHERE window_id = ?",
            (lane == "priority", window_id),
        )

    def overtake(self, ticket_ids: list[int]) -> None:
        """These were there before, and are called later."""
        self._overtook += ticket_ids
        self.notebook.executemany(
            "UPDATE tickets SET overtaken = overtaken + 1 WHERE ticket_id = ?", [(one,) for one in ticket_ids]
        )

    def open_window(self, window_id: str) -> None:
        """A call at a closed window opens it."""
        span_id = windows.open_here(self.core, self.notebook, window_id, self.by, self.now_ms)
        if span_id is not None:
            self._added.append(("window_spans", span_id))
            self.opened.append(window_id)
            windows.note(self.notebook, self.now_ms, self.by, "opened", window_id, "call")

    def serve(self, ticket: Ticket, outcome: str) -> None:
        """An item of a ticket came to an end: one row for the figures. ``ticket``: as it was just before."""
        told = None
        if not self.notebook.execute(
            "SELECT 1 FROM serves WHERE ticket_id = ?", (ticket.ticket_id,)
        ).fetchone():
            # What was told when the number was taken was told of its first item.
            told = self.notebook.execute(
                "SELECT low_ms, mid_ms, high_ms FROM estimates WHERE ticket_id = ?", (ticket.ticket_id,)
            ).fetchone()
        hour = datetime.fromtimestamp(ticket.waits_ms / 1000, self.core.zone).hour
        served = None if outcome in ("no_show", "cancelled") else queue.served_ms(ticket, self.now_ms)
        cursor = self.notebook.execute(
            "INSERT INTO serves(ticket_id, business_day, hour, service_code, window_id, lane, outcome, wait_ms,"
            " service_ms, told_low_ms, told_ms, told_high_ms, ended_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                ticket.ticket_id,
                ticket.business_day,
                hour,
                ticket.service_code,
                ticket.window_id or "",
                ticket.lane,
                outcome,
                queue.waited_ms(ticket, self.now_ms),
                served,
                *(tuple(told) if told is not None else (None, None, None)),
                self.now_ms,
            ),
        )
        self._added.append(("serves", int(cursor.lastrowid or 0)))

    def announce(self, ticket: Ticket) -> None:
        """The hall's voice will say it: in the call's own transaction, so that no call is forgotten."""
        window = windows.windows_now(self.core, self.notebook).window(ticket.window_id)
        if window is None:
            return
        category = next(
            (one.id for one in self.core.catalogue.categories if one.ticket_prefix == ticket.prefix), ""
        )
        number = (category, ticket.prefix, ticket.number, window.number, ticket.lang)
        for made in asking.ask(self.notebook, ticket.ticket_id, *number, self.now_ms):
            self._added.append(("announcements", made))

    def sign(self, window_id: str | None, text: str, blink: bool = False) -> None:
        """What the LED sign above the window shows: a level."""
        window = windows.windows_now(self.core, self.notebook).window(window_id)
        if window is None or not window.sign:
            return
        self._keep("signs", sign=window.sign)
        self.notebook.execute(
            "INSERT INTO signs(sign, window_id, text, blink, since_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT(sign)"
            " DO UPDATE SET window_id = excluded.window_id, text = excluded.text, blink = excluded.blink,"
            " since_ms = excluded.since_ms",
            (window.sign, window.id, text, blink, self.now_ms),
        )

    def _keep(self, table: str, **key: Any) -> None:
        """Remember a row as it is, once."""
        values = list(key.values())
        if any(one["table"] == table and one["key"] == values for one in self._images):
            return
        names, columns = _IMAGED[table]
        where = " AND ".join(f"{name} = ?" for name in names)
        row = self.notebook.execute(
            f"SELECT {', '.join(columns)} FROM {table} WHERE {where}", values
        ).fetchone()
        self._images.append({"table": table, "key": values, "row": None if row is None else list(row)})

    # ---------------------------------------------------------------- the journal

    def write(self, event: str, ticket: Ticket, **more: Any) -> None:
        """The step's own line; it carries all that undo needs."""
        before = {"images": self._images, "added": self._added, "overtook": self._overtook}
        if self._overtook:
            more["overtook"] = self._overtook
        journal(self.notebook, self.now_ms, self.by, event, ticket, before, more)

    def write_with(self, event: str, ticket: Ticket, main: Ticket) -> None:
        """The line of a second ticket that the same step has changed: undo goes by the main one's."""
        journal(self.notebook, self.now_ms, self.by, event, ticket, {"with": main.ticket_id}, {})


def journal(
    notebook: sqlite3.Connection, now_ms: int, by: str, event: str, ticket: Ticket, before: Row, more: Row
) -> None:
    """One line: how the ticket is now, and what undo goes back to."""
    detail = {
        "number": ticket.spelled,
        **{name: getattr(ticket, name) for name in queue.CHANGING},
        "items": rows.items_of(notebook, ticket.ticket_id),
        **more,
    }
    notebook.execute(
        'INSERT INTO journal(at_ms, "by", event, ticket_id, before, detail) VALUES (?, ?, ?, ?, ?, ?)',
        (now_ms, by, event, ticket.ticket_id, json.dumps(before), json.dumps(detail, ensure_ascii=False)),
    )


# ---------------------------------------------------------------- taking back


def undo(core: Core, notebook: sqlite3.Connection, ticket_id: int, by: str, now_ms: int) -> list[Ticket]:
    """Take back the last step of a ticket: in all tables everything is as before. Answers who was touched, first the
    ticket itself.

    :raises OrderRefused: there is nothing to undo, it is too late, or somebody else is in the way.
    """
    ticket = rows.of_today(core, notebook, ticket_id, now_ms)
    last = _last(notebook, ticket_id)
    if last is not None and "with" in last["before"]:  # another ticket's call has finished this one
        last = _after(notebook, int(last["before"]["with"]), int(last["entry_id"]))
    event, at_ms = (last["event"], last["at_ms"]) if last is not None else ("", now_ms)
    queue.check_fresh(ticket, event, at_ms, now_ms, rows.policy_of(notebook).undo_within_ms)
    assert last is not None  # an event that can be taken back has a line
    images, main = last["before"]["images"], int(last["ticket_id"])
    touched = [int(one["key"][0]) for one in images if one["table"] == "tickets"]
    for one in {*touched, main}:
        newest = _last(notebook, one)
        if newest is not None and newest["entry_id"] > last["entry_id"]:
            raise OrderRefused(
                f"{rows.by_id(notebook, one).spelled} 后来又有操作，请先撤销那一步",
                f"{rows.by_id(notebook, one).spelled} has moved on since: undo that step first",
            )
    # Who was called leaves the window before who was served returns to it.
    try:
        for image in sorted(images, key=lambda one: one["table"] != "tickets" or one["key"][0] != main):
            _put_back(notebook, image)
    except sqlite3.IntegrityError as wrong:
        raise OrderRefused(
            "这个窗口正在办理另一个号，请先办结", "This window is serving another number; finish it first"
        ) from wrong
    for table, row_id in last["before"]["added"]:
        key, still = _ADDED[table]
        notebook.execute(f"DELETE FROM {table} WHERE {key} = ?{still}", (row_id,))
    notebook.executemany(
        "UPDATE tickets SET overtaken = overtaken - 1 WHERE ticket_id = ?",
        [(one,) for one in last["before"]["overtook"]],
    )
    back = [rows.by_id(notebook, one) for one in dict.fromkeys([ticket_id, main, *touched])]
    for ticket in back:
        if (
            ticket.state in queue.AT_WINDOW
            and ticket.window_id
            and windows.open_here(core, notebook, ticket.window_id, by, now_ms)
        ):  # it was closed since: somebody stands there again
            windows.note(notebook, now_ms, by, "opened", ticket.window_id, "undo")
    for ticket in back:
        more = {"undoes": last["entry_id"]}
        if ticket.ticket_id == main and last["before"]["overtook"]:
            more["overtook_not"] = last["before"]["overtook"]
        journal(notebook, now_ms, by, "undo", ticket, {}, more)
    return back


def _put_back(notebook: sqlite3.Connection, image: Row) -> None:
    table, key, row = image["table"], image["key"], image["row"]
    names, columns = _IMAGED[table]
    where = " AND ".join(f"{name} = ?" for name in names)
    if row is None:
        notebook.execute(f"DELETE FROM {table} WHERE {where}", key)
        return
    put = ", ".join(f"{name} = ?" for name in columns)
    notebook.execute(f"UPDATE {table} SET {put} WHERE {where}", (*row, *key))


_ENTRY = "SELECT entry_id, at_ms, event, ticket_id, before FROM journal WHERE ticket_id = ?"


def _last(notebook: sqlite3.Connection, ticket_id: int) -> Row | None:
    return _entry(notebook.execute(f"{_ENTRY} ORDER BY entry_id DESC LIMIT 1", (ticket_id,)).fetchone())


def _after(notebook: sqlite3.Connection, ticket_id: int, entry_id: int) -> Row | None:
    return _entry(
        notebook.execute(
            f"{_ENTRY} AND entry_id > ? ORDER BY entry_id LIMIT 1", (ticket_id, entry_id)
        ).fetchone()
    )


def _entry(row: Any) -> Row | None:
    if row is None:
        return None
    entry_id, at_ms, event, ticket_id, before = tuple(row)
    kept = json.loads(before)
    if event not in ("taken", "undo") and "images" not in kept and "with" not in kept:
        event = ""  # written by an earlier Linli, in another form: it cannot be taken back
    return {"entry_id": entry_id, "at_ms": at_ms, "event": event, "ticket_id": ticket_id, "before": kept}
