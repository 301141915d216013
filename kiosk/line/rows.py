"""Tickets as rows: reading them, the hall's day, the rules that the hall has set."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from devices.faults import OrderRefused
from kiosk import windows
from kiosk.core import Core
from kiosk.rules import queue
from kiosk.rules.policy import Policy, read_policy
from kiosk.rules.queue import Ticket

#: In the order of `Ticket`'s own fields.
FIELDS = (
    "ticket_id, business_day, prefix, number, service_code, token, lang, screen, state, lane, lane_why, window_id,"
    " rank, overtaken, taken_ms, waits_ms, called_ms, began_ms, calls, changed_ms"
)


def ticket_of(row: Any) -> Ticket:
    return Ticket(*row)


def by_id(notebook: sqlite3.Connection, ticket_id: int) -> Ticket:
    """A ticket of any day.

    :raises OrderRefused: there is none.
    """
    row = notebook.execute(f"SELECT {FIELDS} FROM tickets WHERE ticket_id = ?", (ticket_id,)).fetchone()
    if row is None:
        raise OrderRefused("没有这个号", "There is no such ticket")
    return ticket_of(row)


def of_today(core: Core, notebook: sqlite3.Connection, ticket_id: int, now_ms: int) -> Ticket:
    """A ticket that something may still happen to.

    :raises OrderRefused: there is none, or it is of another day.
    """
    ticket = by_id(notebook, ticket_id)
    queue.check_day(ticket, today(core, notebook, now_ms))
    return ticket


def in_line(notebook: sqlite3.Connection, day: str, codes: Collection[str] | None = None) -> list[Ticket]:
    """Everybody who waits, by place; for these items alone, where some are named."""
    named = "" if codes is None else f" AND service_code IN ({', '.join('?' * len(codes))})"
    rows = notebook.execute(
        f"SELECT {FIELDS} FROM tickets INDEXED BY tickets_in_line"
        f" WHERE business_day = ? AND state = 'WAITING'{named} ORDER BY rank, ticket_id",
        (day, *(codes or ())),
    )
    return [ticket_of(row) for row in rows]


def at_window(notebook: sqlite3.Connection, day: str, window_id: str) -> Ticket | None:
    """Who is being called or served there."""
    row = notebook.execute(
        f"SELECT {FIELDS} FROM tickets WHERE business_day = ? AND window_id = ? AND state IN ('CALLED', 'SERVING')",
        (day, window_id),
    ).fetchone()
    return None if row is None else ticket_of(row)


def items_of(notebook: sqlite3.Connection, ticket_id: int) -> list[tuple[int, str, str]]:
    """(seq, service_code, state) of each item, in the order in which they are to be done."""
    return [
        (int(row[0]), str(row[1]), str(row[2]))
        for row in notebook.execute(
            "SELECT seq, service_code, state FROM ticket_items WHERE ticket_id = ? ORDER BY seq", (ticket_id,)
        )
    ]


def open_items(notebook: sqlite3.Connection, ticket: Ticket) -> list[str]:
    """What is still to be done after the present item."""
    found = [code for _, code, state in items_of(notebook, ticket.ticket_id) if state == "open"]
    if ticket.service_code in found:
        found.remove(ticket.service_code)
    return found


def today(core: Core, notebook: sqlite3.Connection, now_ms: int) -> str:
    """The hall's business day; it never goes back."""
    last = notebook.execute("SELECT max(business_day) FROM tickets").fetchone()[0]
    return queue.business_day(now_ms, core.zone, last or "")


def begin_day(core: Core, notebook: sqlite3.Connection, now_ms: int) -> str:
    """As `today`, in the writer: the first order after midnight clears away what yesterday left open."""
    day = today(core, notebook, now_ms)
    kept = notebook.execute("SELECT value FROM meta WHERE key = 'line_day'").fetchone()
    if kept is None or kept[0] != day:
        notebook.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('line_day', ?)", (day,))
        notebook.execute(
            "DELETE FROM meta WHERE key = 'came_ms'"
        )  # a new line: who came last was of yesterday's
        windows.end_yesterday(core, notebook, day)
        notebook.execute("UPDATE signs SET text = '', blink = 0, since_ms = ? WHERE text <> ''", (now_ms,))
    return day


def came(notebook: sqlite3.Connection, now_ms: int) -> int:
    """When somebody who comes now counts as having come, ms: not before who came last (``meta.came_ms``)."""
    kept = notebook.execute("SELECT value FROM meta WHERE key = 'came_ms'").fetchone()
    latest = max(now_ms, 0 if kept is None else int(kept[0]))
    notebook.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('came_ms', ?)", (str(latest),))
    return latest


def policy_of(notebook: sqlite3.Connection) -> Policy:
    """The rules as the hall has set them."""
    return read_policy(
        {str(row[0]): str(row[1]) for row in notebook.execute("SELECT key, value FROM queue_policy")}
    )


def count_ahead(
    notebook: sqlite3.Connection, day: str, codes: Sequence[str], ticket: Ticket | None
) -> int:
    """As `queue.ahead_of`, counted by SQLite (a test compares the two): a long line must not slow a touch.

    :param ticket: who asks; None: somebody who would come now.
    """
    if not codes:
        return 0  # no window serves the item any more: it has no line (and SQLite has no plan for "IN ()")
    rank, ticket_id = (_LAST, _LAST) if ticket is None else queue.place(ticket)
    marks = ", ".join("?" * len(codes))
    where = f"WHERE business_day = ? AND state = 'WAITING' AND service_code IN ({marks})"
    before, olds = notebook.execute(
        f"SELECT count(*), total(lane = 'priority') FROM tickets INDEXED BY tickets_in_line {where}"
        " AND (rank, ticket_id) < (?, ?)",
        (day, *codes, rank, ticket_id),
    ).fetchone()
    later = 0
    if ticket is not None and ticket.lane == "normal":  # only elders overtake, and who has just come has few behind
        later = notebook.execute(
            f"SELECT count(*) FROM tickets INDEXED BY tickets_in_line {where}"
            " AND (rank, ticket_id) > (?, ?) AND lane = 'priority'",
            (day, *codes, rank, ticket_id),
        ).fetchone()[0]
    counts = {(True, True): int(olds), (False, True): int(before - olds), (True, False): int(later)}
    if ticket is None:
        return queue.ahead_by_lane("normal", 0, counts, policy_of(notebook))
    return queue.ahead_by_lane(ticket.lane, ticket.overtaken, counts, policy_of(notebook))


#: Stands behind everybody: SQLite's integers end at 2**63.
_LAST = 2**62
