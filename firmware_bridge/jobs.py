"""The bridge's notebook: jobs, the printers' and panels' health. Every write of the bridge is here.

The steps of a job go through ``spool.next_state``: what the table does not know cannot be written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.outbox import PrinterAct, Slip, Verdict
from firmware_bridge.spool import Event, State, allowed, next_state
from gateway.notebook import Notebook

SCHEMA = Path(__file__).with_name("schema")

#: With an empty notebook of our own we cannot know what was printed: slips older than this are not printed again
#: but kept as settled. Our choice: long enough for a bridge that starts after the kiosk, shorter than a day's queue.
STALE_AT_FIRST_SIGHT_MS = 60 * 60 * 1000
#: How long finished jobs are kept. Our choice: a quarter of a year answers "was it printed?" in every complaint.
KEEP_MS = 90 * 24 * 3600 * 1000
#: How long it is kept how a printer was: "how often was its cover open this year, and last?"
KEEP_MOVES_MS = 400 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Job:
    """One slip on its way to one printer."""

    job_id: int
    slip_id: int
    printer: str
    state: State
    attempts: int
    body: str
    #: The number of its latest sending, 0 before the first.
    sending: int = 0


_JOB = "job_id, slip_id, printer, state, attempts, body, sending"


class Jobs:
    """All questions to, and all writes of, bridge.db.

    :param wall_ms: UTC milliseconds, for the rows.
    :raises NotWritten: from every writing method, when the disk refuses; nothing was changed then.
    """

    def __init__(self, notebook: Notebook, wall_ms: Callable[[], int]) -> None:
        self._notebook = notebook
        self._wall_ms = wall_ms

    # ------------------------------------------------------------ reading

    def next_queued(self, printer: str) -> Job | None:
        """The oldest job that waits for ``printer``."""
        return self._one("printer = ? AND state = 'QUEUED' ORDER BY job_id LIMIT 1", printer)

    def torn_last(self, printer: str) -> Job | None:
        """The job that was being sent to ``printer`` when this bridge began anew, as long as nobody knows of it."""
        found = self._one("printer = ? AND sending > 0 ORDER BY sending DESC LIMIT 1", printer)
        return found if found is not None and found.state is State.UNSURE else None

    def mend_bytes(self, printer: str) -> int:
        row = self._notebook.connection.execute(
            "SELECT mend_bytes FROM printers WHERE printer = ?", (printer,)
        ).fetchone()
        return int(row[0]) if row else 0

    def meta(self, key: str) -> str:
        row = self._notebook.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def _one(self, where: str, *values: object) -> Job | None:
        row = self._notebook.connection.execute(f"SELECT {_JOB} FROM jobs WHERE {where}", values).fetchone()
        return Job(row[0], row[1], row[2], State(row[3]), row[4], row[5], row[6]) if row else None

    # ------------------------------------------------------------ starting

    def begin(self, printers: Iterable[str], panels: Iterable[str], pid: int) -> int:
        """After a start: who was SENDING is UNSURE, nobody's health is known. Gives the number of UNSURE jobs."""
        now = self._wall_ms()

        def work(db: sqlite3.Connection) -> int:
            torn = [row[0] for row in db.execute("SELECT job_id FROM jobs WHERE state = 'SENDING'")]
            for job_id in torn:
                self._step(
                    db,
                    job_id,
                    Event.RESTARTED,
                    "程序在打印中途重启：请看一下这张纸是否完整",
                    "restarted in the middle of it: please look whether the slip is whole",
                )
            for table, key, names in (("printers", "printer", set(printers)), ("panels", "panel", set(panels))):
                for (old,) in db.execute(f"SELECT {key} FROM {table}").fetchall():
                    if old not in names:
                        db.execute(f"DELETE FROM {table} WHERE {key} = ?", (old,))
                unasked = "unknown" if table == "printers" else "silent"
                for name in names:
                    db.execute(
                        f"INSERT INTO {table}({key}, state, since_ms, why_zh, why_en)"
                        f" VALUES (?, '{unasked}', ?, '刚启动，还没有回音', 'just started, no word from it yet')"
                        f" ON CONFLICT({key}) DO UPDATE SET state = excluded.state, since_ms = excluded.since_ms,"
                        " why_zh = excluded.why_zh, why_en = excluded.why_en",
                        (name, now),
                    )
            db.execute("INSERT OR REPLACE INTO bridge_alive VALUES (1, ?, ?, ?)", (pid, now, now))
            db.execute(
                "DELETE FROM jobs WHERE state IN ('PRINTED','SETTLED') AND changed_ms < ?", (now - KEEP_MS,)
            )
            db.execute("DELETE FROM printer_moves WHERE at_ms < ?", (now - KEEP_MOVES_MS,))
            return len(torn)

        return self._notebook.write(work)

    # ------------------------------------------------------------ taking in

    def meet_kiosk(self, epoch: str, restored_slip: int | None = None) -> None:
        """A kiosk.db seen for the first time: the very first one, or one restored from a backup.

        A restored one has its old slips in it, and its numbers of slips may begin again. So the jobs of the one
        before are put away, and the slips that the backup had in it are kept as settled: a restore prints no old slip.
        `linli restore` has written which these are (``restored_slip``); where a copy was put in place by hand, they are
        those that are not newer than the newest one we knew; an epoch that we have met tells such a copy. Where our own
        notebook had to be put aside as unreadable, slips from before this moment are UNSURE: they may lie on the floor
        already.
        """
        now = self._wall_ms()

        def work(db: sqlite3.Connection) -> None:
            stale_ms = now - STALE_AT_FIRST_SIGHT_MS
            if self.meta("kiosk_epoch"):
                newest = db.execute("SELECT MAX(created_ms) FROM jobs").fetchone()[0]
                stale_ms = newest if newest is not None else stale_ms
                lived = db.execute("SELECT 1 FROM old_jobs WHERE epoch = ? LIMIT 1", (epoch,)).fetchone()
                if restored_slip is not None and not lived and epoch != self.meta("kiosk_epoch"):
                    stale_ms = 0  # a clock that went backwards must keep no new slip from its paper
                db.execute("INSERT INTO old_jobs SELECT ?, * FROM jobs", (self.meta("kiosk_epoch"),))
                db.execute("DELETE FROM jobs")
            doubt_ms = now if self._notebook.quarantined else 0
            for key, value in (
                ("kiosk_epoch", epoch),
                ("last_slip_id", 0),
                ("last_verdict_id", 0),
                ("last_act_id", 0),
                ("old_slip_id", restored_slip or 0),
                ("stale_ms", stale_ms),
                ("doubt_ms", doubt_ms),
            ):
                _set(db, key, str(value))

        self._notebook.write(work)

    def take_in(self, slips: list[Slip]) -> None:
        """New slips become jobs, in one transaction. Those from before this bridge's time are not printed."""
        now = self._wall_ms()
        old_slip_id = int(self.meta("old_slip_id") or 0)
        stale_ms, doubt_ms = int(self.meta("stale_ms") or 0), int(self.meta("doubt_ms") or 0)

        def work(db: sqlite3.Connection) -> None:
            for slip in slips:
                state, why = "QUEUED", ("", "")
                if slip.slip_id <= old_slip_id or slip.created_ms <= stale_ms:
                    state, why = "SETTLED", ("旧单，不再打印", "an old slip, not printed again")
                elif slip.created_ms <= doubt_ms:
                    state, why = "UNSURE", ("打印记录损坏：请看是否已打印", "print records damaged: was it printed?")
                db.execute(
                    "INSERT OR IGNORE INTO jobs(slip_id, printer, state, created_ms, changed_ms, why_zh, why_en, body)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (slip.slip_id, slip.printer, state, slip.created_ms, now, *why, slip.body),
                )
            _set(db, "last_slip_id", str(slips[-1].slip_id))

        self._notebook.write(work)

    def take_dropped(self, slip: Slip) -> None:
        """A technician's test slip (``drop_box.py``) becomes a job; taken a second time it changes nothing."""
        self._notebook.write(
            lambda db: db.execute(
                "INSERT OR IGNORE INTO jobs(slip_id, printer, state, created_ms, changed_ms, body)"
                " VALUES (?, ?, 'QUEUED', ?, ?, ?)",
                (slip.slip_id, slip.printer, slip.created_ms, slip.created_ms, slip.body),
            )
        )

    def refuse_strangers(self, printers: set[str]) -> list[tuple[int, str]]:
        """Jobs for printers that hall.toml does not have fail, with words. Gives (slip, printer) of each."""
        strangers = [
            (int(row[0]), int(row[1]), str(row[2]))
            for row in self._notebook.connection.execute(
                "SELECT job_id, slip_id, printer FROM jobs WHERE state = 'QUEUED'"
            )
            if row[2] not in printers
        ]

        def work(db: sqlite3.Connection) -> None:
            for job_id, _, printer in strangers:
                self._step(
                    db,
                    job_id,
                    Event.BAD_SLIP,
                    f"hall.toml 里没有打印机 {printer}：请换一台重打",
                    f"hall.toml has no printer {printer!r}: print it anew on another",
                )

        if strangers:
            self._notebook.write(work)
        return [(slip_id, printer) for _, slip_id, printer in strangers]

    def hear_verdicts(self, verdicts: list[Verdict]) -> None:
        """Staff's word on jobs. One that comes too late or twice (it was printed after all) changes nothing."""
        words = {
            "printed": ("工作人员确认已打印", "staff: it was printed"),
            "reprinted": ("工作人员已重打一张", "staff: printed anew"),
            "given_up": ("工作人员取消", "staff: given up"),
        }

        def work(db: sqlite3.Connection) -> None:
            for verdict in verdicts:
                row = db.execute("SELECT job_id, state FROM jobs WHERE slip_id = ?", (verdict.slip_id,)).fetchone()
                if row and allowed(State(row[1]), Event.STAFF_SETTLED):
                    self._step(db, row[0], Event.STAFF_SETTLED, *words.get(verdict.verdict, ("", "")))
            _set(db, "last_verdict_id", str(verdicts[-1].verdict_id))

        self._notebook.write(work)

    # ------------------------------------------------------------ a job's steps

    def sending_number(self) -> int:
        """The next sending's number. They ascend over restarts: the printer's "done" is never taken for another's."""
        return int(self.meta("sendings") or 0) + 1

    def send_began(self, job: Job, number: int, mend_bytes: int) -> None:
        """When this returns, SENDING is on the disk, and so is what the printer may choke on if we die now."""

        def work(db: sqlite3.Connection) -> None:
            self._step(db, job.job_id, Event.SEND_BEGAN)
            db.execute(
                "UPDATE jobs SET attempts = attempts + 1, sending = ? WHERE job_id = ?", (number, job.job_id)
            )
            db.execute("UPDATE printers SET mend_bytes = ? WHERE printer = ?", (mend_bytes, job.printer))
            _set(db, "sendings", str(number))

        self._notebook.write(work)

    def said_done(self, job: Job, confirmed_by: str, mm: int = 0) -> None:
        """The printer's word. It may come late: what staff have settled meanwhile stays as they said.

        :param mm: how much paper it took.
        """
        now = self._wall_ms()

        def work(db: sqlite3.Connection) -> None:
            (state,) = db.execute("SELECT state FROM jobs WHERE job_id = ?", (job.job_id,)).fetchone()
            if State(state) is not State.SETTLED:
                self._step(db, job.job_id, Event.SAID_DONE)
                db.execute("UPDATE jobs SET confirmed_by = ? WHERE job_id = ?", (confirmed_by, job.job_id))
            db.execute(
                "UPDATE printers SET last_printed_ms = ?, mend_bytes = 0, paper_mm = paper_mm + ? WHERE printer = ?",
                (now, mm, job.printer),
            )

        self._notebook.write(work)

    def step(self, job: Job, event: Event, why_zh: str = "", why_en: str = "", mm: int = 0) -> State:
        """One step. ``mm``: the paper that a slip took which did not come to its end."""

        def work(db: sqlite3.Connection) -> State:
            after = self._step(db, job.job_id, event, why_zh, why_en)
            if event is Event.PROVED_UNFINISHED:
                db.execute("UPDATE jobs SET voided = voided + 1 WHERE job_id = ?", (job.job_id,))
            if mm:
                db.execute("UPDATE printers SET paper_mm = paper_mm + ? WHERE printer = ?", (mm, job.printer))
            return after

        return self._notebook.write(work)

    def nothing_left(self, job: Job, mend_bytes: int) -> None:
        """Not one byte had left: the printer waits for no more than it did before."""

        def work(db: sqlite3.Connection) -> None:
            self._step(db, job.job_id, Event.NOTHING_LEFT)
            db.execute("UPDATE jobs SET attempts = attempts - 1 WHERE job_id = ?", (job.job_id,))
            db.execute("UPDATE printers SET mend_bytes = ? WHERE printer = ?", (mend_bytes, job.printer))

        self._notebook.write(work)

    def _step(
        self, db: sqlite3.Connection, job_id: int, event: Event, why_zh: str = "", why_en: str = ""
    ) -> State:
        (state,) = db.execute("SELECT state FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        after = next_state(State(state), event)
        db.execute(
            "UPDATE jobs SET state = ?, changed_ms = ?, why_zh = ?, why_en = ? WHERE job_id = ?",
            (after.value, self._wall_ms(), why_zh, why_en, job_id),
        )
        return after

    def hand_over(self, printer: str, spare: str) -> list[int]:
        """Slips of which not one byte has left go to the spare printer, each once. Gives their numbers."""
        which = "printer = ? AND state = 'QUEUED' AND attempts = 0 AND meant_for = ''"
        if self._one(f"{which} LIMIT 1", printer) is None:
            return []

        def work(db: sqlite3.Connection) -> list[int]:
            slips = [row[0] for row in db.execute(f"SELECT slip_id FROM jobs WHERE {which}", (printer,))]
            db.execute(
                f"UPDATE jobs SET meant_for = printer, printer = ?, changed_ms = ? WHERE {which}",
                (spare, self._wall_ms(), printer),
            )
            return slips

        return self._notebook.write(work)

    # ------------------------------------------------------------ health

    def printer_is(self, printer: str, state: str, why_zh: str, why_en: str, new_roll: bool = False) -> None:
        """How it is from now on. ``new_roll``: paper was put in."""

        def work(db: sqlite3.Connection) -> None:
            now = self._wall_ms()
            before = db.execute("SELECT state FROM printers WHERE printer = ?", (printer,)).fetchone()
            db.execute(
                "UPDATE printers SET state = ?, why_zh = ?, why_en = ? WHERE printer = ?",
                (state, why_zh, why_en, printer),
            )
            if before is None or before[0] == state:
                return
            db.execute("UPDATE printers SET since_ms = ? WHERE printer = ?", (now, printer))
            db.execute("INSERT INTO printer_moves(printer, state, at_ms) VALUES (?, ?, ?)", (printer, state, now))
            if new_roll:
                db.execute("UPDATE printers SET paper_mm = 0 WHERE printer = ?", (printer,))

        self._notebook.write(work)

    def take_acts(self, acts: list[PrinterAct]) -> None:
        """What staff have done at a printer. A new roll: its paper is counted from now on."""

        def work(db: sqlite3.Connection) -> None:
            for one in acts:
                if one.act == "new_roll":
                    db.execute("UPDATE printers SET paper_mm = 0 WHERE printer = ?", (one.printer,))
            _set(db, "last_act_id", str(acts[-1].act_id))

        self._notebook.write(work)

    def panel_is(self, panel: str, state: str, shown: str, why_zh: str, why_en: str) -> None:
        self._notebook.write(
            lambda db: db.execute(
                "UPDATE panels SET state = ?, shown = ?, since_ms = ?, why_zh = ?, why_en = ? WHERE panel = ?",
                (state, shown, self._wall_ms(), why_zh, why_en, panel),
            )
        )

    def beat(self) -> None:
        self._notebook.write(
            lambda db: db.execute("UPDATE bridge_alive SET beat_ms = ?", (self._wall_ms(),))
        )

    def rest(self) -> None:
        self._notebook.rest()


def _set(db: sqlite3.Connection, key: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", (key, value))
