"""The tables of hall/rows.py: what a rule puts away is there after a restart, and gone when it is taken away."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from gateway.hall.rows import Person, Row, RowGone, Visit
from gateway.hall.state import Call, Decision, HallState, PersonErased
from gateway.hall.tables import TABLES
from gateway.notebook import Notebook
from gateway.store import load_state, write_changes

SCHEMA = Path("gateway/schema").absolute()
#: words that the schema holds to a list
CHOSEN: dict[str, Any] = {"visit_tier": "weekly", "word": "heard", "holidays": "only", "kind": "holiday", "turn": 0}
CHOSEN |= {"counts": "deltas"}
CHOSEN |= {"level": "full", "bay_plans.kind": "fire_lane", "parking_tasks.kind": "stuck", "parking_tasks.done_ms": None}
OPEN_CALL = Call(1, "HEARD", "emergency", "btn-1", "3栋", True, "3栋", "张奶奶", 1, 1, 1_000, 1_000)


def made(kind: type[Row]) -> Row:
    """A row in which each field differs from what it would be by itself, where that still loads."""
    hints = get_type_hints(kind)
    words: dict[str, Any] = {}
    for one in fields(kind):
        if f"{kind.TABLE}.{one.name}" in CHOSEN:
            words[one.name] = CHOSEN[f"{kind.TABLE}.{one.name}"]
        elif one.name in CHOSEN:
            words[one.name] = CHOSEN[one.name]
        elif one.name == "state":
            words[one.name] = one.default if one.default is not MISSING else "told"
        elif hints[one.name] is bool:
            words[one.name] = True
        elif hints[one.name] in (float, float | None):
            words[one.name] = 1.5
        elif hints[one.name] in (int, int | None):
            words[one.name] = 1
        elif hints[one.name] is str:
            words[one.name] = f"{one.name} “一”"
        elif one.name == "ladder":
            words[one.name] = (("duty", 60, ("console", "voice")), ("grid", 120, ("message",)))
        elif one.name == "outcomes":
            words[one.name] = (("helped", "已到场帮助", "Helped"),)
        else:
            words[one.name] = ("一", "two")
    return kind(**words)


@pytest.mark.parametrize("kind", TABLES.values(), ids=list(TABLES))
def test_a_row_is_there_after_a_restart_and_gone_when_it_is_taken_away(kind: type[Row], tmp_path: Path) -> None:
    row = made(kind)
    book = Notebook(tmp_path / "gateway.db", SCHEMA)
    book.write(lambda connection: write_changes(connection, [OPEN_CALL, row]))
    book.close()
    book = Notebook(tmp_path / "gateway.db", SCHEMA)
    state = load_state(book.connection, 2_000)
    assert dict(state.table(kind)) == {row.key: row}
    book.write(lambda connection: write_changes(connection, [RowGone(kind.TABLE, row.key)]))
    assert not load_state(book.connection, 2_000).table(kind)
    book.close()


def test_a_working_copy_sees_that_a_row_is_gone_and_the_hall_does_not_until_it_is_taken_over() -> None:
    hall = HallState()
    kept, gone, new = (Person(name, name) for name in ("kept", "gone", "new"))
    hall.put(Decision(changes=[kept, gone]))
    child = hall.child()
    child.put(Decision(changes=[new, RowGone("people", "gone")]))
    assert set(child.table(Person)) == {"kept", "new"}
    assert set(hall.table(Person)) == {"kept", "gone"}
    hall.absorb(child)
    assert set(hall.table(Person)) == {"kept", "new"}
    again = hall.child()
    again.put(Decision(changes=[RowGone("people", "new"), new]))
    hall.absorb(again)
    assert set(hall.table(Person)) == {"kept", "new"}
    hall.begin()
    hall.put(Decision(changes=[RowGone("people", "kept")]))
    assert set(hall.table(Person)) == {"new"}
    hall.take_back()
    assert set(hall.table(Person)) == {"kept", "new"}


def test_each_table_has_a_column_for_each_field(tmp_path: Path) -> None:
    book = Notebook(tmp_path / "gateway.db", SCHEMA)
    for name, kind in TABLES.items():
        columns = [row[1] for row in book.connection.execute(f"PRAGMA table_info({name})")]
        assert columns == [one.name for one in fields(kind)]
    book.close()


def test_who_is_erased_is_erased_on_the_disk_too_however_long_ago_it_was(tmp_path: Path) -> None:
    book = Notebook(tmp_path / "gateway.db", SCHEMA)
    mine = replace(OPEN_CALL, person_id="p-1", note="摔倒", state="CLOSED", closed_ms=1_500)
    others = replace(mine, call_id=2, person_id="p-2")
    still_open = replace(mine, call_id=3, state="HEARD", closed_ms=None)
    visits = [Visit(who, who, "event", 1, 2, state="done", note="出院") for who in ("p-1", "p-2")]
    book.write(lambda connection: write_changes(connection, [mine, others, still_open, *visits]))
    # In one batch the row of the visit is written as it was, and then erased.
    book.write(lambda connection: write_changes(connection, [PersonErased("p-1"), visits[0]]))
    calls = book.connection.execute("SELECT person_id, person, place, note FROM calls ORDER BY call_id").fetchall()
    assert calls == [
        ("p-1", "", "", ""),
        ("p-2", "张奶奶", "3栋", "摔倒"),
        ("p-1", "张奶奶", "3栋", "摔倒"),
    ]
    notes = book.connection.execute("SELECT visit_id, note FROM visits ORDER BY visit_id").fetchall()
    assert notes == [("p-1", ""), ("p-2", "出院")]
    book.close()
