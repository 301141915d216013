"""The trial ``queue`` at small: a few screens, two kills; and that it notices what it is there to notice."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.notebook import Notebook
from tests.campaign.queue import Told, compare, one_life
from tests.parts import ROOT


@pytest.mark.slow
@pytest.mark.parametrize(("each", "kills"), [pytest.param(6, 0, marks=pytest.mark.long), (0, 2)])
def test_every_number_that_a_screen_saw_is_in_the_book(tmp_path: Path, each: int, kills: int) -> None:
    told, verdict = one_life(tmp_path, processes=2, threads=3, each=each, kills=kills, seed=7)
    assert told.refused == []
    assert told.fickle == []
    assert verdict.held, verdict
    assert verdict.tickets == len(told.answers) >= (36 if each else 1)
    assert {number[0] for ((_, number, _), *_) in told.answers.values()} <= {"A", "B", "C"}


def test_the_trial_notices_what_is_wrong(tmp_path: Path) -> None:
    book = Notebook(tmp_path / "kiosk.db", ROOT / "kiosk" / "schema")
    book.write(
        lambda c: c.executemany(
            "INSERT INTO tickets(business_day, prefix, number, service_code, key, token, lang, screen, state, rank,"
            " taken_ms, waits_ms, changed_ms)"
            " VALUES ('2026-11-22', 'B', ?, 'ZW-01', ?, ?, 'zh', 's', 'WAITING', 0, 0, 0, 0)",
            [(1, "a", "ta"), (2, "b", "tb"), (5, "nobody", "tn")],
        )
    )
    book.close()
    told = Told(
        {
            "a": [(201, "B001", "ta"), (200, "B001", "ta")],
            "b": [(201, "B003", "tb"), (201, "B002", "tb")],
            "gone": [(201, "B009", "tg")],
        }
    )
    verdict = compare(tmp_path / "kiosk.db", told)
    assert not verdict.held
    assert (verdict.lost, verdict.other_number, verdict.unasked, verdict.doubled, verdict.gaps) == (
        1,
        1,
        1,
        0,
        2,
    )
    assert (verdict.without_slip, verdict.without_line, verdict.sound) == (3, 3, "ok")
    assert told.fickle == ["b"]
    with closing(sqlite3.connect(tmp_path / "kiosk.db")) as kept:
        assert kept.execute("SELECT count(*) FROM tickets").fetchone() == (3,)
