"""The herald's notebook: every write of the herald is here. The steps of a message are in office.py."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gateway.notebook import Notebook

SCHEMA = Path(__file__).with_name("schema")
#: How long what is over is kept. Our choice, as for print jobs: a quarter of a year answers every complaint.
KEEP_MS = 90 * 24 * 3600 * 1000
#: What is too old goes at a start, and once a day while the herald stays up.
TIDY_EVERY_MS = 24 * 3600 * 1000

State = Literal["waiting", "sending", "sent", "failed", "void"]


@dataclass(slots=True)
class Sending:
    """A message on its way. Address and text are gateway.db's, "" after a restart until it has been read again."""

    message_id: str
    created_ms: int
    state: State
    attempts: int = 0
    why: str = ""
    told: bool = False
    address: str = field(default="", repr=False)
    text: str = ""
    call_id: int = 0
    helper_id: str = ""
    turn: int = 0
    #: monotonic seconds: when it may be tried (again), and when an attempt is given up
    due_s: float = 0.0
    until_s: float = 0.0


@dataclass(slots=True)
class OpenReply:
    """A helper's "I come" that the gateway has not heard yet."""

    reply_id: int
    number: str
    token: str


class Sendings:
    """All questions to, and all writes of, herald.db.

    :param wall_ms: UTC milliseconds, for the rows.
    :raises NotWritten: from every writing method, when the disk refuses; nothing was changed then.
    """

    def __init__(self, notebook: Notebook, wall_ms: Callable[[], int]) -> None:
        self._notebook = notebook
        self._wall_ms = wall_ms
        self._tidied_ms = 0

    def begin(self, pid: int) -> tuple[list[Sending], int]:
        """After a start: what is on its way, and how many attempts nobody knows the end of (they are made again)."""
        now = self._wall_ms()

        def work(db: sqlite3.Connection) -> int:
            torn = db.execute("UPDATE sendings SET state = 'waiting' WHERE state = 'sending'").rowcount
            _tidy(db, now)
            db.execute("INSERT OR REPLACE INTO herald_alive VALUES (1, ?, ?, ?)", (pid, now, now))
            return torn

        torn = self._notebook.write(work)
        self._tidied_ms = now
        rows = self._notebook.connection.execute(
            "SELECT message_id, created_ms, state, attempts, why, told FROM sendings"
            " WHERE state = 'waiting' OR NOT told"
        )
        return [Sending(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows], torn

    def known(self, message_id: str, created_ms: int) -> Sending | None:
        """What is known of a message that is over for us."""
        row = self._notebook.connection.execute(
            "SELECT state, attempts, why, told FROM sendings WHERE message_id = ? AND created_ms = ?",
            (message_id, created_ms),
        ).fetchone()
        return None if row is None else Sending(message_id, created_ms, row[0], row[1], row[2], bool(row[3]))

    def put(self, sendings: Iterable[Sending], next_ms: int = 0) -> None:
        """As they are now, in one transaction."""
        now = self._wall_ms()
        rows = [
            (
                one.message_id,
                one.created_ms,
                one.address.partition(":")[0],
                one.state,
                one.attempts,
                next_ms,
                now,
                one.why,
                int(one.told),
            )
            for one in sendings
        ]
        if rows:
            self._notebook.write(
                lambda db: db.executemany(
                    "INSERT INTO sendings VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT(message_id) DO UPDATE SET"
                    " created_ms=excluded.created_ms, state=excluded.state, attempts=excluded.attempts,"
                    " next_ms=excluded.next_ms, changed_ms=excluded.changed_ms, why=excluded.why, told=excluded.told,"
                    " channel=CASE WHEN excluded.channel = '' THEN channel ELSE excluded.channel END",
                    rows,
                )
            )

    # ---------------------------------------------------------------- answers by SMS

    def reply_came(
        self, at_ms: int, number: str, text: str, helper_id: str, call_id: int, token: str, state: str
    ) -> int:
        """A short message that came in; its number. One that is there already is not written twice."""

        def work(db: sqlite3.Connection) -> int:
            same = db.execute(
                "SELECT reply_id FROM replies WHERE at_ms = ? AND number = ? AND text = ?",
                (at_ms, number, text),
            ).fetchone()
            if same is not None:
                return 0
            words = (at_ms, number, text[:500], helper_id, call_id, token, state)
            return (
                db.execute(
                    "INSERT INTO replies(at_ms, number, text, helper_id, call_id, token, state)"
                    " VALUES (?,?,?,?,?,?,?)",
                    words,
                ).lastrowid
                or 0
            )

        return self._notebook.write(work)

    def open_replies(self) -> list[OpenReply]:
        rows = self._notebook.connection.execute(
            "SELECT reply_id, number, token FROM replies WHERE state = 'open' ORDER BY reply_id"
        )
        return [OpenReply(*row) for row in rows]

    def reply_is(self, reply_id: int, state: str, why: str = "") -> None:
        self._notebook.write(
            lambda db: db.execute(
                "UPDATE replies SET state = ?, why = ? WHERE reply_id = ?", (state, why, reply_id)
            )
        )

    # ---------------------------------------------------------------- health

    def beat(self) -> None:
        """We are alive; and once a day what is too old goes."""
        now = self._wall_ms()
        # A clock that was set back must not keep it waiting.
        tidy = abs(now - self._tidied_ms) >= TIDY_EVERY_MS

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO herald_alive VALUES (1, ?, ?, ?)"
                " ON CONFLICT(one) DO UPDATE SET beat_ms = excluded.beat_ms",
                (os.getpid(), now, now),
            )
            if tidy:
                _tidy(db, now)

        self._notebook.write(work)
        if tidy:
            self._tidied_ms = now

    def modem_is(self, state: str, why_zh: str, why_en: str) -> None:
        self._notebook.write(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO modems VALUES ('sms', ?, ?, ?, ?)",
                (state, self._wall_ms(), why_zh, why_en),
            )
        )

    def no_modem(self) -> None:
        """hall.toml has none (any more)."""
        self._notebook.write(lambda db: db.execute("DELETE FROM modems"))

    def rest(self) -> None:
        self._notebook.rest()


def _tidy(db: sqlite3.Connection, now_ms: int) -> None:
    """What the gateway has heard of, and answers that are settled, a quarter of a year later."""
    db.execute("DELETE FROM sendings WHERE told AND changed_ms < ?", (now_ms - KEEP_MS,))
    db.execute("DELETE FROM replies WHERE state <> 'open' AND at_ms < ?", (now_ms - KEEP_MS,))
