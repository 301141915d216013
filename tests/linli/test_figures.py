"""`linli figures` and the doctor's look at the journal, on a notebook that a real loop has written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from linli import figures
from linli.checks_journal import chain
from linli.talk import open_running_house
from tests.gateway.held_hall import HeldClock, HeldHall


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    monkeypatch.delenv("LINLI_HALL", raising=False)
    return tmp_path


def lived(home: Path) -> HeldHall:
    """One call: pressed, taken after 20 s, closed two minutes later; one more that nobody has taken."""
    hall = HeldHall(home, HeldClock())
    hall.press("btn-1", "a:1")
    hall.after_s(20)
    hall.order("accept_call", call_id=1, by="王五")
    hall.after_s(120)
    hall.order("close_call", call_id=1, by="王五", outcome="false_alarm")
    hall.press("btn-2", "b:1")
    return hall


def test_the_figures_are_those_of_the_day(home: Path) -> None:
    lived(home).die()
    out = io.StringIO()
    assert figures.show(None, out=out) == 0
    text = out.getvalue()
    assert "2 个呼叫 calls, 1 个已接 accepted" in text
    assert "60 秒内接单 accepted within 60 s: 50.0% (TSA 97.5%) 未达标 missed" in text
    assert "p50 20.0 s" in text and "p50 2 min 20 s" in text
    assert "btn-1" in text and "1/1  100%" in text


def test_as_csv_each_call_is_a_line_and_nobody_is_named(home: Path) -> None:
    lived(home).die()
    out = io.StringIO()
    figures.show(None, form="csv", out=out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [(row["call_id"], row["device_id"], row["accepted_ms"], row["closed_ms"]) for row in rows] == [
        ("1", "btn-1", "20000", "140000"),
        ("2", "btn-2", "", ""),
    ]
    assert "王五" not in out.getvalue()


def test_as_json_it_can_be_read_by_a_program(home: Path) -> None:
    lived(home).die()
    out = io.StringIO()
    figures.show(None, form="json", out=out)
    words = json.loads(out.getvalue())
    assert words["figures"][0]["spreads"]["accepted"]["p50_ms"] == 20_000
    assert words["devices"][0]["rate"] == 1.0


def test_a_day_that_is_none_is_said_so(home: Path) -> None:
    lived(home).die()
    with pytest.raises(figures.AskedWrongly, match="2026-11-22"):
        figures.show(None, first_day="22.11.2026")


def test_the_doctor_says_where_somebody_edited(home: Path) -> None:
    hall = lived(home)
    house = open_running_house(None)
    (well,) = chain(house)
    assert well.mark == "ok"
    for name in ("journal_stays", "journal_is_not_changed"):
        hall.book.connection.execute(f"DROP TRIGGER {name}")
    hall.book.write(lambda db: db.execute("UPDATE journal SET detail = 'helped' WHERE event = 'Closed'"))
    (line,) = hall.book.connection.execute("SELECT line_id FROM journal WHERE event = 'Closed'").fetchone()
    (found,) = chain(house)
    hall.die()
    assert (found.mark, found.en) == ("wrong", f"line {line}: who acted or what was said was changed")
    assert found.do_zh


def test_a_persons_words_are_erased_on_demand_and_the_doctor_is_content(home: Path) -> None:
    hall = lived(home)
    (line,) = hall.book.connection.execute("SELECT line_id FROM journal WHERE event = 'Accepted'").fetchone()
    hall.order("erase_words", line_id=line, by="admin")
    left = hall.book.connection.execute("SELECT actor FROM journal WHERE line_id = ?", (line,)).fetchone()
    (well,) = chain(open_running_house(None))
    hall.die()
    assert left == ("",) and well.mark == "ok" and "erased" in well.en
