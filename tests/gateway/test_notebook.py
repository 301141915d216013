"""The notebook keeps what it has taken, refuses aloud, and lets nobody else write."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from devices.faults import HallFileFault, NotWritten
from gateway.notebook import Notebook, data_version, open_reader

SCHEMA = Path("gateway/schema").absolute()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


def note(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO journal(at_ms, event, subject) VALUES (1, 'Test', 'x')")


def lines(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])


def test_it_is_written_with_wal_and_full_and_never_checkpoints_in_a_commit(path: Path) -> None:
    book = Notebook(path, SCHEMA)
    asked = [
        book.connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "wal_autocheckpoint", "foreign_keys")
    ]
    assert asked == ["wal", 2, 0, 1]


def test_a_reader_sees_each_commit_and_may_not_write_nor_checkpoint(path: Path) -> None:
    book = Notebook(path, SCHEMA)
    reader = open_reader(path)
    before = data_version(reader)
    book.write(note)
    assert lines(reader) == 1 and data_version(reader) != before
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        note(reader)
    assert reader.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == 0
    # Trap 4: after the refused write the reader must not stay in an old moment.
    book.write(note)
    assert lines(reader) == 2


def test_a_work_that_fails_leaves_nothing_and_the_next_one_is_written(path: Path) -> None:
    book = Notebook(path, SCHEMA)

    def stumble(connection: sqlite3.Connection) -> None:
        note(connection)
        raise KeyError("half way")

    with pytest.raises(KeyError):
        book.write(stumble)
    book.write(note)
    assert lines(book.connection) == 1


def test_a_full_disk_is_said_in_plain_words_and_gets_better_by_itself(path: Path) -> None:
    book = Notebook(path, SCHEMA)
    pages = book.connection.execute("PRAGMA page_count").fetchone()[0]
    book.connection.execute(f"PRAGMA max_page_count={pages}")

    def much(connection: sqlite3.Connection) -> None:
        for _ in range(200):
            connection.execute(
                "INSERT INTO journal(at_ms, event, subject) VALUES (1, 'Test', ?)", ("x" * 900,)
            )

    with pytest.raises(NotWritten, match="the disk is full: delete old files or put in a larger card"):
        book.write(much)
    book.write(much)  # it has reopened itself; the limit of the old connection is gone
    assert lines(book.connection) == 200


def test_an_unreadable_notebook_is_kept_aside_and_the_hall_begins(path: Path) -> None:
    path.write_bytes(b"this was a notebook once" * 400)
    book = Notebook(path, SCHEMA)
    book.write(note)
    assert book.quarantined.startswith("gateway.db.corrupt-")
    assert (path.parent / book.quarantined).read_bytes().startswith(b"this was")


def test_a_notebook_of_a_newer_linli_is_not_touched(path: Path) -> None:
    Notebook(path, SCHEMA).close()
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version=9999")
    raw.close()
    with pytest.raises(HallFileFault, match="was written by a newer Linli"):
        Notebook(path, SCHEMA)


def test_opened_twice_it_is_the_same_notebook_with_the_same_epoch(path: Path) -> None:
    def epoch() -> str:
        book = Notebook(path, SCHEMA)
        answer = str(book.connection.execute("SELECT value FROM meta WHERE key='epoch'").fetchone()[0])
        book.close()
        return answer

    first = epoch()
    assert len(first) == 16 and epoch() == first


def test_kill_9_in_the_middle_of_writing_loses_nothing_that_was_promised(path: Path) -> None:
    story = (
        "import sys; from pathlib import Path; from gateway.notebook import Notebook\n"
        f"book = Notebook(Path({str(path)!r}), Path({str(SCHEMA)!r}))\n"
        "for number in range(1, 100000):\n"
        "    line = \"INSERT INTO journal(at_ms,event,subject) VALUES (?,'T','x')\"\n"
        "    book.write(lambda c: c.execute(line, (number,)))\n"
        "    print(number, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", story], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        promised = 0
        for line in writer.stdout:
            promised = int(line)
            if promised == 300:
                writer.kill()
                break
        promised = max([promised, *(int(line) for line in writer.stdout)])
    book = Notebook(path, SCHEMA)
    assert lines(book.connection) >= promised >= 300


def test_a_damaged_page_is_the_disks_fault_and_is_said_so(path: Path) -> None:
    book = Notebook(path, SCHEMA)
    book.write(
        lambda c: c.executemany(
            "INSERT INTO journal VALUES (?,1,'T',?,'','')", [(n, "x" * 900) for n in range(1, 400)]
        )
    )
    book.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 3))
    book.connection.execute("PRAGMA shrink_memory")  # forget the good pages in memory
    with pytest.raises(NotWritten, match="the disk may be failing"):
        book.write(lambda c: c.execute("UPDATE journal SET detail = 'y'"))
    book.close()


def test_a_patient_notebook_begins_without_its_disk_and_finds_it_later(tmp_path: Path) -> None:
    book = Notebook(tmp_path / "card" / "gateway.db", SCHEMA, patient=True)
    assert "unable to open" in book.trouble and lines(book.connection) == 0
    with pytest.raises(NotWritten):
        book.write(note)
    (tmp_path / "card").mkdir()
    assert book.try_open() is True
    book.write(note)
    assert lines(book.connection) == 1
    book.close()


def test_two_processes_cannot_own_one_notebook(path: Path) -> None:
    book = Notebook(path, SCHEMA)
    with pytest.raises(NotWritten, match="already belongs to a running process: stop that one first"):
        Notebook(path, SCHEMA)
    book.close()
    Notebook(path, SCHEMA).close()


def test_a_reader_of_a_notebook_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match="cannot be opened"):
        open_reader(tmp_path / "kiosk.db")
