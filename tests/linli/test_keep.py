"""`linli backup --auto`: whole copies, checked; old ones go, and what is rotten is found."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devices.plan import Plan
from gateway.backup_sets import BackupSet, sets_in
from gateway.finding import Finding
from gateway.house import House
from gateway.notebook import Notebook, open_reader, suspect
from linli import keep
from linli.__main__ import main
from linli.checks_backup import backups
from tests.parts import ROOT

SCHEMAS = {"gateway.db": "gateway", "kiosk.db": "kiosk", "bridge.db": "firmware_bridge"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hall's folder with its three notebooks; nobody holds them."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("LINLI_HOME", str(home))
    monkeypatch.setenv("LINLI_HALL", str(ROOT / "hall.toml"))
    monkeypatch.delenv("LINLI_BACKUPS", raising=False)
    for name, room in SCHEMAS.items():
        Notebook(home / name, ROOT / room / "schema").close()
    return home


def names(home: Path) -> list[str]:
    return [one.folder.name[:6] for one in sets_in(home / "backups")]


def test_each_is_whole_plain_and_numbered_on(home: Path) -> None:
    book = Notebook(home / "gateway.db", ROOT / "gateway" / "schema")  # while the hall runs
    assert main(["backup", "--auto"]) == 0
    book.write(lambda db: db.execute("INSERT INTO journal(at_ms, event, subject) VALUES (1, 'T', 'x')"))
    assert main(["backup", "--auto"]) == 0
    assert names(home) == ["000002", "000001"]
    newest, older = sets_in(home / "backups")
    counts = []
    for one in (newest, older):
        assert sorted(file.name for file in one.folder.iterdir()) == ["bridge.db", "gateway.db", "kiosk.db"]
        assert {oct(file.stat().st_mode)[-3:] for file in one.folder.iterdir()} == {"600"}, (
            "elders' names are in it"
        )
        reader = open_reader(one.folder / "gateway.db")
        counts.append(reader.execute("SELECT count(*) FROM journal").fetchone()[0])
        reader.close()
    assert counts == [1, 0]
    assert abs(newest.taken_ms - datetime.now(UTC).timestamp() * 1000) < 60_000
    book.close()


def test_a_hall_that_has_never_run_has_nothing_to_copy_and_that_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINLI_HOME", str(tmp_path / "empty"))
    assert main(["backup", "--auto"]) == 0
    assert not (tmp_path / "empty").exists()


def test_another_disk_may_be_named(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINLI_BACKUPS", str(tmp_path / "stick"))
    assert main(["backup", "--auto"]) == 0
    assert len(sets_in(tmp_path / "stick")) == 1 and not (home / "backups").exists()


def test_a_backup_can_be_put_back_by_hand(home: Path) -> None:
    assert main(["backup", "--auto"]) == 0
    assert main(["restore", str(sets_in(home / "backups")[0].folder)]) == 0


def test_a_rotten_notebook_is_named_and_marked_and_the_others_are_copied(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = Notebook(home / "gateway.db", ROOT / "gateway" / "schema")
    rows = [(n, "x" * 900) for n in range(1, 400)]
    put = "INSERT INTO journal(line_id, at_ms, event, subject) VALUES (?,1,'T',?)"
    book.write(lambda db: db.executemany(put, rows))
    book.close()
    with (home / "gateway.db").open("r+b") as file:
        file.seek(200_000)
        file.write(os.urandom(50_000))
    assert main(["backup", "--auto"]) == 1
    said = capsys.readouterr().err
    assert "gateway.db IS DAMAGED" in said and "gateway.db 已损坏" in said
    assert suspect(home / "gateway.db").exists(), "whoever opens it next checks all of it"
    assert not suspect(home / "kiosk.db").exists()
    (one,) = sets_in(home / "backups")
    assert sorted(file.name for file in one.folder.iterdir()) == ["bridge.db", "kiosk.db"]


def test_half_a_backup_of_before_a_power_cut_is_swept_away(home: Path) -> None:
    half = home / "backups" / ".part-000007"
    half.mkdir(parents=True)
    (half / "gateway.db").write_bytes(b"half")
    assert main(["backup", "--auto"]) == 0
    assert names(home) == ["000001"] and not half.exists()


def test_without_room_old_ones_go_first_and_the_newest_never(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(4):
        assert main(["backup", "--auto"]) == 0
    monkeypatch.setattr(keep, "_free_bytes", lambda folder: 10**12 if len(sets_in(folder)) <= 3 else 0)
    assert main(["backup", "--auto"]) == 0
    assert names(home) == ["000005", "000004", "000003", "000002"]
    monkeypatch.setattr(keep, "_free_bytes", lambda _folder: 0)
    assert main(["backup", "--auto"]) == 1
    assert "no room for a backup" in capsys.readouterr().err
    assert names(home) == ["000005", "000004"]


# ---------------------------------------------------------------- which are kept


def when(one: BackupSet) -> datetime:
    return datetime.fromtimestamp(one.taken_ms / 1000, UTC)


def hourly(moments: Iterator[datetime]) -> list[BackupSet]:
    """Take one at each moment, deleting after each as the command does."""
    kept: list[BackupSet] = []
    for number, moment in enumerate(moments, 1):
        kept.insert(0, BackupSet(Path(), number, int(moment.timestamp() * 1000)))
        numbers = keep.to_keep(kept, when)
        kept = [one for one in kept if one.number in numbers]
    return kept


@pytest.mark.long
def test_after_two_years_a_day_of_hours_a_fortnight_of_days_and_a_year_of_months_are_kept() -> None:
    begin = datetime(2026, 11, 18, tzinfo=UTC)
    kept = hourly(begin + timedelta(hours=hour) for hour in range(2 * 365 * 24))
    assert [when(one) for one in kept[:24]] == [
        begin + timedelta(hours=2 * 365 * 24 - 1 - n) for n in range(24)
    ]
    assert len({f"{when(one):%Y-%m-%d}" for one in kept}) >= 14
    assert len({f"{when(one):%Y-%m}" for one in kept}) == 12
    assert 24 + 12 <= len(kept) <= 24 + 14 + 12


def test_a_clock_that_jumps_ten_years_and_back_costs_no_newer_backup() -> None:
    begin = datetime(2026, 11, 18, tzinfo=UTC)
    moments = [begin + timedelta(hours=hour) for hour in range(48)]
    jumped = [moment + timedelta(days=3650) for moment in moments]
    kept = hourly(iter([*moments, *jumped, *moments]))
    assert [one.number for one in kept[:24]] == list(range(144, 120, -1))
    assert len(kept) <= 50


# ---------------------------------------------------------------- the doctor


def only(findings: Iterator[Finding]) -> Finding:
    (one,) = findings
    return one


def test_the_doctor_misses_a_backup_that_is_three_hours_old(home: Path) -> None:
    house = House(home, home / "run", Plan(), "")
    assert only(backups(house)).mark == "note", "a hall of a minute needs none yet"
    assert main(["backup", "--auto"]) == 0
    assert only(backups(house)).mark == "ok"
    (one,) = sets_in(home / "backups")
    old = datetime.now(UTC) - timedelta(hours=4)
    one.folder.rename(one.folder.with_name(f"000001-{old:%Y%m%dT%H%M%SZ}"))
    found = only(backups(house))
    assert (
        found.mark == "wrong" and "linli-backup.timer" in found.do_zh and "linli-backup.timer" in found.do_en
    )


def test_the_doctor_misses_backups_of_a_hall_that_has_run_for_hours(home: Path) -> None:
    for lock in home.glob("*.lock"):
        os.utime(lock, (0, lock.stat().st_mtime - 4 * 3600))
    found = only(backups(House(home, home / "run", Plan(), "")))
    assert found.mark == "wrong" and "none, for 4 h" in found.en


def test_a_hall_that_never_ran_needs_no_backup(tmp_path: Path) -> None:
    assert list(backups(House(tmp_path, tmp_path / "run", Plan(), ""))) == []
