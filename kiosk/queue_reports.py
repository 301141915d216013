"""Reports for the console's pages: each is worked out by a process of its own, so that no touch waits for it.

Theory of operation. A report holds the interpreter while it counts: in the kiosk's own process a touch beside it would
wait (docs/measurements.md has how long). So `Reports` runs a module as a child, one at a time (``queue_figures.py``,
``parking_history.py``: what is wanted as JSON in; lines of "done of", then "told"; the figures as JSON out), and a page
waits a moment for it or shows how far it is. What was worked out is kept for half a minute: a page, its CSV and its
XLSX are one piece of work.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from devices.clock import mono_s
from devices.faults import OutsideDown
from kiosk.queue_figures import Report, from_json

#: How long a report is as good as new: somebody looks, then downloads it.
FRESH_S = 30.0
#: Reports that are remembered, and that may wait for their turn.
KEPT = 4
#: A child that takes longer is ended: ten years of a busy hall that nobody has closed take a tenth of it.
AT_MOST_S = 120.0
_ROOT = Path(__file__).parent.parent

Json = dict[str, Any]
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Question(Protocol[R_co]):
    """What a page wants of a child. Hashable: who wants the same gets the same."""

    def module(self) -> str:
        """The child: ``python -m`` this."""

    def asked(self, book: Path) -> Json:
        """What it is told; ``book`` is kiosk.db."""

    def read(self, told: Json) -> R_co:
        """Its answer."""


class TooBusy(OutsideDown):
    """Several reports are being worked out already."""


class ReportFailed(OutsideDown):
    """The child could not read the notebook, or took too long."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which days (both included) and which target, in seconds."""

    first: str
    last: str
    target_s: int

    def module(self) -> str:
        return "kiosk.queue_figures"

    def asked(self, book: Path) -> Json:
        return {"book": str(book), "first": self.first, "last": self.last, "target_s": self.target_s}

    def read(self, told: Json) -> Report:
        return from_json(told)


@dataclass(slots=True, eq=False)
class Job(Generic[R]):
    """A report on its way. ``done`` of ``of`` days are counted; ``finished`` is set with the report or the trouble."""

    wanted: Question[R]
    done: int = 0
    of: int = 0
    report: R | None = None
    trouble: str = ""
    finished: threading.Event = field(default_factory=threading.Event)
    finished_s: float = 0.0
    stopped: bool = False
    """Somebody does not want it any more."""
    child: subprocess.Popen[bytes] | None = None
    number: str = field(default_factory=partial(secrets.token_hex, 8))
    """Its name on a page: who has the page may stop it."""

    def result(self) -> R:
        """
        :raises ReportFailed: with the reason.
        """
        if self.report is None:
            raise ReportFailed(self.trouble or "the report is not finished")
        return self.report


class Reports(Generic[R]):
    """One child at a time; who asks for the same gets the same."""

    def __init__(self, book: Path, now_s: Callable[[], float] = mono_s) -> None:
        self._book = book
        self._now_s = now_s
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._jobs: OrderedDict[Question[R], Job[R]] = OrderedDict()

    def ask(self, wanted: Question[R]) -> Job[R]:
        """The job for these figures: a fresh one, one that is under way, or a new one.

        :raises TooBusy: several others are under way.
        """
        with self._lock:
            job = self._jobs.get(wanted)
            if job is not None and not self._is_stale(job):
                return job
            under_way = [one for one in self._jobs.values() if not one.finished.is_set()]
            if len(under_way) >= KEPT:
                raise TooBusy(f"{len(under_way)} reports are being worked out")
            job = self._jobs[wanted] = Job(wanted)
            for old in [one for one in self._jobs.values() if one.finished.is_set()][:-KEPT]:
                del self._jobs[old.wanted]
        threading.Thread(target=self._work, args=(job,), name="report", daemon=True).start()
        return job

    def stop(self, number: str) -> bool:
        """End a job that is under way or waits for its turn. False: there is none of this number."""
        with self._lock:
            job = next((one for one in self._jobs.values() if one.number == number), None)
        if job is None or job.finished.is_set():
            return False
        job.stopped = True
        if job.child is not None:
            job.child.kill()
        return True

    def _is_stale(self, job: Job[R]) -> bool:
        return job.finished.is_set() and (job.report is None or self._now_s() > job.finished_s + FRESH_S)

    def _work(self, job: Job[R]) -> None:
        with self._turn:
            try:
                if job.stopped:
                    raise ReportFailed("it was stopped")
                job.report = run(self._book, job.wanted, job)
            except ReportFailed as wrong:
                job.trouble = str(wrong)
            finally:
                job.finished_s = self._now_s()
                job.finished.set()


def run(book: Path, wanted: Question[R], job: Job[R]) -> R:
    """One report by a child; how far it is goes into ``job``.

    :raises ReportFailed: with the child's words.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", wanted.module()],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    job.child = child
    with child:
        if job.stopped:  # between the two
            child.kill()
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        patience = threading.Timer(AT_MOST_S, child.kill)
        patience.start()
        with contextlib.suppress(BrokenPipeError):  # it has ended already, and says why below
            child.stdin.write(json.dumps(wanted.asked(book)).encode())
            child.stdin.close()
        said = ""
        for line in child.stderr:  # until it has told all; the figures come after that, in one piece
            said = line.decode(errors="replace").strip()
            done, _, of = said.partition(" ")
            if done.isdigit() and of.isdigit():
                job.done, job.of = int(done), int(of)
            if said == "told":
                break
        figures = child.stdout.read()
        patience.cancel()
    if child.returncode != 0:
        raise ReportFailed(said.removeprefix("wrong ") or f"the report ended with status {child.returncode}")
    return wanted.read(json.loads(figures))


def sheets(tables: object) -> bytes:
    """A workbook (XLSX) of these tables (queue_sheets.py), made by a child.

    :raises ReportFailed: it could not be made.
    """
    try:
        made = subprocess.run(
            [sys.executable, "-m", "kiosk.queue_sheets"],
            cwd=_ROOT,
            input=json.dumps(tables).encode(),
            capture_output=True,
            timeout=AT_MOST_S,
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as wrong:
        raise ReportFailed(f"the workbook could not be made: {wrong}") from wrong
    return made.stdout
