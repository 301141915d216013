"""The demo hall's people, told to a real gateway: a fresh hall has somebody to call, a hall in use is left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from devices.virtual import neighbours
from tests.parts import gateway

pytestmark = pytest.mark.slow


def test_a_fresh_hall_gets_people_with_buttons_and_helpers_with_shifts_and_only_once(tmp_path: Path) -> None:
    with gateway(tmp_path) as hall:
        orders = neighbours.claims(buttons=8, bays=2)
        assert neighbours.furnish(tmp_path / "run" / "gateway.sock", orders)
        seat = hall.seat()
        tied = {one["device_id"]: (one["person_id"], one["place"]) for one in seat.snapshot["devices"]}
        assert tied["btn-01"] == ("p-demo-1", "3栋1单元302")
        assert tied["btn-08"] == ("", "8栋1单元901")
        seat.order("put_person", person_id="p-demo-1", name="另一位", by="小李")
        seat.order("drop_helper", helper_id="h-demo-1", by="小李")
        assert neighbours.furnish(tmp_path / "run" / "gateway.sock", orders)
        with closing(sqlite3.connect(f"file:{tmp_path}/gateway.db?mode=ro", uri=True)) as book:
            names = [name for (name,) in book.execute("SELECT name FROM people ORDER BY person_id")]
            roles = {role for (role,) in book.execute("SELECT role FROM helpers")}
            duty = book.execute("SELECT count(*) FROM helpers WHERE role = 'duty'").fetchone()[0]
            shifts = book.execute("SELECT count(*) FROM shifts").fetchone()[0]
        assert names[0] == "另一位" and len(names) == 6
        assert duty == 1 and {"grid", "building", "unit", "guard", "secretary"} <= roles and shifts > 4


def test_every_invented_name_says_that_it_is_invented() -> None:
    told = neighbours.people(buttons=6)
    assert [one["name"] for one in told if "name" in one and "（演）" not in one["name"]] == []
    assert all(one["phone"].startswith("000-") for one in told if "phone" in one)
