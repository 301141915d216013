"""One writer, many callers: a commit for all that has gathered, an error only for who made it."""

from __future__ import annotations

import math
import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devices.faults import NotWritten
from gateway.notebook import open_reader
from kiosk.writer import NotKnown, Writer
from tests.kiosk.conftest import ROOM


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "kiosk.db", ROOM / "schema")
    writer.start()
    yield writer
    writer.stop()


def add(notebook: sqlite3.Connection, name: str) -> str:
    notebook.execute("INSERT INTO windows(window_id, name_zh, name_en, number) VALUES (?, '', '', 1)", (name,))
    return name


def names_in(notebook: sqlite3.Connection) -> list[str]:
    return [row[0] for row in notebook.execute("SELECT window_id FROM windows")]


def names(path: Path) -> list[str]:
    reader = open_reader(path)
    try:
        return [row[0] for row in reader.execute("SELECT window_id FROM windows ORDER BY window_id")]
    finally:
        reader.close()


def test_what_was_answered_is_in_the_file(writer: Writer, tmp_path: Path) -> None:
    assert writer.write(lambda notebook: add(notebook, "W1")) == "W1"
    assert names(tmp_path / "kiosk.db") == ["W1"]


def test_that_something_was_written_is_known_before_whoever_wrote_it_goes_on(writer: Writer) -> None:
    """The consoles look at their sessions again when this number has changed, and only then."""
    before = writer.commits
    assert writer.write(names_in) == []
    assert writer.commits == before, "who only reads ends no session"
    writer.write(lambda notebook: add(notebook, "W1"))
    assert writer.commits != before


def test_ones_error_is_only_its_own(writer: Writer, tmp_path: Path) -> None:
    """Three pieces gather behind a slow one and share one commit; the middle one fails half-way."""
    inside, go_on = threading.Event(), threading.Event()

    def slow(notebook: sqlite3.Connection) -> None:
        inside.set()
        assert go_on.wait(5)

    def half(notebook: sqlite3.Connection) -> None:
        add(notebook, "half")
        raise ValueError("changed my mind")

    failed: list[BaseException] = []

    def fails() -> None:
        try:
            writer.write(half)
        except ValueError as wrong:
            failed.append(wrong)

    works = [
        lambda: writer.write(slow),
        lambda: writer.write(lambda notebook: add(notebook, "before")),
        fails,
        lambda: writer.write(lambda notebook: add(notebook, "after")),
    ]
    threads = []
    for work in works:
        threads.append(threading.Thread(target=work))
        threads[-1].start()
        assert inside.wait(5)
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert names(tmp_path / "kiosk.db") == ["after", "before"]
    assert [str(one) for one in failed] == ["changed my mind"]


def test_a_mistake_in_sql_is_not_taken_for_a_broken_disk(writer: Writer) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        writer.write(lambda notebook: notebook.execute("SELECT * FROM nowhere"))
    assert writer.trouble == ""


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow: what SQLite meets is what it meets on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_mends_by_itself(writer: Writer, tmp_path: Path) -> None:
    writer.write(lambda notebook: add(notebook, "before"))
    with full_disk(), pytest.raises(NotWritten) as refused:
        writer.write(lambda notebook: add(notebook, "lost"))
    assert str(refused.value).startswith("notebook kiosk.db (")
    assert writer.trouble == str(refused.value)
    writer.write(lambda notebook: add(notebook, "again"))
    assert writer.trouble == ""
    assert names(tmp_path / "kiosk.db") == ["again", "before"]


def test_a_disk_that_refuses_at_start_is_tried_again(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "later" / "kiosk.db", ROOM / "schema")
    writer.start()
    assert "unable to open" in writer.trouble
    with pytest.raises(NotWritten):
        writer.write(lambda notebook: add(notebook, "W1"))
    (tmp_path / "later").mkdir()
    assert writer.write(lambda notebook: add(notebook, "W1")) == "W1"
    writer.stop()


def test_who_loses_patience_takes_back_what_has_not_begun(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece waits behind a slow card: its owner is told that nothing is written, and nothing is, also later."""
    inside, go_on = threading.Event(), threading.Event()

    def slow(notebook: sqlite3.Connection) -> None:
        inside.set()
        assert go_on.wait(5)

    first = threading.Thread(target=lambda: writer.write(slow))
    first.start()
    assert inside.wait(5)
    monkeypatch.setattr("kiosk.writer.PATIENCE_S", 0.05)
    with pytest.raises(NotWritten, match="nothing was written") as refused:
        writer.write(lambda notebook: add(notebook, "taken back"))
    assert not isinstance(refused.value, NotKnown)
    assert writer.trouble == "the disk has not answered for 0.05 s"
    monkeypatch.undo()
    go_on.set()
    first.join(5)
    writer.write(lambda notebook: add(notebook, "after"))
    assert names(tmp_path / "kiosk.db") == ["after"]
    assert writer.trouble == ""


def test_of_what_has_begun_nobody_can_know_yet(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(notebook: sqlite3.Connection) -> None:
        assert go_on.wait(5)
        add(notebook, "late")

    monkeypatch.setattr("kiosk.writer.PATIENCE_S", 0.05)
    with pytest.raises(NotKnown, match="it may or may not be written"):
        writer.write(slow)
    assert 0.04 < writer.silent_for_s() < 5
    monkeypatch.undo()
    go_on.set()
    writer.write(lambda notebook: add(notebook, "next"))
    assert names(tmp_path / "kiosk.db") == ["late", "next"]
    writer.stop()
    assert writer.silent_for_s() == math.inf


def test_after_the_end_nothing_is_promised(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "kiosk.db", ROOM / "schema")
    writer.start()
    writer.stop()
    with pytest.raises(NotWritten, match="the kiosk is closing"):
        writer.write(lambda notebook: add(notebook, "W1"))


def test_reading_alone_does_not_say_that_the_disk_is_well_again(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "later" / "kiosk.db", ROOM / "schema")
    writer.start()
    (tmp_path / "later").mkdir()
    writer.write(lambda notebook: notebook.execute("SELECT 1").fetchone())
    assert "unable to open" in writer.trouble
    writer.write(lambda notebook: add(notebook, "W1"))
    assert writer.trouble == ""
    writer.stop()
