"""A second touch: the same item, the same screen, within 2 s, but another key. It gets the first one's ticket.

A double tap carries one key and is one ticket already (``tickets.key``). This is for the page that was loaded twice,
the finger that trembles over a reload: nobody takes two numbers for one thing within 2 s at one screen. Only screens
that name themselves are held to it; programs that take numbers for many people are not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

#: The plan of the queue: a second touch within 2 s.
WITHIN_MS = 2_000
#: Nobody repeats a touch of yesterday.
KEYS_KEPT_MS = 86_400_000
#: Numbers of one letter that all screens together may give within 2 s (our choice; a screen gives one).
LOOKED_AT = 20


def known(notebook: sqlite3.Connection, key: str) -> int | None:
    """The ticket with which this key was answered before, though another key took it."""
    row = notebook.execute("SELECT ticket_id FROM ticket_keys WHERE key = ?", (key,)).fetchone()
    return None if row is None else int(row[0])


def just_taken(
    notebook: sqlite3.Connection, day: str, prefix: str, codes: Sequence[str], screen: str, now_ms: int
) -> int | None:
    """The ticket that this screen has given for these items within the last 2 s."""
    for ticket_id, giver, state, taken_ms in notebook.execute(
        "SELECT ticket_id, screen, state, taken_ms FROM tickets WHERE business_day = ? AND prefix = ?"
        f" ORDER BY number DESC LIMIT {LOOKED_AT}",
        (day, prefix),
    ).fetchall():
        # A clock that was set back makes no second touch of what was taken "in the future".
        if giver == screen and 0 <= now_ms - taken_ms < WITHIN_MS and state != "CANCELLED":
            items = notebook.execute(
                "SELECT service_code FROM ticket_items WHERE ticket_id = ? ORDER BY seq", (ticket_id,)
            )
            if [code for (code,) in items] == list(codes):
                return int(ticket_id)
    return None


def keep(notebook: sqlite3.Connection, key: str, ticket_id: int, now_ms: int) -> None:
    """This key has that ticket from now on."""
    notebook.execute("DELETE FROM ticket_keys WHERE at_ms < ?", (now_ms - KEYS_KEPT_MS,))
    notebook.execute("INSERT INTO ticket_keys VALUES (?, ?, ?)", (key, ticket_id, now_ms))
