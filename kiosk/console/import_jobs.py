"""Taking in a list of up to some thousand lines: in a thread of its own, so that a page can say which line it is at.

Each line is put to the gateway's own rule, on a copy of what stands on the disk; only a list of which no line is
refused is sent, as one order: all of it is written, or nothing. Until that order has gone it can be stopped, and
nothing was done.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, cast

from flask import current_app

from devices.faults import OrderRefused, OutsideDown
from gateway.log import say as log
from kiosk.console.words import WORDS

#: Results that are kept: they hold names, and whoever handed the list in looks at once.
KEPT = 4

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one line: "new", "changed", "same" or "refused", and why (Chinese, English)."""

    line: int
    name: str
    what: str
    why: Pair = ("", "")


class Stopped(Exception):
    """Whoever handed the list in does not want it any more."""


@dataclass(slots=True, eq=False)
class Job:
    """One list on its way. ``done`` of ``of`` lines were looked at; ``wrong`` says why nothing was written."""

    what: str
    of: int
    only_check: bool
    unknown: list[str]
    """Headings of columns that were not read."""
    done: int = 0
    stage: Literal["checking", "writing"] = "checking"
    verdicts: list[Verdict] = field(default_factory=list)
    written: bool = False
    stopped: bool = False
    wrong: Pair = ("", "")
    status: int = 200
    finished: threading.Event = field(default_factory=threading.Event)
    number: str = field(default_factory=partial(secrets.token_hex, 8))
    _stop: threading.Event = field(default_factory=threading.Event)

    def tell(self, done: int) -> None:
        """So many lines are looked at.

        :raises Stopped: and no more is wanted.
        """
        self.done = done
        if self._stop.is_set():
            raise Stopped

    def stop(self) -> None:
        self._stop.set()

    def begin_writing(self) -> None:
        """From here on it goes to its end.

        :raises Stopped: somebody was quicker.
        """
        self.tell(self.of)
        self.stage = "writing"

    def fail(self, wrong: Pair, status: int) -> None:
        self.wrong, self.status = wrong, status


#: Looks at every line (telling the job how far it is) and gives the rows of the order.
Look = Callable[[Job], tuple[list[Verdict], Sequence[dict[str, Any]]]]
Write = Callable[[Sequence[dict[str, Any]]], None]


class ImportJobs:
    """The newest few of this application; one runs at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def of(self, number: str) -> Job | None:
        with self._lock:
            return self._jobs.get(number)

    def begin(self, job: Job, look: Look, write: Write) -> Job:
        """:param write: gives the gateway the order."""
        with self._lock:
            self._jobs[job.number] = job
            for old in [one for one in self._jobs.values() if one.finished.is_set()][:-KEPT]:
                del self._jobs[old.number]
        threading.Thread(target=self._run, args=(job, look, write), name="import", daemon=True).start()
        return job

    def _run(self, job: Job, look: Look, write: Write) -> None:
        try:
            with self._turn:
                self._work(job, look, write)
        except Stopped:
            job.stopped = True
        except OrderRefused as refused:
            job.fail((refused.why_zh, refused.why_en), 409)
        except (OutsideDown, sqlite3.Error) as down:
            key = "import_unanswered" if job.stage == "writing" else "care_unreadable"
            log("import_failed", f"{job.what}, {job.of} lines, {job.stage}: {down}", level=logging.WARNING)
            job.fail(WORDS[key], 503)
        finally:
            job.finished.set()

    def _work(self, job: Job, look: Look, write: Write) -> None:
        job.verdicts, rows = look(job)
        refused = sum(one.what == "refused" for one in job.verdicts)
        if refused:
            zh, en = (text.replace("{n}", str(refused)) for text in WORDS["import_refused"])
            job.fail((zh, en), 409)
        elif rows and not job.only_check:
            job.begin_writing()
            write(rows)
            job.written = True
        else:
            job.tell(job.of)


def import_jobs() -> ImportJobs:
    """The ones of this application."""
    return cast(ImportJobs, current_app.extensions.setdefault("linli.import_jobs", ImportJobs()))
