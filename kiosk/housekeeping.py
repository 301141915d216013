"""What is tidied while nobody is there: days that are over are counted; old tickets, voices and names are forgotten.

Theory of operation. One thread looks whether anybody wrote during the last second; if nobody did, it does one small
piece (some milliseconds of the writer) and looks again. A busy hall is never tidied beside its touches; it is at night.
Nothing here is urgent, nothing depends on it: a report counts a day itself that is not counted yet. A kill at any
moment leaves a piece whole or undone, for each is one transaction.
"""

from __future__ import annotations

import logging
import sqlite3
from datetime import datetime

from devices.faults import NotWritten
from gateway.log import say_once
from kiosk import parking_history, queue_figures
from kiosk.core import Core
from kiosk.queue_reports import ReportFailed
from kiosk.requests import keeping
from kiosk.rounds import Rounds
from kiosk.rules.retention import Bounds, bounds

#: Between two looks; also how long nobody may have written before a piece is done.
LOOK_S = 1.0
#: Where there was nothing to do, or the notebook could not be used.
REST_S = 60.0
#: Tickets forgotten in one piece: some 10 ms of the writer with all that hangs on them.
TICKETS_A_PIECE = 50
#: Rows of ``serves`` that are let go in one piece: some 5 ms.
SERVES_A_PIECE = 1000

#: What hangs on a ticket, in the order in which it may go. The ticket itself is last.
_OF_A_TICKET = (
    "DELETE FROM slip_verdicts WHERE slip_id IN (SELECT slip_id FROM slips WHERE ticket_id = ?)",
    "UPDATE slips SET reprint_of = NULL WHERE reprint_of IN (SELECT slip_id FROM slips WHERE ticket_id = ?)",
    "DELETE FROM slips WHERE ticket_id = ? AND slip_id < (SELECT max(slip_id) FROM slips)",
    "DELETE FROM announcements WHERE ticket_id = ?",
    "DELETE FROM estimates WHERE ticket_id = ?",
    "DELETE FROM ticket_items WHERE ticket_id = ?",
    "DELETE FROM appointments WHERE ticket_id = ?",
    "DELETE FROM call_keys WHERE ticket_id = ?",
    "DELETE FROM ticket_keys WHERE ticket_id = ?",
    "DELETE FROM journal WHERE ticket_id = ?",
    "DELETE FROM tickets WHERE ticket_id = ?",
)


class Housekeeping(Rounds):
    """The thread that tidies while nobody is there."""

    def __init__(self, core: Core) -> None:
        super().__init__("housekeeping", LOOK_S)
        self._core = core
        self._commits = -1

    def round(self) -> float:
        if self._core.writer.commits != self._commits:
            self._commits = self._core.writer.commits
            return LOOK_S  # somebody is there
        wait_s = REST_S
        try:
            if tidy(self._core):
                wait_s = LOOK_S
        except (OSError, ReportFailed, sqlite3.Error) as wrong:  # NotWritten is an OSError; notes are files
            say_once(
                f"housekeeping:{type(wrong).__name__}",
                "housekeeping_waits",
                f"the kiosk's notebook cannot be tidied just now ({wrong}): tickets, calls and figures go on; "
                "it is tried again every minute",
                level=logging.WARNING,
            )
        self._commits = self._core.writer.commits
        return wait_s


def tidy(core: Core) -> bool:
    """One small piece of work; False where there is none.

    :raises NotWritten: the notebook cannot be read or written; nothing is half done.
    :raises ReportFailed: the car park's days could not be counted; they are when somebody asks, or in a minute.
    """
    reader = core.reader()
    clock_day = datetime.fromtimestamp(core.now_ms() / 1000, core.zone).date()
    newest = str(reader.execute("SELECT coalesce(max(business_day), '') FROM tickets").fetchone()[0])
    # A day may still get rows while it is the newest one, whatever the clock says.
    day = queue_figures.next_to_close(reader, min(newest or "9999", clock_day.isoformat()))
    if day is not None:
        return _close(core, day)
    if not clock_is_known(core):
        return False
    known = bounds(clock_day, newest)
    tickets = core.writer.write(lambda notebook: forget(notebook, known))
    return tickets or keeping.tidy(core) or _close_parking(core)


def _close_parking(core: Core) -> bool:
    """The car park's days that are over, counted by a child: a year's moves are no work for this process."""
    timezone, now_ms = core.house.plan.hall.timezone, core.now_ms()
    try:
        gateway = core.gateway_reader()
    except NotWritten:
        return False  # no gateway has ever run here
    if not parking_history.anything_to_close(core.reader(), gateway, timezone, now_ms):
        return False
    wanted = parking_history.WantedClosed(str(core.house.gateway_db), timezone, now_ms)
    rows = parking_history.rows_by_child(core.house.kiosk_db, wanted)
    core.writer.write(lambda notebook: parking_history.close(notebook, rows))
    return bool(rows)


def clock_is_known(core: Core) -> bool:
    """Whether the gateway believes the wall clock: a wrong one must not make us forget. Nobody there: not known."""
    heard = core.link.snapshot()
    states = [part.get("state") for part in heard.get("parts", []) if part.get("part") == "clock"]
    return bool(heard["connected"]) and "degraded" not in states


def _close(core: Core, day: str) -> bool:
    """Counted by this thread, on a reader; the writer only writes the result down."""
    reader = core.reader()
    rows = queue_figures.day_rows(reader, day)
    counted = sum(int(str(row[3 + place])) for row in rows if row[1] == "all" for place in range(4))

    def work(notebook: sqlite3.Connection) -> bool:
        now = notebook.execute("SELECT count(*) FROM serves WHERE business_day = ?", (day,)).fetchone()[0]
        if now == counted:  # else a row came meanwhile: next time
            queue_figures.close_day(notebook, rows)
        return True

    return core.writer.write(work)


def forget(notebook: sqlite3.Connection, older: Bounds) -> bool:
    """Forget a few of the oldest; False where nothing is old enough.

    The newest ticket and the newest slip stay, whatever their age: their numbers must not be given again.
    """
    tickets = notebook.execute(
        "SELECT ticket_id FROM tickets WHERE business_day < ? AND ticket_id < (SELECT max(ticket_id) FROM tickets)"
        " ORDER BY business_day LIMIT ?",
        (older.tickets_before, TICKETS_A_PIECE),
    ).fetchall()
    for (ticket_id,) in tickets:
        for statement in _OF_A_TICKET[:-1]:
            notebook.execute(statement, (ticket_id,))
        # The newest slip of all may hang on it and stays; it no longer says whose it was.
        notebook.execute("UPDATE slips SET ticket_id = NULL, body = '{}' WHERE ticket_id = ?", (ticket_id,))
        notebook.execute(_OF_A_TICKET[-1], (ticket_id,))
    gone = len(tickets)
    gone += notebook.execute(
        "DELETE FROM appointments WHERE business_day < ? AND ticket_id IS NULL", (older.tickets_before,)
    ).rowcount
    if not gone:
        gone = notebook.execute(
            "DELETE FROM serves WHERE serve_id IN (SELECT serve_id FROM serves WHERE business_day < ? AND EXISTS"
            " (SELECT 1 FROM serve_days WHERE serve_days.business_day = serves.business_day) LIMIT ?)",
            (older.serves_before, SERVES_A_PIECE),
        ).rowcount
    return gone > 0
