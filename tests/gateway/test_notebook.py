"""The notebook keeps what it has taken, refuses aloud, and lets nobody else write."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from devices.faults import HallFileFault, NotWritten
from gateway import notebook as notebook_module
from gateway.disk import RESERVE_BYTES, Reserve, write_once_more
from gateway.notebook import LOG_BYTES, Notebook, data_version, open_reader, suspect
from tests.gateway.held_hall import HeldClock, HeldHall
from tests.gateway.sick_disk import with_failing_fsync
from tests.parts import ROOT

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
    put = "INSERT INTO journal(line_id, at_ms, event, subject) VALUES (?,1,'T',?)"
    book.write(lambda c: c.executemany(put, [(n, "x" * 900) for n in range(1, 400)]))
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


def test_a_patient_notebook_that_cannot_be_opened_though_its_folder_is_there_begins_all_the_same(path: Path) -> None:
    path.mkdir()  # whatever it is, it is no file
    book = Notebook(path, SCHEMA, patient=True)
    assert "unable to open" in book.trouble and lines(book.connection) == 0
    path.rmdir()
    assert book.try_open() is True
    book.write(note)
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


# ---------------------------------------------------------------- a disk whose fsync fails


def as_a_kill_leaves_it(path: Path, folder: Path) -> Path:
    """The files as they lie on the disk at this moment, without a goodbye."""
    folder.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        if not file.name.endswith((".lock", "-shm")):
            shutil.copy(file, folder / file.name)
    return folder / path.name


def test_a_commit_whose_fsync_fails_is_not_promised_and_the_notebook_gets_better_by_itself(
    path: Path,
) -> None:
    book = Notebook(path, SCHEMA)
    book.write(note)
    lives = book.lives
    wrong = with_failing_fsync(lambda: book.write(note))
    assert isinstance(wrong, NotWritten) and "the disk may be failing" in str(wrong) and wrong.why_zh
    assert isinstance(with_failing_fsync(lambda: book.write(note)), NotWritten), "still sick"
    assert lines(book.connection) == 1, "what it knew can be read meanwhile"
    book.write(note)
    assert lines(book.connection) == 2 and book.lives == lives + 1, (
        "whoever remembers anything must look again"
    )
    book.close()


def test_killed_after_a_failed_commit_it_has_happened_after_all(path: Path, tmp_path: Path) -> None:
    """SQLite takes whole frames in the log for a commit. This is why nobody may go on from memory after a failure."""
    book = Notebook(path, SCHEMA)
    book.write(note)
    assert isinstance(with_failing_fsync(lambda: book.write(note)), NotWritten)
    assert lines(book.connection) == 1
    copy = as_a_kill_leaves_it(path, tmp_path / "after")
    again = Notebook(copy, SCHEMA)
    assert lines(again.connection) == 2
    assert not (tmp_path / "after" / "gateway.db.refused").exists(), "its log was written once more"
    again.close()
    book.close()


def test_the_log_is_written_once_more_byte_for_byte_and_readers_see_no_difference(path: Path) -> None:
    book = Notebook(path, SCHEMA)
    for _ in range(50):
        book.write(note)
    reader = open_reader(path)
    log = path.with_name("gateway.db-wal")
    before = log.read_bytes()
    write_once_more(log)
    assert log.read_bytes() == before and lines(reader) == 50
    assert isinstance(with_failing_fsync(lambda: write_once_more(log)), OSError)
    write_once_more(path.with_name("no-such-wal"))
    reader.close()
    book.close()


def test_a_checkpoint_whose_fsync_fails_loses_nothing(path: Path) -> None:
    book = Notebook(path, SCHEMA)
    for _ in range(200):
        book.write(note)
    assert with_failing_fsync(book.rest) is None
    book.write(note)
    assert lines(book.connection) == 201
    book.close()
    again = Notebook(path, SCHEMA)
    assert lines(again.connection) == 201
    again.close()


# ---------------------------------------------------------------- a full disk, and the reserve

_ON_A_SMALL_DISK = """
import sys
from pathlib import Path
from devices.faults import NotWritten
from gateway import disk
from gateway.notebook import Notebook
disk.LOOK_AGAIN_S = 0.0
folder = Path(sys.argv[1])
book = Notebook(folder / "gateway.db", Path(sys.argv[2]), reserve=True)
press = lambda c: c.execute("INSERT INTO journal(at_ms, event, subject) VALUES (1, 'T', ?)", ("x" * 900,))
book.write(press)
print(book.standing[0], (folder / "gateway.reserve").stat().st_size)
def fill():
    with (folder / "somebody's holiday film").open("wb", buffering=0) as film:
        try:
            while film.write(bytes(65536)) == 65536: pass
            while film.write(bytes(512)): pass
        except OSError: pass
fill()
written = 0
try:
    while written < 100000:
        book.write(press)
        written += 1
        if book.standing[0] == "degraded" and (folder / "gateway.reserve").exists(): break
except NotWritten as wrong:
    print("refused:", wrong)
print(written > 300, *book.standing)
(folder / "somebody's holiday film").unlink()
book.write(press)
book.rest()
print(book.standing[0], (folder / "gateway.reserve").stat().st_size)
print(book.connection.execute("SELECT count(*) FROM journal").fetchone()[0] == written + 2)
book.close()
fill()
book = Notebook(folder / "gateway.db", Path(sys.argv[2]), patient=True, reserve=True)
for again in range(500):
    book.write(press)
    book.rest(100)
    book.make_room()
print(book.connection.execute("SELECT count(*) FROM journal").fetchone()[0] == written + 502, *book.standing)
book.close()
(folder / "gateway.reserve").unlink(missing_ok=True)
fill()
print("trouble:", Notebook(folder / "gateway.db", Path(sys.argv[2]), patient=True).trouble)
"""


@pytest.mark.slow
def test_on_a_full_disk_the_reserve_is_given_up_and_calls_are_still_written(tmp_path: Path) -> None:
    """A real disk of 72 MB, in a mount namespace of its own."""
    (tmp_path / "card").mkdir()
    (tmp_path / "story.py").write_text(_ON_A_SMALL_DISK, encoding="utf-8")
    inside = f'mount -t tmpfs -o size=72m card "{tmp_path}/card" && exec "$0" "$@"'
    become_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    story = [sys.executable, str(tmp_path / "story.py"), str(tmp_path / "card"), str(SCHEMA)]
    told = subprocess.run(
        ["unshare", *become_root, "--mount", "sh", "-c", inside, *story],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()
    assert told[0] == f"ready {RESERVE_BYTES}"
    assert told[1].startswith("refused: ") and "the disk is full" in told[1], (
        "in the end even the reserve is used up"
    )
    assert (
        told[2].startswith("True degraded ")
        and "the last reserve is in use" in told[2]
        and "备用空间" in told[2]
    )
    assert told[3] == f"ready {RESERVE_BYTES}", "laid in again by itself"
    assert told[4] == "True", "every call that was promised is there"
    assert told[5].startswith("True degraded "), "started anew on a full disk, it opens with its reserve"
    assert told[6].startswith("trouble: ") and "the disk is full" in told[6], "and without one it says why not"


def test_where_there_is_no_room_for_a_reserve_there_is_none_and_it_is_said(
    path: Path, tmp_path: Path
) -> None:
    missing = Reserve(tmp_path / "nowhere" / "x.reserve")
    missing.lay_in(at_once=True)
    assert missing.spent and missing.give_up() is False


# ---------------------------------------------------------------- how much is checked


def fill(path: Path, rows: int) -> None:
    book = Notebook(path, SCHEMA)
    values = [(n, "x" * 900) for n in range(1, rows)]
    put = "INSERT INTO journal(line_id, at_ms, event, subject) VALUES (?,1,'T',?)"
    book.write(lambda c: c.executemany(put, values))
    book.close()


def damage(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 3))


def test_a_large_notebook_is_not_read_whole_at_start_but_after_a_damaged_page_was_seen_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_module, "CHECK_WHOLE_BYTES", 100_000)
    fill(path, 400)
    damage(path)
    book = Notebook(path, SCHEMA, patient=True)
    assert book.quarantined == "", "it begins at once"
    with pytest.raises(NotWritten):
        book.write(lambda c: c.execute("UPDATE journal SET detail = 'y'"))
    assert suspect(path).exists()
    assert book.try_open() is True and book.quarantined.startswith("gateway.db.corrupt-")
    book.write(note)
    assert lines(book.connection) == 1 and not suspect(path).exists()
    book.close()


def test_a_suspicion_that_was_wrong_is_forgotten(path: Path) -> None:
    fill(path, 100)
    suspect(path).touch()
    book = Notebook(path, SCHEMA)
    assert book.quarantined == "" and lines(book.connection) == 99 and not suspect(path).exists()
    book.close()


# ---------------------------------------------------------------- what that means for a press


@pytest.mark.parametrize("press_id", ["a:1", ""], ids=["numbered", "not numbered"])
def test_a_press_whose_commit_failed_and_happened_after_all_is_one_call_and_rings(
    tmp_path: Path, press_id: str
) -> None:
    """Killed in between: the button goes on repeating until somebody says "written"."""
    (tmp_path / "before").mkdir()
    clock = HeldClock()
    hall = HeldHall(tmp_path / "before", clock)
    assert with_failing_fsync(lambda: hall.press(press_id=press_id)) is None
    assert hall.part("notebook")["state"] == "down" and hall.waiting_for_disk == 1
    path = as_a_kill_leaves_it(tmp_path / "before" / "gateway.db", tmp_path / "after")
    hall.die()
    again = HeldHall(path.parent, clock)
    clock.pass_s(1)
    again.press(press_id=press_id)
    assert [(call.state, call.presses) for call in again.loop.state.calls.values()] == [("HEARD", 1)]
    assert again.journal("Pressed", "PressedAgain") == [("Pressed", f"emergency {press_id or 'press'}")]
    again.after_s(60)
    assert again.overdue(), "its minute was in the same transaction"
    again.die()


@pytest.mark.parametrize("press_id", ["a:1", ""], ids=["numbered", "not numbered"])
def test_a_press_that_waits_while_fsync_fails_is_written_once_when_the_disk_is_well(
    tmp_path: Path, press_id: str
) -> None:
    clock = HeldClock()
    hall = HeldHall(tmp_path, clock)

    def five_bad_seconds() -> None:
        hall.press(press_id=press_id)
        for _ in range(5):
            hall.after_s(1)

    assert with_failing_fsync(five_bad_seconds) is None
    provisional = [one["call"] for one in hall.told if one["fact"] == "CallChanged"]
    assert [call["written"] for call in provisional] == [False], "said once, not every second"  # type: ignore[index]
    hall.after_s(1.1)
    assert hall.part("notebook")["state"] == "ready" and hall.waiting_for_disk == 0
    assert [(call.state, call.presses) for call in hall.loop.state.calls.values()] == [("HEARD", 1)]
    assert hall.journal("Pressed", "PressedAgain") == [("Pressed", f"emergency {press_id or 'press'}")]
    hall.die()


def test_what_was_refused_and_is_there_all_the_same_is_seen_by_the_hall_that_goes_on(tmp_path: Path) -> None:
    """The harder case: not killed. Another opening finds the commit; the hall must not go on from its memory."""
    clock = HeldClock()
    hall = HeldHall(tmp_path, clock)
    assert with_failing_fsync(hall.press) is None
    found = as_a_kill_leaves_it(tmp_path / "gateway.db", tmp_path / "as found")
    hall.book.connection.close()
    for tail in ("-wal", "-shm", ""):
        (tmp_path / f"gateway.db{tail}").unlink(missing_ok=True)
    for file in found.parent.glob("gateway.db*"):
        shutil.copy(file, tmp_path / file.name)
    hall.after_s(1.1)
    assert [(call.state, call.presses) for call in hall.loop.state.calls.values()] == [("HEARD", 1)]
    assert hall.journal("Pressed", "PressedAgain") == [("Pressed", "emergency a:1")]
    assert any(one["fact"] == "Snapshot" for one in hall.told), "the screens are told anew"
    hall.after_s(60)
    assert hall.overdue()
    hall.die()


def test_in_idle_moments_the_log_gets_its_length_and_what_is_in_it_stays(path: Path, tmp_path: Path) -> None:
    book = Notebook(path, SCHEMA)
    log = path.with_name(path.name + "-wal")
    book.make_room()
    assert log.stat().st_size < LOG_BYTES  # nothing has been written yet: there is nothing to prepare for
    for _ in range(3):
        book.write(note)
    for _ in range(100):
        book.make_room()
    assert log.stat().st_size == LOG_BYTES
    book.write(note)
    assert log.stat().st_size == LOG_BYTES
    # As a power cut leaves it: the file and a log that ends in nothing.
    for name in (path.name, log.name):
        (tmp_path / "cut").mkdir(exist_ok=True)
        shutil.copy(path.with_name(name), tmp_path / "cut" / name)
    book.close()
    after = Notebook(tmp_path / "cut" / path.name, SCHEMA)
    assert after.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert lines(after.connection) == 4
    after.close()
