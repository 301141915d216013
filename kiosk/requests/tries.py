"""Wrong query codes: five lock whoever typed them for a minute, also across a restart."""

from __future__ import annotations

import sqlite3

from flask import request

from kiosk import answers
from kiosk.core import Core
from kiosk.rules.requests import locked_ms


def asker() -> str:
    """Whoever types now, at the screen that stands in the address."""
    return answers.asker(request.args.get("screen", "kiosk-1"))


def rest_ms(core: Core, who: str) -> int:
    """How long this asker waits; 0: not at all."""
    return _rest(core.reader(), who, core.now_ms())


def wrong(core: Core, who: str) -> int:
    """Write down a wrong code; how long this asker has to wait now.

    :raises NotWritten: the disk refuses. Then no code is answered: one that cannot count must not let anybody guess.
    """
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> int:
        if not (rest := _rest(notebook, who, now_ms)):  # else two came at once, and the other one was the fifth
            notebook.execute("INSERT INTO wrong_codes(asker, at_ms) VALUES (?, ?)", (who[:64], now_ms))
            rest = _rest(notebook, who, now_ms)
        return rest

    return core.writer.write(work)


def _rest(notebook: sqlite3.Connection, who: str, now_ms: int) -> int:
    # All that are kept (a day's): five count together, and a look back that begins within a five counts its rest anew.
    found = notebook.execute("SELECT at_ms FROM wrong_codes WHERE asker = ?", (who[:64],))
    return locked_ms((int(one[0]) for one in found), now_ms)
