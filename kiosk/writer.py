"""The kiosk's one writer. Request threads hand their work over and wait (datasette's manner).

Theory of operation. One thread owns the notebook. It takes all work that has gathered, runs each piece in its own
SAVEPOINT inside one transaction, commits once, and only then tells everybody that it is on the disk. A piece that
fails takes back its own changes and nobody else's. Who loses patience takes a piece back that has not begun, and it
never runs; of one that has begun nobody can know until the disk answers, and `NotKnown` says so. Where the disk
refuses, the whole group hears `NotWritten`; the notebook reopens itself with the next piece, so nothing has to be
restarted when the disk is back.
"""

from __future__ import annotations

import math
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar, cast

from devices.clock import mono_s
from devices.faults import NotWritten
from gateway.notebook import Notebook

T = TypeVar("T")

#: Pieces in one commit. A bound, so that the first of a flood does not wait for the last (our choice).
GROUP_AT_MOST = 64
#: A quiet moment after which the write-ahead log may be moved into the file.
IDLE_S = 1.0
#: A slow card's fsync takes 0.1-0.5 s (docs/measurements.md); who waits longer is told that it failed.
PATIENCE_S = 10.0


class NotKnown(NotWritten):
    """The disk is too slow to say: it may be written or not. Look, or repeat it with the same key."""


class _Piece(Generic[T]):
    __slots__ = ("_taken", "answer", "done", "error", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self.work = work
        self.done = threading.Event()
        self.answer: T | None = None
        self.error: BaseException | None = None
        self._taken = threading.Lock()

    def take(self) -> bool:
        """True for the first who asks: the writer, that begins it, or its owner, who takes it back."""
        return self._taken.acquire(blocking=False)


class _Companion(threading.local):
    """What runs before this thread's next piece of work, in its transaction."""

    def __init__(self) -> None:
        self.work: Callable[[sqlite3.Connection], object] | None = None


class Writer:
    """Begin with `start`, hand over with `write`, end with `stop`.

    :param path: kiosk.db; its folder must exist.
    :param schema: the folder of numbered migrations.
    """

    def __init__(self, path: Path, schema: Path) -> None:
        self._path = path
        self._schema = schema
        self._notebook: Notebook | None = None
        self._waiting: queue.Queue[_Piece[object] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="kiosk-writer", daemon=True)
        self._stopped = False
        self.trouble = ""
        """What is wrong with the disk, in words for the person on duty; "" while all is well."""
        self.quarantined = ""
        self.commits = 0
        """Another number once anything may have been written, and before whoever wrote it is told so."""
        self._began_s: float | None = None
        self._companion = _Companion()

    def start(self) -> None:
        """Open the notebook and begin. A disk that refuses now is tried again with each piece of work.

        :raises devices.faults.HallFileFault: the notebook comes from a newer Linli.
        """
        try:
            self._open()
        except NotWritten as wrong:
            self.trouble = str(wrong)
        self._thread.start()

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in the writer's thread; when this returns, its changes are on the disk.

        Whatever ``work`` raises is raised here, and nothing of it was written.

        :raises NotWritten: the disk refused, or the writer has ended. Nothing was written and nothing will be.
        :raises NotKnown: the disk was too slow to say.
        """
        companion, self._companion.work = self._companion.work, None
        piece = _Piece(
            work if companion is None else lambda notebook: (companion(notebook), work(notebook))[1]
        )
        if self._stopped:
            raise NotWritten("the kiosk is closing: nothing more is written")
        self._waiting.put(cast("_Piece[object]", piece))
        if not piece.done.wait(PATIENCE_S):
            self.trouble = f"the disk has not answered for {PATIENCE_S:g} s"
            if piece.take():
                raise NotWritten(f"{self.trouble}: nothing was written")
            if not piece.done.is_set():
                raise NotKnown(f"{self.trouble}: it may or may not be written")
        if piece.error is not None:
            raise piece.error
        return cast(T, piece.answer)

    @contextmanager
    def along(self, companion: Callable[[sqlite3.Connection], object]) -> Iterator[None]:
        """Within this, the first piece that this thread hands over runs ``companion`` first, in the same transaction:
        both are written or neither."""
        self._companion.work = companion
        try:
            yield
        finally:
            self._companion.work = None

    def silent_for_s(self) -> float:
        """How long the transaction under way has lasted; 0 where there is none, infinite where the writer has ended."""
        if not self._thread.is_alive():
            return math.inf
        began_s = self._began_s
        return 0.0 if began_s is None else mono_s() - began_s

    def stop(self) -> None:
        """Write what has been handed over, close the notebook."""
        self._stopped = True
        self._waiting.put(None)
        if self._thread.ident is not None:
            self._thread.join(PATIENCE_S)

    # ---------------------------------------------------------------- the writer's thread

    def _open(self) -> Notebook:
        if self._notebook is None:
            self._notebook = Notebook(self._path, self._schema)
            self.quarantined = self._notebook.quarantined
        return self._notebook

    def _run(self) -> None:
        while True:
            group, ending = self._gather()
            if group:
                self._commit(group)
            elif self._notebook is not None and not ending:
                self._notebook.rest()
            if ending:
                break
        if self._notebook is not None:
            self._notebook.close()

    def _gather(self) -> tuple[list[_Piece[object]], bool]:
        """Everything that is waiting now (at least one piece, or nothing after an idle moment)."""
        group: list[_Piece[object]] = []
        try:
            piece = self._waiting.get(timeout=IDLE_S)
            while piece is not None:
                group.append(piece)
                if len(group) == GROUP_AT_MOST:
                    return group, False
                piece = self._waiting.get_nowait()
        except queue.Empty:
            return group, False
        return group, True

    def _commit(self, group: list[_Piece[object]]) -> None:
        self._began_s = mono_s()
        try:
            if self._open().write(lambda connection: _run_all(connection, group)):
                self.trouble = ""  # reading alone does not show that the disk takes what is written
                self.commits += 1
        except NotWritten as wrong:
            self.commits += 1  # the disk's last word is not known, or the notebook was begun anew
            self.trouble = str(wrong)
            for piece in group:
                piece.error = wrong
        self._began_s = None
        for piece in group:
            piece.done.set()


def _run_all(connection: sqlite3.Connection, group: list[_Piece[object]]) -> bool:
    """Run them all; True if anything was changed."""
    before = connection.total_changes
    for piece in group:
        if piece.take():  # else its owner was told that nothing is written
            _run_one(connection, piece)
    return connection.total_changes > before


def _run_one(connection: sqlite3.Connection, piece: _Piece[object]) -> None:
    """One piece in its own savepoint; its error stays its own, unless it is the disk's."""
    connection.execute("SAVEPOINT piece")
    try:
        piece.answer = piece.work(connection)
    except sqlite3.OperationalError as wrong:
        # SQLITE_ERROR is a mistake in the piece's own SQL; all others (full, read-only, I/O) are the disk's.
        if wrong.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        piece.error = wrong
    except BaseException as wrong:  # noqa: BLE001 - not swallowed: the thread that waits raises it
        piece.error = wrong
    if piece.error is not None:
        connection.execute("ROLLBACK TO piece")
    connection.execute("RELEASE piece")
