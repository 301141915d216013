"""`linli doctor` on residents' requests: overdue ones, notes that are lost, files of which no row knows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from devices.clock import wall_ms
from devices.plan import Plan
from gateway.finding import Finding
from gateway.house import House
from gateway.notebook import Notebook
from linli.checks_requests import requests
from tests.parts import ROOT

OLD_S = 3 * 86_400


@dataclass
class Hall:
    house: House
    book: Notebook

    def asked(self, number: int, *, answer_by_ms: int, closed_ms: int | None = None, note: str = "") -> None:
        row = f"{number}, ?, ?, 'WY-02', 'leak', 0, 'RECEIVED', 'home', 'zh', 'k', '2026-11-22', 1, ?, 1, ?"
        words = (f"CODE{number:04}", f"key-{number}", answer_by_ms, closed_ms)
        self.book.write(
            lambda c: c.execute(
                "INSERT INTO requests(request_id, code, key, service_code, kind, urgent, state, place, lang, screen,"
                " business_day, made_ms, answer_by_ms, changed_ms, closed_ms)"
                f" VALUES ({row})",
                words,
            )
        )
        if note:
            self.book.write(
                lambda c: c.execute(
                    "INSERT INTO request_notes(request_id, kind, file, bytes, sha256, made_ms)"
                    f" VALUES ({number}, 'voice', ?, 3, '', 1)",
                    (note,),
                )
            )

    def file(self, name: str, age_s: float = 0) -> Path:
        file = self.house.home / "notes" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"...")
        at_s = wall_ms() / 1000 - age_s
        os.utime(file, (at_s, at_s))
        return file

    def found(self) -> dict[str, list[Finding]]:
        said: dict[str, list[Finding]] = {}
        for one in requests(self.house):
            said.setdefault(one.part, []).append(one)
        return said


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    house = House(tmp_path, tmp_path / "run", Plan(), "")
    book = Notebook(house.kiosk_db, ROOT / "kiosk" / "schema")
    yield Hall(house, book)
    book.close()


def test_before_anybody_has_asked_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert list(requests(House(tmp_path, tmp_path / "run", Plan(), ""))) == []


def test_what_nobody_has_answered_in_time_is_wrong_and_what_is_closed_is_not_counted(hall: Hall) -> None:
    later = wall_ms() + 3_600_000
    hall.asked(1, answer_by_ms=later)
    hall.asked(2, answer_by_ms=1, closed_ms=2)
    (one,) = hall.found()["requests"]
    assert (one.mark, one.en) == ("ok", "1 open, none overdue")
    hall.asked(3, answer_by_ms=1)
    (one,) = hall.found()["requests"]
    assert one.mark == "note" and one.en.startswith("2 open, 1 of them")


def test_a_note_whose_file_is_gone_is_lost_and_a_file_without_a_row_only_worth_knowing(hall: Hall) -> None:
    hall.asked(1, answer_by_ms=1, note="2026-11/a.webm")
    (one,) = hall.found()["notes"]
    assert one.mark == "wrong" and "not there" in one.en, "the whole folder has gone"
    kept = hall.file("2026-11/a.webm", OLD_S)
    hall.file(".swept", OLD_S)
    hall.file("2026-11/new.webm")
    (one,) = hall.found()["notes"]
    assert one.mark == "ok", "a file of just now is being sent"
    hall.file("2026-11/stray.png", OLD_S)
    kept.unlink()
    assert [one.mark for one in hall.found()["notes"]] == ["wrong", "note"]
