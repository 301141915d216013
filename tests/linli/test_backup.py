"""`linli backup` and `linli restore`: real notebooks, a real bridge and its paper."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from devices.plan import Hall as HallPlan
from firmware_bridge.jobs import Jobs
from firmware_bridge.outbox import Slip
from gateway.hall.state import Bay, Zone
from gateway.notebook import Notebook, open_reader
from gateway.store import write_changes
from linli.__main__ import main
from tests.firmware_bridge.paper_hall import Hall, slip
from tests.parts import ROOT

KIOSK, GATEWAY, BRIDGE = (ROOT / room / "schema" for room in ("kiosk", "gateway", "firmware_bridge"))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def today() -> str:
    return datetime.now(ZoneInfo(HallPlan().timezone)).date().isoformat()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hall's folder with its three notebooks; nobody holds them."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("LINLI_HOME", str(home))
    monkeypatch.delenv("LINLI_HALL", raising=False)
    (home / "hall.toml").write_text("")
    for name, schema in (("gateway", GATEWAY), ("kiosk", KIOSK), ("bridge", BRIDGE)):
        Notebook(home / f"{name}.db", schema).close()
    return home


def ask(file: Path, question: str) -> list[tuple[object, ...]]:
    reader = open_reader(file)
    try:
        return [tuple(row) for row in reader.execute(question)]
    finally:
        reader.close()


def epoch(file: Path) -> object:
    return ask(file, "SELECT value FROM meta WHERE key = 'epoch'")[0][0]


def give(kiosk: Notebook, number: int, day: str = "") -> int:
    """A ticket and its slip in one transaction, as the kiosk writes them. Gives the slip's number."""
    day = day or today()
    body = json.dumps(slip(f"排队号 B{number:03}"), ensure_ascii=False)

    def work(db: sqlite3.Connection) -> int:
        key = f"{day}-{number}-{os.urandom(4).hex()}"
        db.execute(
            "INSERT INTO tickets(business_day, prefix, number, service_code, key, token, lang, screen, state, rank,"
            " taken_ms, waits_ms, changed_ms)"
            " VALUES (?, 'B', ?, 'ZW-01', ?, ?, 'zh', 'kiosk-1', 'WAITING', ?, ?, ?, ?)",
            (day, number, key, key, now_ms() * 1000, now_ms(), now_ms(), now_ms()),
        )
        done = db.execute(
            "INSERT INTO slips(printer, kind, body, created_ms) VALUES ('hall', 'ticket', ?, ?)", (body, now_ms())
        )
        return int(done.lastrowid or 0)

    return kiosk.write(work)


@pytest.fixture
def hall(home: Path) -> Iterator[Hall]:
    """A hall with paper, on the real schema of each notebook."""
    one = Hall(home)
    one._kiosk = Notebook(home / "kiosk.db", KIOSK)
    one.printer.start()
    one.panel.start()
    yield one
    one.close()


def paper(hall: Hall) -> list[str]:
    return [piece.splitlines()[0].strip() for piece in hall.pieces()]


def test_a_restored_hall_prints_new_slips_once_old_ones_never_and_gives_no_number_twice(
    hall: Hall, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "stick" / "today"
    hall.start_bridge()
    for number in (1, 2, 3):
        last = give(hall.kiosk, number)
    hall.wait_job(last, "PRINTED")
    assert main(["backup", str(stick)]) == 0, "while the hall runs"
    for number in (4, 5, 6):
        last = give(hall.kiosk, number)
    hall.wait_job(last, "PRINTED")
    waiting = [f"排队号 B{number:03}" for number in range(1, 7)]
    assert paper(hall) == waiting

    before = {name: (home / name).stat().st_ino for name in ("gateway.db", "kiosk.db", "bridge.db")}
    assert main(["restore", str(stick)]) == 1
    assert "the hall is running" in capsys.readouterr().err
    assert {name: (home / name).stat().st_ino for name in before} == before, "nothing was changed"

    hall.stop_bridge()
    hall.kiosk.close()
    assert main(["restore", str(stick)]) == 0
    assert ask(home / "kiosk.db", "SELECT max(number) FROM tickets") == [(3,)]
    assert ask(home / "kiosk.db", "SELECT * FROM number_floor") == [(today(), "B", 6)]

    hall._kiosk = Notebook(home / "kiosk.db", KIOSK)
    new = give(hall.kiosk, 7)
    assert new == 4, "the numbers of slips begin again where the backup ended"
    hall.start_bridge()
    hall.wait_job(new, "PRINTED")
    newer = give(hall.kiosk, 8)
    hall.wait_job(newer, "PRINTED")
    assert paper(hall) == [*waiting, "排队号 B007", "排队号 B008"]
    assert [hall.job(one)["state"] for one in (1, 2, 3)] == ["SETTLED"] * 3


def test_a_copy_put_in_place_by_hand_is_noticed_too(hall: Hall, home: Path, tmp_path: Path) -> None:
    """It has the epoch of before; but fewer slips than the bridge knows."""
    hall.start_bridge()
    hall.wait_job(give(hall.kiosk, 1), "PRINTED")
    assert main(["backup", str(tmp_path / "stick")]) == 0
    for number in (2, 3):
        last = give(hall.kiosk, number)
    hall.wait_job(last, "PRINTED")
    hall.stop_bridge()
    hall.kiosk.close()
    (home / "kiosk.db").unlink()
    (tmp_path / "stick/kiosk.db").rename(home / "kiosk.db")
    hall._kiosk = Notebook(home / "kiosk.db", KIOSK)
    new = give(hall.kiosk, 4)
    hall.start_bridge()
    hall.wait_for(lambda: hall.job(new), state="PRINTED", body=json.dumps(slip("排队号 B004"), ensure_ascii=False))
    assert paper(hall) == [f"排队号 B{number:03}" for number in (1, 2, 3, 4)]


def test_each_notebook_begins_a_new_life_and_the_old_one_is_kept(home: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    assert main(["backup", str(stick)]) == 0
    assert sorted(one.name for one in stick.iterdir()) == ["bridge.db", "gateway.db", "kiosk.db"]
    names = ("gateway.db", "kiosk.db", "bridge.db")
    before = {name: epoch(home / name) for name in names}
    assert main(["restore", str(stick)]) == 0
    for name in names:
        assert epoch(home / name) != before[name]
        (kept,) = home.glob(f"{name}.before-restore-*[0-9]")
        assert epoch(kept) == before[name]
        assert oct((home / name).stat().st_mode)[-3:] == "660"
    assert not [one for one in home.iterdir() if "restoring" in one.name]
    for name, schema in zip(names, (GATEWAY, KIOSK, BRIDGE), strict=True):
        Notebook(home / name, schema).close()  # and the hall can begin


def test_cars_that_came_since_the_backup_are_unknown_and_closed_bays_stay_closed(home: Path, tmp_path: Path) -> None:
    book = Notebook(home / "gateway.db", GATEWAY)
    bays = [Bay("e0", "east", "free", "", 1, 1), Bay("e1", "east", "taken", "", 1, 1)]
    bays.append(Bay("e2", "east", "closed", "", 1, 1))
    book.write(lambda db: write_changes(db, [Zone("east", "东", "East", 1, 1, 0, 1), *bays]))
    book.close()
    assert main(["backup", str(tmp_path / "stick")]) == 0
    assert main(["restore", str(tmp_path / "stick")]) == 0
    file = home / "gateway.db"
    assert ask(file, "SELECT state FROM bays ORDER BY bay_id") == [("unknown",), ("unknown",), ("closed",)]
    assert ask(file, "SELECT free, taken, unknown, closed, total FROM zones") == [(0, 0, 2, 1, 3)]
    assert ask(file, "SELECT bay_id, state FROM bay_moves") == [("e0", "unknown"), ("e1", "unknown")]


def test_the_copy_is_one_plain_file_and_an_older_one_is_replaced_whole(home: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    kiosk = Notebook(home / "kiosk.db", KIOSK)
    assert main(["backup", str(stick)]) == 0
    give(kiosk, 1)
    assert main(["backup", str(stick)]) == 0
    kiosk.close()
    assert ask(stick / "kiosk.db", "SELECT count(*) FROM slips") == [(1,)]
    assert ask(stick / "kiosk.db", "PRAGMA journal_mode") == [("delete",)], "readable on a read-only stick"
    assert {oct(one.stat().st_mode)[-3:] for one in stick.iterdir()} == {"600"}, "elders' names are in it"


def test_what_is_not_whole_is_not_put_in_place(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "stick"
    kiosk = Notebook(home / "kiosk.db", KIOSK)
    for number in range(1, 200):
        give(kiosk, number)
    kiosk.close()
    assert main(["backup", str(stick)]) == 0
    damaged = bytearray((stick / "kiosk.db").read_bytes())
    damaged[3 * 4096 : 20 * 4096] = os.urandom(17 * 4096)
    (stick / "kiosk.db").write_bytes(damaged)
    before = epoch(home / "kiosk.db"), epoch(home / "gateway.db")
    assert main(["restore", str(stick)]) == 1
    assert "kiosk.db" in capsys.readouterr().err
    assert (epoch(home / "kiosk.db"), epoch(home / "gateway.db")) == before
    assert not list(home.glob("*restor*"))


def test_another_notebook_under_this_name_is_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "stick"
    assert main(["backup", str(stick)]) == 0
    (stick / "gateway.db").replace(stick / "kiosk.db")
    assert main(["restore", str(stick)]) == 1
    assert "is not a hall's kiosk.db: nothing was changed" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_the_halls_own_folder_is_no_place_for_a_backup(
    home: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(home)]) == 1
    assert "is the hall's own folder" in capsys.readouterr().err


def test_with_the_kiosks_notebook_damaged_the_slips_tell_which_numbers_were_given(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "stick"
    kiosk = Notebook(home / "kiosk.db", KIOSK)
    give(kiosk, 1)
    kiosk.close()
    assert main(["backup", str(stick)]) == 0
    bridge = Notebook(home / "bridge.db", BRIDGE)
    jobs = Jobs(bridge, now_ms)
    for slip_id, title in ((2, "排队号 B041"), (3, "Queue ticket A007"), (4, "测试 B777"), (5, "")):
        text = json.dumps({**slip(title), "kind": "test" if slip_id == 4 else "ticket"})
        jobs.take_in([Slip(slip_id, "hall", text if slip_id != 5 else "no JSON", now_ms())])
    bridge.close()
    (home / "kiosk.db").write_bytes(b"rotten" * 4096)
    assert main(["restore", str(stick)]) == 0
    assert "linli restore FOLDER --after B031 C007" in capsys.readouterr().out
    floors = "SELECT prefix, number FROM number_floor ORDER BY prefix"
    assert ask(home / "kiosk.db", floors) == [("A", 7), ("B", 41)]
    assert main(["restore", str(stick), "--after", "b052", "C003"]) == 0
    assert ask(home / "kiosk.db", floors) == [("A", 7), ("B", 52), ("C", 3)]
    assert main(["restore", str(stick), "--after", "fifty"]) == 1


def test_an_older_bridge_beside_a_kiosk_that_went_on_prints_nothing_again(
    hall: Hall, home: Path, tmp_path: Path
) -> None:
    hall.start_bridge()
    hall.wait_job(give(hall.kiosk, 1), "PRINTED")
    assert main(["backup", str(tmp_path / "stick")]) == 0
    (tmp_path / "stick/kiosk.db").unlink()
    hall.wait_job(give(hall.kiosk, 2), "PRINTED")
    hall.stop_bridge()
    hall.kiosk.close()
    assert main(["restore", str(tmp_path / "stick")]) == 0
    hall._kiosk = Notebook(home / "kiosk.db", KIOSK)
    assert hall.kiosk.connection.execute("SELECT count(*) FROM tickets").fetchone() == (2,)
    hall.start_bridge()
    hall.wait_job(give(hall.kiosk, 3), "PRINTED")
    assert paper(hall) == ["排队号 B001", "排队号 B002", "排队号 B003"]


def test_who_signed_out_since_the_backup_stays_signed_out(home: Path, tmp_path: Path) -> None:
    kiosk = Notebook(home / "kiosk.db", KIOSK)

    def sign_in(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO staff VALUES (1, '李', '李', 'staff', 'x', 0, 1, 'x', 1, NULL, 0)")
        db.execute("INSERT INTO staff_sessions VALUES ('hash', 1, 1, 1, NULL, '127.0.0.1', NULL, NULL)")

    kiosk.write(sign_in)
    kiosk.close()
    assert main(["backup", str(tmp_path / "stick")]) == 0
    assert main(["restore", str(tmp_path / "stick")]) == 0
    assert ask(home / "kiosk.db", "SELECT ended_why FROM staff_sessions") == [("restored",)]


def test_nothing_to_copy_and_nothing_to_put_back_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINLI_HOME", str(tmp_path / "empty"))
    assert main(["backup", str(tmp_path / "stick")]) == 1
    assert "there is no notebook to copy" in capsys.readouterr().err
    assert main(["restore", str(tmp_path / "stick")]) == 1
    assert "there is no backup here" in capsys.readouterr().err
