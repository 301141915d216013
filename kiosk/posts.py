"""At which post each member of staff stands. Alone reads and writes the table ``posts`` of kiosk.db.

The posts' words are the console's (kiosk/console/menu.py); a word that is no post any more is no post.
"""

from __future__ import annotations

import sqlite3

from kiosk.core import Core


def post_of(connection: sqlite3.Connection, staff_id: int) -> str:
    """ "" where nobody has chosen one."""
    row = connection.execute("SELECT post FROM posts WHERE staff_id = ?", (staff_id,)).fetchone()
    return "" if row is None else str(row[0])


def set_post(core: Core, staff_id: int, post: str) -> None:
    """``post`` "": none; signing in leads to the overview."""
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> None:
        if post:
            notebook.execute(
                "INSERT INTO posts VALUES (?, ?, ?)"
                " ON CONFLICT(staff_id) DO UPDATE SET post = excluded.post, set_ms = excluded.set_ms",
                (staff_id, post, now_ms),
            )
        else:
            notebook.execute("DELETE FROM posts WHERE staff_id = ?", (staff_id,))

    core.writer.write(work)
